"""Whether systemd is the init system of a host, asked by a snippet or here. For `service` and `unit-file`."""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts.base import NO_TOOL, Argument
from infratest.names import unit_name

BOOTED = "/run/systemd/system"  # is there just where systemd is the init system: sd_booted(3)

WORDS = "services are known on systemd alone, and process 1 of this host is"

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


def full_name(argument: Argument) -> str:
    """Return the full name of the unit that is asked for; it may be a template's."""
    return unit_name(argument[0], template=True)


def bus_is_near() -> bool:
    """Whether systemd runs this machine and its bus may be asked instead of systemctl.

    Raises:
        FactError: systemd does not run this machine.
    """
    if not os.path.isdir(BOOTED):
        raise FactError(_no_systemd())
    return "DBUS_SYSTEM_BUS_ADDRESS" not in os.environ and _machine.on_path("systemctl")


def _no_systemd() -> str:
    try:
        init = decoded(_machine.whole("/proc/1/comm")).strip()
    except OSError:
        init = ""
    if os.path.isdir("/run/openrc"):
        init = f"{init} (OpenRC)"
    return f"{WORDS} {init or 'unknown'}"
