"""Hosts that run and that neither the stack file nor this state directory leads to. For `up`, `status` and `reap`.

`undeclared` were made from this state directory, and the stack file names them no more; so may components be.
`elsewhere` carry this owner's and this stack's name under the id of another state directory: a second checkout, or one
that was lost. None is ever removed by itself; each is named, with what removes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest import outsiders
from infratest.errors import InfratestError
from infratest.lifecycle import components
from infratest.lifecycle.operation import OTHER, Lifecycle
from infratest.lifecycle.removal import DIRECTORY, ENV, EXPIRES, HOST, OWNER, PRODUCTION, STACK, STATE
from infratest.providers._aside import SUFFIX, own_name
from infratest.providers.base import Resource
from infratest.stack.command import line
from infratest.stack.declared import StackFile
from infratest.store.directory import owner
from infratest.store.records import Held
from infratest.units import human


@dataclass(frozen=True, kw_only=True)
class Strays:
    """Such hosts and components; `unknown` says why they could not be asked for, empty where they were."""

    undeclared: tuple[Resource, ...] = ()
    elsewhere: tuple[Resource, ...] = ()
    unknown: str = ""


def find(life: Lifecycle) -> Strays:
    """Return what the provider knows of such hosts; takes no lock and writes nothing."""
    try:
        return of(life, () if life.provider.declared else life.provider.existing(life.limit(OTHER)))
    except InfratestError as error:
        return Strays(unknown=str(error))


def of(life: Lifecycle, existing: Iterable[Resource]) -> Strays:
    """Return such hosts of all that exists. Raises StateError: the journal cannot be read."""
    held, state_id = life.journal.live(), life.state_id()
    beside = [one for one in existing if one.labels.get(STATE) == state_id and one.id in held]
    return Strays(
        undeclared=(*undeclared(existing, state_id, life.stack, held), *_undeclared_components(life, beside)),
        elsewhere=tuple(elsewhere(existing, state_id, life.stack.name)),
    )


def undeclared(
    existing: Iterable[Resource], state_id: str, stack: StackFile, held: Mapping[str, Held]
) -> list[Resource]:
    """Return the hosts made from here that no environment declares, or this one no more.

    Args:
        held: what the journal holds as live; the rest is left over from a run that was interrupted.
    """
    names = {spec.name for spec in stack.hosts}
    others = {(stack.name, env) for env in stack.environments if env != stack.env}

    def stray(one: Resource) -> bool:
        place = (one.labels.get(STACK, ""), one.labels.get(ENV, ""))
        return place not in others and not (place == (stack.name, stack.env) and one.name in names)

    ours = [one for one in existing if one.kind == HOST and one.labels.get(STATE) == state_id and one.id in held]
    return [one for one in ours if stray(one)]


def _undeclared_components(life: Lifecycle, ours: Iterable[Resource]) -> list[Resource]:
    """Return the components of this environment that the stack file no longer names, nor `up` would ask for."""
    kinds, names = outsiders.names("component"), {spec.name for spec in life.stack.hosts}
    place = (life.stack.name, life.stack.env)
    found = [
        one
        for one in ours
        if one.kind in kinds
        and (one.labels.get(STACK, ""), one.labels.get(ENV, "")) == place
        and one.name not in names  # an address that a host has by itself bears its name
    ]
    if not found:
        return []
    rounds = [components.requests(life, life.stack.hosts), *life.provider.requests(life.stack.hosts, life.lease())]
    asked = {(one.kind, one.name) for requests in rounds for one in requests}
    return [one for one in found if (one.kind, one.name) not in asked]


def elsewhere(existing: Iterable[Resource], state_id: str, stack: str) -> list[Resource]:
    """Return the hosts of this owner and a stack of this name that another state directory made."""
    theirs = {OWNER: owner(), STACK: stack}
    return [
        one
        for one in existing
        if one.kind == HOST
        and one.labels.get(STATE, "") != state_id
        and all(one.labels.get(label) == value for label, value in theirs.items())
    ]


def lines(strays: Strays, stack: StackFile, command: Callable[..., str]) -> list[str]:
    """Return in words, one line a host or state directory, what is there and what removes it.

    Args:
        command: returns the command line of a verb about this stack.
    """
    said = [_undeclared(one, stack, command) for one in strays.undeclared]
    by_state: dict[tuple[str, str], list[Resource]] = {}
    for one in strays.elsewhere:
        by_state.setdefault((one.labels.get(STATE, ""), one.labels.get(ENV, "")), []).append(one)
    said += [_elsewhere(stack, state, env, hosts) for (state, env), hosts in by_state.items()]
    if strays.unknown:
        said.append(f"whether hosts run that the stack file does not name is not known: {strays.unknown}")
    return said


def _undeclared(one: Resource, stack: StackFile, command: Callable[..., str]) -> str:
    label, env = one.labels.get(STACK, ""), one.labels.get(ENV, "")
    if (label, env) == (stack.name, stack.env):
        if one.kind != HOST:
            words = f"name it again, or `{command('destroy')}` removes it with the stack"
            return f"{one.kind} {one.name} exists and the stack file no longer names it; {words}"
        remove = f"`{command('destroy', '--host', one.name)}` removes it"
        if one.name.endswith(SUFFIX):
            return f"{one.name} is what {own_name(one.name)} was before a heal replaced it, stopped and kept; {remove}"
        return f"{one.name} exists and the stack file no longer names it; {remove}"
    return (
        f"{one.name} of {'/'.join(part for part in (label, env) if part)} exists and was made from here, and the stack "
        "file no longer names that stack or environment; name it again to destroy it, or wait for `infratest reap "
        f"--expired` ({_lease(one)})"
    )


def _elsewhere(stack: StackFile, state: str, env: str, hosts: Sequence[Resource]) -> str:
    first = hosts[0]
    names = ", ".join(sorted("/".join(part for part in (one.labels.get(ENV, ""), one.name) if part) for one in hosts))
    folder = first.labels.get(DIRECTORY, "")
    words = f"made from another state directory, of your stack {first.labels[STACK]} too: {names}"
    if folder and _holds(Path(folder), state):
        remove = line(["destroy"], stack.path, env if len(stack.environments) > 1 else "", folder)
        return f"{words}; `{remove}` removes what was made from there"
    if first.labels.get(PRODUCTION) == "true":
        return f"{words}; that directory, {folder or 'unknown'}, is not here, and a production host is removed by hand"
    return (
        f"{words}; that directory, {folder or 'unknown'}, is not here any more: `infratest reap --expired` removes "
        f"them ({_lease(first)})"
    )


def _holds(folder: Path, state: str) -> bool:
    try:
        return (folder / "id").read_text("ascii").strip() == state
    except (OSError, ValueError):
        return False


def _lease(one: Resource) -> str:
    try:
        left = float(one.labels[EXPIRES]) - time.time()
    except (KeyError, ValueError):
        return "its lease has no end"
    return f"its lease ends in {human(left, 's')}" if left > 0 else "its lease has ended"
