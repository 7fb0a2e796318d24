"""`ready:` sentences of a host, run as a scenario of their own. For whoever brings hosts up."""

from __future__ import annotations

from infratest.deadline import Deadline
from infratest.engine.run import Settings, run
from infratest.errors import UserError
from infratest.gherkin.suite import THEN, Line, Scenario
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.lifecycle.ready import Ready
from infratest.plan.planner import plan, undefined
from infratest.stack.declared import StackFile
from infratest.stack.open import open_transport
from infratest.states import OK, WARNING
from infratest.values import Values

#: Seconds for one look at all the sentences; `up` looks again until its own deadline.
LOOK = 30.0


def ready_by(stack: StackFile) -> Ready:
    """Return what runs `ready:` sentences on a host of this stack."""

    def ready(host: Host, sentences: tuple[str, ...], deadline: Deadline) -> str:
        made = plan([_scenario(stack, host, sentences)], [host], Values([host], stack.parameters, stack.outputs))
        seconds = deadline.at_most(LOOK).left
        if seconds <= 0:
            return "no time was left to look"
        results, _ = run(made, open_transport, Settings(seconds=seconds, jobs=1))
        bad = [result for result in results if result.state not in (OK, WARNING)]
        return bad[0].reason or bad[0].state if bad else ""

    return ready


def check_ready(stack: StackFile) -> None:
    """Refuse `ready:` sentences that nobody knows, or that change something, before anything is made.

    Raises:
        UserError: file, host and sentence.
    """
    for spec in stack.hosts:
        host = Host(name=spec.name)
        scenario = _scenario(stack, host, spec.ready)
        for line in scenario.lines:
            if line.match is None:
                raise UserError(f"{spec.where}: ready: {undefined(line)}")
        if scenario.acting:
            raise UserError(f"{spec.where}: ready: a sentence that changes something; write only what must hold")


def _scenario(stack: StackFile, host: Host, sentences: tuple[str, ...]) -> Scenario:
    known = vocabulary()
    lines = tuple(Line(THEN, "Then", text, number, known.match(text)) for number, text in enumerate(sentences, 1))
    return Scenario(feature=str(stack.path), feature_name="ready", name=f"{host.name} is ready", line=1, lines=lines)
