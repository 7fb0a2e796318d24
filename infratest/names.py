"""Names of things on a host, as features write them, checked before anything is asked.

Called by checks when they are made (so that lint sees a bad one) and by facts where a tool would take more than names.
"""

from __future__ import annotations

from infratest.errors import UserError

#: systemd.unit(5): the kinds of units, and the characters a name may have. Anything else systemctl takes as a pattern
#: or rewrites, and the answers could not be told apart.
UNIT_SUFFIXES = (
    ".service", ".socket", ".timer", ".mount", ".target", ".path", ".slice", ".scope", ".device", ".swap", ".automount",
)  # fmt: skip
_ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_UNIT = frozenset(_ALPHANUMERIC + ":_.\\@-")
#: UNIT_NAME_MAX of systemd, less the NUL at its end.
_UNIT_LENGTH = 255
#: What dpkg, rpm, apk and pacman allow between them; dpkg's `name:architecture` included, its patterns not.
_PACKAGE = frozenset(_ALPHANUMERIC + "+-._:@~^")


def unit_name(name: str, suffix: str = ".service", template: bool = False) -> str:
    """Return the full name of a systemd unit, with this suffix where it has none.

    Args:
        template: whether it may be the name of a template, which has a file and is never run itself.
    Raises:
        UserError: no unit can have that name: systemd would refuse it, take it for a pattern or rewrite it.
    """
    if not name or not set(name) <= _UNIT or name.startswith("-"):
        raise UserError(f"{name!r} is not the name of a unit: letters, digits and : _ . @ - \\ are allowed")
    full = name if name.endswith(UNIT_SUFFIXES) else name + suffix
    before = full.rpartition(".")[0]
    if not before or before.startswith("@") or len(full) > _UNIT_LENGTH:
        raise UserError(
            f"{name[:80]!r} is not the name of a unit: it has something before its suffix and before an @, and "
            f"{_UNIT_LENGTH} characters at most"
        )
    if before.find("@") == len(before) - 1 and not template:
        raise UserError(f"{name!r} is a template, which is never run itself: name an instance of it, as {before}1")
    return full


def process_name(name: str) -> str:
    """Return the name of a process as it is.

    Raises:
        UserError: no process can have that name.
    """
    if not name or "\0" in name:
        raise UserError(f"the process {name!r}: a process has a name, without a NUL")
    return name


def package_name(name: str) -> str:
    """Return the name of a package as it is.

    Raises:
        UserError: no package can have that name.
    """
    if not name or not set(name) <= _PACKAGE or not name[0].isalnum():
        raise UserError(f"{name!r} is not the name of a package: letters, digits and + - . _ : @ ~ ^ are allowed")
    return name


def absolute(path: str) -> str:
    """Return an absolute path as it is, but for slashes at its end.

    Raises:
        UserError: it does not begin with a slash, or holds a NUL.
    """
    if not path.startswith("/") or "\0" in path:
        raise UserError(f"{path!r} is not an absolute path: it must begin with /")
    return path.rstrip("/") or "/"
