"""The stack file: read, checked, in one environment, with parameters put in, as values (`stack.declared`).

Called by every verb that needs a stack and by the pytest plugin. Nothing but files is touched, and those are only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infratest import outsiders
from infratest.errors import unknown
from infratest.providers.base import HostSpec
from infratest.stack import environments, graph, problems
from infratest.stack.declared import HealRule, StackFile
from infratest.stack.document import Document, KeyPath, read
from infratest.stack.parameters import filled, values
from infratest.stack.schema import LONGEST_NAME
from infratest.units import duration, quantity, size

#: What says where a host is and how it is reached: providers that make their hosts know that themselves.
_OF_EXISTING = ("address", "port", "key", "jump")
_MAKES_ITS_OWN = ("container", "local")


def load(
    path: Path,
    env: str | None = None,
    parameters: Mapping[str, str] | None = None,
    require_env: bool = False,
    kept: Callable[[str, Path, str], Mapping[str, str]] | None = None,
) -> StackFile:
    """Return the stack that a file declares, in one environment.

    Args:
        path: as the user named it; messages show it so. env: the environment, None for the first.
        parameters: the texts of `-D name=value`. require_env: where there are several, one must be named. kept: asked,
        by the stack's name, folder and environment, for the texts that an earlier `up` was given.
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
    before = kept(written.data["stack"], path.absolute().parent, name) if kept else {}
    found = values(resolved, parameters or {}, before)
    document = filled(resolved, found)
    problems.check_resolved(document)
    problems.check_names(document)
    return _stack_file(document, name, environments.names(written), found, _declared_somewhere(written))


def local_stack() -> StackFile:
    """Return the stack of `--host local` without a file: this machine alone."""
    return StackFile(name="local", path=Path(), folder=Path.cwd(), provider="local", hosts=(HostSpec(name="local"),))


def _stack_file(
    document: Document, env: str, names: tuple[str, ...], found: Mapping[str, Any], declared: set[str]
) -> StackFile:
    data = document.data
    provider = dict(data.get("provider", {"name": "container"}))
    folder = document.path.absolute().parent
    return StackFile(
        name=data["stack"],
        path=document.path,
        folder=folder,
        env=env,
        environments=names,
        provider=provider.pop("name"),
        provider_options=provider,
        provider_where=document.where(("provider",)),
        production=data.get("production", False),
        parameters=found,
        hosts=_hosts(document, folder, declared),
        outputs=data.get("outputs", {}),
        features=tuple(data.get("features", ())),
        heal=tuple(_rule(document, rule) for rule in data.get("heal", {})),
    )


def _declared_somewhere(written: Document) -> set[str]:
    """Return the names of all hosts of the file: one that this environment removes may still stand in an `after`."""
    stacks = [written.data, *(each or {} for each in written.data.get("environments", {}).values())]
    return {name for stack in stacks for name in stack.get("hosts") or {}}


def _hosts(document: Document, folder: Path, declared: set[str]) -> tuple[HostSpec, ...]:
    hosts = document.data.get("hosts", {})
    provider = document.data.get("provider", {}).get("name", "container")
    if not hosts:
        if provider == "local":
            return (HostSpec(name="local", where=document.where(("provider",))),)
        raise document.error(
            ("hosts",), "the stack has no host; declare one, such as `hosts: {web: {image: debian-12}}`"
        )
    expanded = {name: _expanded(name, host) for name, host in hosts.items()}
    _refuse_same_names(document, expanded)
    specs = []
    for name, host in hosts.items():
        key = ("hosts", name)
        _check_reach(document, key, host, provider)
        after = tuple(dict.fromkeys(_after(document, key, host, expanded, declared)))
        shared = _spec_fields(document, key, host, folder)
        specs += [HostSpec(name=each, after=after, **shared) for each in expanded[name]]
    graph.rounds(specs)
    return tuple(specs)


def _expanded(name: str, host: Mapping[str, Any]) -> list[str]:
    return [f"{name}-{number}" for number in range(1, int(host["count"]) + 1)] if "count" in host else [name]


def _refuse_same_names(document: Document, expanded: Mapping[str, list[str]]) -> None:
    seen: dict[str, str] = {}
    for declared, names in expanded.items():
        for name in names:
            if name in seen:
                words = f"two hosts are named {name!r}: this one and one of hosts.{seen[name]} (see count); rename one"
                raise document.error(("hosts", declared), words)
            seen[name] = declared
        if len(names[-1]) > LONGEST_NAME:
            words = f"{names[-1]!r} has more than {LONGEST_NAME} characters; shorten the name"
            raise document.error(("hosts", declared), words)


def _check_reach(document: Document, key: KeyPath, host: Mapping[str, Any], provider: str) -> None:
    for name in _OF_EXISTING:
        if name in host and provider in _MAKES_ITS_OWN:
            words = f"this key is for `provider: existing`; provider {provider!r} knows it itself; remove it"
            raise document.error((*key, name), words)
    transports = outsiders.names("transport")
    if host.get("transport", "ssh") not in transports:
        raise document.error((*key, "transport"), unknown("transport", str(host["transport"]), transports))
    if "address" in host and "count" in host:
        raise document.error((*key, "count"), "hosts with an address cannot share it; declare each host by itself")


def _after(
    document: Document, key: KeyPath, host: Mapping[str, Any], expanded: Mapping[str, list[str]], declared: set[str]
) -> Iterator[str]:
    single = {name for names in expanded.values() for name in names}
    for number, name in enumerate(host.get("after", ())):
        if name in expanded:
            yield from expanded[name]
        elif name in single:
            yield name
        elif name not in declared:
            raise document.error((*key, "after", number), unknown("host", name, sorted({*expanded, *single})))


def _spec_fields(document: Document, key: KeyPath, host: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return what all hosts of one declaration share."""
    fields: dict[str, Any] = {
        name: host[name]
        for name in ("image", "user", "sudo", "labels", "address", "key", "jump", "transport")
        if name in host
    }
    fields |= {name: tuple(host[name]) for name in ("groups", "ready", "provision") if name in host}
    if "memory" in host:
        fields["memory"] = _positive(document, (*key, "memory"), size(host["memory"], document.at((*key, "memory"))))
    if "port" in host:
        fields["port"] = int(host["port"])
    fields["ports"] = tuple(int(port) for port in host.get("ports", ()))
    for number, entry in enumerate(host.get("provision", ())):
        _check_source(document, (*key, "provision", number), entry, folder)
    return fields | {"where": document.where(key)}


def _check_source(document: Document, key: KeyPath, entry: Mapping[str, Any], folder: Path) -> None:
    """Check that what a provisioner takes from here is a file that can be read."""
    kind, value = next(iter(entry.items()))
    at = (*key, kind, "from") if kind == "file" else (*key, kind)
    name = value["from"] if kind == "file" else value
    source = folder / name
    try:
        if source.is_dir():
            raise document.error(at, f"{name} is a directory, wanted is a file ({source})")
        with source.open("rb"):
            pass
    except FileNotFoundError:
        words = f"there is no file {name}; paths are relative to the stack file, so it would be {source}"
        raise document.error(at, words) from None
    except OSError as error:
        raise document.error(at, f"{source} cannot be read: {error.strerror}") from None


def _rule(document: Document, name: str) -> HealRule:
    rule = document.data["heal"][name]
    key = ("heal", name)
    when, budget = rule.get("when", {}), rule.get("budget", {})
    fields: dict[str, Any] = {}
    for field, held, at in (
        ("when_tags", when, "tags"),
        ("when_state", when, "state"),
        ("confirm", rule, "confirm"),
        ("tries", budget, "tries"),
        ("mode", rule, "mode"),
    ):
        if at in held:
            fields[field] = int(held[at]) if field in ("confirm", "tries") else held[at]
    if "per" in budget:
        at_per = (*key, "budget", "per")
        fields["per"] = _positive(document, at_per, duration(budget["per"], document.at(at_per)))
    if "at-most" in rule:
        fraction = quantity(rule["at-most"], "percent") / 100
        if fraction > 1:
            raise document.error((*key, "at-most"), f"{rule['at-most']!r} is more than 100%")
        fields["at_most"] = fraction
    do = tuple((remedy, argument) for entry in rule["do"] for remedy, argument in entry.items())
    return HealRule(name=name, do=do, where=document.where(key), **fields)


def _positive(document: Document, key: KeyPath, value: float) -> float:
    if value <= 0:
        raise document.error(key, "must be more than zero")
    return value
