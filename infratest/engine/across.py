"""Verdicts on several hosts to one: how many it holds on, whether they are alike, what their numbers come to. Pure.

A host that could not be asked may be anything: it makes a verdict unknown, unless that is the same whatever the host
is. Called by the judge for a sentence that speaks across hosts.
"""

from __future__ import annotations

from math import ceil, floor, fsum, inf

from infratest.cleaning import masked
from infratest.gherkin.sentence import (
    AT_LEAST,
    AT_MOST,
    EVERY,
    EXACTLY,
    EXACTLY_ONE,
    MAXIMUM,
    MINIMUM,
    SAME,
    TOTAL,
)
from infratest.record import Record
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING, failed
from infratest.units import human, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.engine.judge import Verdict
    from infratest.plan.tasks import CheckStep
    from infratest.thresholds import Bound

#: Of hosts: values that are told, hosts named for each, hosts on which it does not hold that say why, characters.
GROUPS, NAMED, TOLD, SHOWN = 5, 5, 3, 80

#: By how much a share of the hosts may be off a whole number of them, as floating-point numbers are.
ROUNDING = 1e-9


class Outcome(Record):
    """What several hosts come to; `blocked` names one that could not be asked, where the verdict hangs on it.

    `number` is what their numbers come to, where they are counted together.
    """

    state: str
    reason: str = ""
    blocked: str = ""
    number: float | None = None


class _Hosts:
    """What a sentence came to on each host: of one that is looked at from several places, what all of them say."""

    def __init__(self, step: CheckStep, verdicts: Sequence[Verdict]) -> None:
        each: dict[str, list[Verdict]] = {}
        for look, verdict in zip(step.looks, verdicts, strict=True):
            each.setdefault(look.subject, []).append(verdict)
        self.count = len(each)
        self.good: list[str] = []
        self.mild: list[Verdict] = []
        self.bad: list[tuple[str, Verdict]] = []
        self.unsure: list[tuple[str, Verdict]] = []
        for host, found in each.items():
            by_state = {verdict.state: verdict for verdict in found}
            if CRITICAL in by_state:
                self.bad.append((host, by_state[CRITICAL]))
            elif UNKNOWN in by_state:
                self.unsure.append((host, by_state[UNKNOWN]))
            else:
                self.good.append(host)
                self.mild += [by_state[WARNING]] if WARNING in by_state else []

    @property
    def blocked(self) -> str:
        """A location that could not be asked, where there is one."""
        return next((verdict.blocked for _, verdict in self.unsure if verdict.blocked), "")

    def words(self, why: bool = False) -> str:
        """Return on which hosts it holds, and on which it does not; with `why`, too."""
        holds = f"it holds on {len(self.good)} of {self.count}" + (f": {listed(self.good)}" if self.good else "")
        return holds + (f"; not on {_each(self.bad) if why else _names(self.bad)}" if self.bad else "")


def counted(step: CheckStep, verdicts: Sequence[Verdict], severity: str) -> Outcome:
    """Judge `on exactly one host` and its like: a host not known may tip the count either way."""
    hosts = _Hosts(step, verdicts)
    low, high = len(hosts.good), len(hosts.good) + len(hosts.unsure)
    least, most = _limits(step, hosts.count)
    expected = f"expected on {_wanted(step, least, most)}, {hosts.words(why=low < least)}"
    if least <= low and high <= most:
        if low - len(hosts.mild) >= least:
            return Outcome(OK, hosts.words() if hosts.bad or hosts.unsure else "")
        mild = f"of these {len(hosts.mild)} with a warning: {hosts.mild[0].reason}"
        return Outcome(WARNING, f"{expected}; {mild}")
    if high < least or low > most:
        return Outcome(failed(severity), expected)
    return Outcome(UNKNOWN, f"{expected}; {_not_asked(hosts.unsure)}", hosts.blocked)


def _limits(step: CheckStep, hosts: int) -> tuple[int, int]:
    """Return on how many of so many hosts it must hold, at least and at most."""
    count, kind = step.tail.count, step.tail.quantifier
    least, most = ceil(count - ROUNDING), floor(count + ROUNDING)
    if step.tail.share:
        least, most = ceil(count * hosts / 100 - ROUNDING), floor(count * hosts / 100 + ROUNDING)
    return {
        EXACTLY_ONE: (1, 1),
        EXACTLY: (least, most),
        AT_LEAST: (least, hosts),
        AT_MOST: (0, most),
        EVERY: (hosts, hosts),
    }.get(kind, (0, 0))


def _wanted(step: CheckStep, least: int, most: int) -> str:
    tail = step.tail
    inside = f' in "{tail.group}"' if tail.group else ""
    if tail.quantifier == EVERY:
        return f"every host{inside}"
    if tail.quantifier not in (AT_LEAST, AT_MOST, EXACTLY):
        return f"{'exactly one' if tail.quantifier == EXACTLY_ONE else 'no'} host{inside}"
    if not tail.share:
        return f"{tail.quantifier} {plain(tail.count)} {'host' if tail.count == 1 else 'hosts'}{inside}"
    number = least if tail.quantifier == AT_LEAST else most
    return f"{tail.quantifier} {plain(tail.count)} % of the hosts{inside}, which is {number}"


def compared(step: CheckStep, verdicts: Sequence[Verdict], severity: str) -> Outcome:
    """Judge `is the same on all hosts` and its like; one host more that cannot be asked mends no difference."""
    by_value: dict[str, list[str]] = {}
    missing = []
    for look, verdict in zip(step.looks, verdicts, strict=True):
        if verdict.value is not None:
            by_value.setdefault(verdict.value, []).append(look.subject)
        elif verdict.state != UNKNOWN:
            missing.append(f"{look.subject}: {verdict.reason}")
    groups = sorted(by_value.items(), key=lambda group: -len(group[1]))
    if step.tail.quantifier == SAME:
        wrong = groups if len(groups) > 1 else []
    else:
        wrong = [group for group in groups if len(group[1]) > 1]
    if wrong or missing:
        word = "it differs" if step.tail.quantifier == SAME else "hosts have the same"
        told = [f"{_shown(value)} on {listed(hosts)}" for value, hosts in wrong]
        told = [*told[:GROUPS], *([f"and {len(told) - GROUPS} more"] if len(told) > GROUPS else [])]
        return Outcome(failed(severity), "; ".join([*([f"{word}: {'; '.join(told)}"] if told else []), *missing]))
    unsure = [(host, each) for host, each in _paired(step, verdicts) if each.state == UNKNOWN]
    if unsure:
        seen = sum(map(len, by_value.values()))
        reason = f"compared on {seen} of {len(verdicts)} hosts, {_not_asked(unsure)}"
        return Outcome(UNKNOWN, reason, next((each.blocked for _, each in unsure if each.blocked), ""))
    if len(verdicts) < 2:
        return Outcome(UNKNOWN, f"it was looked at on {len(verdicts)} host alone: there is nothing to compare")
    return Outcome(OK)


def aggregated(step: CheckStep, verdicts: Sequence[Verdict], severity: str) -> Outcome:
    """Judge what the numbers of the hosts come to.

    Where there is no number on one of them, it is not met, as on that host alone. So a host that could not be asked
    can be one of these and takes every green, and a red only where its own number might still mend it.

    Args:
        verdicts: each with its number, whatever the bound says of it alone.
    """
    pairs, threshold = _paired(step, verdicts), step.threshold
    unsure = [(host, each) for host, each in pairs if each.state == UNKNOWN]
    missing = [(host, each) for host, each in pairs if each.state != UNKNOWN and each.number is None]
    known = [(host, each.number) for host, each in pairs if each.state != UNKNOWN and each.number is not None]
    if missing or threshold is None:
        return Outcome(failed(severity), f"there is no number of {_each(missing)}")
    measure = next(look.measure for look in step.looks if look.measure is not None)
    least, most = (
        _together([*(number for _, number in known), *[end] * len(unsure)], step.tail.quantifier)
        for end in (_or(measure.minimum, -inf), _or(measure.maximum, inf))
    )
    if not unsure:
        state, expected = threshold.judge(least)
        told = f"{step.tail.quantifier} {human(least, measure.unit)}: {_ranked(known, measure.unit)}"
        reason = told if state == OK else f"{told}; {expected}"
        return Outcome(failed(severity) if state == CRITICAL else state, reason, "", least)
    if not _may_hold(threshold.critical, least, most):
        told = f"{_ranked(known, measure.unit)}; expected {step.tail.quantifier} {threshold.critical}"
        return Outcome(failed(severity), f"{told}, which no number of {_names(unsure)} can mend")
    reason = f"its number is known of {len(known)} of {len(pairs)} hosts, {_not_asked(unsure)}"
    return Outcome(UNKNOWN, reason, next((each.blocked for _, each in unsure if each.blocked), ""))


def apart(step: CheckStep, verdicts: Sequence[Verdict], severity: str) -> Outcome:
    """Judge how far the greatest number is from the least, where each is known to lie between two.

    What is told as the number is by the middles. Where the bound is met by some of what may be so and not by the rest,
    it is unknown; a host more that could not be asked can only be further off.
    """
    pairs, threshold = _paired(step, verdicts), step.threshold
    unsure = [(host, each) for host, each in pairs if each.state == UNKNOWN]
    known = [
        (host, each.number, each.number if each.most is None else each.most)
        for host, each in pairs
        if each.state != UNKNOWN and each.number is not None
    ]
    missing = [(host, each) for host, each in pairs if each.state != UNKNOWN and each.number is None]
    if missing or threshold is None:
        return Outcome(failed(severity), f"there is no number of {_each(missing)}")
    least = max(0.0, max((low for _, low, _ in known), default=0) - min((high for _, _, high in known), default=0))
    most = _widest([(low, high) for _, low, high in known])
    if unsure and (not known or _may_hold(threshold.critical, least, inf)):
        reason = f"its number is known of {len(known)} of {len(pairs)} hosts, {_not_asked(unsure)}"
        return Outcome(UNKNOWN, reason, next((each.blocked for _, each in unsure if each.blocked), ""))
    if len(pairs) < 2:
        return Outcome(UNKNOWN, f"it was looked at on {len(pairs)} host alone: there is nothing to compare")
    unit = next(look.measure.unit for look in step.looks if look.measure is not None)
    middles = [(host, (low + high) / 2) for host, low, high in known]
    first = min(middle for _, middle in middles)
    told = f"{_range(least, most, unit)} apart: {_ranked([(host, middle - first) for host, middle in middles], unit)}"
    number = None if unsure else max(middle for _, middle in middles) - first
    if unsure or not _may_hold(threshold.critical, least, most):
        return Outcome(failed(severity), f"{told}; expected {threshold.critical}", "", number)
    (state, expected), (at_most, beyond) = threshold.judge(least), threshold.judge(most)
    if state != at_most or state == CRITICAL:
        return Outcome(UNKNOWN, f"{told}; finer it could not be told; {expected or beyond}", "", number)
    return Outcome(state, told if state == OK else f"{told}; {expected}", "", number)


def _widest(ranges: Sequence[tuple[float, float]]) -> float:
    """Return how far two numbers may be apart at most: the ends of one range are no two numbers."""
    if len(ranges) < 2:
        return 0.0
    lows = sorted(range(len(ranges)), key=lambda place: ranges[place][0])[:2]
    highs = sorted(range(len(ranges)), key=lambda place: -ranges[place][1])[:2]
    return max(ranges[high][1] - ranges[low][0] for low in lows for high in highs if low != high)


def _range(least: float, most: float, unit: str) -> str:
    """Return words for a number between two."""
    return human(least, unit) if least == most else f"between {human(least, unit)} and {human(most, unit)}"


def _together(numbers: Sequence[float], quantifier: str) -> float:
    """Return what numbers come to; a sum is exact until it is rounded once, whatever their order."""
    if quantifier in (MINIMUM, MAXIMUM):
        return min(numbers) if quantifier == MINIMUM else max(numbers)
    total = sum(numbers) if all(isinstance(number, int) for number in numbers) else fsum(numbers)
    return total if quantifier == TOTAL else total / len(numbers)


def _may_hold(bound: Bound, least: float, most: float) -> bool:
    """Whether a number between these two is as a bound says."""
    return {
        "less than": least < bound.low,
        "at most": least <= bound.low,
        "more than": most > bound.low,
        "at least": most >= bound.low,
    }.get(bound.words, least <= bound.top and most >= bound.low)


def _or(number: float | None, other: float) -> float:
    return other if number is None else number


def _paired(step: CheckStep, verdicts: Sequence[Verdict]) -> list[tuple[str, Verdict]]:
    return [(look.subject, verdict) for look, verdict in zip(step.looks, verdicts, strict=True)]


def _ranked(known: Sequence[tuple[str, float]], unit: str) -> str:
    """Return the numbers of hosts, the greatest first."""
    return listed([f"{host} {human(number, unit)}" for host, number in sorted(known, key=lambda pair: -pair[1])])


def _not_asked(unsure: Sequence[tuple[str, Verdict]]) -> str:
    return f"{len(unsure)} could not be asked: {unsure[0][1].reason}"


def _names(pairs: Sequence[tuple[str, Verdict]]) -> str:
    return listed([host for host, _ in pairs])


def _each(pairs: Sequence[tuple[str, Verdict]]) -> str:
    """Return hosts, each with what was seen there."""
    told = [f"{host}: {verdict.reason or verdict.saw}" for host, verdict in pairs[:TOLD]]
    rest = _names(pairs[TOLD:])
    return "; ".join(told) + (f"; nor on {rest}" if rest else "")


def _shown(value: str) -> str:
    value = masked(value)  # whole: part of a secret would not be known as one
    return f'"{value}"' if len(value) <= SHOWN else f'"{value[:SHOWN]}..." ({len(value)} characters)'


def listed(hosts: Sequence[str]) -> str:
    """Return names of hosts, the first few."""
    return ", ".join(hosts[:NAMED]) + (f" and {len(hosts) - NAMED} more" if len(hosts) > NAMED else "")
