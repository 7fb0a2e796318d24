"""The fact `timer`: when a systemd timer ran, when it will, how its last run ended. Argument: the timer's full name.

When it will run is what `systemctl list-timers` works out of all that the timer waits for; when it ran is kept by
systemd, over boots only where the timer has `Persistent=`. How a run ended is kept by the unit that the timer starts,
in systemd's memory: of a run before this boot nobody knows it.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _systemctl, _systemd
from infratest.facts._shell import number
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

OF_TIMER = ("Id", "LoadState", "LoadError", "ActiveState", "LastTriggerUSec", "Unit")
OF_UNIT = (
    "Id", "LoadState", "LoadError", "ActiveState", "SubState", "Result", "ExecMainStartTimestamp", "ExecMainStatus",
    "ConditionResult", "ConditionTimestamp",
)  # fmt: skip


class Timer(Record):
    """A systemd timer, and what it starts.

    Args:
        last, next: when it ran and will run, in seconds since the epoch; None where it did not, or will not. now: the
        host's clock. unit: what it starts. unit_active, unit_sub: the state of that. result: how its last run ended,
        `success` or systemd's word for why not. status: the exit status. started: when its main process was started,
        None where that was never in this boot. skipped: whether a condition of the unit was not met the last time.
    """

    id: str
    load: str
    active: str
    now: int
    last: float | None = None
    next: float | None = None
    unit: str = ""
    unit_active: str = ""
    unit_sub: str = ""
    result: str = ""
    status: int = 0
    started: float | None = None
    skipped: bool = False

    def in_words(self) -> str:
        from infratest.units import human

        last = "never ran" if self.last is None else f"ran {human(self.now - self.last, 's')} ago"
        coming = "does not run again" if self.next is None else f"runs next in {human(self.next - self.now, 's')}"
        ended = f"{self.unit} is {self.unit_active} ({self.unit_sub}), {self.result}, exit status {self.status}"
        return f"{self.id}: {self.load}, {self.active}; {last}, {coming}; {ended}"


# Behind the clock: `shown`, blocks of the timers, `units`, blocks of what each starts, `listed`, and of all timers the
# line of list-timers behind a bar, which begins with the next moment or with nothing.
SNIPPET = (
    _systemctl.NOW
    + r"""
shown=$(systemctl show --no-pager --all -p OF_TIMER -- "$@") || exit 1
listed=$(systemctl list-timers --all --no-legend --full --no-pager) || exit 1
rest=$shown$nl
set --
while [ -n "$rest" ]; do
  row=${rest%%"$nl"*} rest=${rest#*"$nl"}
  case $row in
  Unit=?*) set -- "$@" "${row#Unit=}" ;;
  Unit=) set -- "$@" no-such-unit.service ;;
  esac
done
[ $# -gt 0 ] || exit 1
units=$(systemctl show --no-pager --all -p OF_UNIT -- "$@") || exit 1
printf 'shown\n%s\nunits\n%s\nlisted\n' "$shown" "$units"
printf '%s\n' "$listed" | sed 's/^/|/'
"""
)
SNIPPET = "nl='\n'\n" + SNIPPET.replace("OF_TIMER", ",".join(OF_TIMER)).replace("OF_UNIT", ",".join(OF_UNIT))


class TimerFact(LooksForEach):
    """Timers and their runs."""

    def snippet(self) -> str:
        return _systemd.SNIPPET + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (_systemd.full_name(argument),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        now, rows = _systemctl.shown_rows(self.readable(answer).out)
        try:
            units, listed = rows.index("units"), rows.index("listed")
        except ValueError:
            raise FactError("the answer about timers is not understood: a part of it is missing") from None
        if rows[0] != "shown" or not all(row.startswith("|") for row in rows[listed + 1 :]):
            raise FactError(f"the answer about timers is not understood: {cited(rows[0], 80)}")
        timers = _systemctl.blocks(rows[1:units], OF_TIMER)
        started = _systemctl.blocks(rows[units + 1 : listed], OF_UNIT)
        if not len(timers) == len(started) == len(arguments):
            raise FactError(
                f"systemctl was asked for {len(arguments)} timers and showed {len(timers)} and {len(started)} units"
            )
        coming = _coming([row[1:] for row in rows[listed + 1 :]])
        return {
            argument: _timer(timer, unit, coming, now)
            for argument, timer, unit in zip(arguments, timers, started, strict=True)
        }


def _coming(rows: Sequence[str]) -> dict[str, float | None]:
    """Return the next moment of each timer that list-timers names: its last words are the timer and what it starts.

    What a timer starts is no timer, and may be left out.
    """
    found: dict[str, float | None] = {}
    for row in rows:
        words = row.split()
        if not words:
            continue
        names = [word for word in words[-2:] if word.endswith(".timer")]
        if len(names) != 1:
            raise FactError(f"systemctl list-timers says {cited(row, 80)}, which is not understood")
        found[names[0]] = None if words[0] in ("-", "n/a") else _systemctl.moment(" ".join(words[:4]))
    return found


def _timer(timer: _systemctl.Block, unit: _systemctl.Block, coming: Mapping[str, float | None], now: int) -> Timer:
    def of_timer(key: str) -> str:
        return _systemctl.only(timer, key)

    def of_unit(key: str) -> str:
        return "".join(unit.get(key, ()))

    load, active, name = of_timer("LoadState"), of_timer("ActiveState"), of_timer("Id")
    if active == "active" and name not in coming:
        raise FactError(f"systemctl list-timers does not name {name}, which is active")
    return Timer(
        id=name,
        load=load,
        active=active,
        now=now,
        last=_systemctl.moment("".join(timer.get("LastTriggerUSec", ()))),
        next=coming.get(name) if active == "active" else None,
        unit="".join(timer.get("Unit", ())),
        unit_active=_systemctl.only(unit, "ActiveState"),
        unit_sub=_systemctl.only(unit, "SubState"),
        result=of_unit("Result"),
        status=number(of_unit("ExecMainStatus") or "0", "an exit status"),
        started=_systemctl.moment(of_unit("ExecMainStartTimestamp")),
        skipped=of_unit("ConditionResult") == "no" and of_unit("ConditionTimestamp") not in _systemctl.UNSET,
    )
