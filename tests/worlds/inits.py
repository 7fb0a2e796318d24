"""Machines of other init systems: a private copy of this one's root, in which OpenRC, SysV init or runit is process 1.

The programs are Debian's, fetched by apt-get once and kept below INFRATEST_CACHE; nothing of them is installed here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infratest.testing.waiting import wait_until

BOOT = Path(__file__).with_name("init_boot.sh")
NAMESPACES = ("--mount", "--net", "--pid", "--uts", "--ipc")

OPENRC = r"""
rm -rf /etc/rc?.d/* /etc/runlevels/*/*
mkdir -p /etc/runlevels/default
for name in works idle; do
  printf '#!/sbin/openrc-run\ncommand=/bin/sleep\ncommand_args=infinity\ncommand_background=yes\n' >/etc/init.d/$name
  echo "pidfile=/run/$name.pid" >>/etc/init.d/$name
  chmod +x /etc/init.d/$name
done
ln -s /etc/init.d/works /etc/runlevels/default/works
printf 'id:3:initdefault:\nsi::sysinit:/sbin/openrc sysinit\nrc::bootwait:/sbin/openrc boot\n' >/etc/inittab
printf 'l3:3:wait:/sbin/openrc default\n' >>/etc/inittab
"""
SYSV = r"""
rm -rf /etc/rc?.d/*
mkdir -p /etc/rc2.d
for name in works idle killed; do
  cat >/etc/init.d/$name <<END
#!/bin/sh
. /lib/lsb/init-functions
case \$1 in
start) start-stop-daemon --start --background --make-pidfile --pidfile /run/$name.pid --exec /bin/sleep -- infinity ;;
status) status_of_proc -p /run/$name.pid /bin/sleep $name ;;
esac
END
done
echo 99999999 >/run/killed.pid
printf '#!/bin/sh\necho "usage: start"\nexit 1\n' >/etc/init.d/mute
chmod +x /etc/init.d/*
ln -s ../init.d/works /etc/rc2.d/S01works
ln -s ../init.d/idle /etc/rc2.d/K01idle
printf 'id:2:initdefault:\nl2:2:wait:/etc/init.d/works start\n' >/etc/inittab
"""
RUNIT = r"""
rm -rf /etc/service /etc/sv
mkdir -p /etc/service /etc/runit
for stage in 1 3; do printf '#!/bin/sh\nexit 0\n' >/etc/runit/$stage; done
printf '#!/bin/sh\nexec runsvdir -P /etc/service\n' >/etc/runit/2
chmod +x /etc/runit/?
for name in works idle unlinked; do
  mkdir -p /etc/sv/$name
  printf '#!/bin/sh\nexec sleep infinity\n' >/etc/sv/$name/run
  chmod +x /etc/sv/$name/run
done
touch /etc/sv/idle/down
ln -s /etc/sv/works /etc/sv/idle /etc/service
"""


class Kind(NamedTuple):
    """An init system: its packages, what is made before it is started, and its program."""

    packages: tuple[str, ...]
    setup: str
    program: str


KINDS = {
    "OpenRC": Kind(("openrc", "libeinfo1", "librc1", "sysvinit-core"), OPENRC, "/sbin/init"),
    "SysV init": Kind(("sysvinit-core", "sysv-rc"), SYSV, "/sbin/init"),
    "runit": Kind(("runit",), RUNIT, "/sbin/runit"),
}


@contextlib.contextmanager
def running(kind: Kind, folder: Path) -> Iterator[list[str]]:
    """Boot a machine of an init system; yield the words by which a command is run in it."""
    assert os.getuid() == 0, "a machine of another init system needs namespaces and mounts: run this as root"
    (folder / "place").mkdir()
    (folder / "setup").write_text(kind.setup)
    files = [str(_package(name)) for name in kind.packages]
    boot = ["sh", str(BOOT), str(folder / "place"), str(folder / "setup"), kind.program, *files]
    words = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", *boot]
    with (folder / "log").open("w+") as log:
        parent = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            name = Path(kind.program).name
            assert wait_until(lambda: _name(_child(parent)) == name), (folder / "log").read_text()
            yield ["nsenter", "--target", str(_child(parent)), *NAMESPACES, "--root", "env", "-C", "/"]
        finally:
            parent.send_signal(signal.SIGKILL)
            parent.wait()


def _package(name: str) -> Path:
    """Return the file of a Debian package, which is fetched where it is not kept yet."""
    cache = Path(os.environ.get("INFRATEST_CACHE") or Path.home() / ".cache/infratest") / "init-packages"
    cache.mkdir(parents=True, exist_ok=True)
    if not (kept := sorted(cache.glob(f"{name}_*.deb"))):
        words = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name]
        done = subprocess.run(words, cwd=cache, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name} could not be fetched: {done.stdout}{done.stderr}"
        kept = sorted(cache.glob(f"{name}_*.deb"))
    return kept[-1]


def _child(parent: subprocess.Popen[bytes]) -> int:
    assert parent.poll() is None, "the machine has ended"
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()[0])
    return 0


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
