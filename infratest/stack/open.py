"""What a stack file names, opened: its provider, its hosts as they are now, a way into one of them.

Called by the lifecycle, by `test` and `check`, and by the pytest fixtures. Takes no lock and writes nothing, so that
a monitor that may only read can use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from infratest import outsiders
from infratest.deadline import Deadline
from infratest.errors import InfratestError, StateError, UserError
from infratest.hosts import GONE, NOT_MADE, Host
from infratest.options import build
from infratest.providers.base import Context, Provider
from infratest.stack import listing, ownership
from infratest.stack.command import command
from infratest.stack.declared import StackFile
from infratest.store.beside import outputs
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.records import Record, made_by_others, not_removed, unanswered
from infratest.transports.base import Transport

#: Of the time for looking at hosts: what may go into looking for one that a listing has forgotten.
SHARE = 1 / 3

#: At the end of a place: by what it is known where its address may be another one some day.
IDENTITY = re.compile(r", id \S+\)$")

#: Seconds to say who hosts are that nobody has made, which asks nobody.
UNASKED = 10.0


def open_provider(stack: StackFile, state: StateDir) -> Provider:
    """Return the stack's provider with its options.

    Raises:
        UserError: an unknown provider, or an option that it does not have.
    """
    kind = outsiders.get("provider", stack.provider)
    where = stack.provider_where or str(stack.path)
    options_class = outsiders.options_of(kind)
    if options_class is None:
        raise InfratestError(f"{kind.__module__}: has no Options dataclass; every provider has one, even if empty")
    options = build(options_class, stack.provider_options, f"{where}: provider {stack.provider}")
    context = Context(folder=stack.folder, state=state.path, stack=stack.name, env=stack.env)
    provider: Provider = kind(options, context)
    return provider


def open_hosts(stack: StackFile, state: StateDir, deadline: Deadline) -> list[Host]:
    """Return the hosts of the stack as they are now, in the stack file's order, each with its state.

    A listing that lags may forget a host for a while. One that is there by the journal is looked for again for as long
    as listings may lag, and for no more than a share of the time: what is asked of the others needs the rest.
    """
    listing.read(stack.hosts, deadline)
    provider = open_provider(stack, state)

    def refuse() -> None:
        with suppress(StateError):  # a damaged journal is told by those who work with it
            refuse_another(stack, state, provider, Journal(state).records())

    with another_first(refuse):
        hosts = (
            _settled(provider, stack, state, deadline) if provider.settles else provider.hosts(stack.hosts, deadline)
        )
        _refuse_foreign(provider, stack, state, hosts, deadline)
    # One that only knows where hosts are says the same whatever another had made: a check would look at other machines.
    if provider.declared or any(host.state == GONE for host in hosts):
        refuse()
    return as_made(hosts, stack, state)


def _refuse_foreign(
    provider: Provider, stack: StackFile, state: StateDir, hosts: Sequence[Host], deadline: Deadline
) -> None:
    """Raise ProviderError where none of the hosts is seen because they are another account's."""
    with suppress(StateError):  # a damaged journal is told by those who work with it
        if any(host.state == GONE for host in hosts) and ownership.none_seen(hosts, _held(stack, state)):
            ownership.refuse_foreign(stack, provider, Journal(state).records(), deadline)


def unmade_hosts(stack: StackFile, state: StateDir) -> list[Host] | None:
    """Return the hosts of a stack of which nothing was made, asking nobody; None where somebody has to be asked.

    Hosts that are not made from here are there without a word of it in the journal.
    """
    if open_provider(stack, state).declared:
        return None
    try:
        records = Journal(state).records()
    except StateError:
        return None  # what a damaged journal would have said is told by those who work with it
    where = (stack.name, stack.env)
    known = not_removed(records, *where) or unanswered(records, *where)
    return None if known else hosts_unasked(stack, state)


def hosts_unasked(stack: StackFile, state: StateDir) -> list[Host]:
    """Return the hosts as the stack file has them, as if none were made: who they are, not where. Asks nobody."""
    # By its contract a provider says of a state directory that is not there that nothing was ever made from it.
    nowhere = StateDir(state.path / "none")
    return as_made(open_provider(stack, nowhere).hosts(stack.hosts, Deadline(UNASKED)), stack, nowhere)


def _settled(provider: Provider, stack: StackFile, state: StateDir, deadline: Deadline) -> list[Host]:
    from infratest.providers._settling import settled_hosts  # for the few providers whose listings lag

    held: set[str] = set()
    with suppress(StateError):  # a damaged journal is told by those who work with it
        held = _held(stack, state)
    return settled_hosts(provider, stack.hosts, held, deadline, deadline.at_most(deadline.left * SHARE))[0]


def makers(stack: StackFile, provider: Provider) -> list[str]:
    """Return by whom, and where, the stack's hosts are made, as the journal keeps it; then where else it looks."""
    return [f"{stack.provider} ({place})" if place else stack.provider for place in provider.places()]


def by_another(stack: StackFile, state: StateDir, provider: Provider, records: Sequence[Record]) -> list[str]:
    """Return, a line each, what another provider than that of the stack file made and nobody has removed.

    Where a provider cannot say at which place it works, as without a login, what was made by it counts as its own.
    """
    named = {str(record.get("maker", "")) for record in records}
    try:
        seen = makers(stack, provider)
        known = {found[0] for each in seen if (found := IDENTITY.search(each))}
        seen += [maker for maker in named if (found := IDENTITY.search(maker)) and found[0] in known]
    except InfratestError:
        seen = [stack.provider, *(maker for maker in named if maker.startswith(f"{stack.provider} ("))]
    # Where its API is may stand in variables of the environment.
    says, back = "the stack file says", "the former line"
    if provider.environment:
        says, back = "the stack file and the environment say", "the former line, or the former environment,"
    return [
        f"provider {other} made {', '.join(sorted(made))}, and {says} provider {seen[0]} now: "
        f"put {back} back and run `{command(stack, state, 'destroy')}`, then change it"
        for other, made in made_by_others(records, stack.name, stack.env, seen).items()
    ]


def refuse_another(stack: StackFile, state: StateDir, provider: Provider, records: Sequence[Record]) -> None:
    """Raise UserError where another provider made what is there of this stack: this one would not see it."""
    if lines := by_another(stack, state, provider, records):
        raise UserError(f"{stack.path}: {'; '.join(lines)}")


@contextmanager
def another_first(refuse: Callable[[], None]) -> Iterator[None]:
    """Ask a provider; where it cannot be asked, what another one made is told before why: it would not be seen anyway.

    Args:
        refuse: as `refuse_another`.
    """
    try:
        yield
    except InfratestError:
        refuse()
        raise


def as_made(hosts: Sequence[Host], stack: StackFile, state: StateDir) -> list[Host]:
    """Return hosts as the journal knows them too: what is not there and was never made from here is `not made`."""
    if not any(host.state == GONE for host in hosts):
        return list(hosts)
    try:
        made = _held(stack, state)
    except StateError:
        return list(hosts)  # what a damaged journal would have said is told by those who work with it
    return [host.changed(state=NOT_MADE) if host.state == GONE and host.name not in made else host for host in hosts]


def _held(stack: StackFile, state: StateDir) -> set[str]:
    """Return the names of the hosts that are there by the journal. Raises StateError."""
    held = Journal(state).live().values()
    return {one.name for one in held if (one.stack, one.env) == (stack.name, stack.env)}


def component_values(stack: StackFile, state: StateDir) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Return what the components that were made give to others, by type and name: by the journal, asking nobody."""
    if not stack.components:
        return {}
    try:
        return outputs(Journal(state).records(), stack.name, stack.env)
    except StateError:
        return {}  # what a damaged journal would have said is told by those who work with it


def open_transport(host: Host) -> Transport:
    """Return the way to a host, not connected yet.

    Raises:
        UserError: an unknown transport, or an option that it does not have.
    """
    transport: Transport = outsiders.get("transport", host.transport)(host)
    return transport


def opened(host: Host, deadline: Deadline) -> Transport:
    """Return the way to a host, connected and logged in; the caller closes it. Raises TransportError."""
    transport = open_transport(host)
    try:
        transport.open(deadline)
    except BaseException:
        transport.close()
        raise
    return transport
