"""What makes a virtual machine fast on this machine, found by trying: its device may be there and not work.

Called by the providers whose machines run under QEMU.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.local_program import call

#: By system; `tcg` computes each instruction, and is there always.
ACCELERATORS = {"linux": "kvm", "darwin": "hvf"}
TCG = "tcg"

#: What a processor of this kind calls its virtualisation in /proc/cpuinfo: Intel's and AMD's (proc(5)).
IN_HARDWARE = {"x86_64": ("vmx", "svm")}

START = 60.0  # seconds for QEMU to begin


def working(program: str, machine: str, deadline: Deadline) -> tuple[str, str]:
    """Return the accelerator that works, and why the fast one does not.

    Args:
        program: QEMU's for this machine's processor. machine: as QEMU calls it, such as q35.
    """
    fast = ACCELERATORS.get(sys.platform, "")
    if not fast:
        return TCG, f"none is known for {sys.platform}"
    if fast == "kvm" and not in_hardware(platform.machine(), _processor()):
        # Where one virtual machine in another is made by software (pvm), QEMU begins, and a kernel stands still.
        flags = " nor ".join(IN_HARDWARE[platform.machine()])
        return TCG, f"the processor has neither {flags}: a KVM without them does not boot every kernel"
    words = [program, "-nodefaults", "-no-user-config", "-M", machine, "-accel", fast, "-cpu", "host", "-m", "32"]
    words += ["-S", "-display", "none", "-qmp", "stdio"]
    asked = b'{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n'
    status, _, err = call(words, deadline.at_most(START), asked)
    if status == 0:
        return fast, ""
    return TCG, clean(err.strip().splitlines()[0] if err.strip() else f"{fast}: exit {status}", 200)


def in_hardware(machine: str, processor: str) -> bool:
    """Return whether a processor virtualises by itself, as far as it tells.

    Args:
        machine: as `uname -m` calls it. processor: what /proc/cpuinfo says.
    """
    flags = {flag for line in processor.splitlines() if line.startswith("flags") for flag in line.split()}
    return machine not in IN_HARDWARE or not flags or not flags.isdisjoint(IN_HARDWARE[machine])


def _processor() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
