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
#: A word is another's slip from here on; and those that say nothing by themselves.
ALIKE, _LETTERS = 0.72, re.compile(r"[a-z]+")
FILLING = frozenset("the a an is are has have of in to at with by as and or for on from it its not no does do".split())
#: Quotes that no backslash stands before.
_QUOTE = re.compile(r'(?<!\\)"')
#: Words by which a sentence is a negation.
_DENIAL = re.compile(r"\b(?:not|no|none|without|nothing|never)\b")
#: A quote behind one backslash at the end of a value, which must be written twice there.
_ENDS = re.compile(r'(?<!\\)((?:\\\\)*)\\"(?=[\s,]|$)')
_IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"')
#: Quotes and blanks as programs for letters write them, and those of a sentence.
_TYPED = dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033`", '"') | dict.fromkeys("\u00a0\u202f\u2009\t", " ")
_OF_LETTERS = re.compile(f"[{''.join(_TYPED)}]")
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
    "is not running": r"(?:is down|is stopped|is inactive|is dead|is failed|is not active|is not up|does not run)",
    "is listening": r"(?:is open|listens|is opened)",
    "is not listening": r"(?:is closed|is blocked|is not open|does not listen)",
    "is installed": r"(?:is there|is present)",
    "is not installed": r"(?:is absent|is missing|is gone|is removed|is not there|is not present)",
    "is enabled": r"is not disabled",
    "is not enabled": r"is disabled",
    "is active": r"(?:is on|is enabled|is not disabled)",
    "is not active": r"(?:is off|is disabled)",
    "exists": r"(?:is there|is present|is existing|is mounted)",
    "does not exist": r"(?:is absent|is missing|is gone|is not there|is not present|is unmounted|is not mounted)",
    "is reachable": r"(?:is open|is not blocked|is not closed)",
    "is not reachable": r"(?:is blocked|is closed|is filtered)",
    "answers": r"(?:returns|responds with|answers with|replies with|has status|has the status|is up|is reachable)",
    "does not answer": r"(?:is down|is unreachable|is not reachable)",
    "exits": r"(?:returns|exits with|exits with status|has exit status|has the exit status)",
    "exits 0": r"(?:succeeds|is successful|does not fail)",
    "does not exit 0": r"(?:fails|does not succeed)",
    "prints nothing": r"does not print anything",
    "is not valid": r"(?:is expired|has expired)",
    "is not up": r"is down",
    "is not immutable": r"is mutable",
    "resolves": r"is resolvable",
    "does not resolve": r"(?:is unresolvable|is not resolvable)",
    "may": r"can",
    "may not": r"(?:cannot|can not|can't)",
    "offers": r"(?:accepts|supports|allows)",
    "does not offer": r"(?:refuses|rejects|does not accept|does not support|does not allow)",
    "does not allow": r"(?:denies|refuses|blocks)",
    "does not contain": r"(?:lacks|excludes)",
    "does not have": r"(?:has no|lacks)",
    "does not have the": r"has no",
    "has the latest version": r"(?:is latest|is the latest|is up to date)",
    "is not read-only": r"is writable",
    "is not a replica": r"is (?:a|the) (?:master|primary)",
}
#: A word that says the opposite of the one within it: `is invalid` is `is not valid`.
_OPPOSITE = re.compile(r"(?<!\S)is (?P<denied>not )?(?:un|in|im)(?P<word>[a-z]{4,})(?!\S)")
#: Words that deny without a not, so that a sentence which does not is the opposite of what is meant.
_CONTRARY = re.compile(
    r"\b(?:un(?!it|ix|til|der)[a-z]{4,}|invalid|inactive|dis(?:abled|allowed|connected)|cannot|can't|denies|refuses|rejects"
    r"|blocks|blocked|filtered|lacks|excludes|absent|missing|gone|removed|closed|down|stopped|expired|different"
    r"|off)\b"
)
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
_TEXT = _IN_QUOTES.pattern
#: Whole sentences that are said otherwise here: what people write, and what that is. `a`, `b` are texts in quotes.
_OTHERWISE = tuple(
    (re.compile(said.replace("<a>", f"(?P<a>{_TEXT})").replace("<b>", f"(?P<b>{_TEXT})") + "(?P<rest>[, ].*)?"), meant)
    for said, meant in (
        ("the (?P<kind>pip|npm|gem|cargo) <a>", "the {kind} package {a}"),
        ("the (?:file|path|link) <a> is a (?:symbolic link|symlink|link) to <b>", "the link {a} points to {b}"),
        ("the (?:file|path|link) <a> is not a (?:symbolic link|symlink|link) to <b>",
         "the link {a} does not point to {b}"),
        ("the unit <a> is (?P<not>not )?(?:active|running|started|up)", "the service {a} is {not}running"),
        ("the unit <a> is (?P<not>not )?enabled", "the service {a} is {not}enabled"),
        ("the unit <a> is disabled", "the service {a} is not enabled"),
        ("the kernel parameter <a>", "the sysctl {a}"),
        ("the group <a> (?:has|contains|includes) (?:the (?:member|user) )?<b>", "the user {b} is in the group {a}"),
        ("the group <a> does not (?:have|contain|include) (?:the (?:member|user) )?<b>",
         "the user {b} is not in the group {a}"),
        ("the user <a> is (?P<not>not )?locked", "the password of {a} is {not}locked"),
        ("the user <a> is unlocked", "the password of {a} is not locked"),
        ("the (?:URL|url|page|site) <a>", "{a}"),
        ("the file <a> has (?:the )?(?:md5|MD5)(?:sum| sum| hash)? <b>", "the file {a} has the MD5 checksum {b}"),
        ("the file <a> has (?:the )?(?:sha|SHA)-?(?P<bits>256|512)(?:sum| sum| hash| checksum)? <b>",
         "the file {a} has the SHA-{bits} checksum {b}"),
        ("the file <a> is empty", "the file {a} is less than 1 B in size"),
        ("the file <a> is not empty", "the file {a} is at least 1 B in size"),
        ("the directory <a> is empty", "the directory {a} holds exactly 0 files"),
        ("the directory <a> is not empty", "the directory {a} holds at least 1 files"),
        ("the group <a> (?:is empty|has no members)", "the group {a} has exactly 0 members"),
        ("the command <a> prints JSON with no <b>", "the command {a} prints JSON without {b}"),
    )
)  # fmt: skip
_KINDS = dict.fromkeys(("directory", "folder", "dir"), "directory") | dict.fromkeys(
    ("symbolic link", "symlink", "link"), "link"
)
COMMON = ("the service ", "the package ", "the file ", "port ", "the process ")


def slips(text: str) -> Iterator[str]:
    """Yield what a text may have been meant as, where a slip is usual: other words of a bound, quotes inside quotes."""
    yield from _versions(bounds_said(text))
    if kind := _KIND.fullmatch(text):
        yield _of_kind(kind)
    yield from _otherwise(text)
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


def _otherwise(text: str) -> Iterator[str]:
    """Yield what is about another subject here, and what a word says the opposite of: `is invalid`."""
    for said, otherwise in _OTHERWISE:
        if found := said.fullmatch(text):
            parts = {name: value or "" for name, value in found.groupdict().items()}
            yield otherwise.format(**parts) + parts["rest"]
    turned = outside_quotes(_OPPOSITE, lambda found: f"is {'' if found['denied'] else 'not '}{found['word']}", text)
    if turned != text:
        yield turned


def typed(text: str) -> str:
    """Return a text with plain quotes and blanks for those that programs for letters write."""
    return outside_quotes(_OF_LETTERS, lambda found: _TYPED[found[0]], text)


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
    opposed = _opposes(text)
    alike = [example for example in examples if _opposes(example) == opposed]
    subject = " ".join(bare.split(" ")[:2])
    of_subject = [example for example in alike if _bare(example).startswith(f"{subject} ")]
    near = _nearest_of(bare, of_subject) or _nearest_of(bare, alike)
    filled = [made for example in near for made in (_aligned(example, text), _with_values(example, text))]
    return [*dict.fromkeys(filled), *near[:1]]


def another_claim(sentence: str, text: str) -> bool:
    """Whether a sentence has a word that is like none of a text's own: it may be near and say another thing."""
    told, meant = (_LETTERS.findall(_bare(one).lower()) for one in (text, sentence))
    own = [word for word in told if word not in meant]
    return any(
        max((SequenceMatcher(None, word, one, autojunk=False).ratio() for one in own), default=0.0) < ALIKE
        for word in meant
        if word not in told and word not in FILLING
    )


def denies(text: str) -> bool:
    """Whether a text says that something is not so, by its own words and not by those in its quotes."""
    return _DENIAL.search(_bare(text)) is not None


def _opposes(text: str) -> bool:
    """Whether a text says that something is not so, by a not or by a word that means one."""
    return denies(text) != (_CONTRARY.search(_bare(text)) is not None)


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
