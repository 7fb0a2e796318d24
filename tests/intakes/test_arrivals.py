"""What waits to be written: bounded, counted by reason, and never of a key that is somebody else's."""

from __future__ import annotations

from infratest.intakes._arrivals import Arrivals
from infratest.store.events import Event


def numbers(*keys: str) -> list[Event]:
    return [Event(1.0, key, 2.0, "", {"kind": "metric"}) for key in keys]


def test_what_is_taken_has_the_labels_of_its_stack_and_is_taken_once():
    arrivals = Arrivals(labels={"stack": "shop", "env": "prod"})
    refused, ticket = arrivals.offer("statsd", numbers("a", "b"))
    assert not refused
    taken = arrivals.take()
    assert [event.key for event in taken.events] == ["a", "b"]
    assert taken.events[0].labels == {"kind": "metric", "stack": "shop", "env": "prod", "from": "statsd"}
    assert arrivals.take().events == []
    taken.tickets[0].end(kept=True)
    assert ticket.kept(0)
    assert (arrivals.taken, arrivals.refusals) == ({"statsd": 2}, {})


def test_what_could_not_be_written_is_said():
    arrivals = Arrivals()
    _, ticket = arrivals.offer("http", numbers("a"))
    arrivals.take().tickets[0].end(kept=False)
    assert not ticket.kept(60)
    assert not arrivals.offer("http", numbers("a"))[1].kept(0), "nobody has taken it yet"


def test_what_does_not_fit_is_counted():
    arrivals = Arrivals(most=3)
    assert not arrivals.offer("http", numbers("a", "b"))[0]
    assert arrivals.offer("http", numbers("a", "b", "c"))[0] == {"no room": 2}
    assert arrivals.waiting == 3
    arrivals.take()
    assert not arrivals.offer("http", numbers("c"))[0]
    assert (arrivals.taken, arrivals.refusals) == ({"http": 4}, {("http", "no room"): 2})


def test_a_key_of_the_monitors_own_is_nobody_elses():
    arrivals = Arrivals(known=("shop.prod.web-1.web.answers.time",), own="shop.prod.")
    assert arrivals.offer("statsd", numbers("shop.prod.web-1.web.answers.time", "shop.orders"))[0] == {
        "a key of the monitor's own": 1
    }


def test_ten_thousand_new_series_an_hour_each():
    now = [0.0]
    arrivals = Arrivals(known=("old",), most=10**6, now=lambda: now[0])
    many = numbers(*(f"x{number}" for number in range(10_001)))
    assert arrivals.offer("http", many, "shop")[0] == {"too many new series": 1}
    assert not arrivals.offer("http", numbers("old", "x1"), "shop")[0], "what is known is taken"
    assert not arrivals.offer("http", numbers("y"), "other")[0], "another sender has its own"
    now[0] = 3599.0
    assert arrivals.offer("http", numbers("z"), "shop")[0] == {"too many new series": 1}
    now[0] = 3600.0
    assert not arrivals.offer("http", numbers("z"), "shop")[0]


def test_a_signal_of_a_heartbeat_that_is_not_expected_is_refused():
    arrivals, woken = Arrivals(), []
    arrivals.wake = lambda: woken.append(1)
    arrivals.heartbeats = frozenset(("backup",))
    assert arrivals.signal("http", "backup", "ok")[0] == ""
    assert arrivals.signal("http", "bakcup", "ok")[0] == "no such heartbeat"
    assert arrivals.take().signals == [("backup", "ok")]
    assert woken == [1]
    assert arrivals.refusals == {("http", "no such heartbeat"): 1}


def test_labels_that_events_share_stay_as_they_were_sent():
    shared, own = {"team": "web"}, {"team": "db"}
    arrivals = Arrivals(labels={"stack": "shop"})
    arrivals.offer("http", [Event(1.0, "a", 1.0, "", labels) for labels in (shared, own, shared)])
    arrivals.offer("statsd", [Event(1.0, "d", 1.0, "", shared)])
    assert [event.labels for event in arrivals.take().events] == [
        {"stack": "shop", "from": "http", "team": "web"}, {"stack": "shop", "from": "http", "team": "db"},
        {"stack": "shop", "from": "http", "team": "web"}, {"stack": "shop", "from": "statsd", "team": "web"},
    ]  # fmt: skip
    assert shared == {"team": "web"}
