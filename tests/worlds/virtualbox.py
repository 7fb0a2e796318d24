"""A registry of VirtualBox of a test's own: the real VBoxManage of Debian sid (virtualbox_chroot.py) behind a shim.

The shim, called VBoxManage and alone in its folder for PATH, writes down every call and runs the real one in the root,
with mounts that end with it. VBOX_USER_HOME and VBOX_IPC_SOCKETID keep worlds apart; its service ends by itself
when nothing has been asked for a while, and is ended at the end of a world.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infratest.providers import _host_ports
from tests.worlds import virtualbox_chroot
from tests.worlds import virtualbox_power as power_of
from tests.worlds.virtualbox_chroot import INSIDE

#: Real: $1 is the root, $2 and $3 are folders that must be seen inside under their own names, the rest the command.
REAL = (
    """\
set -e
root=$1
for seen in "$2" "$3"; do
    mkdir -p "$root$seen"
    mount --rbind "$seen" "$root$seen"
done
shift 3
set -- "$root" "$@"
"""
    + INSIDE
)

#: Verbs that only look. How often a run looks goes by time, what it changes does not.
LOOKS = ("list", "showvminfo", "getextradata")

#: One line a call, written at once. Where the world has power, some verbs go to the stand-in. Where there is a file
#: `strike` with a moment, `look` or `change` and a number, the process that made that look or change is killed, before
#: it is done or after.
SHIM = """\
#!/bin/sh
printf '%s\\n' "$*" | tr '\\n' ' ' | cut -c 1-300 >> "{folder}/calls"
answer() {{
    case "{guest} $1 $2" in
    ?*' startvm'* | ?*' controlvm'* | ?*' showvminfo'* | ?*' unregistervm'* | ?*' list runningvms')
        PYTHONPATH="{tree}" "{python}" -P -m tests.worlds.virtualbox_power "{folder}" {guest} "$@" ;;
    *) "{folder}/real" "$@" ;;
    esac
}}
if [ -e "{folder}/strike" ]; then
    read -r moment kind number < "{folder}/strike"
    mine=change
    others=-v
    case "$1" in {either}) mine=look others= ;; esac
    if [ $mine = "$kind" ] && [ "$(grep -c -w $others -E '^({either})' "{folder}/calls")" = "$number" ]; then
        [ "$moment" = before ] || answer "$@"
        kill -9 "$PPID"
        exit 1
    fi
fi
answer "$@"
"""

DISK = 64  # MiB, of the empty disk that most tests make hosts of


@dataclass(frozen=True)
class VirtualBoxWorld:
    """A registry. `folder`: holds all its files, also the tests' own. `root`: where VirtualBox is installed."""

    folder: Path
    root: Path
    socket: str

    def vbox(self, *arguments: str) -> str:
        """Ask the real VBoxManage, uncounted."""
        done = subprocess.run([self.folder / "real", *arguments], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def calls(self) -> list[str]:
        """Return the calls since the last time they were asked for, oldest first."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def machines(self) -> list[str]:
        """Return the names of all that is registered."""
        return sorted(line.rpartition(" ")[0].strip('"') for line in self.vbox("list", "vms").splitlines())

    def empty_disk(self, name: str = "empty.vdi") -> Path:
        """Make an empty disk that the registry does not know."""
        at = self.folder / name
        self.vbox("createmedium", "disk", "--filename", str(at), "--size", str(DISK))
        self.vbox("closemedium", "disk", str(at))
        return at


@contextmanager
def virtualbox_world(
    folder: Path, guest: str = "", machines: Path | None = None, python: str = sys.executable
) -> Iterator[VirtualBoxWorld]:
    """Make a registry in a folder, and have this process and what it starts use it.

    Args:
        guest: of the stand-in for power, `sshd` or `qemu`; without one no machine starts, as without a driver.
        machines: where VirtualBox keeps machines; in the folder without. python: that has pycdlib, for the stand-in.
    """
    root = virtualbox_chroot.place()
    if not virtualbox_chroot.there():  # sid changes daily, so that `./run test` does not set it up by itself
        raise unittest.SkipTest("no VirtualBox in the cache; ./run test-machines sets it up")
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    world = VirtualBoxWorld(folder, root, f"infratest-{secrets.token_hex(4)}")
    for name in ("bin", "vms"):
        (folder / name).mkdir()
    # The cache is the user's own: its list of ports keeps the worlds of tests that run at once from each other's.
    seen = [str(folder), str(virtualbox_chroot.CACHE)]
    inside = ["unshare", "--mount", "sh", "-c", REAL, "sh", str(root), *seen, "/usr/lib/virtualbox/VBoxManage"]
    _script(folder / "real", f'#!/bin/sh\nexec {" ".join(_quoted(word) for word in inside)} "$@"\n')
    tree = Path(__file__).parent.parent.parent
    shim = SHIM.format(folder=folder, guest=guest, tree=tree, python=python, either="|".join(LOOKS))
    _script(folder / "bin" / "VBoxManage", shim)
    settings = {
        "VBOX_USER_HOME": str(folder / "home"),
        "VBOX_IPC_SOCKETID": world.socket,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        world.vbox("setproperty", "machinefolder", str(machines or folder / "vms"))
        yield world
    finally:
        if guest:
            power_of.main(str(folder), guest, "end-all")
        for uuid in re.findall(
            "Key: infratest/machine/([0-9a-f-]+)", world.vbox("getextradata", "global", "enumerate")
        ):
            _host_ports.release(uuid)
        _end_service(world)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _end_service(world: VirtualBoxWorld) -> None:
    """End the processes of this registry's service, which carry its socket's name in their environment."""
    needle = f"VBOX_IPC_SOCKETID={world.socket}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = needle in (process / "environ").read_bytes().split(b"\0")
            name = (process / "comm").read_text().strip()
        except OSError:
            continue
        if ours and name.startswith("VBox"):
            try:
                os.kill(int(process.name), signal.SIGTERM)
            except ProcessLookupError:
                pass
    root = world.root
    shutil.rmtree(root / f"tmp/.vbox-{world.socket}-ipc", ignore_errors=True)
    seen = root / str(world.folder).lstrip("/")
    while seen != root and seen.is_dir() and not any(seen.iterdir()) and seen.parent != root:
        seen.rmdir()
        seen = seen.parent
