"""Whether sshd opens a file of keys, by its mode and those of its folders up to the home. For `authorized-keys`.

A mode is a row `UID:MODE:KIND PATH`, MODE in octal as `stat -c %a`; `own ` stands before it where the group is the
user's own, and sshd lets it write. The first is the file's.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def readable(uid: str, modes: Sequence[str]) -> bool:
    """Whether a file's mode and those of its folders let the user read it, whose groups are not looked at."""
    for at, row in enumerate(modes):
        _, owner, bits, _, _ = _parted(row)
        need = 4 if at == 0 else 1
        if uid != "0" and not (bits >> 6 if owner == uid else bits) & need:
            return False
    return True


def unsafe(uid: str, modes: Sequence[str]) -> str:
    """Return why sshd does not read a file whose own mode and those of its folders are so: safe_path of OpenSSH."""
    if not modes:
        raise FactError("the answer about a user's keys is not understood: a file has no mode")
    for at, row in enumerate(modes):
        own, owner, bits, kind, path = _parted(row)
        if at == 0 and not kind.startswith("regular"):
            return f"it is a {kind}"
        if owner not in ("0", uid):
            return f"{path} belongs to uid {owner}"
        if bits & (0o002 if own else 0o022):
            return f"others may write {path}: mode {bits:04o}"
    return ""


def _parted(row: str) -> tuple[bool, str, int, str, str]:
    """Return of a row whether the group is the user's own, the owner, the mode, the kind and the path."""
    status, _, path = row.removeprefix("own ").partition(" /")
    owner, _, rest = status.partition(":")
    mode, _, kind = rest.partition(":")
    try:
        bits = int(mode, 8)
    except ValueError:
        raise FactError(f"the answer about a user's keys is not understood: {cited(row, 80)}") from None
    return row.startswith("own "), owner, bits, kind, f"/{unescaped(path)}"
