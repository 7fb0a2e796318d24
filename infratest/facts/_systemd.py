"""What a systemd unit may be called, and whether systemd is the init system of a host.

For the facts about systemd, and for whatever names a unit: sentences, acts and remedies.
"""

from __future__ import annotations

import os

from infratest.cleaning import cited
from infratest.errors import UserError
from infratest.facts import _machine
from infratest.facts.base import NO_TOOL, Argument

#: systemd.unit(5): the kinds of units, and the characters a name may have. Anything else systemctl takes as a pattern
#: or rewrites, and the answers could not be told apart.
UNIT_SUFFIXES = (
    ".service", ".socket", ".timer", ".mount", ".target", ".path", ".slice", ".scope", ".device", ".swap", ".automount",
)  # fmt: skip
_UNIT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.\\@-")
#: UNIT_NAME_MAX of systemd, less the NUL at its end.
_UNIT_LENGTH = 255

BOOTED = "/run/systemd/system"  # is there just where systemd is the init system: sd_booted(3)

#: What stands for the state of a unit without a file of its own: made while the system runs, or by a generator.
NO_FILE = "transient"

WORDS = "this is known on systemd alone, and process 1 of this host is"

#: What a snippet about units begins with: it gives up without systemd.
SNIPPET = (
    r"""
if ! [ -d BOOTED ] || ! command -v systemctl >/dev/null 2>&1; then
  init=
  read -r init </proc/1/comm
  [ -d /run/openrc ] && init="$init (OpenRC)"
  echo "WORDS ${init:-unknown}" >&2
  exit NO_TOOL
fi
""".replace("NO_TOOL", str(NO_TOOL))
    .replace("WORDS", WORDS)
    .replace("BOOTED", BOOTED)
)


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
            f"{cited(name, 80)} is not the name of a unit: it has something before its suffix and before an @, and "
            f"{_UNIT_LENGTH} characters at most"
        )
    if before.find("@") == len(before) - 1 and not template:
        raise UserError(f"{name!r} is a template, which is never run itself: name an instance of it, as {before}1")
    return full


def full_name(argument: Argument) -> str:
    """Return the full name of the unit that is asked for; it may be a template's."""
    return unit_name(argument[0], template=True)


def bus_is_near() -> bool:
    """Whether the bus of the systemd that runs this machine may be asked instead of systemctl."""
    return "DBUS_SYSTEM_BUS_ADDRESS" not in os.environ and _machine.on_path("systemctl")
