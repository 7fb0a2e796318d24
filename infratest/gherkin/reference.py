"""The reference parser of Gherkin beside behave's: what the two read differently is refused, with its line.

behave's parser bends some texts without a word: a table row that is not closed loses a letter, of two docstrings the
first is dropped. Called by `parse` for each feature that is read; a plan that is kept needs no parser. Both results
are laid out as what stands in which line, and compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infratest.cleaning import clean

Problem = tuple[int, str]

#: What stands in a line: its number and kind -> what a parser read there.
Layout = dict[tuple[int, str], Any]

#: Fences of a docstring; the third is behave's alone.
FENCES = ('"""', "```", "'''")
#: They end a line for behave and not for the reference parser: nothing else in a file would be numbered alike.
LINE_ENDS = frozenset("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def odd_line_end(text: str) -> Problem | None:
    """Return the first character that ends a line for one of the parsers alone."""
    for number, line in enumerate(text.split("\n"), 1):
        odd = next((character for character in line.removesuffix("\r") if character in LINE_ENDS), None)
        if odd is not None:
            return number, f"the character U+{ord(odd):04X} ends a line in some programs and not in others; remove it"
    return None


def open_rows(parsed: Any, text: str) -> list[Problem]:
    """Return the table rows that no pipe closes: behave cuts their last cell, and all else said of them misleads."""
    source = text.split("\n")
    lines = sorted(line for (line, kind), _ in _of_behave(parsed) if kind == "row" and _open(source[line - 1]))
    return [(line, f"the table row {clean(source[line - 1], 80)!r} {OPEN_ROW}") for line in lines]


def described_examples(text: str) -> dict[int, list[int]]:
    """Return the lines of description between `Examples:` and its table, by the line of `Examples:`.

    behave's parser refuses them, so they are taken out before it reads the text. Empty where the reference parser
    refuses the text too.
    """
    from gherkin.errors import CompositeParserException, ParserError
    from gherkin.parser import Parser

    try:
        document: Any = Parser().parse(text)
    except (CompositeParserException, ParserError):
        return {}
    found: dict[int, list[int]] = {}
    for examples in _all_examples((document["feature"] or {}).get("children", ())):
        begin = examples["location"]["line"]
        if examples["description"].strip() and "tableHeader" in examples:
            found[begin] = list(range(begin + 1, examples["tableHeader"]["location"]["line"]))
    return found


def _all_examples(children: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for child in children:
        yield from _all_examples(child.get("rule", {}).get("children", ()))
        yield from child.get("scenario", {}).get("examples", ())


def differences(parsed: Any, text: str, known: Sequence[Problem] = ()) -> list[Problem]:
    """Return what behave read otherwise than the reference parser, or what that refuses.

    Args:
        parsed: behave's model of the feature. text: of the file. known: problems of the feature that were found before.
        Their lines are not named again; and one misspelt keyword makes the other parser stumble somewhere else, so what
        it refuses is told only where nothing else is wrong.
    """
    # 27 ms to import, so only where a feature is read.
    from gherkin.errors import CompositeParserException, ParserError
    from gherkin.parser import Parser

    source = text.split("\n")
    try:
        document: Any = Parser().parse(text)
    except CompositeParserException as error:
        return [] if known else [_refused(error.errors[0], source)]
    except ParserError as error:
        return [] if known else [_refused(error, source)]
    ours, theirs = Layout(_of_behave(parsed)), Layout(_of_reference(document["feature"]))
    unlike = [key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]
    # A step that one of the two takes for description is told as the step.
    told = [key for key in unlike if key[1] != "description"] or unlike
    problems = [(key[0], _different(key[1], ours.get(key), theirs.get(key), source[key[0] - 1])) for key in told]
    problems += _behind_fences(theirs, source)
    return [problem for problem in problems if problem[0] not in {line for line, _ in known}]


def _of_behave(parsed: Any) -> Iterator[tuple[tuple[int, str], Any]]:
    for block in _blocks(parsed):
        yield (block.line, "block"), (block.keyword, block.name)
        yield from _tags(getattr(block, "tags", ()))
        yield (block.line, "description"), _lines(getattr(block, "description", None) or ())
        for step in getattr(block, "steps", ()):
            yield (step.line, "step"), (step.keyword, step.name)
            if step.text is not None:
                yield (step.text.line, "text"), [line.rstrip() for line in str(step.text).split("\n")]
                yield (step.text.line, "fence"), None
            yield from _rows(step.table)
        yield from _rows(getattr(block, "table", None))


def _blocks(item: Any) -> Iterator[Any]:
    """Yield a feature, rule or scenario and all that stands in it and has a line of its own."""
    yield item
    background = getattr(item, "background", None)
    # A rule without a background of its own is given one, in its line. A scenario knows that of its container.
    if hasattr(item, "run_items") and background is not None and background.line != item.line:
        yield background
    for inner in getattr(item, "run_items", getattr(item, "examples", ())):
        yield from _blocks(inner)


def _tags(tags: Sequence[Any]) -> Iterator[tuple[tuple[int, str], Any]]:
    for line in sorted({tag.line for tag in tags}):
        yield (line, "tags"), [str(tag) for tag in tags if tag.line == line]


def _rows(table: Any) -> Iterator[tuple[tuple[int, str], Any]]:
    if table is not None:
        yield (table.line, "row"), list(table.headings)
        for row in table.rows:
            yield (row.line, "row"), list(row.cells)


def _lines(description: Sequence[str]) -> list[str]:
    return [line.strip() for line in description if line.strip()]


def _of_reference(block: Mapping[str, Any]) -> Iterator[tuple[tuple[int, str], Any]]:
    at = block["location"]["line"]
    yield (at, "block"), (block["keyword"].strip(), block["name"])
    tags = block.get("tags", ())
    for line in sorted({tag["location"]["line"] for tag in tags}):
        yield (line, "tags"), [tag["name"][1:] for tag in tags if tag["location"]["line"] == line]
    yield (at, "description"), _lines(block.get("description", "").split("\n"))
    for step in block.get("steps", ()):
        yield (step["location"]["line"], "step"), (step["keyword"].strip(), step["text"])
        yield from _reference_argument(step)
    for rows in ([block["tableHeader"]] if block.get("tableHeader") else [], block.get("tableBody", ())):
        yield from _reference_rows(rows)
    for child in block.get("children", ()):
        yield from (part for inner in child.values() for part in _of_reference(inner))
    for example in block.get("examples", ()):
        yield from _of_reference(example)


def _reference_argument(step: Mapping[str, Any]) -> Iterator[tuple[tuple[int, str], Any]]:
    if "docString" in step:
        argument = step["docString"]
        at = argument["location"]["line"]
        # A line of blanks is an empty line to both; blanks behind words are lost by behave.
        content = [line.rstrip("\r") if line.strip() else "" for line in argument["content"].split("\n")]
        yield (at, "text"), content
        yield (at, "fence"), argument.get("mediaType")
    yield from _reference_rows(step.get("dataTable", {}).get("rows", ()))


def _reference_rows(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[int, str], Any]]:
    for row in rows:
        yield (row["location"]["line"], "row"), [cell["value"] for cell in row["cells"]]


def _behind_fences(layout: Layout, source: Sequence[str]) -> Iterator[Problem]:
    """Yield what stands behind the fence that closes a docstring: both parsers drop it."""
    for line, kind in layout:
        if kind == "fence":
            fence = source[line - 1].strip()[:3]
            for number, words in enumerate(source[line:], line + 1):
                if words.strip().startswith(fence):
                    behind = words.strip()[3:].strip()
                    if behind:
                        yield number, f"{clean(behind, 60)!r} behind the closing {fence} is read by nobody; remove it"
                    break


def _open(row: str) -> bool:
    """Whether a table row lacks the pipe that closes its last cell."""
    row = row.strip()
    return row.startswith("|") and (row == "|" or not row.endswith("|") or row.endswith("\\|"))


OPEN_ROW = "is not closed: its last cell would be cut; put a pipe behind it"


def _refused(error: Any, source: Sequence[str]) -> Problem:
    """Return what the reference parser refuses and behave takes, in words for that line."""
    line = min(error.location["line"], len(source))
    words = source[line - 1].strip()
    shown = clean(words, 80)
    if words.startswith("'''"):
        return line, "''' is a fence to behave alone; write \"\"\" around the text"
    if words.startswith(FENCES):
        return line, f"{shown!r}: a step takes one text, right below it; here another one would be lost or misplaced"
    if words.startswith("|"):
        return line, f"{shown!r}: a step takes one table, right below it, with as many cells in each row"
    if "unexpected end of file" in str(error):
        missing = 'a text (""") is not closed' if "DocStringSeparator" in str(error) else "something is missing"
        return line, f"the file ends where {missing}"
    return line, f"{shown!r} cannot stand here in Gherkin{_case_hint(words)}"


def _case_hint(words: str) -> str:
    first = words.split(" ", 1)[0]
    return f"; write {first.capitalize()!r}" if first and first == first.lower() and first.isalpha() else ""


def _different(kind: str, ours: Any, theirs: Any, line: str) -> str:
    """Return what is wrong with a line that the two parsers read differently."""
    shown = clean(line.strip(), 80)
    if kind == "fence":
        return f"{clean(str(theirs), 60)!r} behind the opening fence is read by nobody; remove it"
    if kind in ("step", "description") and not theirs:
        return f"{shown!r} is a step to behave alone: keywords are written as in 'Given'{_case_hint(line.strip())}"
    if kind == "text":
        return f"the text below is read as {_said(ours)} by behave and as {_said(theirs)} by others: {_advice(theirs)}"
    read = f"is read as {_said(ours)} by behave and as {_said(theirs)} by Gherkin's own parser"
    return f"{shown!r} {read}; write it so that both agree"


def _advice(lines: Any) -> str:
    if isinstance(lines, list) and any(line != line.rstrip() for line in lines):
        return "remove the blanks at the ends of its lines"
    return "write it so that both agree"


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    parts = value if isinstance(value, list) else [part for part in value if part]
    return clean(" | ".join(repr(part) for part in parts), 160) or "nothing"
