"""What is wrong with a stack file, found by its schema and said in one message. Called by `stack.file` alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from infratest import later, outsiders
from infratest.cleaning import clean
from infratest.errors import NotInThisVersion, StackFileError, UserError, unknown
from infratest.option_schema import Schema, resolved
from infratest.plugins import KINDS
from infratest.stack import monitor_schema, named
from infratest.stack.document import Document, KeyPath, Place
from infratest.stack.heal_schema import MODES
from infratest.stack.monitor_schema import ALIVE_KEYS
from infratest.stack.own_schema import KEYS, PARAMETERS
from infratest.stack.schema import as_written, whose_option
from infratest.units import counted

#: The line, how deep the key is, the column, the message: in this order they are said, the outer of a line first.
Problem = tuple[int, int, int, str]


def _pattern(validator: Any, pattern: str, instance: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
    # Python's `$` would also match before a last line break; JSON Schema's does not.
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield ValidationError("pattern")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
#: Problems of one file that are shown.
SHOWN = 20
_PARAMETERS: Schema = {"properties": {"parameters": PARAMETERS}}


class Faults:
    """What is wrong with a stack beyond its schema, noted to be told at once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._found: list[Problem] = []

    def add(self, key: KeyPath, words: str) -> None:
        """Note one thing that is wrong at a key."""
        self._found.append(_problem(self._document, key, words))

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note what is refused in the meantime, in its own words."""
        try:
            yield
        except UserError as error:
            line = re.match(rf"{re.escape(str(self._document.path))}:(\d+)", str(error))
            self._found.append((int(line[1]) if line else 0, 0, 0, str(error)))

    def refuse(self) -> None:
        """Raise StackFileError where anything was noted."""
        if self._found:
            raise StackFileError(_said(sorted(self._found)))


def check_written(document: Document) -> None:
    """Check a stack file as written, all its environments with it.

    Raises:
        NotInThisVersion: it uses what the design names and this version does not have.
        StackFileError: it does not keep to the schema.
    """
    refused = list(_later(document))
    # What the schema says of the same key would be that it is unknown.
    named = tuple(f"{document.at(key)}: " for key, _ in refused)
    problems = [_problem(document, key, words) for key, words in refused]
    written = _problems(_Validator(as_written(document.data)), document)
    found = [problem for problem in written if not problem[-1].startswith(named)]
    if found:
        raise StackFileError(_said(sorted(problems + found)))
    if problems:
        raise NotInThisVersion(_said(sorted(problems)))


def check_resolved(document: Document, schema: Schema) -> None:
    """Check a stack in one environment, with its parameters put in.

    Args:
        schema: of that environment, where parameters may still stand.
    Raises:
        StackFileError: it does not keep to the schema.
    """
    _check(_Validator(resolved(schema)), document)


def check_parameters(document: Document) -> None:
    """Check the declared parameters of a stack in one environment.

    Raises:
        StackFileError: an environment gave one a default that nobody declared.
    """
    _check(_Validator(_PARAMETERS), document)


def _check(validator: Any, document: Document) -> None:
    problems = _problems(validator, document)
    if problems:
        raise StackFileError(_said(problems))


def _problems(validator: Any, document: Document) -> list[Problem]:
    return sorted(problem for error in validator.iter_errors(document.data) for problem in _found(document, error))


def _said(problems: list[Problem]) -> str:
    """Return the problems, one a line."""
    lines = list(dict.fromkeys(words for *_, words in problems))
    more = [f"and {counted(len(lines) - SHOWN, 'more problem')}"] if len(lines) > SHOWN else []
    return "\n".join(lines[:SHOWN] + more)


def _found(document: Document, error: ValidationError) -> Iterator[Problem]:
    key: KeyPath = tuple(error.absolute_path)
    schema: Schema = error.schema if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = sorted(schema["properties"])
        for name in instance:
            if name not in known:
                yield _problem(
                    document, (*key, name), _unknown_host_key(document, key, name) or _unknown_key(name, known)
                )
    elif error.validator == "required":
        for name in schema["required"]:
            if name not in instance:
                what = schema["properties"].get(name, {}).get("title", "a value")
                yield _problem(document, key, f"the key {name!r} is missing; it takes {what}")
    elif "propertyNames" in error.absolute_schema_path:
        name = str(instance)
        yield _problem(document, (*key, name), f"found the name {shown(name)}, allowed is {schema['title']}")
    else:
        yield _problem(document, key, _value_words(document, key, error.validator, instance, schema))


def _problem(document: Document, key: KeyPath, words: str) -> Problem:
    place = document.place(key)
    return place.line, len(key), place.column, document.message(key, words)


def _unknown_host_key(document: Document, at: KeyPath, name: str) -> str:
    """Return the words for an option that hosts of other providers have, empty where no host has it."""
    inside = at[2:] if at[:1] == ("environments",) else at
    of_host = inside == ("defaults",) or (len(inside) == 2 and inside[0] == "hosts")
    providers = [f"`provider: {each}`" for each in whose_option(name)] if of_host else []
    if not providers:
        return ""
    mine = " and ".join(repr(each) for each in named.providers(document.data, str(at[1]) if inside is not at else ""))
    return f"this key is for {' or '.join(providers)}; provider {mine} has no such option for its hosts; remove it"


def _unknown_key(name: str, known: list[str]) -> str:
    if not known:
        return f"unknown key {clean(name, 80)!r}: no key is allowed here"
    return unknown("key", clean(name, 80), known)


def _value_words(document: Document, key: KeyPath, validator: Any, found: Any, schema: Schema) -> str:
    if validator == "uniqueItems":
        twice = next(item for number, item in enumerate(found) if item in found[:number])
        return f"{shown(twice)} stands twice in the list"
    if validator in ("enum", "anyOf"):
        options = schema["enum"] if validator == "enum" else schema["anyOf"][0].get("enum", ())
        allowed = [value for value in options if value is not None]
        if isinstance(found, str) and allowed:
            return unknown("value", clean(found, 80), allowed)
        return f"found {shown(found)}, allowed is {schema['title']}"
    if validator == "maxProperties" and isinstance(found, Mapping):
        return f"found the keys {', '.join(clean(str(name), 40) for name in found)}, allowed is {schema['title']}"
    place = document.place(key)
    if validator == "type" and isinstance(found, bool | int | float):
        advice = quoted_form(place) if _wants_text(schema, place.text) else ""
        return f"found {shown(found, place.text)}, allowed is {schema['title']}{advice}"
    # A text where a secret's parameter belongs is the secret itself: it must not reach a screen or a log.
    words = "a text that is not shown here" if schema.get("writeOnly") else shown(found)
    more = " that is not empty" if validator == "minLength" and schema["title"] == "text" else ""
    return f"found {words}, allowed is {schema['title']}{more}"


def _wants_text(schema: Schema, text: str | None) -> bool:
    """Whether a bare number or boolean would be right as text, in quotes."""
    kinds = schema.get("type", [])
    if text is None or "string" not in (kinds if isinstance(kinds, list) else [kinds]):
        return False
    return "pattern" not in schema or re.search(schema["pattern"], text) is not None


def quoted_form(place: Place) -> str:
    """Return how to write a bare number or boolean as text: `; write mode: "0644"`."""
    name = place.key[-1]
    return f'; write {name}: "{place.text}"' if isinstance(name, str) else f'; write - "{place.text}"'


def shown(found: Any, text: str | None = None) -> str:
    """Return a value of the file as an error shows it: a number as it was written, text in quotes."""
    if found is None:
        return "nothing (null)"
    if isinstance(found, Mapping):
        return "an empty map" if not found else "a map"
    if isinstance(found, list):
        return "an empty list" if not found else "a list"
    if isinstance(found, bool | int | float):
        kind = "" if isinstance(found, bool) else "the number "
        return kind + clean(str(found).lower() if text is None else text, 60)
    # Of a URL, what stands before its host may be a password.
    return clean(repr(re.sub(r"\S*:\S*@", "***@", found)), 60) if found else "empty text"


def _later(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Find every name that is refused as not in this version, in the stack and in each of its environments."""
    for at, stack in [((), document.data), *_environments(document.data)]:
        for name in stack:
            if name in later.names("key", KEYS):
                yield (*at, name), later.WORDS
        yield from _later_of_monitor((*at, "monitor"), stack.get("monitor"))
    for key, kind, name in named.everywhere(document.data):
        if name in later.names(kind, _there(kind, name)):
            is_key = isinstance(key[-1], str) and key[-1] == name
            yield key, later.WORDS if is_key else f"{kind} {name!r}: {later.WORDS}"


def _later_of_monitor(at: KeyPath, monitor: Any) -> Iterator[tuple[KeyPath, str]]:
    """Find the same in what is said of a monitor, of which nothing is known to be right yet."""
    found = monitor if isinstance(monitor, Mapping) else {}
    for where, kind, there in (((), "key of monitor", monitor_schema.KEYS), (("alive",), "key of alive", ALIVE_KEYS)):
        inside = found.get(where[0]) if where else found
        names = later.names(kind, there)
        yield from (
            ((*at, *where, name), later.WORDS)
            for name in (inside if isinstance(inside, Mapping) else ())
            if name in names
        )


def _environments(data: Mapping[str, Any]) -> list[tuple[KeyPath, Mapping[str, Any]]]:
    return [(("environments", name), each) for name, each in named.environments(data).items()]


def _there(kind: str, name: str) -> tuple[str, ...]:
    """Return the name where this version has it, of those kinds that are no plugins."""
    if kind == "host option":
        return (name,) if name in later.NAMED[kind] and whose_option(name) else ()
    return MODES if kind == "mode" else ()


def check_names(document: Document) -> None:
    """Check that every provider and remedy of a resolved stack is one that somebody has.

    Raises:
        StackFileError: nobody has that name; the message holds the nearest.
    """
    problems = [
        _problem(document, key, unknown(kind, clean(name, 80), outsiders.names(kind)))
        for key, kind, name in named.names(document.data)
        if kind in KINDS and name not in outsiders.names(kind)
    ]
    if problems:
        raise StackFileError(_said(sorted(problems)))
