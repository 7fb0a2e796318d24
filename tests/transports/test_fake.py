"""The fake transport: every verb can fail, be slow, hang and be cut off as told, and what was asked is on record."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import (
    AccessRefused,
    ConnectionLost,
    DeadlineExceeded,
    HostKeyRefused,
    TransportError,
    Unreachable,
    UserError,
)
from infratest.hosts import Host
from infratest.outsiders import get

LONG = 20.0


def fake(**options: Any) -> Any:
    return get("transport", "fake")(Host(name="web-1", transport="fake", options=options))


def opened(**options: Any) -> Any:
    transport = fake(**options)
    transport.open(Deadline(LONG))
    return transport


def test_scripted_answers() -> None:
    transport = opened(
        answers={
            "echo 'two words'": {"stdout": "as told\n"},
            "sh -c*": {"exit": 3, "stderr": "no"},
        }
    )
    exact = transport.run(["echo", "two words"], Deadline(LONG))
    assert (exact.exit, exact.stdout, exact.stderr) == (0, b"as told\n", b"")
    begun = transport.run(["sh", "-c", "anything"], Deadline(LONG), b"input")
    assert (begun.exit, begun.stderr) == (3, b"no")
    other = transport.run(["uptime"], Deadline(LONG))
    assert (other.exit, other.stderr) == (127, b"fake: no answer is scripted for: uptime\n")
    assert [(asked.command, asked.stdin) for asked in transport.asked] == [
        (("echo", "two words"), b""),
        (("sh", "-c", "anything"), b"input"),
        (("uptime",), b""),
    ]


@pytest.mark.parametrize(
    "name, error",
    [
        ("transport-error", TransportError),
        ("unreachable", Unreachable),
        ("access-refused", AccessRefused),
        ("host-key-refused", HostKeyRefused),
        ("connection-lost", ConnectionLost),
        ("deadline-exceeded", DeadlineExceeded),
    ],
)
@pytest.mark.parametrize("verb", ["open", "execute", "close"])
def test_every_verb_can_fail(verb: str, name: str, error: type[TransportError]) -> None:
    transport = fake(fail={verb: name}, answers={"true": {}})
    with pytest.raises(error, match=f"web-1: {verb} fails as scripted") as raised:
        through_all_verbs(transport)
    assert type(raised.value) is error
    transport.close()


def through_all_verbs(transport: Any) -> None:
    transport.open(Deadline(LONG))
    transport.run(["true"], Deadline(LONG))
    transport.close()


def test_a_hang_lasts_until_the_deadline() -> None:
    transport = opened(answers={"sleep*": {"hang": True, "stdout": "half"}})
    started = monotonic()
    with pytest.raises(DeadlineExceeded) as raised:
        transport.run(["sleep", "9"], Deadline(0.3))
    assert 0.3 <= monotonic() - started < 5
    assert raised.value.partial == b"half"


def test_close_ends_a_hang() -> None:
    transport = opened(answers={"sleep*": {"hang": True}})
    closer = threading.Timer(0.2, transport.close)
    closer.start()
    with pytest.raises(ConnectionLost):
        transport.run(["sleep", "9"], Deadline(LONG))
    closer.join()


def test_an_answer_cut_off_in_the_middle() -> None:
    with pytest.raises(ConnectionLost) as raised:
        opened(answers={"cat*": {"stdout": "half an ans", "lost": True}}).run(["cat", "x"], Deadline(LONG))
    assert raised.value.partial == b"half an ans"


def test_delays() -> None:
    transport = fake(delay="200ms", answers={"true": {"delay": "100ms"}})
    started = monotonic()
    transport.open(Deadline(LONG))
    assert transport.run(["true"], Deadline(LONG)).exit == 0
    assert 0.5 <= monotonic() - started < 5
    with pytest.raises(DeadlineExceeded):
        transport.run(["true"], Deadline(0.05))


def test_the_record(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    transport = opened(record=str(record), answers={"true": {}})
    transport.run(["true"], Deadline(LONG))
    transport.close()
    transport.close()
    assert [json.loads(line) for line in record.read_text().splitlines()] == [
        {"verb": "open", "host": "web-1"},
        {"verb": "execute", "host": "web-1", "command": "true"},
        {"verb": "close", "host": "web-1"},
    ]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"fail": {"opne": "unreachable"}}, "fail: unknown verb 'opne'.*'open'"),
        ({"fail": {"open": "unreachabel"}}, "fail: open: unknown error 'unreachabel'.*'unreachable'"),
        ({"answers": {"true": {"exti": 1}}}, "answers: true: unknown key 'exti'.*'exit'"),
        ({"otherwise": "maybe"}, "otherwise"),
    ],
)
def test_a_script_that_makes_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        fake(**options)
