"""The hosts that a monitor is to watch, as they are found now, beside those that it watched before.

Values in, values out: `presence` asks in a thread of its own, and has the loop take in what came of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from infratest.hosts import GONE, NOT_MADE, Host
from infratest.plan.tasks import Plan, Task
from infratest.project.prepare import Choice, Prepared, Request, plan_for, stack_hosts
from infratest.project.session import Session
from infratest.stack.listing import Listing, anew

#: Why a host is gone that an inventory named.
VANISHED = "no inventory names it any longer; where that is right, have the monitor read its stack file anew (HUP)"
#: Why nothing is watched on a host any longer.
DESTROYED = "it was destroyed from here, by the journal"


@dataclass(frozen=True)
class Roll:
    """The hosts of a stack as they were found, and what follows for who watched others.

    Args:
        hosts: to be watched. left: those that are watched no longer, with why. came, lost, went: names of those that
        are new, that vanished, and that were destroyed from here.
    """

    session: Session
    hosts: tuple[Host, ...]
    left: Mapping[str, str]
    came: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


def called(session: Session, before: Mapping[str, Host], left: Mapping[str, str]) -> Roll | None:
    """Ask which hosts there are now; None where they are as before. Raises InfratestError.

    Args:
        before: the hosts that are watched. left: those that are watched no longer, with why.
    """
    session = replace(session, _stack=replace(session.stack, hosts=anew(session.stack.hosts)))
    now, gone = {host.name: host for host in stack_hosts(session)}, dict(left)
    came = tuple(name for name, host in now.items() if name not in before and host.state != NOT_MADE)
    vanished = [name for name in before if name not in now]
    now |= {name: before[name].changed(state=GONE, reason=VANISHED) for name in vanished}
    went = []
    for name, host in [*now.items()]:
        if host.state != NOT_MADE:
            gone.pop(name, None)
        elif name in gone or (name in before and before[name].state != NOT_MADE):
            # It is not there, and the journal does not hold it: from here it was removed.
            gone[name] = DESTROYED
            del now[name]
            went += [name] if name in before else []
    if _as_before(before.values(), now.values()):
        return None
    lost = [name for name, host in now.items() if host.state == GONE and before.get(name, host).state != GONE]
    return Roll(session, tuple(now.values()), gone, came, tuple(lost), tuple(went))


def planned(roll: Roll, request: Request, prepared: Prepared) -> Prepared:
    """Plan on other hosts what was chosen before. Raises InfratestError."""
    choice = Choice(scenarios=prepared.scenarios, features=prepared.features, users=prepared.users)
    made = plan_for(roll.session, request, choice, roll.hosts)
    if not roll.left:
        return made
    every = plan_for(roll.session, request, choice, (*roll.hosts, *map(_left, roll.left)), steps=False).plan
    only = _only_on(every, roll.left)
    return replace(made, plan=made.plan.changed(tasks=tuple([task for task in made.plan.tasks if _about(task, only)])))


def lists(session: Session) -> bool:
    """Whether somebody has to be asked which hosts there are: an inventory, or who makes them."""
    from infratest.stack.open import open_provider

    return isinstance(session.stack.hosts, Listing) or not open_provider(session.stack, session.state).declared


def _left(name: str) -> Host:
    return Host(name, state=NOT_MADE)


def _only_on(plan: Plan, left: Iterable[str]) -> set[str]:
    """Return the scenarios that are about hosts which are watched no longer, and about no others."""
    gone, hosts = set(left), dict[str, set[str]]()
    for task in plan.tasks:
        hosts.setdefault(task.scenario.key, set()).add(task.host)
    return {key for key, its in hosts.items() if its <= gone}


def _about(task: Task, only: set[str]) -> bool:
    return not task.problem or task.scenario.key not in only


def _as_before(before: Iterable[Host], now: Iterable[Host]) -> bool:
    """Whether hosts are as they were. Why one is in its state may count minutes: that alone is no change."""
    return [each.changed(reason="") for each in before] == [each.changed(reason="") for each in now]
