"""Questions to a running monitor: those that are none, and those that are answered once they are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import StateError, UnknownName, UserError
from infratest.monitor.asked import WORDS, Asked
from tests.monitor.test_monitor import FEATURE, STACK, THERE, Desk
from tests.worlds import small_project


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    files = {"stack.yaml": STACK, "features/x.feature": FEATURE.format(there=tmp_path / "there")}
    made = Desk(small_project.write(tmp_path, files)).after(0).after(15)
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            made.monitor.turn(0.01)

    thread = threading.Thread(target=work)
    thread.start()
    yield made
    ended.set()
    thread.join()


def ask(desk: Desk, word: str, **given: Any) -> Any:
    question: Mapping[str, Any] = {"word": word, "place": "one", **given}
    return Asked(desk.monitor)(question, "ada")["answer"]


def test_what_is_answered_is_kept(desk: Desk):
    assert ask(desk, "status")["state"] == "critical"
    assert ask(desk, "ack", id=THERE, comment="on it")["by"] == "ada"
    kept = [each.statuses[THERE] for each in desk.shelf.written if THERE in each.statuses]
    assert kept[-1] is not None
    assert kept[-1].ack is not None
    assert (kept[-1].ack.by, kept[-1].ack.comment) == ("ada", "on it")
    desk.shelf.full = True
    with pytest.raises(StateError, match=r"is not kept beyond that: .*no space left"):
        ask(desk, "unack", id=THERE)
    assert ask(desk, "result", id=THERE)["ack"] is None, "it holds all the same"


@pytest.mark.parametrize(
    "question",
    [
        {}, {"word": 5}, {"word": "stauts"}, {"word": "ack"}, {"word": "ack", "id": 7, "comment": "x"},
        {"word": "ack", "id": THERE, "comment": "x", "for": "2h"},
        {"word": "ack", "id": THERE, "comment": "x", "for": -1},
        {"word": "ack", "id": THERE, "comment": "x", "for": True}, {"word": "ack", "id": THERE, "comment": " "},
        {"word": "pause"}, {"word": "pause", "for": 1e30},
        {"word": "downtime", "name": "a", "comment": "b", "id": THERE},
        {"word": "downtime", "name": "a", "comment": "b", "for": 5},
        {"word": "downtime", "name": "a", "comment": "b", "for": 5, "host": "nobody"},
        {"word": "downtime", "name": "a", "comment": "b", "for": 5, "id": THERE, "every": "0 2 * *"},
        {"word": "downtime", "name": "a", "comment": "b", "for": 5, "id": THERE, "from": 0},
        {"word": "note"}, {"word": "heartbeat", "name": "backup", "signal": "ok"},
    ],
)  # fmt: skip
def test_what_is_no_question_changes_nothing_and_harms_nobody(desk: Desk, question: dict[str, Any]):
    before = len(desk.shelf.written)
    with pytest.raises(UserError):
        Asked(desk.monitor)({"place": "one", **question}, "ada")
    assert [each for each in desk.shelf.written[before:] if each.downtimes or each.pauses or each.notes] == []
    assert ask(desk, "status")["state"] == "critical"


def test_an_id_that_is_none_is_answered_with_the_nearest(desk: Desk):
    with pytest.raises(UnknownName, match="did you mean"):
        ask(desk, "result", id=THERE[:-1])
    assert {name for name, word in WORDS.items() if not word.changes} == {
        "status", "problems", "due", "result", "downtimes", "health", "latest", "left alone",
    }  # fmt: skip
