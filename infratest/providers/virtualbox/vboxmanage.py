"""VBoxManage: the one place that runs it, and that knows what its refusals mean. Called by the VirtualBox provider.

Argument lists alone, a deadline for every call, and an error of ours that holds its own words and what to do. An answer
with `error:` on stderr is a refusal though its status is 0; what a distribution's wrapper writes before an answer (a
warning that the driver is missing) is left to the readers in `answers.py`, which take only lines that they know.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import NotInstalled, ProviderError
from infratest.local_program import call, shown

PROGRAMS = ("VBoxManage", "vboxmanage")
DRIVER = Path("/dev/vboxdrv")

#: Of a call that meets VirtualBox's service just when it ends or begins: nothing was done, and it can be asked again.
AGAIN = "Failed to create the VirtualBox object"
#: Of a list that met a machine or disk which another call was just removing.
GOING = re.compile(r"The object is not ready|VBOX_E_OBJECT_NOT_FOUND|VERR_FILE_NOT_FOUND")
TRIES, PAUSE = 8, 0.25  # seconds

#: Seconds that a machine's session may take to be free again after the last change.
LOCKED_FOR = 20.0

GONE, NO_FILE, LOCKED, OFF, EXISTS, IN_USE, BRANCHED, FULL, POWER, OTHER = (
    "gone", "no file", "locked", "off", "exists", "in use", "branched", "disk full", "no power", "other",
)  # fmt: skip

#: What a refusal's text holds -> its kind, and what to do about it. The first that fits counts.
REFUSALS: tuple[tuple[str, str, str], ...] = (
    (r"VERR_VMX_NO_VMX|VERR_SVM_NO_SVM|VERR_NEM_NOT_AVAILABLE|VERR_SVM_DISABLED|VERR_VMX_MSR\w*DISABLED", POWER,
     "this machine's virtualisation is off or not there: switch VT-x or AMD-V on in its firmware, or give the virtual "
     "machine that this is nested virtualisation"),
    (r"VERR_VMX_IN_VMX_ROOT_MODE|VERR_SVM_IN_USE", POWER,
     "another hypervisor holds the processor's virtualisation: end its machines, and unload kvm_intel or kvm_amd"),
    (r"Kernel driver not installed|VERR_VM_DRIVER|/dev/vboxdrv|rc=-1908|suplibOsInit", POWER, "{driver}"),
    (r"vboxnetctl|VBoxNetAdpCtl", POWER,
     "host-only networks need the driver vboxnetadp (as root: modprobe vboxnetadp); the network between the hosts of a "
     "stack needs none"),
    (r"has terminated unexpectedly during startup|The VM session was (aborted|closed)", POWER, "{driver}"),
    (r"VERR_DISK_FULL|No space left on device|VERR_FILE_TOO_BIG", FULL,
     "the disk is full: free some space, or have VirtualBox keep its machines elsewhere "
     "(VBoxManage setproperty machinefolder FOLDER)"),
    (r"while it is locked|already locked|is locked for|being unlocked|VBOX_E_INVALID_SESSION_STATE", LOCKED,
     "another program works on this machine: close it in VirtualBox's window, or wait until that is done"),
    (r"cannot be deleted, because it (is the current snapshot and )?has", BRANCHED, ""),
    (r"VBOX_E_OBJECT_IN_USE|has \d+ child media|VERR_SHARING_VIOLATION", IN_USE,
     "other machines stand on its disks: remove these first"),
    (r"is not currently running", OFF, ""),
    (r"Could not find a registered machine", GONE, ""),
    (r"Could not find file for the medium|VERR_FILE_NOT_FOUND|VERR_PATH_NOT_FOUND|VBOX_E_OBJECT_NOT_FOUND",
     NO_FILE, ""),
    (r"already exists|VERR_ALREADY_EXISTS", EXISTS,
     "it is there already, perhaps from a run that was killed: `infratest reap` removes what is ours"),
    (r"VERR_ACCESS_DENIED|Permission denied", OTHER,
     "it may not read or write there: see who owns the file, and whether you are in the group vboxusers"),
    (r"VERR_NO_MEMORY|VERR_EM_NO_MEMORY|Out of memory", OTHER, "give the hosts less memory, or bring up fewer at once"),
    (r"VERR_NOT_SUPPORTED|VERR_VD_\w+|unsupported", OTHER,
     "the file may be damaged, or of a kind that it does not know"),
    (r"(?m)^Usage -|[Uu]nknown option|Invalid parameter|Invalid command", OTHER,
     "this version does not take that: it may be older than 6.1, or what stands in `customize:` is not for it"),
)  # fmt: skip

#: Lines of its answers that say nothing to a user.
NOISE = re.compile(
    r"^(0%\.\.\.|Oracle VirtualBox Command|Copyright|VBoxManage: error: (Details|Context):|Waiting for VM)"
)


class Refused(ProviderError):
    """VBoxManage did not do it. `kind`: one of the words above."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class VBoxManage:
    """The program on this machine. `program`: its path."""

    program: str

    def run(self, arguments: Sequence[str], deadline: Deadline) -> str:
        """Run a verb and return its standard output.

        Raises:
            Refused: it could not be done: what was asked, its own words, what to do. ProviderError: not in time.
        """
        for attempt in range(TRIES):
            status, out, err = call([self.program, *arguments], deadline)
            failed = status != 0 or "error:" in err
            if not failed:
                return out
            again = AGAIN in err or (arguments[0] == "list" and GOING.search(err))
            if not again or attempt == TRIES - 1 or deadline.left <= PAUSE:
                break
            time.sleep(PAUSE)
        raise refusal(arguments, status, f"{err}\n{out}")

    def unless(self, kinds: Sequence[str], arguments: Sequence[str], deadline: Deadline) -> bool:
        """Run a verb; return False where it was refused for one of these kinds: what it is to bring about is so."""
        try:
            self.run(arguments, deadline)
        except Refused as error:
            if error.kind not in kinds:
                raise
            return False
        return True

    def patiently(self, work: Callable[[], object], deadline: Deadline) -> None:
        """Do some work, again and again while the machine is locked: its last session may take a moment to end."""
        limit = deadline.at_most(LOCKED_FOR)
        while True:
            try:
                work()
                return
            except Refused as error:
                if error.kind != LOCKED or limit.left <= PAUSE:
                    raise
            time.sleep(PAUSE)


def home() -> Path:
    """Return the folder of this user's registry of machines. (VirtualBox's Main/glue/initterm.cpp)"""
    if given := os.environ.get("VBOX_USER_HOME"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "VirtualBox"
    former = Path.home() / ".VirtualBox"
    present = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "VirtualBox"
    return former if former.is_dir() and not present.is_dir() else present


def find() -> VBoxManage:
    """Return the program in PATH.

    Raises:
        NotInstalled: there is none.
    """
    for name in PROGRAMS:
        path = shutil.which(name)
        if path:
            return VBoxManage(path)
    raise NotInstalled(
        "no VBoxManage in PATH; install VirtualBox (Debian: contrib of its unstable release, or the packages of "
        "virtualbox.org) and add yourself to the group vboxusers"
    )


def refusal(arguments: Sequence[str], status: int, answer: str) -> Refused:
    """Return the error of a call that failed, by what it answered."""
    kind, advice = OTHER, ""
    for pattern, of, what in REFUSALS:
        if re.search(pattern, answer):
            kind, advice = of, what.format(driver=driver_advice())
            break
    said = f"VBoxManage could not do `{shown(arguments)}`: {words(answer) or f'exit {status}'}"
    return Refused(f"{said}; {advice}" if advice else said, kind)


def words(answer: str) -> str:
    """Return VirtualBox's own words of an answer: without progress, addresses in its source and its prefix."""
    lines = [line.strip() for line in answer.splitlines()]
    errors = [line for line in lines if "error:" in line] or lines
    kept = [line.replace("VBoxManage: error: ", "") for line in errors if line and not NOISE.match(line)]
    return clean(" ".join(kept[:4]), 600)


def driver_advice() -> str:
    """Return what to do where a machine did not start at all."""
    if sys.platform == "linux" and not DRIVER.exists():
        return (
            f"VirtualBox's kernel driver is not loaded here ({DRIVER} is missing): as root `modprobe vboxdrv`; where "
            "there is no such module, install virtualbox-dkms and the kernel's headers, or `/sbin/vboxconfig`"
        )
    return "its log, VBox.log in the machine's folder, may say why; `infratest doctor` looks at driver and processor"
