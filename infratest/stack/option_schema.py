"""The schema of stack.yaml with the options of every provider that is installed: what `infratest schema` prints.

The options come from each provider's own `Options`, so that a provider is described where it is written. Loading a
stack file does without this: `infratest.options.build` checks the options of the one provider that it names.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from typing import Any

from infratest import outsiders
from infratest.errors import InfratestError
from infratest.options import Field, fields
from infratest.stack.schema import REFERENCE, SCHEMA, Schema
from infratest.units import DIMENSIONS

TYPES: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", tuple: "array"}
WORDS: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list"}


def whole() -> Schema:
    """Return SCHEMA with the options of all providers, for the stack and for its environments."""
    schema = copy.deepcopy(SCHEMA)
    conditions = [_condition(name, options) for name, options in _providers().items()]
    environment = schema["properties"]["environments"]["additionalProperties"]
    for holder in (schema, environment):
        holder["properties"]["provider"]["allOf"] = conditions
    return schema


def _providers() -> dict[str, dict[str, Field]]:
    """Return the options of each provider; one that cannot be loaded here has none to tell."""
    found = {}
    for name in outsiders.names("provider"):
        try:
            kind = outsiders.get("provider", name)
        except (InfratestError, ImportError):
            continue
        options = getattr(kind, "Options", None) or getattr(sys.modules[kind.__module__], "Options", None)
        if options is not None:
            found[name] = fields(options)
    return found


def _condition(name: str, options: Mapping[str, Field]) -> Schema:
    """Return what holds for a provider that is named so: these options, and no others."""
    named = {"title": "a provider's name", "description": "The provider.", "const": name}
    properties = {"name": named} | {key: _option(field) for key, field in options.items()}
    return {
        "if": {"type": "object", "properties": {"name": {"const": name}}, "required": ["name"]},
        "then": {"properties": properties, "additionalProperties": False},
    }


def _option(field: Field) -> Schema:
    """Return the schema of one option; a parameter may stand for any value."""
    described = {"description": field.description or "An option of the provider."}
    kinds = [kind for kind in field.kinds if kind is not type(None)]
    texts = [text for kind in kinds if isinstance(kind, tuple) for text in kind]
    if texts:
        allowed = [{"enum": texts}, {"type": "string", "pattern": REFERENCE}]
        return {"title": " or ".join(texts), "anyOf": allowed} | described
    if field.dimension is not None:
        units = ", ".join(unit for unit in DIMENSIONS[field.dimension] if unit)
        return {"type": ["string", "number"], "title": f"a {field.dimension} with its unit ({units})"} | described
    types = [TYPES.get(kind, "object") for kind in kinds]
    title = " or ".join(WORDS.get(kind, "a map") for kind in kinds)
    if "string" in types or not {"integer", "number", "boolean"} & {*types}:
        return {"type": types, "title": title} | described
    return {"type": [*types, "string"], "title": title, "pattern": REFERENCE} | described
