"""From a plan to its mutation score, on a stack that this tool made and may destroy, and on no other."""

from __future__ import annotations

from collections.abc import Callable

from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.engine.mutating import mutated
from infratest.engine.run import Settings
from infratest.errors import UserError
from infratest.model import Report, Result
from infratest.project.execute import starter
from infratest.project.prepare import Prepared
from infratest.project.session import Session
from infratest.project.undo_journal import UndoJournal
from infratest.stack.declared import StackFile
from infratest.stack.open import open_provider, open_transport
from infratest.store.directory import StateDir

#: Seconds that it may take, where `--timeout` says nothing else: each sentence is asked four times, and some wait.
SECONDS = 3600.0


def refuse(stack: StackFile, state: StateDir) -> None:
    """Raise UserError for a stack in which nothing may be broken."""
    if stack.production:
        raise UserError(f"{stack.name} is production: nothing in it is broken on purpose; name another environment")
    if open_provider(stack, state).declared:
        raise UserError(
            f"the hosts of {stack.name} were there before (provider: {stack.provider}), and each fault is a risk to "
            "them: `infratest mutate` breaks only what `infratest up` has made; give the stack an environment that "
            "makes its hosts (provider: container)"
        )


@defects_told
def mutate(
    session: Session,
    prepared: Prepared,
    deadline: Deadline,
    on_result: Callable[[Result], None] | None = None,
    wait: float = 0.0,
) -> Report:
    """Break what each sentence says and return what came of it; stores nothing, since no host was as it should be.

    Args:
        on_result: called with each scenario's result. wait: seconds to wait for the stack's lock.
    Raises:
        InfratestError: the stack may not be broken, or another run has its lock.
    """
    stack, state = session.stack, session.state
    refuse(stack, state)
    settings = Settings(
        seconds=deadline.seconds,
        deadline=deadline,
        jobs=session.jobs,
        on_result=on_result,
        undo_log=UndoJournal(state, stack.name, stack.env),
        start=starter(session),
    )
    with state.lock(wait, "mutate"):
        return mutated(prepared.plan, open_transport, settings, stack.name, stack.env, stack.production)
