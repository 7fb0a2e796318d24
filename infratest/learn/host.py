"""A host asked twice: for facts, and then whether what they were said as holds. Only what holds is kept.

Called by `infratest learn`. The second look is a run like any other, so that what is written is green for the reason
that every feature is: each of its sentences was asked of the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infratest.deadline import Deadline
from infratest.engine.run import Run, Settings
from infratest.errors import InfratestError, UserError
from infratest.facts.base import Need
from infratest.gherkin.writing import Written, fault, feature
from infratest.hosts import Host
from infratest.learn.subjects import SUBJECTS, Values, beyond, sentences, some
from infratest.model import Report
from infratest.plan.tasks import Plan
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.session import Session
from infratest.stack.open import open_transport
from infratest.states import CRITICAL, OK, WARNING
from infratest.units import counted


@dataclass(frozen=True)
class Learned:
    """What came of it.

    Args:
        text: of the feature, empty where nothing was learned. sentences: how many. unknown: facts that could not be
        read, in words; what hangs on them is missing. dropped: sentences that did not hold when they were asked.
    """

    text: str
    sentences: int
    unknown: Sequence[str] = ()
    dropped: Sequence[str] = ()


def learn(session: Session, name: str, subjects: Iterable[str], deadline: Deadline) -> Learned:
    """Return what is so on a host, as a feature.

    Args:
        name: of a host of the stack, to which `session` is narrowed. subjects: of SUBJECTS.
    Raises:
        InfratestError: the host cannot be asked.
    """
    hosts = [host for host in stack_hosts(session, deadline) if host.name == name]
    if not hosts:
        raise UserError(f"{name} is not up: `infratest up` brings it up, `infratest status` shows what there is")
    chosen = [subject for subject in SUBJECTS if subject in set(subjects)]
    values = _asked(session, hosts, chosen, deadline)
    unknown = [*_not_read(values), *beyond(values)]
    several = len(session.stack.hosts) > 1
    written = [Written(subject, _worded(subject, values)) for subject in chosen]
    kept, dropped, lost = _holding(session, [one for one in written if one.sentences], deadline)
    count = sum(len(one.sentences) for one in kept)
    given = f'Given the host "{name}"' if several else ""
    text = feature(name, kept, [f"learned from {name} by infratest learn"], given) if count else ""
    return Learned(text, count, [*unknown, *lost], dropped)


def _not_read(values: Values) -> list[str]:
    """Return words for what could not be read, of each fact and each reason one line."""
    names: dict[tuple[str, str], list[str]] = {}
    for need, value in values.items():
        if isinstance(value, InfratestError):
            names.setdefault((need.fact, str(value)), []).append(" ".join(need.argument))
    return [f"{fact} {some(each)}".rstrip() + f": {reason}" for (fact, reason), each in names.items()]


def _worded(subject: str, values: Values) -> list[str]:
    return [words for words in sentences(subject, values) if not fault(words)]


def _asked(session: Session, hosts: Sequence[Host], chosen: Sequence[str], deadline: Deadline) -> dict[Need, Any]:
    """Return the facts of both rounds, over one connection."""
    host = hosts[0]
    going = Run(Plan((), {host.name: host}), open_transport, Settings(jobs=session.jobs, deadline=deadline))
    values: dict[Need, Any] = {}
    try:
        for listing in (True, False):
            wanted = dict.fromkeys(
                need
                for subject in chosen
                for need in (SUBJECTS[subject].lists if listing else SUBJECTS[subject].each(values))
            )
            facts = going.collector.collect({host.name: list(wanted)} if wanted else {}, deadline)
            if host.name in facts.blocked:
                raise facts.blocked[host.name]
            values |= facts.at(host.name)
    finally:
        going.close()
    return values


def _holding(
    session: Session, scenarios: Sequence[Written], deadline: Deadline
) -> tuple[list[Written], list[str], list[str]]:
    """Ask all sentences, and return what `_sorted` does."""
    if not scenarios:
        return [], [], []
    with TemporaryDirectory(prefix="infratest-learn-") as folder:
        path = Path(folder) / "learned.feature"
        path.write_text(feature("learned", scenarios), encoding="utf-8")
        request = Request(features=(str(path),))
        report = execute(session, request, prepare(session, request, deadline=deadline), deadline=deadline)
    return _sorted(scenarios, report)


def _sorted(scenarios: Sequence[Written], report: Report) -> tuple[list[Written], list[str], list[str]]:
    """Return the scenarios with the sentences that hold, those that do not, and those of which it is not known."""
    kept: list[Written] = []
    dropped: list[str] = []
    lost: list[str] = []
    for one in scenarios:
        results = [result for result in report.results if result.scenario == one.name]
        steps = [step for result in results for step in result.steps]
        holding = [step.text for step in steps if step.state == OK]
        dropped += [f"{step.text}: {step.reason}" for step in steps if step.state in (WARNING, CRITICAL)]
        lost += [f"{step.text}: {step.reason}" for step in steps if step.state not in (OK, WARNING, CRITICAL)]
        missing = len(one.sentences) - len(steps)
        if missing:
            reason = "; ".join(result.reason for result in results) or "it was not looked at"
            lost.append(f"{counted(missing, 'sentence')} about {one.name}: {reason}")
        if holding:
            kept.append(Written(one.name, holding))
    return kept, dropped, lost
