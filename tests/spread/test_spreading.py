"""A run whose hosts are asked by workers is the run that asks them itself: the same report, each result once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.hosts import STOPPED
from infratest.model import Report, Result
from infratest.spread.threads import Threads
from tests.spread.conftest import Watched, host, without_times

FEATURE = """\
Feature: f
  Scenario: good
    Then the user "root" exists
    And the command "echo 71" prints a number at most 90, warning 80
  Scenario: bad
    Then the file "/nothing-there" exists
  @needs:bad
  Scenario: behind it
    Then the user "root" exists
  @attempts:2
  Scenario: twice
    Then the file "/nothing-there-either" exists
  @warning
  Scenario: mild
    Then the command "exit 3" exits 0
  @skip:not-now
  Scenario: left out
    Then the user "root" exists
  Scenario: alike
    Then the file "/etc/passwd" is the same on all hosts
  Scenario: from here
    Then the name "localhost" resolves to "127.0.0.1"
  Scenario: of one
    Given the host "web-1"
    Then the command "echo a b" prints "a b"
"""
HOSTS = [
    host("web-1", labels={"role": "web"}, groups=("web",)),
    host("web-2"),
    host("silent", options={"fail": {"open": "unreachable"}}),
    host("shut", options={"fail": {"open": "access-refused"}}),
    host("off", state=STOPPED),
    host("here", transport="local", options={}),
    host("tunnelled", address="127.0.0.1"),
]


def names(engine: Watched) -> list[str]:
    return sorted(json.loads(text)["host"][0] for text in engine.portions)


def test_the_report_is_that_of_a_run_without_workers(ran: Callable[..., Report]):
    engine = Watched()
    here, spread = ran(FEATURE, HOSTS), ran(FEATURE, HOSTS, engine)
    engine.close()
    assert without_times(spread.as_dict()) == without_times(here.as_dict())
    assert (spread.counts["ok"], spread.counts["critical"], spread.counts["warning"]) == (6, 10, 4)
    assert names(engine) == ["shut", "silent", "web-1", "web-2"]
    one = json.loads(next(text for text in engine.portions if '"web-1"' in text))
    assert [task[0][2] for task in one["tasks"]] == ["good", "bad", "behind it", "twice", "mild", "of one"]


def test_what_it_cost_is_counted_whoever_asked(ran: Callable[..., Report]):
    threads = Threads(2)
    text = 'Feature: f\n  Scenario: s\n    Then the user "root" exists\n'
    report = ran(text, [host("a"), host("b"), host("c", transport="local", options={})], threads)
    threads.close()
    assert report.state == "ok"
    assert report.cost.as_dict() == {"logins": 2, "round_trips": 2, "commands": 2}


def test_each_result_is_told_once_and_the_host_that_blocks_it_before(ran: Callable[..., Report]):
    told: list[Result] = []
    threads = Threads(2)
    ran(FEATURE, HOSTS, threads, on_result=told.append)
    threads.close()
    ids = [each.id for each in told]
    assert len(ids) == len(set(ids))
    assert ids.index("reachable@silent") < ids.index("x.feature#good@silent")


def test_an_answer_that_comes_twice_counts_once(ran: Callable[..., Report]):
    told: list[Result] = []
    engine = Watched(again=2)
    report = ran(
        'Feature: f\n  Scenario: s\n    Then the user "root" exists\n', [host("a")], engine, on_result=told.append
    )
    engine.close()
    assert len(engine.answers_seen) == 1
    assert [each.id for each in told] == [each.id for each in report.results] == ["x.feature#s@a"]
    assert report.cost.as_dict() == {"logins": 1, "round_trips": 1, "commands": 1}


ONE = 'Feature: f\n  Scenario: s\n    Then the disk "/" is less than 100 % full\n'


def changed(**values: object) -> Callable[[str], str]:
    return lambda text: json.dumps(json.loads(text) | values)


def test_the_answer_to_another_portion_is_none(ran: Callable[..., Report]):
    engine = Watched(changed(number=-1))
    report = ran(ONE, [host("a")], engine)
    engine.close()
    assert (report.state, report.results[0].id) == ("unknown", "x.feature#s@a")
    assert "a worker's answer cannot be read: it is the answer to portion -1" in report.results[0].reason
    assert [(seen.name, seen.value) for seen in report.results[0].steps[0].observations] == [("disk / used", None)]


def test_a_worker_of_another_version_is_refused_by_name(ran: Callable[..., Report]):
    engine = Watched(changed(infratest="0.0.9"))
    with pytest.raises(UserError, match=r"^a worker has infratest 0\.1\.0, and this is 0\.1\.0: install the same one"):
        ran(ONE, [host("a")], engine)
    engine.close()


def test_a_portion_that_names_no_check_of_ours_is_not_asked(ran: Callable[..., Report]):
    def to_another(text: str) -> str:
        return text.replace("infratest.steps.disk", "os.path")

    engine = Watched(to_another)
    report = ran(ONE, [host("a")], engine)
    engine.close()
    assert "os.path" in to_another(engine.portions[0])
    assert report.state == "unknown"
    assert report.results[0].reason == "its worker could not ask it: os.path holds no checks"


class Nobody:
    """Takes portions, and answers none."""

    def ask(self, portions: object) -> Nobody:
        return self

    def answers(self, seconds: float) -> list[tuple[int, str]]:
        self.seconds = seconds
        return []

    def drop(self) -> None:
        self.dropped = True


def test_what_nobody_answers_is_unknown_and_dropped(ran: Callable[..., Report]):
    engine = Nobody()
    report = ran(ONE, [host("a")], engine, timeout=40)
    assert report.results[0].state == "unknown"
    assert report.results[0].reason.startswith("no worker has answered within 40 s")
    assert engine.dropped
    assert 0 < engine.seconds <= 42.3


def test_nobody_is_asked_for_what_this_machine_alone_reaches(ran: Callable[..., Report]):
    port = host("port", endpoints={22: ("127.0.0.1", 2222)})
    alone = [host("here", transport="local", options={}), host("box", address="127.0.0.1"), port]
    engine = Watched()
    assert ran(ONE, alone, engine).state == "ok"
    engine.close()
    assert engine.portions == []


def test_acts_and_steps_of_the_users_own_stay(ran: Callable[..., Report], tmp_path: Path):
    text = (
        "Feature: f\n  Scenario: acts\n"
        f'    When the command "touch {tmp_path}/done" is run\n    Then the file "{tmp_path}/done" exists\n'
    )
    engine = Watched()
    report = ran(text, [host("a")], engine)
    engine.close()
    assert (report.state, engine.portions) == ("ok", [])
    assert (tmp_path / "done").exists()
