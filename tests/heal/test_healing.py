"""The engine from a report to an act and its record: real programs on this machine, a real service to mend."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, NotInThisVersion, Unreachable, UserError
from infratest.heal.gates import Answer, Limits
from infratest.heal.healing import heal
from infratest.heal.records import HealRecord, applied, note
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.stack.declared import HealRule
from infratest.store.directory import StateDir
from infratest.store.failures import Row, load
from infratest.transports.base import Transport
from tests.worlds.heal_world import (
    NOON,
    Ticking,
    World,
    closed,
    events,
    make_hosts,
    make_report,
    make_result,
    make_rule,
    result_id,
    run,
)

ID = result_id("web-1")


class Service:
    """A process that runs or does not, started by `start.sh` as an init script would."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "service.pid"
        self.start = f"sleep 300 </dev/null >/dev/null 2>&1 & echo $! >{self.pid_file}"

    @property
    def running(self) -> bool:
        try:
            return Path(f"/proc/{int(self.pid_file.read_text())}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return False

    def kill(self) -> None:
        if self.running:
            os.kill(int(self.pid_file.read_text()), 9)
            end = monotonic() + 10
            while self.running:
                assert monotonic() < end
                sleep(0.01)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.kill()


def watched(world: World, service: Service) -> World:
    world.look = lambda host: make_result("ok" if service.running else "critical", host)
    return world


def test_a_decision_about_the_whole_stack_is_not_said_to_be_on_a_host() -> None:
    refused = (Answer(name="target", passed=False, reason="no host to act on"),)
    records = [
        HealRecord(
            time=0.0,
            rule=make_rule(),
            outcome="refused",
            gates=refused,
            rung=0,
            remedy="provision",
            before=make_result("critical", host),
        )
        for host in ("-", "web-1")
    ]
    assert note(records) == ["not healed: no host to act on", "not healed on web-1: no host to act on"]


def test_a_dead_service_is_confirmed_started_verified_and_recorded(
    world: World, state: StateDir, service: Service
) -> None:
    watched(world, service)
    rule = make_rule(confirm=2, do=(("run", service.start),))
    (first,) = run(world, state, rule)
    assert (first.outcome, closed(first)) == ("refused", ["confirm"])
    assert note([first]) == ["not healed: failure 1 in a row, 2 confirm"]
    assert not service.running

    (second,) = run(world, state, rule)
    assert second.verified
    assert service.running
    words = f"healed: run {service.start[:60]}"
    assert note([second])[0].startswith(words[:40])
    assert note([second])[0].endswith(", was CRITICAL")

    service.kill()
    (third,) = run(world, state, rule)
    assert closed(third) == ["confirm"]  # the row began anew
    assert not service.running
    assert run(world, state, rule)[0].verified
    assert events(state) == ["refused", "try", "tried", "refused", "try", "tried"]


def test_a_healed_report_is_ok_and_says_so(world: World, state: StateDir) -> None:
    report = make_report([*world.report().results, make_result("ok", host="web-2")])
    records = heal(report, [make_rule()], state, world.means(), history={})
    healed = applied(report, records)
    assert (healed.state, healed.exit) == ("ok", 0)
    assert healed.notes == ("healed: provision, was CRITICAL",)
    assert [result.id for result in healed.results] == [result.id for result in report.results]
    assert (report.state, report.notes) == ("critical", ())


def test_the_audit_holds_everything(world: World, state: StateDir) -> None:
    run(world, state, make_rule())
    begun, ended = state.read("heal.jsonl")
    assert begun["event"] == "try"
    assert begun["until"] == begun["time"] + 600
    assert "after" not in begun
    assert ended["try"] == begun["try"]
    of_it = {
        "event": "tried", "stack": "shop", "env": "prod", "rule": "mend-web", "id": ID, "host": "web-1", "rung": 0,
        "mode": "auto", "verified": True, "time": NOON + 60,
    }  # fmt: skip
    assert {key: ended[key] for key in of_it} == of_it
    assert ended["remedy"] == "provision"
    assert ended["command"] == "infratest provision --host web-1"
    assert ended["words"] == "changed 1"
    assert ended["approved_by"] == "mode auto of rule mend-web in stack.yaml:12"
    assert ended["before"]["state"] == "critical"
    assert ended["before"]["steps"][0]["reason"] == "port 80 is not listening"
    assert ended["after"] == {"state": "ok", "reason": "", "steps": []}
    assert all(gate["passed"] and gate["reason"] for gate in ended["gates"])
    assert ended["duration"] >= 0


def test_each_decision_on_record_is_an_event(world: World, state: StateDir) -> None:
    rule = make_rule(confirm=2, do=(("run", "exit 3"), ("provision", {})))
    for _ in range(2):
        run(world, state, rule)
    found = state.read("events.jsonl")
    assert [(event["value"], event["labels"]["remedy"]) for event in found] == [
        ("refused", "run exit 3"),
        ("failed", "run exit 3"),
        ("healed", "provision"),
    ]
    assert found[0]["key"] == "shop.prod.web-1.web.nginx_answers.heal"
    assert found[0]["labels"]["reason"] == "failure 1 in a row, 2 confirm"
    assert {event["labels"]["kind"] for event in found} == {"heal"}


def test_the_ladder_climbs_when_a_rung_does_not_help(world: World, state: StateDir, service: Service) -> None:
    watched(world, service)
    records = run(world, state, make_rule(do=(("run", "echo mild"), ("run", service.start), ("run", "echo never"))))
    assert [(record.rung, record.verified) for record in records] == [(0, False), (1, True)]
    assert records[0].words == "mild"
    assert note(records)[0].startswith("healed: run sleep 300")


def test_the_next_run_of_the_same_problem_begins_one_rung_higher(world: World, state: StateDir) -> None:
    world.helps = False
    rule = make_rule(do=(("provision", {}), ("provision", {}), ("provision", {})), tries=1, per=60.0)
    assert [record.rung for record in run(world, state, rule)] == [0, 1]  # the second one is refused: no tries left
    assert [record.rung for record in run(world, state, rule)] == [1, 2]
    world.sick.clear()
    assert run(world, state, rule) == []
    world.sick.add("web-1")
    assert run(world, state, rule)[0].rung == 0


def test_climbing_stops_at_the_budget(world: World, state: StateDir) -> None:
    world.helps = False
    records = run(world, state, make_rule(do=(("provision", {}),) * 3, tries=2))
    assert [record.outcome for record in records] == ["tried", "tried", "refused"]
    again = "healing gave up after 2 tries: it begins again 2027-01-15 09:01:00 UTC"
    assert note(records) == [f"{again}; before it provision and provision did not help"]
    assert len(world.acts) == 2


def test_healing_gives_up_and_begins_again_when_the_window_has_passed(world: World, state: StateDir) -> None:
    world.helps = False
    rule = make_rule(tries=3, per=3600.0)
    notes = [note(run(world, state, rule)) for _ in range(5)]
    assert notes[:3] == [["provision did not help, now CRITICAL"]] * 3
    assert notes[3:] == [["healing gave up after 3 tries: it begins again 2027-01-15 09:01:00 UTC"]] * 2
    world.now += 3600
    assert run(world, state, rule)[0].outcome == "tried"


def test_observe_says_what_it_would_do_and_is_not_written_twice(world: World, state: StateDir) -> None:
    rule = make_rule(mode="observe")
    for _ in range(3):
        records = run(world, state, rule)
        assert note(records) == ["would provision (observe)"]
    assert world.acts == []
    assert events(state) == ["would"]


def test_a_refusal_is_written_once_until_it_changes(world: World, state: StateDir) -> None:
    rule = make_rule(confirm=4)
    for _ in range(3):
        run(world, state, rule)
    assert events(state) == ["refused"]
    run(world, state, make_rule(confirm=9, tries=0))
    assert events(state) == ["refused", "refused"]
    world.sick.clear()
    run(world, state, rule)
    world.sick.add("web-1")
    run(world, state, rule)  # another problem
    assert events(state) == ["refused"] * 3


def test_a_dry_run_says_and_stores_nothing(world: World, state: StateDir) -> None:
    records = run(world, state, make_rule(), dry_run=True)
    assert note(records) == ["would provision (dry run)"]
    assert world.acts == []
    assert not state.exists


def test_a_second_failure_on_the_same_host_is_looked_at_again_first(world: World, state: StateDir) -> None:
    other = result_id("web-1", "the-shop-answers")
    report = make_report([make_result("critical"), make_result("critical", id=other)])
    records = heal(report, [make_rule()], state, world.means(clock=Ticking(NOON, 0.1)), history={})
    assert [(record.before.id, record.outcome) for record in records] == [(ID, "tried"), (other, "recovered")]
    assert len(world.acts) == 1
    assert note(records) == ["healed: provision, was CRITICAL"]
    assert applied(report, records).exit == 0
    assert load(state, "shop/prod")[other].failures == 0


def test_a_stored_report_is_looked_at_again_before_the_act(world: World, state: StateDir) -> None:
    report = world.report()
    world.now += 300
    world.sick.clear()
    (record,) = heal(report, [make_rule()], state, world.means(), history={})
    assert record.outcome == "recovered"
    assert world.acts == []
    assert world.looks == [ID]
    assert note([record]) == ["ok again before anything was done, was CRITICAL"]


def test_a_report_handed_in_twice_confirms_nothing(world: World, state: StateDir) -> None:
    report = world.report()
    for _ in range(3):
        (record,) = heal(report, [make_rule(confirm=2)], state, world.means(), history={})
        assert closed(record) == ["confirm"]
    assert load(state, "shop/prod")[ID] == Row(state="critical", failures=1, since=NOON, last=NOON, looks="c")


def test_the_unknown_and_the_blocked_are_refused_on_record_and_not_on_the_line(world: World, state: StateDir) -> None:
    results = [
        make_result("unknown"),
        make_result("unknown", id=result_id("web-1", "b"), blocked_by="features/web.feature#reachable@web-1"),
    ]
    records = heal(make_report(results), [make_rule()], state, world.means(), history={})
    assert ["qualify" in closed(record) for record in records] == [True, True]
    assert note(records) == []
    assert events(state) == ["refused", "refused"]
    assert world.acts == []


def test_a_remedy_that_fails_counts_and_says_why(world: World, state: StateDir) -> None:
    rule = make_rule(do=(("run", "echo no room >&2; exit 3"),), tries=1)
    (record,) = run(world, state, rule)
    assert "exit 3: no room" in record.error
    assert "did not help (run echo no room" in note([record])[0]
    assert note(run(world, state, rule)) == ["healing gave up after 1 try: it begins again 2027-01-15 09:01:00 UTC"]


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (
            ("hook", ["true"]),
            "hook true: the files for what it is told and what it says could not be used: No such file",
        ),
        (("fake", {"log": "no-folder/tries"}), "No such file or directory"),
    ],
)
def test_what_this_machine_refuses_a_remedy_fails_the_remedy_alone(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, do: tuple[str, object], words: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(world.folder / "gone"))
    (record,) = run(world, state, make_rule(do=(do,)))
    assert words in record.error
    assert events(state) == ["try", "tried"]


def test_a_defect_of_a_remedy_leaves_no_try_without_an_end(world: World, state: StateDir) -> None:
    def breaks(name: str) -> None:
        raise ZeroDivisionError("of a plugin")

    world.on_act = breaks
    with pytest.raises(ZeroDivisionError):
        run(world, state, make_rule())
    assert events(state) == ["try", "tried"]
    assert state.read("heal.jsonl")[-1]["error"] == "a defect: ZeroDivisionError: of a plugin"


def test_no_way_to_the_host_counts_and_the_next_rung_needs_none(world: World, state: StateDir) -> None:
    def shut(host: Host, deadline: Deadline) -> Transport:
        raise Unreachable(f"{host.name}: connection refused")

    rule = make_rule(do=(("run", "true"), ("provision", {})))
    records = heal(world.report(), [rule], state, world.means(open_transport=shut), history={})
    assert records[0].error == "web-1: connection refused"
    assert records[1].verified


def test_what_cannot_be_verified_is_unknown_and_the_ladder_stops(world: World, state: StateDir) -> None:
    def broken(ids: object) -> Report:
        raise InfratestError("the feature is gone")

    rule = make_rule(do=(("provision", {}), ("provision", {})))
    records = heal(world.report(), [rule], state, world.means(rerun=broken), history={})
    assert len(records) == 1
    assert records[0].after is not None
    assert (records[0].after.state, records[0].after.reason) == (
        "unknown",
        "could not be run again: the feature is gone",
    )
    assert applied(world.report(), records).exit == 3


def test_a_scenario_that_is_not_run_again_is_unknown(world: World, state: StateDir) -> None:
    empty = make_report([])
    records = heal(world.report(), [make_rule()], state, world.means(rerun=lambda ids: empty), history={})
    assert records[0].after is not None
    assert records[0].after.reason == "was not run again: no such scenario now"


@pytest.mark.parametrize(("usual", "said"), [(10.0, None), (0.0, 10.0)])
def test_a_remedy_is_given_time_to_take_effect(world: World, state: StateDir, usual: float, said: float | None) -> None:
    looks = iter(["critical", "critical", "ok"])
    again: list[Result] = []

    def slowly(ids: object) -> Report:
        again.append(make_result(next(looks)))
        return make_report(again[-1:])

    means = world.means(rerun=slowly, limits=Limits(settle=usual))
    (record,) = heal(world.report(), [make_rule(settles=(said,))], state, means, history={})
    assert record.verified
    assert len(again) == 3


@pytest.mark.parametrize(
    "rule, error, words",
    [
        (make_rule(do=(("restart", "nginx"),)), UserError, "unknown remedy 'restart'"),
        (make_rule(do=(("drain", {}),)), NotInThisVersion, "remedy drain: not in this version"),
        (make_rule(do=()), UserError, "do is empty"),
        (make_rule(do=(("provision", {}), ("run", ""))), UserError, "stack.yaml:12: rule mend-web: run: expected"),
    ],
)
def test_a_wrong_rule_stops_everything_before_the_first_act(
    world: World, state: StateDir, rule: HealRule, error: type[InfratestError], words: str
) -> None:
    good = replace(make_rule(name="good"), when_tags="@web")
    report = make_report([make_result("critical"), make_result("critical", host="web-2", tags=["heal:mend-web"])])
    with pytest.raises(error, match=words):
        heal(report, [good, rule], state, world.means(), history={})
    assert world.acts == []
    assert not state.exists


def test_a_report_whose_id_and_host_contradict_each_other_is_refused(world: World, state: StateDir) -> None:
    world.hosts = make_hosts("web-1", "db-1")
    report = make_report([make_result("critical", "db-1", id=ID)])
    with pytest.raises(UserError, match=f"report: result '{ID}' says that it is of host 'db-1': it was edited; check"):
        heal(report, [make_rule()], state, world.means(), history={})
    assert world.acts == []
    assert not state.exists


def test_hosts_are_named_where_more_than_one_is_concerned(world: World, state: StateDir) -> None:
    world.hosts = make_hosts("web-1", "web-2")
    world.sick = {"web-1", "web-2"}
    assert note(run(world, state, make_rule())) == [
        "healed: provision on web-1, was CRITICAL",
        "healed: provision on web-2, was CRITICAL",
    ]
    world.sick = {"web-1", "web-2"}
    records = run(world, state, make_rule(at_most=0.5))
    assert world.acts[2:] == []
    assert note(records)[0] == "not healed on web-1: group web: 2 of 2 sick (web-1, web-2), at most 1 may be"
