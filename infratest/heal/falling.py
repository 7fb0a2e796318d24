"""When a rule loses its autonomy by how its heals went over time. Pure; asked by the heal engine before it decides.

A heal that did not help, an undo and a denied proposal cost it at once, where they happen. Here is what shows only
over several: what comes back again and again is not mended, and a budget that is used up was none too large.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from infratest.heal.gates import Try, moment
from infratest.stack.declared import HealRule
from infratest.units import human

#: Seconds within which a problem that was healed is the same one again, and how often in a row that may be.
AGAIN, TIMES_AGAIN = 3600.0, 2
#: Seconds within which a budget may be used up once, and how often is too often.
SPENT_WITHIN, TIMES_SPENT = 7 * 86400.0, 2


def falls_back(rule: HealRule, host: str, tries: Sequence[Try], began: float, now: float, granted: float) -> str:
    """Return why a rule is no longer to act by itself, or an empty text.

    Args:
        tries: of this environment, oldest first. began: when the problem at hand did. granted: when a person last said
        how much it may do: what was before that, they knew. All in seconds since the epoch.
    """
    mine = [one for one in tries if one.rule == rule.name and one.host == host and not (one.drill or one.gone)]
    mine = [one for one in mine if granted <= one.time <= now]
    return _again(mine, host, began) or _spent(rule, mine, host, now)


def _again(tries: Sequence[Try], host: str, began: float) -> str:
    """The same problem within an hour of its heal, and so it was the time before."""
    healed = [one.time for one in tries if one.verified]
    begins = [*_problems(tries), began]
    times = []
    for begin in reversed(begins):
        before = max((time for time in healed if time < begin), default=-inf)
        if begin - before > AGAIN:
            break
        times.append(before)
    if len(times) < TIMES_AGAIN:
        return ""
    shown = " and ".join(moment(time) for time in sorted(times)[-TIMES_AGAIN:])
    return f"the problem on {host} came back within {human(AGAIN, 's')} of its heals at {shown}"


def _problems(tries: Sequence[Try]) -> list[float]:
    """Return when each problem that was healed was first acted on: all tries up to a heal are one problem's."""
    found: list[float] = []
    begin: float | None = None
    for one in tries:
        begin = one.time if begin is None else begin
        if one.verified:
            found.append(begin)
            begin = None
    return found


def _spent(rule: HealRule, tries: Sequence[Try], host: str, now: float) -> str:
    """The budget used up twice within a week; tries that made it so count once, and what may help yet does not."""
    times: list[float] = []
    window: list[float] = []
    for one in tries:
        if not one.failed(now):
            continue
        window = [time for time in window if time > one.time - rule.per] + [one.time]
        if 0 < rule.tries <= len(window):
            times.append(one.time)
            window = []
    late = [time for time in times if time > now - SPENT_WITHIN]
    if len(late) < TIMES_SPENT:
        return ""
    shown = " and ".join(moment(time) for time in late[-TIMES_SPENT:])
    within = human(SPENT_WITHIN, "s")
    return f"its {rule.tries} tries in {human(rule.per, 's')} on {host} were used up twice within {within}, at {shown}"
