"""A test's free text taken out of a question before it is kept, and put back from the test itself.

`host.file(path).contains(text)` may look for a password. What the record keeps in its place is a salted digest, so
short that it confirms nothing, and long enough to tell which of the few texts in a test's own code, or of its
parameters, is meant. A text that stands in neither (read from a file, from the environment) is asked live.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

_PLACE = re.compile("\0([0-9a-f]{8}):([0-9a-f]{8})\0")


def without(words: str, text: str) -> str | None:
    """Return a question without a text, or None where it is quoted twice (by `host.sudo()`) and so not found."""
    before, found, after = words.partition(shlex.quote(text))
    if not found:
        return None
    salt = os.urandom(4).hex()
    return f"{before}\0{salt}:{_digest(salt, text)}\0{after}"


def restored(words: str, item: pytest.Item) -> str | None:
    """Return a question with the text of this test that was taken out; None where the test has no such text."""
    place = _PLACE.search(words)
    if place is None:
        return words
    salt, digest = place.groups()
    for text in _texts(item):
        if _digest(salt, text) == digest:
            return words[: place.start()] + shlex.quote(text) + words[place.end() :]
    return None


def _digest(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}{text}".encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _texts(item: pytest.Item) -> Iterator[str]:
    code = getattr(getattr(item, "function", None), "__code__", None)
    if isinstance(code, CodeType):
        yield from _inside(code.co_consts)
    parameters: dict[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    yield from _inside(tuple(parameters.values()))


def _inside(values: tuple[Any, ...]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | list | frozenset):
            yield from _inside(tuple(value))
        elif isinstance(value, CodeType):
            yield from _inside(value.co_consts)
