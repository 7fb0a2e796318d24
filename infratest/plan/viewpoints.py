"""Where a sentence looks from, and which viewpoints its facts can be looked at from. Pure; called by the planner."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.check import CONTROLLER
from infratest.errors import UserError
from infratest.facts.base import LooksFromController
from infratest.gherkin.binding import Binding
from infratest.gherkin.selection import Group, Named
from infratest.gherkin.sentence import CONTROLLER_VIEW, DEFAULT_VIEW, GROUP_VIEW, HOST_VIEW, NAMED_VIEW
from infratest.hosts import DOWN, Host
from infratest.plugins import builtin


def view(binding: Binding) -> str:
    """Where a sentence looks from: as it says, else as its check does by itself."""
    if binding.tail.view != DEFAULT_VIEW:
        return binding.tail.view
    return CONTROLLER_VIEW if binding.built.viewpoint == CONTROLLER else HOST_VIEW


def refuse_blind(binding: Binding) -> None:
    """Refuse a viewpoint from which nothing could be seen: it would be unknown each time.

    Raises:
        UserError: it names the viewpoint and what to write.
    """
    end = binding.tail
    if end.view in (NAMED_VIEW, GROUP_VIEW) and not binding.built.from_others:
        raise UserError(f"from {end.viewpoint!r}: this is seen on its own host alone; name the host meant with `on`")
    if end.view == CONTROLLER_VIEW:
        blind = [need.fact for need in binding.built.needed if not _from_controller(need.fact)]
        if blind:
            raise UserError(f"from the controller: {blind[0]} is seen on hosts alone; leave `from the controller` out")


def _from_controller(fact: str) -> bool:
    return isinstance(builtin("fact", fact)(), LooksFromController)


def locations(binding: Binding, subject: Host | None, hosts: Sequence[Host]) -> list[str]:
    """Return where a sentence about this host is looked at: names of hosts, or the controller.

    Args:
        subject: None for a sentence that is asked once. hosts: of the stack.
    Raises:
        UserError: an unknown host or group, or a viewpoint that sees nothing of this.
    """
    refuse_blind(binding)
    if subject is not None and subject.state in DOWN:
        return [subject.name]
    where = view(binding)
    if where == CONTROLLER_VIEW:
        return [CONTROLLER]
    if where == HOST_VIEW:
        return [subject.name] if subject else []
    chooser = Group if where == GROUP_VIEW else Named
    return [host.name for host in chooser(binding.tail.viewpoint).choose(hosts)]
