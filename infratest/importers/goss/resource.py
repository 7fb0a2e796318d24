"""One resource of a goss file, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from infratest.importers.goss.document import Value


@dataclass(frozen=True)
class Wording:
    """A sentence and the line that it was made of; or words about that line: a note, or why it has no sentence."""

    SENTENCE: ClassVar = "sentence"
    NOTE: ClassVar = "note"
    LEFT: ClassVar = "left"

    text: str
    line: int
    what: str = SENTENCE


@dataclass(frozen=True)
class Resource:
    """A resource.

    Args:
        kind: `file`, `package`. key: its name, by the key or by the attribute that says it. path, line: its place.
        attributes: those that claim something. title: what a human calls it. skipped: goss runs none of it.
    """

    kind: str
    key: str
    path: str
    line: int
    attributes: Mapping[str, Value] = field(default_factory=dict)
    title: str = ""
    skipped: bool = False

    def plain(self, attribute: str) -> Any:
        """Return an attribute's plain value, None where it has none."""
        value = self.attributes.get(attribute)
        return None if value is None or isinstance(value.data, list | dict) else value.data

    def line_of(self, attribute: str) -> int:
        """Return where an attribute stands."""
        value = self.attributes.get(attribute)
        return self.line if value is None else value.line
