"""A stand-in for power: what the real VBoxManage cannot do where VirtualBox's driver is missing. Run by the shim.

    python virtualbox_power.py WORLD GUEST VERB [ARGUMENT ...]

Every call goes to the real VBoxManage; only that a machine runs is played, and which machines do. WORLD is the world's
folder. GUEST says what is behind a machine that "runs":
    sshd    a real sshd on the port that the registry forwards to port 22, with the host key and the user's key that the
            registry's own seed volume holds; no machine, the root is this one's
    qemu    a machine under QEMU, of what the registry says, on a flat copy of its disk (virtualbox_qemu.py)
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

RUNNING, SAVED, OFF = "running", "saved", "poweroff"
UUID = re.compile(r'^UUID="([0-9a-f-]+)"$', re.MULTILINE)
LOCKED = "VBoxManage: error: The machine '{}' is already locked by a session (or being locked or unlocked)"
CODE = "VBoxManage: error: Details: code VBOX_E_INVALID_OBJECT_STATE (0x80bb0007), component MachineWrap"


class Power:
    """Which machines of a world run, each with its guest."""

    def __init__(self, world: Path, guest: str) -> None:
        self.world = world
        self.run_folder = world / "run"
        self.run_folder.mkdir(exist_ok=True)
        if guest == "qemu":
            from tests.worlds.virtualbox_qemu import Machine as Guest
        else:
            from tests.worlds.virtualbox_sshd import Sshd as Guest
        self.guest = Guest(self)

    def real(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.world / "real", *arguments], capture_output=True, text=True)

    def ask(self, *arguments: str) -> str:
        done = self.real(*arguments)
        if done.returncode != 0:
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            sys.exit(done.returncode)
        return done.stdout

    def info(self, machine: str) -> tuple[str, dict[str, str]]:
        """Return a machine's UUID, and what the registry says of it."""
        text = self.ask("showvminfo", machine, "--machinereadable")
        found = UUID.search(text)
        assert found
        pairs = re.findall(r'^"?([^"=\n]+)"?="?(.*?)"?$', text, re.MULTILINE)
        return found[1], dict(pairs)

    def state(self, uuid: str) -> str:
        """Return a machine's state; a guest that has powered itself off is taken down here, at the next call."""
        path = self.run_folder / f"{uuid}.state"
        try:
            state = path.read_text()
        except FileNotFoundError:
            return OFF
        if state == RUNNING and not self.guest.alive(uuid):
            self.guest.end(uuid)
            path.unlink(missing_ok=True)
            return OFF
        return state

    def keep(self, uuid: str, state: str) -> None:
        path = self.run_folder / f"{uuid}.state"
        path.write_text(state) if state != OFF else path.unlink(missing_ok=True)


def refuse(*lines: str) -> int:
    print("\n".join(lines), file=sys.stderr)
    return 1


def startvm(power: Power, machine: str) -> int:
    uuid, info = power.info(machine)
    if power.state(uuid) == RUNNING:
        return refuse(LOCKED.format(info["name"]), CODE)
    power.guest.start(uuid, info)
    power.keep(uuid, RUNNING)
    print(f'Waiting for VM "{info["name"]}" to power on...\nVM "{info["name"]}" has been successfully started.')
    return 0


def controlvm(power: Power, machine: str, verb: str, *words: str) -> int:
    uuid, info = power.info(machine)
    if power.state(uuid) != RUNNING:
        return refuse(f"VBoxManage: error: Machine '{info['name']}' is not currently running.")
    if verb == "acpipowerbutton":
        power.guest.button(uuid)
    elif verb in ("poweroff", "savestate"):
        power.guest.end(uuid)
        power.keep(uuid, SAVED if verb == "savestate" else OFF)
    elif verb == "screenshotpng":
        return refuse("VBoxManage: error: the stand-in for power has no screen")
    return 0


def runningvms(power: Power) -> int:
    for line in power.ask("list", "vms").splitlines():
        if power.state(line.rpartition("{")[2].rstrip("}")) == RUNNING:
            print(line)
    return 0


def showvminfo(power: Power, *words: str) -> int:
    done = power.real("showvminfo", *words)
    found = UUID.search(done.stdout)
    state = power.state(found[1]) if found else OFF
    sys.stdout.write(done.stdout.replace('VMState="poweroff"', f'VMState="{state}"'))
    sys.stderr.write(done.stderr)
    return done.returncode


def unregistervm(power: Power, machine: str, *words: str) -> int:
    uuid, info = power.info(machine)
    if power.state(uuid) == RUNNING:
        return refuse(f"VBoxManage: error: Cannot unregister the machine '{info['name']}' while it is locked", CODE)
    power.keep(uuid, OFF)
    done = power.real("unregistervm", machine, *words)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


def end_all(power: Power) -> int:
    """Take every guest down: the end of the world."""
    for path in power.run_folder.glob("*.state"):
        if path.read_text() == RUNNING:
            power.guest.end(path.stem)
        path.unlink(missing_ok=True)
    return 0


def end_process(pidfile: Path) -> None:
    """End a process and wait until it is gone."""
    try:
        pid = int(pidfile.read_text())
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + 10
        while alive(pid):
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        pass
    pidfile.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def running(pidfile: Path) -> bool:
    try:
        return alive(int(pidfile.read_text()))
    except (FileNotFoundError, ValueError):
        return False


def forwards(info: dict[str, str]) -> dict[int, int]:
    """Return guest's port -> this machine's, by the registry's NAT rules."""
    rules = [value.split(",") for key, value in info.items() if key.startswith("Forwarding(")]
    return {int(rule[5]): int(rule[3]) for rule in rules}


def seed(info: dict[str, str]) -> dict[str, str]:
    """Return what the volume in the machine's drive tells it, as plain values."""
    import pycdlib

    path = next((value for value in info.values() if value.endswith("seed.iso")), "")
    if not path:
        return {}
    volume = pycdlib.PyCdlib()
    volume.open(path)
    told = {}
    for entry in volume.list_children(joliet_path="/infratest"):
        name = entry.file_identifier().decode("utf-16-be")
        if entry.is_file():
            from io import BytesIO

            content = BytesIO()
            volume.get_file_from_iso_fp(content, joliet_path=f"/infratest/{name}")
            told[name] = content.getvalue().decode()
    volume.close()
    return told


def main(world: str, guest: str, verb: str, *words: str) -> int:
    power = Power(Path(world), guest)
    if verb == "list":
        return runningvms(power)
    verbs = {
        "startvm": lambda: startvm(power, words[0]),
        "controlvm": lambda: controlvm(power, *words),
        "showvminfo": lambda: showvminfo(power, *words),
        "unregistervm": lambda: unregistervm(power, *words),
        "end-all": lambda: end_all(power),
    }
    return verbs[verb]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
