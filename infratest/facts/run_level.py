"""The fact `run-level`: in which run levels a service is started. Argument: the service's name.

Of SysV init the links `S..NAME` in /etc/rc0.d to rc6.d and rcS.d (init(8), insserv(8)), of OpenRC those in the folders
of /etc/runlevels (rc-update(8)). systemd has targets instead, and runit folders that its own command changes.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _init, _systemd
from infratest.facts._shell import lines
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

# The init system, then a line for each service: `there LEVEL ...` or `none`.
SNIPPET = r"""
case $system in
systemd)
  echo 'systemd has targets and no run levels: ask whether the service is enabled' >&2
  exit NO_TOOL ;;
OpenRC) folders=/etc/runlevels/* ;;
runit)
  echo 'the run levels of runit are not asked: ask whether the service is enabled' >&2
  exit NO_TOOL ;;
*) folders='/etc/rc[0-6S].d /etc/rc.d/rc[0-6S].d' ;;
esac
for folder in $folders; do
  if [ -d "$folder" ] && ! { [ -r "$folder" ] && [ -x "$folder" ]; }; then
    echo "$folder: permission denied" >&2
    exit 1
  fi
done
echo "$system"
for name; do
  levels=
  there=none
  [ ! -e "/etc/init.d/$name" ] || there=there
  for folder in $folders; do
    level=${folder##*/}
    case $system in
    OpenRC) set -- "$folder/$name" ;;
    *) level=${level#rc} level=${level%.d}
       set -- "$folder"/S[0-9][0-9]"$name" ;;
    esac
    for link; do [ ! -e "$link" ] || levels="$levels $level" there=there; done
  done
  echo "$there$levels"
done
""".replace("NO_TOOL", str(NO_TOOL))


class RunLevels(Record):
    """The run levels in which a service is started; `there`: whether there is such a service at all."""

    there: bool
    levels: tuple[str, ...] = ()
    system: str = _init.SYSV

    def in_words(self) -> str:
        if not self.there:
            return "no such service"
        return f"run levels {' '.join(self.levels)}" if self.levels else "no run level"


def service_name(name: str) -> str:
    """Return a service's plain name. Raises UserError."""
    return _systemd.unit_name(name).removesuffix(".service")


class RunLevelFact(LooksForEach):
    """Services and their run levels."""

    def snippet(self) -> str:
        return _init.SNIPPET + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (service_name(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        system, *rows = lines(self.readable(answer).out) or [""]
        parts = [row.split(" ") for row in rows]
        known = system in (_init.SYSV, _init.OPENRC)
        if not known or len(rows) != len(arguments) or any(part[0] not in ("there", "none") for part in parts):
            raise FactError(f"the answer about run levels is not understood: {cited(answer.out, 80)}")
        values = [RunLevels(mark == "there", tuple(sorted(dict.fromkeys(levels))), system) for mark, *levels in parts]
        return dict(zip(arguments, values, strict=True))
