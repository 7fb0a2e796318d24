"""The real VBoxManage: VirtualBox of Debian sid, in a root of its own in the cache. No driver, so no machine runs.

    python -m tests.worlds.virtualbox_chroot    sets it up (about two minutes, 1.1 GB, as root, on Debian)

Debian 12's own libc is too old for it, hence the root. `./run test-machines` makes it; other tests use it where it is.
Nothing is mounted outside of a process that ends: every program in it gets mounts of its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import time
from pathlib import Path

from infratest.deadline import Deadline
from infratest.images.cache import cache_folder
from infratest.images.rootfs import PATH
from infratest.images.sources import Sources
from infratest.local_program import call

SUITE = "sid"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = "virtualbox"

#: Into a root with mounts that end with the process: $1 is the root, the rest the command.
INSIDE = """\
set -e
root=$1
shift
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
exec chroot "$root" "$@"
"""

#: Sid's Release files are valid for a week, and a machine's clock may be off.
APT = ("apt-get", "-q", "-o", "Acquire::Check-Valid-Until=false")

#: The user's own cache, wherever a test has its: found before any test begins.
CACHE = cache_folder()

#: Changes when what is built changes; a root of another key is removed.
KEY = hashlib.sha256(f"{SUITE} {PACKAGES} {INSIDE} {APT}".encode()).hexdigest()[:12]


def place() -> Path:
    """Return where the root is or would be."""
    return CACHE / "machines" / f"virtualbox-{KEY}"


def there() -> bool:
    return (place() / "usr/lib/virtualbox/VBoxManage").exists()


def build() -> Path:
    """Return the root, made where it is not there; one process at a time makes it."""
    folder = place().parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "virtualbox.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not there():
            for old in folder.glob("virtualbox-*"):
                shutil.rmtree(old)
            began = time.monotonic()
            _build(place().with_suffix(".new"))
            place().with_suffix(".new").rename(place())
            print(f"machines: VirtualBox of Debian {SUITE} set up in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return place()


def _build(root: Path) -> None:
    sources = Sources.of_this_machine(SUITE, MIRROR)
    environment = {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", **sources.environment}
    words = ["debootstrap", "--variant=minbase", "--components=main,contrib", SUITE, str(root), sources.mirror]
    _run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *words], environment)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    (root / "etc/apt/apt.conf.d/80infratest").write_text(sources.settings)
    refusal = root / "usr/sbin/policy-rc.d"  # no daemon is started by its package
    refusal.write_text("#!/bin/sh\nexit 101\n")
    refusal.chmod(0o755)
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", PACKAGES], ["clean"]):
        _run(["unshare", "--mount", "sh", "-c", INSIDE, "sh", str(root), *APT, *arguments], environment)


def _run(command: list[str], environment: dict[str, str]) -> None:
    status, out, err = call(command, Deadline(900), environment=environment)
    if status != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {status}: {(err or out)[-2000:]}")


if __name__ == "__main__":
    build()
