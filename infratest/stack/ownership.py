"""Whose a stack's things are, where a provider has accounts: with another's credentials none of them is seen.

Who owns them is kept in the journal before the first of them is made, and compared where nothing of them is seen: a
verb that went on would make all hosts again in the other account, and forget those of the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import GONE, Host
from infratest.providers.base import HasAccount, Provider
from infratest.stack.declared import StackFile
from infratest.store.journal import Journal
from infratest.store.records import Record, account, not_removed, unanswered


def keep(stack: StackFile, provider: Provider, journal: Journal, deadline: Deadline) -> None:
    """Write down who owns what is made next, where nothing of an earlier owner's is left. Raises StateError.

    Where the provider cannot tell, nothing is written, and nothing compared later.
    """
    if not isinstance(provider, HasAccount):
        return
    records, where = journal.records(), (stack.name, stack.env)
    known = account(records, *where)
    if known and _made(records, stack):
        return
    with suppress(ProviderError):  # who may make hosts may have no right to ask this
        now = provider.account(deadline)
        if now and now != known:
            journal.account(*where, now)


def refuse_foreign(stack: StackFile, provider: Provider, records: Sequence[Record], deadline: Deadline) -> None:
    """Raise ProviderError where the credentials are not those of who made the stack; for when nothing of it is seen.

    Also where that cannot be told, though it could be when it was made.
    """
    made, former = _made(records, stack), account(records, stack.name, stack.env)
    if not made or not former or not isinstance(provider, HasAccount):
        return
    things = f"{', '.join(made)} of {stack.name}{f'/{stack.env}' if stack.env else ''}"
    try:
        now = provider.account(deadline)
    except ProviderError as error:
        words = f"whether it is gone, or of another account than {former}, is not known"
        raise ProviderError(f"{stack.path}: nothing is seen of {things}; {words}: {error}") from error
    if now and now != former:
        raise ProviderError(
            f"{stack.path}: {former} made {things}, and the credentials are those of {now}, which sees none of it; "
            "nothing was changed: use the former credentials, or for the other account another state directory "
            "(`--state`)"
        )


def none_seen(hosts: Sequence[Host], held: Collection[str]) -> bool:
    """Return whether some hosts are there by the journal, and none of these by their provider."""
    states = [host.state for host in hosts if host.name in held]
    return bool(states) and all(state == GONE for state in states)


def _made(records: Sequence[Record], stack: StackFile) -> list[str]:
    """Return what may be there by the journal, as `host web`."""
    where = (stack.name, stack.env)
    made = [(one.kind, one.name) for one in not_removed(records, *where)]
    asked = sorted((kind, name) for _, kind, name in unanswered(records, *where))
    return list(dict.fromkeys(f"{kind} {name}" for kind, name in [*made, *asked]))
