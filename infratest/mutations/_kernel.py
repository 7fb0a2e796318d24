"""Faults of what the kernel tells: another text laid over one of its files, since what it counts cannot be made so."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct

#: $2: the kernel's file, $3: the text. A mount is this host's own, also where the kernel is not.
LAID = 'printf "%s\\n" "$3" >"$1"\nmount --bind -- "$1" "$2"'
LIFTED = '[ ! -e "$1" ] || { ! mountpoint -q -- "$2" || umount -- "$2"; rm -f -- "$1"; }'


def told(path: str, text: str) -> Act:
    """Return what has a file of the kernel's tell something else; the kernel itself is left as it is."""
    return ScriptAct(f"{path} tells {text!r}", LAID, LIFTED, (path, text))
