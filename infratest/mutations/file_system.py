"""Faults of file systems: another one that is full, out of inodes, or read-only."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import Claim, Fault, ScriptAct

#: A file system in memory at a place of the fault's own, in which nothing has room.
LAID = """mkdir -- "$1"
mount -t tmpfs -o "size=1m,$2" infratest "$1"
"""
FULL = f'{LAID}head -c 2097152 /dev/zero >"$1/full" 2>/dev/null || :'
OUT = f"""{LAID}i=0
while [ $i -lt 10 ] && (: >"$1/$i") 2>/dev/null; do i=$((i + 1)); done"""
LIFTED = """if [ -e "$1" ]; then
  ! mountpoint -q -- "$1" || umount -- "$1"
  if [ -d "$1" ]; then rmdir -- "$1"; else rm -f -- "$1"; fi
fi"""
#: What a device has mounted already is mounted once more, and may only be read there: a directory, or one file.
READ_ONLY = """path=$(awk '$3 != "squashfs" && $3 != "iso9660" && $1 ~ "^/dev/" { print $2; exit }' /proc/self/mounts)
[ -n "$path" ] || { echo "nothing is mounted from a device" >&2; exit 1; }
if [ -d "$path" ]; then mkdir -- "$1"; else : >"$1"; fi
mount --bind -- "$path" "$1"
mount -o remount,bind,ro -- "$1\""""
LOW = ("less than", "at most", "between")


def used(claim: Claim) -> Act | str:
    """Mount one that is full."""
    if claim.bound is None or claim.bound.words not in LOW or claim.bound.top >= 100:
        return "what is in file systems cannot be taken away"
    return ScriptAct("a full file system of 1 MiB is mounted", FULL, LIFTED, ("mode=0700",))


def inodes(claim: Claim) -> Act | str:
    """Mount one that is out of inodes."""
    if claim.bound is None or claim.bound.words not in LOW or claim.bound.top >= 100:
        return "what is in file systems cannot be taken away"
    return ScriptAct("a file system without a free inode is mounted", OUT, LIFTED, ("nr_inodes=5",))


def read_only(claim: Claim) -> Act | str:
    """Mount one that may only be read."""
    if not claim.negated:
        return "what may only be read is left so"
    return ScriptAct("a disk is mounted once more, read-only", READ_ONLY, LIFTED, ())


FAULTS: dict[str, Fault] = {
    "FullestUsed": used,
    "FullestInodes": inodes,
    "DiskReadOnly": read_only,
}
