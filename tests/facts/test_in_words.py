"""Values of facts in words: nobody is shown Python's writing of one."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from infratest import facts
from infratest.collect.evidence import in_words
from infratest.errors import InfratestError
from infratest.facts._command import Output
from infratest.facts.base import Answer
from infratest.facts.content import Content
from infratest.facts.file import File
from infratest.facts.http.reply import Reply
from infratest.facts.load import Load
from infratest.facts.package import Package
from infratest.facts.process import Processes
from infratest.facts.process.names import Process
from infratest.facts.service import Unit
from infratest.facts.socket import Listener, Listeners
from infratest.facts.unit_file import UnitFile
from infratest.facts.unix_socket import UnixListener, UnixListeners
from infratest.outsiders import get, names
from infratest.record import Record


def named(path):
    """The module's name of a file of the facts."""
    parts = path.relative_to(Path(facts.__file__).parent).with_suffix("").parts
    return ".".join(("infratest.facts", *parts)).removesuffix(".__init__")


CASES = sorted((Path(__file__).parents[1] / "data" / "facts").glob("*/*.json"))
#: Value classes of facts, wherever in its folder a fact has them.
CLASSES = [
    value
    for path in sorted((Path(facts.__file__).parent).rglob("*.py"))
    for value in vars(importlib.import_module(named(path))).values()
    if isinstance(value, type) and hasattr(value, "in_words") and value.__module__ == named(path)
]
#: Facts whose value is that of another one, and where it stands.
SHARED = {
    "root-command": "_command", "clock-reading": "_clock_reading", "last-clock-reading": "_clock_reading",
    "disk": "_space", "drill": "_drilled", "mount": "_mount_table",
}  # fmt: skip
#: What Python writes: a class with its fields, None and truth values, tuples and mappings.
PYTHONS = re.compile(rf"\b({'|'.join(one.__name__ for one in CLASSES)})\(|\b(None|True|False)\b|\(\('|\{{'|\[\(")


@pytest.mark.parametrize("path", [path for path in CASES if "error" not in json.loads(path.read_text())], ids=str)
def test_no_recorded_value_is_shown_as_python_writes_it(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    arguments = [tuple(argument) for argument in case["arguments"]]
    for value in get("fact", path.parent.name)().read(Answer(**case["answer"]), arguments).values():
        if isinstance(value, InfratestError):  # one that alone could not be known, which is words
            continue
        words = in_words(value)
        assert words
        assert not PYTHONS.search(words), words


def test_every_fact_has_a_value_with_words_of_its_own():
    """What a fact brings is such a value, a table of them, or a mapping to them."""
    speaking = {value.__module__.removeprefix("infratest.facts.").partition(".")[0] for value in CLASSES}
    facts_there = {SHARED.get(name, name.replace("-", "_")) for name in names("fact")}
    assert facts_there - {"command"} <= speaking
    assert not [value for value in CLASSES if "\n" in (value.in_words.__doc__ or "")]


def process(pid, name):
    return Process(pid=pid, parent=0, uid=0, state="S", name=name, rss=0)


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
        (
            Listeners([Listener("tcp", "::", 22, 6, True), Listener("udp", "0.0.0.0", 53, 4)]),
            "2 listening: tcp [::]:22, udp 0.0.0.0:53",
        ),
        (UnixListeners([UnixListener("/x", (1, 2)), UnixListener("@y")]), "2 listening: unix /x, unix @y"),
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
