"""What is wrong with a feature before any sentence is looked at: what Gherkin would take for description, or drop.

Pure; called by `parse` with behave's model of a feature. Descriptions are welcome everywhere; a line of one that was
meant as a keyword, a step or a table is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from infratest.cleaning import clean
from infratest.gherkin.columns import columns
from infratest.gherkin.reference import FENCES, Problem
from infratest.spelling import slip_of

#: behave's names of the keywords that open a block and of those that open a step, as its i18n table has them.
BLOCKS = ("feature", "background", "rule", "scenario", "scenario_outline", "examples")
STEPS = ("given", "when", "then", "and", "but")
#: English words that begin prose and are one letter from a keyword.
PROSE = frozenset(("a", "an", "give", "the"))

#: Tells whether a text is a sentence, or nearly one.
Says = Callable[[str], bool]


def structure(parsed: Any, text: str = "", says: Says = lambda text: False) -> list[Problem]:
    """Return what is wrong with behave's model of a feature.

    Args:
        text: of the file, to name the line of what behave took for description. says: whether a text is a sentence.
    """
    source = [line.strip() for line in text.splitlines()]
    problems: list[Problem] = []
    backgrounds: list[Any] = []
    for item in [parsed, *_blocks(parsed)]:
        if hasattr(item, "run_items"):
            backgrounds = [each for each in (parsed.background, item.background) if each is not None]
            problems += _described(item, parsed.language, source, says)
            continue
        swallowed = list(_swallowed(item, parsed.language, source, says))
        problems += swallowed
        if hasattr(item, "examples"):
            problems += _outline(item, backgrounds)
            for example in item.examples:
                if getattr(example, "description", None):
                    problems += _swallowed(example, parsed.language, source, says, "its table")
        elif hasattr(item, "effective_tags") and not item.steps and not swallowed:
            problems.append((item.line, f"scenario {item.name!r} has no steps: it would check nothing"))
    if not any(hasattr(item, "effective_tags") and hasattr(item, "steps") for item in _blocks(parsed)) and not problems:
        problems.append((parsed.line, f"feature {parsed.name!r} has no scenarios: it would check nothing"))
    return problems + _left_over(source)


def block_lines(parsed: Any) -> list[int]:
    """Return the lines at which backgrounds, scenarios, outlines and rules begin, in order."""
    return sorted(block.line for block in _blocks(parsed))


def _blocks(parsed: Any) -> Iterable[Any]:
    if parsed.background is not None:
        yield parsed.background
    for item in parsed.run_items:
        yield item
        if hasattr(item, "run_items"):
            yield from _blocks(item)


def _outline(item: Any, backgrounds: Sequence[Any]) -> Iterator[Problem]:
    if not item.steps:
        yield item.line, f"scenario outline {item.name!r} has no steps: it would check nothing"
    if not item.examples or any(not example.table or not example.table.rows for example in item.examples):
        yield item.line, f"scenario outline {item.name!r} has no rows: it would never run"
    if item.steps:
        yield from columns(item, [step for each in backgrounds for step in each.steps])


def _left_over(source: Sequence[str]) -> list[Problem]:
    """Return the tags that end a file: the scenario that they were meant for is not there any more."""
    said = [(number, line) for number, line in enumerate(source, 1) if line[:1] not in ("", "#")]
    last, words = said[-1] if said else (0, "")
    return [(last, f"{words!r} tags nothing: no scenario follows")] if words.startswith("@") else []


def _described(item: Any, language: str, source: Sequence[str], says: Says) -> Iterator[Problem]:
    """Yield the lines of a feature's or rule's description that were meant as scenarios or steps."""
    for line in item.description:
        hint = _block_hint(line, language)
        if hint or _is_step(line, language) or says(_after_keyword(line, language)):
            yield _line_of(line, item.line, source), f"{clean(line, 120)!r} reads like a keyword and is only text{hint}"


def _swallowed(
    item: Any, language: str, source: Sequence[str], says: Says, what: str = "the first step"
) -> Iterator[Problem]:
    """Yield the lines of a block's description that were meant as keywords, steps or tables.

    Args:
        what: the block holds behind its description: a scenario its steps, examples their table.
    """
    for line in item.description:
        hint = _meant(line.strip(), language, says)
        if hint is not None:
            shown = clean(line, 120)
            words = f"{item.keyword} {item.name!r}: {shown!r} stands before {what} and would be ignored{hint}"
            yield _line_of(line, item.line, source), words


def _meant(line: str, language: str, says: Says) -> str | None:
    """Return a hint, which may be empty, for a line that was meant as more than a description; None for prose."""
    if line.startswith(("|", *FENCES)):
        return "; a table or text stands below the step that takes it"
    first, _, rest = line.partition(" ")
    word = re.sub(r"\W+$|^\W+", "", first)
    keywords = [each.strip() for each in _words(STEPS, language)]
    if word in keywords and rest.strip() in ("", ":"):
        return keyword_hint(word, language)
    if _block_hint(line, language):
        return keyword_hint(line, language)
    if word.lower() not in PROSE and slip_of(word, keywords, strict=True):
        return keyword_hint(line, language)
    # A sentence whose keyword was forgotten may begin with a capital, as a line of text does.
    if says(line) or says(line[:1].lower() + line[1:]) or (rest and says(rest)):
        return keyword_hint(line, language) or "; put a comment behind '#', or a keyword before it"
    return None


def _line_of(text: str, after: int, source: Sequence[str]) -> int:
    """Return the number of the line that says this, else of its block."""
    return next((number for number, line in enumerate(source[after:], after + 1) if line == text.strip()), after)


def keyword_hint(text: str, language: str = "en") -> str:
    """Return `; did you mean ...?` for a line that begins like a misspelt keyword, else an empty text."""
    if text.strip().partition(":")[0] in [word.strip() for word in _words(BLOCKS + STEPS, language)]:
        return "; it cannot stand here, or nothing follows it"
    hint = _block_hint(text, language)
    first = text.strip().split(" ", 1)[0]
    known = [word.strip() for word in _words(STEPS, language)]
    near = get_close_matches(first.capitalize(), known, n=1, cutoff=0.6)
    return hint or (f"; did you mean {near[0]!r}?" if near and near[0] != first else "")


def refusal_hint(reason: str, text: str, before: str, language: str) -> str:
    """Return what to do about a line that behave's parser refuses.

    Args:
        reason: behave's own words. text: the line. before: the last line above it that is not empty. language: of both.
    """
    if "Examples must only appear" in reason:
        return "; examples belong to an outline: write 'Scenario Outline:' instead of 'Scenario:'"
    if "REQUIRES: An previous" in reason:
        return "; it continues the step before it, and there is none: begin with Given, When or Then"
    if "BAD-INDENT" in reason:
        return "; a text is indented at least as far as the fence above it"
    if text.startswith("|"):
        return ": its cells are not as many as above"
    if before.partition(":")[0] in _words(("examples",), language) and ":" in before:
        # It is read where the whole file is Gherkin (parse.py), so something further down is not.
        return "; something below is no Gherkin either: put this description behind '#' to see what"
    return keyword_hint(text, language)


def _block_hint(text: str, language: str) -> str:
    colon = re.match(r"\w[\w ]{0,24}:", text.strip())
    known = [f"{word}:" for word in _words(BLOCKS, language)]
    near = get_close_matches(colon[0].title(), known, n=1, cutoff=0.82) if colon else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _is_step(text: str, language: str) -> bool:
    """Whether a line of description begins as a step does. `And`, `But` and `*` begin lines of prose and lists too."""
    return text.strip().startswith(tuple(_words(("given", "when", "then"), language)))


def _after_keyword(text: str, language: str) -> str:
    """Return what stands behind `And`, `But` or `*`, which begin lines of prose and lists too; else an empty text."""
    words = (*_words(("and", "but"), language), "* ")
    return next((text.strip()[len(word) :] for word in words if text.strip().startswith(word)), "")


def _words(kinds: Sequence[str], language: str) -> list[str]:
    """Return the keywords of these kinds in English and in another language; a step's end in a blank."""
    from behave.i18n import languages

    table = [languages["en"], languages.get(language, {})]
    return [word for each in table for kind in kinds for word in each.get(kind, ()) if word != "* "]
