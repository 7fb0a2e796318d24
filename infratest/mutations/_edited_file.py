"""A file of JSON or YAML with another value in it for a while; what the faults of documents do.

It is read, changed and written back as JSON, which YAML 1.2 is a superset of; the undo has the file as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from infratest.acts.base import Access, succeeded
from infratest.deadline import Deadline
from infratest.errors import ActError, FactError
from infratest.mutations._path import COPIED
from infratest.mutations.base import ScriptAct
from infratest.structured_text import Absent, Each, parsed, step_into, steps, written

#: Characters of a document that are written back as one argument: Linux takes 128 KiB.
LARGEST = 100_000
#: Things that are put into a list or a map at most.
MOST = 1000
#: $2: the file, $3: what it becomes.
WRITTEN = f'{COPIED}\nprintf "%s\\n" "$3" >"$2"'

#: Changes a value that is its own to change, and returns it. Raises FactError, Absent: it cannot.
Edit = Callable[[Any], Any]


@dataclass(frozen=True)
class DocumentAct(ScriptAct):
    """A file of JSON or YAML with something else in it."""

    form: str = field(default="JSON", metadata={"description": "the format of the file"})
    edit: Edit = field(default=lambda value: value, compare=False, metadata={"description": "what changes its value"})

    def apply(self, access: Access, deadline: Deadline) -> str:
        (path,) = self.arguments
        read = access.run(["cat", "--", path], deadline)
        succeeded(read, f"{path} is read")
        try:
            changed = self.edit(deepcopy(parsed(read.stdout.decode(), self.form)))
            text = json.dumps(changed, ensure_ascii=False)
        except (FactError, Absent, UnicodeDecodeError, TypeError, ValueError) as error:
            raise ActError(f"{path}: {error}") from None
        if len(text) > LARGEST:
            raise ActError(f"{path} is longer than {LARGEST} characters: it is not changed")
        command = ["sh", "-c", f"set -e\n{self.change}", "sh", *self._given, text]
        succeeded(access.run(command, deadline), self.words)
        return self.words


def put(document: Any, at: str, value: Any) -> Any:
    """Return a document with a value at a path; maps on its way are made. Raises Absent."""
    way = steps(at)
    if not way:
        return value
    here, name = document, ""
    for place, step in enumerate(way):
        last = place == len(way) - 1
        key = key_in(here, step)
        if last and isinstance(here, list | dict):
            here[key] = value
        elif isinstance(here, dict) and key not in here:
            here[key] = {}
        here = value if last else step_into(here, step, name)
        name = f"{name}.{step}".removeprefix(".")
    return document


def put_anyway(document: Any, way: Sequence[str | int], value: Any) -> Any:
    """Return a document with a value at a path; what stands in its way becomes a map or a list that is long enough.

    Raises:
        FactError: the list would be too long.
    """
    if not way:
        return value
    step, *rest = way
    place = step if isinstance(step, int) else int(step) if step.isdecimal() else None
    if place is not None and (isinstance(document, list) or isinstance(step, int)):
        now = document if isinstance(document, list) else []
        length = max(place + 1, -place)
        if length > MOST:
            raise FactError(f"more than {MOST} things are not put into a file")
        made = [*now, *[None] * (length - len(now))]
        made[place] = put_anyway(made[place], rest, value)
        return made
    others = dict(document) if isinstance(document, Mapping) else {}
    key = key_in(others, step)
    return {**others, key: put_anyway(others.get(key), rest, value)}


def removed(document: Any, at: str) -> Any:
    """Return a document with nothing at a path. Raises Absent."""
    *way, last = steps(at) or (None,)
    if last is None:
        return None
    here = document
    for step in way:
        here = step_into(here, step, "")
    step_into(here, last, "")
    del here[key_in(here, last)]
    return document


def key_in(value: Any, step: str | int) -> Any:
    """Return what a step is in a list or a map: a key that is no text is found as it is written."""
    if isinstance(value, list):
        if not isinstance(step, int) and not step.isdecimal():
            raise Absent(f"a list has no key {step!r}")
        return int(step)
    if not isinstance(value, Mapping):
        raise Absent(f"nothing is put below {written(value)!r}")
    return next((key for key in value if step in (key, written(key))), step)


def places(document: Any, at: str) -> list[tuple[tuple[Any, ...], Any]]:
    """Return where the values of a path are, by the keys and places that lead there, as `values_at` does."""
    way = steps(at)
    if not any(isinstance(step, Each) for step in way):
        way = (*way, Each("*"))
    found: list[tuple[tuple[Any, ...], Any]] = [((), document)]
    for step in way:
        following: list[tuple[tuple[Any, ...], Any]] = []
        for keys, value in found:
            if isinstance(step, Each) and isinstance(value, list):
                following += [((*keys, place), each) for place, each in enumerate(value)]
            elif isinstance(step, Each) and isinstance(value, Mapping):
                following += [((*keys, key), each) for key, each in value.items()]
            elif not isinstance(step, Each) and isinstance(value, list | Mapping):
                try:
                    following.append(((*keys, key_in(value, step)), step_into(value, step, at)))
                except Absent as absent:
                    following.append((keys, absent))
        found = following
    return found


def put_at(document: Any, keys: tuple[Any, ...], value: Any) -> Any:
    here = document
    for key in keys[:-1]:
        here = here[key]
    here[keys[-1]] = value
    return document
