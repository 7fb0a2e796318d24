"""Feature files to values, by behave's parser; what Gherkin would swallow is refused (lint.py) before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from infratest.errors import FeatureError
from infratest.gherkin import lint
from infratest.gherkin.suite import Feature, Line, Scenario
from infratest.gherkin.vocabulary import Vocabulary
from infratest.registry import unknown

#: Bytes of one feature file; a larger one is a mistake, not a feature.
LARGEST = 2 * 2**20


def feature(
    path: Path, name: str, vocabulary: Vocabulary, user_step: Callable[[str, str], str] = lambda kind, text: ""
) -> Feature:
    """Read one feature file.

    Args:
        path: the file. name: its path as ids name it. user_step: whether (kind, text) is a step of the user's own: ACT,
        CHECK or empty; raises FeatureError where it is two.
    Raises:
        FeatureError: not there, not readable, not UTF-8, no Gherkin, or refused by lint (with all that lint found).
    """
    path = _shown(path)
    parsed, text = read(path)
    problems = lint.structure(parsed, text, lambda words: bool(words) and vocabulary.match(words) is not None)
    made = Feature(
        path=name,
        file=str(path),
        name=parsed.name,
        tags=tuple(str(tag) for tag in parsed.tags),
        scenarios=tuple(
            _scenario(source, row, parsed, path, name, vocabulary, user_step, problems)
            for source, row in _walk(parsed.run_items)
        ),
    )
    problems += lint.scenarios(made)
    if problems:
        raise FeatureError("\n".join(f"{path}:{line}: {words}" for line, words in sorted(set(problems))))
    return made


def read(path: Path) -> tuple[Any, str]:
    """Return behave's model of a feature file, and its text.

    Raises:
        FeatureError: with file and line where there is one.
    """
    from behave.parser import ParserError, parse_feature

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FeatureError(
            f"{path}: no such feature; features are looked for here, then beside the stack file"
        ) from None
    except OSError as error:
        raise FeatureError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > LARGEST:
        raise FeatureError(f"{path}: {len(data)} bytes is no feature file; split it")
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
    try:
        language = _language(text)
        parsed = parse_feature(text, filename=str(path))
    except FeatureError as error:
        raise FeatureError(f"{path}:{error}") from None
    except ParserError as error:
        lines = text.splitlines()
        found = (error.line_text or "".join(lines[error.line - 1 : error.line] if error.line else "")).strip()
        hint = lint.keyword_hint(found, language) or (
            ": its cells are not as many as above" if found[:1] == "|" else ""
        )
        where = f"{path}:{error.line}" if error.line else str(path)
        raise FeatureError(f"{where}: not Gherkin: {found!r}{hint}") from None
    if parsed is None:
        raise FeatureError(f"{path}: empty: it holds no Feature; start it with 'Feature: <what must hold>'")
    return parsed, text


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


def _walk(items: Iterable[Any]) -> Iterator[tuple[Any, int | None]]:
    for item in items:
        if hasattr(item, "examples"):
            yield from ((scenario, row) for row, scenario in enumerate(item.scenarios, 1))
        elif hasattr(item, "run_items"):
            yield from _walk(item.run_items)
        else:
            yield item, None


def _scenario(
    source: Any,
    row: int | None,
    parsed: Any,
    path: Path,
    name: str,
    vocabulary: Vocabulary,
    user_step: Callable[[str, str], str],
    problems: list[lint.Problem],
) -> Scenario:
    lines = []
    for step in source.all_steps:
        match, user = None, ""
        try:
            match = vocabulary.match(step.name)
            user = user_step(step.step_type, step.name)
        except FeatureError as error:
            problems.append((step.line, str(error)))
        if match is not None and user:
            problems.append((step.line, f"ambiguous: {step.name!r} is a sentence of infratest and a step of your own"))
        if match is not None and (step.text is not None or step.table is not None):
            problems.append((step.line, f"{step.name!r} takes no text or table below it"))
        lines.append(Line(step.step_type, step.keyword, step.name, step.line, match, user))
    # behave puts ` -- @1.1 Examples name` behind an outline's name; the row number says it better.
    title = source.name.rpartition(" -- @")[0] if row is not None else source.name
    own = [str(tag) for tag in source.effective_tags]
    return Scenario(
        feature=name,
        feature_name=parsed.name,
        name=title,
        line=source.line,
        tags=tuple(dict.fromkeys(own)),
        lines=tuple(lines),
        row=row,
        path=str(path),
        source=source,
    )
