"""What keeps what is on a host before it is first provisioned, for `coverage`: of verbs that provision or heal."""

from __future__ import annotations

from collections.abc import Callable

from infratest.deadline import Deadline
from infratest.hosts import Host
from infratest.project.session import Session


def recorder(session: Session) -> Callable[[Host, str, float, Deadline], None]:
    """Return what is called with a host, its provider's id, since when it lives under this, and a deadline."""

    def record(host: Host, id: str, begun: float, deadline: Deadline) -> None:
        from infratest.learn import baseline  # few calls provision

        baseline.record(session.state, session.stack.place, host, id, begun, deadline)

    return record
