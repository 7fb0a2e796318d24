"""The fact `unit-list`: the units that a host could run, whether each is started at boot, and whether it runs now.

It has no argument. Of systemd services, sockets, timers and paths, as `systemctl list-unit-files` and `systemctl
list-units` list them (systemctl(1)); of OpenRC, SysV init and runit the services, by the folders that hold them, and of
these it is not told which run: to say that, each one's own script would have to be started. Asked by `coverage`.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _init
from infratest.facts._shell import lines, number
from infratest.facts._systemd import NO_FILE
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# Lines: `system WORDS`, `file UNIT STATE` for each that has a file, `unit UNIT SUB` for each that is loaded, `count N`.
# Scripts of System V that are no service are the distribution's own: of Debian's sysv-rc and Red Hat's initscripts.
SNIPPET = r"""
printf 'system %s\n' "$system"
if [ "$system" = systemd ]; then
  kinds=service,socket,timer,path
  files=$(systemctl list-unit-files --type=$kinds --no-legend --no-pager --full) || exit 1
  units=$(systemctl list-units --type=$kinds --all --plain --no-legend --no-pager --full) || exit 1
else
  files= units=
  for entry in /etc/init.d/* /etc/sv/* /etc/service/* /var/service/* /service/*; do
    case $system,$entry in
    runit,/etc/init.d/*) continue ;;
    OpenRC,/etc/sv/* | OpenRC,*/service/* | 'SysV init',/etc/sv/* | 'SysV init',*/service/*) continue ;;
    esac
    case ${entry##*/} in *[' .']* | README | functions | skeleton | rc | rcS | halt | reboot | single) continue ;; esac
    [ -d "$entry" ] || [ -x "$entry" ] || continue
    boots "${entry##*/}"
    [ -z "$boot" ] || files="$files${entry##*/}.service $boot
"
  done
fi
count=0
while read -r unit state rest; do
  [ -n "$unit" ] || continue
  count=$((count + 1))
  printf 'file %s %s\n' "$unit" "$state"
done <<END
$files
END
while read -r unit load active sub rest; do
  [ -n "$unit" ] || continue
  count=$((count + 1))
  printf 'unit %s %s\n' "$unit" "$sub"
done <<END
$units
END
echo "count $count"
"""


class ListedUnit(Record):
    """A unit by its full name.

    Args:
        state: what its file says of the next boot, in systemctl's word; NO_FILE without one. sub: what it does now, in
        systemd's word (`running`, `dead`, `waiting`); empty where it is not loaded, or where that is not told.
    """

    name: str
    state: str
    sub: str = ""


class UnitList(Record):
    """All units of a host, by name, and its init system."""

    system: str
    units: tuple[ListedUnit, ...]

    def in_words(self) -> str:
        running = sum(one.sub == "running" for one in self.units)
        return f"{len(self.units)} units of {self.system}, {running} of them running"


class UnitListFact(Fact):
    """Units, listed."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return _init.SNIPPET + _init.OTHERS + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        begun = bool(rows) and rows[0].startswith("system ")
        if not begun or not rows[-1].startswith("count ") or len(rows) < 2:
            raise FactError(f"the answer about all units is not understood: {cited(answer.out, 80)}")
        if number(rows[-1][6:], "the count of units") != len(rows) - 2:
            raise FactError(f"systemctl listed {rows[-1][6:]} units, and {len(rows) - 2} arrived")
        states: dict[str, str] = {}
        subs: dict[str, str] = {}
        for row in rows[1:-1]:
            mark, name, word = [*row.split(" "), "", ""][:3]
            if mark not in ("file", "unit") or not name or not word:
                raise FactError(f"the answer about all units is not understood: {cited(row, 80)}")
            (states if mark == "file" else subs)[name] = word
        names = sorted({*states, *subs})
        units = tuple([ListedUnit(name, states.get(name, NO_FILE), subs.get(name, "")) for name in names])
        return dict.fromkeys(arguments, UnitList(rows[0][7:], units))
