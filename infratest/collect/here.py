"""This machine asked by itself: native readers where a fact has one, else one shell. On the plugin's path.

`look_here` serves the collector of many hosts too, for those that are this machine; `Here` is the whole collector of
a run that is about nothing else.
"""

from __future__ import annotations

from infratest.collect.asked import Ask, Facts, InTurn, as_failure, asks, fewer
from infratest.errors import FactError
from infratest.facts.base import LooksHere
from infratest.hosts import RUNNING
from infratest.model import Cost

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infratest.deadline import Deadline
    from infratest.facts.base import Need
    from infratest.hosts import Host
    from infratest.plan.tasks import Plan


def is_here(host: Host) -> bool:
    """Whether a host is this machine, asked as who we are."""
    return host.transport == "local" and host.state == RUNNING and not host.sudo


def here_alone(plan: Plan) -> str:
    """Return the host of a plan that is about this machine and nothing else and only looks; else an empty text."""
    if len(plan.hosts) != 1 or not all(is_here(host) for host in plan.hosts.values()):
        return ""
    (name,) = plan.hosts
    for task in plan.tasks:
        if task.acting or task.scenario.own:
            return ""
        for step in task.steps:
            if any(look.location != name for look in getattr(step, "looks", ())):
                return ""
    return name


def look_here(location: str, wanted: Sequence[Ask], facts: Facts) -> list[Ask]:
    """Answer what this machine can be asked natively, and return what a shell must answer."""
    left: list[Ask] = []
    for ask in wanted:
        fact = ask.fact
        if not isinstance(fact, LooksHere):
            left.append(ask)
            continue
        try:
            values = fact.look_here(ask.arguments) or {}
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            if len(ask.needs) > 1:
                left += look_here(location, [Ask(fact, (need,)) for need in ask.needs], facts)
            else:
                facts.failed(location, ask, as_failure(ask.name, error))
            continue
        here = facts.at(location)
        here.update({need: values[need.argument] for need in ask.needs if need.argument in values})
        missing = tuple([need for need in ask.needs if need.argument not in values])
        if missing:
            left.append(ask if len(missing) == len(ask.needs) else Ask(fact, missing))
    return left


class Here:
    """The collector of this machine alone: in order, in this process, without a thread."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._commands = 0

    @property
    def cost(self) -> Cost:
        """What it cost, counted as by the transport `local`: the first command is a login too."""
        return Cost(min(self._commands, 1), self._commands, self._commands)

    def close(self) -> None:
        """Nothing is held."""

    def trips(self, places: int) -> InTurn:
        """Return what makes one round trip after another."""
        return InTurn(self.collect)

    def collect(self, needs: Mapping[str, Iterable[Need]], deadline: Deadline) -> Facts:
        """Ask everything that is needed here and return what came back by the deadline, which is one batch."""
        facts = Facts()
        for location, wanted in needs.items():
            left = look_here(location, asks(wanted), facts)
            if location != self._host:
                for ask in left:
                    facts.failed(location, ask, FactError(f"{ask.name} cannot be looked at from {location} here"))
            elif left:
                from infratest.collect.here_shell import ask_shell

                before: Sequence[Ask] | None = None
                while left and (before is None or fewer(left, before)) and not deadline.passed:
                    self._commands += 1
                    ask_shell(location, left, deadline, facts)
                    before, left = left, facts.unread(location)
        return facts
