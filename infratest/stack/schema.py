"""The JSON Schema (draft 2020-12) of stack.yaml: one document, for validation here and for editors.

`infratest schema` prints SCHEMA; `stack.problems` validates with it. A `title` is the phrase that an error shows as
what is allowed. Only what this version has is in it; LATER lists what the design names and this version refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.units import DIMENSIONS

#: Kind of name -> names that are refused as "not in this version", never ignored.
LATER: dict[str, tuple[str, ...]] = {
    "key": ("components", "monitor"),
    "provider": ("cloud", "libvirt", "qemu", "simulator", "virtualbox"),
    "provision": ("ansible",),
    "remedy": ("replace",),
    "mode": ("propose",),
}

#: Where a value may come from a parameter, its text as written holds this; after replacement it may not.
REFERENCE = r"\{param\."
_OR_REFERENCE = "|" + REFERENCE

#: Names end up in container names, file names and ids: no blank, no slash, no `@`, and never a leading dot or hyphen.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_NAME_WORDS = "a name of letters, digits, dots, hyphens and underscores that starts with a letter or digit"
LONGEST_NAME = 63  # of a label in a host name (RFC 1035)
PARAMETER = r"^[A-Za-z_][A-Za-z0-9_-]*$"

Schema = dict[str, Any]


def _text(title: str, description: str, pattern: str = "") -> Schema:
    """Text; with a pattern, or with a parameter in it."""
    schema: Schema = {"type": "string", "minLength": 1, "title": title, "description": description}
    return schema | ({"pattern": pattern + _OR_REFERENCE} if pattern else {})


def _number(title: str, description: str, low: int, high: int) -> Schema:
    """A whole number, or a parameter that is one."""
    limits = {"minimum": low, "maximum": high, "pattern": REFERENCE}
    return {"type": ["integer", "string"], "title": title, "description": description, **limits}


def _switch(description: str) -> Schema:
    return {"type": ["boolean", "string"], "title": "true or false", "description": description, "pattern": REFERENCE}


def _map(title: str, description: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    schema: Schema = {"type": "object", "title": title, "description": description, "properties": properties}
    return schema | {"additionalProperties": False} | ({"required": list(required)} if required else {})


def _named(title: str, description: str, each: Schema, pattern: str = NAME, longest: int = LONGEST_NAME) -> Schema:
    """A map whose keys are names that the user chooses."""
    names = {"pattern": pattern, "maxLength": longest, "title": f"{_NAME_WORDS}, of at most {longest} characters"}
    schema: Schema = {"type": "object", "title": title, "description": description}
    return schema | {"propertyNames": names, "additionalProperties": each}


def _list(title: str, description: str, each: Schema, least: int = 0, unique: bool = False) -> Schema:
    schema: Schema = {"type": "array", "title": title, "description": description, "items": each}
    return schema | ({"minItems": least} if least else {}) | ({"uniqueItems": True} if unique else {})


def _units(dimension: str) -> str:
    units = "|".join(sorted((unit for unit in DIMENSIONS[dimension] if unit), key=lambda unit: (-len(unit), unit)))
    return rf"^[0-9]+(\.[0-9]+)? ?({units})$"


_PORT = "a port number from 1 to 65535"
_SIZE_WORDS = "a size with its unit, such as 256MiB"
_TIME_WORDS = "a time with its unit, such as 30s or 1h"
_MODE_WORDS = 'an octal mode in quotes, such as "0644"'

_FILE = _map(
    "a map of from, to and mode",
    "A file put on the host.",
    {
        "from": _text("a path", "The file here, relative to the stack file."),
        "to": _text("an absolute path", "Where it goes on the host.", r"^/"),
        "mode": _text(_MODE_WORDS, "Its mode, quoted: a bare 0644 is the number 644 in YAML.", r"^[0-7]{3,4}$"),
    },
    ("from", "to"),
)

_PROVISION_WORDS = "a map with one key: shell or file"
_PROVISION = _map(
    _PROVISION_WORDS,
    "One thing that is done to the host by `provision` and `up --provision`, in order. Twice must change nothing.",
    {
        "shell": _text("the path of a script", "A script, relative to the stack file; it runs on the host as root."),
        "file": _FILE,
    },
) | {"minProperties": 1, "maxProperties": 1}

_GROUP = _text(_NAME_WORDS, "A group's name.", NAME)

#: What a host may say for itself and what `defaults` may say for all hosts.
_FOR_ANY_HOST: Schema = {
    "image": _text("an image's name", "The image it is made from, such as debian-12."),
    "memory": _text(_SIZE_WORDS, "Its memory.", _units("size")),
    "user": _text("a user's name", "The user to log in as."),
    "transport": _text(
        "a transport's name: ssh, openssh, container or local",
        "The way commands take to it: ssh, openssh (the system's client), container (`docker exec`) or local.",
    ),
    "sudo": _switch("Whether facts are read as root, by sudo without a password."),
    "groups": _list("a list of group names", "The groups it is in.", _GROUP, unique=True),
    "labels": _named(
        "a map of names to text",
        "Labels: text, for `Given the hosts where ...` and for what reads the results.",
        {"type": "string", "title": "text", "description": "The label's value."},
    ),
    "ports": _list(
        "a list of port numbers",
        "Ports that the controller must reach even where the host's address is not routed; 22 always is.",
        _number(_PORT, "A TCP port.", 1, 65535),
        unique=True,
    ),
    "ready": _list(
        "a list of sentences", "The host is ready when these hold.", _text("a sentence", "A checking sentence.")
    ),
    "provision": _list("a list of maps with one key each", "What makes the host what it is, in order.", _PROVISION),
    "port": _number(_PORT, "The SSH port of a host that exists already.", 1, 65535),
    "key": _text("a path", "The private key to log in with, to a host that exists already."),
    "jump": _text("a host to go through, as user@name:port", "The way to a host that exists already."),
}

_HOST = _map(
    "a map; {} for a host that has only the defaults",
    "One host, or `count` of them. What an existing host leaves out of address, port, user and key, ssh_config says.",
    {
        "count": _number("a whole number from 1 to 1000", "So many hosts of this kind: name-1, name-2 ...", 1, 1000),
        "address": _text("an address or a name", "Where a host is that exists already."),
        "after": _list(
            "a list of host names",
            "Hosts that must be ready first.",
            _text("a host's name", "A host, as declared here.", NAME),
            unique=True,
        ),
        **_FOR_ANY_HOST,
    },
)

_FROM = _map(
    "a map with one key: env, file or command",
    "Where its value comes from when -D does not give it, read anew by each call.",
    {
        "env": _text("a variable's name", "An environment variable of this process.", r"^[A-Za-z_][A-Za-z0-9_]*$"),
        "file": _text("a path", "A file here, relative to the stack file; a line break at its end is left out."),
        "command": _list(
            "a program and its arguments",
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

_REMEDY_WORDS = "a map with one key, a remedy and its argument, such as {restart-service: nginx}"
_ARGUMENTS = _list("a program and its arguments", "An argument list.", _text("text", "One argument."), least=1)
_REMEDY: Schema = {
    "type": "object",
    "title": _REMEDY_WORDS,
    "description": "One rung of the ladder.",
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {
        "restart-service": _text("a service's name", "Restarts a service of the host."),
        "run": _text("a command", "Runs a command on the host, by sh -c."),
        "provision": _map("an empty map: {}", "Provisions the host again.", {}),
        "hook": _ARGUMENTS
        | {"type": ["string", "array"], "title": "a program", "description": "Runs a program on the controller."},
    },
}

_HEAL = _map(
    "a map of when, confirm, do, budget, at-most and mode",
    "One heal rule. It never acts on unknown or on stale results.",
    {
        "when": _map(
            "a map of tags and state",
            "The results it is for; without tags, those of scenarios tagged @heal:NAME.",
            {
                "tags": _text("a tag expression", 'Over the scenario\'s tags, such as "@web and not @slow".'),
                "state": {
                    "enum": ["critical", "warning"],
                    "title": "critical or warning",
                    "description": "The state it is for (default critical).",
                },
            },
        ),
        "confirm": _number("a whole number from 1 to 100", "Failures in a row before it acts (default 2).", 1, 100),
        "do": _list("a list of remedies, mildest first", "The ladder of remedies, mildest first.", _REMEDY, least=1),
        "budget": _map(
            "a map of tries and per",
            "At most so many tries in so much time (default 3 in 1h).",
            {
                "tries": _number("a whole number from 1 to 1000", "How many tries.", 1, 1000),
                "per": _text(_TIME_WORDS, "In how much time.", _units("time")),
            },
        ),
        "at-most": _text(
            "a percentage up to 100, such as 30%",
            "How much of the group may be sick at once (default 30%); beyond it nothing is healed.",
            r"^(100|[0-9]{1,2})(\.[0-9]+)? ?%$",
        ),
        "mode": {
            "enum": ["observe", "auto"],
            "title": "observe or auto",
            "description": "observe (default) says what it would do, auto does it.",
        },
    },
    ("do",),
)

#: What the stack says and what an environment may say differently.
_FOR_ANY_ENVIRONMENT: Schema = {
    "provider": {
        "type": ["string", "object"],
        "minLength": 1,
        "title": "a provider's name, or a map of name and that provider's options",
        "description": "Who makes the hosts: container (default), existing, local, fake or an installed one.",
        "properties": {"name": _text("a provider's name", "The provider.")},
        "required": ["name"],
    },
    "production": _switch("true: acting sentences and `destroy` are refused without --yes-production."),
    "parameters": _named("a map of parameters", "Values that the command line may give.", _PARAMETER, PARAMETER),
    "defaults": _map("a map of host keys", "What every host has that does not say otherwise.", _FOR_ANY_HOST),
    "hosts": _named("a map of hosts", "The hosts, by name.", _HOST),
    "outputs": _named(
        "a map of names to text", "Values that the stack gives to who uses it.", _text("text", "The value.")
    ),
    "features": _list(
        "a list of paths and @names",
        "Feature files and folders, relative to the stack file, or ready-made ones as @name.",
        _text("a path or a quoted @name", "A feature file, a folder of them, or a ready-made feature."),
    ),
    "heal": _named("a map of heal rules", "What is done when a scenario fails, by name.", _HEAL),
}


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
    return over


def _environment() -> Schema:
    keys = {name: _overlay_value(each) for name, each in _FOR_ANY_ENVIRONMENT.items()}
    parameter = keys["parameters"]["additionalProperties"]
    # An environment may give a parameter's default alone: `parameters: {nginx_version: "1.26"}`.
    parameter["type"] = ["object", "string", "integer", "number", "boolean", "null"]
    parameter["title"] = "its default here, or a map of type and default"
    environment = _map("a map of what differs", "Maps merge deeply, lists and values replace, null removes.", keys)
    return environment | {"type": ["object", "null"]}


SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "a map that starts with `stack: NAME`",
    "description": "A stack of infratest: hosts, who makes them, and what is done with them (stack.yaml).",
    "type": "object",
    "properties": {
        "stack": {
            "type": "string",
            "pattern": NAME,
            "maxLength": 40,
            "title": f"{_NAME_WORDS}, of at most 40 characters",
            "description": "The stack's name; part of the labels of all that is made.",
        },
        **_FOR_ANY_ENVIRONMENT,
        "environments": _named(
            "a map of environments",
            "The same stack in other places; --env chooses, the first is the default.",
            _environment(),
            longest=40,
        ),
    },
    "additionalProperties": False,
    "required": ["stack"],
}


def resolved(schema: Schema) -> Schema:
    """Return the schema of a stack in which every parameter has been put in: no text may stand for a number."""
    strict: Schema = {}
    for key, value in schema.items():
        if key == "pattern" and value == REFERENCE:
            continue
        if key == "pattern" and isinstance(value, str):
            strict[key] = value.removesuffix(_OR_REFERENCE)
        elif key == "type" and schema.get("pattern") == REFERENCE:
            strict[key] = [kind for kind in value if kind != "string"]
        else:
            strict[key] = resolved(value) if isinstance(value, dict) else value
    return strict
