"""The sentence that a text was probably meant as, told with the text's own values. Pure; called by the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

#: What stands for values in a sentence: text in quotes, and numbers with their units. A quote with no blank before it
#: begins no value, and one with no blank behind it ends none: it is of the text itself, without its backslash
#: (`contains ""ok": true"`).
VALUES = re.compile(
    r'(?<!\S)"(?:[^"\\]|\\.|"(?![\s,]|$))*"'
    r"|(?<![\w.])\d+(?:\.\d+)?(?: ?(?:%|(?:ms|s|min|h|days?|[kMGT]i?B|Ki?B|B)(?!\w)))?"
)
_ESCAPED_OR_QUOTE = re.compile(r'\\.|"')
#: Words of a text, what is in quotes as one; and what a number is.
_WORDS = re.compile(r'"(?:[^"\\]|\\.)*"(?=[\s,]|$)|[^\s"]\S*|\S+')
_NUMERIC = re.compile(r"\d+(?:\.\d+)?")
#: How much of a text must be found in a sentence, from 0 to 1.
LEAST = 0.55
#: So near to the nearest is as near: then the one that people ask for most is taken.
AS_NEAR = 0.08
#: So many of those are tried.
MOST = 12
#: So near is clear, whatever is asked for more often.
CLEAR = 0.9
#: Quotes that no backslash stands before.
_QUOTE = re.compile(r'(?<!\\)"')
#: Words by which a sentence is a negation.
_DENIAL = re.compile(r"\b(?:not|no|none|without|nothing|never)\b")
#: A quote behind one backslash at the end of a value, which must be written twice there.
_ENDS = re.compile(r'(?<!\\)((?:\\\\)*)\\"(?=[\s,]|$)')
_IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"')
#: So many quotes in a text are looked at.
QUOTES = 12
#: What people say for the words of a bound.
_BOUNDS = {
    "less than": r"(?:below|under|less then|(?:smaller|fewer|lower) th[ae]n|<)",
    "more than": r"(?:above|over|more then|(?:greater|bigger|larger|higher) th[ae]n|>)",
    "at most": r"(?:up to|no more than|not more than|maximum|max|<=)",
    "at least": r"(?:no less than|not less than|minimum|min|>=)",
    "exactly": r"(?:equal to|equals|==?)",
}
#: What people say for the words of a claim.
_CLAIMS = {
    "is running": r"(?:is up|runs|is started|is active|is alive)",
    "is not running": r"(?:is down|is stopped|is inactive|is dead|does not run)",
    "is listening": r"(?:is open|listens|is opened)",
    "is not listening": r"(?:is closed|is not open|does not listen)",
    "exists": r"(?:is there|is present|is existing)",
    "does not exist": r"(?:is absent|is missing|is gone|is not there|is not present)",
    "answers": r"(?:returns|responds with|answers with|replies with|has status|has the status)",
    "exits": r"(?:returns|exits with|exits with status|has exit status|has the exit status)",
}
#: How people bound a version, behind the word: `has version >= 1.2`.
_VERSION = re.compile(
    r"(?P<begins>.*?) (?:(?P<verb>has|have|in|is|with) )?(?:a )?version "
    r'(?P<bound>at least|at most|more than|less than|exactly|equal to|==?) "?(?P<version>[^"\s,]+)"?(?P<rest>[, ].*)?'
)
#: Where a version has no sentence with such a bound, the one with the version itself in it is the nearest.
_WIDER = {"more than": "at least", "less than": "at most"}
#: What something in a path is said to be, by a sentence that is about that kind of thing.
_KIND = re.compile(
    r'the (?:file|directory|folder|path|link) (?P<path>"(?:[^"\\]|\\.)*") is (?P<denied>not )?an? '
    r"(?P<kind>directory|folder|dir|symbolic link|symlink|link|regular file|file)(?P<rest>[, ].*)?"
)
_KINDS = dict.fromkeys(("directory", "folder", "dir"), "directory") | dict.fromkeys(
    ("symbolic link", "symlink", "link"), "link"
)
COMMON = ("the service ", "the package ", "the file ", "port ", "the process ")


def slips(text: str) -> Iterator[str]:
    """Yield what a text may have been meant as, where a slip is usual: other words of a bound, quotes inside quotes."""
    yield from _versions(bounds_said(text))
    if kind := _KIND.fullmatch(text):
        yield _of_kind(kind)
    for words, others in (*_BOUNDS.items(), *_CLAIMS.items()):
        pattern = re.compile(rf"(?<!\S){others}(?!\S)")
        changed = outside_quotes(pattern, lambda found, words=words: words, text)  # type: ignore[misc]
        if changed != text:
            yield changed
    if (meant := bounds_said(text)) != text:
        yield meant
    if (doubled := _ENDS.sub(lambda end: f'{end[1]}\\\\"', text)) != text:
        yield doubled
    quotes = [quote.start() for quote in _QUOTE.finditer(text)][:QUOTES]
    if len(quotes) > 2:
        for inside in (
            quotes[1:-1],
            *(quotes[1:place] + quotes[place + 2 : -1] for place in range(1, len(quotes) - 2)),
        ):
            if _are_pairs(text, inside):
                yield _escaped(text, inside)


def _versions(text: str) -> Iterator[str]:
    """Yield what a bound behind the word version may have been meant as: it stands before it, and so does `a`."""
    if not (found := _VERSION.fullmatch(text)):
        return
    verb = found["verb"] if found["verb"] in ("have", "in") else "has"
    before, behind = f"{found['begins']} {verb}", f'"{found["version"]}"{found["rest"] or ""}'
    bound = found["bound"]
    if bound in ("exactly", "equal to", "=", "=="):
        yield f"{before} version {behind}"
        return
    yield f"{before} a version {bound} {behind}"
    yield f"{before} {_WIDER.get(bound, bound)} version {behind}"


def _of_kind(found: re.Match[str]) -> str:
    """Return the sentence by which a path is, or is not, a directory, a link, or a file."""
    rest = found["rest"] or ""
    if found["kind"] not in _KINDS:
        return f"the file {found['path']} is {found['denied'] or ''}a regular file{rest}"
    return f"the {_KINDS[found['kind']]} {found['path']} {'does not exist' if found['denied'] else 'exists'}{rest}"


def bounds_said(text: str) -> str:
    """Return a text with the words of bounds for those that people say for them; `equals` may be of no bound."""
    for words, others in _BOUNDS.items():
        if words == "exactly":
            continue
        pattern = re.compile(rf"(?<!\S){others}(?!\S)")
        text = outside_quotes(pattern, lambda found, words=words: words, text)  # type: ignore[misc]
    return text


def _are_pairs(text: str, places: Sequence[int]) -> bool:
    """Whether quotes at these places open and close something within a value; else they are the ends of two values."""
    opening = all(not text[place + 1 : place + 2].isspace() for place in places[::2])
    return opening and all(not text[place - 1].isspace() for place in places[1::2])


def outside_quotes(pattern: re.Pattern[str], put: Callable[[re.Match[str]], str], text: str) -> str:
    """Return a text with something else for each place of a pattern that stands outside quotes."""
    made, at = "", 0
    for quoted in (*_IN_QUOTES.finditer(text), None):
        end = len(text) if quoted is None else quoted.start()
        made += pattern.sub(put, text[at:end]) + (quoted[0] if quoted else "")
        at = quoted.end() if quoted else end
    return made


def _escaped(text: str, places: Sequence[int]) -> str:
    """Return a text with a backslash at these places."""
    return "".join(f"\\{letter}" if place in places else letter for place, letter in enumerate(text))


def nearest(text: str, examples: Sequence[str]) -> list[str]:
    """Return what a text may have been meant as, the likeliest first: examples with the text's own values in them.

    The last is the likeliest example with its own values.

    Args:
        text: as written. examples: whole sentences; an empty answer where none is near.
    """
    bare = _bare(text)
    # Who says of what a sentence is to be does not ask about another thing, nor who says *not* for the opposite.
    alike = [example for example in examples if denies(example) == denies(text)]
    subject = " ".join(bare.split(" ")[:2])
    of_subject = [example for example in alike if _bare(example).startswith(f"{subject} ")]
    near = _nearest_of(bare, of_subject) or _nearest_of(bare, alike)
    filled = [made for example in near for made in (_aligned(example, text), _with_values(example, text))]
    return [*dict.fromkeys(filled), *near[:1]]


def denies(text: str) -> bool:
    """Whether a text says that something is not so, by its own words and not by those in its quotes."""
    return _DENIAL.search(_bare(text)) is not None


def _nearest_of(bare: str, examples: Sequence[str]) -> list[str]:
    """Return the examples that are nearest to a text, the first of them the one that is meant."""
    scored = [(_likeness(bare, _bare(example)), example) for example in examples]
    best = max((score for score, _ in scored), default=0.0)
    if best < LEAST:
        return []
    near = [example for score, example in scored if score >= best - AS_NEAR]
    nearest_one = next(example for score, example in scored if score == best)
    common = (example for word in COMMON for example in near if example.startswith(word))
    first = nearest_one if best >= CLEAR else next(common, nearest_one)
    return [first, *[example for example in near if example != first][:MOST]]


def _bare(text: str) -> str:
    """Return a text without its values: what is in quotes says nothing of what is asked."""
    return VALUES.sub(lambda value: '"' if value[0].startswith('"') else "0", text)


def _likeness(text: str, example: str) -> float:
    matcher = SequenceMatcher(None, example, text, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= LEAST - AS_NEAR else 0.0


def _with_values(example: str, text: str) -> str:
    """Return an example with the values of a text, in their order, as far as there are any of a kind."""
    values = VALUES.findall(text)
    quoted = [_requoted(value) for value in values if value.startswith('"')]
    numbers = [value for value in values if not value.startswith('"')]

    def put(found: re.Match[str]) -> str:
        left = quoted if found[0].startswith('"') else numbers
        return left.pop(0) if left else found[0]

    return VALUES.sub(put, example)


def _aligned(example: str, text: str) -> str:
    """Return an example with what a text has in the places of its values, in quotes or without: `contains root`."""
    told, meant = _WORDS.findall(text), _WORDS.findall(example)
    alike = SequenceMatcher(None, [_bare(word) for word in meant], [_bare(word) for word in told], autojunk=False)
    made = list(meant)
    for _, begin, end, first, last in alike.get_opcodes():
        if end - begin == last - first:
            for place, word in zip(range(begin, end), told[first:last], strict=True):
                made[place] = _as_value(meant[place], word)
    return " ".join(made)


def _as_value(meant: str, word: str) -> str:
    """Return a word in the form that an example has in its place: in quotes or not; that of the example elsewhere."""
    plain = _requoted(word)[1:-1] if word.startswith('"') and word.endswith('"') and len(word) > 1 else word.strip("'")
    if meant.startswith('"'):
        return f'"{plain}"'
    return plain if _NUMERIC.fullmatch(meant) and _NUMERIC.fullmatch(plain) else meant


def _requoted(value: str) -> str:
    """Return a value in quotes with a backslash before each quote in it that has none."""
    return '"' + _ESCAPED_OR_QUOTE.sub(lambda found: '\\"' if found[0] == '"' else found[0], value[1:-1]) + '"'
