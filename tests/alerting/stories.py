"""Stories of a monitor with their ends, written by hand; the field's own bugs among them, by their threads.

Each takes a copy of the package. `test_stories` has them with the one that is, `test_mutants` with broken ones.
"""

from __future__ import annotations

from math import inf
from types import SimpleNamespace

import pytest

from tests.alerting.desk import Desk

STORIES = {}


def story(function):
    STORIES[function.__name__] = function
    return function


@story
def soft_until_three_in_a_row(our: SimpleNamespace) -> None:
    desk = Desk(our, attempts=our.policy.Attempts(3, 3))
    assert desk.look("web", "critical", "critical").words() == []
    assert (desk.statuses["web"].state, desk.statuses["web"].soft) == ("ok", True)
    assert desk.look("web", "ok", "critical", "critical").words() == []
    assert desk.look("web", "critical").words() == ["problem critical"]
    assert not desk.statuses["web"].soft
    assert desk.look("web", "warning").words()[1:] == ["problem warning"]
    assert desk.look("web", "ok").words()[2:] == ["recovery ok"]


@story
def three_of_five_and_then_anew(our: SimpleNamespace) -> None:
    desk = Desk(our, attempts=our.policy.Attempts(3, 5))
    assert desk.look("web", "critical", "ok", "critical", "ok").words() == []
    assert desk.look("web", "critical").words() == ["problem critical"]
    assert desk.look("web", "ok").words()[1:] == ["recovery ok"]
    assert desk.look("web", "critical").words()[2:] == []  # those before the recovery count no more
    desk = Desk(our, attempts=our.policy.Attempts(3, 5))
    assert desk.look("web", "critical", "critical", "ok", "ok", "ok", "ok", "critical").words() == []


@story
def greens_in_a_row(our: SimpleNamespace) -> None:
    desk = Desk(our, recover=2).look("web", "critical", "ok")
    assert (desk.statuses["web"].state, desk.statuses["web"].soft) == ("critical", True)
    assert desk.look("web", "unknown", "ok", "critical", "ok").words() == ["problem critical"]
    assert desk.look("web", "ok").words() == ["problem critical", "recovery ok"]


@story
def unknown_neither_confirms_nor_heals(our: SimpleNamespace) -> None:
    three = our.policy.Attempts(3, 3)
    desk = Desk(our, attempts=three)
    assert desk.look("web", "critical", "unknown", "critical", "unknown").words() == []
    assert desk.look("web", "critical").words() == ["problem critical"]
    assert desk.look("web", "unknown", "unknown", "unknown", "unknown").words() == ["problem critical"]
    desk = Desk(our, attempts=three)
    assert desk.look("web", "unknown", "unknown", "unknown").words() == ["problem unknown"]
    assert desk.look("web", "critical", "critical").words() == ["problem unknown"]  # no recovery in between
    assert desk.look("web", "critical").words() == ["problem unknown", "problem critical"]


@story
def at_once_by_the_providers_word(our: SimpleNamespace) -> None:
    desk = Desk(our, attempts=our.policy.Attempts(3, 3), recover=3)
    Look = our.status.Look
    assert desk.wait(1).event("web", Look(desk.now(), "critical", final=True)).cycle().words() == ["problem critical"]
    assert desk.wait(1).event("web", Look(desk.now(), "ok", final=True)).cycle().words()[1:] == ["recovery ok"]


@story
def a_restart_tells_nothing_again(our: SimpleNamespace) -> None:
    """gatus#679; and after hours that the monitor was off nothing is stale before it had its time."""
    desk = Desk(our).look("web", "critical")
    desk.wait(9 * 3600).event("web", our.status.Restart(desk.now())).cycle()
    assert desk.tick(119).words() == ["problem critical"]
    assert desk.look("web", "critical").words() == ["problem critical"]


@story
def no_result_is_unknown(our: SimpleNamespace) -> None:
    desk = Desk(our)
    assert desk.tick(119.9).words() == []
    assert desk.tick(0.2).words() == ["problem unknown"]
    assert desk.look("web", "ok").words() == ["problem unknown", "recovery ok"]
    assert desk.look("web", "warning").tick(121).words()[2:] == ["problem warning", "problem unknown"]
    desk = Desk(our).look("web", "critical").tick(500)
    assert desk.words() == ["problem critical"]  # not knowing makes nothing better


@story
def a_downtime_ends_on_what_is_broken(our: SimpleNamespace) -> None:
    """icinga2#5713."""
    desk = Desk(our).downtime("web", seconds=100).look("web", "critical")
    assert desk.words() == []
    assert desk.withheld == {("-", "web"): "downtime 'move' by ada: racks"}
    assert desk.wait(98.5).cycle().words() == []
    assert desk.wait(0.5).cycle().words() == ["problem critical"]


@story
def a_downtime_is_for_all_that_it_names(our: SimpleNamespace) -> None:
    names = ("cache", "db", "web")
    desk = Desk(our, dict.fromkeys(names, ())).downtime(*names, seconds=100)
    for name in names:
        desk.look(name, "critical")
    assert desk.words() == []


@story
def what_comes_and_goes_in_a_downtime_is_never_told(our: SimpleNamespace) -> None:
    desk = Desk(our).downtime("web", seconds=100).look("web", "critical", "ok").wait(200).cycle()
    assert desk.words() == []
    desk = Desk(our).look("web", "critical").downtime("web", seconds=100).look("web", "ok")
    assert desk.words() == ["problem critical"]
    assert desk.wait(99).cycle().words() == ["problem critical", "recovery ok"]


@story
def flapping(our: SimpleNamespace) -> None:
    """sensu#1565: the resolve that was lost after it."""
    desk = Desk(our, flap=our.policy.Flap(4, 100.0, 50.0))
    desk.look("web", "critical", "ok", "critical")
    assert desk.words() == ["problem critical", "recovery ok", "problem critical"]
    assert desk.look("web", "ok").words()[3:] == ["flap unstable"]
    assert desk.look("web", "critical", "ok", "critical", "ok").words()[4:] == []
    assert desk.tick(49.9).words()[4:] == []
    assert desk.tick(0.2).words()[4:] == ["recovery ok"]
    assert desk.statuses["web"].unstable is None
    desk = Desk(our, flap=our.policy.Flap(4, 100.0, 50.0))
    slow = desk.look("web", "critical", "ok", "critical", "ok", every=40.0)
    assert slow.words() == ["problem critical", "recovery ok"] * 2


@story
def what_flaps_is_a_problem_to_who_is_not_told_of_flaps(our: SimpleNamespace) -> None:
    route = {"on": frozenset(("problem", "recovery"))}
    desk = Desk(our, routes=(route,), flap=our.policy.Flap(4, 100.0, 50.0))
    desk.look("web", "critical", "ok", "critical", "ok")
    assert desk.words() == ["problem critical", "recovery ok", "problem critical"], "it knows of a problem"
    assert desk.withheld == {("oncall", "web"): "no route tells it of a flap"}
    assert desk.look("web", "critical", "ok").tick(60).words()[3:] == ["recovery ok"]
    desk = Desk(our, routes=(route,), flap=our.policy.Flap(3, 100.0, 50.0))
    desk.look("web", "critical", "ok", "critical")
    assert desk.words() == ["problem critical", "recovery ok", "problem unstable"], "it was told last that all is well"
    assert desk.look("web", "ok", "critical", "ok", "critical").words()[3:] == []
    assert desk.tick(60).words()[3:] == ["problem critical"]
    desk = Desk(our, routes=(route,), flap=our.policy.Flap(3, 100.0, 50.0)).look("web", "critical")
    desk.outcome = "lost"
    desk.look("web", "ok")
    desk.outcome = "delivered"
    desk.look("web", "critical").wait(20).cycle()
    assert desk.words()[2:] == ["problem unstable"], "it may have that all is well"


@story
def somebody_has_it(our: SimpleNamespace) -> None:
    desk = Desk(our, routes=[{"again": 300.0}]).look("web", "warning").ack("web")
    assert desk.words() == ["problem warning", "ack warning"]
    assert desk.look("web", "warning").wait(301).cycle().words()[2:] == []
    assert desk.look("web", "critical").words()[2:] == ["problem critical"]  # that is not what was acknowledged
    assert desk.look("web", "ok").words()[3:] == ["recovery ok"]
    assert desk.look("web", "warning").words()[4:] == ["problem warning"]
    with pytest.raises(our.errors.UserError, match="no hard problem"):
        Desk(our).look("web", "ok").ack("web")
    desk = Desk(our).look("web", "critical").ack("web")
    desk.event("web", our.status.Unacknowledge(desk.now()))
    assert desk.statuses["web"].ack is None
    with pytest.raises(our.errors.UserError, match="not acknowledged"):
        desk.event("web", our.status.Unacknowledge(desk.now()))


@story
def an_acknowledgement_for_a_time(our: SimpleNamespace) -> None:
    desk = Desk(our).look("web", "critical").ack("web", 90.0)
    desk.wall += 86400  # a clock that is set ends nothing
    assert desk.look("web", "critical", every=89.0).words() == ["problem critical", "ack critical"]
    assert desk.tick(1.0).words()[2:] == ["reminder critical"]
    assert desk.tick(50.0).words()[3:] == []


@story
def reminders(our: SimpleNamespace) -> None:
    desk = Desk(our, routes=[{"again": 300.0}]).look("web", "critical")
    assert desk.wait(299.9).cycle().words() == ["problem critical"]
    assert desk.wait(0.2).cycle().wait(299).cycle().words()[1:] == ["reminder critical"]
    assert desk.wait(1.1).cycle().words()[2:] == ["reminder critical"]


@story
def who_is_called_later(our: SimpleNamespace) -> None:
    desk = Desk(our, routes=[{}, {"to": ("boss",), "after": 120.0}]).look("web", "critical").wait(119.5).cycle()
    assert [each[0] for each in desk.told] == ["oncall"]
    assert desk.withheld["boss", "web"].startswith("told after 120 s")
    assert desk.wait(1).cycle().told[1:] == [("boss", "web", "problem", "critical")]
    short = Desk(our, routes=[{"to": ("boss",), "after": 120.0}]).look("web", "critical", "ok").wait(500).cycle()
    assert short.told == []


@story
def routes_that_stop_and_routes_that_join(our: SimpleNamespace) -> None:
    critical = {"when": lambda subject, state: state == "critical"}
    desk = Desk(our, routes=[critical | {"stop": True}, {"to": ("team",)}]).look("web", "critical")
    assert [each[0] for each in desk.told] == ["oncall"]
    # It knows of a problem, so it has what becomes of it; and then the second route is the one.
    assert [each[:1] + each[3:] for each in desk.look("web", "warning").told[1:]] == [
        ("oncall", "warning"), ("team", "warning"),
    ]  # fmt: skip


@story
def only_what_a_route_tells(our: SimpleNamespace) -> None:
    """A receiver that is told of problems alone has the second one too."""
    desk = Desk(our, routes=[{"on": frozenset({"problem"})}])
    assert desk.look("web", "critical", "ok", "critical").words() == ["problem critical"] * 2
    desk = Desk(our, routes=[{"on": frozenset({"recovery"})}]).look("web", "critical")
    assert desk.withheld == {("oncall", "web"): "no route tells it of a problem"}
    assert desk.look("web", "ok").words() == []


@story
def one_problem_and_what_it_blocks(our: SimpleNamespace) -> None:
    needs = {"reach": (), "db": ("reach",), "web": ("db",)}
    web = {"to": ("team",), "when": lambda subject, state: subject.id == "web"}
    desk = Desk(our, needs, [{}, web])
    desk.look("db", "ok").look("web", "ok").look("reach", "critical")
    assert [each.members for each in desk.handed] == [()]
    desk.look("db", "unknown", blocker="reach").look("web", "unknown", blocker="db")
    assert desk.told[1:] == [("team", "reach", "problem", "critical")]  # whose web is silent knows why
    assert desk.handed[1].members == ("db", "web")
    assert desk.withheld["-", "web"] == "blocked by reach"
    desk.look("reach", "ok")
    assert desk.told[2:] == [("oncall", "reach", "recovery", "ok"), ("team", "reach", "recovery", "ok")]
    desk.look("web", "critical")  # by itself
    assert desk.told[4:] == []  # db was not looked at since, and stands in its way
    desk.look("db", "ok", "ok").look("web", "critical")
    assert {each[:2] for each in desk.told[4:]} == {("oncall", "web"), ("team", "web")}


@story
def what_is_never_looked_at_again_is_told(our: SimpleNamespace) -> None:
    desk = Desk(our, {"reach": (), "web": ("reach",)}).look("web", "ok").look("reach", "critical")
    desk.look("web", "unknown", blocker="reach").look("reach", "ok")
    assert len(desk.told) == 2
    desk.look("reach", "ok", "ok", every=60.0)
    assert desk.told[2:] == [("oncall", "web", "problem", "unknown")]


@story
def in_a_circle_one_is_told(our: SimpleNamespace) -> None:
    desk = Desk(our, {"a": ("b",), "b": ("a",)}).look("b", "critical").look("a", "critical")
    assert ("oncall", "a", "problem", "critical") in desk.told
    assert desk.look("a", "ok").look("b", "ok").look("a", "ok").ledger == {}


@story
def blocked_by_what_is_accepted(our: SimpleNamespace) -> None:
    """A waived failure accepts itself, and not that nobody looks behind it."""
    desk = Desk(our, {"reach": (), "web": ("reach",)}).look("reach", "waived", "waived")
    desk.look("web", "unknown", blocker="reach").look("web", "unknown", blocker="nobody")
    assert desk.told == [("oncall", "web", "problem", "unknown")]


@story
def the_witness_is_needed_by_all(our: SimpleNamespace) -> None:
    needs = {"witness": (), **{f"web-{number}": ("witness",) for number in range(9)}}
    desk = Desk(our, needs)
    for id in needs:
        desk.look(id, "critical")
    assert [each[1] for each in desk.told] == ["witness"]
    for id in needs:
        desk.look(id, "ok")
    assert [each[1:3] for each in desk.told] == [("witness", "problem"), ("witness", "recovery")]


@story
def a_dead_receiver(our: SimpleNamespace) -> None:
    """Surely not there: nobody is told of the end of what they never knew."""
    desk = Desk(our)
    desk.outcome = "refused"
    desk.look("web", "critical")
    assert (len(desk.handed), desk.ledger["oncall", "web"].retry) == (1, 1011.0)
    desk.cycle().wait(9.9).cycle()
    assert len(desk.handed) == 1
    desk.wait(0.2).cycle()
    assert (len(desk.handed), desk.keys[0]) == (2, desk.keys[1])
    for _ in range(40):
        desk.wait(600.1).cycle()
    assert len(desk.handed) == 42  # for ever, and ten minutes apart
    desk.outcome = "delivered"
    desk.look("web", "ok")
    assert (len(desk.handed), desk.ledger) == (42, {})


@story
def a_receiver_that_may_have_it(our: SimpleNamespace) -> None:
    desk = Desk(our)
    desk.outcome = "lost"
    desk.look("web", "critical").wait(10.1).cycle()
    assert len(set(desk.keys)) == 1  # sent again as the same
    desk.outcome = "delivered"
    desk.look("web", "ok").wait(600).cycle()
    assert desk.words() == ["problem critical", "problem critical", "recovery ok"]
    assert (len(set(desk.keys)), desk.ledger) == (2, {})


@story
def a_doubt_is_kept_through_a_silence(our: SimpleNamespace) -> None:
    desk = Desk(our)
    desk.outcome = "lost"
    desk.look("web", "critical").downtime("web", seconds=500).wait(100).cycle()
    assert (len(desk.handed), desk.ledger["oncall", "web"].pending) == (1, None)
    desk.outcome = "delivered"
    desk.wait(500).cycle()
    assert (len(desk.handed), desk.keys[0]) == (2, desk.keys[1])
    assert desk.wait(900).cycle().words() == ["problem critical"] * 2


@story
def a_lost_reminder_is_no_doubt(our: SimpleNamespace) -> None:
    desk = Desk(our, routes=[{"again": 300.0}]).look("web", "critical")
    desk.outcome = "lost"
    desk.wait(301).cycle()
    desk.outcome = "delivered"
    desk.wait(11).cycle()
    assert desk.words() == ["problem critical", "reminder critical", "reminder critical"]
    assert desk.keys[1] == desk.keys[2]


@story
def what_was_taken_while_it_changed(our: SimpleNamespace) -> None:
    """Nobody waits for a receiver: what is so may be another by the time that it has answered."""
    ledger = our.ledger
    desk = Desk(our)
    desk.wait(1).event("web", our.status.Look(desk.now(), "warning"))
    desk.ledger = desk.owed().applied({})
    entry = ledger.attempted(desk.ledger["oncall", "web"])
    notice = entry.pending
    desk.ledger = {("oncall", "web"): entry}
    desk.wait(1).event("web", our.status.Look(desk.now(), "critical"))
    desk.ledger = desk.owed().applied(desk.ledger)
    after = ledger.delivered(desk.ledger["oncall", "web"], notice, desk.time)
    assert (after.level, after.doubt, after.pending.level) == ("warning", None, "critical")
    desk.ledger = {("oncall", "web"): after}
    assert desk.cycle().words() == ["problem critical"]
    assert desk.ledger["oncall", "web"].level == "critical"


@story
def a_digest(our: SimpleNamespace) -> None:
    desk = Desk(our, {"a": (), "b": (), "c": ()}, digest=300.0).look("a", "critical").look("b", "critical")
    assert [each.id for each in desk.handed] == ["a"]
    assert desk.withheld["oncall", "b"] == "gathered for 299 s more"
    desk.look("c", "critical", "ok")  # came and went meanwhile
    assert [each.id for each in desk.wait(290).cycle().handed] == ["a"]
    assert [each.id for each in desk.wait(10).cycle().handed] == ["a", "b"]
    desk.look("a", "ok").look("b", "ok").wait(300)
    desk.ledger = desk.owed().applied(desk.ledger)
    assert [[each.id for each in some] for some in our.ledger.messages(desk.ledger, {"oncall"}, desk.time)] == [
        ["a", "b"]
    ]


@story
def one_that_is_never_taken_holds_up_no_digest(our: SimpleNamespace) -> None:
    desk = Desk(our, {"a": (), "b": ()}, digest=300.0)
    desk.outcome = "lost"
    desk.look("a", "critical").look("b", "critical")
    for _ in range(28):
        desk.wait(10).cycle()
    assert {each.id for each in desk.handed} == {"a"}, "gathered for as long as said"
    assert len(desk.handed) == 5
    assert [each.id for each in desk.wait(20).cycle().handed][5:] == ["b"], "and no longer, whatever a's tries do"
    desk.outcome = "delivered"
    desk.wait(600).cycle()
    assert [each.id for each in desk.handed][6:] == ["a", "b"]
    assert len(desk.wait(200).look("a", "ok").handed) == 8, "one that was taken at last is a message like others"
    assert desk.wait(100).cycle().told[8:] == [("oncall", "a", "recovery", "ok")]


@story
def what_is_taken_out_and_put_back(our: SimpleNamespace) -> None:
    """The problem is the same one, and no key of it comes back: a receiver would think that it has it."""
    desk = Desk(our).look("web", "critical")
    web = desk.subjects.pop("web")
    assert desk.wait(1).cycle().words()[1:] == ["recovery ok"]
    assert desk.handed[-1].reason == "it is watched no longer"
    desk.subjects["web"] = web
    assert desk.wait(1).cycle().words()[2:] == ["problem critical"]
    assert len(set(desk.keys)) == 3
    desk.ack("web")
    del desk.subjects["web"]  # what nobody watches nobody has
    assert desk.wait(1).cycle().words()[4:] == ["recovery ok"]


@story
def a_receiver_is_not_told_of_itself(our: SimpleNamespace) -> None:
    id = our.subject.of_receiver("oncall")
    desk = Desk(our, {id: ()}, [{}, {"to": ("boss",)}]).look(id, "critical")
    assert [each[0] for each in desk.told] == ["boss"]
    assert desk.withheld["oncall", id] == "oncall cannot be told of itself"
    desk.receivers = []
    assert desk.look(id, "ok").withheld["boss", id] == "boss is no receiver any longer"


@story
def who_is_told_of_problems_alone_hears_of_nothing_else_when_it_gets_milder(our: SimpleNamespace) -> None:
    route = {"when": lambda subject, state: state == "critical", "on": frozenset(("problem",))}
    desk = Desk(our, routes=(route,), flap=our.policy.Flap(4, 100.0, 50.0))
    desk.look("web", "critical", "warning", "critical")
    assert desk.words() == ["problem critical", "problem warning", "problem critical"]
    assert len(desk.look("web", "warning").words()) == 3, "it flaps, and no rule tells that"
    assert desk.statuses["web"].unstable is not None
    assert desk.withheld == {("oncall", "web"): "no route tells it of a flap"}
    assert len(desk.look("web", "ok").tick(60).words()) == 3
    assert (desk.statuses["web"].unstable, desk.ledger) == (None, {}), "it is over, and nothing is open"


@story
def who_is_told_of_a_cause_for_what_it_blocks_hears_of_its_end_by_the_same_rule(our: SimpleNamespace) -> None:
    for on, told in ((("problem",), []), (("problem", "recovery"), ["recovery ok"])):
        route = {"when": lambda subject, state: subject.id == "web", "on": frozenset(on)}
        desk = Desk(our, needs={"host": (), "web": ("host",)}, routes=(route,))
        desk.look("host", "critical").look("web", "unknown", blocker="host")
        assert desk.told == [("oncall", "host", "problem", "critical")]
        desk.look("web", "ok").look("host", "ok")
        assert desk.words()[1:] == told
        assert not desk.ledger


@story
def a_pause(our: SimpleNamespace) -> None:
    desk = Desk(our)
    desk.paused = desk.time + 60
    desk.look("web", "critical")
    assert desk.withheld == {("-", "web"): "paused for 59 s more"}
    assert desk.wait(59).cycle().words() == ["problem critical"]


@story
def fixed_windows(our: SimpleNamespace) -> None:
    window = our.downtime.Fixed(100.0, 200.0)
    assert [window.until(wall) for wall in (99.9, 100.0, 199.9, 200.0)] == [None, 200.0, 200.0, None]
    for begin, end in ((5.0, 5.0), (6.0, 5.0), (5.0, float("nan"))):
        with pytest.raises(our.errors.UserError, match="has to end later"):
            our.downtime.Fixed(begin, end)


@story
def the_monitors_own_time(our: SimpleNamespace) -> None:
    anchor = our.moments.Anchor(500.0, 40.0, 9000.0, "one")
    assert anchor.moment(45.0, 1.0, "one").steady == 505.0
    assert anchor.moment(2.0, 9030.0, "two").steady == 530.0
    assert anchor.moment(99.0, 8000.0, "two").steady == 500.0
    assert anchor.moment(39.0, 9001.0, "one").steady == 501.0  # the same id, and yet a clock that began anew
    assert anchor.moved(2.0, 9030.0, "two") == our.moments.Anchor(530.0, 2.0, 9030.0, "two")


@story
def policies_that_cannot_be(our: SimpleNamespace) -> None:
    policy, wrong = our.policy, our.errors.UserError
    for failures, of in ((0, 1), (2, 1), (1, 101)):
        with pytest.raises(wrong, match="attempts"):
            policy.Attempts(failures, of)
    for flap in ((1, 1.0, 1.0), (101, 1.0, 1.0), (2, 0.0, 1.0), (2, 1.0, inf), (2, float("nan"), 1.0)):
        with pytest.raises(wrong, match="flap"):
            policy.Flap(*flap)
    for options in ({"interval": 0.0}, {"retry": -1.0}, {"interval": inf}, {"recover": 0}, {"stale": 0.5}):
        with pytest.raises(wrong, match=next(iter(options))):
            policy.Policy(**options)
