"""Facts to verdicts: a check's own look, its sentence's negation, its bound, and the state that follows. Pure.

The only place that turns what was seen into a state; called by the run after each collection.
"""

from __future__ import annotations

from infratest.check import Seen
from infratest.errors import InfratestError
from infratest.facts.base import Need
from infratest.gherkin.sentence import AGGREGATES, ALL, APART, DIFFERENT, SAME, TOTAL
from infratest.model import Observation, StepResult
from infratest.plan.tasks import NO_HOST, label
from infratest.record import Record
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING, failed, worst
from infratest.units import human, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from typing import Any

    from infratest.check import Measure
    from infratest.collect.asked import Facts
    from infratest.model import Evidence
    from infratest.plan.tasks import CheckStep, Look
    from infratest.thresholds import Threshold


#: Unit -> digits behind the point that are enough for most numbers of it, then those for one that is near a bound.
DIGITS = {"s": (6, 9), "%": (2, 4, 6, 9)}


class Verdict(Record):
    """One sentence, judged; `blocked` names the location that could not be asked, where one could not.

    `value` is what hosts are compared by, of a sentence that does. `number`, `most` and `saw` are what was seen.
    """

    state: str
    reason: str = ""
    observations: tuple[Observation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    blocked: str = ""
    value: str | None = None
    number: float | None = None
    most: float | None = None
    saw: str = ""

    def step(self, check: CheckStep) -> StepResult:
        return StepResult(check.line.text, check.line.number, self.state, self.reason, self.observations, self.evidence)


def judge(step: CheckStep, facts: Facts, severity: str) -> Verdict:
    """Return the verdict on a sentence.

    Args:
        severity: `critical`, or `warning` where the scenario is tagged so.
    """
    if len(step.looks) == 1 and step.tail.quantifier == ALL:
        return _look(step.looks[0], step, facts, severity)
    if step.tail.quantifier == ALL:
        verdicts = [_look(look, step, facts, severity) for look in step.looks]
        state, reason, blocked = _all(step, verdicts)
        return _several(step, verdicts, Verdict(state=state, reason=reason, blocked=blocked))
    from infratest.engine.across import aggregated, apart, compared, counted  # most sentences are about one host

    # Where hosts are counted, one on which it does not hold must not look like one with a warning.
    kind = step.tail.quantifier
    alone = step.changed(threshold=None) if _makes_one(step) else step
    verdicts = [_look(look, alone, facts, CRITICAL) for look in step.looks]
    if kind in AGGREGATES:
        verdicts = [_reckoned(each) for each in verdicts]
    known = {SAME: compared, DIFFERENT: compared, APART: apart} | dict.fromkeys(AGGREGATES, aggregated)
    outcome = known.get(kind, counted)(step, verdicts, severity)
    verdict = Verdict(outcome.state, outcome.reason, _of_all(step, outcome.number), (), outcome.blocked)
    return _several(step, verdicts, verdict)


def _reckoned(verdict: Verdict) -> Verdict:
    """Return a verdict that is unknown where its number is not known to a point: nothing is reckoned from that."""
    if verdict.most is None or verdict.state == UNKNOWN:
        return verdict
    return verdict.changed(state=UNKNOWN, reason=f"{verdict.saw}, and finer it could not be told", number=None)


def _makes_one(step: CheckStep) -> bool:
    """Whether a sentence makes one number of those of several hosts, which its bound is about."""
    return step.tail.quantifier in AGGREGATES or step.tail.quantifier == APART


def _several(step: CheckStep, verdicts: Sequence[Verdict], verdict: Verdict) -> Verdict:
    """Return a verdict with the numbers of each look, and with the evidence of those that are not ok."""
    observations = (*verdict.observations, *_labelled(step, [each.observations for each in verdicts]))
    evidence = tuple([item for each in verdicts if each.state != OK for item in each.evidence])
    return verdict.changed(observations=observations, evidence=evidence)


def _of_all(step: CheckStep, number: float | None) -> tuple[Observation, ...]:
    """Return what the numbers of several hosts come to, with its limits; nothing of a sentence that makes nothing."""
    measure = step.looks[0].measure
    if not _makes_one(step) or measure is None:
        return ()
    total = step.tail.quantifier == TOTAL
    whole = measure.changed(label=label(measure.label, step.tail), maximum=None if total else measure.maximum)
    return _observation(whole, number, step.threshold)


def unseen(step: CheckStep) -> tuple[Observation, ...]:
    """Return the numbers of a sentence that nobody looked at: graphs go by their labels, which must not come and go."""
    limits = None if _makes_one(step) else step.threshold
    each = _labelled(
        step,
        [
            (*_observation(look.measure, None, limits), *_observation(look.check.kept(), None, None))
            for look in step.looks
        ],
    )
    return (*_of_all(step, None), *each)


def _labelled(step: CheckStep, seen: Sequence[tuple[Observation, ...]]) -> tuple[Observation, ...]:
    """Return the observations of all looks; where there may be several, each says whose it is.

    How far a number is apart from others is said of all of them: one alone means nothing.
    """
    if step.tail.quantifier == APART:
        return ()
    if len(step.looks) == 1 and step.tail.quantifier == ALL:
        return seen[0]
    return tuple(
        observation.changed(name=f"{_place(look)}: {observation.name}")
        for look, observations in zip(step.looks, seen, strict=True)
        for observation in observations
    )


def _all(step: CheckStep, verdicts: list[Verdict]) -> tuple[str, str, str]:
    state = worst(verdict.state for verdict in verdicts) if verdicts else UNKNOWN
    told = [
        f"{_place(look)}: {verdict.reason}"
        for look, verdict in zip(step.looks, verdicts, strict=True)
        if verdict.state != OK
    ]
    blocked = next((verdict.blocked for verdict in verdicts if verdict.blocked and verdict.state == state), "")
    return state, "; ".join(told), blocked


def _place(look: Look) -> str:
    if look.subject == NO_HOST:
        return f"from {look.location}"
    return look.subject if look.location in (look.subject, "controller") else f"{look.subject} from {look.location}"


def _look(look: Look, step: CheckStep, facts: Facts, severity: str) -> Verdict:
    verdict = _looked(look, step, facts, severity)
    if not look.check.trend:
        return verdict
    kept = _observation(look.check.kept(), _reading(look, facts), None)
    return verdict.changed(observations=(*verdict.observations, *kept))


def _reading(look: Look, facts: Facts) -> float | None:
    """Return what is kept of a look for the runs to come, also where too little was kept for a verdict."""
    values, check = facts.at(look.location), look.check
    if look.location in facts.blocked or any(
        isinstance(values.get(need), InfratestError) for need in check.needed if need.fact not in check.spare
    ):
        return None
    try:
        return check.reading(values)
    except InfratestError:
        return None


def _looked(look: Look, step: CheckStep, facts: Facts, severity: str) -> Verdict:
    location, check = look.location, look.check
    if location in facts.blocked:
        return _unknown(look, step, facts, str(facts.blocked[location]), blocked=location)
    values = facts.at(location)
    for need in check.needed:
        if need.fact not in check.spare and isinstance(values.get(need), InfratestError):
            where = "" if location == look.subject else f"from {location}: "
            return _unknown(look, step, facts, f"{where}{need.fact} could not be read: {values[need]}")
    try:
        seen = check.observe(values)
    except InfratestError as error:
        return _unknown(look, step, facts, f"could not look: {error}")
    except Exception as error:  # noqa: BLE001 - a check's own bug is unknown, and must not end the others
        reason = f"a bug in the check {type(check).__name__}: {type(error).__name__}: {error}"
        if type(error) is KeyError and isinstance(error.args[0], Need):
            reason = (
                f"{error.args[0].fact} was not looked at: the run's time was over before it; give it more: --timeout"
            )
        return _unknown(look, step, facts, reason)
    if seen.least is not None and step.threshold is not None:
        seen = _worse(seen, seen.least, step.threshold)
    state, reason = _state(seen, step, severity, look.measure)
    evidence = () if state == OK else _evidence(look, facts)
    number: Any = seen.number
    if number is not None and number.__class__ not in (int, float):
        number = float(number)  # graphs and sums take it so; judged it was as it is written
    observations = _observation(look.measure, number, step.threshold)
    if seen.absent or seen.holds == step.negated:
        number = None
    return Verdict(state, reason, observations, evidence, "", seen.value, number, seen.most, seen.saw)


def _worse(seen: Seen, least: float | Decimal, threshold: Threshold) -> Seen:
    """Return what was seen with that one of the least and the greatest number that its bound holds less of."""
    if seen.number is None:
        return seen
    states = (threshold.judge(least)[0], threshold.judge(seen.number)[0])
    of_least = threshold.critical.words in ("more than", "at least")
    if states[0] != states[1]:
        of_least = worst(states) == states[0]
    return seen.changed(number=least) if of_least else seen


def _unknown(look: Look, step: CheckStep, facts: Facts, reason: str, blocked: str = "") -> Verdict:
    evidence = () if blocked else _evidence(look, facts)
    return Verdict(UNKNOWN, reason, _observation(look.measure, None, step.threshold), evidence, blocked)


def _evidence(look: Look, facts: Facts) -> tuple[Evidence, ...]:
    found = [facts.evidence(look.location, need) for need in look.check.needed]
    return tuple([one for one in found if one is not None])


def _state(seen: Seen, step: CheckStep, severity: str, measure: Measure | None) -> tuple[str, str]:
    if seen.absent or seen.holds == step.negated:
        return failed(severity), seen.saw
    if step.threshold is None:
        return OK, ""
    if seen.number is None:
        return failed(severity), seen.saw
    state, expected = step.threshold.judge(seen.number)
    if seen.most is not None:
        at_most, beyond = step.threshold.judge(seen.most)
        if at_most != state:
            return UNKNOWN, f"{seen.saw}, and finer it could not be told; {expected or beyond}"
    if state == OK:
        return OK, ""
    unit = measure.unit if measure else ""
    saw = seen.saw or human(float(seen.number), unit)
    reads, whole = human(float(seen.number), unit), f"{plain(float(seen.number))} {unit}".strip()
    alike = reads in saw and reads in expected and seen.number not in step.threshold.numbers
    if reads != whole and alike:  # as 3.8 KiB of 3893 B, which are less than 3.8 KiB
        saw = saw.replace(reads, f"{reads} ({whole})", 1)
    return (failed(severity) if state == CRITICAL else WARNING), f"{saw}; {expected}"


def written(number: float | None, unit: str, threshold: Threshold | None) -> float | None:
    """Return a number as it is written: a share or a time with few digits, as long as it is not judged otherwise so.

    Others are written as they are: an error rate of 0.0000002 is not 0.
    """
    if number is None or unit not in DIGITS or number != number:
        return number
    for digits in DIGITS[unit]:
        rounded = round(number, digits)
        if threshold is None or threshold.judge(rounded) == threshold.judge(number):
            return rounded
    return number


def _observation(measure: Measure | None, number: float | None, threshold: Threshold | None) -> tuple[Observation, ...]:
    if measure is None:
        return ()
    warning, critical = threshold.ranges if threshold else ("", "")
    number = written(number, measure.unit, threshold)
    return (Observation(measure.label, number, measure.unit, warning, critical, measure.minimum, measure.maximum),)
