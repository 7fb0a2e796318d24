"""Numbers in the monitor's store: whatever comes is read back, packed or not, and no commit is long."""

from __future__ import annotations

import struct
from collections import Counter
from itertools import count
from math import fsum, inf, isfinite, nan

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from infratest.errors import StateError, UserError
from infratest.store.database import changes, ledger, numbers, retention
from infratest.store.database.connection import opened
from infratest.store.database.retention import Keep
from infratest.store.directory import StateDir
from infratest.store.events import Event

HOUR = 1_764_432_000  # 2025-11-29T16:00:00Z
DAY = 24 * 3600


@pytest.fixture(scope="module")
def store(opening):
    with opening() as store:
        yield store


def event(key: str, time: float, value: float) -> Event:
    return Event(time=time, key=key, value=value, unit="s", labels={"host": key, "kind": "metric"})


def bits(points: list[tuple[float, float]]) -> list[tuple[bytes, bytes]]:
    return [(struct.pack("<d", time), struct.pack("<d", value)) for time, value in points]


TIMES = st.one_of(
    st.integers(0, 4 * 3600 * 1000 - 1).map(lambda milliseconds: (HOUR * 1000 + milliseconds) / 1000),
    st.floats(HOUR, HOUR + 4 * 3600, exclude_max=True),
    st.sampled_from([float(HOUR), HOUR + 3600.0, HOUR + 3599.999]),
)
VALUES = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, inf, nan, 1.5]))
COMMITS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 80), TIMES, VALUES), max_size=12),
        st.sampled_from([HOUR + 1800.0, HOUR + 3600.0, HOUR + 3660.0, HOUR + 9000.0, HOUR + 20_000.0]),
    ),
    max_size=6,
)
NAMES = count()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(commits=COMMITS, begin=TIMES, end=TIMES)
def test_what_came_is_read_back_whether_it_is_packed_or_not(store, commits, begin, end):
    run = next(NAMES)
    came: dict[int, list[tuple[float, float]]] = {}
    for points, wall in commits:
        with store.transaction() as t:
            assert numbers.keep(t, [event(f"{run}.{series}", time, value) for series, time, value in points]) == 0
            assert numbers.pack(t, wall).damaged == ()
        for series, time, value in points:
            came.setdefault(series, []).append((time, value))
    with store.sight() as t:
        for series in range(81):
            key = f"{run}.{series}"
            its = sorted(came.get(series, []), key=lambda point: point[0])
            assert bits(numbers.points(t, key, 0.0, 1e12)) == bits(its)
            assert bits(numbers.points(t, key, begin, end)) == bits([one for one in its if begin <= one[0] < end])
            heads = numbers.hourly(t, key, -inf, inf)
            assert [(head.hour, head.count) for head in heads] == sorted(
                Counter(int(time // 3600) * 3600 for time, _ in its).items()
            )
            for head in heads:
                hour = [value for time, value in its if head.hour <= time < head.hour + 3600 and isfinite(value)]
                assert head.finite == len(hour)
                if hour:
                    assert (head.least, head.greatest) == (min(hour), max(hour))
                    if sum(abs(each) / 1e9 for each in hour) < 1e290:
                        assert head.sum == pytest.approx(fsum(hour), rel=1e-9, abs=1e-9 * max(map(abs, hour)))


def test_what_is_no_number_is_left_and_what_is_at_no_time_is_refused(store):
    some = [
        event("odd.word", HOUR + 1.0, "critical"),
        event("odd.nan", nan, 1.0),
        event("odd.inf", inf, 1.0),
        event("odd.far", 1e13, 1.0),
        event("odd.huge", HOUR + 1.0, 10**400),
        event("odd.whole", HOUR + 1.0, 7),
        event("odd.\ud800\0", HOUR + 1.0, 8.0),
    ]
    with store.transaction() as t:
        assert numbers.keep(t, some) == 4
        assert numbers.points(t, "odd.whole", HOUR, HOUR + 2) == [(HOUR + 1.0, 7.0)]
        assert numbers.points(t, "odd.\ud800\0", HOUR, HOUR + 2) == [(HOUR + 1.0, 8.0)]
        assert [key for key, _, _ in numbers.keys(t) if key.startswith("odd.")] == ["odd.whole", "odd.\ufffd\ufffd"]
        assert numbers.points(t, "odd.word", HOUR, HOUR + 2) == numbers.hourly(t, "odd.word", HOUR, HOUR + 2) == []
        with pytest.raises(UserError, match="NaN is no time"):
            numbers.points(t, "odd.whole", nan, HOUR + 1.0)


def test_a_series_keeps_its_number_and_has_the_newest_labels(opening):
    name = "series"
    with opening(name) as store, store.transaction() as t:
        numbers.keep(t, [Event(time=HOUR + 1.0, key="a", value=1.0, unit="s", labels={"host": "old"})])
    with opening(name) as store, store.transaction() as t:
        numbers.keep(t, [Event(time=HOUR + 2.0, key="a", value=2.0, unit="B", labels={"host": "new"})])
        assert numbers.keys(t) == [("a", {"host": "new"}, "B")]


def test_keys_beside_those_of_one_beginning(opening):
    with opening("beside") as store, store.transaction() as t:
        numbers.keep(t, [event(key, HOUR + 1.0, 1.0) for key in ("shop.a", "shop_a", "shop", "shop.", "Shop.a", "x")])
        assert sorted(numbers.keys_beside(t, "shop.")) == ["Shop.a", "shop", "shop_a", "x"]
        assert len(numbers.keys_beside(t, "none")) == 6


def test_a_damaged_block_is_an_error_and_does_not_stop_what_comes(opening):
    with opening() as store:
        with store.transaction() as t:
            numbers.keep(t, [event("a", HOUR + 1.0, 1.0), event("b", HOUR + 1.0, 2.0)])
            numbers.pack(t, HOUR + 7200.0)
            number = numbers.number_of(t, "a")
            t.write("blocks", "UPDATE block SET packed = ? WHERE series = ?", [(b"iBspoilt", number)])
        with store.sight() as t:
            with pytest.raises(StateError, match="a block is damaged"):
                numbers.points(t, "a", HOUR, HOUR + 9)
            assert numbers.points(t, "b", HOUR, HOUR + 9) == [(HOUR + 1.0, 2.0)]
            assert numbers.hourly(t, "a", HOUR, HOUR + 9)[0].sum == 1.0
        with store.transaction() as t:
            numbers.keep(t, [event("a", HOUR + 2.0, 5.0)])
            assert numbers.pack(t, HOUR + 7200.0).damaged == ((number, HOUR),)
            assert numbers.points(t, "a", HOUR, HOUR + 9) == [(HOUR + 2.0, 5.0)]
            assert numbers.hourly(t, "a", HOUR, HOUR + 9)[0].sum == 6.0


def test_no_commit_packs_more_than_its_share(opening):
    """Of 10,000 series each minute takes about a 60th, and an hour is packed before the next one is over."""
    keys = [f"k{each}" for each in range(10_000)]
    with opening() as store:
        for minute in range(4):
            with store.transaction() as t:
                numbers.keep(t, [event(key, HOUR + 60.0 * minute, 1.0) for key in keys])
        blocks = []
        for minute in range(60):
            with store.transaction() as t:
                blocks.append(numbers.pack(t, HOUR + 3600.0 + 60.0 * minute).blocks)
                kept = {what: rows for what, rows in t.missing.items() if what in ("blocks", "heads")}
                assert kept in ({}, {"blocks": blocks[-1], "heads": blocks[-1]})
        assert sum(blocks) == 10_000
        assert max(blocks) <= 2 * 192  # sets of six stripes of 32 series
        assert sum(blocks[:30]) == pytest.approx(5000, abs=400)
        with store.sight() as t:
            assert t.row("SELECT count(*) FROM open") == (0,)


def test_what_was_missed_is_packed_by_shares(opening):
    with opening() as store:
        for hour in range(3):
            for minute in range(10):
                with store.transaction() as t:
                    numbers.keep(t, [event(f"k{each}", HOUR + 3600.0 * hour + minute, 1.0) for each in range(320)])
        packed = []
        while True:
            with store.transaction() as t:
                if not (made := numbers.pack(t, HOUR + 20 * 3600.0, most=1000)).numbers:
                    break
                packed.append(made.numbers)
        assert sum(packed) == 3 * 10 * 320
        assert max(packed) < 1000 + 320  # a stripe more at most: 32 series of ten numbers


def plan(t, statement: str, *values: object) -> str:
    return "; ".join(row[3] for row in t.rows(f"EXPLAIN QUERY PLAN {statement}", *values))


def test_history_is_asked_by_keys_alone_of_sqlite(tmp_path):
    with opened(StateDir(tmp_path)) as store, store.sight() as t:
        hours = plan(t, numbers.BLOCKS_OF, HOUR, HOUR + 30 * DAY, 1)
        assert "SEARCH block USING PRIMARY KEY (hour=? AND series=?)" in hours
        assert "SEARCH hourly USING PRIMARY KEY (hour=? AND series=?)" in plan(t, numbers.HEADS_OF, HOUR, HOUR + DAY, 1)
        assert "SEARCH open USING INDEX open_by_hour (hour=? AND stripe=?)" in plan(
            t, numbers.PARTS_OF, HOUR, HOUR + DAY, 1
        )
        its = plan(t, changes.CHANGES_OF, "id", HOUR, HOUR + DAY, 9)
        assert "SEARCH change USING INDEX change_by_subject (subject=? AND time>? AND time<?)" in its
        last = plan(t, changes.LAST, "id", HOUR)
        assert "USING COVERING INDEX change_by_subject (subject=? AND time<?)" in last
        told = plan(t, ledger.DELIVERIES_OF, "id", HOUR, HOUR + DAY, 9)
        assert "SEARCH told USING INDEX told_by_id (id=? AND time>? AND time<?)" in told
        for one in (hours, its, last, told):
            assert "SCAN block" not in one
            assert "SCAN change" not in one
            assert "SCAN told" not in one


def filled(t, hours: int, keys: int = 40) -> None:
    """Keep and pack a number an hour of each of some series."""
    for hour in range(hours):
        numbers.keep(t, [event(f"k{each}", HOUR + 3600.0 * hour, float(each)) for each in range(keys)])
    while numbers.pack(t, HOUR + 3600.0 * (hours + 2)).numbers:
        pass


def test_old_blocks_go_and_their_heads_stay(opening):
    keep = Keep(raw=4 * 3600.0, hourly=8 * 3600.0)
    with opening() as store, store.transaction() as t:
        filled(t, 10)
        wall = HOUR + 10 * 3600.0
        trims = []
        while (trim := retention.trim(t, keep, wall, share=25)).blocks or trim.rows:
            assert trim.blocks <= 25
            trims.append(trim)
        assert (sum(each.blocks for each in trims), sum(each.rows for each in trims)) == (6 * 40, 2 * 40)
        assert [time for time, _ in numbers.points(t, "k7", HOUR, wall)] == [
            HOUR + 3600.0 * each for each in range(6, 10)
        ]
        assert [head.hour for head in numbers.hourly(t, "k7", HOUR, wall)] == [
            HOUR + 3600 * each for each in range(2, 10)
        ]
        # What comes late for an hour without its block is counted with what was there.
        numbers.keep(t, [event("k7", HOUR + 3 * 3600.0 + 1, 100.0)])
        numbers.pack(t, wall)
        head = numbers.hourly(t, "k7", HOUR + 3 * 3600, HOUR + 3 * 3600 + 1)[0]
        assert (head.count, head.sum, head.least, head.greatest) == (2, 107.0, 7.0, 100.0)


def test_a_store_that_is_too_large_gives_its_oldest_blocks_and_then_says_so(opening):
    with opening() as store, store.transaction() as t:
        filled(t, 40)
        size = t.size
        keep = Keep(size=size - 100_000)
        while (trim := retention.trim(t, keep, HOUR + 42 * 3600.0, share=100)).blocks:
            assert not trim.over
        assert not trim.over
        assert t.size <= size - 100_000
        hours = [time for time, _ in numbers.points(t, "k7", HOUR, HOUR + 40 * 3600)]
        assert hours[-1] == HOUR + 39 * 3600.0
        assert 0 < len(hours) < 40
        while (trim := retention.trim(t, Keep(size=1), HOUR + 42 * 3600.0)).blocks:
            pass
        assert trim == retention.Trim(0, 0, over=True)
        assert len(numbers.hourly(t, "k7", HOUR, HOUR + 40 * 3600)) == 40
