"""Parameters: their values from `-D` and defaults, and the stack with `{param.NAME}` put in. Called by `stack.file`.

`ready` and `outputs` are left as written, but for a look at the names: planning puts all values into them at once, and
shell-quotes those that go into a command. A value that goes into an option with `shell` is shell-quoted here.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from infratest.cleaning import SHORTEST_SECRET, Secret, clean
from infratest.errors import StackFileError, UserError, unknown
from infratest.option_schema import Schema, below, goes_to_shell, takes_value
from infratest.quoting import quoted
from infratest.stack import secret_sources
from infratest.stack.document import Document, KeyPath
from infratest.stack.problems import quoted_form, shown
from infratest.values import misspelt, values_in

log = logging.getLogger(__name__)

_BRACE = re.compile(r"\{\{|\{param\.([\w.-]+)\}")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")

_WORDS = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}


#: Stands for a secret that cannot be read here, where nothing is asked of a host.
MADE_UP = "a-secret-that-is-not-known-here"
#: Which secrets may be so: all, or those that neither a provider nor the way to a host is asked with.
ALL, UNASKED = "all", "unasked"
#: Keys of a host that only making it ready asks for.
_OF_MAKING = frozenset(("provision", "ready"))


def values(
    document: Document, given: Mapping[str, str], kept: Mapping[str, str], *, made_up: str = ""
) -> dict[str, Any]:
    """Return the parameters' values by name.

    Args:
        document: resolved for its environment. given: the texts of `-D name=value`. kept: those of an earlier call; a
        name that is not declared any more is passed over. made_up: which secrets have a text in their place where their
        source cannot be read: none, ALL for a look at the file alone, UNASKED. It is told.
    Raises:
        UserError: an unknown name, a text that is not of the declared type, a value that nobody gave, or one whose
        source cannot be read.
    """
    declared = document.data.get("parameters", {})
    for name in given:
        if name not in declared:
            words = unknown("parameter", clean(name, 80), list(declared))
            raise UserError(f"-D {clean(name, 80)}: {words}; `parameters:` of {document.path} declares what there is")
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for name, parameter in declared.items():
        try:
            found[name] = _value(document, name, parameter, given, kept)
        except secret_sources.Unreadable as error:
            if not parameter.get("secret") or not _may_lack(document, name, made_up):
                raise
            instead = "the rest is looked at without it" if made_up == ALL else "this goes on without it"
            log.warning("%s; %s", error, instead)
            found[name] = Secret(MADE_UP)
        except StackFileError as error:
            wrong.append(str(error))
    if wrong:
        raise StackFileError("\n".join(wrong))
    return found


def _may_lack(document: Document, name: str, made_up: str) -> bool:
    """Whether a secret may be made up: whoever logs in with it would be refused, or work in another account."""
    if made_up != UNASKED:
        return made_up == ALL
    data = document.data
    hosts = [*data.get("hosts", {}).values(), data.get("defaults", {})]
    ways = [{key: each for key, each in (host or {}).items() if key not in _OF_MAKING} for host in hosts]
    asked = json.dumps([data.get("provider"), data.get("components"), ways], default=str)
    return all(each[1] != name for each in _BRACE.finditer(asked))


def _value(
    document: Document, name: str, parameter: Mapping[str, Any], given: Mapping[str, str], kept: Mapping[str, str]
) -> Any:
    kind, secret, key = parameter["type"], bool(parameter.get("secret")), ("parameters", name)
    if secret and kind != "string":
        raise document.error((*key, "type"), f"a secret is text: write type: string for {name!r}")
    if name in given:
        if secret:
            _tell_of_process_list(name)
        return _kept(document, key, given[name]) if secret else _typed(given[name], kind, f"-D {name}", name)
    if name in kept and not secret:
        try:
            return _typed(kept[name], kind, f"-D {name}", name)
        except UserError as error:
            raise UserError(f"{error}; it was given to an earlier `up` or `provision`: give it anew") from None
    if "from" in parameter:
        text = secret_sources.read(parameter["from"], document.path.absolute().parent, document.at((*key, "from")))
        return _kept(document, key, text) if secret else _typed(text, kind, document.at((*key, "from")), name)
    if "default" in parameter:
        value = _default(document, (*key, "default"), parameter["default"], kind)
        return _kept(document, key, value) if secret else value
    raise document.error(key, f"the parameter has no default and was not given; give it with -D {name}=VALUE")


def _kept(document: Document, key: KeyPath, text: str) -> Secret:
    if len(text) < SHORTEST_SECRET:
        words = f"a secret has at least {SHORTEST_SECRET} characters: to mask a shorter one would mask half of all text"
        raise document.error(key, words)
    # As _typed has it: nothing that writes UTF-8 could write them.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise document.error(key, "the secret is not UTF-8 text")
    return Secret(text)


@cache
def _tell_of_process_list(name: str) -> None:
    """Say once in this process what whoever may list processes can read."""
    words = "everyone on this machine can read it in the process list; declare `from:` for it, as from: {env: NAME}"
    log.warning("-D %s is a secret: %s", name, words)


def _typed(text: str, kind: str, what: str, name: str) -> Any:
    # Bytes of a command line that are not UTF-8 come as surrogates; nothing that writes UTF-8 could write them.
    if kind == "string" and "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    # So many digits are no setting, and Python refuses to read thousands of them.
    if len(text) <= 300 and kind == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    if len(text) <= 300 and kind == "number" and _PLAIN.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    raise UserError(f"{what}: {shown(text)} is not {_WORDS[kind]}, which parameter {name!r} is")


def _default(document: Document, key: KeyPath, value: Any, kind: str) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    right = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": is_number and isinstance(value, int),
        "number": is_number and math.isfinite(value),
    }[kind]
    if right:
        return float(value) if kind == "number" else value
    place = document.place(key)
    advice = quoted_form(place) if kind == "string" and not isinstance(value, str) else ""
    raise document.error(key, f"found {shown(value, place.text)}, allowed is {_WORDS[kind]}{advice}")


def filled(document: Document, parameters: Mapping[str, Any], schema: Schema) -> Document:
    """Return the stack with every `{param.NAME}` replaced, once, in its text values.

    Args:
        schema: of the stack: where a number or a switch may stand, the parameter's own value does, and not its text.
    Raises:
        StackFileError: names that no parameter has, what is nearly a value, and values that are not put in there.
    """
    wrong = list(dict.fromkeys(_wrong(document, (), document.data, parameters)))
    if wrong:
        raise StackFileError("\n".join(wrong))
    untouched = ("stack", "parameters")
    data = {
        key: value if key in untouched else _filled((key,), value, parameters, below(schema, key))
        for key, value in document.data.items()
    }
    return Document(document.path, data, document.places)


def plugin_name(text: str, parameters: Mapping[str, Any]) -> str:
    """Return the name of a plugin with its parameters put in; what is no parameter stays, and is refused later."""
    return _BRACE.sub(lambda one: str(parameters.get(one[1], one[0])) if one[1] else "{", text)


def _filled(key: KeyPath, value: Any, parameters: Mapping[str, Any], schema: Schema) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _filled((*key, name), each, parameters, _option(schema, name, key)) for name, each in value.items()
        }
    if isinstance(value, list):
        inner = below(schema, 0)
        return [_filled((*key, number), each, parameters, inner) for number, each in enumerate(value)]
    if not isinstance(value, str):
        return value
    if _by_planning(key):
        return value
    alone = _BRACE.fullmatch(value)
    if alone and alone[1] and takes_value(schema):
        return parameters[alone[1]]
    return _BRACE.sub(lambda found: "{" if found[1] is None else _written(parameters[found[1]], schema), value)


def _option(schema: Schema, name: str, key: KeyPath) -> Schema:
    """Return the schema under a key; the options of a provider are in what holds for its name."""
    if key == ("provider",) and name != "name":
        found = [below(each["then"], name) for each in schema.get("allOf", ())]
        return next((each for each in found if each), {})
    return below(schema, name)


def _wrong(document: Document, key: KeyPath, value: Any, parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the values in braces of the stack's texts: each would stay as it is, unseen."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            if key or name not in ("stack", "parameters"):
                yield from _wrong(document, (*key, name), each, parameters)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _wrong(document, (*key, number), each, parameters)
    elif isinstance(value, str):
        for braces in values_in(value):
            words = misspelt(braces) or _not_here(braces, key, parameters)
            if words:
                yield document.message(key, words)


def _not_here(braces: str, key: KeyPath, parameters: Mapping[str, Any]) -> str:
    root, _, name = braces[1:-1].partition(".")
    if root == "param":
        return "" if name in parameters else f"{braces}: {unknown('parameter', name, sorted(parameters))}"
    return "" if _by_planning(key) else f"{braces}: only {{param.NAME}} is put in here; {{{braces} is text"


def _by_planning(key: KeyPath) -> bool:
    of_host = key[2:3] if key[0] == "hosts" else key[1:2] if key[0] == "defaults" else ()
    return key[0] == "outputs" or of_host == ("ready",)


def _written(value: Any, schema: Schema) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quoted(text) if goes_to_shell(schema) else text
