"""The stack file's own part of its JSON Schema: all keys but the options of plugins, which `stack.schema` adds.

A `title` is the phrase that an error shows as what is allowed. Only what this version has is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infratest.option_schema import QUANTITIES, Schema, units
from infratest.option_schema import map_schema as _map
from infratest.stack.heal_schema import heal
from infratest.stack.monitor_schema import monitor
from infratest.stack.schema_values import NAME, NAME_WORDS, PARAMETER
from infratest.stack.schema_values import entries as _list
from infratest.stack.schema_values import named as _named
from infratest.stack.schema_values import number as _number
from infratest.stack.schema_values import switch as _switch
from infratest.stack.schema_values import text as _text


@dataclass(frozen=True)
class Parts:
    """What plugins add to the schema of a stack, or of one of its environments.

    Args:
        provider: what holds for the map behind `provider:`, by the name in it. hosts: the options of its hosts.
        every_host_option: false where the provider is not here to say what its hosts may have. provisioners, remedies:
        by name. components: what holds for an entry of `components:`, by the type in it. receivers, intakes, senders:
        by name; none of a file that is read, where they are looked at by who opens them, and imported by nobody else.
    """

    provider: Sequence[Schema] = ()
    hosts: Mapping[str, Schema] = field(default_factory=dict)
    every_host_option: bool = True
    provisioners: Mapping[str, Schema] = field(default_factory=dict)
    remedies: Mapping[str, Schema] = field(default_factory=dict)
    components: Sequence[Schema] = ()
    receivers: Mapping[str, Schema] = field(default_factory=dict)
    intakes: Mapping[str, Schema] = field(default_factory=dict)
    senders: Mapping[str, Schema] = field(default_factory=dict)


_GROUP = _text(NAME_WORDS, "A group's name.", NAME)

#: What a host may say for itself and what `defaults` may say for all hosts, whatever its provider is.
_FOR_ANY_HOST: Schema = {
    "transport": _text(
        "a transport's name, such as ssh",
        "The way commands take to it, one of those that its provider has; its own choice without.",
    ),
    "sudo": _switch("Whether facts are read as root, by sudo without a password."),
    "groups": _list("a list of group names", "The groups it is in.", _GROUP, unique=True),
    "labels": _named(
        "a map of names to text",
        "Labels: text, for `Given the hosts where ...` and for what reads the results.",
        {"type": "string", "title": "text", "description": "The label's value."},
    ),
    "ready": _list(
        "a list of sentences", "The host is ready when these hold.", _text("a sentence", "A checking sentence.")
    ),
}
#: What a host may say for itself alone.
_FOR_ONE_HOST: Schema = {
    "count": _number("a whole number from 1 to 1000", "So many hosts of this kind: name-1, name-2 ...", 1, 1000),
    "after": _list(
        "a list of host names",
        "Hosts that must be ready first.",
        _text("a host's name", "A host, as declared here.", NAME),
        unique=True,
    ),
}
#: The stack file's own keys of a host; all others are options of its provider.
OWN = frozenset((*_FOR_ANY_HOST, *_FOR_ONE_HOST, "provision"))

_FROM = _map(
    "a map with one key: env, file or command",
    "Where its value comes from when -D does not give it, read anew by each call.",
    {
        "env": _text("a variable's name", "An environment variable of this process.", r"^[A-Za-z_][A-Za-z0-9_]*$"),
        "file": _text("a path", "A file here, relative to the stack file; a line break at its end is left out."),
        "command": _list(
            "a list of a program and its arguments, as [pass, show, db]",
            "A program here, such as a password manager, that prints it within 10 seconds.",
            _text("text", "One argument."),
            least=1,
        ),
    },
) | {"minProperties": 1, "maxProperties": 1}

_PARAMETER = _map(
    "a map of type and default",
    "A value that `-D NAME=VALUE` gives and {param.NAME} stands for.",
    {
        "type": {
            "enum": ["string", "integer", "number", "boolean"],
            "title": "string, integer, number or boolean",
            "description": "How the text after -D is read.",
        },
        "default": {
            "type": ["string", "integer", "number", "boolean"],
            "title": "one value of that type",
            "description": "Its value where -D gives none; without a default, -D must.",
        },
        "description": _text("text", "What it is for."),
        "secret": _switch("true: it is masked in every output, file and message; at least 4 characters."),
        "from": _FROM,
    },
    ("type",),
)

#: Parameters, declared; an environment may give values to some.
PARAMETERS = _named("a map of parameters", "Values that the command line may give.", _PARAMETER, PARAMETER)

#: What a stack may cost and how long it may stand.
_BUDGET = _map(
    "a map of cost, time and enforce",
    "What the hosts may cost together and how long they may stand, from when the first was made; `up` looks at it "
    "before it makes anything, and the lease never ends later.",
    {
        "cost": _text(
            "an amount and a currency, such as 0.50 USD",
            "At most so much, by the prices that the provider knows.",
            r"^[0-9]+(\.[0-9]+)? ?[A-Z]{3}$",
        ),
        "time": _text(QUANTITIES["time"], "At most so long (default: as long as `cost` lasts).", units("time")),
        "enforce": {
            "enum": ["guest"],
            "title": "guest",
            "description": "guest: each host powers itself off when the budget is over, where its provider can have it "
            "do so.",
        },
    },
) | {"minProperties": 1}


#: A failure that is accepted until a date.
_WAIVER = _map(
    "a map of id, why, until and by",
    "One failure that is accepted: it is run, shown as waived, and alarms nobody until its date is over.",
    {
        "id": _text(
            "a scenario's id, or a pattern of ids",
            "features/web.feature#nginx-answers, with or without @HOST behind it; * ? and [a-z] as in a shell.",
        ),
        "why": _text("text", "Why it is accepted."),
        "until": _text(
            "a date, such as 2027-03-01",
            "The last day on which it holds, in UTC; from then on it is critical itself.",
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        ),
        "by": _text("text", "Who has accepted it."),
    },
    ("id", "why", "until"),
)


def _hosts(parts: Parts) -> tuple[Schema, Schema]:
    """What all hosts may say by `defaults`, and what one host may."""
    names = (
        " or ".join((", ".join([*parts.provisioners][:-1]), [*parts.provisioners][-1])) if parts.provisioners else ""
    )
    provision = _map(
        f"a map with one key: {names.removeprefix(' or ')}",
        "One thing that is done to the host by `provision` and `up --provision`, in order. Twice must change nothing.",
        parts.provisioners,
    ) | {"minProperties": 1, "maxProperties": 1}
    entries = _list("a list of maps with one key each", "What makes the host what it is, in order.", provision)
    for_any = {**_FOR_ANY_HOST, "provision": entries, **parts.hosts}
    defaults = _map("a map of host keys", "What every host has that does not say otherwise.", for_any)
    host = _map(
        "a map; {} for a host that has only the defaults",
        "One host, or `count` of them; its other keys are options of its provider.",
        {**_FOR_ONE_HOST, **for_any},
    )
    if not parts.every_host_option:
        del defaults["additionalProperties"], host["additionalProperties"]
    return defaults, host


def _component(parts: Parts) -> Schema:
    return {
        "type": "object",
        "title": "a map of type and that type's options",
        "description": "One component; its other keys are options of its type.",
        "properties": {"type": _text("a component's type, such as firewall", "What it is.")},
        "required": ["type"],
        **({"allOf": list(parts.components)} if parts.components else {}),
    }


def _stack(parts: Parts) -> Schema:
    """What the stack says and what an environment may say differently."""
    defaults, host = _hosts(parts)
    return {
        "provider": {
            "type": ["string", "object"],
            "minLength": 1,
            "title": "a provider's name, or a map of name and that provider's options",
            "description": "Who makes the hosts, container without it; `infratest doctor` lists who can here.",
            "properties": {"name": _text("a provider's name", "The provider.")},
            "required": ["name"],
            **({"allOf": list(parts.provider)} if parts.provider else {}),
        },
        "production": _switch("true: acting sentences and `destroy` are refused without --yes-production."),
        "parameters": PARAMETERS,
        "defaults": defaults,
        "hosts": _named("a map of hosts", "The hosts, by name.", host),
        "components": _named("a map of components", "What the stack has beside its hosts, by name.", _component(parts)),
        "outputs": _named(
            "a map of names to text", "Values that the stack gives to who uses it.", _text("text", "The value.")
        ),
        "features": _list(
            "a list of paths and @names",
            "Feature files and folders, relative to the stack file, or ready-made ones as @name.",
            _text("a path or a quoted @name", "A feature file, a folder of them, or a ready-made feature."),
        ),
        "budget": _BUDGET,
        "waivers": _list("a list of waivers", "Failures that are accepted, each until a date.", _WAIVER),
        "heal": heal(parts.remedies),
        "monitor": monitor(parts.receivers, parts.intakes, parts.senders),
    }


#: Keys at the top of a stack file.
KEYS = frozenset(("stack", "environments", *_stack(Parts())))


def _overlay(schema: Schema) -> Schema:
    """Return the schema of what an environment changes: nothing is required, and null removes."""
    over = {key: value for key, value in schema.items() if key != "required"}
    for key in ("properties", "additionalProperties"):
        inner = over.get(key)
        if key == "properties" and inner:
            over[key] = {name: _overlay_value(each) for name, each in inner.items()}
        elif isinstance(inner, Mapping):
            over[key] = _overlay_value(dict(inner))
    return over


def _overlay_value(schema: Schema) -> Schema:
    over = _overlay(schema)
    if "enum" in over:
        over["enum"] = [*over["enum"], None]
    if "type" in over:
        given = over["type"]
        over["type"] = [*(given if isinstance(given, list) else [given]), "null"]
    if "anyOf" in over:
        over["anyOf"] = [*over["anyOf"], {"type": "null"}]
    return over


def _conditions(schema: Schema) -> Schema:
    """Return a schema for an environment: what holds for options by a plugin's name holds there, too."""
    conditions = [each | {"then": _overlay(each["then"])} for each in schema.get("allOf", ())]
    return schema | ({"allOf": conditions} if conditions else {})


def _environment(parts: Parts) -> Schema:
    stack = _stack(parts)
    stack["provider"] = _conditions(stack["provider"])
    stack["components"]["additionalProperties"] = _conditions(stack["components"]["additionalProperties"])
    keys = {name: _overlay_value(each) for name, each in stack.items()}
    parameter = keys["parameters"]["additionalProperties"]
    # An environment may give a parameter's default alone: `parameters: {nginx_version: "1.26"}`.
    parameter["type"] = ["object", "string", "integer", "number", "boolean", "null"]
    parameter["title"] = "its default here, or a map of type and default"
    environment = _map("a map of what differs", "Maps merge deeply, lists and values replace, null removes.", keys)
    return environment | {"type": ["object", "null"]}


def schema(top: Parts, every_environment: Parts, environments: Mapping[str, Parts]) -> Schema:
    """Return the schema of a stack file.

    Args:
        top: of what stands outside of environments. every_environment: of those that are not in `environments`.
    """
    named = _named(
        "a map of environments",
        "The same stack in other places; --env chooses, the first is the default.",
        _environment(every_environment),
        longest=40,
    )
    if environments:
        named["properties"] = {name: _environment(parts) for name, parts in environments.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a map that starts with `stack: NAME`",
        "description": "A stack of infratest: hosts, who makes them, and what is done with them (stack.yaml).",
        "type": "object",
        "properties": {
            "stack": {
                "type": "string",
                "pattern": NAME,
                "maxLength": 40,
                "title": f"{NAME_WORDS}, of at most 40 characters",
                "description": "The stack's name; part of the labels of all that is made.",
            },
            **_stack(top),
            "environments": named,
        },
        "additionalProperties": False,
        "required": ["stack"],
    }
