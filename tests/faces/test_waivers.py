"""Waivers of a stack file under every face: run, shown, counted, and over when their time is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infratest.engine.run import Settings, reported
from infratest.plan import keep, kept
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.stack.open import open_transport
from tests.worlds.small_project import run, write

STACK = """\
stack: one
provider: local
hosts: {web: {}}
heal: {mend: {when: {tags: "@mend", state: critical}, confirm: 1, do: [{run: touch healed}], mode: auto}}
"""
FEATURE = """\
Feature: f
  Scenario: good
    Then the command "true" exits 0
  @mend
  Scenario: bad
    Then the command "touch ran; false" exits 0
"""
OTHER = 'Feature: o\n  Scenario: other\n    Then the command "true" exits 0\n'
INI = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
REASON = 'waived until 2099-12-31 by ops: ordered; the command "touch ran; false" exited 1'


def project(
    folder: Path, id: str = "features/a.feature#bad", until: str = "2099-12-31", feature: str = FEATURE
) -> Path:
    waiver = f"waivers:\n  - {{id: '{id}', why: ordered, until: {until}, by: ops}}\n"
    return write(
        folder,
        {"stack.yaml": STACK + waiver, "features/a.feature": feature, "features/o.feature": OTHER, "behave.ini": INI},
    )


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("accepted"))


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("expired"), until="2026-01-01")


def plugin(folder: Path, *words: str) -> tuple[int, list[str]]:
    done = run(folder, "check_infratest", *words, XDG_CACHE_HOME=str(folder / "cache"))
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout.splitlines()


def test_the_plugin_runs_it_and_is_ok(accepted):
    for _ in ("first", "with its kept plan"):
        (accepted / "ran").unlink(missing_ok=True)
        status, (first, long) = plugin(accepted, "--heal")
        assert status == 0
        assert first.startswith("INFRATEST OK - one web: 2 scenarios ok, 1 waived | scenarios=3;;;0 failed=0;;0;0 ")
        assert " waived=1;;;0 " in first
        assert long.startswith(f"[WAIVED] features/a.feature:5 bad on web: {REASON}")
        assert (accepted / "ran").exists()
        assert not (accepted / "healed").exists()
    assert len([*(accepted / "cache/infratest/plans").iterdir()]) == 1


def test_the_report_counts_it(accepted):
    done = run(accepted, "infratest", "test", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["state"], report["counts"]["waived"]) == (0, "ok", 1)
    found = {one["scenario"]: (one["state"], one["reason"]) for one in report["results"]}
    assert found == {"good": ("ok", ""), "bad": ("waived", REASON), "other": ("ok", "")}


def test_alone_it_is_unknown(accepted):
    status, (first, *_) = plugin(accepted, "-s", "bad")
    assert status == 3
    assert first.startswith("INFRATEST UNKNOWN - one web: no scenario was checked (1 waived) |")


def test_pytest_expects_it(accepted):
    done = run(accepted, "pytest", "-q", "-rx", "-p", "no:cacheprovider", "features")
    assert done.returncode == 0, done.stdout
    assert "2 passed, 1 xfailed" in done.stdout
    assert REASON in done.stdout
    alone = run(accepted, "pytest", "-q", "-p", "no:cacheprovider", "features", "--scenario", "bad")
    assert alone.returncode == 1
    assert "every selected scenario was skipped or waived: nothing was checked" in alone.stdout


def test_behave_tells_it(accepted):
    done = run(accepted, "behave", "-f", "plain")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"waived: features/a.feature#bad@web: {REASON}" in done.stderr
    assert "infratest: OK (2 ok, 1 waived)" in done.stderr
    assert "2 scenarios passed, 0 failed, 1 skipped" in done.stdout


def test_an_expired_one_is_critical_under_every_face(expired):
    status, (first, *long) = plugin(expired)
    assert status == 2
    assert "2 of 4 scenarios failed" in first
    assert any("[CRITICAL] stack.yaml:6 waiver features/a.feature#bad: it expired" in line for line in long)
    assert plugin(expired, "-s", "other")[0] == 0  # it is of another scenario
    tested = run(expired, "pytest", "-q", "-p", "no:cacheprovider", "features/a.feature")
    assert tested.returncode == 1
    assert (
        "infratest: stack.yaml:6: waiver features/a.feature#bad: it expired at the end of 2026-01-01" in tested.stdout
    )
    behaved = run(expired, "behave", "-f", "plain")
    assert behaved.returncode == 1
    assert "critical: waiver:features/a.feature#bad@-: it expired" in behaved.stderr


def test_an_expired_one_is_critical_where_its_scenario_holds_again(tmp_path):
    folder = project(tmp_path, until="2026-01-01", feature=FEATURE.replace("; false", ""))
    status, (first, *_) = plugin(folder)
    assert status == 2
    assert "1 of 4 scenarios failed" in first


def test_one_for_no_scenario_is_critical_whatever_is_selected(tmp_path):
    folder = project(tmp_path, id="features/a.feature#bat")
    status, lines = plugin(folder, "features/o.feature")
    assert status == 2
    assert "did you mean features/a.feature#bad?" in lines[1]
    linted = run(folder, "infratest", "lint")
    assert linted.returncode == 1
    assert "stack.yaml:6: waiver features/a.feature#bat: it is for no scenario of the 3 that there are" in linted.stdout


def test_a_selection_is_not_red_by_waivers_of_others(accepted):
    assert plugin(accepted, "features/o.feature")[0] == 0
    assert plugin(accepted, "-s", "good")[0] == 0


def test_the_last_day_that_can_be_written_is_one(tmp_path):
    folder = project(tmp_path, until="9999-12-31")
    assert plugin(folder)[0] == 0
    assert run(folder, "infratest", "lint").returncode == 0


def test_lint_tells_a_week_before(tmp_path, expired):
    soon = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d")
    linted = run(project(tmp_path, until=soon), "infratest", "lint")
    assert (linted.returncode, "no mistakes found" in linted.stderr) == (0, True)
    assert f"waiver features/a.feature#bad: it expires at the end of {soon} (UTC), in " in linted.stdout
    over = run(expired, "infratest", "lint")
    assert over.returncode == 1
    assert "it expired at the end of 2026-01-01 (UTC)" in over.stdout


def test_a_kept_plan_expires_on_time(accepted, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    plan = prepare(Session(stack_path=accepted / "stack.yaml"), Request(face="check")).plan
    for until, state in ((plan.waivers[0].until, "ok"), (1.0, "critical")):
        given = plan.changed(waivers=tuple(each.changed(until=until) for each in plan.waivers))
        assert keep.save(["a", str(until)], given, [], {})
        loaded = kept.load(*kept.place_for(["a", str(until)]))
        assert loaded is not None
        assert loaded[0].waivers == given.waivers
        assert reported(loaded[0], open_transport, Settings(seconds=60), "one", "", False).state == state


@pytest.mark.parametrize(
    "given, words",
    [
        ("{id: a, why: b}", "waivers[0]"),
        ("{id: a, until: 2027-01-01}", "waivers[0]"),
        ("{id: a, why: b, until: 2027-02-30}", "waivers[0].until: '2027-02-30' is no day of the calendar"),
        ("{id: a, why: b, until: next week}", "waivers[0].until"),
        ("{id: ' ', why: b, until: 2027-01-01}", "waivers[0].id: is blank"),
        ("{id: a, why: b, until: 2027-01-01, untill: x}", "did you mean 'until'"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path, given, words):
    folder = write(tmp_path, {"stack.yaml": f"{STACK}waivers:\n  - {given}\n", "features/a.feature": FEATURE})
    status, lines = plugin(folder)
    assert status == 3
    assert words in lines[0]
