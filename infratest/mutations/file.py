"""Faults of files, directories and links: put aside, given to others, with other bits, sizes and times."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.acts.mode import ModeAct
from infratest.mutations._path import (
    AWAY,
    BACK,
    NOBODY,
    OTHER,
    TOO_MUCH,
    away,
    beside,
    linked,
    made,
    owned,
)
from infratest.mutations.base import Claim, Fault, ScriptAct, outside

TIME = 'touch -r "$2" -- "$1"'
TIME_BACK = '[ ! -e "$1" ] || { touch -r "$1" -- "$2"; rm -f -- "$1"; }'


def presence(claim: Claim) -> Act | str:
    """Put it aside, or make it where nothing is."""
    check = claim.check
    return made(check.path, check.noun == "directory") if claim.negated else away(check.path)


def owner(claim: Claim) -> Act | str:
    """Give it to another user."""
    names = claim.check.owners
    other = OTHER if {"nobody", NOBODY}.intersection(names) else NOBODY
    return owned(claim.check.path, names[0] if claim.negated else other)


def group(claim: Claim) -> Act | str:
    """Give it to another group."""
    names = claim.check.groups
    other = OTHER if {"nogroup", "nobody", NOBODY}.intersection(names) else NOBODY
    return owned(claim.check.path, f":{names[0] if claim.negated else other}")


def mode(claim: Claim) -> Act | str:
    """Let everybody write where nobody may, and nobody else where everybody may."""
    first, *more = [int(mode, 8) for mode in claim.check.modes]
    other = next((first ^ bit for bit in TOO_MUCH if first ^ bit not in more), None)
    if other is None:
        return "which other bits it could have is not known"
    return ModeAct(claim.check.path, f"{first if claim.negated else other:04o}")


def mode_at_most(claim: Claim) -> Act | str:
    """Give it a bit that it may not have."""
    bits = int(claim.check.mode, 8)
    if claim.negated:
        return ModeAct(claim.check.path, f"{bits:04o}")
    more = next((bit for bit in TOO_MUCH if not bits & bit), 0)
    return ModeAct(claim.check.path, f"{bits | more:04o}") if more else "each mode is at most that"


def size(claim: Claim) -> Act | str:
    """Make it longer, or shorter, than it may be."""
    number = outside(claim.bound) if claim.bound else None
    if number is None:
        return "each size is in the bound"
    path, words = claim.check.path, f"{claim.check.path} is made {number:.0f} bytes long"
    # Another file in its place: one that is made longer than the disk is large holds nothing.
    change = f'{AWAY}\ncp -p -- "$3" "$2"\ntruncate -s "$4" -- "$2"'
    return ScriptAct(words, change, BACK, (path, beside(path), f"{number:.0f}"))


def age(claim: Claim) -> Act | str:
    """Give it a time that is too long ago, or not long enough."""
    number = outside(claim.bound) if claim.bound else None
    if number is None:
        return "each time is in the bound"
    change = f': >"$1"\n{TIME}\ntouch -d "@$(($(date +%s) - $3))" -- "$2"'
    words = f"{claim.check.path} is dated {number:.0f} s ago"
    return ScriptAct(words, change, TIME_BACK, (claim.check.path, f"{number:.0f}"))


def link(claim: Claim) -> Act | str:
    """Put the link aside, or make one."""
    return linked(claim.check.path, "/nonexistent") if claim.negated else away(claim.check.path)


def link_target(claim: Claim) -> Act | str:
    """Have the link point elsewhere."""
    return linked(claim.check.path, claim.check.target if claim.negated else "/nonexistent")


FAULTS: dict[str, Fault] = {
    "FileExists": presence,
    "FileOwner": owner,
    "FileGroup": group,
    "FileMode": mode,
    "FileModeAtMost": mode_at_most,
    "FileSize": size,
    "FileAge": age,
    "LinkExists": link,
    "LinkTo": link_target,
}
