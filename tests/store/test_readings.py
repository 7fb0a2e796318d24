"""What is kept of numbers from run to run, and where it says that they are heading."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.errors import FactError, StateError
from infratest.model import Observation, Report, Result, StepResult
from infratest.store import readings, trend
from infratest.store.directory import StateDir

NOW = 1_800_000_000.0
DAY = 86400.0


def report(number: float | None, host: str = "web", env: str = "") -> Report:
    seen = (Observation("disk / used bytes", number, "B"), Observation("disk / full in", 5.0, "s"))
    step = StepResult("the disk", 1, "ok", "", seen)
    result = Result(f"f#s@{host}", "f", "s", 1, host, "ok", steps=(step,))
    trends = ((result.id, "disk / used bytes", host, "disk / used bytes"),)
    return Report("s", env, "2027-01-15T08:00:00Z", 0.1, (result,), trends=trends)


def test_a_reading_is_kept_for_each_host_and_environment(tmp_path: Path):
    state = StateDir(tmp_path / "state")
    readings.save(state, report(1.0), NOW)
    readings.save(state, report(2.0), NOW + 60)
    readings.save(state, report(3.0, host="db"), NOW + 60)
    readings.save(state, report(9.0, env="prod"), NOW)
    readings.save(state, report(None), NOW + 120)  # nobody looked
    assert readings.load(state, "s") == {
        ("web", "disk / used bytes"): ((NOW, 1.0), (NOW + 60, 2.0)),
        ("db", "disk / used bytes"): ((NOW + 60, 3.0),),
    }
    assert readings.load(state, "s/prod") == {("web", "disk / used bytes"): ((NOW, 9.0),)}


def test_nothing_is_kept_of_a_report_without_trends(tmp_path: Path):
    state = StateDir(tmp_path / "state")
    readings.save(state, report(1.0).changed(trends=()), NOW)
    assert not state.exists
    assert readings.load(state, "s") == {}


BROKEN = [
    b"",
    b"{",
    b"[]",
    b'{"schema": 2, "readings": {}}',
    b'{"schema": 1, "readings": {"web": {"disk": [[1]]}}}',
    b'{"schema": 1, "readings": {"web": {"disk": [[1, "2"]]}}}',
    b'{"schema": 1, "readings": {"web": {"disk": [[true, 2]]}}}',
    b'{"schema": 1, "readings": {"web": [1]}}',
    b"\xff\xfe",
]


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_damaged_is_told_and_begun_anew(tmp_path: Path, data: bytes):
    state = StateDir(tmp_path / "state")
    state.make()
    Path(state.file("readings-s.json")).write_bytes(data)
    with pytest.raises(readings.Damaged, match=r"readings-s\.json"):
        readings.load(state, "s")
    readings.save(state, report(4.0), NOW)
    assert readings.load(state, "s") == {("web", "disk / used bytes"): ((NOW, 4.0),)}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    state = StateDir(tmp_path / "state")
    Path(state.file("readings-s.json")).mkdir(parents=True)
    with pytest.raises(StateError, match="could not be read"):
        readings.load(state, "s")


def test_runs_at_the_same_time_lose_nothing(tmp_path: Path):
    state = StateDir(tmp_path / "state")

    def save(name: int) -> None:
        for turn in range(10):
            readings.save(state, report(float(turn), host=f"h{name}"), NOW + turn)

    threads = [threading.Thread(target=save, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key: len(series) for key, series in readings.load(state, "s").items()} == {
        (f"h{name}", "disk / used bytes"): 10 for name in range(4)
    }
    assert json.loads(Path(state.file("readings-s.json")).read_text())["schema"] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=400), st.integers(0, 60))
def test_a_series_stays_bounded_and_spread_over_its_time(gaps, ahead):
    """Runs at any pace for weeks: at most so many readings, the first of the month and the newest among them."""
    series: tuple[tuple[float, float], ...] = ()
    now = NOW
    every = []
    for gap in gaps:
        now += gap * 60
        every.append((now + ahead, now))
        series = readings.thinned((*series, every[-1]), now)
        assert len(series) <= readings.MOST
        assert series[-1] == every[-1]
        assert list(series) == sorted(set(series))
    assert set(series) <= set(every)
    fresh = [each for each in every if each[0] >= now - readings.AGE]
    # What has become too old takes a gap with it, never more than two.
    assert series[0][0] - fresh[0][0] <= 2 * max(readings.AGE / (readings.MOST // 2), max(gaps) * 60)


def test_what_is_of_another_time_is_dropped():
    old, future = (NOW - readings.AGE - 1, 1.0), (NOW + readings.AHEAD + 1, 1.0)
    assert readings.thinned((old, (NOW, 2.0), future), NOW) == ((NOW, 2.0),)


POINTS = st.lists(st.tuples(st.integers(0, 50), st.integers(-1000, 1000)), max_size=12)


@settings(max_examples=100, deadline=None)
@given(POINTS)
def test_the_slope_is_the_median_of_all_slopes(points):
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a in points for b in points if b[0] > a[0]]
    assert trend.slope(sorted(points)) == pytest.approx(median(slopes) if slopes else 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(-5, 5), st.lists(st.integers(-(10**6), 10**6), max_size=4), st.randoms(use_true_random=False))
def test_some_readings_that_are_anything_do_not_move_it(growth, odd, random):
    points = [(float(time), float(growth * time)) for time in range(16)]
    for place, number in zip(random.sample(range(16), len(odd)), odd, strict=True):
        points[place] = (points[place][0], float(number))
    # 4 of 16 readings are a fourth, and of all pairs 66 of 120 are still those of the line.
    assert trend.slope(points) == pytest.approx(growth)


@pytest.mark.parametrize(
    "count, hours, window, missing",
    [
        (8, 24.0, 31 * DAY, ""),
        (7, 24.0, 31 * DAY, "7 of at least 8 readings"),
        (8, 23.9, 31 * DAY, "over 23.9 h of at least 24 h"),
        (8, 1.0, 2 * 3600, ""),
        (8, 0.9, 2 * 3600, "of at least 60 min"),
        (0, 0.0, 31 * DAY, "0 of at least 8 readings"),
    ],
)
def test_how_much_must_be_known(count, hours, window, missing):
    points = [(NOW - hours * 3600 * place / max(1, count - 1), 1.0) for place in range(count)]
    if not missing:
        assert len(trend.known(points, NOW, window)) == count
        return
    with pytest.raises(FactError, match=missing):
        trend.known(points, NOW, window)


@pytest.mark.parametrize(
    "room, growth, seconds",
    [(100, 10, 10), (100, 0, trend.FAR), (100, -1, trend.FAR), (0, 1, 0), (0, 0, 0), (1e18, 1e-9, trend.FAR)],
)
def test_until_a_room_is_used_up(room, growth, seconds):
    assert trend.seconds_until(room, growth) == seconds


@pytest.mark.parametrize("part", [0.0, 0.4, 0.6, 0.999])
def test_a_reading_is_of_the_past_for_the_run_that_comes_at_once(tmp_path: Path, part: float):
    state = StateDir(tmp_path / "state")
    readings.save(state, report(1.0), NOW + part)
    ((time, _),) = readings.load(state, "s")["web", "disk / used bytes"]
    assert time <= NOW + part
    with pytest.raises(FactError, match="1 of at least 8"):
        trend.known(((time, 1.0),), NOW + part, 7 * DAY)
