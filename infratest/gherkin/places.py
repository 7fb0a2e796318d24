"""Which scenarios a line of a feature belongs to: for `FEATURE:LINE`. Pure; called by `parse` with behave's model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

#: From which line on, and the scenarios that it is about, as numbers in the feature's order.
Place = tuple[int, tuple[int, ...]]


def places(parsed: Any, text: str) -> tuple[Place, ...]:
    """Return where each part of a feature begins, in order, with the scenarios that it is about.

    A part begins with its tags, and with comments right above. A feature's and a background's lines are about all
    scenarios below, an outline's about all its rows, those of one `Examples` about its rows.
    """
    return _Places(parsed, text.split("\n")).found


class _Places:
    def __init__(self, parsed: Any, source: Sequence[str]) -> None:
        self.source = source
        self.count = 0
        self.starts: list[Place] = []
        self._container(parsed, 1)
        self.found = tuple(sorted(self.starts))

    def _container(self, container: Any, start: int) -> None:
        """Note a feature or rule and all that stands in it."""
        first = self.count
        inner = list(self._items(container.run_items))
        every = tuple(range(first, self.count))
        self.starts.append((start, every))
        background = container.background
        if background is not None and background.line > container.line:
            self.starts.append((self._start(background), every))
        self.starts += inner

    def _items(self, items: Sequence[Any]) -> Iterator[Place]:
        for item in items:
            if hasattr(item, "run_items"):
                self._container(item, self._start(item))
            elif hasattr(item, "examples"):
                yield from self._outline(item)
            else:
                yield self._start(item), (self.count,)
                self.count += 1

    def _outline(self, outline: Any) -> Iterator[Place]:
        first = self.count
        for example in outline.examples:
            rows = example.table.rows if example.table else []
            numbers = tuple(range(self.count, self.count + len(rows)))
            yield self._start(example), numbers
            yield from ((self._start(row), (number,)) for row, number in zip(rows, numbers, strict=True))
            self.count += len(rows)
        yield self._start(outline), tuple(range(first, self.count))

    def _start(self, item: Any) -> int:
        """Return the first line of a part: of its tags, and of the comments right above."""
        line: int = min([item.line, *(tag.line for tag in getattr(item, "tags", ()))])
        while line > 1 and self.source[line - 2].lstrip().startswith("#"):
            line -= 1
        return line
