"""The fact `service`: the state of systemd units. Argument: a unit's name; without a suffix, `.service` is meant.

One `systemctl show` for all units; on this machine what it asks, over the system bus. On a host that systemd did not
boot, it says which init system is there instead. A System V script has no unit file: whether a runlevel starts it is
seen in its links under /etc/rc?.d.
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import FactError
from infratest.facts import _machine, _system_bus
from infratest.facts._shell import lines
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksHere
from infratest.found import Unit
from infratest.names import unit_name
from infratest.quoting import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# /run/systemd/system exists just where systemd is the init system: sd_booted(3).
SNIPPET = r"""
if ! [ -d /run/systemd/system ] || ! command -v systemctl >/dev/null 2>&1; then
  init=
  read -r init </proc/1/comm
  [ -d /run/openrc ] && init="$init (OpenRC)"
  echo "services are known on systemd alone, and process 1 of this host is ${init:-unknown}" >&2
  exit NO_TOOL
fi
for unit; do
  linked=no
  for link in /etc/rc[2-5S].d/S[0-9][0-9]"${unit%.service}"; do
    [ -e "$link" ] && linked=yes
  done
  echo "$linked"
done
systemctl show --no-pager -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -- "$@"
""".replace("NO_TOOL", str(NO_TOOL))


class ServiceFact(LooksHere):
    """Units of systemd."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return f"set -- {' '.join(quoted(unit_name(argument[0])) for argument in arguments)}\n{SNIPPET}"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        linked, shown = rows[: len(arguments)], rows[len(arguments) :]
        blocks: list[dict[str, str]] = [{}]
        for row in shown:
            key, _, value = row.partition("=")
            if row == "":
                blocks.append({})
            else:
                blocks[-1][key] = value
        if len(blocks) != len(arguments):
            raise FactError(f"systemctl was asked for {len(arguments)} units and showed {len(blocks)}")
        return {
            argument: _unit(block, links == "yes")
            for argument, block, links in zip(arguments, blocks, linked, strict=True)
        }

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not os.path.isdir("/run/systemd/system"):
            raise FactError(_no_systemd())
        if "DBUS_SYSTEM_BUS_ADDRESS" in os.environ or not _machine.on_path("systemctl"):
            return None
        try:
            return dict(zip(arguments, units_of([unit_name(argument[0]) for argument in arguments]), strict=True))
        except OSError:
            return None


def units_of(names: Sequence[str], root: str = "") -> list[Unit]:
    """Return the units of the systemd whose files are under `root`.

    Raises:
        OSError: the system bus does not answer for all of them.
    """
    started = {
        link[3:]
        for level in "2345S"
        for link in _machine.listed(f"{root}/etc/rc{level}.d")
        if link[:1] == "S" and link[1:3].isdigit() and os.path.exists(f"{root}/etc/rc{level}.d/{link}")
    }
    shown = _system_bus.units(names, root + _system_bus.ADDRESS)
    return [_unit(block, name.removesuffix(".service") in started) for name, block in zip(names, shown, strict=True)]


def _no_systemd() -> str:
    try:
        init = decoded(_machine.whole("/proc/1/comm")).strip()
    except OSError:
        init = ""
    if os.path.isdir("/run/openrc"):
        init = f"{init} (OpenRC)"
    return f"services are known on systemd alone, and process 1 of this host is {init or 'unknown'}"


def _unit(block: Mapping[str, str], boot_links: bool) -> Unit:
    try:
        return Unit(
            id=block["Id"],
            load=block["LoadState"],
            active=block["ActiveState"],
            sub=block["SubState"],
            file=block.get("UnitFileState", ""),
            boot_links=boot_links,
        )
    except KeyError as error:
        raise FactError(f"systemctl did not show {error.args[0]}: {block}") from None
