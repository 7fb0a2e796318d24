"""What a plan is made of, as values: who is asked what, from where. Made by the planner, run by the engine.

On the plugin program's path.
"""

from __future__ import annotations

from infratest.errors import FactError
from infratest.facts.base import PATIENCE_THERE
from infratest.gherkin.sentence import APART
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infratest.acts.base import Act
    from infratest.check import Check, Measure
    from infratest.facts.base import Need
    from infratest.gherkin.sentence import Tail
    from infratest.gherkin.suite import Line, Scenario
    from infratest.hosts import Host
    from infratest.thresholds import Threshold
    from infratest.waivers import Waiver

#: The host of a scenario that runs once.
NO_HOST = "-"

#: What a host's implicit result is called: whether it can be reached and be logged in to.
REACHABLE = "reachable"

#: Facts that are commands of the user's own.
COMMANDS = ("command", "root-command")


def reachable_id(host: str) -> str:
    """The id of a host's implicit result."""
    return f"{REACHABLE}@{host}"


class Look(Record):
    """One check about one subject host (or NO_HOST), asked at a location: a host's name or CONTROLLER.

    `measure` is the number it looks at, labelled with hosts' names for their addresses: a stack that is made anew has
    other addresses, and the graphs of a monitoring system go by the label.
    """

    subject: str
    location: str
    check: Check
    measure: Measure | None = None


class CheckStep(Record):
    """A checking sentence: its looks, and on how many of them it must hold."""

    line: Line
    looks: tuple[Look, ...]
    negated: bool
    threshold: Threshold | None
    tail: Tail

    @derived
    def needed(self) -> tuple[tuple[str, Need], ...]:
        """What its looks need, and where; where it says how long an answer may take, with that."""
        limit = 0.0
        if self.threshold is not None and any(look.measure is not None and look.measure.took for look in self.looks):
            bound = self.threshold.critical
            limit = bound.top if bound.words in ("less than", "at most", "between") else 0.0
        if limit <= PATIENCE_THERE:
            return tuple((look.location, need) for look in self.looks for need in look.check.needed)
        return tuple((look.location, need.changed(seconds=limit)) for look in self.looks for need in look.check.needed)


def label(name: str, tail: Tail) -> str:
    """Return what a number is called that is made of those of several hosts, from what it is called on each."""
    if tail.named:
        return tail.named
    made = "" if tail.quantifier == APART else f" {tail.quantifier}"
    return f"{name}{made}" + (f" over {tail.group}" if tail.group else "")


class ActStep(Record):
    """An acting sentence: what is done to which hosts."""

    line: Line
    targets: tuple[tuple[str, Act], ...]


class OtherStep(Record):
    """A line that asks nothing: a selection (no problem), an undefined sentence, or a step of the user's own.

    `text` and `below`, of a step of the user's own, are what its function gets: the line, and what stands below it,
    with their values put in.
    """

    line: Line
    problem: str = ""
    text: str = ""
    below: tuple[str, ...] = ()


Step = CheckStep | ActStep | OtherStep


class Task(Record):
    """One scenario on one host. `problem` says why it cannot be asked, `skip` why it is left out; both else empty.

    Where there is a problem, `steps` are the sentences that stand in the way alone, each with its own.
    `given`, of a scenario with steps of the user's own, are the hosts that its Given sentences select, all without one.
    """

    scenario: Scenario
    host: str
    steps: tuple[Step, ...] = ()
    problem: str = ""
    skip: str = ""
    given: tuple[str, ...] = ()

    @derived
    def id(self) -> str:
        return self.scenario.id(self.host)

    @derived
    def checks_nothing(self) -> str:
        """What it does instead, in words, where no sentence in it checks anything; else empty."""
        more = [
            step
            for step in self.steps
            if not step.line.condition and (not isinstance(step, OtherStep) or step.problem or step.line.user)
        ]
        if not all(isinstance(step, ActStep) for step in more):
            return ""
        return "it only changes something" if more else "it only selects hosts"

    @derived
    def waits(self) -> bool:
        """Whether it runs commands of the user's where its conditions hold: they are looked at before, in a trip apart.

        Facts of ours are asked together with them: they only look, and cost a host where nobody asks next to nothing.
        """
        if not any(step.line.condition for step in self.steps):
            return False
        rest = [step for step in self.steps if isinstance(step, CheckStep) and not step.line.condition]
        return any(need.fact in COMMANDS for step in rest for _, need in step.needed)

    @property
    def acting(self) -> bool:
        return self.scenario.acting


class Plan(Record):
    """All tasks of a run, in the order of the features, and the stack's waivers."""

    tasks: tuple[Task, ...]
    hosts: Mapping[str, Host]
    waivers: tuple[Waiver, ...] = ()

    def needs(self) -> dict[str, dict[Need, None]]:
        """Return what the checking tasks need, by location, each once, in order."""
        steps = [step for task in self.tasks if not task.acting and not task.skip for step in task.steps]
        return needs_of(step for step in steps if isinstance(step, CheckStep))

    def endpoint(self, address: str, port: int) -> tuple[str, int]:
        """Return how the controller reaches an address: by the endpoint where it is a host of the stack.

        Raises:
            FactError: the port of that host is neither routed nor published.
        """
        for host in self.hosts.values():
            if address in (host.address, host.name):
                found = host.endpoint(port)
                if found is None:
                    raise FactError(
                        f"port {port} of {host.name} is neither routed nor published: add it to `ports:` of the host"
                    )
                return found
        return address, port


def needs_of(steps: Iterable[CheckStep]) -> dict[str, dict[Need, None]]:
    """Return what these steps need, by location, each once, in order."""
    found: dict[str, dict[Need, None]] = {}
    for step in steps:
        for location, need in step.needed:
            found.setdefault(location, {})[need] = None
    return found
