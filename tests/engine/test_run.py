"""Features run for real on this machine: what each scenario becomes, and what the whole costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from infratest.hosts import GONE, STOPPED, Host
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WARNING


def states(report):
    return {result.id.partition("#")[2] or result.id: (result.state, result.blocked_by) for result in report.results}


def steps_of(report, slug):
    return next(result for result in report.results if f"#{slug}@" in result.id).steps


def local(name, **more):
    """This machine, asked by script over a transport, as another host would be."""
    return Host(name=name, transport="fake", options={"otherwise": "run"}, **more)


def test_states_of_scenarios_on_one_host(ran):
    report = ran(
        """
        Feature: this machine
          Scenario: good
            Then the file "/etc/passwd" exists
            And the file "/nonexistent" does not exist
          Scenario: bad
            Then the file "/nonexistent" exists
          @warning
          Scenario: mild
            Then the file "/nonexistent" exists
          Scenario: undefined
            Then the moon is full
          @skip:no-moon-today
          Scenario: left out
            Then the file "/nonexistent" exists
          Scenario: nothing asked
            Given the host "local"
          Scenario: missing tool
            Then the command "no-such-program-anywhere" exits 0
        """
    )
    assert states(report) == {
        "good@local": (OK, None),
        "bad@local": (CRITICAL, None),
        "mild@local": (WARNING, None),
        "undefined@-": (UNKNOWN, None),
        "left-out@local": (SKIPPED, None),
        "nothing-asked@-": (UNKNOWN, None),
        "missing-tool@local": (UNKNOWN, None),
    }
    assert report.counts == {
        "ok": 1,
        "warning": 1,
        "critical": 1,
        "unknown": 3,
        "skipped": 1,
        "blocked": 0,
        "waived": 0,
    }
    assert report.exit == 2


def test_one_login_and_one_trip_for_any_number_of_checks(ran):
    checks = [f'And the file "/etc/passwd{n}" does not exist' for n in range(60)]
    lines = ['Then the user "root" exists', *checks, 'And the package "bash" is installed']
    report = ran("Feature: f\n  Scenario: many\n" + "\n".join(lines), hosts=[local("a")])
    assert report.state == OK
    assert (report.cost.logins, report.cost.round_trips, report.cost.commands) == (1, 1, 1)


def test_all_checks_of_a_stretch_are_judged_after_one_failed(ran):
    report = ran(
        """
        Feature: f
          Scenario: s
            Then the file "/nonexistent" exists
            And the file "/etc/passwd" exists
            And the user "nobody-at-all" exists
        """
    )
    assert [step.state for step in steps_of(report, "s")] == [CRITICAL, OK, CRITICAL]


def test_what_follows_a_given_that_does_not_hold_is_not_judged(ran):
    report = ran(
        """
        Feature: f
          Scenario: s
            Given the file "/nonexistent" exists
            Then the file "/etc/passwd" exists
        """
    )
    assert [step.state for step in steps_of(report, "s")] == [CRITICAL, UNKNOWN]
    assert report.state == CRITICAL


@pytest.mark.parametrize("state", [STOPPED, GONE])
def test_results_of_a_host_that_is_down_are_blocked_by_its_one_result(ran, state):
    report = ran(
        """
        Feature: f
          Scenario: one
            Then the file "/etc/passwd" exists
          Scenario: two
            Then the user "root" exists
        """,
        hosts=[local("a"), local("b", state=state)],
    )
    assert states(report) == {
        "reachable@b": (CRITICAL, None),
        "one@a": (OK, None),
        "one@b": (UNKNOWN, "reachable@b"),
        "two@a": (OK, None),
        "two@b": (UNKNOWN, "reachable@b"),
    }
    assert report.counts["blocked"] == 2
    assert report.counts["unknown"] == 0


@pytest.mark.parametrize("state", [STOPPED, GONE])
def test_a_host_that_is_down_is_never_taken_for_this_machine(ran, state):
    gone = Host(name="h", transport="local", state=state)
    report = ran('Feature: f\n  Scenario: one\n    Then the file "/etc/passwd" exists', hosts=[gone])
    assert states(report) == {"reachable@h": (CRITICAL, None), "one@h": (UNKNOWN, "reachable@h")}


def test_a_way_in_that_fails_is_unknown_and_blocks_too(ran):
    fake = Host(name="f", transport="fake", options={"fail": {"open": "access-refused"}})
    report = ran('Feature: f\n  Scenario: one\n    Then the file "/etc/passwd" exists', hosts=[fake])
    assert states(report) == {"reachable@f": (UNKNOWN, None), "one@f": (UNKNOWN, "reachable@f")}
    assert report.exit == 3


def test_a_host_that_hangs_ends_at_the_deadline_and_holds_up_nobody_elses_result(ran):
    hangs = Host(name="h", transport="fake", options={"answers": {"env*": {"hang": True}}})
    started = time.monotonic()
    report = ran(
        'Feature: f\n  Scenario: one\n    Then the file "/etc/passwd" exists', hosts=[hangs, local("a")], timeout=2
    )
    assert time.monotonic() - started < 10
    assert states(report)["one@a"] == (OK, None)
    assert states(report)["one@h"] == (UNKNOWN, "reachable@h")
    assert report.exit == 3


def test_a_connection_cut_in_mid_answer_is_unknown_never_ok(ran):
    cut = Host(name="c", transport="fake", options={"answers": {"env*": {"stdout": "half an ans", "lost": True}}})
    report = ran('Feature: f\n  Scenario: one\n    Then the file "/nonexistent" does not exist', hosts=[cut])
    assert report.state == UNKNOWN


def test_within_asks_until_it_holds(ran, tmp_path):
    mark = tmp_path / "mark"
    timer = threading.Timer(0.7, mark.touch)
    timer.start()
    try:
        report = ran(f'Feature: f\n  Scenario: s\n    Then the file "{mark}" exists within 20 s', hosts=[local("a")])
    finally:
        timer.join()
    assert report.state == OK
    assert report.cost.logins == 1
    assert report.cost.round_trips > 1


def test_within_ends_and_says_how_long_it_was_asked(ran):
    report = ran('Feature: f\n  Scenario: s\n    Then the file "/nonexistent" exists within 1 s')
    assert report.state == CRITICAL
    assert "within 1 s" in report.results[0].reason


def test_for_must_hold_throughout(ran, tmp_path):
    mark = tmp_path / "mark"
    mark.touch()
    timer = threading.Timer(0.6, mark.unlink)
    timer.start()
    try:
        report = ran(f'Feature: f\n  Scenario: s\n    Then the file "{mark}" exists for 10 s')
    finally:
        timer.join()
    assert report.state == CRITICAL
    assert "of the 10 s it must hold" in report.results[0].reason


def test_for_holds_where_nothing_changes(ran):
    report = ran('Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists for 1 s')
    assert report.state == OK
    assert report.duration >= 1


def test_attempts_run_a_scenario_again(ran, tmp_path):
    count = tmp_path / "count"
    report = ran(
        f"""
        Feature: f
          @attempts:5
          Scenario: s
            Then the command "echo x >>{count}; test $(wc -l <{count}) -ge 3" exits 0
        """
    )
    assert report.state == OK
    assert report.results[0].attempts == 3
    assert count.read_text() == "x\n" * 3


def test_a_command_asked_by_many_sentences_runs_once(ran, tmp_path):
    count = tmp_path / "count"
    report = ran(
        f"""
        Feature: f
          Scenario: s
            Then the command "echo x >>{count}; echo y" exits 0
            And the command "echo x >>{count}; echo y" prints "y"
          Scenario: t
            Then the command "echo x >>{count}; echo y" does not print "z"
        """
    )
    assert report.state == OK
    assert count.read_text() == "x\n"


def test_on_counts_hosts(ran):
    hosts = [local("a"), local("b"), local("c", state=GONE)]
    report = ran(
        """
        Feature: f
          Scenario: enough
            Then the file "/etc/passwd" exists on at least 2 hosts
          Scenario: one only
            Then the file "/etc/passwd" exists on exactly one host
          Scenario: none
            Then the file "/nonexistent" exists on no host
          Scenario: named
            Then the file "/etc/passwd" exists on "a"
        """,
        hosts=hosts,
    )
    assert states(report) == {
        "reachable@c": (CRITICAL, None),
        "enough@-": (OK, None),
        "one-only@-": (CRITICAL, None),
        "none@-": (UNKNOWN, "reachable@c"),
        "named@-": (OK, None),
    }


def test_an_act_runs_its_lines_in_order_and_facts_are_asked_anew(ran, tmp_path):
    mark = tmp_path / "mark"
    report = ran(
        f"""
        Feature: f
          Scenario: s
            Given the file "{mark}" does not exist
            When the command "touch {mark}" is run
            Then the file "{mark}" exists
            When the command "rm {mark}" is run
            Then the file "{mark}" does not exist
        """
    )
    assert states(report) == {"s@-": (OK, None)}
    assert [step.state for step in report.results[0].steps] == [OK] * 5


def test_an_act_that_fails_is_unknown_and_blocks_the_rest(ran):
    report = ran(
        """
        Feature: f
          Scenario: s
            When the command "exit 3" is run
            Then the file "/etc/passwd" exists
        """
    )
    assert [step.state for step in report.results[0].steps] == [UNKNOWN, UNKNOWN]
    assert "exit 3" in report.results[0].reason


def test_numbers_become_observations_with_ranges_and_stay_when_not_reached(ran):
    text = 'Feature: f\n  Scenario: s\n    Then the disk "/" is less than 100 % full, warning 99.9 %'
    seen = ran(text, hosts=[local("a")]).results[0].steps[0].observations[0]
    assert (seen.name, seen.unit, seen.warning, seen.critical) == ("disk / used", "%", "99.9", "100")
    assert seen.value is not None
    blocked = ran(text, hosts=[local("a", state=GONE)]).results[1].steps[0].observations[0]
    assert blocked == seen.changed(value=None)


def test_a_threshold_decides_between_warning_and_critical(ran):
    def state(bound):
        return ran(f'Feature: f\n  Scenario: s\n    Then the command "echo 50" prints a number {bound}').state

    assert state("less than 60, warning 55") == OK
    assert state("less than 60, warning 50") == WARNING
    assert state("less than 50, warning 40") == CRITICAL
    assert state("at least 50") == OK
    assert state("more than 50") == CRITICAL
    assert state("between 40 and 50") == OK
    assert state("exactly 50") == OK


def test_values_are_put_in_and_shell_quoted(ran):
    host = local("a", labels={"role": "it's $HOME; `id`"})
    report = ran(
        """
        Feature: f
          Scenario: s
            Then the command "printf %s {host.label.role}" prints exactly "it's $HOME; `id`"
            And the command "echo {x} {{host.name}" prints exactly "{x} {{host.name}"
        """,
        hosts=[host],
    )
    assert report.state == OK, report.results[0].reason


@pytest.mark.parametrize(
    "sentence, told",
    [
        ('the file "{host.nmae}" exists', "did you mean 'name'"),
        (
            'the file "{param.x}" exists',
            "unknown name 'x'; known are none: `parameters:` of a stack file declares them",
        ),
        ('the file "{balancer.shop.address}" exists', "not in this version"),
        ('the disk "/" is less than 80 % full, warning 90 %', "looser"),
    ],
)
def test_what_cannot_be_planned_is_unknown_with_its_line(ran, sentence, told):
    report = ran(f"Feature: f\n  Scenario: s\n    Then {sentence}")
    assert report.state == UNKNOWN
    assert told in report.results[0].reason


def test_output_of_hosts_is_cleaned(ran):
    report = ran("""Feature: f\n  Scenario: s\n    Then the command "printf '\\033[31mred\\007'" prints "blue" """)
    evidence = report.results[0].steps[0].evidence[0]
    assert "\033" not in evidence.output + report.results[0].reason
    assert "\007" not in evidence.output


def test_no_connection_is_left_open(ran):
    before = len(os.listdir("/proc/self/fd"))
    ran('Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists')
    assert len(os.listdir("/proc/self/fd")) <= before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("infratest")]


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_that_hangs_at_once_and_undoes_its_faults(tmp_path, number, status):
    record = tmp_path / "record.jsonl"
    answers = {
        "systemctl is-active*": {"exit": 0},
        "systemctl stop*": {"exit": 0},
        "systemctl start*": {"exit": 0},
        "env*": {"hang": True},
    }
    (tmp_path / "stack.yaml").write_text("stack: t\nprovider: local\n")
    (tmp_path / "x.feature").write_text(
        'Feature: f\n  Scenario: s\n    When the service "x" is stopped\n    Then the file "/etc/passwd" exists\n'
    )
    (tmp_path / "run.py").write_text(
        "import sys\n"
        "from infratest.cli import main\n"
        "from infratest.project import prepare\n"
        "from infratest.hosts import Host\n"
        f"host = Host(name='h', transport='fake', options={{'answers': {answers!r}, 'record': {str(record)!r}}})\n"
        "prepare.open_hosts = lambda *_: [host]\n"
        "main.main(['test', 'x.feature'])\n"
    )
    going = subprocess.Popen([sys.executable, "run.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + 20
        while not record.exists() or '"env' not in record.read_text():
            assert time.monotonic() < end
            assert going.poll() is None
            time.sleep(0.02)
        going.send_signal(number)
        words = going.communicate(timeout=20)[1]
    finally:
        going.kill()
        going.wait()
    assert going.returncode == status
    assert words.strip() == "infratest: interrupted"
    assert "systemctl start -- x" in record.read_text()
    journal = (tmp_path / ".infratest" / "journal.jsonl").read_text()
    assert "undo-done" in journal
