"""Facts to verdicts: a check's own look, its sentence's negation, its bound, and the state that follows. Pure.

The only place that turns what was seen into a state; called by the run after each collection.
"""

from __future__ import annotations

from infratest.check import Seen
from infratest.errors import InfratestError
from infratest.gherkin.sentence import ALL, AT_LEAST, DIFFERENT, EXACTLY_ONE, SAME
from infratest.model import Observation, StepResult
from infratest.plan.tasks import NO_HOST
from infratest.record import Record
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING, failed, worst
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.check import Measure
    from infratest.collect.asked import Facts
    from infratest.model import Evidence
    from infratest.plan.tasks import CheckStep, Look
    from infratest.thresholds import Threshold


#: Unit -> digits behind the point that are enough for most numbers of it, then those for one that is near a bound.
DIGITS = {"s": (6, 9), "%": (2, 4, 6, 9)}

#: Of a difference between hosts: values that are told, hosts named for each, characters of a value.
GROUPS, NAMED, SHOWN = 5, 5, 80


class Verdict(Record):
    """One sentence, judged; `blocked` names the location that could not be asked, where one could not.

    `value` is what hosts are compared by, of a sentence that does.
    """

    state: str
    reason: str = ""
    observations: tuple[Observation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    blocked: str = ""
    value: str | None = None

    def step(self, check: CheckStep) -> StepResult:
        return StepResult(check.line.text, check.line.number, self.state, self.reason, self.observations, self.evidence)


def judge(step: CheckStep, facts: Facts, severity: str) -> Verdict:
    """Return the verdict on a sentence.

    Args:
        severity: `critical`, or `warning` where the scenario is tagged so.
    """
    if len(step.looks) == 1 and step.tail.quantifier == ALL:
        return _look(step.looks[0], step, facts, severity)
    # Where hosts are counted, one on which it does not hold must not look like one with a warning.
    each = severity if step.tail.quantifier == ALL else CRITICAL
    verdicts = [_look(look, step, facts, each) for look in step.looks]
    observations = _labelled(step, [verdict.observations for verdict in verdicts])
    evidence = tuple(item for verdict in verdicts if verdict.state != OK for item in verdict.evidence)
    if step.tail.quantifier == ALL:
        state, reason, blocked = _all(step, verdicts)
    elif step.tail.quantifier in (SAME, DIFFERENT):
        state, reason, blocked = _compared(step, verdicts, severity)
    else:
        state, reason, blocked = _counted(step, verdicts, severity)
    return Verdict(state=state, reason=reason, observations=observations, evidence=evidence, blocked=blocked)


def unseen(step: CheckStep) -> tuple[Observation, ...]:
    """Return the numbers of a sentence that nobody looked at: graphs go by their labels, which must not come and go."""
    return _labelled(step, [_observation(look.measure, None, step.threshold) for look in step.looks])


def _labelled(step: CheckStep, seen: Sequence[tuple[Observation, ...]]) -> tuple[Observation, ...]:
    """Return the observations of all looks; where there may be several, each says whose it is."""
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


def _counted(step: CheckStep, verdicts: list[Verdict], severity: str) -> tuple[str, str, str]:
    """Judge `on exactly one host` and its like: a host not known may tip the count either way."""
    good = [look.subject for look, verdict in zip(step.looks, verdicts, strict=True) if verdict.state in (OK, WARNING)]
    unsure = [verdict for verdict in verdicts if verdict.state == UNKNOWN]
    low, high = len(good), len(good) + len(unsure)
    least, most = {EXACTLY_ONE: (1, 1), AT_LEAST: (step.tail.least, len(verdicts))}.get(step.tail.quantifier, (0, 0))
    wanted = (
        f"{step.tail.quantifier} {step.tail.least} hosts"
        if step.tail.quantifier == AT_LEAST
        else ("exactly one host" if step.tail.quantifier == EXACTLY_ONE else "no host")
    )
    holds_on = f"it holds on {len(good)} of {len(verdicts)}" + (f": {', '.join(good)}" if good else "")
    if least <= low and high <= most:
        mild = [verdict for verdict in verdicts if verdict.state == WARNING]
        if low - len(mild) >= least:
            return OK, "", ""
        return WARNING, f"expected on {wanted}, {holds_on}; of these {len(mild)} with a warning: {mild[0].reason}", ""
    if high < least or low > most:
        return failed(severity), f"expected on {wanted}, {holds_on}", ""
    blocked = next((verdict.blocked for verdict in unsure if verdict.blocked), "")
    return UNKNOWN, f"expected on {wanted}, {holds_on}; {len(unsure)} could not be asked: {unsure[0].reason}", blocked


def _compared(step: CheckStep, verdicts: list[Verdict], severity: str) -> tuple[str, str, str]:
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
        told = [f"{_shown(value)} on {_listed(hosts)}" for value, hosts in wrong]
        told = [*told[:GROUPS], *([f"and {len(told) - GROUPS} more"] if len(told) > GROUPS else [])]
        return failed(severity), "; ".join([*([f"{word}: {'; '.join(told)}"] if told else []), *missing]), ""
    unsure = [verdict for verdict in verdicts if verdict.state == UNKNOWN]
    if unsure:
        blocked = next((verdict.blocked for verdict in unsure if verdict.blocked), "")
        seen = sum(map(len, by_value.values()))
        reason = f"compared on {seen} of {len(verdicts)} hosts, {len(unsure)} could not be asked: {unsure[0].reason}"
        return UNKNOWN, reason, blocked
    if len(verdicts) < 2:
        return UNKNOWN, f"it was looked at on {len(verdicts)} host alone: there is nothing to compare", ""
    return OK, "", ""


def _shown(value: str) -> str:
    return f'"{value}"' if len(value) <= SHOWN else f'"{value[:SHOWN]}..." ({len(value)} characters)'


def _listed(hosts: Sequence[str]) -> str:
    return ", ".join(hosts[:NAMED]) + (f" and {len(hosts) - NAMED} more" if len(hosts) > NAMED else "")


def _place(look: Look) -> str:
    if look.subject == NO_HOST:
        return f"from {look.location}"
    return look.subject if look.location in (look.subject, "controller") else f"{look.subject} from {look.location}"


def _look(look: Look, step: CheckStep, facts: Facts, severity: str) -> Verdict:
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
        return _unknown(look, step, facts, reason)
    state, reason = _state(seen, step, severity, look.measure)
    evidence = () if state == OK else _evidence(look, facts)
    return Verdict(state, reason, _observation(look.measure, seen.number, step.threshold), evidence, "", seen.value)


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
    if state == OK:
        return OK, ""
    unit = measure.unit if measure else ""
    saw = seen.saw or human(seen.number, unit)
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
