"""What makes a virtual machine fast on this machine, found by trying: its device may be there and not work.

Called by the providers whose machines run under QEMU.
"""

from __future__ import annotations

import sys

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.local_program import call

#: By system; `tcg` computes each instruction, and is there always.
ACCELERATORS = {"linux": "kvm", "darwin": "hvf"}
TCG = "tcg"

START = 60.0  # seconds for QEMU to begin


def working(program: str, machine: str, deadline: Deadline) -> tuple[str, str]:
    """Return the accelerator that works, and why the fast one does not.

    Args:
        program: QEMU's for this machine's processor. machine: as QEMU calls it, such as q35.
    """
    fast = ACCELERATORS.get(sys.platform, "")
    if not fast:
        return TCG, f"none is known for {sys.platform}"
    words = [program, "-nodefaults", "-no-user-config", "-M", machine, "-accel", fast, "-cpu", "host", "-m", "32"]
    words += ["-S", "-display", "none", "-qmp", "stdio"]
    asked = b'{"execute":"qmp_capabilities"}\n{"execute":"quit"}\n'
    status, _, err = call(words, deadline.at_most(START), asked)
    if status == 0:
        return fast, ""
    return TCG, clean(err.strip().splitlines()[0] if err.strip() else f"{fast}: exit {status}", 200)
