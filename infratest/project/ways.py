"""A host's way in, looked at again by a heal: the implicit result `reachable@HOST`, which no scenario has.

Called by `infratest.project.heal`. Once such a host answers again, what it stood in the way of is looked at too: a
report that leaves it blocked would be green for want of looking.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infratest.deadline import Deadline
from infratest.engine.results import reached, unreachable
from infratest.errors import TransportError, Unreachable
from infratest.heal.records import HealRecord
from infratest.heal.rules import WAY
from infratest.hosts import RUNNING, Host
from infratest.model import Report, Result
from infratest.project.prepare import stack_hosts
from infratest.project.session import Session
from infratest.stack.open import opened

#: Seconds that one look may take.
LOOK = 15.0


def ways(session: Session, ids: Sequence[str], deadline: Deadline | None) -> list[Result]:
    """Return how the ways into hosts are now, by the ids of their results. Raises InfratestError: nobody can say."""
    wanted = {id.removeprefix(WAY) for id in ids}
    limit = Deadline(LOOK) if deadline is None else deadline.at_most(LOOK)
    return [_way(host, limit) for host in stack_hosts(session, deadline) if host.name in wanted]


def _way(host: Host, deadline: Deadline) -> Result:
    try:
        if host.state != RUNNING:
            raise Unreachable(f"host {host.name}: {host.state} by its provider's word")
        transport = opened(host, deadline)
        try:
            transport.run(["true"], deadline)
        finally:
            transport.close()
    except TransportError as error:
        return unreachable(host, error)
    return reached(host)


def unblocked(report: Report, records: Sequence[HealRecord], rerun: Callable[[Sequence[str]], Report]) -> Report:
    """Return a healed report with what stood behind a host that answers again, as that is now.

    Raises:
        InfratestError: it could not be looked at.
    """
    answering = {one.before.id for one in records if one.verified and one.before.id.startswith(WAY)}
    behind = [one.id for one in report.results if one.blocked_by in answering]
    if not behind:
        return report
    now = {one.id: one for one in rerun(behind).results}
    looked: Report = report.changed(results=[now.get(one.id, one) for one in report.results])
    return looked
