"""What a stack file's own keys take, as JSON Schema: text, numbers, maps of names. Called where such keys are declared.

A `title` is the phrase that an error shows as what is allowed; a parameter may stand for any value.
"""

from __future__ import annotations

from infratest.option_schema import OR_REFERENCE, QUANTITIES, REFERENCE, Schema, units

#: Names end up in container names, file names and ids: no blank, no slash, no `@`, and never a leading dot or hyphen.
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
NAME_WORDS = "a name of letters, digits, dots, hyphens and underscores that starts with a letter or digit"
LONGEST_NAME = 63  # of a label in a host name (RFC 1035)
PARAMETER = r"^[A-Za-z_][A-Za-z0-9_-]*$"


def text(title: str, description: str, pattern: str = "") -> Schema:
    """Text; with a pattern, or with a parameter in it."""
    schema: Schema = {"type": "string", "minLength": 1, "title": title, "description": description}
    return schema | ({"pattern": pattern + OR_REFERENCE} if pattern else {})


def number(title: str, description: str, low: int, high: int) -> Schema:
    """A whole number, or a parameter that is one."""
    limits = {"minimum": low, "maximum": high, "pattern": REFERENCE}
    return {"type": ["integer", "string"], "title": title, "description": description, **limits}


def switch(description: str) -> Schema:
    return {"type": ["boolean", "string"], "title": "true or false", "description": description, "pattern": REFERENCE}


def named(title: str, description: str, each: Schema, pattern: str = NAME, longest: int = LONGEST_NAME) -> Schema:
    """A map whose keys are names that the user chooses."""
    names = {"pattern": pattern, "maxLength": longest, "title": f"{NAME_WORDS}, of at most {longest} characters"}
    schema: Schema = {"type": "object", "title": title, "description": description}
    return schema | {"propertyNames": names, "additionalProperties": each}


def entries(title: str, description: str, each: Schema, least: int = 0, unique: bool = False) -> Schema:
    schema: Schema = {"type": "array", "title": title, "description": description, "items": each}
    return schema | ({"minItems": least} if least else {}) | ({"uniqueItems": True} if unique else {})


def quantity(dimension: str, description: str) -> Schema:
    """A number with its unit, of `time` or `size`."""
    return text(QUANTITIES[dimension], description, units(dimension))
