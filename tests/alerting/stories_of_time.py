"""Stories of when: looks that are due, and windows of downtime that come again; with their ends written by hand.

The dates are of Berlin, where 2026-03-29 has no hour from two to three and 2026-10-25 has it twice.
"""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

PLACE = "web-1"


def never_seen_is_due_at_once(our: SimpleNamespace) -> None:
    due, policy, nothing = our.due.due, our.policy.Policy(), our.due.Asked()
    assert due(fresh(our), nothing, policy, PLACE, 777.0) == 777.0


def on_a_grid_with_a_place_for_each_host(our: SimpleNamespace) -> None:
    due, policy = our.due.due, our.policy.Policy(interval=60.0)
    shift = our.due.shift(PLACE) * 60.0
    for begun in (1000.0, 1017.3, 1059.9):
        time = due(fresh(our), our.due.Asked(begun), policy, PLACE, begun)
        assert (time - shift) % 60.0 == pytest.approx(0.0, abs=1e-6) or (time - shift) % 60.0 > 59.999
        assert 30.0 <= time - begun <= 90.0
    late = shift + 16 * 60.0 + 0.4  # begun a little after its time: the next is the next
    assert due(fresh(our), our.due.Asked(late), policy, PLACE, late) == pytest.approx(shift + 17 * 60.0)


def hosts_are_spread(our: SimpleNamespace) -> None:
    shifts = sorted(our.due.shift(f"web-{number}") for number in range(500))
    assert shifts[0] >= 0.0
    assert shifts[-1] < 1.0
    tenths = [sum(tenth / 10 <= shift < (tenth + 1) / 10 for shift in shifts) for tenth in range(10)]
    assert min(tenths) > 25
    assert our.due.shift("web-7") == our.due.shift("web-7")


def soft_is_looked_at_sooner(our: SimpleNamespace) -> None:
    due, policy = our.due.due, our.policy.Policy(interval=60.0, retry=15.0)
    status = looked(our, policy, "critical", 1000.0)
    assert status.soft
    assert due(status, our.due.Asked(999.5), policy, PLACE, 1000.0) == 1015.0
    hurried = our.policy.Policy(interval=10.0, retry=15.0)
    assert due(status, our.due.Asked(999.5), hurried, PLACE, 1000.0) == 1010.0
    hard = our.policy.Policy(attempts=our.policy.Attempts(1, 1))
    assert due(looked(our, hard, "critical", 1000.0), our.due.Asked(999.5), policy, PLACE, 1000.0) >= 1030.0


def a_hint_moves_a_look_forward(our: SimpleNamespace) -> None:
    due, policy, Asked = our.due.due, our.policy.Policy(), our.due.Asked
    assert due(fresh(our), Asked(1000.0, hint=1007.0), policy, PLACE, 1007.0) == 1007.0
    assert due(fresh(our), Asked(1000.0, hint=1000.2), policy, PLACE, 1000.2) == 1001.0  # once a second at most
    without = due(fresh(our), Asked(1000.0), policy, PLACE, 1000.0)
    assert due(fresh(our), Asked(1000.0, hint=999.0), policy, PLACE, 1000.0) == without  # that was looked at
    assert due(fresh(our), Asked(1000.0, hint=5000.0), policy, PLACE, 1000.0) == without  # and never back


def what_runs_is_not_asked_again(our: SimpleNamespace) -> None:
    asked = our.due.Asked(1000.0, until=1300.0, hint=1001.0)
    assert our.due.due(fresh(our), asked, our.policy.Policy(), PLACE, 1200.0) == 1300.0


def a_machine_that_slept_makes_up_once(our: SimpleNamespace) -> None:
    due, policy = our.due.due, our.policy.Policy(interval=60.0)
    assert due(fresh(our), our.due.Asked(1000.0), policy, PLACE, 90000.0) <= 90000.0
    assert due(fresh(our), our.due.Asked(90000.0), policy, PLACE, 90000.0) >= 90030.0


def a_look_of_the_future_holds_nothing_up(our: SimpleNamespace) -> None:
    policy = our.policy.Policy(interval=60.0)
    assert our.due.due(fresh(our), our.due.Asked(1e9), policy, PLACE, 1000.0) <= 1090.0


def what_a_restart_remembers(our: SimpleNamespace) -> None:
    policy = our.policy.Policy(interval=60.0)
    assert 1030.0 <= our.due.due(looked(our, policy, "ok", 1000.0), our.due.Asked(), policy, PLACE, 1001.0) <= 1090.0


def an_agenda(our: SimpleNamespace) -> None:
    agenda = our.due.Agenda()
    assert (agenda.next(), agenda.take(1e9)) == (None, [])
    for id, time in (("b", 5.0), ("a", 5.0), ("c", 9.0), ("d", 1.0)):
        agenda.put(id, time)
    agenda.put("d", 20.0)
    agenda.put("c", 4.0)
    agenda.drop(["nobody"])
    assert (len(agenda), agenda.next()) == (4, 4.0)
    assert agenda.take(5.0) == ["c", "a", "b"]
    assert (agenda.take(5.0), agenda.next()) == ([], 20.0)
    agenda.drop(["d"])
    assert (agenda.next(), len(agenda)) == (None, 0)


def an_agenda_does_not_grow(our: SimpleNamespace) -> None:
    agenda = our.due.Agenda()
    for number in range(10000):
        agenda.put("a", float(number))
        agenda.put("b", float(-number))
    assert len(agenda._heap) <= 80
    assert agenda.take(0.0) == ["b"]


def every_sunday_night(our: SimpleNamespace) -> None:
    window = our.downtime.Recurring("0 2 * * 0", 3600.0, "Europe/Berlin")
    assert window.until(berlin("2026-11-29T02:00")) == berlin("2026-11-29T03:00")
    assert window.until(berlin("2026-11-29T02:59")) == berlin("2026-11-29T03:00")
    for outside in ("2026-11-29T03:00", "2026-11-29T01:59", "2026-11-30T02:30", "2026-11-28T02:30"):
        assert window.until(berlin(outside)) is None
    assert window.until(berlin("2046-12-02T02:30")) == berlin("2046-12-02T03:00")  # no horizon


def in_the_spring_an_hour_is_not_there(our: SimpleNamespace) -> None:
    """As Debian's cron: what would begin in it begins behind it."""
    window = our.downtime.Recurring("30 2 * * *", 3600.0, "Europe/Berlin")
    assert window.until(berlin("2026-03-29T01:59")) is None
    assert window.until(berlin("2026-03-29T03:00")) == berlin("2026-03-29T04:00")
    assert window.until(berlin("2026-03-30T02:30")) == berlin("2026-03-30T03:30")


def in_the_autumn_an_hour_comes_twice(our: SimpleNamespace) -> None:
    """What is at an hour is once, in the first; what is every hour is in both."""
    daily = our.downtime.Recurring("30 2 * * *", 900.0, "Europe/Berlin")
    hourly = our.downtime.Recurring("30 * * * *", 900.0, "Europe/Berlin")
    first, second = berlin("2026-10-25T02:35"), berlin("2026-10-25T02:35", fold=1)
    assert second - first == 3600.0
    assert [daily.until(first), daily.until(second)] == [berlin("2026-10-25T02:45"), None]
    assert [hourly.until(first), hourly.until(second)] == [first + 600.0, second + 600.0]
    long = our.downtime.Recurring("30 2 * * *", 7200.0, "Europe/Berlin")
    for later in (second, berlin("2026-10-25T02:10", fold=1)):  # whose clock shows less than at the beginning
        assert long.until(later) == berlin("2026-10-25T02:30") + 7200.0


def windows_that_touch_and_overlap(our: SimpleNamespace) -> None:
    always = our.downtime.Recurring("*/10 * * * *", 900.0, "UTC")
    assert [always.until(wall) for wall in (0.0, 599.0, 600.0)] == [900.0, 900.0, 1500.0]
    leap = our.downtime.Recurring("0 0 29 2 *", 86400.0, "UTC")
    assert leap.until(berlin("2028-02-29T12:00")) is not None
    assert leap.until(berlin("2027-03-01T12:00")) is None


def what_is_no_window(our: SimpleNamespace) -> None:
    Recurring, wrong = our.downtime.Recurring, our.errors.UserError
    for cron in ("", "0 2 * *", "0 2 * * 8", "60 2 * * 0", "0 0 30 2 *", "* * * * * *", "@daily"):
        with pytest.raises(wrong, match="is no cron expression"):
            Recurring(cron, 60.0, "UTC")
    for zone in ("", "Berlin", "../../etc/passwd", "Europe", "Europe/Berlin\0"):
        with pytest.raises(wrong, match="table of time zones"):
            Recurring("0 2 * * 0", 60.0, zone)
    for seconds in (0.0, -1.0, 1e9, float("nan")):
        with pytest.raises(wrong, match="no length"):
            Recurring("0 2 * * 0", seconds, "UTC")


def whom_a_downtime_is_for(our: SimpleNamespace) -> None:
    Subject, covered = our.subject.Subject, our.downtime.covered
    one = Subject("f#a@web-1", "web-1", ("web",), {"env": "prod"}, ("slow", "web"))
    two = Subject("f#b@db", "db", (), {"env": "prod"}, ("web",))
    assert covered([one, two], "web") == {"f#a@web-1"}
    assert covered([one, two], "env=prod") == {"f#a@web-1", "f#b@db"}
    assert covered([one, two], "env=prod", "@web and not @slow") == {"f#b@db"}
    assert covered([one, two], tags="@slow") == {"f#a@web-1"}
    for hosts, tags, why in (("", "", "say for what"), ("wbe", "", "did you mean 'web'"), ("", "and and", "no tag")):
        with pytest.raises(our.errors.UserError, match=why):
            covered([one, two], hosts, tags)


def fresh(our: SimpleNamespace):
    return our.status.begun(our.moments.Moment(900.0, 0.0))


def looked(our: SimpleNamespace, policy, state: str, steady: float):
    return our.status.advance(fresh(our), our.status.Look(our.moments.Moment(steady, 0.0), state), policy)


def berlin(text: str, fold: int = 0) -> float:
    from zoneinfo import ZoneInfo

    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).timestamp()


STORIES = {
    tale.__name__: tale
    for tale in (
        never_seen_is_due_at_once, on_a_grid_with_a_place_for_each_host, hosts_are_spread, soft_is_looked_at_sooner,
        a_hint_moves_a_look_forward, what_runs_is_not_asked_again, a_machine_that_slept_makes_up_once,
        a_look_of_the_future_holds_nothing_up, what_a_restart_remembers, an_agenda, an_agenda_does_not_grow,
        every_sunday_night, in_the_spring_an_hour_is_not_there, in_the_autumn_an_hour_comes_twice,
        windows_that_touch_and_overlap, what_is_no_window, whom_a_downtime_is_for,
    )
}  # fmt: skip
