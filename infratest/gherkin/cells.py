r"""The cells of tables as Gherkin reads them: `\|` is `|`, `\\` is `\`, `\n` ends a line, any other backslash stays.

behave's parser knows the first alone. Called by `parse` with behave's model of a feature, ahead of all else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def as_gherkin_reads(parsed: Any, text: str) -> None:
    """Give the tables of behave's model the cells that Gherkin reads in their lines.

    A row in which the two count other cells is left alone: `reference` refuses it.

    Args:
        parsed: behave's model of a feature. text: of its file.
    """
    source = text.split("\n")
    for cells, number in _rows(parsed):
        line = source[number - 1] if 0 < number <= len(source) else ""
        if "\\" not in line:
            continue
        from gherkin.gherkin_line import GherkinLine  # 27 ms with the rest of the reference parser

        read = [str(cell["text"]) for cell in GherkinLine(line, number).table_cells]
        if len(read) == len(cells):
            cells[:] = read


def _rows(block: Any) -> Iterator[tuple[list[str], int]]:
    """Yield the cells of each row of each table in a block, and the row's line."""
    background = getattr(block, "background", None)
    if hasattr(block, "run_items"):
        if background is not None:
            yield from _rows(background)
        for inner in block.run_items:
            yield from _rows(inner)
    for table in (getattr(block, "table", None), *(step.table for step in getattr(block, "steps", ()))):
        if table is not None:
            yield table.headings, table.line
            yield from ((row.cells, row.line) for row in table.rows)
    for examples in getattr(block, "examples", ()):
        yield from _rows(examples)
