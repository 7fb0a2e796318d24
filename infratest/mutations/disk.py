"""Faults of the room on a disk: filled, or a small full file system laid over the path."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.acts.disk import FillAct
from infratest.mutations._mount import LIFTED
from infratest.mutations.base import Claim, Fault, ScriptAct

#: $2: the path.
LAID = """: >"$1"
mount -t tmpfs -o size=1m,mode=1777 infratest "$2"
head -c 2097152 /dev/zero >"$2/.infratest" 2>/dev/null || :"""


def used(claim: Claim) -> Act | str:
    """Fill it."""
    if claim.bound is None or claim.bound.words not in ("less than", "at most", "between"):
        return "what is on a disk cannot be taken away"
    path = claim.check.path.rstrip("/") or "/"
    percent = int(min(100, claim.bound.top + 2))
    if path == "/":
        return FillAct(path, percent)
    return ScriptAct(f"a full file system of 1 MiB is laid over {path}", LAID, LIFTED, (path,))


FAULTS: dict[str, Fault] = {"DiskUsed": used}
