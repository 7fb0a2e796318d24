"""The stack file: read, checked, in one environment, with parameters put in, as values (`stack.declared`).

Called by every verb that needs a stack and by the pytest plugin. Nothing but files is touched, and those are only read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.providers.base import HostSpec
from infratest.stack import environments, listing, named, problems
from infratest.stack.components import components
from infratest.stack.declared import LIMITS, LONGEST, Budget, StackFile
from infratest.stack.document import Document, read
from infratest.stack.heal_rule import heal_rule
from infratest.stack.hosts import hosts
from infratest.stack.own_schema import OWN
from infratest.stack.parameters import filled, plugin_name, values
from infratest.stack.schema import host_options, in_environment
from infratest.stack.waivers import waivers
from infratest.store.directory import StateDir
from infratest.units import duration, split

if TYPE_CHECKING:
    from infratest.stack.monitor import Monitor


def load(
    path: Path,
    env: str | None = None,
    parameters: Mapping[str, str] | None = None,
    require_env: bool = False,
    kept: Callable[[str, Path, str], Mapping[str, str]] | None = None,
    *,
    made_up: str = "",
    state: Callable[[str, Path], StateDir] | None = None,
    limit: Callable[[], Deadline | None] = lambda: None,
) -> StackFile:
    """Return the stack that a file declares, in one environment.

    Args:
        path: as the user named it; messages show it so. env: the environment, None for the first.
        parameters: the texts of `-D name=value`. require_env: where there are several, one must be named. kept: asked,
        by the stack's name, folder and environment, for the texts that an earlier `up` was given. made_up: which
        secrets have a text in their place where they cannot be read (`parameters.values`). state: asked, by the stack's
        name and folder, where answers of inventories are kept; nowhere without it. limit: asked for the end of the
        whole call.
    Raises:
        StackFileError: the file cannot be used; the message names file, line and key.
        NotInThisVersion: it uses what the design names and this version does not have.
        UserError: an unknown environment or parameter, or a parameter's value that is not of its type.
    """
    written = read(path)
    problems.check_written(written)
    name = environments.chosen(written, env, require_env)
    resolved = environments.in_environment(written, name)
    # An environment may give a default to a parameter that nobody declares; values need whole declarations.
    problems.check_parameters(resolved)
    before = kept(written.data["stack"], _folder(path), name) if kept else {}
    found = values(resolved, parameters or {}, before, made_up=made_up)
    provider = plugin_name(named.provider_name(resolved.data), found)
    options = host_options(provider)
    if options is not None:
        changed = environments.names_another(written, name)
        resolved = environments.without_others(resolved, OWN.union(options), changed)
    schema = in_environment(resolved.data, provider)
    document = filled(resolved, found, schema)
    problems.check_resolved(document, schema)
    problems.check_names(document)
    declared = _declared_somewhere(written)
    stack = _stack_file(document, name, written, found, declared, parameters or {})
    return _with_inventories(stack, document, declared, state, limit)


def features_of(path: Path, env: str | None = None) -> tuple[str, ...]:
    """Return what `features:` names in a file that cannot be used; nothing where that cannot be read either.

    Nothing else of the file is looked at: any of it may have a shape that no stack has.
    """
    try:
        written = read(path)
        chosen = environments.chosen(written, env, require_env=False)
    except UserError:
        return ()
    changed = named.environments(written.data).get(chosen, {})
    declared = (changed if "features" in changed else written.data).get("features")
    return tuple([each for each in declared if isinstance(each, str)]) if isinstance(declared, list) else ()


def local_stack(parameters: Mapping[str, str]) -> StackFile:
    """Return the stack of `--host local` without a file: this machine alone. parameters: the texts of `-D`."""
    return StackFile(
        name="local",
        path=Path(),
        folder=Path.cwd(),
        provider="local",
        hosts=(HostSpec(name="local"),),
        parameters=dict(parameters),
    )


def _stack_file(
    document: Document,
    env: str,
    written: Document,
    found: Mapping[str, Any],
    declared: set[str],
    given: Mapping[str, str],
) -> StackFile:
    data = document.data
    provider = dict(data.get("provider", {"name": named.PROVIDER}))
    folder = _folder(document.path)
    faults = problems.Faults(document)
    specs = hosts(document, folder, provider["name"], declared, faults)
    beside = components(document, specs, faults)
    heal = tuple(heal_rule(document, rule, faults) for rule in data.get("heal", {}) if rule not in named.RESERVED)
    budget = _budget(document, faults) if "budget" in data else None
    accepted = waivers(document, faults)
    shared = environments.sharing(written, env, ("monitor", "send"))
    watched = _monitor(document, faults, shared) if "monitor" in data else None
    faults.refuse()
    return StackFile(
        name=data["stack"],
        path=document.path,
        folder=folder,
        env=env,
        environments=environments.names(written),
        provider=provider.pop("name"),
        provider_options=provider,
        provider_where=document.where(("provider",)),
        production=data.get("production", False),
        parameters=found,
        reads_anew=any("from" in each for each in data.get("parameters", {}).values()),
        secrets=_secrets(data, given),
        hosts=specs,
        components=beside,
        outputs=data.get("outputs", {}),
        features=tuple(data.get("features", ())),
        heal=heal,
        trusted_keys=data.get("heal", {}).get(named.TRUSTED, {}),
        budget=budget,
        waivers=accepted,
        monitor=watched,
    )


def _secrets(data: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    secret = {name: each for name, each in data.get("parameters", {}).items() if each.get("secret")}
    return {name: {} if name in given else dict(each.get("from", {})) for name, each in secret.items()}


def _folder(path: Path) -> Path:
    """Return where a stack file lies, by one name however it was called: without `..`, unless that leads elsewhere."""
    folder = path.absolute().parent
    plain = Path(os.path.normpath(folder))
    with suppress(OSError):
        if plain.samefile(folder):
            return plain
    return folder  # behind a link `..` is another folder than the one before it


def _with_inventories(
    stack: StackFile,
    document: Document,
    declared: set[str],
    state: Callable[[str, Path], StateDir] | None,
    limit: Callable[[], Deadline | None],
) -> StackFile:
    """Return the stack with the hosts of its inventories, which are asked when somebody looks at them."""
    entries = stack.provider_options.get(named.FROM)
    if not entries:
        return stack
    faults = problems.Faults(document)
    sources = listing.sources(document, entries, stack.folder, faults)
    faults.refuse()

    def merge(found: Mapping[str, listing.Entry]) -> tuple[HostSpec, ...]:
        faults = problems.Faults(document)
        specs = hosts(document, stack.folder, stack.provider, declared, faults, found)
        faults.refuse()
        return specs

    kept = (lambda: state(stack.name, stack.folder)) if state is not None else (lambda: None)
    return replace(stack, hosts=listing.Listing(sources, merge, kept, limit))


def _declared_somewhere(written: Document) -> set[str]:
    """Return the names of all hosts of the file: one that this environment removes may still stand in an `after`."""
    stacks = [written.data, *named.environments(written.data).values()]
    return {name for stack in stacks for name in stack.get("hosts") or {}}


def _budget(document: Document, faults: problems.Faults) -> Budget:
    said = document.data["budget"]
    if not {"cost", "time"}.intersection(said):
        faults.add(("budget",), "says neither cost nor time: nothing is limited")
    amount, currency = split(said["cost"]) if "cost" in said else ("0", "")
    time = 0.0
    if "cost" in said and float(amount) <= 0:
        faults.add(("budget", "cost"), "must be more than zero")
    if "time" in said:
        with faults.caught():
            time = duration(said["time"], document.at(("budget", "time")))
            if not 0 < time <= LONGEST:
                faults.add(("budget", "time"), LIMITS)
    return Budget(
        cost=float(amount),
        currency=currency,
        time=time,
        enforce=said.get("enforce", ""),
        where=document.where(("budget",)),
    )


def _monitor(document: Document, faults: problems.Faults, shared: tuple[str, ...]) -> Monitor:
    """Return what a stack says of its monitor. shared: the environments that have its `send`, where it is not alone."""
    from infratest.stack.monitor import monitor  # most calls are on stacks that say nothing of one

    made = monitor(document, faults)
    return replace(made, send=tuple(replace(each, shared=shared) for each in made.send))


def declared(path: Path, env: str) -> Mapping[str, Any]:
    """Return what a file declares in an environment, as written: no values put in, which differ from call to call.

    Raises:
        UserError: the file cannot be read, or has no such environment.
    """
    written = read(path)
    problems.check_written(written)
    return environments.in_environment(written, environments.chosen(written, env or None, False)).data
