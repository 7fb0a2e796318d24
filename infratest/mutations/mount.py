"""Faults of mounts: taken away, or another one laid over."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._mount import LIFTED
from infratest.mutations.base import Claim, Fault, ScriptAct

#: $2: the path. What is mounted there is moved aside whole, so that it is the same one afterwards.
AWAY = 'mkdir -- "$1"\nmount --make-private -- "$2" 2>/dev/null || :\nmount --move -- "$2" "$1"'
BACK = """if [ -d "$1" ]; then
  ! mountpoint -q -- "$1" || mount --move -- "$1" "$2"
  rmdir -- "$1"
fi"""
#: $2: the path, $3: the type of a file system that needs no device.
LAID = ': >"$1"\nmount -t "$3" infratest "$2"'


def presence(claim: Claim) -> Act | str:
    """Take it away, or mount something."""
    if claim.negated:
        return laid(claim.check.path, "tmpfs")
    return ScriptAct(f"{claim.check.path} is unmounted", AWAY, BACK, (claim.check.path,))


def kind(claim: Claim) -> Act | str:
    """Mount something of another type over it."""
    if claim.negated:
        return "which device has a file system of that type is not known"
    return laid(claim.check.path, "ramfs" if claim.check.type == "tmpfs" else "tmpfs")


def laid(path: str, kind: str) -> Act | str:
    """Return what mounts an empty file system over a path."""
    if path in ("/", "/proc", "/dev"):
        return "the host would not outlive it"
    return ScriptAct(f"a {kind} is laid over {path}", LAID, LIFTED, (path, kind))


def device(claim: Claim) -> Act | str:
    """Mount something from elsewhere over it."""
    return "what it comes from cannot be mounted twice" if claim.negated else laid(claim.check.path, "tmpfs")


#: $2: the path, $3: the option, $4: the one that undoes it.
REMOUNTED = ': >"$1"\nmount -o "remount,$3" -- "$2"'
AS_BEFORE = '[ ! -e "$1" ] || { mount -o "remount,$4" -- "$2"; rm -f -- "$1"; }'
OPPOSITES = {"noexec": "exec", "nosuid": "suid", "nodev": "dev", "ro": "rw", "rw": "ro"}


def option(claim: Claim) -> Act | str:
    """Mount it anew with the opposite."""
    other = (OPPOSITES | {value: key for key, value in OPPOSITES.items()}).get(claim.check.option)
    if other is None:
        return f"which option is the opposite of {claim.check.option} is not known"
    then, back = (claim.check.option, other) if claim.negated else (other, claim.check.option)
    words = f"{claim.check.path} is mounted with {then}"
    return ScriptAct(words, REMOUNTED, AS_BEFORE, (claim.check.path, then, back))


FAULTS: dict[str, Fault] = {
    "MountExists": presence,
    "MountType": kind,
    "MountDevice": device,
    "MountOption": option,
}
