"""What a monitor goes on from and what it tells of the past: all fields come back from the store as they were."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from types import UnionType
from typing import Union, get_args, get_origin, get_type_hints

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from infratest.alerting.downtime import Downtime, Fixed, Recurring
from infratest.alerting.ledger import Entry, Notice, attempted, delivered, queued
from infratest.alerting.moments import Anchor, Moment
from infratest.alerting.owed import Withheld
from infratest.alerting.status import Status, begun
from infratest.errors import StoreDamaged, UserError
from infratest.store.database import changes, ledger, meta, people, statuses
from infratest.store.database.changes import Change
from infratest.store.database.ledger import Delivery
from infratest.store.database.people import Note, Pause
from infratest.store.database.values import read, storable, written

HOUR = 1_764_432_000  # 2025-11-29T16:00:00Z


def at(seconds: float) -> Moment:
    return Moment(1000.0 + seconds, HOUR + seconds)


@pytest.fixture(scope="module")
def store(opening):
    with opening() as store:
        yield store


@pytest.fixture
def t(opening):
    with opening() as store, store.transaction() as t:
        yield t


#: Text of hosts and people: whatever there is, halves of surrogate pairs and NUL among it.
TEXTS = st.one_of(st.text(max_size=8), st.sampled_from(["\ud800", "a\0b", '"\\\n', "é\U0001f600"]))
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
WINDOWS = st.one_of(
    st.tuples(st.floats(0, 1e10), st.floats(1e-3, 1e10)).map(lambda pair: Fixed(pair[0], pair[0] + 1 + pair[1])),
    st.tuples(st.sampled_from(["0 2 * * 0", "*/5 * * * *"]), st.floats(1, 1e6)).map(
        lambda pair: Recurring(*pair, "Europe/Berlin")
    ),
)


@cache
def values(hint):
    """Return the strategy that draws values of a type with each field drawn, also those that have defaults."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint == Fixed | Recurring:
        return WINDOWS
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{each.name: values(hints[each.name]) for each in dataclasses.fields(hint)})
    if origin in (Union, UnionType):
        return st.one_of([values(each) for each in arguments])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is frozenset:
        return st.frozensets(values(arguments[0]), max_size=3)
    plain = {float: st.floats(allow_nan=False), int: st.integers(), bool: st.booleans(), str: TEXTS}
    return st.none() if hint is type(None) else plain[hint]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(kept=st.dictionaries(NAMES, values(Status), max_size=3))
def test_statuses_come_back(store, kept):
    with store.transaction() as t:
        statuses.remove(t, statuses.statuses(t))
        statuses.write(t, kept)
    with store.sight() as t:
        assert statuses.statuses(t) == kept
        assert {id: statuses.status(t, id) for id in kept} == kept


@settings(max_examples=40, deadline=None, derandomize=True)
@given(kept=st.dictionaries(st.tuples(NAMES, NAMES), values(Entry), max_size=3))
def test_the_ledger_comes_back(store, kept):
    with store.transaction() as t:
        ledger.turn(t, ledger.entries(t), kept)
    with store.sight() as t:
        assert ledger.entries(t) == kept


@settings(max_examples=25, deadline=None, derandomize=True)
@given(anchor=values(Anchor), downtime=values(Downtime), pause=values(Pause))
def test_clocks_downtimes_and_a_pause_come_back(store, anchor, downtime, pause):
    with store.transaction() as t:
        meta.write_anchor(t, anchor)
        for each in people.downtimes(t):
            assert people.remove_downtime(t, each.name)
        people.write_downtimes(t, [downtime])
        people.pause(t, pause)
    with store.sight() as t:
        assert (meta.anchor(t), people.downtimes(t), people.paused(t)) == (anchor, [downtime], pause)


def test_a_new_store_knows_nothing(t):
    assert (meta.anchor(t), people.paused(t), statuses.status(t, "a"), statuses.result(t, "a")) == (None,) * 4
    assert (statuses.statuses(t), ledger.entries(t), ledger.sent(t), people.heartbeats(t)) == ({}, {}, {}, {})
    assert (people.downtimes(t), people.notes(t), changes.changes(t), ledger.deliveries(t)) == ([], [], [], [])
    assert (people.remove_downtime(t, "a"), people.remove_heartbeat(t, "a"), people.resume(t)) == (False,) * 3


def test_how_a_status_stands_in_the_store():
    """What has its default is left out, so that a field that is added later has it too."""
    status = dataclasses.replace(begun(Moment(1.5, 2.5)), greens=2, window=(True, False))
    assert written(status) == '{"since":{"steady":1.5,"wall":2.5},"watched":1.5,"window":[true,false],"greens":2}'
    assert read(Status, written(status)) == status


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "null", "{}", '{"since":{"steady":1.5,"wall":2.5},"watched":1.5,"colour":"red"}',
     '{"since":{"steady":1.5,"wall":2.5},"watched":"soon"}',
     '{"since":{"steady":1.5,"wall":2.5},"watched":1,"greens":"2"}'],
)  # fmt: skip
def test_what_is_no_status_is_damage(t, text):
    t.write("rows", "INSERT INTO status (id, body) VALUES (?, ?)", [("a", text)])
    with pytest.raises(StoreDamaged, match="what is kept as a Status is none"):
        statuses.statuses(t)


def test_a_zone_that_is_known_no_longer_is_named(t):
    body = '{"name":"move","window":{"cron":"0 2 * * 0","seconds":60,"zone":"Mars/Olympus"},"ids":["a"]}'
    t.write("rows", "INSERT INTO downtime (name, body) VALUES (?, ?)", [("move", body)])
    with pytest.raises(UserError, match="Mars/Olympus"):
        people.downtimes(t)


@pytest.mark.parametrize("text, kept", [("a\0b", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600"), ("é\udcff", "é\ufffd")])
def test_text_is_kept_as_databases_take_it(text, kept):
    assert storable(text) == kept


def test_changes_of_a_result_and_of_all(t):
    evidence = ({"fact": "port", "output": "\ud800", "exit": 0},)
    some = [
        Change(at(0), "a", "-", "ok"),
        Change(at(60), "a", "ok", "critical", "port 80 is not listening", evidence),
        Change(at(60), "b", "-", "unknown"),
        Change(at(120), "a", "critical", "ok"),
    ]
    changes.add(t, some)
    assert changes.changes(t, "a") == [some[0], some[1], some[3]]
    assert changes.changes(t, "a", HOUR + 60, HOUR + 120) == [some[1]]
    assert changes.changes(t, "a", most=2) == [some[1], some[3]]
    assert changes.changes(t) == some
    assert changes.changes(t, "c") == []
    assert [changes.last(t, "a", HOUR + each) for each in (-1, 0, 59, 60, 1e6)] == [
        None, some[0], some[0], some[1], some[3],
    ]  # fmt: skip


def test_a_mark_is_set_once_an_hour_and_says_how_it_was(t):
    assert changes.mark(t, HOUR + 5.0, {"b": "critical", "a": "ok"}) == 2
    assert changes.mark(t, HOUR + 3599.0, {"a": "critical"}) == 0
    assert changes.mark(t, HOUR + 3600.0, {"a": "critical"}) == 1
    assert [changes.marked(t, "a", HOUR + each) for each in (-1, 0, 3599, 3600, 7200, 10800)] == [
        None, "ok", "ok", "critical", "critical", None,
    ]  # fmt: skip
    assert changes.marked(t, "b", HOUR + 3600.0) == "critical"
    assert changes.marked(t, "c", HOUR + 1.0) is None


def test_marks_are_set_by_shares(t):
    states = {f"s{each:02}": "ok" for each in range(50)}
    assert [changes.mark(t, HOUR + 5.0 + each, states, share=20) for each in range(4)] == [20, 20, 10, 0]
    assert {changes.marked(t, id, HOUR + 9.0) for id in states} == {"ok"}


def test_the_newest_result_of_each_is_kept_until_it_is_watched_no_longer(t):
    one = {"id": "a", "state": "ok", "steps": [{"observations": [{"value": 1.5}]}], "since": None}
    statuses.write_results(t, [one | {"state": "critical"}, {"id": "b", "state": "ok"}])
    statuses.write_results(t, [one])
    assert statuses.result(t, "a") == json.loads(json.dumps(one))
    assert list(statuses.results(t)) == ["a", "b"]
    statuses.write(t, {"a": begun(at(0)), "b": begun(at(0))})
    statuses.remove(t, ["a", "c"])
    assert (list(statuses.results(t)), list(statuses.statuses(t))) == (["b"], ["b"])


def test_the_way_of_a_notice(t):
    notice = Notice("oncall", "web", "web/1", 1000.0, 1, "problem", "critical", ("a",), None, "port 80", "tell 1")
    key = ("oncall", "web")
    before: dict = {}
    for seconds, outcome, entry, reason in (
        (0, ledger.QUEUED, queued(None, notice), ""),
        (1, ledger.ATTEMPTED, attempted(queued(None, notice)), ""),
        (2, ledger.LOST, attempted(queued(None, notice)), "no answer in 10 s"),
        (3, ledger.DELIVERED, delivered(attempted(queued(None, notice)), notice, 1003.0), ""),
    ):
        ledger.turn(t, before, {key: entry})
        ledger.add(t, [ledger.of_notice(at(seconds), outcome, notice, reason=reason)])
        before = {key: entry}
        assert ledger.entries(t) == before
    ledger.turn(t, before, {})
    assert ledger.entries(t) == {}
    assert ledger.deliveries(t, "web", HOUR + 1, HOUR + 3) == [
        Delivery(at(1), "attempted", "oncall", "web", notice.key, "problem", "critical", "tell 1", "port 80"),
        Delivery(at(2), "lost", "oncall", "web", notice.key, "problem", "critical", "tell 1", "no answer in 10 s"),
    ]
    assert [each.outcome for each in ledger.deliveries(t)] == ["queued", "attempted", "lost", "delivered"]
    assert ledger.deliveries(t, "db") == []
    ledger.write_sent(t, {"oncall": 1000.0, "chat": 999.0})
    ledger.write_sent(t, {"oncall": 1003.0})
    assert ledger.sent(t) == {"chat": 999.0, "oncall": 1003.0}


def test_a_silence_is_told_when_its_reason_changes_and_when_it_ends(t):
    def reasons(seconds: float, *withheld: Withheld) -> list[tuple[str, str, str]]:
        return [(each.receiver, each.id, each.reason) for each in ledger.withhold(t, at(seconds), withheld)]

    first = Withheld("-", "web", "blocked by web-1")
    assert reasons(0, first, Withheld("oncall", "db", "told after 120 s, in 90 s")) == [
        ("-", "web", "blocked by web-1"), ("oncall", "db", "told after 120 s, in 90 s"),
    ]  # fmt: skip
    assert reasons(30, first, Withheld("oncall", "db", "told after 120 s, in 60 s")) == []
    assert reasons(
        60, Withheld("-", "web", "blocked by web-2"), Withheld("oncall", "db", "told after 120 s, in 30 s")
    ) == [
        ("-", "web", "blocked by web-2"),
    ]
    assert reasons(90) == [("-", "web", ""), ("oncall", "db", "")]
    assert reasons(120) == []
    assert [(each.at, each.outcome, each.reason) for each in ledger.deliveries(t, "web")] == [
        (at(0), "withheld", "blocked by web-1"), (at(60), "withheld", "blocked by web-2"), (at(90), "withheld", ""),
    ]  # fmt: skip


def test_notes_and_heartbeats(t):
    some = [Note(at(0), "deployed 1.4", "ada"), Note(at(60), "rolled back", "bob", "web-1")]
    people.add_notes(t, some)
    assert people.notes(t) == some
    assert people.notes(t, HOUR + 60) == some[1:]
    assert people.notes(t, end=HOUR + 60) == some[:1]
    people.write_heartbeats(t, {"backup": {"last": 1.5, "failed": False}, "sync": {}})
    people.write_heartbeats(t, {"backup": {"last": 2.5}})
    assert people.heartbeats(t) == {"backup": {"last": 2.5}, "sync": {}}
    assert people.remove_heartbeat(t, "sync")
    assert list(people.heartbeats(t)) == ["backup"]
    people.pause(t, Pause(2000.0, "ada", "move"))
    assert people.resume(t)
    assert people.paused(t) is None


def test_a_result_that_is_damaged_is_named(t):
    t.write("rows", "INSERT INTO result (id, body) VALUES (?, ?)", [("a", "{"), ("b", "[]")])
    for id in ("a", "b"):
        with pytest.raises(StoreDamaged, match="what is kept as a result is none"):
            statuses.result(t, id)
