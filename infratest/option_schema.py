"""The JSON Schema (draft 2020-12) of a class of options, from the same type hints and metadata that `options` reads.

Called for the stack file, where it checks what stands under a plugin's name, by `infratest schema` and for the pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.options import NONE, WORDS, Field, fields, limit
from infratest.units import DIMENSIONS

Schema = dict[str, Any]

#: Where a value may come from a parameter, its text as written holds this; after replacement it may not.
REFERENCE = r"\{param\."
#: So may a misspelt one, which is told where values are put in: `{ param.x }`.
OR_REFERENCE = r"|\{\s*\w+\."
#: The media type of text that goes to a shell as it is (JSON Schema, Validation, 8.4: an annotation).
SHELL = "application/x-sh"

TYPES: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", tuple: "array"}
#: What is allowed for a quantity, as an error says it.
QUANTITIES = {"size": "a size with its unit, such as 256MiB", "time": "a time with its unit, such as 30s or 1h"}


def schema_of(options: type[Any], title: str, description: str = "") -> Schema:
    """Return the schema of a map of options; a parameter may stand for any value.

    Args:
        options: their class. title: what is allowed, as an error says it. description: the class's own words without.
    """
    known = fields(options)
    description = description or " ".join((options.__doc__ or "").partition("\n\n")[0].split()) or title
    properties = {key: option_schema(field) for key, field in known.items()}
    schema = map_schema(title, description, properties, tuple(key for key, field in known.items() if field.required))
    short = next((option_schema(field) for field in known.values() if field.about.get("short")), None)
    if short is None:
        return schema
    # Keywords of text and lists say nothing about a map, and those of maps nothing about text: both may stand together.
    kinds = short["type"] if isinstance(short["type"], list) else [short["type"]]
    alone = {key: value for key, value in short.items() if key not in ("description", "default")}
    words = f"{short['title']}, or a map of {', '.join(known)}" if len(known) > 1 else short["title"]
    return schema | alone | {"type": [*kinds, "object"], "title": words}


def map_schema(
    title: str, description: str, properties: Mapping[str, Schema], required: tuple[str, ...] = ()
) -> Schema:
    """Return the schema of a map that has these keys and no others."""
    schema: Schema = {"type": "object", "title": title, "description": description, "properties": dict(properties)}
    return schema | {"additionalProperties": False} | ({"required": list(required)} if required else {})


def option_schema(field: Field) -> Schema:
    """Return the schema of one option."""
    about = field.about
    schema = _allowed(field) | {"description": field.description or "An option."}
    if about.get("title"):
        schema["title"] = about["title"]
    if about.get("secret"):
        schema["writeOnly"] = True
    if about.get("shell"):
        schema["contentMediaType"] = SHELL
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    shown = isinstance(default, str | int | float | bool) and default != "" and field.dimension is None
    return schema | ({"default": default} if shown else {})


def _allowed(field: Field) -> Schema:
    kinds = [kind for kind in field.kinds if kind is not NONE]
    texts = [text for kind in kinds if isinstance(kind, tuple) for text in kind]
    if texts:
        allowed = [{"enum": texts}, {"type": "string", "pattern": REFERENCE}]
        return {"type": "string", "title": " or ".join(texts), "anyOf": allowed}
    if field.dimension is not None:
        limits = _limits(field)
        words = {name: limit(number, field.dimension) for name, number in limits.items()}
        title = QUANTITIES.get(field.dimension, f"a {field.dimension} with its unit")
        title += "," * bool(words) + _between(**words)
        # Of text they say nothing to a validator: they are in the base unit, for whoever reads the schema.
        return text_schema(title, units(field.dimension)) | limits
    about = field.about
    types = [TYPES.get(kind, "object") for kind in kinds]
    schema: Schema = {"title": " or ".join(WORDS.get(kind, "a map") for kind in kinds)}
    if "string" in types:
        schema |= text_schema(schema["title"], field.about.get("pattern", ""))
    elif {"integer", "number", "boolean"} & {*types}:
        limits = _limits(field)
        schema |= limits | {"pattern": REFERENCE, "title": schema["title"] + _between(**limits)}
        types.append("string")
    if "array" in types:
        schema |= _list(field)
    if "object" in types and "map" in about:
        inner = schema_of(about["map"], schema["title"])
        schema |= {key: inner[key] for key in ("properties", "additionalProperties")}
    return schema | {"type": types if len(types) > 1 else types[0]}


def _list(field: Field) -> Schema:
    schema: Schema = {"uniqueItems": True} if field.about.get("unique") else {}
    if field.items not in (str, int):
        return schema
    each = field.about.get("each", WORDS[field.items])
    if field.items is str:
        return schema | {"items": text_schema(each, field.about.get("pattern", "")) | {"description": "One of them."}}
    item = {"type": ["integer", "string"], "title": each, "description": "One of them.", "pattern": REFERENCE}
    return schema | {"items": item | _limits(field)}


def _between(minimum: float | str | None = None, maximum: float | str | None = None) -> str:
    """Say limits behind what they are of: who is told that 100 is refused must be told what is not."""
    if minimum is None:
        return "" if maximum is None else f" of at most {maximum}"
    return f" of at least {minimum}" if maximum is None else f" from {minimum} to {maximum}"


def _limits(field: Field) -> Schema:
    names = {"low": "minimum", "high": "maximum"}
    return {names[key]: field.about[key] for key in names if key in field.about}


def text_schema(title: str, pattern: str = "") -> Schema:
    """Return the schema of text; with a pattern, or with a parameter in it."""
    schema: Schema = {"type": "string", "minLength": 1, "title": title}
    return schema | ({"pattern": pattern + OR_REFERENCE} if pattern else {})


def units(dimension: str) -> str:
    """Return the pattern of a number with a unit of a dimension."""
    words = "|".join(sorted((unit for unit in DIMENSIONS[dimension] if unit), key=lambda unit: (-len(unit), unit)))
    return rf"^[0-9]+(\.[0-9]+)? ?({words})$"


def resolved(schema: Schema) -> Schema:
    """Return the schema of a stack in which every parameter has been put in: no text may stand for a number."""
    strict: Schema = {}
    for key, value in schema.items():
        # What must be a parameter is checked as it is written; what it stands for may be anything.
        if key == "pattern" and (value == REFERENCE or schema.get("writeOnly")):
            continue
        if key == "pattern" and isinstance(value, str):
            strict[key] = value.removesuffix(OR_REFERENCE)
        elif key == "type" and schema.get("pattern") == REFERENCE:
            strict[key] = [kind for kind in value if kind != "string"] if isinstance(value, list) else value
        elif key == "anyOf":
            strict[key] = [resolved(each) for each in value if each != {"type": "string", "pattern": REFERENCE}]
        elif key in ("allOf", "if", "then"):
            strict[key] = [resolved(each) for each in value] if isinstance(value, list) else resolved(value)
        else:
            strict[key] = resolved(value) if isinstance(value, dict) else value
    return strict


def takes_value(schema: Schema) -> bool:
    """Whether a parameter that is a number or a switch may stand here as that, and not as its text."""
    one = schema.get("pattern") == REFERENCE and isinstance(schema.get("type"), list)
    return one or any(takes_value(each) for each in schema.get("anyOf", ()))


def goes_to_shell(schema: Schema) -> bool:
    """Whether the text that stands here goes to a shell as it is."""
    return schema.get("contentMediaType") == SHELL


def below(schema: Schema, part: str | int) -> Schema:
    """Return the schema of what stands under a key or an index, as far as it is known; an empty one else."""
    name = "items" if isinstance(part, int) else "additionalProperties"
    inner = schema.get("properties", {}).get(part, schema.get(name)) if isinstance(part, str) else schema.get(name)
    return inner if isinstance(inner, dict) else {}
