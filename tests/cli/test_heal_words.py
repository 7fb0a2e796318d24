"""`infratest heal list|show|approve|deny|trust` as commands: from a proposal over a drill to autonomy, and back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from infratest.store.directory import StateDir
from tests.worlds import forked

INFRATEST = str(Path(sys.executable).with_name("infratest"))

STACK = """\
stack: worded
provider: local
environments: {{dev: {{}}, prod: {{production: true}}}}
hosts: {{here: {{groups: [web]}}}}
heal:
  trusted-keys: {{alice: "{key}"}}
  make-flag:
    when: {{tags: "@web", state: critical}}
    confirm: 1
    do: [{{run: "{command}"}}]
    budget: {{tries: 3, per: 3s}}
    at-most: 100%
    mode: auto
    earn: {{approvals: {approvals}}}
    proof: {{drill: lost-flag, from: dev}}
"""
FEATURE = """\
Feature: The shop
  @web
  Scenario: the flag is up
    Then the file "{folder}/flag" exists

  @drill:make-flag @id:lost-flag
  Scenario: a lost flag comes back
    When the file "{folder}/flag" is removed on "here"
    Then the scenario "the-flag-is-up" is critical on "here" within 60 s
    And the rule "make-flag" heals "here" by "run" within 60 s
"""


class Project:
    """A project whose rule may heal by itself once it is proven and granted, and a key outside of it."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder, self.key, self.flag = folder, keys / "heal.key", folder / "flag"
        (folder / "features").mkdir()
        (folder / "features" / "shop.feature").write_text(FEATURE.format(folder=folder))
        self.public = "ed25519:" + "A" * 43 + "="
        self.write()
        status, said = self.run("heal", "trust", "--new-key", "--key", str(self.key))
        assert status == 0, said
        self.public = said.splitlines()[0]
        self.write()

    def write(self, command: str = "", approvals: int = 1) -> None:
        command = command or f"touch {self.flag}"
        stack = STACK.format(key=self.public, command=command, approvals=approvals)
        (self.folder / "stack.yaml").write_text(stack)

    def run(self, verb: str, *words: str, env: str = "prod") -> tuple[int, str]:
        done = forked.run([verb, "--env", env, *words], cwd=self.folder, timeout=300)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def waiting(self) -> str:
        status, said = self.run("heal", "list")
        assert status == 0
        return next(line.split()[0] for line in said.splitlines() if " waiting," in line)

    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / ".infratest" / "heal.jsonl").read_text().splitlines()[-1])
        return found

    def drill(self) -> None:
        self.flag.touch()
        status, said = self.run("drill", "--certify", "--key", str(self.key), env="dev")
        assert status == 0, said

    def grant(self, level: str = "auto") -> tuple[int, str]:
        return self.run("heal", "trust", "make-flag", "--grant", level, "--key", str(self.key), "--comment", "seen")


@pytest.fixture
def project(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path, tmp_path_factory.mktemp("keys"))


def test_autonomy_is_earned_and_lost(project: Project) -> None:
    status, said = project.run("check", "--heal")
    assert status == 2
    assert "waits for approval: run touch" in said
    id = project.waiting()
    assert (
        "[closed] trust: trusted to propose, not to act by itself: nothing was granted"
        in project.run("heal", "show", id)[1]
    )
    assert not project.flag.exists()
    assert (
        "; 1 more approved heal in a row must help (0 of 1 have), then `infratest heal trust make-flag --grant auto "
        "--env prod` grants it" in project.run("heal", "trust")[1]
    )
    assert project.run("heal", "approve", id, "--comment", "go on")[0] == 0
    status, said = project.run("heal", "approve", id)
    assert status == 3
    assert "has approved it already" in said
    status, said = project.run("check", "--heal")
    assert status == 0, said
    assert str(project.last()["approved_by"]).startswith("approved by ")

    said = project.run("heal", "trust")[1]
    assert "nothing was granted; not proven: drills/lost-flag.json" in said
    status, said = project.grant()
    assert status == 3
    assert "not proven: drills/lost-flag.json" in said
    project.drill()
    status, said = project.grant()
    assert status == 0, said
    assert "make-flag: auto (mode auto): granted by " in said
    assert "proven on dev by drill lost-flag" in said
    project.flag.unlink()
    status, said = project.run("check", "--heal")
    assert status == 0, said
    assert str(project.last()["approved_by"]).startswith("mode auto of rule make-flag")

    # What was proven is another thing once it is changed; a drill gives it back.
    feature = project.folder / "features" / "shop.feature"
    feature.write_text(feature.read_text() + "\n")
    said = project.run("heal", "trust")[1]
    assert "make-flag: propose (mode auto)" in said
    assert "since then was changed: a feature of the drill (feature features/shop.feature); drill again" in said
    project.drill()
    assert "make-flag: auto" in project.run("heal", "trust")[1]

    project.write(command="true")
    assert "the rule, a value in it, or what its remedies are given" in project.run("heal", "trust")[1]


def test_a_denied_heal_rests_and_costs_what_was_granted(project: Project) -> None:
    project.write(approvals=0)
    project.drill()
    assert project.grant()[0] == 0
    feature = project.folder / "features" / "shop.feature"
    feature.write_text(feature.read_text() + "\n")
    project.flag.unlink()
    project.run("check", "--heal")
    id = project.waiting()
    status, said = project.run("heal", "deny", id)
    assert status == 3
    assert "say why" in said
    with StateDir(project.folder / ".infratest").lock(purpose="up"):
        assert project.run("heal", "deny", id, "--comment", "it is being rebuilt")[0] == 0
    status, said = project.run("check", "--heal")
    assert status == 2
    assert "it is being rebuilt; it rests until this is well again" in said
    project.drill()
    said = project.run("heal", "trust", "make-flag")[1]
    assert "make-flag: propose (mode auto): lost at " in said
    assert "; `infratest heal trust make-flag --grant auto --env prod` grants it again" in said
    assert project.grant()[0] == 0
    assert "make-flag: auto" in project.run("heal", "trust")[1]


@pytest.mark.parametrize("how", ["edited", "forged", "torn", "cut"])
def test_a_ledger_that_does_not_hold_leaves_observe(project: Project, how: str) -> None:
    project.write(approvals=0)
    project.drill()
    project.grant("propose")
    project.grant()
    project.flag.unlink()
    assert project.run("check", "--heal")[0] == 0  # reads the ledger, and remembers it
    path = project.folder / "heal-ledger.jsonl"
    whole = path.read_bytes()
    first = whole.splitlines(keepends=True)[0]
    path.write_bytes(
        {
            "edited": whole.replace(b'"why":"seen"', b'"why":"mine"'),
            "forged": whole + first,
            "torn": whole[:-9],
            "cut": first,
        }[how]
    )
    project.flag.unlink()
    said = project.run("heal", "trust")[1]
    assert "make-flag: observe (mode auto): the ledger does not hold: heal-ledger.jsonl" in said
    status, said = project.run("check", "--heal")
    assert status == 2
    assert "would run touch" in said
    assert not project.flag.exists()
    path.write_bytes(whole)
    assert "make-flag: auto" in project.run("heal", "trust")[1]


def test_wrong_words_are_told(project: Project) -> None:
    for words, message in (
        (["approve"], "name the id of a proposal"),
        (["approve", "123"], "there are none"),
        (["trust", "make-flga"], "did you mean 'make-flag'"),
        (["trust", "make-flag", "--grant", "auto", "--key", "none.key"], "lies in the project"),
        (["trust", "--new-key", "--key", "here.key"], "is no place for it"),
        (["list", "--dry-run"], "--dry-run is for what acts"),
        (["report.json", "--comment", "x"], "--comment is for heal approve, deny, undo, trust; leave it out"),
        (["list", "--grant", "auto"], "--grant is for heal trust; leave it out"),
        (["pause", "2h", "--key", "x"], "--key is for heal approve, trust; leave it out"),
    ):
        status, said = project.run("heal", *words)
        assert status == 3, words
        assert message in said


def test_what_comes_back_twice_within_an_hour_costs_what_was_granted(project: Project) -> None:
    project.write(approvals=0)
    project.drill()
    assert project.grant()[0] == 0
    for _ in range(2):
        project.flag.unlink()
        assert project.run("check", "--heal")[0] == 0
    project.flag.unlink()
    status, said = project.run("check", "--heal")
    assert status == 2
    assert "waits for approval: run touch" in said
    assert not project.flag.exists()
    said = project.run("heal", "trust", "make-flag")[1]
    assert "make-flag: propose (mode auto): lost at " in said
    assert ": the problem on here came back within 60 min of its heals at " in said
    lines = (project.folder / ".infratest" / "lost.jsonl").read_text().splitlines()
    assert project.run("check", "--heal")[0] == 2
    assert len(lines) == 1 == len((project.folder / ".infratest" / "lost.jsonl").read_text().splitlines())
    assert project.grant()[0] == 0
    assert project.run("check", "--heal")[0] == 0  # what a person knew costs nothing
