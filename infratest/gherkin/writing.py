"""Features as text that people read: sentences written from values, held against the vocabulary, put into scenarios.

Called by what makes features: importers, and verbs that learn them from hosts. Nothing is written that `lint` would
refuse: `fault` says why a text cannot be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infratest.cleaning import clean
from infratest.errors import InfratestError, UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.suite import slug
from infratest.gherkin.vocabulary import vocabulary
from infratest.quoting import escaped
from infratest.values import Values, holds_braces, values_in

#: Characters of a sentence; longer ones nobody reads, and they are scripts.
LONGEST = 1000
#: Characters of a scenario's name.
LONGEST_NAME = 100
_PARAMETER = re.compile(r"(?<!\{)\{param\.(\w+)\}")


@dataclass
class Written:
    """A scenario to be written: its name, its sentences, and tags without their @."""

    name: str
    sentences: list[str] = field(default_factory=list)
    tags: tuple[str, ...] = ()


def in_quotes(text: str) -> str:
    r"""Return text as it stands between quotes in a sentence: `escaped`, and `{{` for a brace that would begin a value.

    Raises:
        UserError: it has characters that no line of a feature can hold.
    """
    if any((character < " " and character != "\t") or character in "\x7f\x85\u2028\u2029" for character in text):
        raise UserError(f"{clean(repr(text), 200)} has line ends or other characters that no sentence can hold")
    # A brace is doubled only where it would not be text: patterns and programs are full of them.
    if holds_braces(text) and ("{{" in text or values_in(text)):
        text = text.replace("{", "{{")
    return f'"{escaped(text)}"'


def fault(sentence: str) -> str:
    """Return why a text is no sentence that could be asked, in words; empty where it is one.

    Parameters that it names are taken for declared: `{param.password}`.
    """
    if len(sentence) > LONGEST:
        return f"it would be a sentence of {len(sentence)} characters; {LONGEST} are the most"
    try:
        match = vocabulary().match(sentence)
        if match is None:
            return f"there is no sentence for it in this version: {clean(sentence, 200)}"
        parameters = {name: f"{{param.{name}}}" for name in _PARAMETER.findall(sentence)}
        bind(match, lambda text, shell: Values([], parameters, {}).fill(text, shell=shell))
    except InfratestError as error:
        return str(error)
    return ""


def feature(name: str, scenarios: Sequence[Written], comments: Iterable[str] = (), given: str = "") -> str:
    """Return the text of a feature, with equal names of scenarios told apart by a number.

    Args:
        comments: lines above it, each without its #. given: the line that each scenario begins with, with its keyword.
    """
    lines = [f"# {clean(words, 300)}".rstrip() for words in comments]
    lines.append(f"Feature: {_name(name)}")
    used: set[str] = set()
    for scenario in scenarios:
        first, number = _name(scenario.name), 1
        title = first
        while slug(title) in used:
            number += 1
            title = f"{first} ({number})"
        used.add(slug(title))
        lines.append("")
        if scenario.tags:
            lines.append("  " + " ".join(f"@{tag}" for tag in scenario.tags))
        lines.append(f"  Scenario: {title}")
        lines += [f"    {given}"] if given else []
        lines += [f"    {'And' if place else 'Then'} {sentence}" for place, sentence in enumerate(scenario.sentences)]
    return "\n".join(lines) + "\n"


def _name(text: str) -> str:
    """Return a name in one line, without what would be a value or a column there."""
    plain = clean(text, LONGEST_NAME).translate(str.maketrans("{}<>", "()()"))
    return " ".join(plain.split()) or "unnamed"
