#!/bin/sh
# Become systemd on a private copy of this machine's root: `boot.sh FOLDER [PATH ...]`, in namespaces of its own.
#
# What is changed there goes to memory, and ends with the namespaces. No unit of the machine is started but dbus: what
# sets kernel variables, loads modules or makes devices would change the machine itself.
set -eu
place=$1
shift
mount -t tmpfs -o mode=755 oracle "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay oracle -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
root=$place/root
for path in "$@"; do # on another file system than the root
    mkdir -p "$root$path"
    mount --rbind "$path" "$root$path"
done
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for link in fd:fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -s "/proc/self/${link#*:}" "$root/dev/${link%%:*}"; done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
ip link set lo up
cd "$root"
rm -rf lib/systemd/system/*.wants etc/systemd/system/*.wants etc/systemd/system/*.requires usr/lib/systemd/system/*.wants
find usr/lib/systemd/system-generators etc/systemd/system-generators ! -type d ! -name systemd-sysv-generator \
    -exec rm -f {} + 2>/dev/null || :
: >etc/fstab
# What is right about containers is asked of docker alone: another engine, which may not work here, is no part of this.
rm -f usr/bin/podman usr/local/bin/podman
mkdir -p usr/lib/systemd/system/basic.target.wants
ln -s ../dbus.socket usr/lib/systemd/system/basic.target.wants/dbus.socket
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=oracle \
    chroot "$root" /lib/systemd/systemd --system --unit=basic.target --log-target=null
