"""Feature files to values, by behave's parser; what Gherkin would swallow is refused before anything runs.

`structure` says what is wrong with the text, `reference` what another parser reads in it, `lint` what is wrong with
the scenarios. A sentence that cannot be used costs its scenario alone: it becomes a line with a problem.
"""

from __future__ import annotations

import copy
import logging
import os
import stat
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import FeatureError, unknown
from infratest.gherkin import lint
from infratest.gherkin.cells import as_gherkin_reads
from infratest.gherkin.conditions import condition
from infratest.gherkin.identity import titles
from infratest.gherkin.places import places
from infratest.gherkin.reference import described_examples, differences, odd_line_end, open_rows
from infratest.gherkin.structure import block_lines, refusal_hint, structure
from infratest.gherkin.suite import Feature, Line, Scenario
from infratest.gherkin.tables import expanded, lacks_colon, takes_table
from infratest.gherkin.vocabulary import Vocabulary

#: Bytes of one feature file; a larger one is a mistake, not a feature.
LARGEST = 2 * 2**20

#: Whether (kind, text) is a step of the user's own: ACT, CHECK or empty. Raises FeatureError where it is two.
UserStep = Callable[[str, str], str]


@dataclass(frozen=True)
class _Source:
    """One scenario of behave's model: its row and tags, and the rule that it stands in."""

    scenario: Any
    row: int | None
    tags: tuple[str, ...]
    rule: Any


class RefusedFeature(FeatureError):
    """A feature that is refused: `made` is what reads as it is meant, of which more can be said."""

    def __init__(self, words: str, made: Feature) -> None:
        super().__init__(words)
        self.made = made


def feature(path: Path, name: str, vocabulary: Vocabulary, user_step: UserStep = lambda kind, text: "") -> Feature:
    """Read one feature file.

    Args:
        path: the file. name: its path as ids name it. user_step: tells steps of the user's own.
    Raises:
        FeatureError: not there, not readable, not UTF-8, no Gherkin, or refused by lint (with all that lint found).
    """
    path = _shown(path)
    parsed, text = read(path)
    problems = open_rows(parsed, text)
    cut = {line for line, _ in problems}
    in_structure = structure(parsed, text, lambda words: _says(words, vocabulary, user_step))
    problems += [problem for problem in in_structure if problem[0] not in cut]
    problems += differences(parsed, text, problems)
    sources = list(_walk(parsed.run_items, tuple(map(str, parsed.tags)), None))
    refusals: dict[int, str] = {}
    for source in sources:
        refusals |= _tables(source.scenario, vocabulary, user_step)
    title = titles([(source.scenario, source.row, source.rule) for source in sources])
    made = Feature(
        path=name,
        file=str(path),
        name=parsed.name,
        tags=tuple(str(tag) for tag in parsed.tags),
        scenarios=tuple(
            Scenario(
                feature=name,
                feature_name=parsed.name,
                name=words,
                line=source.scenario.line,
                tags=source.tags,
                lines=tuple(_line(step, vocabulary, user_step, refusals) for step in source.scenario.all_steps),
                row=source.row,
                path=str(path),
                source=source.scenario,
            )
            for source, words in zip(sources, title, strict=True)
        ),
        places=places(parsed, text),
    )
    refused = lint.scenarios(made)
    if not (problems or refused):
        return made
    made = _as_meant(made, {line for line, _ in problems}, block_lines(parsed))
    problems += [*refused, *lint.sentences(made)]
    words = "\n".join(f"{path}:{line}: {words}" for line, words in sorted(set(problems)))
    raise RefusedFeature(words, made)


def _as_meant(made: Feature, wrong: Iterable[int], begins: Sequence[int]) -> Feature:
    """Return a feature without the sentences of scenarios that may read otherwise than they are meant.

    Args:
        wrong: lines that Gherkin would take for something else. begins: of each block of the file, the first line.
    """
    misread = {bisect(begins, line) for line in wrong} - {0}  # 0: above the first of them
    return made.changed(
        scenarios=tuple(
            each.changed(lines=())
            if misread.intersection([bisect(begins, line) for line in (each.line, *(one.number for one in each.lines))])
            else each
            for each in made.scenarios
        )
    )


def read(path: Path) -> tuple[Any, str]:
    """Return behave's model of a feature file, and its text.

    Raises:
        FeatureError: with file and line where there is one.
    """
    from behave.parser import ParserError

    text = _text(path)
    language = "en"
    # It says "malformed" and goes on; `reference` says what is wrong, with the line.
    logging.getLogger("behave").addFilter(_not_malformed)
    try:
        language = _language(text)
        parsed = _parsed(path, text)
    except FeatureError as error:
        raise FeatureError(f"{path}:{error}") from None
    except ParserError as error:
        raise FeatureError(_refused(path, text, error, language)) from None
    finally:
        logging.getLogger("behave").removeFilter(_not_malformed)
    if parsed is None:
        raise FeatureError(f"{path}: empty: it holds no Feature; start it with 'Feature: <what must hold>'")
    as_gherkin_reads(parsed, text)
    return parsed, text


def _parsed(path: Path, text: str) -> Any:
    """Return behave's model, with the descriptions of examples, which its own parser refuses. Raises ParserError."""
    from behave.parser import ParserError, parse_feature

    try:
        return parse_feature(text, filename=str(path))
    except ParserError:
        described = described_examples(text)
        if not described:
            raise
    lines = text.split("\n")
    taken = {number: lines[number - 1] for numbers in described.values() for number in numbers}
    for number in taken:
        lines[number - 1] = ""
    parsed = parse_feature("\n".join(lines), filename=str(path))
    for scenario in parsed.walk_scenarios(with_outlines=True):
        for example in getattr(scenario, "examples", ()):
            said = [taken[number].strip() for number in described.get(example.line, ())]
            example.description = [line for line in said if line and not line.startswith("#")]
    return parsed


def _not_malformed(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Malformed table row")


def _refused(path: Path, text: str, error: Any, language: str) -> str:
    """Return what behave's parser refuses, with its line and a hint."""
    lines = [line.strip() for line in text.splitlines()]
    words = (error.line_text or "".join(lines[error.line - 1 : error.line] if error.line else "")).strip()
    above = lines[: error.line - 1] if error.line else []
    before = next((line for line in reversed(above) if line and not line.startswith("#")), "")
    where = f"{path}:{error.line}" if error.line else str(path)
    return f"{where}: not Gherkin: {clean(words, 200)!r}{refusal_hint(str(error), words, before, language)}"


def _text(path: Path) -> str:
    """Return the text of a feature file. Raises FeatureError."""
    data = _bytes(path)
    if len(data) > LARGEST:
        raise FeatureError(f"{path}: more than {LARGEST} bytes is no feature file; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise FeatureError(
            f"{path}:{line}: not UTF-8: byte 0x{data[error.start]:02x}; save the file as UTF-8"
        ) from None
    if "\0" in text:  # no name, path or command can hold it
        line = text[: text.index("\0")].count("\n") + 1
        raise FeatureError(f"{path}:{line}: a NUL character cannot be in a feature; remove it")
    odd = odd_line_end(text)
    if odd:
        raise FeatureError(f"{path}:{odd[0]}: {odd[1]}")
    return text


def _bytes(path: Path) -> bytes:
    """Return what is in a file, up to a little more than is allowed; a pipe or device is refused and never waited for.

    Raises:
        FeatureError: it is not there, no regular file, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise FeatureError(
            f"{path}: no such feature; features are looked for here, then beside the stack file"
        ) from None
    except OSError as error:
        raise FeatureError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise FeatureError(f"{path}: cannot be read: Is a directory")
        if not stat.S_ISREG(kind):
            raise FeatureError(f"{path}: is no regular file but a pipe, socket or device; remove it or name a file")
        with open(handle, "rb", closefd=False) as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise FeatureError(f"{path}: cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)


def _shown(path: Path) -> Path:
    """Return the path as messages name it: from here where it is below here, else whole."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _language(text: str) -> str:
    """Return the language that a comment above the feature names, as behave finds it."""
    from behave.i18n import languages

    named = "en"
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words and not words.startswith("#"):
            break
        comment = words[1:].strip()
        if comment.lower().startswith("language:"):
            named = comment[len("language:") :].strip()
            if named not in languages:
                raise FeatureError(f"{number}: {unknown('language', named, sorted(languages))}")
    return named


def _says(words: str, vocabulary: Vocabulary, user_step: UserStep) -> bool:
    """Whether a text is a sentence, ours or the user's own."""
    if not words:
        return False
    try:
        return vocabulary.match(words) is not None or any(user_step(kind, words) for kind in ("given", "when", "then"))
    except FeatureError:  # it is two
        return True


def _walk(items: Iterable[Any], outer: tuple[str, ...], rule: Any) -> Iterator[_Source]:
    """Yield every scenario and row, with its own tags and those of what it stands in, each once."""
    for item in items:
        own = tuple(map(str, item.tags))
        if hasattr(item, "run_items"):
            yield from _walk(item.run_items, own + outer, item)
        elif not hasattr(item, "examples"):
            yield _Source(item, None, tuple(dict.fromkeys(own + outer)), rule)
        elif all(example.table is not None for example in item.examples):  # behave prints of one that is not
            rows = [(example, row) for example in item.examples for row in example.table.rows]
            for number, (scenario, (example, row)) in enumerate(zip(item.scenarios, rows, strict=True), 1):
                tags = tuple(_filled_tag(tag, row) for tag in (*own, *map(str, example.tags)))
                yield _Source(scenario, number, tuple(dict.fromkeys(tags + outer)), rule)


def _filled_tag(tag: str, row: Any) -> str:
    """Return an outline's tag for one of its rows. behave would take `/` and `#` out of it, and so break every URL."""
    for name, value in row.items():
        tag = tag.replace(f"<{name}>", "_".join(value.split()))
    return tag


def _tables(scenario: Any, vocabulary: Vocabulary, user_step: UserStep) -> dict[int, str]:
    """Put the sentences of a table's rows in the place of the step above it, in behave's own scenario.

    There, because a scenario that holds steps of the user's own is run by behave. Returns why a table does not fit its
    step, by the step's id.
    """
    refused: dict[int, str] = {}
    background = scenario.background_steps  # made once, here, and kept by the scenario
    for steps in (background, scenario.steps):
        made: list[Any] = []
        for step in steps:
            rows: list[tuple[str, int]] = []
            if step.table is not None:
                own, why = _own(step, user_step), ""
                try:
                    rows = expanded(step.name, step.table, vocabulary)
                    why = f"ambiguous: {step.name!r} is a step of your own too; reword yours" if rows and own else ""
                except FeatureError as error:
                    why = "" if own else str(error)
                refused |= {id(step): why} if why else {}
            made += [_row_step(step, *row, first=row is rows[0]) for row in rows if id(step) not in refused] or [step]
        steps[:] = made
    return refused


def _own(step: Any, user_step: UserStep) -> bool:
    """Whether a step is one of the user's own, or two."""
    try:
        return bool(user_step(step.step_type, step.name))
    except FeatureError:
        return True


def _row_step(step: Any, text: str, line: int, *, first: bool) -> Any:
    made = copy.copy(step)
    made.name, made.location, made.table = text, type(step.location)(step.filename, line), None
    made.keyword = step.keyword if first else "And"
    return made


def _line(step: Any, vocabulary: Vocabulary, user_step: UserStep, refused: dict[int, str]) -> Line:
    """Return what a step says; what cannot be used is told in the line, and costs its scenario alone."""
    match, user, problem = None, "", refused.get(id(step), "")
    if problem:
        return Line(step.step_type, step.keyword, step.name, step.line, None, "", problem)
    conditional = condition(step, vocabulary)
    if conditional is not None:
        return conditional
    try:
        match = vocabulary.match(step.name)
        user = user_step(step.step_type, step.name)
    except FeatureError as error:
        problem = str(error)
    if match is not None and user:
        problem = f"ambiguous: {step.name!r} is a sentence of infratest and a step of your own; reword yours"
        user = ""
    elif match is not None and (step.text is not None or step.table is not None):
        problem = f"{step.name!r} takes no text or table below it"
    elif match is None and not user and not problem and step.table is None and takes_table(step.name):
        problem = f"{step.name!r} needs a table below it"
    elif match is None and not user and not problem and step.table is not None and lacks_colon(step.name):
        problem = f"{step.name!r} stands above a table: end it with a colon"
    below = _below(step) if user else ()
    return Line(step.step_type, step.keyword, step.name, step.line, match, user, problem, below)


def _below(step: Any) -> tuple[str, ...]:
    """Return the text below a step, or the cells of its table, row by row."""
    if step.table is not None:
        rows = [step.table.headings, *(row.cells for row in step.table.rows)]
        return tuple(cell for row in rows for cell in row)
    return () if step.text is None else (str(step.text),)
