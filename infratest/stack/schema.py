"""The JSON Schema (draft 2020-12) of stack.yaml: its own keys, and what the plugins say of their options.

A file that names one plugin has that one imported, when it is checked; `whole` has every plugin that is installed, for
`infratest schema`, for editors and for the pages. Nothing here names a plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from infratest import later, outsiders
from infratest.errors import InfratestError
from infratest.option_schema import QUANTITIES, Schema, map_schema, schema_of, text_schema, units
from infratest.options import fields
from infratest.stack import named
from infratest.stack.own_schema import OWN, Parts, schema
from infratest.stack.schema_values import text

#: A plugin whose options nobody looks at: it is not named, or says nothing of them.
_ANY: Schema = {"title": "its options", "description": "Its options."}


def whole() -> Schema:
    """Return the schema of every stack file that can be written here."""
    kinds = ("provider", "provisioner", "remedy", "inventory", "component")
    every = _parts(*(outsiders.names(kind) for kind in kinds))
    receivers, intakes, senders = (_of_kind(kind, outsiders.names(kind)) for kind in ("receiver", "intake", "sender"))
    every = replace(every, receivers=receivers, intakes=intakes, senders=senders)
    return schema(every, every, {})


def as_written(data: Mapping[str, Any]) -> Schema:
    """Return the schema of one stack file, all its environments with it; nothing in it is known to be right yet.

    What stands at the top is for every environment: it may hold what any of their providers has for its hosts. What
    an environment says is for its own provider.
    """
    used: dict[str, set[str]] = {}
    for _, kind, name in named.everywhere(data):
        used.setdefault(kind, set()).add(name)
    rest = [used.get(kind, ()) for kind in ("provisioner", "remedy", "inventory", "component")]
    top, environments = named.provider_name(data), named.environments(data)
    providers = {name: named.provider_name(each, top) for name, each in environments.items()}
    every = _parts(named.providers(data), *rest)
    conditions = _conditions({top, *providers.values()}, used)
    mine = replace(every, provider=conditions)
    return schema(mine, every, {name: _parts([provider], *rest) for name, provider in providers.items()})


def in_environment(data: Mapping[str, Any], provider: str) -> Schema:
    """Return the schema of a stack in one environment, whose provider has this name."""
    used = list(named.names(data))
    kinds = ("provisioner", "remedy", "inventory", "component")
    plugins = [{name for _, each, name in used if each == kind} for kind in kinds]
    parts = _parts([provider], *plugins)
    return schema(parts, parts, {})


def host_options(provider: str) -> dict[str, Schema] | None:
    """Return what a provider has for its hosts, None where it is not here to say so."""
    kind = _plugin("provider", provider)
    if kind is None:
        return None
    options = outsiders.options_of(kind, "HostOptions")
    found = {} if options is None else schema_of(options, "options of a host")["properties"]
    return {key: each for key, each in found.items() if key not in OWN}


def whose_option(name: str) -> list[str]:
    """Return the providers whose hosts have an option of this name."""
    return [provider for provider in outsiders.names("provider") if name in (host_options(provider) or {})]


def _parts(
    providers: Iterable[str],
    provisioners: Iterable[str],
    remedies: Iterable[str],
    inventories: Iterable[str],
    components: Iterable[str],
) -> Parts:
    providers = list(dict.fromkeys(providers))
    known = {name: host_options(name) for name in providers}
    every = all(options is not None for options in known.values())
    if not any(options is not None for options in known.values()):
        # A file is refused for a provider that is not built yet; a slip in a key of its hosts is told beside that.
        known = {name: host_options(name) for name in outsiders.names("provider")}
        every = {*providers} <= later.names("provider")
    return Parts(
        _conditions(providers, {"inventory": inventories}),
        _together({name: options for name, options in known.items() if options is not None}),
        every,
        _of_kind("provisioner", provisioners),
        {name: _settling(schema) for name, schema in _of_kind("remedy", remedies).items()},
        _typed(components),
    )


def _settling(remedy: Schema) -> Schema:
    """Return the schema of a remedy with what every rung may say, where its value is a map."""
    if "properties" not in remedy:
        return remedy
    settle = text(QUANTITIES["time"], "How long it has to take effect (default 10 s).", units("time"))
    return {**remedy, "properties": {**remedy["properties"], named.SETTLE: settle}}


def _typed(components: Iterable[str]) -> list[Schema]:
    """Return for each type of component that is here what holds where it is named: its options, and no others."""
    found = []
    for name in sorted({*components}):
        plugin = _plugin("component", name)
        options = outsiders.options_of(plugin) if plugin is not None else None
        if options is None:
            continue
        own: Schema = {"title": "a component's type", "description": "What it is.", "const": name}
        then = schema_of(options, "options")
        then["properties"] = {"type": own} | then["properties"]
        condition = {"type": "object", "properties": {"type": {"const": name}}, "required": ["type"]}
        kept = ("properties", "additionalProperties", "required")
        found.append({"if": condition, "then": {key: then[key] for key in kept if key in then}})
    return found


def _together(hosts: Mapping[str, Mapping[str, Schema]]) -> dict[str, Schema]:
    """Return the host options of some providers; where two mean other things by a name, either will do here.

    Args:
        hosts: by provider.
    """
    found: dict[str, Schema] = {}
    words: dict[str, dict[str, list[str]]] = {}
    for provider, options in hosts.items():
        for key, each in options.items():
            before = found.setdefault(key, each)
            if before | {"description": ""} != each | {"description": ""}:
                found[key] = {"title": before["title"], "anyOf": [before, each]}
            words.setdefault(key, {}).setdefault(each["description"], []).append(provider)
    return {key: each | {"description": _of_all(words[key])} for key, each in found.items()}


def _of_all(words: Mapping[str, Sequence[str]]) -> str:
    """Return what some providers say of an option: what most of them say first, then who says something else.

    Args:
        words: the providers by what they say.
    """
    several = sum(len(providers) for providers in words.values()) / 2
    most_first = sorted(words.items(), key=lambda each: -len(each[1]))
    told = [text if len(by) > several else f"Of {' and '.join(by)}: {text}" for text, by in most_first]
    return " ".join(told)


def _of_kind(kind: str, used: Iterable[str]) -> dict[str, Schema]:
    """Return the schema of each plugin of a kind; of those that are not used nothing is imported."""
    return {name: _entry(kind, name) if name in used else _ANY for name in outsiders.names(kind)}


def _entry(kind: str, name: str) -> Schema:
    plugin = _plugin(kind, name)
    options = outsiders.options_of(plugin) if plugin is not None else None
    if plugin is None or options is None:
        return _ANY
    keys = ", ".join(schema_of(options, "")["properties"])
    if not keys:
        return schema_of(options, "an empty map, {}", (plugin.__doc__ or "").partition("\n")[0])
    return schema_of(options, f"a map of {keys}")


def _conditions(providers: Iterable[str], used: Mapping[str, Iterable[str]]) -> list[Schema]:
    """Return for each provider that is here what holds where it is named: its options, and no others.

    Args:
        used: the plugins that options of a provider name, by kind.
    """
    found = []
    for name in sorted({*providers}):
        plugin = _plugin("provider", name)
        options = outsiders.options_of(plugin) if plugin is not None else None
        if options is None:
            continue
        own: Schema = {"title": "a provider's name", "description": "The provider.", "const": name}
        properties = {"name": own} | schema_of(options, "options")["properties"]
        for key, field in fields(options).items():
            if "plugins" in field.about:
                properties[key] |= {"items": _entries(field.about["plugins"], used.get(field.about["plugins"], ()))}
        then = map_schema("options", f"Options of provider {name}.", properties)
        condition = {"type": "object", "properties": {"name": {"const": name}}, "required": ["name"]}
        found.append({"if": condition, "then": {key: then[key] for key in ("properties", "additionalProperties")}})
    return found


def _entries(kind: str, used: Iterable[str]) -> Schema:
    """Return the schema of an entry that is a map of one plugin's name and its options."""
    every = _of_kind(kind, used)
    title = f"a map of one of {', '.join(every)} and its options, and `{named.WHERE}` beside it"
    where = text_schema("an expression, such as env=prod and not web-3") | {
        "description": "Which of its hosts; all without."
    }
    return map_schema(title, "One source.", every | {named.WHERE: where}) | {"minProperties": 1}


def _plugin(kind: str, name: str) -> type[Any] | None:
    """Return a plugin, None where nobody has it or it cannot be loaded: whoever uses it says so."""
    try:
        return outsiders.get(kind, name)
    except (InfratestError, ImportError):
        return None
