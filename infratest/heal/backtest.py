"""What rules would have done of what failed in a time that is over, by the gates as they are. Pure.

Of some gates nobody knows any longer what they would have been told then: who had paused, what could be seen from here,
what was being deployed. Those are named, and close nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infratest.heal.gates import CHANGE, OPENED_BY_APPROVAL, Changes, Limits, Situation, Stored, Try, gates
from infratest.heal.records import PROPOSED, REFUSED, WOULD
from infratest.heal.rules import rule_for
from infratest.hosts import Host
from infratest.model import Result
from infratest.stack.declared import OBSERVE, HealRule
from infratest.store.failures import Row

ACTED = "acted"
#: Gates of which nobody knows what they would have said. Of `change` only freezes by the calendar are known.
NOT_KNOWN = ("suppressed", "pause", "witness", "time", "fence")
#: Gates that need to know how all hosts were.
OF_ALL = ("one cause", "blast radius", "floor")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A result that failed, as it was looked at.

    Args:
        time: seconds since the epoch. row: its failures in a row; its `since` says of which problem it is. history:
        asked how all was then, None where that is not known. answers: of gates that are on record, whether they passed.
    """

    time: float
    result: Result
    row: Row
    history: Callable[[], Mapping[str, Stored]] | None = None
    answers: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What holds now, and is taken to have held then.

    Args:
        hosts: of the stack, by name. proven, trusted: of a rule, as `Situation` has them. production, limits: as there.
    """

    hosts: Mapping[str, Host]
    proven: Callable[[HealRule], tuple[bool, str]]
    trusted: Callable[[HealRule], tuple[str, str]]
    production: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass
class Tally:
    """What came of a rule, each problem counted once, by what came of it at last.

    Args:
        problems: how many it was for. outcomes: ACTED, or as in the audit. refused: by which gate.
    """

    problems: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {"problems": self.problems, **dict(sorted(self.outcomes.items())), "refused_by": dict(self.refused)}


def replayed(cases: Iterable[Case], rules: tuple[HealRule, ...], standing: Standing) -> dict[str, Tally]:
    """Return what each rule would have done.

    What an act would have brought nobody knows: each is taken to have helped, so that there is one for a problem.

    Args:
        cases: the earliest first.
    Raises:
        UserError: a tag names no rule.
    """
    tallies = {rule.name: Tally() for rule in rules}
    ended: dict[tuple[str, float, str], tuple[str, str]] = {}
    tries: list[Try] = []
    for case in cases:
        rule = rule_for(case.result, rules)
        if rule is None:
            continue
        problem = (case.result.id, case.time if case.row.since is None else case.row.since, rule.name)
        if ended.get(problem, ("", ""))[0] == ACTED:
            continue
        outcome, gate = _decided(rule, case, tries, standing)
        if outcome == ACTED:
            one = Try(rule=rule.name, host=case.result.host, time=case.time, until=case.time, verified=True)
            tries.append(one)
        ended[problem] = outcome, gate
    for (_, _, name), (outcome, gate) in ended.items():
        tally = tallies[name]
        tally.problems += 1
        tally.outcomes[outcome] += 1
        if gate:
            tally.refused[gate] += 1
    return tallies


def unknown(cases: Iterable[Case]) -> list[str]:
    """Return the gates of which nobody knows what they would have said of some of these."""
    listed = list(cases)
    gone = [name for name in OF_ALL if any(case.history is None and name not in case.answers for case in listed)]
    return [name for name in (*NOT_KNOWN, CHANGE, *gone) if any(name not in case.answers for case in listed)]


def _decided(rule: HealRule, case: Case, tries: list[Try], standing: Standing) -> tuple[str, str]:
    """Return what would have come of a case, and the gate that refused it."""
    trust = standing.trusted(rule)
    situation = Situation(
        now=case.time,
        looked=case.time,
        row=case.row,
        hosts=standing.hosts,
        history={} if case.history is None else case.history(),
        tries=tuple(tries),
        production=standing.production,
        proof=standing.proven(rule),
        trust=trust,
        changes=Changes(),
        limits=standing.limits,
    )
    known = {answer.name: answer.passed for answer in gates(rule, case.result, situation)}
    for name in (*NOT_KNOWN, *(OF_ALL if case.history is None else ())):
        known[name] = case.answers.get(name, True)
    # A freeze by the calendar is known; what else was being changed only where it is on record.
    known[CHANGE] = known[CHANGE] and case.answers.get(CHANGE, True)
    closed = [name for name, passed in known.items() if not passed]
    hard = [name for name in closed if name not in OPENED_BY_APPROVAL]
    if hard:
        return REFUSED, hard[0]
    if not closed:
        return ACTED, ""
    return (WOULD, "") if OBSERVE in (rule.mode, trust[0]) else (PROPOSED, "")
