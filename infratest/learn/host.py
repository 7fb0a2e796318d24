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
from infratest.learn.subjects import SUBJECTS, Values, beyond, sentences
from infratest.plan.tasks import Plan
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.session import Session
from infratest.stack.open import open_transport
from infratest.states import OK


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
    unknown = [
        f"{need.fact} {' '.join(need.argument)}".rstrip() + f": {value}"
        for need, value in values.items()
        if isinstance(value, InfratestError) and need.fact not in ("service", "unit-file")
    ]
    unknown += beyond(values)
    several = len(session.stack.hosts) > 1
    written = [Written(subject, _worded(subject, values)) for subject in chosen]
    kept, dropped = _holding(session, [one for one in written if one.sentences], deadline)
    count = sum(len(one.sentences) for one in kept)
    given = f'Given the host "{name}"' if several else ""
    text = feature(name, kept, [f"learned from {name} by infratest learn"], given) if count else ""
    return Learned(text, count, unknown, dropped)


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


def _holding(session: Session, scenarios: Sequence[Written], deadline: Deadline) -> tuple[list[Written], list[str]]:
    """Return the scenarios with the sentences that hold when they are asked, and those that do not."""
    if not scenarios:
        return [], []
    with TemporaryDirectory(prefix="infratest-learn-") as folder:
        path = Path(folder) / "learned.feature"
        path.write_text(feature("learned", scenarios), encoding="utf-8")
        request = Request(features=(str(path),))
        report = execute(session, request, prepare(session, request, deadline=deadline), deadline=deadline)
    holding: dict[str, list[str]] = {}
    dropped: list[str] = []
    for result in report.results:
        for step in result.steps:
            if step.state == OK:
                holding.setdefault(result.scenario, []).append(step.text)
            else:
                dropped.append(f"{step.text}: {step.reason}")
    return [Written(one.name, holding[one.name]) for one in scenarios if one.name in holding], dropped
