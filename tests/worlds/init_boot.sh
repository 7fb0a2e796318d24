#!/bin/sh
# Become another init system on a private copy of this machine's root: `init_boot.sh PLACE SETUP INIT PACKAGE ...`, in
# namespaces of its own. What is changed there goes to memory, and ends with the namespaces. SETUP is a script that is
# run there first; INIT is the program that then becomes process 1; each PACKAGE is the file of a Debian package.
set -eu
place=$1 setup=$2 init=$3
shift 3
mount -t tmpfs -o mode=755 world "$place"
mkdir "$place/upper" "$place/work" "$place/root"
mount -t overlay world -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
root=$place/root
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
for package; do dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"; done
cd "$root"
: >etc/fstab
cp "$setup" root/setup
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot . sh -euc "sh -eu /root/setup; exec $init"
