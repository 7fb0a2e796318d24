"""A host of a stack replaced by another one, for heals. Called by `infratest.project.heal`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.project.session import Session
from infratest.remedies.base import Replacing

if TYPE_CHECKING:
    from infratest.lifecycle.operation import Lifecycle, Recorder


def replacing(session: Session, name: str, recorder: Recorder | None) -> Replacing:
    """Return how one host of a stack is replaced. Args: recorder: keeps what is on its successor as it was made."""

    def life(deadline: Deadline) -> Lifecycle:
        from infratest.lifecycle.operation import Lifecycle
        from infratest.project.readiness import ready_by

        ready = ready_by(session.stack)
        return Lifecycle(session.stack, session.state, deadline=deadline, ready=ready, recorder=recorder)

    def fenced(deadline: Deadline) -> tuple[bool, str]:
        from infratest.lifecycle import aside

        try:
            spec = next((one for one in session.stack.hosts if one.name == name), None)
            if spec is None:
                return False, f"{name} is no host of the stack"
            return aside.fenced(life(deadline), spec, deadline, session.command)
        except InfratestError as error:
            return False, f"whether {name} is out of service is not known: {error}"

    def replace(keep: float, arrived: Callable[[], None], proven: Callable[[float], str], deadline: Deadline) -> str:
        from infratest.lifecycle.replace import replace

        return replace(life(deadline), name, keep, arrived, proven, session.command)

    def put_back(deadline: Deadline) -> str:
        from infratest.lifecycle.replace import put_back

        return put_back(life(deadline), name)

    return Replacing(
        fenced=fenced, replace=replace, put_back=put_back, kept=lambda: kept_now(session).get(name, "")
    )  # fmt: skip


def kept_now(session: Session) -> dict[str, str]:
    """Return the provider's id of each host that is kept beside its successor, by its name. Raises StateError."""
    from infratest.lifecycle.aside import kept_in
    from infratest.store.journal import Journal

    stack, state = session.stack, session.state
    if not state.exists:
        return {}
    return {name: one.id for name, one in kept_in(Journal(state).records(), stack.name, stack.env).items()}
