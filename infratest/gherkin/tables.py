"""A sentence with a table below it: as many sentences as the table has rows, each a claim of its own. Called by parse.

Three ways to write one:

    Then these packages are installed:         the plural of any sentence whose subject is in quotes, or a port
      | nginx |
      | curl  |
    Then the file "<path>" has mode "<mode>" for each of:        any sentence; a cell for each `<column>`
      | path        | mode |
      | /etc/shadow | 0640 |
    Then these addresses are reachable from:     who reaches whom: each cell is a claim
      | from  | db:5432 | web-1:22 |
      | web-1 | yes     | -        |
      | db    | no      | no       |

A plural takes further columns in the same way: `these files have mode "<mode>":`. The column that its text does not
name holds the subjects. A table of one column below a plural needs no heading; it may have one, the noun (`package`) or
what the sentence calls it (`name`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from infratest.cleaning import clean
from infratest.errors import FeatureError, unknown
from infratest.gherkin.patterns import ANY_QUOTED
from infratest.gherkin.sentence import SETUP, Sentence
from infratest.gherkin.vocabulary import Vocabulary
from infratest.quoting import escaped, unescaped

THESE, EACH, REACHABLE = "these ", " for each of:", "these addresses are reachable from:"
COLUMN = re.compile(r"<([^<>\s\"](?:[^<>\"]*[^<>\s\"])?)>")

#: How the patterns of sentences begin whose subject has a plural.
IN_QUOTES = re.compile(r'the (?P<noun>(?!host runs|last run)[a-z]+(?: (?!of\b)[a-z]+)?) "\{(?P<name>\w+)\}" ')
BARE = re.compile(r"(?P<noun>[a-z]+) \{(?P<name>\w+):\w+\}[ /]")

#: Verbs whose singular is not made by an `s`.
SINGULAR = {"are": "is", "were": "was", "have": "has", "do": "does"}
PLURAL = {singular: plural for plural, singular in SINGULAR.items()}


@dataclass(frozen=True)
class Subject:
    """What a sentence can be about: `package`, with its placeholder `name`, in quotes; a port is not in quotes."""

    noun: str
    name: str
    quoted: bool

    @property
    def plural(self) -> str:
        if self.noun.endswith("y") and self.noun[-2:-1] not in "aeiou":
            return f"{self.noun[:-1]}ies"
        return self.noun + ("es" if self.noun.endswith(("s", "sh", "ch", "x")) else "s")

    def singular(self, value: str) -> str:
        """Return how a sentence about one of them begins."""
        return f'the {self.noun} "{escaped(value)}"' if self.quoted else f"{self.noun} {value}"


def takes_table(text: str) -> bool:
    """Whether a text is written as one above a table: a plural, or one that ends with `for each of:`."""
    return text.endswith(EACH) or (text.startswith(THESE) and text.endswith(":"))


def lacks_colon(text: str) -> bool:
    """Whether a text would be one above a table if it ended with a colon."""
    return not text.endswith(":") and takes_table(f"{text}:")


def plural_of(text: str, vocabulary: Vocabulary) -> str:
    """Return how a text about several things begins above a table, without its colon: `these services are running`.

    Empty where it is about one. About several are `the services "a, b" are running`, `port 80 and 443 are listening`
    and `these services are running`.
    """
    value = r'(?:"[^"]*"|\d+)'
    several = rf"{value}(?:(?:,| and|, and) {value})+ (?P<one>\w+)"
    for subject in sorted(subjects(vocabulary), key=lambda one: -len(one.plural)):
        many = rf"(?:{value}(?:,| and|, and)? )*(?P<many>are|have|do|were|exist|contain|match|belong)\b"
        nouns = rf"{re.escape(subject.plural)} {many}|(?:{re.escape(subject.noun)}) {several}"
        if found := re.match(f"(?:(?:the|these) )?(?:{nouns})", text):
            verb = found["many"] or PLURAL.get(found["one"]) or found["one"].removesuffix("s")
            return f"{THESE}{subject.plural} {verb}{text[found.end() :].removesuffix(':')}"
    return ""


def expanded(text: str, table: Any, vocabulary: Vocabulary) -> list[tuple[str, int]]:
    """Return the sentence of each row, and the row's line; nothing where the text is not written as one above a table.

    Args:
        text: of the step. table: behave's, of the step.
    Raises:
        FeatureError: the table does not fit it, or what a row makes of it is no sentence.
    """
    if not takes_table(text):
        return []
    rows = [(list(table.headings), table.line), *((list(row.cells), row.line) for row in table.rows)]
    if text == REACHABLE:
        made = _reachable(rows)
    elif text.endswith(EACH):
        made = _for_each(text, rows)
    else:
        subject = _subject(text, vocabulary)
        if subject is None:
            return []
        made = _plural(text, subject, rows)
    for sentence, line in made:
        match = vocabulary.match(sentence)
        if match is None:
            near = vocabulary.nearest(sentence)
            raise FeatureError(
                f"'{text}': with its row in line {line} it is '{clean(sentence, 200)}', which is no sentence"
                + (f"; did you mean: {near}" if near else "")
            )
        if match.sentence.kind == SETUP:
            raise FeatureError(f"'{text}': a sentence that selects hosts stands by itself; write a line for each")
    return made


def _for_each(text: str, rows: list[tuple[list[str], int]]) -> list[tuple[str, int]]:
    """Return a text with the cells of each row in the place of its `<column>`s."""
    (columns, _), *others = rows
    _refuse_columns(text, columns, set())
    _refuse_no_rows(text, others)
    return [(_filled(text.removesuffix(EACH), dict(zip(columns, cells, strict=True))), line) for cells, line in others]


#: What a cell says of its row's place and its column's address; of `-` nothing is asked.
CELLS = {"yes": "is reachable", "no": "is not reachable", "-": ""}


def _reachable(rows: list[tuple[list[str], int]]) -> list[tuple[str, int]]:
    """Return a sentence for each cell: whether its column's address is reachable from its row's place.

    Raises:
        FeatureError: a cell that says neither, a place or an address that is empty or there twice, or nothing to ask.
    """
    ((first, *addresses), line), *others = rows
    if first != "from" or not addresses:
        raise FeatureError(f"{REACHABLE!r}: its heading is `from` and the addresses, with their ports, in line {line}")
    _refuse_no_rows(REACHABLE, others)
    for names, what in ((addresses, "columns"), ([cells[0] for cells, _ in others], "rows")):
        wrong = next((name for name in names if not name or names.count(name) > 1), None)
        if wrong is not None:
            raise FeatureError(
                f"{REACHABLE!r}: {f'two {what} are {wrong!r}' if wrong else f'one of its {what} has no name'}"
            )
    made = []
    for (place, *cells), number in others:
        viewed = place if place == "the controller" or place.startswith("every host in ") else f'"{escaped(place)}"'
        for address, cell in zip(addresses, cells, strict=True):
            if cell not in CELLS:
                raise FeatureError(
                    f"{REACHABLE!r}: the cell {cell!r} in line {number}: write yes, no, or - to ask nothing"
                )
            if CELLS[cell]:
                made.append((f'the address "{escaped(address)}" {CELLS[cell]} from {viewed}', number))
    if not made:
        raise FeatureError(f"{REACHABLE!r}: no cell says yes or no: nothing would be looked at")
    return made


def _plural(text: str, subject: Subject, rows: list[tuple[list[str], int]]) -> list[tuple[str, int]]:
    """Return the singular of a text for each row."""
    rest = _with_singular_verb(text.removeprefix(THESE).removeprefix(subject.plural).removesuffix(":").strip())
    columns, others = rows[0][0], rows[1:]
    if len(columns) == 1 and not COLUMN.search(rest):
        others = others if columns[0] in (subject.noun, subject.name) else rows
        _refuse_no_rows(text, others)
        values = [(cells[0], dict[str, str](), line) for cells, line in others]
    else:
        named = set(COLUMN.findall(rest))
        free = [column for column in columns if column not in named]
        _refuse_columns(text, columns, set(free[:1]))
        if not free:
            raise FeatureError(f"'{text}': every column is named in it; one must hold the {subject.plural}")
        _refuse_no_rows(text, others)
        values = []
        for cells, line in others:
            row = dict(zip(columns, cells, strict=True))
            values.append((row[free[0]], row, line))
    empty = next((line for value, _, line in values if not value), None)
    if empty is not None:
        raise FeatureError(f"'{text}': the row in line {empty} names no {subject.noun}")
    return [(f"{subject.singular(value)} {_filled(rest, row)}", line) for value, row, line in values]


def _refuse_columns(text: str, columns: list[str], unnamed: set[str]) -> None:
    """Refuse a table whose columns and a text's `<column>`s are not the same. Raises FeatureError."""
    named = COLUMN.findall(text)
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise FeatureError(f"'{text}': two columns of its table are called {twice!r}")
    for column in named:
        if column not in columns:
            raise FeatureError(f"'{text}': <{column}>: {unknown('column', column, columns)}")
    unread = [column for column in columns if column not in named and column not in unnamed]
    if unread:
        raise FeatureError(
            f"'{text}': nothing reads the column {unread[0]!r}: write <{unread[0]}> where its cells stand"
        )


def _refuse_no_rows(text: str, rows: list[tuple[list[str], int]]) -> None:
    if not rows:
        raise FeatureError(f"'{text}': its table has a heading and no row: nothing would be looked at")


def _filled(text: str, cells: Mapping[str, str]) -> str:
    """Return a text with cells in the place of its `<column>`s; a quote in a cell ends no quoted text."""

    def in_cells(part: str) -> str:
        return COLUMN.sub(lambda place: cells.get(place[1], place[0]), part)

    made, at = "", 0
    for quoted in ANY_QUOTED.finditer(text):
        made += in_cells(text[at : quoted.start()]) + f'"{escaped(in_cells(unescaped(quoted[1])))}"'
        at = quoted.end()
    return made + in_cells(text[at:])


def _with_singular_verb(text: str) -> str:
    verb, blank, rest = text.partition(" ")
    singular = SINGULAR.get(verb) or verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")
    return f"{singular}{blank}{rest}"


def _subject(text: str, vocabulary: Vocabulary) -> Subject | None:
    """Return the subject that a text has in the plural; of two that fit, the one with more words."""
    rest = text.removeprefix(THESE)
    fitting = [one for one in subjects(vocabulary) if rest.startswith(f"{one.plural} ")]
    return max(fitting, key=lambda one: len(one.plural), default=None)


@cache
def subjects(vocabulary: Vocabulary) -> tuple[Subject, ...]:
    """Return what sentences can be about: those that begin with `the NOUN "..."`, or with a noun and a word."""
    return tuple(dict.fromkeys(_subjects(vocabulary.sentences)))


def _subjects(sentences: Iterable[Sentence]) -> Iterable[Subject]:
    for sentence in sentences:
        if match := IN_QUOTES.match(sentence.pattern):
            yield Subject(match["noun"], match["name"], quoted=True)
        elif match := BARE.match(sentence.pattern):
            yield Subject(match["noun"], match["name"], quoted=False)
