"""A store that turns out damaged while the monitor works: it is said once, nobody is told anything twice, and it is not
well before somebody has seen to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from infratest.alerting.subject import STORE
from infratest.monitor import answers
from infratest.monitor.keeping import Keeping, claim, memory
from infratest.monitor.writing import ANEW, TEND
from infratest.store.database import ledger, numbers
from infratest.store.database.connection import FileStore, opened
from infratest.store.database.retention import Keep
from infratest.store.directory import StateDir
from tests.monitor.test_monitor import THERE, Desk, HandClock, project  # noqa: F401 - a fixture
from tests.store.test_database_connection import spoil

Life = Callable[[], AbstractContextManager[tuple[Desk, FileStore]]]


@pytest.fixture
def life(project: Path) -> Life:  # noqa: F811
    """Return what begins one life of a monitor after the other, each from what is kept in a real file."""
    clock = HandClock()

    @contextmanager
    def one() -> Iterator[tuple[Desk, FileStore]]:
        with opened(StateDir(project / ".infratest")) as store:
            assert isinstance(store, FileStore)
            claim(store, "one", "")
            yield Desk(project, Keeping(store, "one", "", Keep()), memory(store), clock), store

    return one


def harm(store: Any, table: str) -> None:
    """Have the pages of a table be garbage, as on a disk that fails, under a store that is open."""
    store._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spoil(StateDir(Path(store.path).parent), table)
    store._base.execute("PRAGMA shrink_memory")  # what SQLite has in its memory would hide it


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("table", ["status", "entry", "told"])
def test_it_goes_on_with_a_new_one_and_nobody_is_told_twice(project, life, caplog, table):  # noqa: F811
    (project / "there").unlink()
    with life() as (desk, store):
        desk.after(0).after(15)
        assert [each[:3] for each in desk.handed] == [("problem", "critical", THERE)]
        harm(store, table)
        (project / "there").touch()
        desk.after(90)
        (aside,) = store.aside
        (said,) = errors(caplog)
        assert "is damaged: database disk image is malformed" in said
        assert aside in said
        desk.after(TEND).after(TEND)
        told = [("recovery", "ok", THERE), ("problem", "critical", STORE)]
        assert sorted(each[:3] for each in desk.handed[1:]) == sorted(told)
        assert aside in next(reason for *_, id, reason in desk.handed if id == STORE)
        book, now = desk.monitor.book, desk.monitor.timepiece.now()
        assert (answers.status(book, now)["state"], answers.problems(book, now)["state"]) == ("critical", "critical")
        assert (desk.monitor.unwritten, desk.monitor.writing.damage) == ("", "")
        with store.sight() as t:
            assert {each.outcome for each in ledger.deliveries(t, STORE)} == {"queued", "attempted", "delivered"}
            assert numbers.keys(t), "it takes numbers"
    # What is known was written anew, and is there for the next life.
    caplog.clear()
    with life() as (desk, store):
        desk.after(0).after(TEND)
        assert (desk.handed, errors(caplog)) == ([], [])
        assert desk.monitor.book.statuses[STORE].state == "critical", "somebody has to see to it"
        Path(aside).unlink()
        desk.after(TEND).after(1)
        assert [each[:3] for each in desk.handed] == [("recovery", "ok", STORE)]
        book, now = desk.monitor.book, desk.monitor.timepiece.now()
        assert answers.status(book, now)["state"] == "ok"


def test_what_was_open_before_is_not_told_again_by_the_next_life(project, life):  # noqa: F811
    (project / "there").unlink()
    with life() as (desk, store):
        desk.after(0).after(15)
        harm(store, "status")
        desk.after(90).after(TEND)
        assert [each[:3] for each in desk.handed] == [("problem", "critical", THERE), ("problem", "critical", STORE)]
    with life() as (desk, _):
        desk.after(0).after(15).after(TEND)
        assert desk.handed == []
        (project / "there").touch()
        desk.after(90)
        assert [each[:3] for each in desk.handed] == [("recovery", "ok", THERE)]


def test_one_that_was_set_aside_at_the_start_is_told(project, life):  # noqa: F811
    with life() as (desk, store):
        desk.after(0)
    Path(store.path).write_bytes(b"no database at all " * 1000)
    with life() as (desk, _):
        desk.after(TEND).after(1)
        assert [each[:3] for each in desk.handed] == [("problem", "critical", STORE)]


def test_one_that_cannot_be_set_aside_is_never_well_and_said_once(project, caplog):  # noqa: F811
    desk = Desk(project).after(0)
    desk.shelf.damage = "store: db is damaged: a page is none"
    (project / "there").unlink()
    desk.after(90).after(15).after(TEND)
    assert sorted(each[:3] for each in desk.handed) == sorted(
        [("problem", "critical", THERE), ("problem", "critical", STORE)]
    ), "checks and tellings go on"
    assert desk.shelf.begun_anew == 1
    monitor = desk.monitor
    assert errors(caplog) == [monitor.writing.damage]
    assert monitor.unwritten == monitor.writing.damage
    assert monitor.writing.damage.startswith(desk.shelf.damage)
    assert answers.status(monitor.book, monitor.timepiece.now())["state"] == "critical"
    desk.after(ANEW)
    assert desk.shelf.begun_anew == 2, "it is tried again, and not with each turn"
    desk.shelf.damage = ""
    desk.after(TEND).after(TEND)
    assert (monitor.writing.damage, monitor.unwritten) == ("", "")
    assert desk.handed[-1][:3] == ("recovery", "ok", STORE)
    outcomes = [each.outcome for changes in desk.shelf.written for each in changes.deliveries if each.id == THERE]
    assert outcomes == ["queued", "attempted", "delivered"], "what could not be written is written once"


def test_a_disk_on_which_each_one_is_damaged_does_not_fill_up(project, life):  # noqa: F811
    with life() as (desk, store):
        desk.after(0)
        for _ in range(3):
            harm(store, "status")
            (project / "there").unlink(missing_ok=True)
            desk.after(90).after(15)
        assert len(store.aside) == 1
        assert "within the hour" in desk.monitor.writing.damage
        desk.after(ANEW)
        assert (len(store.aside), desk.monitor.writing.damage) == (2, "")


def test_what_keeps_it_small_may_fail_and_nothing_is_written_twice(project, caplog):  # noqa: F811
    desk = Desk(project).after(0)
    desk.shelf.untended = "store: db: an hour cannot be packed"
    (project / "there").unlink()
    for seconds in (90, 15, TEND, TEND, TEND):
        desk.after(seconds)
    outcomes = [each.outcome for changes in desk.shelf.written for each in changes.deliveries]
    assert outcomes == ["queued", "attempted", "delivered"]
    assert errors(caplog) == [desk.shelf.untended]
    assert desk.monitor.unwritten == "", "what it sees is kept"
