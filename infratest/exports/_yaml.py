"""Maps and lists as YAML that every reader takes: blocks, and each text in double quotes, so that none is a number."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def document(value: Mapping[str, Any]) -> str:
    """Return a document, ending in a line break. value: maps, lists, texts, numbers and truths."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            inside = list(_lines(each))
            if isinstance(each, Mapping | list) and each:
                yield f"{key}:"
                yield from (f"  {line}" for line in inside)
            else:
                yield f"{key}: {inside[0]}"
    elif isinstance(value, list) and value:
        for each in value:
            first, *rest = _lines(each)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    """Return JSON, which YAML reads alike but for characters that cannot be printed: those are escaped in its way."""
    written = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else _escape(ord(each)) for each in written)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
