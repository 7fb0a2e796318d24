"""A text held against the patterns of sentences: which of them it is, and what it says in its placeholders and tail.

Asked by the vocabulary for a text of a feature. What follows the claim (`, warning 80 %`, `, named "x"`, `on "web-1"`,
`from the controller`, `within 30 s`) is the same for all checking sentences and read here, once for each text: only
where a value is to be put into it, anew for each host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from infratest.errors import UserError
from infratest.gherkin.sentence import (
    ACT,
    AGGREGATES,
    ALL,
    AT_LEAST,
    AT_MOST,
    CHECK,
    CONTROLLER_VIEW,
    DEFAULT_VIEW,
    EVERY,
    EXACTLY,
    EXACTLY_ONE,
    GROUP_VIEW,
    HOST_VIEW,
    NAMED_VIEW,
    NONE,
    Sentence,
    Tail,
)
from infratest.outputs._perfdata import OF_THE_RUN
from infratest.quoting import unescaped
from infratest.thresholds import WORDS, Threshold, threshold
from infratest.units import duration

#: Puts values into a text; the flag asks for shell quoting.
Fill = Callable[[str, bool], str]

QUOTED = r'"((?:[^"\\]|\\.)*)"'
ANY_QUOTED = re.compile(QUOTED)
VALUE = r"\{[A-Za-z][\w.-]*\}"  # a value that planning puts in
NUMBER = rf"(?:[+-]?\d+(?:\.\d+)?|{VALUE})"
#: A number and whatever stands where its unit is: one that is unknown is answered with those there are (units.py).
MEASURED = rf"{NUMBER}(?:\s?[^\W\d]+|\s?%)?"


class Form:
    """One way to say a sentence, plainly or negated; `beginning` is what the `skeleton` of each such text begins with.

    Its regular expression is made when a text may be it: to make all of them takes longer than a check.
    """

    def __init__(self, pattern: str, kind: str, negated: bool) -> None:
        self.negated = negated
        self._pattern = pattern
        self._kind = kind
        self._always = _always(pattern)
        self.beginning = _beginning(pattern)

    def may_be(self, text: str) -> bool:
        """Whether a text holds all the literal parts: few texts do that are not said so."""
        return all(part in text for part in self._always)

    def match(self, text: str) -> dict[str, str] | None:
        """Return the placeholders' values, as written, if a text is said so."""
        if not self.may_be(text):
            return None
        # Most sentences have no tail, and what may be one is most of an expression, and of the time to compile it.
        regex = self._with_tail if any(word in text for word in TAIL_WORDS) else self._claim
        found = regex.fullmatch(text)
        return {name: value for name, value in found.groupdict().items() if value is not None} if found else None

    @cached_property
    def _claim(self) -> re.Pattern[str]:
        return re.compile(_claim_of(self._pattern))

    @cached_property
    def _with_tail(self) -> re.Pattern[str]:
        tail = _tail_of(self._pattern) if self._kind == CHECK else f"{_ON}?" if self._kind == ACT else ""
        return re.compile(_claim_of(self._pattern) + tail)


#: Groups of a tail, by what they say.
QUANTIFIERS = {
    "on_exactly": EXACTLY_ONE, "on_count": EXACTLY, "on_least": AT_LEAST, "on_most": AT_MOST, "on_none": NONE,
    "on_least_share": AT_LEAST, "on_most_share": AT_MOST, "on_any": AT_LEAST, "on_all": EVERY,
}  # fmt: skip
COUNTS = ("on_count", "on_least", "on_most", "on_least_share", "on_most_share")
VIEWS = {
    "from_host": HOST_VIEW, "from_controller": CONTROLLER_VIEW, "from_named": NAMED_VIEW, "from_group": GROUP_VIEW,
}  # fmt: skip
TAIL_VALUES = (
    *COUNTS,
    "on_host",
    "on_group",
    "over_group",
    "of_group",
    "from_named",
    "from_group",
    "within",
    "during",
    "named",
    "named_first",
)
BOUND_VALUES = ("bound_number", "bound_low", "bound_high", "warning_low", "warning_high")

#: What a number's name may not hold: perfdata and the keys of events are made of it.
NOT_IN_NAMES = re.compile(r"['\"=;|\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Match:
    """A text that is a sentence: its placeholders and tail, as written (values in braces not yet put in)."""

    sentence: Sentence
    text: str
    groups: dict[str, str]
    negated: bool

    @property
    def quantifier(self) -> str:
        """On how many hosts it must hold, known before any value is put in."""
        if self.sentence.compares:
            return self.sentence.compares
        if "on_every" in self.groups and "on_group" in self.groups:
            return EVERY  # without a group, `on every host` is what is meant where nothing is said
        counted = next((meaning for name, meaning in QUANTIFIERS.items() if name in self.groups), ALL)
        return self.groups.get("over", counted)

    def tail(self, fill: Fill) -> Tail:
        """Return what follows the claim. Raises UserError."""
        return self._tail(fill) if self._holds_values(TAIL_VALUES) else self._plain_tail

    def threshold(self, fill: Fill) -> Threshold | None:
        """Return the bound and its warning value, None for a sentence without one. Raises UserError."""
        return self._threshold(fill) if self._holds_values(BOUND_VALUES) else self._plain_threshold

    def arguments(self, fill: Fill) -> dict[str, str | int]:
        """Return what stands for the placeholders, by their names. Raises UserError."""
        found: dict[str, str | int] = {}
        for name, kind in placeholders(self.sentence.pattern):
            if name not in self.groups:
                continue  # of a part that was left out
            text = self.groups[name]
            if kind == "quoted":
                found[name] = fill(unescaped(text), name in self.sentence.shell)
            else:
                found[name] = _whole(fill(text, False), self.text) if kind == "number" else fill(text, False)
        return found

    def _holds_values(self, names: tuple[str, ...]) -> bool:
        return any("{" in self.groups.get(name, "") for name in names)

    @cached_property
    def _plain_tail(self) -> Tail:
        return self._tail(as_written)

    @cached_property
    def _plain_threshold(self) -> Threshold | None:
        return self._threshold(as_written)

    def _tail(self, fill: Fill) -> Tail:
        groups = self.groups

        def quoted(name: str) -> str:
            return fill(unescaped(groups[name][1:-1]), False) if name in groups else ""

        def seconds(name: str) -> float | None:
            return duration(fill(groups[name], False), name) if name in groups else None

        return Tail(
            quantifier=self.quantifier,
            count=self._count(fill),
            share="on_least_share" in groups or "on_most_share" in groups,
            on=quoted("on_host"),
            group=quoted("on_group") or quoted("over_group") or quoted("of_group"),
            view=next((view for name, view in VIEWS.items() if name in groups), DEFAULT_VIEW),
            viewpoint=quoted("from_named") or quoted("from_group"),
            within=seconds("within"),
            during=seconds("during"),
            named=self._name(quoted("named") or quoted("named_first")),
        )

    def _count(self, fill: Fill) -> float:
        """Return how many hosts are counted to, or how many per cent of them. Raises UserError."""
        name = next((name for name in COUNTS if name in self.groups), "")
        if not name:
            return int("on_any" in self.groups)
        text = fill(self.groups[name], False)
        if not name.endswith("_share"):
            return _whole(text, self.text)
        try:
            percent = float(text)
        except ValueError:
            percent = -1
        if not 0 <= percent <= 100:
            raise UserError(f"'{self.text}': {text!r} % of the hosts: write a number from 0 to 100")
        return percent

    def _name(self, text: str) -> str:
        """Return the name that it gives its number. Raises UserError."""
        given = [name for name in ("named", "named_first") if name in self.groups]
        if len(given) > 1:
            raise UserError(f"'{self.text}': the number is named twice; leave one name out")
        if given and (not text.strip() or NOT_IN_NAMES.search(text)):
            raise UserError(f"'{self.text}': {text!r} cannot name a number: write letters, digits, blanks, - and _")
        if text in OF_THE_RUN:
            own = ", ".join(OF_THE_RUN)
            raise UserError(f"'{self.text}': {text!r} names a number of the run itself, as all of {own}: write another")
        return text

    def _threshold(self, fill: Fill) -> Threshold | None:
        groups, dimension = self.groups, self.sentence.dimension
        if dimension is None:
            return None
        words = "between" if "bound_low" in groups else groups.get("bound_words", "")
        numbers, warning = (
            tuple(fill(groups[name], False) for name in names if name in groups)
            for names in (BOUND_VALUES[:3], BOUND_VALUES[3:])
        )
        if not words and warning:
            raise UserError(f"'{self.text}': a warning value needs a bound before it, as 'in less than 500 ms'")
        try:
            return threshold(words, numbers, dimension, warning) if words else None
        except UserError as error:
            raise UserError(f"'{self.text}': {error}") from None


def match_of(sentence: Sentence, text: str) -> Match | None:
    """Return what a text says if it is this sentence, with the values still as written."""
    for form in forms(sentence):
        groups = form.match(text)
        if groups is not None:
            return Match(sentence, text, groups, form.negated)
    return None


@cache
def forms(sentence: Sentence) -> tuple[Form, ...]:
    """Return the ways to say a sentence."""
    plain = Form(sentence.pattern, sentence.kind, negated=False)
    return (plain, Form(sentence.negation, sentence.kind, negated=True)) if sentence.negation else (plain,)


@cache
def placeholders(pattern: str) -> tuple[tuple[str, str], ...]:
    """Return the placeholders of a pattern but its bound, in order: name, and `quoted`, `word`, `number` or `time`."""
    pieces = _PIECE.finditer(pattern)
    found = [(piece["quoted"] or piece["name"], piece["type"] or "quoted") for piece in pieces if not piece["text"]]
    return tuple((name, kind) for name, kind in found if kind in ("quoted", "word", "number", "time") and name)


def turned(sentence: Sentence) -> str:
    """Return the example of a sentence's negation: with the same values; empty where it has none."""
    match = match_of(sentence, sentence.example) if sentence.negation else None
    if match is None or match.negated or sentence.negation is None:
        return ""
    made, left_out = "", 0
    for piece in _PIECE.finditer(sentence.negation):
        name = piece["quoted"] or piece["name"]
        if piece["open"]:
            ahead = _PIECE.finditer(sentence.negation, piece.end())
            inside = next((each["quoted"] or each["name"] for each in ahead if not each["text"]), None)
            left_out += left_out > 0 or inside not in match.groups
        elif piece["close"]:
            left_out -= left_out > 0
        elif not left_out:
            text = match.groups.get(name or "", "")
            made += piece["text"] or (f'"{text}"' if piece["quoted"] else text)
    return made


def as_written(text: str, shell: bool) -> str:
    """Fill a text that holds no value."""
    return text


def _whole(number: str, text: str) -> int:
    try:
        return int(number)
    except ValueError:
        raise UserError(f"'{text}': {number!r} is not a whole number") from None


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
    """Return the text that each sentence of a pattern begins with, as `skeleton` has it."""
    found = ""
    for piece in _PIECE.finditer(pattern):
        if not piece["text"] and not piece["quoted"]:
            return found
        found += piece["text"] or '""'
    return found


def skeleton(text: str) -> str:
    """Return a text with nothing in its quotes: the words that sentences are told apart by."""
    return ANY_QUOTED.sub('""', text)


def _claim_of(pattern: str) -> str:
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
    return "".join(made)


def _placeholder(name: str, kind: str) -> str:
    if name == "bound":
        number = MEASURED
        single = "|".join(word for word, count in WORDS.items() if count == 1)
        return (
            rf"(?:(?P<bound_words>{single}) (?P<bound_number>{number})"
            rf"|between (?P<bound_low>{number}) and (?P<bound_high>{number}))"
        )
    return {
        "word": rf"(?P<{name}>[^\s\"]+)",
        "number": rf"(?P<{name}>{NUMBER})",
        "time": rf"(?P<{name}>{MEASURED})",
    }[kind]


#: Hosts of one sentence. Quoted parts match as wholes, so that ` on ` inside quotes is never a tail.
_PLAIN = QUOTED.replace("(", "(?:", 1)
_COUNT, _SHARE = rf"(?:\d+|{VALUE})", rf"(?:\d+(?:\.\d+)?|{VALUE})"
_SEVERAL = (
    r"(?:(?P<on_exactly>exactly one host)|(?P<on_none>no host)|(?P<on_any>any host)|(?P<on_every>every host)"
    rf"|(?P<on_all>all hosts)|exactly (?P<on_count>{_COUNT}) hosts?"
    rf"|at least (?:(?P<on_least>{_COUNT}) hosts?|(?P<on_least_share>{_SHARE}) ?% of the hosts)"
    rf"|at most (?:(?P<on_most>{_COUNT}) hosts?|(?P<on_most_share>{_SHARE}) ?% of the hosts))"
)
_ON = rf"(?: on (?:(?P<on_host>{_PLAIN})|{_SEVERAL}(?: in (?P<on_group>{_PLAIN}))?))"

#: What is made of the numbers of hosts, behind a bound.
_OVER = rf"(?: (?P<over>{'|'.join(AGGREGATES)}) over (?:all|the) hosts(?: in (?P<over_group>{_PLAIN}))?)"


#: Each part of a tail holds one of these: a text with none of them has no tail.
TAIL_WORDS = (", named ", ", warning ", " on ", " over ", " from ", " within ", " for ")


def _tail_of(pattern: str) -> str:
    quoted, measured, hosts = _PLAIN, "", f"{_ON}?"
    if "{bound:" in pattern:
        warning = rf", warning (?:between )?(?P<warning_low>{MEASURED})(?: and (?P<warning_high>{MEASURED}))?"
        measured = rf"(?:, named (?P<named_first>{quoted}))?(?:{warning})?(?:, named (?P<named>{quoted}))?"
        hosts = f"(?:{_ON}|{_OVER})?"
    elif pattern.endswith(" on all hosts"):  # a sentence that compares them
        hosts = f"(?: in (?P<of_group>{quoted}))?{hosts}"
    viewpoint = (
        r"(?: from (?:(?P<from_host>the host)|(?P<from_controller>the controller)"
        rf"|(?P<from_named>{quoted})|every host in (?P<from_group>{quoted})))?"
    )
    return rf"{measured}{hosts}{viewpoint}(?: within (?P<within>{MEASURED})| for (?P<during>{MEASURED}))?"
