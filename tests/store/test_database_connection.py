"""The monitor's store, opened: commits that survive a kill and a full disk, one writer, readers, what is damaged."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from infratest.alerting.moments import Moment
from infratest.alerting.status import begun
from infratest.errors import NotKept, StateError, StoreDamaged
from infratest.store.database import meta, numbers, people, schema, statuses
from infratest.store.database.connection import looked_into, opened
from infratest.store.directory import StateDir
from infratest.store.events import Event

HOUR = 1_764_432_000  # 2025-11-29T16:00:00Z
NOW = Moment(1000.0, float(HOUR))


def note(text: str) -> people.Note:
    return people.Note(NOW, text, "ada")


def texts(store) -> list[str]:
    with store.sight() as t:
        return [each.text for each in people.notes(t)]


def noted(folder: Path, text: str = "first") -> StateDir:
    """Return a state directory with a store that was closed, with one note in it."""
    state = StateDir(folder)
    with opened(state) as store, store.transaction() as t:
        people.add_notes(t, [note(text)])
        statuses.write(t, {"first": begun(NOW)})
    return state


def child(source: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", source, str(folder)], stdout=subprocess.PIPE, text=True)


@contextmanager
def disk(folder: Path, options: str = "size=3m"):
    """Give a folder that is a file system of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_what_is_committed_is_there_and_is_ours_alone(tmp_path):
    state = noted(tmp_path / "state")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    for name in ("monitor.db", "monitor.db.lock"):
        assert Path(state.file(name)).stat().st_mode & 0o777 == 0o600
    with opened(state) as store:
        assert (store.set_aside, texts(store)) == ("", ["first"])
        for name in ("monitor.db-wal", "monitor.db-shm"):
            assert Path(state.file(name)).stat().st_mode & 0o777 == 0o600


def test_how_sqlite_is_set(tmp_path):
    with opened(StateDir(tmp_path)) as store, store.sight() as t:
        asked = ("journal_mode", "synchronous", "busy_timeout", "page_size", "foreign_keys", "application_id")
        seen = [t.row(f"PRAGMA {name}")[0] for name in asked]
    assert seen == ["wal", 1, 5000, 8192, 1, 0x69547374]


def broken(store) -> None:
    """Leave a transaction by an error, with something in it."""
    with contextlib.suppress(ZeroDivisionError), store.transaction() as t:
        people.add_notes(t, [note("first")])
        numbers.keep(t, [Event(time=HOUR + 1.0, key="a", value=1.0)])
        raise ZeroDivisionError


def test_a_block_that_ends_by_an_error_keeps_nothing(tmp_path):
    with opened(StateDir(tmp_path)) as store:
        broken(store)
        assert texts(store) == []
        # The number that a series had in what was not kept is no other's, and not remembered.
        with store.transaction() as t:
            numbers.keep(t, [Event(time=HOUR + 1.0, key="b", value=2.0), Event(time=HOUR + 1.0, key="a", value=1.0)])
        with store.sight() as t:
            assert numbers.points(t, "a", HOUR, HOUR + 2) == [(HOUR + 1.0, 1.0)]
            assert numbers.points(t, "b", HOUR, HOUR + 2) == [(HOUR + 1.0, 2.0)]


def test_a_second_monitor_is_refused_with_the_process_of_the_first(tmp_path):
    source = (
        "import sys\nfrom infratest.store.database.connection import opened\n"
        "from infratest.store.directory import StateDir\n"
        "with opened(StateDir(sys.argv[1])):\n    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", source, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout.readline() == "open\n"
        with pytest.raises(StateError, match=rf"written by another monitor, process {first.pid}: one at a time"):
            opened(StateDir(tmp_path))
        first.stdin.close()
        assert first.wait(30) == 0
    with opened(StateDir(tmp_path)) as store, pytest.raises(StateError, match=f"process {os.getpid()}"):
        opened(StateDir(tmp_path))
    assert store.set_aside == ""


def test_a_reader_sees_what_is_committed_while_a_monitor_writes(tmp_path):
    state = noted(tmp_path)
    with opened(state) as store, looked_into(state) as reader:
        with store.transaction() as t:
            people.add_notes(t, [note("second")])
            assert texts(reader) == ["first"]
        assert texts(reader) == ["first", "second"]
        with reader.sight() as sight:
            before = people.notes(sight)
            with store.transaction() as t:
                people.add_notes(t, [note("third")])
            assert people.notes(sight) == before  # what is seen together is of one moment
        with pytest.raises(StateError, match="to be read only"), reader.transaction():
            pass
        with pytest.raises(StateError, match="readonly"), reader.sight() as sight:
            people.add_notes(sight, [note("fourth")])
    with looked_into(state) as reader:
        assert texts(reader) == ["first", "second", "third"]


def test_there_is_nothing_to_read_before_a_monitor_ran(tmp_path):
    with pytest.raises(StateError, match=r"monitor\.db is not there: no monitor has kept anything"):
        looked_into(StateDir(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_threads_take_turns_and_none_waits_for_itself(tmp_path):
    with opened(StateDir(tmp_path)) as store:

        def work(name: str) -> None:
            for each in range(20):
                with store.transaction() as t:
                    people.add_notes(t, [note(f"{name}{each}")])

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(texts(store)) == sorted(f"{name}{each}" for name in "abc" for each in range(20))
        with store.transaction(), pytest.raises(StateError, match="a transaction is open already"), store.sight():
            pass


KILLED = """
import sys
from infratest.alerting.moments import Anchor, Moment
from infratest.alerting.status import begun
from infratest.store.database import meta, numbers, people, statuses
from infratest.store.database.connection import opened
from infratest.store.directory import StateDir
from infratest.store.events import Event

with opened(StateDir(sys.argv[1])) as store:
    for number in range(1, 10**6):
        at = Moment(float(number), 1764432000.0 + number)
        with store.transaction() as t:
            meta.write_anchor(t, Anchor(float(number), 0.0, 0.0, "boot"))
            statuses.write(t, {f"s{each}": begun(at) for each in range(20)})
            people.add_notes(t, [people.Note(at, str(number), "ada")])
            numbers.keep(t, [Event(time=at.wall, key=f"k{each}", value=float(number)) for each in range(50)])
            numbers.pack(t, at.wall, most=500)
        print(number, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 7, 60])
def test_what_was_said_to_be_kept_survives_a_kill(tmp_path, lines):
    process = child(KILLED, tmp_path)
    for _ in range(lines):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    said = max([lines, *(int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n"))])
    process.stdout.close()
    assert process.wait(30) == -signal.SIGKILL
    with opened(StateDir(tmp_path)) as store, store.sight() as t:
        assert store.set_aside == ""
        kept = int(meta.anchor(t).steady)
        assert kept in (said, said + 1)
        assert statuses.statuses(t) == {
            f"s{each}": begun(Moment(float(kept), HOUR + float(kept))) for each in range(20)
        }
        assert [each.text for each in people.notes(t)] == [str(each) for each in range(1, kept + 1)]
        for key in ("k0", "k49"):
            assert numbers.points(t, key, HOUR, HOUR + 10**6) == [
                (HOUR + float(each), float(each)) for each in range(1, kept + 1)
            ]


def fill(path: Path) -> None:
    """Write a file until the disk is full."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert os.statvfs(path).f_bavail == 0


def much(store) -> None:
    with store.transaction() as t:
        people.add_notes(t, [note("x" * 10_000)] * 400)
        statuses.write(t, {f"s{each}": begun(NOW) for each in range(9)})


def test_a_full_disk_stops_history_and_says_what_is_missing(tmp_path):
    with disk(tmp_path / "disk") as folder, opened(StateDir(folder / "state")) as store:
        with store.transaction() as t:
            people.add_notes(t, [note("first")])
        fill(folder / "fill")
        for _ in range(2):
            with pytest.raises(NotKept, match="not kept: 400 notes, 9 statuses") as raised:
                much(store)
            assert raised.value.missing == {"notes": 400, "statuses": 9}
            assert texts(store) == ["first"]
        (folder / "fill").unlink()
        with store.transaction() as t:
            people.add_notes(t, [note("second")])
        assert texts(store) == ["first", "second"]


def test_a_disk_that_cannot_be_written_is_refused_and_a_log_on_it_is_not_lost(tmp_path):
    with disk(tmp_path / "disk") as folder:
        state = noted(folder / "state")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        with pytest.raises(StateError, match="Read-only file system; name another place with --state"):
            opened(state)
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        with opened(state) as store:
            assert texts(store) == ["first"]


def test_a_newer_schema_is_refused_with_both_numbers(tmp_path):
    state = noted(tmp_path)
    newest = len(schema.migrations())
    with opened(state) as store, store.transaction() as t:
        t.write("rows", "UPDATE meta SET value = ? WHERE name = 'schema'", [("73",)])
    for way in (opened, looked_into):
        with pytest.raises(StateError, match=f"its schema is 73, and this infratest knows up to {newest}"):
            way(state)
    with sqlite3.connect(state.file("monitor.db")) as base:
        assert base.execute("SELECT text FROM note").fetchall() == [("first",)]
    base.close()


def test_a_database_of_something_else_is_refused_and_left(tmp_path):
    base = sqlite3.connect(tmp_path / "monitor.db")
    base.execute("CREATE TABLE bookmarks (url)")
    base.commit()
    base.close()
    before = (tmp_path / "monitor.db").read_bytes()
    with pytest.raises(StateError, match="a database of something else"):
        opened(StateDir(tmp_path))
    assert sorted(each.name for each in tmp_path.glob("*damaged*")) == []
    assert len((tmp_path / "monitor.db").read_bytes()) == len(before)


def spoil(state: StateDir, table: str) -> None:
    """Overwrite the first page of a table."""
    base = sqlite3.connect(state.file("monitor.db"))
    (page,) = base.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    with open(state.file("monitor.db"), "r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xa5" * 8192)


def garbage(state: StateDir) -> None:
    Path(state.file("monitor.db")).write_bytes(b"no database at all " * 1000)


def cut(state: StateDir) -> None:
    os.truncate(state.file("monitor.db"), 5000)


@pytest.mark.parametrize("harm", [garbage, cut, partial(spoil, table="status"), partial(spoil, table="meta")])
def test_a_damaged_store_is_set_aside_and_a_new_one_begun(tmp_path, harm):
    state = noted(tmp_path)
    harm(state)
    (tmp_path / "monitor.db-wal").write_bytes(b"its log")
    damaged = (tmp_path / "monitor.db").read_bytes()
    with pytest.raises(StateError), looked_into(state) as reader, reader.sight() as t:
        statuses.statuses(t)
    with opened(state, clock=lambda: float(HOUR)) as store:
        assert store.set_aside == f"{tmp_path}/monitor.db.damaged-20251129T160000Z"
        assert Path(store.set_aside).read_bytes() == damaged
        assert texts(store) == []
        with store.transaction() as t:
            people.add_notes(t, [note("anew")])
        assert texts(store) == ["anew"]
    garbage(state)
    with opened(state, clock=lambda: float(HOUR)) as store:  # in the same second, which overwrites nothing
        assert store.set_aside == f"{tmp_path}/monitor.db.damaged-20251129T160000Z.1"
    with opened(state) as store:
        assert store.set_aside == ""


def test_damage_that_only_a_question_comes_to_is_told(tmp_path):
    state = StateDir(tmp_path)
    with opened(state) as store, store.transaction() as t:
        numbers.keep(t, [Event(time=HOUR + 1.0, key="a", value=1.0)])
        numbers.pack(t, HOUR + 7200.0)
    spoil(state, "block")
    with opened(state) as store:
        assert store.set_aside == ""
        with pytest.raises(StoreDamaged, match="is damaged"), store.sight() as t:
            numbers.points(t, "a", HOUR, HOUR + 2)
