"""`infratest heal` and `check --heal` as commands, on this machine: what they print, what they return, what they do."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

INFRATEST = str(Path(sys.executable).with_name("infratest"))

STACK = """\
stack: shop
provider: local
environments:
  dev: {{}}
  prod: {{}}
hosts:
  here: {{groups: [web]}}
features: [features]
heal:
  put-it-there:
    when: {{tags: "@web", state: critical}}
    confirm: 2
    do: [{{run: "{command}"}}]
    mode: {mode}
"""
FEATURE = """\
@web
Feature: The shop
  Scenario: it is there
    Then the file "{folder}/there" exists
"""
ID = "features/shop.feature#it-is-there@here"


class Project:
    """A folder with a stack file and a feature whose one file is not there."""

    def __init__(self, folder: Path, mode: str = "auto", command: str = "") -> None:
        self.folder = folder
        self.there = folder / "there"
        (folder / "features").mkdir(exist_ok=True)
        (folder / "features" / "shop.feature").write_text(FEATURE.format(folder=folder))
        (folder / "stack.yaml").write_text(STACK.format(mode=mode, command=command or f"touch {self.there}"))

    def run(self, *words: str, stdin: str = "", program: str = INFRATEST) -> tuple[int, str]:
        """Run a command; return its status and everything it said."""
        done = subprocess.run(
            [program, *words], cwd=self.folder, input=stdin, capture_output=True, text=True, timeout=60
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def audit(self) -> list[str]:
        path = self.folder / ".infratest" / "heal.jsonl"
        return [json.loads(line)["event"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def project() -> Iterator[Project]:
    # A short path: what a line says of a command is cut, and pytest's own folders are long where workers share it.
    with tempfile.TemporaryDirectory(prefix="heal-") as folder:
        yield Project(Path(folder))


def test_the_second_failure_in_a_row_is_healed_and_the_line_says_so(project: Project) -> None:
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "not healed: failure 1 in a row, 2 confirm" in words
    assert not project.there.exists()

    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 0
    assert "INFRATEST OK" in words
    assert f"healed: run touch {project.there}, was CRITICAL" in words
    assert project.there.exists()
    assert project.audit() == ["refused", "try", "tried"]


def test_the_plugin_says_what_it_would_do_and_keeps_nothing_of_it(project: Project) -> None:
    def kept() -> dict[str, bytes]:
        state = project.folder / ".infratest"
        return {str(path): path.read_bytes() for path in state.rglob("*") if path.is_file()}

    plugin = str(Path(INFRATEST).with_name("check_infratest"))
    project.run("--env", "prod", "--heal", program=plugin)
    before = kept()
    status, words = project.run("--env", "prod", "--heal", "--dry-run", program=plugin)
    assert status == 2
    assert f"would run touch {project.there} (dry run)" in words
    assert not project.there.exists()
    assert kept() == before

    status, words = project.run("--env", "prod", "--heal", program=plugin)
    assert status == 0
    assert f"healed: run touch {project.there}, was CRITICAL" in words
    assert project.there.exists()


def test_a_stored_report_is_healed_once(project: Project) -> None:
    project.run("check", "--env", "prod", "--heal")
    project.run("check", "--env", "prod", "--format", "json:report.json")
    status, words = project.run("heal", "--env", "prod", "--dry-run", "report.json")
    assert (status, words.splitlines()) == (
        2,
        [
            f"{ID}: would: run touch {project.there}",
            f"critical: 1 of 1 scenarios not ok: would run touch {project.there} (dry run)",
        ],
    )
    assert not project.there.exists()

    status, words = project.run("heal", "--env", "prod", "-", stdin=(project.folder / "report.json").read_text())
    assert (status, words.splitlines()) == (
        0,
        [
            f"{ID}: healed: run touch {project.there}: done",
            f"ok: 0 of 1 scenarios not ok: healed: run touch {project.there}, was CRITICAL",
        ],
    )
    project.there.unlink()
    status, words = project.run("heal", "--env", "prod", "report.json")
    assert status == 3
    assert words.splitlines()[-1].startswith("unknown: 1 of 1 scenarios not ok: not healed: stale: it was looked at")
    assert not project.there.exists()


def test_the_kill_switch_needs_no_environment_and_holds_for_all(project: Project) -> None:
    project.run("check", "--env", "prod", "--heal")
    status, words = project.run("heal", "pause", "2h")
    assert (status, words[:24]) == (0, "healing is paused until ")
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "not healed: paused until" in words
    assert not project.there.exists()
    assert project.run("heal", "resume") == (0, "healing is allowed again\n")
    assert project.run("heal", "resume") == (0, "healing was not paused\n")
    assert project.run("check", "--env", "prod", "--heal")[0] == 0


def test_observe_never_acts(tmp_path: Path) -> None:
    project = Project(tmp_path, mode="observe")
    for _ in range(3):
        status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert f"would run touch {project.there} (observe)" in words
    assert not project.there.exists()
    assert project.audit() == ["refused", "would"]


def test_a_remedy_that_does_not_help_leaves_it_critical(tmp_path: Path) -> None:
    project = Project(tmp_path, command="exit 3")
    project.run("check", "--env", "prod", "--heal")
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "run exit 3 did not help" in words


@pytest.mark.parametrize(
    "words, message",
    [
        (["heal"], "Missing argument"),
        (["heal", "pause"], "say for how long, as `infratest heal pause 2h`"),
        (["heal", "pause", "soon"], "'soon' is not a number with one of ms, s, min"),
        (["heal", "pause", "0s"], "is not more than zero"),
        (["heal", "resume", "now"], "unexpected 'now' after 'resume'"),
        (["heal", "puase", "2h"], "unexpected '2h' after 'puase': did you mean 'pause'?"),
        (["heal", "--env", "prod", "no.json"], "report no.json: No such file or directory; write one with"),
        (["heal", "--env", "prod", "stack.yaml"], "report stack.yaml: is no report of this version"),
        (["heal", "--env", "prod", "other.json"], "is of stack 'other', this is stack 'shop', environment 'prod'"),
        (
            ["heal", "--env", "prod", "shape.json"],
            "report shape.json: is no report of this version (it has no 'stack')",
        ),
        (["heal", "other.json"], "environment"),
    ],
)
def test_wrong_use_is_one_message_and_unknown(project: Project, words: list[str], message: str) -> None:
    report = {"stack": "other", "env": "", "started": "2026-01-31T12:00:00Z", "duration": 0.1, "results": []}
    more = {"production": False, "cost": {"logins": 0, "round_trips": 0, "commands": 0}}
    (project.folder / "other.json").write_text(json.dumps(report | more))
    (project.folder / "shape.json").write_text("{}")
    status, said = project.run(*words)
    assert status == 3
    assert message in said
    assert not (project.folder / ".infratest").exists()
