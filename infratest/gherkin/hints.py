"""What to try where a text is no sentence: the one it was probably meant as, or what of it is not read. Called by lint
and by the planner; pure.

A suggestion that leaves out half of what was written misleads: where a text begins with a sentence, and more stands
behind it than a suggestion takes up, that is named, with what may stand there.
"""

from __future__ import annotations

import re
from contextlib import suppress

from infratest.cleaning import clean
from infratest.errors import InfratestError
from infratest.gherkin.binding import bind
from infratest.gherkin.nearest import VALUES, another_claim, outside_quotes, slips, typed
from infratest.gherkin.patterns import as_written
from infratest.gherkin.sentence import CHECK
from infratest.gherkin.suite import WHEN
from infratest.gherkin.tables import plural_of
from infratest.gherkin.vocabulary import Vocabulary
from infratest.values import holds_braces

#: Where nothing is near.
NO_HINT = "`infratest steps` lists the sentences there are, and `infratest steps WORD` those about a word"
#: Characters of a text that are shown.
SHOWN = 200
#: A URL or a path without quotes.
_BARE = re.compile(r'(?<!\S)(?:[a-z][a-z0-9+.-]*:/)?/[^\s",]*')
#: Where a sentence may end and its tail begin.
_END = re.compile(r'"(?:[^"\\]|\\.)*"|(?P<end>[ ,.])')
#: What a sentence is about: its words before the first value.
_SUBJECT = re.compile(r"the [a-z]+(?: of)?(?= )")
_TIME = re.compile(r"(?<!\S)(?:within|for) ")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
#: A quote that no backslash stands before; and where a text in quotes may begin or end.
_QUOTE = re.compile(r'(?<!\\)"')
_EDGE = re.compile(r'(?<=[^\s"])(?=[\s,]|$)|(?<!\S)(?=[^\s"])')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
#: So many such places of a text are tried.
EDGES = 60
#: A bound with two numbers, of which the second is not there, or stands somewhere else.
_AMOUNT = r"\d+(?:\.\d+)?(?: ?(?:%|[A-Za-z]+/s\b|[kKMGT]?i?B\b|ms\b|s\b|min\b|h\b|days?\b))?"
_BETWEEN = re.compile(rf"\bbetween (?P<first>{_AMOUNT})(?! and \d)")
_PARTED = re.compile(
    rf"\bbetween (?P<first>{_AMOUNT})(?: [a-z]+)*?(?: ?(?:,|-|\u2013) ?| (?:to|or|and) )(?P<second>{_AMOUNT})"
)

HOSTS = '`on "web-1"`, `on all hosts in "web"`, `on exactly one host`, `on at least 2 hosts`'
VIEWS = '`from the host`, `from the controller`, `from "web-1"`, `from every host in "web"`'
ONE_CLAIM = "a sentence makes one claim: write the other one in a line of its own, which begins with And"
#: How what is left over begins -> what may stand there.
ADVICE = (
    (("and ", "or ", "but ", "then ", "as well as "), ONE_CLAIM),
    (("in total", "on average", "at minimum", "at maximum"), "of several hosts it is `on average over all hosts`"),
    (("on ", "in group ", "in the group ", "in all ", "for all ", "for the hosts "), f"hosts are {HOSTS}"),
    (("from ", "by the controller", "by the host"), f"who looks is {VIEWS}"),
    (("within ", "for ", "after ", "until "), "a time is `within 30 s` or `for 30 s`, one of them, at the very end"),
    (("warning ", "warn ", "named ", "critical "), 'behind a bound stand `, warning 80 %` and `, named "NAME"`, once'),
)  # fmt: skip


def hint(text: str, keyword: str, vocabulary: Vocabulary) -> str:
    """Return what to try instead of a text that is no sentence, as words of a message; empty where nothing is near.

    Args:
        keyword: GIVEN, WHEN or THEN, what it stands behind.
    """
    if plural := plural_of(text, vocabulary):
        return f"several are a table: write `{plural}:` with the colon, and below it a row for each, as `| nginx |`"
    if told := _open_quote(text, "" if keyword == WHEN else CHECK, vocabulary) or _half_a_bound(text, vocabulary):
        return told
    if (plain := typed(text)) != text:
        near = plain if _is_one(plain, vocabulary) else vocabulary.nearest(plain, keyword)
        return f'quotes are " and blanks those of the space bar; did you mean: {near}' if near else ""
    quoted = outside_quotes(_BARE, lambda found: f'"{found[0]}"', text)
    if quoted != text:
        near = quoted if _is_one(quoted, vocabulary) else vocabulary.nearest(quoted, keyword)
        return f"did you mean: {near}" if near else "a URL or a path stands in quotes"
    near = vocabulary.nearest(text, keyword)
    begins = _beginning(text, vocabulary)
    rest = text[len(begins) :]
    if begins and (rest.startswith(" and ") or not _takes_up(near, text, begins)):
        return _left_over(begins, rest, vocabulary)
    if not near:
        return ""
    if _keeps(near, text) and (not another_claim(near, text) or near in slips(text)):
        return f"did you mean: {near}"
    subject = _SUBJECT.match(text)
    listed = subject and any(one.pattern.startswith(f"{subject[0]} ") for one in vocabulary.sentences)
    more = f"; `infratest steps {subject[0]}` lists what can be said of it" if subject and listed else ""
    return f"the nearest there is: {near}{more}"


def _open_quote(text: str, kind: str, vocabulary: Vocabulary) -> str:
    """Return what to say of a text in which a quote is not closed, or not opened; empty where all are in pairs.

    Args:
        kind: of the sentences that may stand there; empty for all.
    """
    if len(_QUOTE.findall(text)) % 2 == 0:
        return ""
    edges = [edge.start() for edge in _EDGE.finditer(text)][:EDGES]
    closed = (f'{text[:at]}"{text[at:]}' for at in edges)
    meant = next((each for each in closed if _is_said(each, vocabulary, kind)), "")
    if meant:
        return f"a quote is missing; did you mean: {meant}"
    return 'a quote is missing: a text stands between two of them, and one within it is written as \\"'


def _half_a_bound(text: str, vocabulary: Vocabulary) -> str:
    """Return what to say of a `between` without its second number; empty where there is none."""
    plain = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text)
    if not (found := _BETWEEN.search(plain)):
        return ""
    before, behind = text[: found.start()], text[found.start() + len("between ") :]
    if parted := _PARTED.search(plain):
        whole = f"{before}between {parted['first']} and {parted['second']}{text[parted.end() :]}"
        return f"did you mean: {whole}" if _is_said(whole, vocabulary) else ""
    said = f"`{found[0]}` has no second number: write `{found[0]} and ...`"
    alone = f"{before}at least {behind}"
    return f"{said}, or one bound, as: {alone}" if _is_said(alone, vocabulary) else said


def _beginning(text: str, vocabulary: Vocabulary) -> str:
    """Return the longest sentence that a text begins with; empty where there is none."""
    ends = [found.start() for found in _END.finditer(text) if found["end"]]
    return next((text[:end] for end in reversed(ends) if _is_one(text[:end], vocabulary)), "")


def _is_one(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a text is a sentence that asks, as far as its values are known here."""
    return _is_said(text, vocabulary, CHECK)


def _is_said(text: str, vocabulary: Vocabulary, kind: str = "") -> bool:
    """Whether a text is a sentence, of a kind where one is named, that is not refused for its values."""
    with suppress(InfratestError):
        match = vocabulary.match(text)
        if match is None or (kind and match.sentence.kind != kind):
            return False
        if not holds_braces(text):
            bind(match, as_written)
        return True
    return False


def _takes_up(near: str, text: str, begins: str) -> bool:
    """Whether a suggestion has all values of a text, and more than the sentence that this begins with."""
    if near.startswith(f"{begins} ") and near.count(" ") == text.count(" "):
        return True
    return len(near) > len(begins) + 4 and _keeps(near, text)


def _keeps(near: str, text: str) -> bool:
    """Whether a suggestion has all values of a text, and none that this has no words for."""
    near, left = near.replace("\\", ""), text.replace("\\", "")
    for value in VALUES.findall(near):
        if value.strip('"') not in left:
            return False
        left = left.replace(value.strip('"'), "", 1)
    return all(value.strip('"').replace("\\", "") in near for value in VALUES.findall(text))


def _left_over(begins: str, rest: str, vocabulary: Vocabulary) -> str:
    """Return what to say of what stands behind a sentence."""
    for words in ("less than", "at least"):
        bounded = _NUMBER.sub(lambda number, words=words: f"{words} {number[0]}", rest, count=1)  # type: ignore[misc]
        if bounded != rest and _is_one(f"{begins}{bounded}", vocabulary):
            return f"did you mean: {begins}{bounded}"
    words = rest.strip(" ,")
    said = (
        f"`{clean(begins, SHOWN)}` is a sentence, and what stands behind it is not read: `{clean(rest.strip(), SHOWN)}`"
    )
    if not words.strip("."):
        return f"did you mean: {begins}"
    if _TIME.search(begins) and _TIME.match(words):
        return f"{said}; a time is `within 30 s` or `for 30 s`, one of them, at the very end"
    advice = next((told for heads, told in ADVICE if words.lower().startswith(heads)), "")
    return f"{said}; {advice}" if advice else said
