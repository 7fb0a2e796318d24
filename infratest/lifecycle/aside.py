"""Hosts that stand aside: set aside when they are known to be out of service, put back when their successor is gone.

Called by `replace`, and by `up`, which finishes what a killed run has begun. What is to become of a host is in the
journal before its provider is asked, and each step may be done twice: there are never two hosts in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.hosts import FAILED, GONE, STARTING, STOPPED, Host
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.removal import HOST, failures
from infratest.lifecycle.stopping import Stop
from infratest.providers._aside import SetsAside, aside_name
from infratest.providers.base import Halts, HostSpec, Provider, Resource
from infratest.quoting import command_line
from infratest.store.journal import Operation
from infratest.store.records import Aside, Record, asides, live
from infratest.units import human

#: What to do where a host cannot be replaced.
INSTEAD = "take power-cycle, or a hook that fences it, or replace it by hand"


def here(*words: str) -> str:
    """Return the command line of these words, for whoever is where the stack file is."""
    return command_line(["infratest", *words])


def kept(life: Lifecycle) -> dict[str, Aside]:
    """Return what stands aside in this environment, by the name of the host in whose place it stood."""
    return kept_in(life.journal.records(), life.stack.name, life.stack.env)


def kept_in(records: Sequence[Record], stack: str, env: str) -> dict[str, Aside]:
    """Return the same by the journal of a state directory."""
    held = {id for id, one in live(records).items() if (one.stack, one.env) == (stack, env)}
    return {one.name: one for one in asides(records).values() if one.id in held and not one.back}


def why_not(provider: Provider, name: str) -> str:
    """Return why no host of a provider of this name can be replaced, empty where one can. Asks nobody."""
    if not isinstance(provider, SetsAside) or not isinstance(provider, Halts):
        return f"provider {name} cannot stop a host and keep it beside another one of its name"
    why = provider.why_not_aside()
    return f"provider {name}: {why}" if why else ""


def fenced(life: Lifecycle, spec: HostSpec, deadline: Deadline, command: Callable[..., str] = here) -> tuple[bool, str]:
    """Return whether a host is out of service, or is sure to be before it has a successor, and why or why not.

    Only its provider's word counts: that it does not answer may be the network between.

    Args:
        command: returns the command line of these words, as a person has to type it.
    """
    why, name = why_not(life.provider, life.stack.provider), spec.name
    if why:
        return False, f"{why}: {INSTEAD}"
    try:
        state, reason = _state(life, spec, deadline)
        before = kept(life).get(name)
    except InfratestError as error:
        return False, f"whether {name} is out of service is not known: {error}; nothing is made beside it"
    if before is not None and state != GONE and not over(life, before):
        undo, removes = command("heal", "undo"), command("destroy", "--host", aside_name(name))
        left = "" if before.until is None else f", for {human(before.until - life.clock.time(), 's')} more"
        return False, (
            f"{aside_name(name)}, in whose place {name} stands, is kept still{left}: `{undo}` puts it back, "
            f"`{removes}` removes it"
        )
    if state == STOPPED:
        return True, "its provider says that it is stopped"
    if state == GONE:
        return True, "its provider says that it is gone"
    if state in (STARTING, FAILED):
        words = f"it is {state} by its provider's word{f' ({reason})' if reason else ''}, which is not stopped"
        return False, f"{words}: have it stopped there, or wait until it runs"
    return True, f"it is {state} by its provider's word, and has no successor before that says stopped"


def over(life: Lifecycle, one: Aside) -> bool:
    """Whether a host need not be kept any longer."""
    return one.until is not None and one.until <= life.clock.time()


def set_aside(life: Lifecycle, resource: Resource, spec: HostSpec, deadline: Deadline) -> None:
    """Have a host be out of service, by its provider's word, and stand aside.

    Raises:
        ProviderError: it does not stop: it stands where it stood. UserError: its provider cannot.
    """
    provider = life.provider
    if not isinstance(provider, SetsAside) or not isinstance(provider, Halts):
        raise UserError(why_not(provider, life.stack.provider))
    # Also where it is said to be stopped: some clouds say so of what is stopping still.
    life.progress(spec.name, "halting", "")
    provider.halt(resource, deadline)
    state, _ = _state(life, spec, deadline)
    if state != STOPPED:
        words = f"{spec.name} was to stop, and is {state} by its provider's word"
        raise ProviderError(f"{words}: nothing is made in its place")
    life.journal.aside(resource.id, spec.name)
    provider.rename(resource, aside_name(spec.name), deadline)
    life.progress(spec.name, "set aside", f"as {aside_name(spec.name)}")


def put_back(life: Lifecycle, one: Aside, operation: Operation, deadline: Deadline, stop: Stop) -> Resource | None:
    """Remove a host's successor, and have the host itself stand in its place again, stopped. The journal has it before.

    Returns:
        The host; None where it is not there any more: its successor stays then.
    """
    life.journal.back(one.id, one.name)
    mine = [each for each in life.mine(deadline) if each.kind == HOST]
    old = next((each for each in mine if each.id == one.id), None)
    if old is None or not isinstance(life.provider, SetsAside):
        return None
    successors = [each for each in mine if each.name == one.name and each.id != one.id]
    left = failures(life.remove(successors, operation, deadline, stop))
    if left:
        raise ProviderError(f"its successor is not removed: {'; '.join(left)}")
    if old.name != one.name or life.provider.settles:  # where listings lag this may be an old word
        life.provider.rename(old, one.name, deadline)
    life.progress(one.name, "put back", "")
    return old


def finish(life: Lifecycle, existing: Iterable[Resource], operation: Operation, deadline: Deadline) -> bool:
    """Finish what a killed run has begun with hosts that stand aside; return whether there was anything to do."""
    known, specs = asides(life.journal.records()), {spec.name: spec for spec in life.stack.hosts}
    found = False
    for resource in life.mine_of(existing):
        one = known.get(resource.id)
        spec = specs.get(one.name) if one is not None else None
        if one is None or spec is None or (resource.name == one.name) == one.back:
            continue
        found = True
        if one.back:
            put_back(life, one, operation, deadline, life.stop)
        else:
            set_aside(life, resource, spec, deadline)
    return found


def _state(life: Lifecycle, spec: HostSpec, deadline: Deadline) -> tuple[str, str]:
    host: Host = life.now([spec], deadline)[0]
    return host.state, host.reason
