"""The hosts of a stack, as values: `count` expanded, each with its provider's options. Called by `stack.file` alone.

Where inventories name hosts, too, what the stack file says of one goes over what they say, and that over `defaults`;
groups and labels gather. What the schema cannot say is looked at here: names, references, files. All that is wrong is
noted before it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infratest import outsiders
from infratest.errors import unknown
from infratest.inventories.base import Listed
from infratest.options import fields, spelled_out, value_of
from infratest.paths import path_of
from infratest.providers.base import HostSpec
from infratest.stack import environments, graph, script_names
from infratest.stack.document import Document, KeyPath
from infratest.stack.listing import Entry
from infratest.stack.named import FROM
from infratest.stack.own_schema import OWN
from infratest.stack.problems import Faults
from infratest.stack.schema_values import LONGEST_NAME


def hosts(
    document: Document,
    folder: Path,
    provider: str,
    declared: set[str],
    faults: Faults,
    found: Mapping[str, Entry] | None = None,
) -> tuple[HostSpec, ...]:
    """Return the hosts of a stack in its environment, in the file's order, and behind them those of inventories alone.

    Args:
        folder: of the stack file. declared: the names of all hosts of the file, of other environments too.
        faults: told what is wrong; what is returned then is of no use. found: what inventories say, by host; None
        where they are not asked yet, so that a host may be after one that is not known here.
    """
    plugin = outsiders.get("provider", provider)
    written, fed = document.data.get("hosts", {}), bool(document.data.get("provider", {}).get(FROM))
    if not written and not fed:
        if plugin.undeclared and "hosts" not in document.data:
            return (HostSpec(name=plugin.undeclared, where=document.where(("provider",))),)
        # Whoever writes that there is none, or takes the last one out in an environment, does not mean this machine.
        alone = "; without `hosts:` it is this machine" if plugin.undeclared else ""
        faults.add(("hosts",), f"the stack has no host; declare one, such as `hosts: {{web: {{}}}}`{alone}")
        return ()
    expanded = {name: _expanded(name, host) for name, host in written.items()}
    _refuse_same_names(expanded, faults)
    listed, single = found or {}, {name for names in expanded.values() for name in names}
    kind, known = outsiders.options_of(plugin, "HostOptions"), expanded | {name: [name] for name in listed}
    specs = []
    for name, host in written.items():
        key = ("hosts", name)
        _check_transport(key, host, faults)
        _check_provision(key, host, folder, faults)
        after = tuple(dict.fromkeys(_after(key, host, known, None if fed and found is None else declared, faults)))
        shared = _fields(document, key, host, kind, faults)
        for each in expanded[name]:
            if each in listed:
                over = merged(document, listed[each].host, name)
                specs.append(HostSpec(name=each, after=after, **_fields(document, key, over, kind, faults)))
            else:
                specs.append(HostSpec(name=each, after=after, **shared))
    if fed:
        _check_provision(("defaults",), document.data.get("defaults", {}), folder, faults)
        specs += [_listed(document, name, one, kind, faults) for name, one in listed.items() if name not in single]
    with faults.caught():
        graph.rounds(specs)
    _refuse_same_variables(specs, document.data.get("parameters", {}), expanded, faults)
    return tuple(specs)


def merged(document: Document, listed: Listed, name: str = "") -> dict[str, Any]:
    """Return a host as inventories and the stack file declare it, in the stack file's words.

    Args:
        name: of its entry under `hosts:`, empty where it has none.
    """
    defaults = document.data.get("defaults", {})
    own = {
        key: value
        for key, value in (document.data["hosts"][name] if name else {}).items()
        if document.place(("hosts", name, key)) is not document.place(("defaults", key))
    }
    result = environments.merged(environments.merged(defaults, listed.values()), own)
    groups = dict.fromkeys((*listed.groups, *own.get("groups", defaults.get("groups", ()))))
    labels = {**defaults.get("labels", {}), **listed.labels, **own.get("labels", {})}
    return result | ({"groups": [*groups]} if groups else {}) | ({"labels": labels} if labels else {})


def _listed(document: Document, name: str, found: Entry, kind: type[Any] | None, faults: Faults) -> HostSpec:
    """Return a host that inventories alone name; what is wrong with it is told at the entry of `from:`."""
    key = ("hosts", name)
    there = Document(document.path, document.data, {key: document.place(found.key)})
    shared = _fields(there, key, merged(document, found.host), kind, faults)
    return HostSpec(name=name, listed=True, **shared | ({"where": found.host.where} if found.host.where else {}))


def _expanded(name: str, host: Mapping[str, Any]) -> list[str]:
    return [f"{name}-{number}" for number in range(1, int(host["count"]) + 1)] if "count" in host else [name]


def _refuse_same_names(expanded: Mapping[str, list[str]], faults: Faults) -> None:
    seen: dict[str, str] = {}
    for declared, names in expanded.items():
        for name in names:
            if name in seen:
                words = f"two hosts are named {name!r}: this one and one of hosts.{seen[name]} (see count); rename one"
                faults.add(("hosts", declared), words)
            seen[name] = declared
        if len(names[-1]) > LONGEST_NAME:
            words = f"{names[-1]!r} has more than {LONGEST_NAME} characters; shorten the name"
            faults.add(("hosts", declared), words)


def _refuse_same_variables(
    specs: list[HostSpec],
    parameters: Mapping[str, Any],
    expanded: Mapping[str, list[str]],
    faults: Faults,
) -> None:
    """Note hosts and parameters that a provisioner's script could not tell from others; without one there is no need.

    The names that inventories list nobody can mend here, and a check has no use for that variable.
    """
    if not any(spec.provision for spec in specs):
        return
    places = {each: name for name, names in expanded.items() for each in names}
    for what, name, words in script_names.refusals(places, parameters):
        faults.add((what, places[name] if what == "hosts" else name), words)


def _check_transport(key: KeyPath, host: Mapping[str, Any], faults: Faults) -> None:
    transports = outsiders.names("transport")
    if "transport" in host and host["transport"] not in transports:
        faults.add((*key, "transport"), unknown("transport", str(host["transport"]), transports))


def _after(
    key: KeyPath, host: Mapping[str, Any], expanded: Mapping[str, list[str]], declared: set[str] | None, faults: Faults
) -> Iterator[str]:
    single = {name for names in expanded.values() for name in names}
    for number, name in enumerate(host.get("after", ())):
        if name in expanded:
            yield from expanded[name]
        elif name in single:
            yield name
        elif declared is not None and name not in declared:
            faults.add((*key, "after", number), unknown("host", name, sorted({*expanded, *single})))


def _fields(
    document: Document, key: KeyPath, host: Mapping[str, Any], kind: type[Any] | None, faults: Faults
) -> dict[str, Any]:
    """Return what all hosts of one declaration share: what any host may have, and its provider's options."""
    found: dict[str, Any] = {name: host[name] for name in ("sudo", "labels", "transport") if name in host}
    found |= {name: tuple(host[name]) for name in ("groups", "ready", "provision") if name in host}
    return found | {"where": document.where(key), "options": _options(document, key, host, kind, faults)}


def _check_provision(key: KeyPath, host: Mapping[str, Any], folder: Path, faults: Faults) -> None:
    for number, entry in enumerate(host.get("provision", ())):
        for kind, given in entry.items():
            _check_sources((*key, "provision", number, kind), kind, given, folder, faults)


def _options(document: Document, key: KeyPath, host: Mapping[str, Any], kind: type[Any] | None, faults: Faults) -> Any:
    """Return the options of a host as its provider declares them, None where it declares none."""
    if kind is None:
        return None
    known, found = fields(kind), {}
    for name in (name for name in host if name not in OWN):
        with faults.caught():
            found[known[name].name] = value_of(host[name], known[name], document.at((*key, name)))
        if known[name].about.get("own") and "count" in host:
            words = f"hosts with a value of their own for {name!r} cannot be many; declare each by itself"
            faults.add((*key, "count"), words)
    for name, field in known.items():
        if field.required and name not in host:
            faults.add(key, f"the key {name!r} is missing; {field.description}")
            return None
    made = None
    with faults.caught():
        made = kind(**found)
    return made


def _check_sources(key: KeyPath, name: str, given: Any, folder: Path, faults: Faults) -> None:
    """Look whether what a provisioner takes from here is a file that can be read."""
    options = outsiders.options_of(outsiders.get("provisioner", name))
    if options is None:
        return
    written = spelled_out(options, given)
    for option, field in fields(options).items():
        if field.about.get("source") and written.get(option):
            at = (*key, option) if isinstance(given, Mapping) else key
            _check_source(at, str(written[option]), folder, faults)


def _check_source(at: KeyPath, name: str, folder: Path, faults: Faults) -> None:
    source = path_of(folder, name)
    try:
        if source.is_dir():
            faults.add(at, f"{name} is a directory, expected a file ({source})")
            return
        with source.open("rb"):
            pass
    except FileNotFoundError:
        faults.add(at, f"there is no file {name}; paths are relative to the stack file, so it would be {source}")
    except OSError as error:
        faults.add(at, f"{source} cannot be read: {error.strerror}")
