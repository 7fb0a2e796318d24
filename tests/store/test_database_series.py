"""Series in the monitor's store: one goes with the last that is kept of it, and never before."""

from __future__ import annotations

import shutil
import sqlite3

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from infratest.alerting.moments import Moment
from infratest.store.database import changes, meta, numbers, people, retention, schema, series, statuses
from infratest.store.database.connection import looked_into, opened
from infratest.store.database.retention import Keep
from infratest.store.directory import StateDir
from infratest.store.events import Event

HOUR = 1_764_432_000  # 2025-11-29T16:00:00Z
KEEP = Keep(raw=4 * 3600.0, hourly=8 * 3600.0)
KEYS = ("a", "b", "c")


def event(key: str, hour: float, value: float = 1.0) -> Event:
    return Event(time=HOUR + 3600.0 * hour, key=key, value=value, unit="s", labels={"host": key, "kind": "metric"})


def tended(t, hour: float) -> int:
    """Pack and take away what is due at an hour. Return how many series went."""
    went = 0
    while numbers.pack(t, HOUR + 3600.0 * hour).numbers:
        pass
    while (trim := retention.trim(t, KEEP, HOUR + 3600.0 * hour)).blocks or trim.rows or trim.series:
        went += trim.series
    return went


def names(t) -> list[str]:
    return [key for key, *_ in numbers.keys(t)]


def orphans(t) -> list[tuple[int]]:
    """Return numbers under which something is kept that no series has."""
    kept = {number for (number,) in t.rows("SELECT series FROM block UNION SELECT series FROM hourly")}
    return sorted(kept - {number for (number,) in t.rows("SELECT number FROM series")})


def test_a_series_goes_with_the_last_that_is_kept_of_it_and_is_begun_anew_when_it_is_heard_of_again(opening):
    with opening() as store:
        for hour in range(60):
            with store.transaction() as t:
                numbers.keep(t, [*([event("goes", hour, 7.0)] if hour < 2 else []), event("stays", hour)])
        with store.transaction() as t:
            first = numbers.number_of(t, "goes")
            assert tended(t, 9.5) == 0, "of its second hour the head is there"
            assert names(t) == ["goes", "stays"]
        with store.transaction() as t:
            assert tended(t, 60) == 1
            assert names(t) == ["stays"]
            # In the same commit, and by the same store, which knew its number.
            numbers.keep(t, [event("goes", 60, 8.0)])
        with store.transaction() as t:
            numbers.keep(t, [event("goes", 60.5, 9.0), event("stays", 60.5)])
        with store.sight() as t:
            assert [value for _, value in numbers.points(t, "goes", 0, HOUR + 1e6)] == [8.0, 9.0]
            assert numbers.number_of(t, "goes") != first
            assert len(numbers.hourly(t, "stays", 0, HOUR + 1e6)) == 8 + 1  # what is open has its figures, too


def test_what_comes_late_and_goes_in_the_same_commit_is_begun_anew(opening):
    with opening() as store:
        with store.transaction() as t:
            numbers.keep(t, [event("stays", 60), event("late", 0)])
            assert tended(t, 70) == 1
        with store.transaction() as t:
            numbers.keep(t, [event("late", 70, 2.0)])
            assert names(t) == ["late", "stays"]
            assert [value for _, value in numbers.points(t, "late", 0, HOUR + 1e6)] == [2.0]


def test_one_whose_key_cannot_be_stored_as_it_is_goes_as_any_other(opening):
    odd = "a\0b"
    with opening() as store:
        with store.transaction() as t:
            numbers.keep(t, [event(odd, 0), event("stays", 60)])
        with store.transaction() as t:
            assert tended(t, 70) == 1
            numbers.keep(t, [event(odd, 70, 2.0)])
        with store.transaction() as t:
            numbers.keep(t, [event(odd, 70.1, 3.0)])
            assert [value for _, value in numbers.points(t, odd, 0, HOUR + 1e6)] == [2.0, 3.0]


def test_what_waits_to_be_packed_keeps_its_series(opening):
    with opening() as store, store.transaction() as t:
        for hour in range(60):
            numbers.keep(t, [event("stays", hour), *([event("comes", hour)] if hour == 0 else [])])
        numbers.keep(t, [event("comes", 60, 2.0)])  # after two days and a half, and its hour is not over
        assert tended(t, 60) == 0
        assert names(t) == ["comes", "stays"]
        assert numbers.points(t, "comes", 0, HOUR + 1e6) == [(HOUR + 60 * 3600.0, 2.0)]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.dictionaries(st.sampled_from(KEYS), st.integers(0, 30), max_size=3)),
        min_size=1,
        max_size=8,
    )
)
def test_nothing_is_kept_without_its_series_however_they_come_and_go(opening, steps):
    """Each step goes on by some hours, and brings numbers, some of them late by hours; then all is tended."""
    hour, came = 0, dict[str, set[float]]()
    with opening() as store:
        for on, late in steps:
            hour += on
            with store.transaction() as t:
                numbers.keep(t, [event(key, hour - by) for key, by in late.items()])
                tended(t, hour)
                assert orphans(t) == []
                for key, by in late.items():
                    came.setdefault(key, set()).add(HOUR + 3600.0 * (hour - by))
                for key, times in came.items():
                    # Raw numbers are kept for 4 hours beyond the one that they are in; what is not packed is kept.
                    read = {time for time, _ in numbers.points(t, key, 0, HOUR + 1e7)}
                    assert {each for each in times if each > HOUR + 3600.0 * (hour - 4)} <= read <= times
                    heads = {head.hour for head in numbers.hourly(t, key, 0, HOUR + 1e7)}
                    assert {each for each in times if each > HOUR + 3600.0 * (hour - 8)} <= heads


def test_the_series_of_an_earlier_schema_stay_as_long_as_anything_may_be_there_of_them(tmp_path):
    state, before = StateDir(tmp_path / "state"), tmp_path / "first"
    before.mkdir()
    shutil.copy(schema.FOLDER / "0001.sql", before)
    with opened(state, folder=before) as store, store.transaction() as t:
        rows = [(1, "goes", "{}", "s"), (2, "stays", "{}", "s")]
        t.write("series", "INSERT INTO series (number, key, labels, unit) VALUES (?, ?, ?, ?)", rows)
        heads = [(HOUR, 1), *((HOUR + 3600 * each, 2) for each in range(60))]
        t.write("heads", "INSERT INTO hourly (hour, series, n, finite) VALUES (?, ?, 0, 0)", heads)
    with opened(state) as store, store.transaction() as t:
        assert tended(t, 60) == 0, "nobody knows when it was packed last"
        assert names(t) == ["goes", "stays"]
        for each in range(60, 120):
            numbers.keep(t, [event("stays", each)])
        assert tended(t, 120) == 1
        assert names(t) == ["stays"]


@pytest.mark.parametrize("number", range(schema.READ, len(schema.migrations()) + 1))
def test_a_store_of_each_schema_that_is_read_as_it_stands(tmp_path, number):
    """By whom only reads: a check asks it for downtimes, whoever gave the monitor up."""
    state, some = StateDir(tmp_path / "state"), tmp_path / "some"
    some.mkdir()
    for each in range(1, number + 1):
        shutil.copy(schema.FOLDER / f"{each:04}.sql", some)
    with opened(state, folder=some) as store, store.transaction() as t:
        t.write("series", "INSERT INTO series (key, labels, unit) VALUES (?, ?, ?)", [("a", "{}", "s")])
        numbers.keep(t, [event("b", 0)] if number > 1 else [])
        changes.add(t, [changes.Change(Moment(1.0, HOUR), "a", "-", "ok")])
        people.write_downtimes(t, [])
    with looked_into(state) as store, store.sight() as t:
        assert names(t) == (["a", "b"] if number > 1 else ["a"])
        assert numbers.points(t, "a", 0, HOUR + 9) == numbers.hourly(t, "a", 0, HOUR + 9) == []
        assert [each.id for each in changes.changes(t)] == ["a"]
        assert (statuses.statuses(t), people.notes(t), meta.watched(t)) == ({}, [], None)


def test_series_that_are_silent_are_found_by_an_index(tmp_path):
    with opened(StateDir(tmp_path)) as store, store.transaction() as t:
        asked: list[str] = []
        base = t._base
        assert isinstance(base, sqlite3.Connection)
        base.set_trace_callback(asked.append)
        series.silent(t, HOUR, 10)
        base.set_trace_callback(None)
        (plan,) = base.execute(f"EXPLAIN QUERY PLAN {asked[-1]}").fetchall()
        assert "SEARCH series USING COVERING INDEX series_by_seen (seen>? AND seen<?)" in plan[3]
