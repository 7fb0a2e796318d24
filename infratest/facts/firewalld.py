"""The fact `firewalld`: whether firewalld filters packets, its default zone and its zones. It has no argument.

`firewall-cmd --state`, `--get-default-zone` and `--list-all-zones`, which print what filters now: firewall-cmd(1). Who
may not ask, as one who is not root where polkit says so, gets unknown.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, lines, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Whether it runs, by the first line.
RUNNING, STOPPED = "running", "not running"


class Zone(Record):
    """A zone. `ports`: as `443/tcp` or `8000-8100/udp`; rules: rich ones, as they are written."""

    name: str
    active: bool = False
    target: str = "default"
    interfaces: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    masquerade: bool = False

    def in_words(self) -> str:
        return f"{self.name}: {' '.join((*self.services, *self.ports)) or 'nothing'} let in"


class Firewalld(Record):
    """What firewalld does; of one that does not run, nothing else is known."""

    running: bool
    default: str = ""
    zones: tuple[Zone, ...] = ()

    def in_words(self) -> str:
        if not self.running:
            return "not running"
        active = [zone.name for zone in self.zones if zone.active]
        return f"running, default zone {self.default}, active zones {', '.join(active) or 'none'}"

    def zone(self, name: str) -> Zone | None:
        return next((zone for zone in self.zones if zone.name == name), None)


# The state, the default zone, then the zones; a dot ends the answer. 252 is the status of one that does not run.
SNIPPET = r"""
state=$(LC_ALL=C firewall-cmd --state 2>&1)
case $?,$state in
0,running) echo running ;;
252,*) echo 'not running'; echo .; exit 0 ;;
*) one_line "$state"; printf '%s\n' "$line" >&2; exit 1 ;;
esac
LC_ALL=C firewall-cmd --get-default-zone || exit 1
LC_ALL=C firewall-cmd --list-all-zones || exit 1
echo .
"""


class FirewalldFact(Fact):
    """What firewalld does."""

    unseen = "firewalld, written after firewall-cmd(1)"

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("firewall-cmd", "firewalld is not installed on this host") + ONE_LINE + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, *rows = lines(self.readable(answer).out) or [""]
        if not rows or rows.pop() != "." or first not in (RUNNING, STOPPED) or (first == STOPPED) != (not rows):
            raise FactError(f"firewalld answers what is not understood, or was cut off: {cited(answer.out, 80)}")
        if first == STOPPED:
            return dict.fromkeys(arguments, Firewalld(running=False))
        zones = tuple(_zones(rows[1:]))
        if rows[0] not in [zone.name for zone in zones]:
            raise FactError(f"firewalld has the default zone {cited(rows[0], 80)}, which is none of its zones")
        return dict.fromkeys(arguments, Firewalld(True, rows[0], zones))


def _zones(rows: Sequence[str]) -> list[Zone]:
    """Return zones: a line `public (active)`, then `  key: values`, and rich rules each in a line behind a tab."""
    zones: list[Zone] = []
    for row in rows:
        if not row.strip():
            continue
        if not row[0].isspace():
            name, _, mark = row.partition(" (")
            zones.append(Zone(name, active="active" in mark))
            continue
        if not zones:
            raise FactError(f"firewalld lists {cited(row, 80)} in no zone")
        zones[-1] = _with(zones[-1], row)
    return zones


def _with(zone: Zone, row: str) -> Zone:
    """Return a zone with what one line of it says."""
    text = row.strip()
    if text.startswith("rule "):
        return zone.changed(rules=(*zone.rules, text))
    key, colon, rest = text.partition(":")
    if not colon:
        raise FactError(f"firewalld lists {cited(row, 80)}, which is not understood")
    words = tuple(rest.split())
    if key in ("interfaces", "sources", "services", "ports"):
        return zone.changed(**{key: words})
    if key == "target":
        return zone.changed(target=rest.strip())
    return zone.changed(masquerade=words == ("yes",)) if key == "masquerade" else zone
