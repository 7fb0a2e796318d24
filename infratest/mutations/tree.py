"""Faults of a directory with all in it: one more file, which belongs to another, or may be written by all."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import FREE, NOBODY, OTHER, REMOVED, TOO_MUCH, beside
from infratest.mutations.base import Claim, Fault, ScriptAct

#: $2: the new file, $3: its owner, $4: its mode.
ONE_MORE = f"""{FREE}
: >"$2"
chown -- "$3" "$2"
chmod -- "$4" "$2\""""
ALL_OF_IT = "how all in it would become so is not known"


def owner(claim: Claim) -> Act | str:
    """A file of another user in it."""
    if claim.negated:
        return ALL_OF_IT
    other = OTHER if {"nobody", NOBODY}.intersection(claim.check.owners) else NOBODY
    return _one_more(claim.check.path, other, "0600")


def mode(claim: Claim) -> Act | str:
    """A file in it with a bit that it may not have."""
    if claim.negated:
        return ALL_OF_IT
    bits = int(claim.check.mode, 8)
    more = next((bit for bit in TOO_MUCH if not bits & bit), 0)
    return _one_more(claim.check.path, "0", f"{bits | more:04o}") if more else "each mode is at most that"


def _one_more(path: str, owner: str, mode: str) -> Act:
    one = beside(f"{path.rstrip('/')}/fault")
    return ScriptAct(f"{path} holds a file of user {owner} with mode {mode}", ONE_MORE, REMOVED, (one, owner, mode))


FAULTS: dict[str, Fault] = {"TreeOwner": owner, "TreeMode": mode}
