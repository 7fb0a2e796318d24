"""`@needs:` under every face: what needs a scenario that failed is blocked, though it holds itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worlds.small_project import run, write

STACK = """\
stack: one
provider: local
hosts: {web: {}}
waivers: [{id: features/a.feature#accepted, why: ordered, until: 2099-12-31, by: ops}]
heal: {mend: {when: {tags: "@mend", state: critical}, confirm: 1, do: [{run: touch healed}], mode: auto}}
"""
FEATURE = """\
Feature: f
  @needs:failed
  Scenario: holds
    Then the command "true" exits 0
  Scenario: failed
    Then the command "false" exits 0
  @needs:holds
  Scenario: behind it
    Then the command "true" exits 0
  @part
  Scenario: accepted
    Then the command "false" exits 0
  @needs:accepted @mend @part
  Scenario: needs what is accepted
    Then the command "true" exits 0
  @part
  Scenario: alone
    Then the command "true" exits 0
"""
ACTS = """\
  @needs:failed
  Scenario: acts
    When the command "touch acted" is run
    Then the command "true" exits 0
"""
INI = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
BLOCKED = {
    "holds": "features/a.feature#failed@web",
    "behind it": "features/a.feature#holds@web",
    "needs what is accepted": "features/a.feature#accepted@web",
}


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"stack.yaml": STACK, "features/a.feature": FEATURE, "behave.ini": INI}
    return write(tmp_path_factory.mktemp("checks"), files)


@pytest.fixture(scope="module")
def acts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("acts"), {"stack.yaml": STACK, "features/a.feature": FEATURE + ACTS})


def test_the_verbs_block_it(checks: Path) -> None:
    for verb in (("test",), ("check", "--heal")):
        done = run(checks, "infratest", *verb, "--format", "json")
        report = json.loads(done.stdout)
        assert done.returncode == 2, done.stderr
        states = {one["scenario"]: (one["state"], one["blocked_by"]) for one in report["results"]}
        assert states == {
            **{name: ("unknown", by) for name, by in BLOCKED.items()},
            "failed": ("critical", None),
            "accepted": ("waived", None),
            "alone": ("ok", None),
        }
        assert (report["counts"]["ok"], report["counts"]["blocked"]) == (1, 3)
        assert not (checks / "healed").exists()


def test_what_needs_a_waived_one_makes_the_run_unknown(checks: Path) -> None:
    done = run(checks, "infratest", "test", "--tags", "@part", "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["state"]) == (3, "unknown"), done.stderr
    assert [report["counts"][state] for state in ("ok", "waived", "blocked")] == [1, 1, 1]


def test_the_plugin_blocks_it(checks: Path) -> None:
    for _ in ("first", "with its kept plan"):
        done = run(checks, "check_infratest", XDG_CACHE_HOME=str(checks / "cache"))
        assert done.returncode == 2
        assert " failed=1;;0;0 " in done.stdout
        assert " blocked=3;;;0 " in done.stdout


def test_behave_blocks_it(checks: Path) -> None:
    done = run(checks, "behave", "-f", "plain")
    assert done.returncode == 1
    assert "infratest: CRITICAL (1 ok, 1 critical, 3 blocked, 1 waived)" in done.stderr


def test_pytest_blocks_it_and_what_would_act(acts: Path) -> None:
    done = run(acts, "pytest", "-q", "-rA", "-p", "no:cacheprovider", "features")
    assert done.returncode == 1
    assert "1 failed, 1 passed, 1 xfailed, 4 errors" in done.stdout
    assert "blocked by features/a.feature#failed@web" in done.stdout
    assert not (acts / "acted").exists()
