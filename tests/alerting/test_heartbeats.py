"""Heartbeats: stories with their ends written by hand, and lives against a plain model that counts dates one by one.

The clock of most stories is UTC and runs as the monitor's own time does; those of summer time are of Berlin.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.alerting.heartbeats import (
    ALIVE,
    ENDED,
    FAIL,
    FAILED,
    LATE,
    NEVER,
    ON_TIME,
    START,
    TOO_LONG,
    WAITING,
    Pulse,
    Signal,
    Verdict,
    advance,
    expected,
    looked,
    of_heartbeat,
    verdict,
)  # fmt: skip
from infratest.alerting.moments import Anchor, Moment
from infratest.errors import UserError
from infratest.stack.monitor import Heartbeat

NIGHTLY = Heartbeat(name="backup", at="0 3 * * *", grace=1800.0)
BOUND = replace(NIGHTLY, runs_at_most=3600.0)
OFTEN = Heartbeat(name="queue", every=600.0, grace=60.0)


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


#: The monitor's own time, where the clock is right, is behind it by so much.
AHEAD = utc("2026-11-01")


def at(text: str, ahead: float = AHEAD) -> Moment:
    """A moment by the wall clock; `ahead` is what the clock is ahead of the monitor's own time."""
    wall = utc(f"2026-11-{text}" if len(text) < 16 else text)
    return Moment(wall - ahead, wall)


class Job:
    """A heartbeat and what it was told."""

    def __init__(self, heartbeat: Heartbeat, begin: str = "10 12:00") -> None:
        self.heartbeat = heartbeat
        self.pulse = expected(None, heartbeat, at(begin))

    def says(self, kind: str, when: str | Moment) -> None:
        moment = at(when) if isinstance(when, str) else when
        self.pulse = advance(self.pulse, Signal(moment, kind), self.heartbeat)

    def seen(self, when: str | Moment) -> Verdict:
        self.pulse, found = looked(self.pulse, self.heartbeat, at(when) if isinstance(when, str) else when)
        return found

    def is_so(self, when: str | Moment) -> str:
        found = self.seen(when)
        return f"{found.state}: {found.kind}"


def test_what_was_never_heard_of_counts_for_nothing_until_it_is_due_and_is_unknown_then():
    job = Job(NIGHTLY)
    seen = job.seen("10 12:00")
    assert (seen.state, seen.kind, seen.until) == ("skipped", WAITING, at("11 03:30").steady)
    assert seen.reason == "due for the first time 2026-11-11 03:00:00 (UTC)"
    assert job.is_so("11 03:29:59") == "skipped: waiting"
    seen = job.seen("11 03:30")
    assert (seen.state, seen.kind, seen.since, seen.until) == ("unknown", NEVER, at("11 03:30").steady, None)
    assert seen.reason == (
        "never heard of since it is watched, 2026-11-10 12:00:00 (UTC): due 2026-11-11 03:00:00 (UTC), grace 30 min; "
        "does the job report to this monitor?"
    )
    job.says(ENDED, "11 05:00")
    seen = job.seen("11 05:00")
    assert (seen.state, seen.kind, seen.until) == ("ok", ON_TIME, at("12 03:30").steady)
    assert seen.reason == "ok 2026-11-11 05:00:00 (UTC), 90 min late"


def test_on_time_then_late_then_ok():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 03:04:10")
    assert job.seen("11 03:05").reason == "ok 2026-11-11 03:04:10 (UTC)"
    assert job.is_so("12 03:29:59") == "ok: on time"
    seen = job.seen("12 03:30")
    assert (seen.state, seen.kind, seen.since, seen.until) == ("critical", LATE, at("12 03:30").steady, None)
    assert seen.reason == (
        "late: due 2026-11-12 03:00:00 (UTC), grace 30 min; last heard of 2026-11-11 03:04:10 (UTC), 'ok'"
    )
    assert job.seen("15 12:00").reason == seen.reason  # the same in each look: nothing is to be written
    job.says(ENDED, "15 13:00")
    assert job.is_so("15 13:00") == "ok: on time"


def test_failed_is_not_late():
    job = Job(NIGHTLY)
    job.says(FAIL, "11 03:10")
    seen = job.seen("11 03:10")
    assert (seen.state, seen.kind, seen.until) == ("critical", FAILED, at("12 03:30").steady)
    assert seen.reason == "failed 2026-11-11 03:10:00 (UTC)"
    assert job.is_so("12 03:29") == "critical: failed"
    assert job.is_so("12 03:30") == "critical: late"


def test_fail_then_ok():
    job = Job(BOUND)
    job.says(START, "11 03:00")
    job.says(FAIL, "11 03:10")
    job.says(START, "11 03:20")
    assert job.seen("11 03:21").reason == "failed 2026-11-11 03:10:00 (UTC); runs since 2026-11-11 03:20:00 (UTC)"
    job.says(ENDED, "11 03:40")
    assert job.is_so("11 03:40") == "ok: on time"


def test_a_run_that_does_not_end():
    job = Job(BOUND)
    job.says(START, "11 03:00:02")
    seen = job.seen("11 03:40")  # past the grace, and it runs
    assert (seen.state, seen.kind, seen.until) == ("skipped", WAITING, at("11 04:00:02").steady)
    assert seen.reason == "runs for the first time, since 2026-11-11 03:00:02 (UTC)"
    seen = job.seen("11 04:00:02")
    assert (seen.state, seen.kind, seen.since, seen.until) == ("critical", TOO_LONG, at("11 04:00:02").steady, None)
    assert seen.reason == "running too long: started 2026-11-11 03:00:02 (UTC), and no end after 60 min"
    assert job.is_so("12 12:00") == "critical: running too long"
    job.says(ENDED, "12 12:00")
    assert job.is_so("12 12:00") == "ok: on time"


def test_two_starts_without_an_end_are_one_run_that_did_not_end():
    job = Job(BOUND)
    job.says(ENDED, "11 03:05")
    job.says(START, "12 03:00")
    job.says(START, "12 03:50")  # it is started anew each time that it crashes, and so would be green for ever
    seen = job.seen("12 04:00")
    assert (seen.kind, seen.since) == (TOO_LONG, at("12 04:00").steady)
    assert seen.reason.endswith("and no end after 60 min; it was started 1 time more")
    job.says(ENDED, "12 04:20")
    assert job.is_so("12 04:20") == "ok: on time"
    job.says(START, "13 03:00")
    assert job.is_so("13 03:59") == "ok: on time"  # counted anew
    assert job.seen("13 04:00").reason.endswith("and no end after 60 min")


def test_without_a_bound_a_start_says_nothing():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 03:05")
    job.says(START, "12 03:00")
    assert job.seen("12 03:29").reason == "ok 2026-11-11 03:05:00 (UTC); runs since 2026-11-12 03:00:00 (UTC)"
    seen = job.seen("12 03:30")
    assert seen.kind == LATE
    assert seen.reason.endswith("'start'; runs since 2026-11-12 03:00:00 (UTC)")
    job.says(ENDED, "12 03:31")
    assert job.is_so("12 03:31") == "ok: on time"


def test_an_ok_without_a_start():
    job = Job(BOUND)
    job.says(ENDED, "11 03:05")
    assert job.is_so("12 03:29") == "ok: on time"
    assert job.is_so("12 03:30") == "critical: late"


def test_what_starts_late_is_late_until_it_has_ended():
    job = Job(BOUND)
    job.says(ENDED, "11 03:05")
    job.says(START, "12 03:45")
    seen = job.seen("12 03:46")
    assert (seen.kind, seen.since, seen.until) == (LATE, at("12 03:30").steady, at("12 04:45").steady)
    assert seen.reason.startswith("late: since 2026-11-12 03:30:00 (UTC), grace 30 min; last heard of 2026-11-12 03:45")
    job.says(ENDED, "12 04:10")
    assert job.seen("12 04:10").reason == "ok 2026-11-12 04:10:00 (UTC), 40 min late"


def test_a_run_that_is_longer_than_its_interval_is_not_late():
    job = Job(replace(NIGHTLY, runs_at_most=30 * 3600.0))
    job.says(START, "11 03:00")
    assert job.is_so("12 04:00") == "skipped: waiting"
    job.says(ENDED, "12 05:00")
    assert job.is_so("13 03:29") == "ok: on time"
    assert job.is_so("13 03:30") == "critical: late"


def test_a_clock_that_is_a_little_ahead_makes_nothing_early():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 02:59:30")
    assert job.is_so("11 03:30") == "ok: on time"
    assert job.is_so("12 03:30") == "critical: late"


def test_more_than_a_minute_early_is_another_run():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 02:58:59")
    assert job.is_so("11 03:30") == "critical: late"


def test_of_dates_that_are_close_a_tenth_is_early():
    job = Job(replace(NIGHTLY, at="* * * * *", grace=20.0))
    job.says(ENDED, "11 03:00:55")
    assert job.is_so("11 03:01:20") == "ok: on time"  # it has met 03:01
    job.says(ENDED, "11 03:01:50")
    assert job.is_so("11 03:02:20") == "critical: late"  # and not 03:02


def test_the_end_of_a_long_run_is_not_early_for_the_next():
    job = Job(replace(NIGHTLY, at="0 * * * *", grace=300.0, runs_at_most=3590.0))
    job.says(START, "11 02:00")
    job.says(ENDED, "11 02:59:30")
    assert job.is_so("11 03:05") == "critical: late"


def test_a_run_that_begins_and_ends_early():
    job = Job(BOUND)
    job.says(START, "11 02:59:50")
    job.says(ENDED, "11 02:59:58")
    assert job.is_so("11 03:30") == "ok: on time"


def test_of_two_starts_the_newest_is_early():
    job = Job(BOUND)
    job.says(START, "11 02:50")
    job.says(START, "11 02:59:50")
    job.says(ENDED, "11 02:59:58")
    assert job.is_so("11 03:30") == "ok: on time"


def test_misses_are_dates_and_not_looks():
    job = Job(replace(NIGHTLY, misses=3))
    job.says(ENDED, "11 03:01")
    for hour in range(24):
        assert job.is_so(f"12 {hour:02d}:59") == "ok: on time"
        assert job.is_so(f"13 {hour:02d}:59") == "ok: on time"
    assert job.is_so("14 03:29") == "ok: on time"
    seen = job.seen("14 03:30")
    assert (seen.kind, seen.since) == (LATE, at("14 03:30").steady)
    assert "due 2026-11-12 03:00:00 (UTC), 3 times in a row, grace 30 min" in seen.reason


def test_every_so_often():
    job = Job(OFTEN)
    assert job.seen("10 12:00").until == at("10 12:11").steady
    job.says(ALIVE, "10 12:05")
    seen = job.seen("10 12:05")
    assert (seen.state, seen.until, seen.reason) == ("ok", at("10 12:16").steady, "alive 2026-11-10 12:05:00 (UTC)")
    assert job.is_so("10 12:15:59") == "ok: on time"
    assert job.is_so("10 12:16") == "critical: late"
    job.says(ALIVE, "10 12:30")
    assert job.is_so("10 12:30") == "ok: on time"
    job.says(FAIL, "10 12:31")
    job.says(ALIVE, "10 12:32")
    assert job.is_so("10 12:32") == "critical: failed"  # it lives, and its work went wrong
    twice = Job(replace(OFTEN, misses=2))
    twice.says(ENDED, "10 12:00")
    assert twice.is_so("10 12:20:59") == "ok: on time"
    assert twice.is_so("10 12:21") == "critical: late"


def test_to_a_run_with_dates_alive_says_nothing():
    job = Job(NIGHTLY)
    job.says(ALIVE, "11 03:10")
    assert job.is_so("11 03:20") == "skipped: waiting"
    assert job.is_so("11 03:30") == "critical: late"  # heard of, and not as it has to be
    job.says(ALIVE, "11 03:40")
    assert job.is_so("11 03:40") == "critical: late"


def test_summer_time():
    job = Job(replace(NIGHTLY, at="30 2 * * *", zone="Europe/Berlin"), "2026-03-28 10:00")
    job.says(ENDED, at("2026-03-28 11:00"))
    # On 2026-03-29 there is no half past two: it is due as the clock says three, 01:00 UTC.
    assert job.is_so(at("2026-03-29 01:29:59")) == "ok: on time"
    seen = job.seen(at("2026-03-29 01:30"))
    assert (seen.kind, seen.reason.split(",")[0]) == (LATE, "late: due 2026-03-29 03:00:00 (Europe/Berlin)")
    job.says(ENDED, at("2026-03-29 02:00"))
    assert job.is_so(at("2026-03-30 00:59:59")) == "ok: on time"
    assert job.is_so(at("2026-03-30 01:00")) == "critical: late"


def test_the_hour_that_comes_twice():
    job = Job(replace(NIGHTLY, at="30 2 * * *", zone="Europe/Berlin"), "2026-10-24 10:00")
    job.says(ENDED, at("2026-10-25 00:31"))  # the first half past two
    assert job.is_so(at("2026-10-25 02:30")) == "ok: on time"  # nothing is due at the second
    assert job.is_so(at("2026-10-26 01:59:59")) == "ok: on time"
    assert job.is_so(at("2026-10-26 02:00")) == "critical: late"


def test_a_clock_that_is_set_back_makes_nothing_late_and_what_is_late_stays_so():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 03:10")
    assert job.is_so(at("11 02:20", AHEAD - 3600)) == "ok: on time"
    assert job.is_so(at("11 03:40", AHEAD - 3600)) == "ok: on time"  # the date that was met comes once more
    assert job.is_so(at("12 03:29", AHEAD - 3600)) == "ok: on time"
    assert job.is_so(at("12 03:30", AHEAD - 3600)) == "critical: late"
    assert job.is_so(at("12 02:45", AHEAD - 7200)) == "critical: late"


def test_a_clock_that_was_a_day_ahead_and_is_set_right():
    job = Job(NIGHTLY)
    job.says(ENDED, at("12 03:05", AHEAD + 86400))  # it was the 11th
    right = at("11 12:00")
    assert job.is_so(right) == "ok: on time"
    assert job.is_so("12 03:30") == "critical: late"  # of the 12th nothing was heard


def test_a_clock_that_is_set_forward_makes_what_was_due_by_then_late():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 03:05")
    assert job.is_so(at("12 04:00", AHEAD + 86400)) == "critical: late"
    often = Job(OFTEN)
    often.says(ENDED, "10 12:00")
    assert often.is_so(Moment(at("10 12:05").steady, at("11 12:05").wall)) == "ok: on time"  # it lasts in steady time


def test_a_restart_during_a_run_and_over_a_deadline():
    job = Job(BOUND)
    job.says(ENDED, "10 12:30")
    job.says(START, "11 03:00")
    anchor = Anchor(at("11 03:10").steady, 500.0, at("11 03:10").wall, "boot-1")
    again = anchor.moment(3.0, at("11 03:55").wall, "boot-2")  # the machine was booted
    kept = expected(job.pulse, BOUND, again)
    assert kept == job.pulse
    job.pulse = kept
    assert job.is_so(again) == "ok: on time"
    later = anchor.moment(3.0, at("11 04:05").wall, "boot-2")
    assert job.is_so(later) == "critical: running too long"
    # Nobody looked between the deadline and what was heard after it.
    down = Job(NIGHTLY)
    down.says(ENDED, "11 03:05")
    before = looked(down.pulse, NIGHTLY, at("12 05:00"))[1]
    assert (before.kind, before.since) == (LATE, at("12 03:30").steady)
    down.says(ENDED, "12 05:00")
    assert down.seen("12 05:00").reason == "ok 2026-11-12 05:00:00 (UTC), 90 min late"


def test_a_changed_schedule_is_asked_from_now_on():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 03:05")
    earlier = replace(NIGHTLY, at="0 1 * * *")
    job.pulse, job.heartbeat = expected(job.pulse, earlier, at("12 02:00")), earlier
    assert job.is_so("12 02:30") == "ok: on time"
    assert job.is_so("13 01:30") == "critical: late"
    longer = replace(earlier, grace=7200.0)
    job.pulse, job.heartbeat = expected(job.pulse, longer, at("13 02:00")), longer
    assert job.is_so("13 02:59") == "ok: on time"
    assert job.is_so("13 03:00") == "critical: late"
    assert expected(job.pulse, longer, at("13 04:00")) is job.pulse


def test_a_signal_that_comes_behind_a_newer_one_is_nothing():
    job = Job(NIGHTLY)
    job.says(ENDED, "11 03:05")
    before = job.pulse
    job.says(FAIL, "11 03:04:59")
    assert job.pulse is before
    job.says(FAIL, "11 03:05")  # within the same tick
    assert job.is_so("11 03:05") == "critical: failed"


def test_what_is_no_signal():
    with pytest.raises(UserError, match="heartbeat: 'done' is no signal; send start, ok, fail or alive"):
        Signal(at("11 03:00"), "done")
    assert of_heartbeat("backup") == "monitor#heartbeat/backup@-"


class Plain:
    """The same by counting: each second-long step is gone through, and each date that passes is put on a list."""

    def __init__(self, heartbeat: Heartbeat, signals: dict[int, list[str]]) -> None:
        self.h, self.signals = heartbeat, signals
        self.unmet: list[int] = []
        self.excused = self.last_start = self.due = -1
        self.open: int | None = None
        self.heard = self.sticky = False
        self.outcome = ""
        self.every = int(heartbeat.every)

    def steps(self, end: int) -> list[str]:
        found = []
        for now in range(0, end + 1, 10):
            if now and now % 3600 == 0 and not self.every and now != self.excused:
                self.unmet.append(now)
            if self.every and now - (self.due if self.due >= 0 else 0) == self.every * (len(self.unmet) + 1):
                self.unmet.append(now)
            self.judge(now)
            for kind in self.signals.get(now, ()):
                self.hear(now, kind)
                self.judge(now)
            found.append(self.state(now))
        return found

    def runs(self, now: int) -> bool:
        return self.h.runs_at_most is not None and self.open is not None and now < self.open + self.h.runs_at_most

    def too_long(self, now: int) -> bool:
        return self.h.runs_at_most is not None and self.open is not None and now >= self.open + self.h.runs_at_most

    def judge(self, now: int) -> None:
        late = [date for date in self.unmet if date + self.h.grace <= now]
        if not (self.h.runs_at_most is not None and self.open is not None) and len(late) >= self.h.misses:
            # Only the dates in a row from the first one count, and so many as must be missed.
            self.sticky = True

    def hear(self, now: int, kind: str) -> None:
        if kind == ALIVE:
            self.heard = True
            if self.every:
                self.meets(now)
                self.outcome, self.sticky = self.outcome or ENDED, False
            return
        if kind == START:
            if not self.heard:
                self.sticky = False
            self.heard = True
            self.last_start = now
            if self.open is None:
                self.open = now
            if self.h.runs_at_most is not None:
                self.meets(now)
                self.excuse(now)
            return
        self.heard = True
        started = self.open is not None
        self.meets(now)
        self.excuse(self.last_start if started else now)
        self.open, self.sticky, self.outcome = None, False, kind

    def meets(self, now: int) -> None:
        self.unmet, self.due = [], now

    def excuse(self, start: int) -> None:
        following = (start // 3600 + 1) * 3600
        if not self.every and following - start <= 60:
            self.excused = following
            self.unmet = [date for date in self.unmet if date != following]

    def state(self, now: int) -> str:
        if self.too_long(now):
            return TOO_LONG
        if self.sticky:
            return LATE if self.heard else NEVER
        if self.outcome == FAIL:
            return FAILED
        return ON_TIME if self.outcome else WAITING


END = 4 * 3600
TIMES = st.one_of(
    st.integers(0, END // 10).map(lambda ten: ten * 10),
    st.sampled_from([3600, 3540, 3530, 3550, 3590, 3610, 3900, 3890, 7200, 7500, 7140]),
)
HEARTBEATS = st.builds(
    Heartbeat,
    name=st.just("job"),
    at=st.just("0 * * * *"),
    grace=st.sampled_from([0.0, 300.0, 4000.0]),
    runs_at_most=st.sampled_from([None, 600.0, 4000.0]),
    misses=st.integers(1, 2),
) | st.builds(
    Heartbeat,
    name=st.just("job"),
    every=st.sampled_from([600.0, 3000.0]),
    grace=st.sampled_from([0.0, 60.0, 900.0]),
    runs_at_most=st.sampled_from([None, 300.0, 4000.0]),
    misses=st.integers(1, 3),
)


@given(
    HEARTBEATS,
    st.lists(st.tuples(TIMES, st.sampled_from([START, ENDED, FAIL, ALIVE])), max_size=8),
    st.lists(st.integers(1, END // 10), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_a_life_ends_as_one_that_is_counted_date_by_date(heartbeat, told, looks):
    signals: dict[int, list[str]] = {}
    for time, kind in told:
        signals.setdefault(time, []).append(kind)
    plain = Plain(heartbeat, signals).steps(END)
    begin = utc("2026-11-10 00:00")
    pulse = expected(None, heartbeat, Moment(0.0, begin))
    # The monitor looks now and then: what it concludes does not hang on when.
    for time in sorted({0, END, *signals, *(ten * 10 for ten in looks)}):
        now = Moment(float(time), begin + time)
        for kind in signals.get(time, ()):
            pulse = advance(pulse, Signal(now, kind), heartbeat)
        pulse, seen = looked(pulse, heartbeat, now)
        assert seen.kind == plain[time // 10], time
        assert seen.since <= time
        heard_next = min((each for each in signals if each > time), default=END + 10)
        changes = [
            10 * place for place, (one, two) in enumerate(pairwise(plain), 1) if one != two and 10 * place > time
        ]
        change = min(changes, default=END + 10)
        if change < heard_next:  # then it says when, to the second
            assert seen.until == change
        elif seen.until is not None:
            assert seen.until >= min(heard_next, END)


def test_a_pulse_without_a_signal_is_the_same_whoever_looks():
    pulse = expected(None, NIGHTLY, at("10 12:00"))
    assert looked(pulse, NIGHTLY, at("10 13:00"))[0] is pulse
    assert isinstance(pulse, Pulse)
    assert verdict(pulse, NIGHTLY, at("11 04:00")).kind == NEVER  # asked and not noted
