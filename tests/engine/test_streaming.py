"""Results come in as hosts finish: who is quick is told of while another is still waited for, and all is told once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infratest.engine.run import Settings, run
from infratest.errors import Unreachable
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.project.execute import execute
from infratest.project.prepare import Prepared, Request, prepare
from infratest.project.session import Session
from infratest.states import CRITICAL, OK, UNKNOWN
from infratest.transports.local import Local

#: Waits on its host until the test lets it go; a command may take ten seconds, and would be unknown then.
WAIT = 'the command "until test -e {go}; do sleep 0.05; done" exits 0'


class Told:
    """Runs features and notes what is told, as `scenario@host`; the first of `until` lets those go that wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.go = folder / "go"
        self.until: Callable[[Result], bool] = lambda result: True
        self.order: list[str] = []
        self.results: dict[str, Result] = {}
        (folder / "stack.yaml").write_text("stack: t\nprovider: local\n", encoding="utf-8")

    def prepared(self, text: str, hosts: list[Host]) -> tuple[Session, Request, Prepared]:
        (self.folder / "x.feature").write_text(text.replace("WAIT", WAIT.format(go=self.go)), encoding="utf-8")
        session = Session(timeout=60, state_path=str(self.folder / "state"), stack_path=self.folder / "stack.yaml")
        request = Request(features=("x.feature",))
        return session, request, prepare(session, request, hosts)

    def run(self, text: str, hosts: list[Host]) -> Report:
        session, request, prepared = self.prepared(text, hosts)
        return execute(session, request, prepared, self.told)

    def told(self, result: Result) -> None:
        name = result.id.partition("#")[2] or result.id
        self.order.append(name)
        self.results[name] = result
        if self.until(result):
            self.go.touch()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.chdir(tmp_path)
    return Told(tmp_path)


def host(name: str, **more: object) -> Host:
    """This machine, asked by script over a transport, as another host would be."""
    return Host(name=name, transport="fake", options={"otherwise": "run"} | more)


def names(report: Report) -> list[str]:
    return [result.id.partition("#")[2] or result.id for result in report.results]


def test_a_host_that_is_done_is_told_of_while_another_is_waited_for(told: Told) -> None:
    text = """
        Feature: f
          Scenario: looks
            Then the user "root" exists
          Scenario: waits
            Given the host "a"
            Then WAIT
          Scenario: fails
            Then the file "/nonexistent" exists
        """
    report = told.run(text, [host("a"), host("b")])
    assert told.order == ["looks@b", "fails@b", "looks@a", "waits@a", "fails@a"]
    assert [told.results[name].state for name in told.order] == [OK, CRITICAL, OK, OK, CRITICAL]
    assert names(report) == ["looks@a", "looks@b", "waits@a", "fails@a", "fails@b"]  # the plan's order, as ever
    assert [told.results[name] for name in names(report)] == [result.changed(since=None) for result in report.results]


def test_who_needs_several_hosts_waits_for_the_last_of_them(told: Told) -> None:
    text = """
        Feature: f
          Scenario: both
            Then the user "root" exists on at least 2 hosts
          Scenario: waits
            Given the host "a"
            Then WAIT
          Scenario: b alone
            Given the host "b"
            Then the user "root" exists
        """
    report = told.run(text, [host("a"), host("b")])
    assert told.order[0] == "b-alone@b"
    assert sorted(told.order[1:]) == ["both@-", "waits@a"]
    assert report.counts["ok"] == 3


def test_a_host_that_is_not_reached_is_told_of_once_and_before_what_it_blocks(told: Told) -> None:
    told.until = lambda result: result.id.endswith("two@dead")
    text = """
        Feature: f
          Scenario: waits
            Given the host "a"
            Then WAIT
          Scenario: one
            Given the host "dead"
            Then the user "root" exists
          Scenario: two
            Given the host "dead"
            Then the file "/etc/passwd" exists
        """
    report = told.run(text, [host("a"), host("dead", fail={"open": "unreachable"})])
    assert told.order == ["reachable@dead", "one@dead", "two@dead", "waits@a"]
    assert names(report) == ["reachable@dead", "waits@a", "one@dead", "two@dead"]
    assert report.counts == {
        "ok": 1,
        "warning": 0,
        "critical": 1,
        "unknown": 0,
        "skipped": 0,
        "blocked": 2,
        "waived": 0,
    }


def test_what_needs_another_scenario_is_told_as_it_is_in_the_end(told: Told) -> None:
    told.until = lambda result: result.scenario == "base"
    text = """
        Feature: f
          @needs:base
          Scenario: above
            Given the host "b"
            Then the file "/etc/passwd" exists
          Scenario: base
            Given the host "b"
            Then the file "/nonexistent" exists
          Scenario: waits
            Given the host "a"
            Then WAIT
        """
    report = told.run(text, [host("a"), host("b")])
    assert told.order == ["base@b", "waits@a", "above@b"]
    assert told.results["above@b"].blocked_by == "x.feature#base@b"
    assert (report.counts["critical"], report.counts["blocked"], report.counts["ok"]) == (1, 1, 1)


def test_an_attempt_that_is_not_the_last_is_not_told(told: Told) -> None:
    told.until = lambda result: True
    text = """
        Feature: f
          @attempts:2
          Scenario: fails
            Given the host "b"
            Then the file "/nonexistent" exists
          Scenario: holds
            Given the host "b"
            Then the user "root" exists
          Scenario: waits
            Given the host "a"
            Then WAIT
        """
    report = told.run(text, [host("a"), host("b")])
    assert told.order == ["holds@b", "waits@a", "fails@b"]
    assert (told.results["fails@b"].attempts, report.state) == (2, CRITICAL)


def test_what_comes_to_hold_within_a_time_is_told_while_another_host_is_waited_for(told: Told) -> None:
    """What does not hold yet is asked again at its own pace: whoever waits for it need not wait for all others."""
    told.until = lambda result: "comes" in result.scenario
    came = told.folder / "came"
    text = f"""
        Feature: f
          Scenario: waits
            Given the host "a"
            Then WAIT
          Scenario: comes
            Given the host "b"
            Then the command "test -e {came} || {{ touch {came}; false; }}" exits 0 within 30 s
          Scenario: stays
            Given the host "b"
            Then the user "root" exists for 1 s
        """
    report = told.run(text, [host("a"), host("b")])
    assert told.order[0] == "comes@b"
    assert report.counts["ok"] == 3


class Slow(BaseHTTPRequestHandler):
    """Answers `/slow` once it may."""

    may = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            assert self.may.wait(30)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_address_that_answers_is_told_of_while_another_does_not(told: Told) -> None:
    Slow.may.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever).start()

    def until(result: Result) -> bool:
        Slow.may.set()
        return False

    told.until = until
    url = f"http://127.0.0.1:{server.server_port}"
    text = f"""
        Feature: f
          Scenario: slow
            Then "{url}/slow" answers 204
          Scenario: quick
            Then "{url}/quick" answers 204
        """
    try:
        report = told.run(text, [host("a")])
    finally:
        Slow.may.set()
        server.shutdown()
        server.server_close()
    assert told.order == ["quick@-", "slow@-"]
    assert report.counts["ok"] == 2


class Late(Local):
    """A host that cannot be reached at first, and can be when it is asked again."""

    tries = 0

    def open(self, deadline: object) -> None:
        Late.tries += 1
        if Late.tries == 1:
            raise Unreachable("a cannot be reached: refused")
        self._open.set()
        self.cost.logins += 1


def test_what_was_blocked_before_the_host_came_back_is_not_green(told: Told) -> None:
    """Its result is blocked by the host's, which must be there: a report whose rest is ok would be ok."""
    Late.tries = 0
    text = """
        Feature: f
          Scenario: once
            Then the user "root" exists
          Scenario: patient
            Then the user "root" exists within 30 s
        """
    for on_result in (None, told.told):
        Late.tries = 0
        _, _, prepared = told.prepared(text, [Host(name="a", transport="local", sudo=True)])
        results, cost = run(prepared.plan, Late, Settings(seconds=60, on_result=on_result))
        found = {result.id.partition("#")[2] or result.id: result for result in results}
        assert found["patient@a"].state == OK
        assert (found["once@a"].state, found["once@a"].blocked_by) == (UNKNOWN, "reachable@a")
        assert found["reachable@a"].state == CRITICAL
        report = Report("t", "", "", 0.0, results, False, cost)
        assert (report.state, report.exit) == (CRITICAL, 2)
    assert told.order == ["reachable@a", "once@a", "patient@a"]
