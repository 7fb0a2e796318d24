"""Values of facts in words: nobody is shown Python's writing of one."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from infratest import found
from infratest.errors import InfratestError
from infratest.facts._in_words import WORDS, in_words
from infratest.facts.base import Answer
from infratest.found import (
    Content,
    File,
    Listener,
    Listeners,
    Load,
    Output,
    Package,
    Process,
    Processes,
    Reply,
    Unit,
    UnitFile,
)
from infratest.outsiders import get
from infratest.record import Record

CASES = sorted((Path(__file__).parents[1] / "data" / "facts").glob("*/*.json"))
CLASSES = [value for value in vars(found).values() if inspect.isclass(value) and value.__module__ == found.__name__]
#: What Python writes: a class with its fields, None and truth values, tuples and mappings.
PYTHONS = re.compile(rf"\b({'|'.join(one.__name__ for one in CLASSES)})\(|\b(None|True|False)\b|\(\('|\{{'|\[\(")


@pytest.mark.parametrize("path", [path for path in CASES if "error" not in json.loads(path.read_text())], ids=str)
def test_no_recorded_value_is_shown_as_python_writes_it(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    arguments = [tuple(argument) for argument in case["arguments"]]
    for value in get("fact", path.parent.name)().read(Answer(**case["answer"]), arguments).values():
        assert not isinstance(value, InfratestError)
        words = in_words(value)
        assert words
        assert not PYTHONS.search(words), words


def test_every_value_has_its_words_in_the_one_place():
    named = {one for one in CLASSES if issubclass(one, Record)} - {Process}  # one of a table that is told whole
    assert named <= set(WORDS)


def process(pid, name):
    return Process(pid=pid, parent=0, uid=0, state="S", name=name, program="", rss=0, names=(name,))


@pytest.mark.parametrize(
    "value, words",
    [
        (None, "none"),
        (Package("dpkg", True, "1.22", "installed"), "installed 1.22 (dpkg)"),
        (Package("dpkg", False), "unknown (dpkg)"),
        (Unit("x.service", "loaded", "failed", "failed"), "x.service: loaded, failed (failed)"),
        (
            Unit("x.timer", "loaded", "active", "elapsed", next=False),
            "x.timer: loaded, active (elapsed), without a next moment",
        ),
        (UnitFile("generated", True), "generated, enabled"),
        (File(kind=None), "does not exist"),
        (File(kind=None, link="b"), "a link to b, which does not exist"),
        (File(kind=None, problem="Permission denied"), "could not be looked at: Permission denied"),
        (
            File("file", "0644", "root", "adm", 0, 4, 2048, 90),
            "file, mode 0644, owner root (0), group adm (4), 2 KiB, changed 90 s ago",
        ),
        (Content(holds=True, line=3), "the text is there in line 3"),
        (Content(lines=1), "the text is not there in 1 line"),
        (Load((0.5, 1, 2), 4), "load 0.5 1 2 on 4 processors"),
        (Listeners([Listener("tcp", "::", 22, 6, True), Listener("unix", "/x")]), "2 listening: tcp [::]:22, unix /x"),
        (
            Processes([process(1, "init"), process(2, "sh"), process(3, "sh")]),
            "3 processes: init, sh x 2",
        ),
        (Output(3, "out\n", "err\n", 0.25), "exited 3 after 250 ms\nout\nerr\n"),
        (Reply(None, 0.5, refused="connection refused"), "no answer after 500 ms: connection refused"),
        (
            Reply(503, 0.5, (("retry-after", "9"),), "Busy"),
            "answered 503 in 500 ms\nretry-after: 9\n\nBusy",
        ),
        (Reply(200, 0.5, unread="it is too long"), "answered 200 in 500 ms (of the body, it is too long)\n\n"),
    ],
)  # fmt: skip
def test_words(value, words):
    assert in_words(value) == words


class Outsiders(Record):
    """What an outsider's fact may bring."""

    name: str
    on: bool
    last_seen: tuple[int, ...] = ()
    note: str | None = None


def test_what_nobody_described_is_told_by_its_fields():
    assert in_words(Outsiders("x", True, (1, 2))) == "name x, on yes, last seen 1, 2"
    assert in_words({"/a": Outsiders("x", False)}) == "/a: name x, on no, last seen nothing"
