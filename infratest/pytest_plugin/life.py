"""`--infratest-up`: the stack brought up once for all workers, and destroyed in the end as far as it was made.

Called by the session's plugin.
"""

from __future__ import annotations

from functools import cached_property

from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.hosts import GONE, Host
from infratest.project.prepare import PROVIDER_SECONDS
from infratest.project.session import Session
from infratest.pytest_plugin.once import Shared
from infratest.stack.open import open_hosts


class Life:
    """The life of a stack around one session.

    Args:
        up: whether the stack is to be brought up; else it is used as it is.
    """

    def __init__(self, session: Session, shared: Shared, up: bool) -> None:
        self.up = up
        self._session = session
        self._shared = shared

    @cached_property
    def hosts(self) -> list[Host]:
        """The stack's hosts as they are, brought up first where that was asked for. Raises InfratestError."""
        self.begin()
        return open_hosts(self._session.stack, self._session.state, Deadline(PROVIDER_SECONDS))

    def begin(self) -> None:
        """Bring the stack up, once for all workers, where that was asked for. Raises InfratestError."""
        if self.up:
            problem = self._shared.once("up", self._bring_up)
            if problem:
                raise InfratestError(problem)

    def end(self) -> None:
        """Destroy what this session has made. Raises InfratestError."""
        absent = self._shared.noted("absent")
        if absent:
            from infratest.lifecycle.destroy import destroy
            from infratest.lifecycle.operation import Lifecycle

            everything = len(absent) == len(self._session.stack.hosts)
            destroy(Lifecycle(self._session.stack, self._session.state), None if everything else absent)

    def _bring_up(self) -> str:
        from infratest.lifecycle.operation import Lifecycle
        from infratest.lifecycle.stopping import Stop, Stopped, signals
        from infratest.lifecycle.up import up
        from infratest.project.readiness import ready_by

        stack, state, stop = self._session.stack, self._session.state, Stop()
        try:
            with signals(stop):
                life = Lifecycle(stack, state, ready=ready_by(stack), stop=stop)
                there = life.provider.hosts(stack.hosts, Deadline(PROVIDER_SECONDS))
                # Noted before anything is made: it is destroyed in the end even if this process is gone by then.
                self._shared.note("absent", [host.name for host in there if host.state == GONE])
                up(life)
        except Stopped:
            raise KeyboardInterrupt from None
        except InfratestError as error:
            return f"--infratest-up: {error}"
        return ""
