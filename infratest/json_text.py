"""JSON for what is read and written at every check: the standard library's own parser, without what `json` imports.

`json` imports `re`, which costs a run of the plugin program more than its check. Where a Python has no such parser
inside, `json` itself is used. Called by the state directory and by what is kept in it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    inside: Any
else:
    try:
        import _json as inside
    except ImportError:  # not CPython
        inside = None

BLANKS = " \t\n\r"  # RFC 8259, 2
INFINITE = float("inf")
DEEP = "maps and lists stand deeper in one another than can be read"


class _Rules:
    """What `json.JSONDecoder` tells the parser by default."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float = parse_constant = float
    parse_int = int


def loads(text: str | bytes) -> Any:
    """Return the value that UTF-8 text holds.

    Raises:
        ValueError: it is not one value in JSON.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    if inside is not None:
        begin = len(text) - len(text.lstrip(BLANKS))
        try:
            value, end = inside.make_scanner(_Rules)(text, begin)
            if not text[end:].strip(BLANKS):
                return value
        except RecursionError:
            raise ValueError(DEEP) from None
        except (StopIteration, ValueError, SystemError):
            pass  # only `json` has the words for what is wrong; without it the parser has not even an error
    import json

    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(DEEP) from None


def dumps(value: Any) -> str:
    """Return a value of strings, numbers, None, lists and mappings with keys of text, as one line; keys are sorted.

    Raises:
        TypeError: there is no JSON for it. ValueError: a number that is not finite.
    """
    if inside is None:
        import json

        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        quoted: str = inside.encode_basestring(value)
        return quoted
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not -INFINITE < value < INFINITE:  # nor NaN, which is not less than anything
            raise ValueError(f"{value} cannot be written as JSON")
        return float.__repr__(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join([_text(item) for item in value])}]"
    return _mapping(value)


def _mapping(value: Mapping[str, Any]) -> str:
    try:
        items = sorted(value.items())
    except AttributeError:
        raise TypeError(f"{type(value).__name__} cannot be written as JSON") from None
    return f"{{{', '.join([f'{inside.encode_basestring(key)}: {_text(item)}' for key, item in items])}}}"
