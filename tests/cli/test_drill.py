"""`infratest drill` as a command, on this machine: a fault, the red, the heal, the green, and what undoes the fault."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from infratest.heal import signing
from infratest.heal.certificate import BOUND, Certificate, Figures, path_of, read, text
from tests.worlds import forked
from tests.worlds.own_name import own_name

INFRATEST = str(Path(sys.executable).with_name("infratest"))

STACK = """\
stack: {name}
provider: local
environments: {{dev: {{}}, prod: {{production: true}}}}
hosts: {{web: {{groups: [web]}}}}
heal:
  make-flag:
    when: {{tags: "@web", state: critical}}
    confirm: 2
    do: [{do}]
    budget: {{tries: 3, per: 36s}}
    at-most: 100%
"""
FEATURE = """\
Feature: The shop
  @web
  Scenario: the flag is up
    Then the file "{folder}/flag" exists

  Scenario: the folder stays
    Then the directory "{folder}" exists

  @drill:make-flag @id:lost-flag
  Scenario: a lost flag comes back
{drill}
"""
DRILL = """\
    When the file "{folder}/flag" is removed on "web"
    Then the scenario "the-flag-is-up" is critical on "web" within 60 s
    And the rule "make-flag" heals "web" by "run" within 60 s
    And the scenario "the-folder-stays" holds throughout
"""


class Project:
    """A folder with a flag, a rule that makes it again, and a drill that removes it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.flag = folder, folder / "flag"
        self.name = own_name(folder)
        (folder / "features").mkdir()
        self.flag.write_text("up\n")
        self.write()

    def write(self, do: str = "", drill: str = DRILL) -> None:
        do = do or f"{{run: 'touch {self.flag}'}}"
        (self.folder / "stack.yaml").write_text(STACK.format(do=do, name=self.name))
        written = drill.format(folder=self.folder)
        (self.folder / "features" / "shop.feature").write_text(FEATURE.format(folder=self.folder, drill=written))

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command; return its status and everything it said."""
        done = forked.run(words, cwd=self.folder, timeout=300)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def records(self, name: str) -> list[dict[str, object]]:
        path = self.folder / ".infratest" / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def until(holds: Callable[[], bool]) -> None:
    end = monotonic() + 120
    while not holds():
        assert monotonic() < end
        sleep(0.05)


def test_a_drill_breaks_heals_and_tells_how_long_it_took(project: Project) -> None:
    status, said = project.run("drill")
    assert status == 0, said
    assert "lost-flag 1/1: ok: red after " in said
    assert "lost-flag: 1 of 1 healed; red after " in said
    tries = [record for record in project.records("heal.jsonl") if record["event"] == "tried"]
    assert [(one["verified"], str(one["approved_by"]).partition(" by ")[0]) for one in tries] == [(True, "a drill")]
    undone = [record["what"] for record in project.records("journal.jsonl")]
    assert undone == ["undo-asked", "undo-done"]


def test_other_runs_leave_drills_out(project: Project) -> None:
    assert project.run("test")[0] == 0
    assert project.run("check", "--env", "dev")[0] == 0
    assert project.run("lint")[0] == 0
    status, said = project.run("test", "--scenario", "lost-flag")
    assert status == 3
    assert "selects drills alone, which `infratest drill` runs" in said
    assert project.flag.read_text() == "up\n"


def test_a_rule_that_does_not_help_is_critical_the_fault_is_undone_and_what_was_proven_is_not(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.write(do="{run: 'true'}", drill=DRILL.replace('"run" within 60 s', '"run" within 12 s'))
    key = signing.make(tmp_path_factory.mktemp("keys") / "heal.key")
    stack = project.folder / "stack.yaml"
    stack.write_text(stack.read_text().replace("heal:\n", f"heal:\n  trusted-keys: {{me: '{key.public}'}}\n"))
    path = path_of(project.folder, "lost-flag")
    path.parent.mkdir()
    figures = Figures(runs=1, red=(1.0,), green=(2.0,))
    before = Certificate(
        drill="lost-flag", rule="make-flag", stack="shop", env="dev", time=1.0, by="me", bound=dict.fromkeys(BOUND, ""),
        figures=figures,
    )  # fmt: skip
    path.write_bytes(text(before, key))
    status, said = project.run("drill", "make-flag")
    assert status == 2, said
    assert f"lost-flag: no longer proven: its certificate {path} was removed" in said
    assert not path.exists()
    assert "lost-flag 1/1: critical: red after" in said
    assert "never green" in said
    assert "rule make-flag did not heal web in" in said
    assert project.flag.read_text() == "up\n"


def test_another_rung_than_the_one_that_is_named_is_critical(project: Project) -> None:
    project.write(drill=DRILL.replace('by "run"', 'by "provision"'))
    status, said = project.run("drill")
    assert status == 2
    assert "it was healed by run touch " in said  # and of what, whose path may be cut
    assert ", not by provision" in said


def test_what_is_broken_before_is_not_drilled(project: Project) -> None:
    project.flag.unlink()
    status, said = project.run("drill")
    assert status == 3
    assert "nothing was done: 'the-flag-is-up' is critical on web before the fault" in said
    assert project.records("journal.jsonl") == []


@pytest.mark.parametrize(
    "drill, words",
    [
        ('    Then the rule "make-flag" heals "web" by "run"', "has no fault, so it proves nothing"),
        ('    When the file "{folder}/flag" is removed\n    Then the file "{folder}/flag" exists', "what heals it"),
    ],
)
def test_what_is_no_drill_is_refused_before_anything_is_done(project: Project, drill: str, words: str) -> None:
    project.write(drill=drill)
    for verb in (["drill"], ["lint"], ["test"]):
        status, said = project.run(*verb)
        assert status != 0
        assert words in said
    assert project.flag.exists()


def test_production_and_unknown_names_are_refused(project: Project) -> None:
    status, said = project.run("drill", "--env", "prod")
    assert status == 3
    assert f"{project.name} is production" in said
    assert "`infratest drill --yes-production`" in said
    status, said = project.run("drill", "lost-flga")
    assert status == 3
    assert "did you mean 'lost-flag'" in said
    assert project.flag.read_text() == "up\n"
    assert project.run("drill", "--env", "prod", "--yes-production")[0] == 0


def test_sentences_of_drills_stand_in_drills_alone(project: Project) -> None:
    feature = project.folder / "features" / "shop.feature"
    feature.write_text(feature.read_text().replace("@drill:make-flag ", ""))
    status, said = project.run("lint")
    assert status == 1
    assert "is of a drill: tag the scenario @drill:RULE" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_undoes_its_fault(project: Project, number: int) -> None:
    project.write(do="{run: 'sleep 300'}")
    begun = subprocess.Popen([INFRATEST, "drill"], cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: any(one["event"] == "try" for one in project.records("heal.jsonl")))
    assert not project.flag.exists()
    begun.send_signal(number)
    begun.communicate(timeout=120)
    assert begun.returncode != 0
    assert project.flag.read_text() == "up\n"


def test_a_killed_drill_is_undone_by_reap(project: Project) -> None:
    project.write(do="{run: 'sleep 300'}")
    begun = subprocess.Popen([INFRATEST, "drill"], cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until(lambda: any(one["event"] == "try" for one in project.records("heal.jsonl")))
    os.kill(begun.pid, signal.SIGKILL)
    begun.communicate(timeout=120)
    assert not project.flag.exists()
    status, said = project.run("reap")
    assert status == 0, said
    assert project.flag.read_text() == "up\n"


def test_what_was_proven_is_certified(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("keys") / "heal.key"
    status, said = project.run("drill", "--certify", "--key", str(path))
    assert status == 3
    assert "infratest heal trust --new-key" in said
    assert project.records("journal.jsonl") == []
    key = signing.make(path)
    status, said = project.run("drill", "lost-flag", "--runs", "2", "--certify", "--key", str(path))
    assert status == 0, said
    assert "lost-flag: 2 of 2 healed" in said
    made = read(project.folder / "drills" / "lost-flag.json", {key.public})
    assert (made.drill, made.rule, made.stack, made.env) == ("lost-flag", "make-flag", project.name, "dev")
    assert made.figures.runs == 2
    assert set(made.details) == {
        "rule make-flag", "feature features/shop.feature", "image provider", "image web", "provision web",
        "provision parameters", "provision components",
    }  # fmt: skip


def test_what_no_host_was_provisioned_with_is_not_certified(tmp_path: Path) -> None:
    """A certificate binds the provisioners as the stack file has them: hosts of other ones would have been drilled."""
    folder, key = tmp_path / "project", tmp_path / "heal.key"
    folder.mkdir()
    made = Project(folder)
    public = signing.make(key).public
    (folder / "web.sh").write_text("true\n")
    (folder / "stack.yaml").write_text(
        "stack: shop\nprovider: simulator\nhosts: {web: {groups: [web], provision: [{shell: web.sh}]}}\n"
        f"heal:\n  trusted-keys: {{me: '{public}'}}\n"
        "  make-flag: {when: {tags: '@web'}, do: [{run: 'true'}], at-most: 100%}\n"
    )
    assert made.run("up")[0] == 0
    status, said = made.run("drill", "lost-flag", "--certify", "--key", str(key))
    assert status == 3, said
    assert "--certify: not provisioned since made: web; `infratest provision` does it" in said
    assert "lost-flag 1/1" not in said
