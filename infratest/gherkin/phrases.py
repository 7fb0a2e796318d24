r"""Sentences: how one is declared, and how a text is matched against it.

A sentence file (steps/) holds functions under `@check`, `@act` or `@setup`; the decorator makes each a Sentence, and
the vocabulary (vocabulary.py) gathers them by scanning those files. A pattern is the text itself with placeholders:

    "{name}"         text in quotes; `\"` inside is a quote
    {port:word}      one word without blanks
    {count:number}   a whole number
    {bound:percent}  a bound of that dimension (units.DIMENSIONS): `less than 90 %`, `between 1 and 3`
    [ ... ]          may be left out

What follows the claim (`, warning 80 %`, `, named "x"`, `on "web-1"`, `from the controller`, `within 30 s`) is the same
for all checking sentences and parsed here, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infratest.gherkin.suite import ACT, CHECK, SETUP
from infratest.thresholds import WORDS

QUOTED = r'"((?:[^"\\]|\\.)*)"'
VALUE = r"\{[A-Za-z][\w.-]*\}"  # a value that planning puts in
NUMBER = rf"(?:[+-]?\d+(?:\.\d+)?|{VALUE})"
#: A number and whatever stands where its unit is: one that is unknown is answered with those there are (units.py).
MEASURED = rf"{NUMBER}(?:\s?[^\W\d]+|\s?%)?"


class Form:
    """One way to say a sentence, plainly or negated; `beginning` is the text that each such sentence begins with.

    Its regular expression is made when a text may be it: to make all of them takes longer than a check.
    """

    def __init__(self, pattern: str, kind: str, negated: bool) -> None:
        self.negated = negated
        self._pattern = pattern
        self._kind = kind
        self._always = _always(pattern)
        self.beginning = _beginning(pattern)

    def match(self, text: str) -> dict[str, str] | None:
        """Return the placeholders' values, as written, if a text is said so."""
        if not all(part in text for part in self._always):
            return None
        found = self._regex.fullmatch(text)
        return {name: value for name, value in found.groupdict().items() if value is not None} if found else None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return _regex(self._pattern, self._kind)


@dataclass(frozen=True)
class Sentence:
    """One declared sentence.

    Args:
        kind: CHECK, ACT or SETUP. pattern, negation: as declared; negation is None where there is none.
        build: makes the check, act or selection from the placeholders' values, by keyword.
        example: a whole sentence for `infratest steps`. dimension: of its bound, None without one.
        shell: names of the placeholders whose values go to a shell: values put in there are shell-quoted.
        undo: for an act, how it is undone when its scenario ends, in words; or that it cannot be.
    """

    kind: str
    pattern: str
    build: Callable[..., Any]
    example: str
    negation: str | None = None
    dimension: str | None = None
    shell: frozenset[str] = frozenset()
    undo: str = ""
    module: str = ""
    forms: tuple[Form, ...] = field(default=(), compare=False, repr=False)

    def match(self, text: str) -> Match | None:
        """Return what a text says if it is this sentence, with the values still as written."""
        for form in self.forms:
            groups = form.match(text)
            if groups is not None:
                return Match(self, text, groups, form.negated)
        return None

    @property
    def summary(self) -> str:
        """The first line of the sentence's docstring."""
        return (self.build.__doc__ or "").strip().split("\n")[0]


@dataclass(frozen=True)
class Match:
    """A text that is a sentence: its placeholders and tail, as written (values in braces not yet put in)."""

    sentence: Sentence
    text: str
    groups: dict[str, str]
    negated: bool


def check(
    pattern: str, *, example: str, negation: str | None = None, shell: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Sentence]:
    """Declare a sentence that only looks; its function returns a Check."""
    return _declare(CHECK, pattern, example, negation, shell, "")


def act(
    pattern: str, *, example: str, undo: str, shell: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Sentence]:
    """Declare a sentence that changes something; its function returns an Act. `undo` says in words what undoes it."""
    return _declare(ACT, pattern, example, None, shell, undo)


def setup(pattern: str, *, example: str) -> Callable[[Callable[..., Any]], Sentence]:
    """Declare a sentence that selects hosts; its function returns a Selection."""
    return _declare(SETUP, pattern, example, None, (), "")


def _declare(
    kind: str, pattern: str, example: str, negation: str | None, shell: tuple[str, ...], undo: str
) -> Callable[[Callable[..., Any]], Sentence]:
    def declare(build: Callable[..., Any]) -> Sentence:
        patterns = [(pattern, False)] + ([(negation, True)] if negation else [])
        return Sentence(
            kind=kind,
            pattern=pattern,
            build=build,
            example=example,
            negation=negation,
            dimension=_dimension(pattern),
            shell=frozenset(shell),
            undo=undo,
            module=build.__module__.rpartition(".")[2],
            forms=tuple(Form(text, kind, negated) for text, negated in patterns),
        )

    return declare


def _dimension(pattern: str) -> str | None:
    found = re.search(r"\{bound:(\w+)\}", pattern)
    return found[1] if found else None


_PIECE = re.compile(
    r'"\{(?P<quoted>\w+)\}"|\{(?P<name>\w+):(?P<type>\w+)\}|(?P<open>\[)|(?P<close>\])|(?P<text>[^"{\[\]]+|.)'
)


def _always(pattern: str) -> tuple[str, ...]:
    """Return the parts of a text that are there whatever stands for the placeholders."""
    found, optional = [], 0
    for piece in _PIECE.finditer(pattern):
        optional += bool(piece["open"]) - bool(piece["close"])
        if piece["text"] and not optional:
            found.append(piece["text"])
    return tuple(found)


def _beginning(pattern: str) -> str:
    """Return the text that each sentence of a pattern begins with."""
    found = ""
    for piece in _PIECE.finditer(pattern):
        if not piece["text"]:
            return found + ('"' if piece["quoted"] else "")
        found += piece["text"]
    return found


def _regex(pattern: str, kind: str) -> re.Pattern[str]:
    made = []
    for piece in _PIECE.finditer(pattern):
        if piece["quoted"]:
            made.append(QUOTED.replace("(", f"(?P<{piece['quoted']}>", 1))
        elif piece["name"]:
            made.append(_placeholder(piece["name"], piece["type"]))
        elif piece["open"]:
            made.append("(?:")
        elif piece["close"]:
            made.append(")?")
        else:
            made.append(re.escape(piece["text"]))
    return re.compile("".join(made) + (_tail(_dimension(pattern)) if kind == CHECK else _ON if kind == ACT else ""))


def _placeholder(name: str, kind: str) -> str:
    if name == "bound":
        number = MEASURED
        single = "|".join(word for word, count in WORDS.items() if count == 1)
        return (
            rf"(?:(?P<bound_words>{single}) (?P<bound_number>{number})"
            rf"|between (?P<bound_low>{number}) and (?P<bound_high>{number}))"
        )
    return {"word": rf"(?P<{name}>[^\s\"]+)", "number": rf"(?P<{name}>{NUMBER})"}[kind]


#: Hosts of one sentence. Quoted parts match as wholes, so that ` on ` inside quotes is never a tail.
_ON = (
    rf"(?: on (?:(?P<on_host>{QUOTED.replace('(', '(?:', 1)})|(?P<on_exactly>exactly one host)"
    r"|at least (?P<on_least>\d+) hosts?|(?P<on_none>no host)|(?P<on_every>every host)))?"
)


def _tail(dimension: str | None) -> str:
    quoted = QUOTED.replace("(", "(?:", 1)
    measured = ""
    if dimension is not None:
        warning = rf", warning (?:between )?(?P<warning_low>{MEASURED})(?: and (?P<warning_high>{MEASURED}))?"
        measured = rf"(?:, named (?P<named_first>{quoted}))?(?:{warning})?(?:, named (?P<named>{quoted}))?"
    viewpoint = (
        r"(?: from (?:(?P<from_host>the host)|(?P<from_controller>the controller)"
        rf"|(?P<from_named>{quoted})|every host in (?P<from_group>{quoted})))?"
    )
    return rf"{measured}{_ON}{viewpoint}(?: within (?P<within>{MEASURED})| for (?P<during>{MEASURED}))?"


def unescaped(text: str) -> str:
    r"""Return quoted text with `\"` and `\\` as the characters they mean; any other backslash stays."""
    return re.sub(r'\\(["\\])', r"\1", text)
