"""A machine of the oracle's own: a private copy of this one's root, with systemd, in namespaces of its own.

Whatever the oracle makes (accounts, mounts, units, packages, listeners, processes) is made there and ends with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from infratest.testing.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
BOOT = Path(__file__).with_name("boot.sh")
NAMESPACES = ("--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup")


@contextlib.contextmanager
def running_world() -> Iterator[int]:
    """Boot the machine and yield the pid of its systemd; all of it has ended when the block has."""
    assert os.getuid() == 0, "the oracle makes namespaces, mounts and accounts: run it as root"
    folder = Path(tempfile.mkdtemp(prefix="infratest-oracle-"))
    words = ["unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "sh", str(BOOT), str(folder), *_others()]
    with (folder.with_suffix(".log")).open("w+") as log:
        parent = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            assert wait_until(lambda: _booted(parent)), f"systemd does not come up: {log.seek(0)}{log.read()}"
            yield _child(parent.pid)
        finally:
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            wait_until(lambda: _removed(folder))
            folder.with_suffix(".log").unlink()


def inside(pid: int, words: Sequence[str]) -> list[str]:
    """Return the command line that runs a program in the world."""
    return ["nsenter", "--target", str(pid), *NAMESPACES, "--root", "env", "-C", str(REPOSITORY), *words]


def _others() -> list[str]:
    """Return what we run that is on another file system than the root, which the private copy would not show."""
    device = Path("/").stat().st_dev
    paths = {str(REPOSITORY), sys.prefix, sys.base_prefix}
    return sorted(path for path in paths if Path(path).stat().st_dev != device)


def _child(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return 0


def _booted(parent: subprocess.Popen[bytes]) -> bool:
    """Whether systemd is up, or has failed to be."""
    assert parent.poll() is None, "the world has ended before it was up"
    pid = _child(parent.pid)
    if not pid or _name(pid) != "systemd":
        return False
    words = inside(pid, ["systemctl", "is-system-running"])
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() in ("running", "degraded")


def _removed(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
