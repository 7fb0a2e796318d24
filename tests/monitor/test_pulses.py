"""Heartbeats in a monitor: heard of, late by themselves, kept, and late although nobody looked."""

from __future__ import annotations

import pytest

from infratest.alerting.moments import Moment
from infratest.errors import UnknownName, UserError
from infratest.monitor.pulses import Pulses
from infratest.stack.monitor import Heartbeat

BACKUP = Heartbeat(name="backup", every=600.0, grace=60.0)
ID = "monitor#heartbeat/backup@-"


def at(seconds: float) -> Moment:
    return Moment(1000.0 + seconds, 1_764_432_000.0 + seconds)


def states(pulses: Pulses, now: float) -> list[tuple[str, str]]:
    return [(each.id, each.state) for _, each in pulses.looked(at(now))]


def a_pulses(kept: Pulses | None = None, now: float = 0.0) -> Pulses:
    made = Pulses({} if kept is None else kept.taken())
    made.expect({"backup": BACKUP}, at(now))
    return made


def test_one_that_is_late_is_so_by_itself_and_over_a_restart():
    pulses = a_pulses()
    assert states(pulses, 0) == [(ID, "skipped")], "it is not due yet"
    assert pulses.hear("backup", "ok", at(10)).state == "ok"
    assert states(pulses, 10) == [(ID, "ok")]
    assert states(pulses, 11) == [], "nothing is asked before its time"
    now, found = 11.0, "ok"
    while found == "ok":
        now = (pulses.next() or 0.0) - 1000.0
        found = states(pulses, now)[0][1]
    assert (found, now) == ("critical", 670.0), "its last word, what lies between two, and its grace"
    again = a_pulses(pulses, 700)
    assert states(again, 700) == [(ID, "critical")]


def test_one_that_was_late_although_nobody_looked_is_known_to_have_been():
    pulses = a_pulses()
    pulses.hear("backup", "ok", at(10))
    pulses.looked(at(10))
    pulses.hear("backup", "ok", at(900))
    (late, first), (after, second) = pulses.looked(at(900))
    assert (first.state, second.state) == ("critical", "ok")
    assert late.steady < after.steady


def test_what_is_declared_no_longer_is_not_asked_and_not_forgotten():
    pulses = a_pulses()
    pulses.hear("backup", "fail", at(10))
    pulses.looked(at(10))
    pulses.expect({}, at(20))
    assert (pulses.next(), states(pulses, 5000)) == (None, [])
    pulses.expect({"backup": BACKUP}, at(30))
    assert states(pulses, 30) == [(ID, "critical")]


def test_names_and_words_that_are_none():
    pulses = a_pulses()
    with pytest.raises(UnknownName, match="did you mean 'backup'"):
        pulses.hear("bakcup", "ok", at(0))
    with pytest.raises(UserError, match="no signal"):
        pulses.hear("backup", "okay", at(0))
