"""Lines, sums and values of files and of what commands print, held against re, hashlib, and what was put into them."""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, answers, both, bounds, quoted

WORDS = (
    "error",
    "warning",
    "ok",
    "user=root",
    "10.0.0.2",
    "[main]",
    "port: 80",
    "it's",
    'say "x"',
    "a\\b",
    "$HOME",
    "",
)
#: On these RE2, Python's re and grep agree.
PATTERNS = (
    "error", "^error", "error$", "^$", "[0-9]+", r"\d+\.\d+\.\d+\.\d+", "(error|warning) ", "^(ok|it's)$", r"\[main\]",
    r"a\\b", r"\$HOME", '"x"', "o.+o", "x{2,3}", "[^a-z =.:0-9]", r"port:\s\d{2}$", "nothing of it", r"^\w+=\w+",
)  # fmt: skip
#: Those that grep is not asked.
OTHERS = (r"\berror\b", "(?i)OK", "é", r"error\Z".replace(r"\Z", r"\z"))
LINES = ("error", "ok", "[main]", 'say "x"', "a\\b", "", "it's", "erro", "error ", "port: 80")
SUMS = {"MD5": hashlib.md5, "SHA-1": hashlib.sha1, "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}
PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
PART = ("[begin]", "[end]")


class Text(NamedTuple):
    """A file, and what is in it."""

    path: Path
    plain: bytes

    @property
    def lines(self) -> list[str]:
        rows = self.plain.decode().split("\n")
        return rows if rows[-1] else rows[:-1]


def objects(place: Path) -> list[object]:
    """Make them."""
    chance = random.Random(8)
    made: list[object] = []
    for number, (name, packed) in enumerate(PACKERS.items()):
        for size in (0, 1, 12, 9000):
            lines = [" ".join(chance.choices(WORDS, k=chance.randint(0, 3))) for _ in range(size)]
            plain = "\n".join(lines).encode() + b"\n" * (size and number % 2)
            path = place / f"{size} lines{name}"
            path.write_bytes(packed(plain))
            made.append(Text(path, plain))
    marked = b"error\n[begin]\nok\nwarning 1\n[end]\nit's\n[begin]\nerror\n"
    (place / "parts").write_bytes(marked)
    return [*made, Text(place / "parts", marked), *_documents(place), place / "nowhere", place]


def questions(made: list[object]) -> Iterator[Question]:
    """Ask all sentences of lines, sums and values about each."""
    for one in made:
        if isinstance(one, Text):
            yield from _of_lines(one)
            yield from _of_sum(one)
        elif isinstance(one, Path):
            yield from _of_nothing(one)
        else:
            assert isinstance(one, Document)
            yield from _of_values(one)
    yield from _of_output()


def _matching(lines: list[str], pattern: str) -> int:
    expression = re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII)
    return sum(expression.search(line) is not None for line in lines)


def _of_lines(text: Text) -> Iterator[Question]:
    subject, about = f"the file {quoted(str(text.path))}", f"{text.path.name}: {len(text.lines)} lines"
    packed = text.path.stat().st_size
    for pattern in (*PATTERNS, *OTHERS):
        count: int | str = _matching(text.lines, pattern)
        if pattern in OTHERS and packed > 2**20:
            count = UNKNOWN
        right = count if isinstance(count, str) else count > 0
        forms = (
            f"{subject} has a line matching {quoted(pattern)}",
            f"{subject} has no line matching {quoted(pattern)}",
        )
        yield from both(*forms, right, about)
        yield from bounds(f"{subject} has {{}} lines matching {quoted(pattern)}", count, about)
        if packed <= 2**16 and pattern not in OTHERS:
            forms = (f"{subject} matches {quoted(pattern)}", f"{subject} does not match {quoted(pattern)}")
            whole = re.search(
                pattern.replace("$", r"\Z") if pattern.endswith("$") else pattern, text.plain.decode(), re.ASCII
            )
            yield from both(*forms, whole is not None, about)
    for line in LINES:
        forms = (f"{subject} has the line {quoted(line)}", f"{subject} does not have the line {quoted(line)}")
        yield from both(*forms, line in text.lines, about)
    yield from bounds(f"{subject} has {{}} lines", len(text.lines), about)
    if packed <= 2**20:
        yield from _of_parts(text, subject, about)


def _of_parts(text: Text, subject: str, about: str) -> Iterator[Question]:
    """Ask about what is between two lines, of which one may not be there."""
    for begin, end in (PART, ("error", "it's"), ("[begin]", "nothing of it"), ("nothing of it", "[end]")):
        first = text.lines.index(begin) + 1 if begin in text.lines else None
        there = first is not None and end in text.lines[first:]
        inside = text.lines[first : text.lines.index(end, first)] if there and first is not None else []
        where = f" between {quoted(begin)} and {quoted(end)}"
        for line in ("error", "ok", "warning 1"):
            right: bool | str = line in inside if there else ABSENT
            forms = (f"{subject} has the line {quoted(line)}", f"{subject} does not have the line {quoted(line)}")
            yield from both(*(form + where for form in forms), right, about)
        for pattern in ("^e", "[0-9]"):
            right = _matching(inside, pattern) > 0 if there else ABSENT
            forms = (
                f"{subject} has a line matching {quoted(pattern)}",
                f"{subject} has no line matching {quoted(pattern)}",
            )
            yield from both(*(form + where for form in forms), right, about)


def _of_sum(text: Text) -> Iterator[Question]:
    subject, data = f"the file {quoted(str(text.path))}", text.path.read_bytes()
    for name, kind in SUMS.items():
        right, other = kind(data).hexdigest(), kind(data + b"x").hexdigest()
        for asked in (right, right.upper(), other):
            forms = (
                f'{subject} has the {name} checksum "{asked}"',
                f'{subject} does not have the {name} checksum "{asked}"',
            )
            yield from both(*forms, asked.lower() == right, text.path.name)


def _of_nothing(path: Path) -> Iterator[Question]:
    """Ask about a file that is not there."""
    subject, about = f"the file {quoted(str(path))}", str(path)
    for claim, negation in (
        ('has a line matching "x"', 'has no line matching "x"'),
        ('has the line "x"', 'does not have the line "x"'),
        ('matches "x"', 'does not match "x"'),
        (f'has the MD5 checksum "{"0" * 32}"', f'does not have the MD5 checksum "{"0" * 32}"'),
        ('as JSON has "x"', 'as JSON has no "x"'),
        ('as YAML has "x" equal to "y"', 'as YAML has "x" not equal to "y"'),
        ('as TOML has "x" matching "y"', 'as TOML has "x" not matching "y"'),
        ('as INI has "x" containing "y"', 'as INI has "x" not containing "y"'),
    ):
        yield from both(f"{subject} {claim}", f"{subject} {negation}", ABSENT, about)
    for claim in ("has {} lines", 'has {} lines matching "x"', 'as CSV has "x" {}', 'as XML has {} "x"'):
        yield from bounds(f"{subject} {claim}", ABSENT, about)


class Document(NamedTuple):
    """A file or a command's output in a format; what stands in it by its paths: a value, a list, or how many."""

    subject: str
    form: str
    plain: dict[str, object]
    lists: dict[str, list[object]]
    counts: dict[str, int]
    readable: bool = True


PLAIN: dict[str, object] = {"db.host": "10.0.0.2", "db.port": 80, "db.text": "80", "db.up": True, "db.no": None}
LISTS: dict[str, list[object]] = {"hosts": ["a", "b", 3]}
PORTS = [80, 9000, 7]
TEXTS = {
    "JSON": '{"db": {"host": "10.0.0.2", "port": 80, "text": "80", "up": true, "no": null},'
    ' "hosts": ["a", "b", 3], "ports": [80, 9000, 7]}',
    "YAML": 'db:\n  host: 10.0.0.2\n  port: 80\n  text: "80"\n  up: true\n  no: null\n'
    "hosts:\n- a\n- b\n- 3\nports: [80, 9000, 7]\n",
    "TOML": 'hosts = ["a", "b", 3]\nports = [80, 9000, 7]\n'
    '[db]\nhost = "10.0.0.2"\nport = 80\ntext = "80"\nup = true\n',
    "INI": "[db]\nhost = 10.0.0.2\nport = 80\ntext: 80\nup = true\n",
    "XML": "<x><db host='10.0.0.2'><port>80</port></db><hosts>a</hosts><hosts>b</hosts></x>",
    "CSV": "host,port\n10.0.0.2,80\n10.0.0.3,81\n",
}


def _documents(place: Path) -> Iterator[Document]:
    """Write the documents, under a name that says their format, and under one that does not."""
    names = {form: place / f"x.{form.lower()}" for form in TEXTS} | {"YML": place / "y.yml"}
    for form, text in {**TEXTS, "YML": TEXTS["YAML"]}.items():
        names[form].write_text(text)
        (place / f"{form} without a name").write_text(text)
    for form in TEXTS:
        plain, lists, counts = _meant(form)
        for subject in (
            f"the file {quoted(str(names[form]))}",
            f"the file {quoted(str(place / f'{form} without a name'))} as {form}",
        ):
            yield Document(f"{subject} has", form, plain, lists, counts)
        for root in ("", " as root"):
            command = f"cat {names[form]}"
            yield Document(f"the command {quoted(command)}{root} prints {form} with", form, plain, lists, counts)
    (place / "broken.json").write_text(TEXTS["JSON"][:-1])
    yield Document(f"the file {quoted(str(place / 'broken.json'))} has", "JSON", PLAIN, LISTS, {}, readable=False)


def _meant(form: str) -> tuple[dict[str, object], dict[str, list[object]], dict[str, int]]:
    """Return what stands in the document of a format, by its own paths."""
    if form == "XML":
        return {"/x/db/@host": "10.0.0.2", "//port": "80"}, {"//hosts": ["a", "b"]}, {"//port": 1}
    if form == "CSV":
        rows = list(csv.DictReader(io.StringIO(TEXTS["CSV"])))
        return {"[0].host": rows[0]["host"], "[1].port": rows[1]["port"]}, {}, {".": len(rows), "[0]": 2}
    if form == "INI":
        return {"db.host": "10.0.0.2", "db.port": "80", "db.text": "80", "db.up": "true"}, {}, {"db": 4}
    assert json.loads(TEXTS["JSON"]) == {
        "db": {key[3:]: one for key, one in PLAIN.items()},
        **LISTS,
        "ports": [80, 9000, 7],
    }
    plain = {key: one for key, one in PLAIN.items() if form != "TOML" or one is not None}
    return plain, LISTS, {"db": len(plain), ".": 3}


#: A value as a sentence writes it.
WRITTEN = {True: "true", None: "null"}


def _of_values(document: Document) -> Iterator[Question]:
    unknown = "" if document.readable else UNKNOWN
    nothing = "/x/none" if document.form == "XML" else "[7]" if document.form == "CSV" else "db.nothing"
    for at, value in document.plain.items():
        text = WRITTEN.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)
        yield from _claims(document, at, unknown or True, lambda asked, text=text: unknown or asked == text, text)
        digits = text.isdigit()
        yield from _bounded(document, f'"{at}" {{}}', unknown or (int(text) if digits else ABSENT))
    for at, values in document.lists.items():
        for asked in ("a", "b", "c", *(["3"] if 3 in values else [])):
            right: bool | str = unknown or asked in map(str, values)
            yield from _both(
                document, f'"{at}" containing {quoted(asked)}', f'"{at}" not containing {quoted(asked)}', right
            )
        yield from _bounded(document, f'{{}} "{at}"', UNKNOWN if unknown else len(values))
        for path in (at, *([f"{at}.*", f"{at}[*]"] if document.form != "XML" else [])):
            yield from _of_each(document, path, list(map(str, values)), unknown)
        yield from _both(document, f'"{at}" equal to "a"', f'"{at}" not equal to "a"', UNKNOWN)
    for at, count in document.counts.items():
        yield from _bounded(document, f'{{}} "{at}"', count)
    yield from _each_in_a_bound(document)
    yield from _claims(document, nothing, unknown or False, lambda asked: unknown or ABSENT, "x")
    yield from _bounded(document, f'"{nothing}" {{}}', unknown or ABSENT)
    yield from _of_each(document, nothing if document.form == "XML" else f"{nothing}.*", [], unknown or ABSENT)


def _of_each(document: Document, at: str, values: list[str], otherwise: str) -> Iterator[Question]:
    """Ask of each of several values, and how many of them are so."""
    has = document.subject
    nots = (
        f"{has.removesuffix(' has')} does not have"
        if has.endswith(" has")
        else has.replace(" prints ", " does not print ")
    )
    about, other = document.form, _as_other(document)
    for words, so in (
        ('equal to "a"', [one == "a" for one in values]),
        ('matching "."', [True for _ in values]),
        ('matching "^[ab]$"', [one in ("a", "b") for one in values]),
    ):
        forms = (f"{has} every {quoted(at)} {words}", f"{nots} every {quoted(at)} {words}")
        yield from both(*forms, otherwise or all(so), about, other)
        yield from bounds(f"{has} {{}} {quoted(at)} {words}", otherwise or sum(so), about, unprivileged=other)
    yield from bounds(f"{has} every {quoted(at)} {{}}", otherwise or ABSENT, about, unprivileged=other)


def _each_in_a_bound(document: Document) -> Iterator[Question]:
    """Ask about all numbers: the greatest decides with an upper bound, the least with a lower one."""
    if document.form not in ("JSON", "YAML", "TOML", "CSV") or not document.readable:
        return
    path, least, greatest = ("*.port", 80, 81) if document.form == "CSV" else ("ports", min(PORTS), max(PORTS))
    claim, about, other = f"{document.subject} every {quoted(path)}", document.form, _as_other(document)
    for words, right in (
        (f"at most {greatest}", True), (f"less than {greatest}", False), (f"at most {least}", False),
        (f"at least {least}", True), (f"more than {least}", False), (f"at least {greatest}", False),
        (f"between {least} and {greatest}", True), (f"between {least + 1} and {greatest}", False),
        (f"between {least} and {greatest - 1}", False), (f"exactly {least}", False), (f"exactly {greatest}", False),
    ):  # fmt: skip
        yield Question(f"{claim} {words}", answers(right)[0], about, answers(other)[0] if other else "")


def _claims(document: Document, at: str, there: bool | str, equal: object, text: str) -> Iterator[Question]:
    """Ask whether a value is there, is equal to texts, matches and contains some."""
    assert callable(equal)
    plain = document.subject.removesuffix(" with") if document.subject.endswith(" with") else ""
    claim = f"{document.subject} {quoted(at)}"
    negation = f"{plain} without {quoted(at)}" if plain else f"{document.subject} no {quoted(at)}"
    yield from both(claim, negation, there, document.form, _as_other(document))
    for asked in (text, text + "0", "0" + text if not text.isdigit() else "1" + text, text.upper() + "X"):
        right = equal(asked)
        yield from _both(
            document, f"{quoted(at)} equal to {quoted(asked)}", f"{quoted(at)} not equal to {quoted(asked)}", right
        )
    for pattern in ("^[0-9]+$", "^1", "[a-z]"):
        right = equal(text) if not isinstance(equal(text), bool) else re.search(pattern, text) is not None
        yield from _both(
            document, f"{quoted(at)} matching {quoted(pattern)}", f"{quoted(at)} not matching {quoted(pattern)}", right
        )


def _as_other(document: Document) -> str:
    return UNKNOWN if " as root " in document.subject else ""


def _both(document: Document, claim: str, negation: str, right: bool | str) -> Iterator[Question]:
    forms = (f"{document.subject} {claim}", f"{document.subject} {negation}")
    yield from both(*forms, right, document.form, _as_other(document))


def _bounded(document: Document, claim: str, number: int | str) -> Iterator[Question]:
    yield from bounds(f"{document.subject} {claim}", number, document.form, unprivileged=_as_other(document))


#: Commands; what they print, and to standard error; None where that is no text.
OUTPUTS: dict[str, tuple[str | None, str | None]] = {
    "true": ("", ""),
    "printf 'one\\ntwo\\n'": ("one\ntwo\n", ""),
    "printf 'one\\ntwo'; exit 3": ("one\ntwo", ""),
    "printf '\\n'": ("\n", ""),
    "echo one; echo two >&2": ("one\n", "two\n"),
    "echo 'error: a  b' >&2; exit 1": ("", "error: a  b\n"),
    "printf 'caf\\351 one\\n'": (None, ""),
    "printf 'caf\\351 one\\n' >&2": ("", None),
    "seq 1 5000 | sed 's/^/two /' >&2": ("", "".join(f"two {number}\n" for number in range(1, 5001))),
}


def _of_output() -> Iterator[Question]:
    """Ask about lines and standard error of commands, as the login user and as root."""
    for command, (out, err) in OUTPUTS.items():
        for root, other in (("", ""), (" as root", UNKNOWN)):
            subject = f"the command {quoted(command)}{root}"
            yield from _of_stream(f"{subject} prints", "", out, other, command)
            yield from _of_stream(f"{subject} prints", " to standard error", err, other, command)
            for text in ("two", "one", "error: a  b"):
                forms = (f"{subject} prints {quoted(text)}", f"{subject} does not print {quoted(text)}")
                right = text in err if err is not None else text == "one" or UNKNOWN
                yield from both(*(f"{form} to standard error" for form in forms), right, command, other)
            if out is not None:
                yield from bounds(f"{subject} prints {{}} lines", _count(out), command, unprivileged=other)


def _count(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and text != "")


def _of_stream(prints: str, stream: str, text: str | None, other: str, about: str) -> Iterator[Question]:
    for pattern in ("^one$", "^two", "one.two", "one", "[0-9]{4}$"):
        known = text is not None and any(re.search(pattern, row) for row in text.split("\n")[: _count(text)])
        right = known if text is not None else pattern == "one" or UNKNOWN
        forms = (
            f"{prints} a line matching {quoted(pattern)}{stream}",
            f"{prints} no line matching {quoted(pattern)}{stream}",
        )
        yield from both(*forms, right, about, other)
    yield from both(f"{prints} nothing{stream}", f"{prints} something{stream}", text == "", about, other)
