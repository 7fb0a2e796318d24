"""Columns of a scenario outline that nothing reads, and `<names>` that are no column. Pure; called by `structure`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from infratest.gherkin.reference import Problem
from infratest.spelling import slip_of

_PLACEHOLDER = re.compile(r"<([^<>\n]+)>")

#: behave replaces these too; a feature would say in behave alone what it says.
BEHAVES = ("examples.name", "examples.index", "row.index", "row.id")

_UNUSED = "; remove it, or name it as <{}>, if only in the title"


def columns(outline: Any, background: Sequence[Any]) -> Iterator[Problem]:
    """Yield what is wrong with the columns of an outline, each with its line.

    Args:
        outline: behave's model of it. background: the steps that come before its own, which take values too.
    """
    uses = list(_uses(outline, background))
    taken = {name for name, _ in uses}
    every = {name for example in outline.examples if example.table for name in example.table.headings}
    for example in outline.examples:
        if example.table is None:
            continue
        known = list(example.table.headings)
        missing = sorted(taken - set(known))
        yield from _headings(example, known, taken, missing)
        yield from _cells(example, known)
        for name in sorted(taken & every - set(known)):
            yield example.table.line, f"these examples have no column {name!r}: <{name}> would stay text in their rows"
    yield from _no_columns(uses, sorted(every), taken) if every else ()
    for example in outline.examples:
        known = list(example.table.headings) if example.table else []
        for tag in (*outline.tags, *example.tags):
            lost = next((name for name in _PLACEHOLDER.findall(str(tag)) if name not in known), None)
            if lost is not None and known:
                yield tag.line, f"@{tag}: <{lost}> is no column, and the tag would be dropped; {_listed(known)}"


def _headings(example: Any, known: Sequence[str], taken: set[str], missing: Sequence[str]) -> Iterator[Problem]:
    for place, name in enumerate(known):
        line = example.table.line
        if not name:
            yield line, "a column without a name: nothing can take its values; name it, or remove it"
        elif name in known[:place]:
            yield line, f"column {name!r} stands twice: the second would never be looked at; rename or remove it"
        elif name not in taken:
            why = f", and <{missing[0]}> is no column but text; {_listed(known)}" if missing else _UNUSED.format(name)
            yield line, f"column {name!r} is used nowhere{why}"


def _cells(example: Any, known: Sequence[str]) -> Iterator[Problem]:
    for row in example.table.rows:
        for cell in row.cells:
            again = next((name for name in _PLACEHOLDER.findall(cell) if name in known), None)
            if again is not None:
                yield row.line, f"the cell {cell!r} holds the column <{again}>, which would be replaced again"


def _no_columns(uses: Sequence[tuple[str, int]], known: Sequence[str], taken: set[str]) -> Iterator[Problem]:
    """Yield `<names>` that are nearly a column: they would stay as they are, and a denial of them be green."""
    for name, line in uses:
        if name in known:
            continue
        if name in BEHAVES:
            yield line, f"<{name}> is replaced by behave alone; only columns are: {', '.join(known)}"
        near = name.strip() if name.strip() in known else slip_of(name.strip(), known, strict=True)
        if near in taken:
            yield line, f"<{name}> is no column but text; did you mean <{near}>? {_listed(known)}"


def _uses(outline: Any, background: Sequence[Any]) -> Iterator[tuple[str, int]]:
    """Yield each `<name>` that an outline holds, with its line."""
    texts = [(outline.name, outline.line)]
    for tag in (*outline.tags, *(tag for example in outline.examples for tag in example.tags)):
        texts.append((str(tag), tag.line))
    for step in (*background, *outline.steps):
        texts += [(step.name, step.line), (str(step.text or ""), step.line)]
        if step.table is not None:
            texts += [(cell, step.table.line) for cell in step.table.headings]
            texts += [(cell, row.line) for row in step.table.rows for cell in row.cells]
    for text, line in texts:
        yield from ((name, line) for name in _PLACEHOLDER.findall(text))


def _listed(known: Sequence[str]) -> str:
    return f"columns are {', '.join(known)}"
