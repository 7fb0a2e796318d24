"""What tags and the end of a sentence mean, run for real: @needs:, `for`, viewpoints, the time of a command, acts."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from infratest.hosts import Host
from infratest.outputs._perfdata import Range
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING


def states(report):
    return {result.id.partition("#")[2] or result.id: (result.state, result.blocked_by) for result in report.results}


def steps_of(report, slug):
    return next(result for result in report.results if f"#{slug}@" in result.id).steps


def local(name, **more):
    """This machine, asked by script over a transport, as another host would be."""
    return Host(name=name, transport="fake", options={"otherwise": "run"}, **more)


def test_the_time_of_a_command_is_measured_where_it_runs(ran):
    report = ran(
        """
        Feature: f
          Scenario: slow
            Then the command "echo no >&2; sleep 1.1; exit 3" takes less than 1 s, warning 500 ms
          Scenario: warned
            Then the command "sleep 0.6" takes less than 1 h, warning 500 ms
          Scenario: fast
            Then the command "true" takes less than 1 h
          Scenario: words
            Then the command "echo no >&2; sleep 1.1; exit 3" exits 0
        """
    )
    assert states(report) == {
        "slow@local": (CRITICAL, None),
        "warned@local": (WARNING, None),
        "fast@local": (OK, None),
        "words@local": (CRITICAL, None),
    }
    (slow,) = steps_of(report, "slow")
    assert slow.observations[0].value >= 1.1
    assert slow.evidence[0].output == "no"
    assert steps_of(report, "words")[0].reason.endswith("exited 3: no")


@pytest.mark.parametrize(
    "sentence",
    ['the package "no-such-thing" does not have version "1"', 'the user "no-such-user" is not in the group "root"'],
)
def test_a_negation_is_not_met_because_its_subject_is_gone(ran, sentence):
    assert ran(f"Feature: f\n  Scenario: s\n    Then {sentence}").state == CRITICAL


def test_every_viewpoint_has_numbers_of_its_own(ran):
    report = ran(
        """
        Feature: f
          Scenario: s
            Then "http://127.0.0.1:9/" answers 200 in less than 1 s from every host in "g"
        """,
        hosts=[local("a", groups=("g",)), local("b", groups=("g",))],
    )
    (step,) = steps_of(report, "s")
    assert [one.name for one in step.observations] == [
        "from a: http http://127.0.0.1:9/ time",
        "from b: http http://127.0.0.1:9/ time",
    ]


def test_needs_blocks_what_depends_on_a_scenario_that_failed(ran):
    report = ran(
        """
        Feature: f
          Scenario: base
            Then the file "/nonexistent" exists
          @needs:base
          Scenario: dependent
            Then the file "/nonexistent" exists
          @needs:base
          Scenario: holds itself
            Then the file "/etc/passwd" exists
          Scenario: needs nothing
            Then the file "/etc/passwd" exists
          @needs:needs-nothing
          Scenario: needs what holds
            Then the file "/etc/passwd" exists
        """
    )
    assert states(report) == {
        "base@local": (CRITICAL, None),
        "dependent@local": (UNKNOWN, "x.feature#base@local"),
        "holds-itself@local": (UNKNOWN, "x.feature#base@local"),
        "needs-nothing@local": (OK, None),
        "needs-what-holds@local": (OK, None),
    }


def test_what_is_blocked_blocks_in_turn_what_needs_it_wherever_it_stands(ran):
    report = ran(
        """
        Feature: f
          @needs:second
          Scenario: third
            Then the file "/etc/passwd" exists
          @needs:base
          Scenario: second
            Then the file "/etc/passwd" exists
          Scenario: base
            Then the command "no-such-program" prints nothing
          @needs:third
          Scenario: acts
            When the command "true" is run
            Then the file "/etc/passwd" exists
        """
    )
    assert states(report) == {
        "third@local": (UNKNOWN, "x.feature#second@local"),
        "second@local": (UNKNOWN, "x.feature#base@local"),
        "base@local": (UNKNOWN, None),
        "acts@-": (UNKNOWN, "x.feature#third@local"),
    }


def test_what_needs_a_scenario_that_cannot_be_planned_is_blocked(ran):
    report = ran(
        """
        Feature: f
          Scenario: base
            Then the file "{host.nowhere}" exists
          @needs:base
          Scenario: dependent
            Then the file "/etc/passwd" exists
          @needs:base
          Scenario: acts
            When the command "true" is run
            Then the file "/etc/passwd" exists
        """
    )
    assert states(report) == {
        "base@local": (UNKNOWN, None),
        "dependent@local": (UNKNOWN, "x.feature#base@local"),
        "acts@-": (UNKNOWN, "x.feature#base@local"),
    }


def test_what_a_killed_command_prints_is_not_known(ran):
    for claim in ("prints nothing", 'does not print "x"', 'prints no line matching "x"', "prints at most 3 lines"):
        report = ran(f'Feature: f\n  Scenario: s\n    Then the command "kill -9 $$" {claim}')
        assert report.state == UNKNOWN, claim
        (step,) = steps_of(report, "s")
        assert "ended by a signal (SIGKILL: exit 137)" in step.reason


def test_needs_looks_at_the_scenario_of_its_own_feature_and_at_other_hosts(ran):
    hosts = [local("a", groups=("db",)), local("b", groups=("web",)), local("c", groups=("web",))]
    report = ran(
        """
        Feature: f
          Scenario: base
            Given the hosts in group "db"
            Then the file "/nonexistent" exists
          Scenario: fine
            Given the hosts in group "db"
            Then the file "/etc/passwd" exists
          @needs:fine @needs:base
          Scenario: dependent
            Given the hosts in group "web"
            Then the file "/nonexistent" exists
          @needs:fine
          Scenario: alone
            Given the host "b"
            Then the file "/nonexistent" exists
        """,
        hosts=hosts,
    )
    assert states(report) == {
        "base@a": (CRITICAL, None),
        "fine@a": (OK, None),
        "dependent@b": (UNKNOWN, "x.feature#base@a"),
        "dependent@c": (UNKNOWN, "x.feature#base@a"),
        "alone@b": (CRITICAL, None),
    }


def test_a_scenario_that_acts_changes_nothing_where_what_it_needs_does_not_hold(ran, tmp_path):
    report = ran(
        f"""
        Feature: f
          @needs:base
          Scenario: first
            When the command "touch {tmp_path}/first" is run
            Then the file "/etc/passwd" exists
          @needs:first
          Scenario: second
            When the command "touch {tmp_path}/second" is run
            Then the file "/etc/passwd" exists
          Scenario: third
            When the command "touch {tmp_path}/third" is run
            Then the file "/etc/passwd" exists
          @needs:third
          Scenario: fourth
            When the command "touch {tmp_path}/fourth" is run
            Then the file "/etc/passwd" exists
          Scenario: base
            Then the file "/nonexistent" exists
        """
    )
    assert states(report) == {
        "first@-": (UNKNOWN, "x.feature#base@local"),
        "second@-": (UNKNOWN, "x.feature#first@-"),
        "third@-": (OK, None),
        "fourth@-": (OK, None),
        "base@local": (CRITICAL, None),
    }
    assert [(tmp_path / name).exists() for name in ("first", "second", "third", "fourth")] == [False, False, True, True]


def test_numbers_keep_their_labels_where_nobody_looked(ran):
    report = ran(
        """
        Feature: f
          Scenario: checks
            Given the file "/nonexistent" exists
            Then the disk "/" is less than 101 % full, warning 100.5 %
          Scenario: acts
            When the command "false" is run
            Then the disk "/" is less than 101 % full, warning 100.5 %
        """
    )
    for slug in ("checks", "acts"):
        (seen,) = steps_of(report, slug)[1].observations
        assert (seen.name, seen.value, seen.warning, seen.critical) == ("disk / used", None, "100.5", "101")


def test_for_is_seen_to_hold_from_one_round_to_another(ran, tmp_path):
    looks = tmp_path / "looks"
    report = ran(
        f"""
        Feature: f
          Scenario: slow
            Then the command "echo x >>{looks}; sleep 0.4" exits 0 for 200 ms
        """
    )
    assert report.state == OK
    assert looks.read_text().count("x") >= 2


def test_for_goes_on_after_a_warning_and_remembers_it(ran, tmp_path):
    number = tmp_path / "number"
    mild = f"test -e {number}.m && echo 1 || echo 5; touch {number}.m"
    add = f"n=$(cat {number} 2>/dev/null || echo 0); echo $((n + 1)) >{number}"
    report = ran(
        f"""
        Feature: f
          Scenario: worse
            Then the command "{add}; echo $((n * 4))" prints a number less than 8, warning 4 for 20 s
          Scenario: mild
            Then the command "{mild}" prints a number less than 8, warning 4 for 300 ms
        """
    )
    found = states(report)
    assert found["worse@local"] == (CRITICAL, None)
    assert found["mild@local"] == (WARNING, None)


@pytest.mark.parametrize(
    ("meant", "other"),
    [
        ("it-kill.me", "it-killXme"),
        ("it-modules-extra-one", "it-modules-extra-two"),
        ("it-modules-extr", "it-modules-ext"),
    ],
)
def test_a_process_is_killed_by_its_very_name_and_no_other(ran, tmp_path, meant, other):
    running = {}
    for name in (meant, other):
        program = tmp_path / name
        shutil.copy("/bin/sleep", program)
        running[name] = subprocess.Popen([program, "600"])
    try:
        for name in (f"{meant}-2", f"{meant[:-2]}.*", meant[:-1] + "?", meant[:9]):
            nothing = ran(
                f'Feature: f\n  Scenario: s\n    Then the process "{name}" is not running\n'
                f'    When the process "{name}" is killed\n    Then the file "/etc/passwd" exists'
            )
            assert nothing.state == UNKNOWN
            refused = "*" in name or "?" in name
            words = "holds a wildcard" if refused else f"no process is named {name!r}: nothing was killed"
            assert words in nothing.results[0].reason
        assert [one.poll() for one in running.values()] == [None, None]
        report = ran(
            f'Feature: f\n  Scenario: s\n    When the process "{meant}" is killed\n'
            f'    Then the process "{meant}" is not running within 5 s'
        )
        assert report.state == OK
        assert running[meant].wait(timeout=20) == -9
        assert running[other].poll() is None
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def test_what_a_process_is_called_wholly_is_not_known_so_it_is_not_killed(ran):
    rename = "import ctypes, time; ctypes.CDLL(None).prctl(15, b'it-renamed-thre'); print('', flush=1); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", rename], stdout=subprocess.PIPE) as running:
        try:
            assert running.stdout.readline() == b"\n"
            report = ran(
                'Feature: f\n  Scenario: s\n    When the process "it-renamed-thread" is killed\n'
                '    Then the file "/etc/passwd" exists'
            )
            assert report.state == UNKNOWN
            assert f"of pid {running.pid} only the first 15 bytes" in report.results[0].reason
            assert running.poll() is None
        finally:
            running.kill()


def test_nothing_is_done_after_a_given_that_does_not_hold_in_a_scenario_tagged_warning(ran, tmp_path):
    report = ran(
        f"""
        Feature: f
          @warning
          Scenario: acts
            Given the file "/nonexistent" exists
            When the command "touch {tmp_path}/done" is run
            Then the file "/etc/passwd" exists
          @warning
          Scenario: checks
            Given the file "/nonexistent" exists
            Then the file "/etc/passwd" exists
          Scenario: goes on
            Given the command "echo 3" prints a number less than 9, warning 2
            When the command "touch {tmp_path}/went" is run
            Then the file "/etc/passwd" exists
        """
    )
    assert states(report) == {
        "acts@-": (WARNING, None),
        "checks@local": (WARNING, None),
        "goes-on@-": (WARNING, None),
    }
    assert [step.state for step in steps_of(report, "acts")] == [WARNING, UNKNOWN, UNKNOWN]
    assert not (tmp_path / "done").exists()
    assert (tmp_path / "went").exists()


def test_an_answer_that_took_longer_than_its_scenario_may_is_not_taken(ran):
    report = ran(
        """
        Feature: f
          @timeout:500ms
          Scenario: late
            Then the command "sleep 1" exits 0
          @timeout:500ms
          Scenario: late negation
            Then the command "sleep 1; echo a" does not print "b"
          @timeout:1h
          Scenario: in time
            Then the command "sleep 1" exits 0
        """
    )
    assert states(report) == {
        "late@local": (UNKNOWN, None),
        "late-negation@local": (UNKNOWN, None),
        "in-time@local": (OK, None),
    }
    assert report.results[0].reason.startswith("our own deadline of 500 ms passed: the answer took 1")


def test_within_asks_nobody_after_its_end(ran, tmp_path):
    there = tmp_path / "there"
    report = ran(
        f"""
        Feature: f
          Scenario: slow round
            Then the command "test -e {there} && exit; touch {there}; sleep 1; exit 1" exits 0 within 500 ms
          Scenario: never
            Then the command "sleep 1; exit 1" exits 0 within 500 ms
        """
    )
    assert states(report) == {"slow-round@local": (CRITICAL, None), "never@local": (CRITICAL, None)}


@pytest.mark.parametrize(
    "printed, bound, state",
    [
        ("0.0000002", "at most 0.0000001", CRITICAL),
        ("0.0000001", "at most 0.0000001", OK),
        ("89.9999999", "less than 90", OK),
        ("90.0000001", "at most 90", CRITICAL),
        ("-0.0000001", "at least 0", CRITICAL),
    ],
)
def test_a_number_is_judged_and_written_as_it_is(ran, printed, bound, state):
    report = ran(f'Feature: f\n  Scenario: s\n    Then the command "echo {printed}" prints a number {bound}')
    (seen,) = steps_of(report, "s")[0].observations
    assert (report.state, seen.value) == (state, float(printed))
    assert Range(seen.critical).alerts(seen.value) == (state == CRITICAL)


def test_an_act_has_no_more_time_than_its_scenario(ran):
    report = ran(
        """
        Feature: f
          @timeout:3s
          Scenario: s
            When the command "sleep 60" is run
            Then the file "/etc/passwd" exists
        """,
        hosts=[local("a")],
    )
    assert [step.state for step in steps_of(report, "s")] == [UNKNOWN, UNKNOWN]
    assert "could not be done" in report.results[0].reason


def test_what_reads_like_its_bound_is_written_out(ran, tmp_path):
    (tmp_path / "large").write_bytes(b"x" * 3893)
    report = ran(
        f"""
        Feature: f
          Scenario: near
            Then the file "{tmp_path}/large" is less than 3.8 KiB in size
          Scenario: far
            Then the file "{tmp_path}/large" is less than 1 KiB in size
        """
    )
    near, far = (steps_of(report, slug)[0].reason for slug in ("near", "far"))
    assert near == f'the file "{tmp_path}/large" is 3.8 KiB (3893 B) in size; expected less than 3.8 KiB'
    assert far == f'the file "{tmp_path}/large" is 3.8 KiB in size; expected less than 1 KiB'
