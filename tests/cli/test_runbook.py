"""`infratest runbook` as a command: all that is stored of a result that is not ok, and what lets the next rung act."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_heal import ID, Project


@pytest.fixture
def project() -> Iterator[Project]:
    """A project whose rule does not help by its first rung, and waits for a person with its second."""
    # A short path: what a line says of a command is cut, and pytest's own folders are long where workers share it.
    with tempfile.TemporaryDirectory(prefix="runbook-") as folder:
        yield ladder(Path(folder))


def ladder(folder: Path) -> Project:
    project = Project(folder, command="true")
    path = folder / "stack.yaml"
    second = f'{{run: "touch {project.there}"}}'
    rungs = f'do: [{{run: "true"}}, {second}, {{page: {{}}}}]\n    budget: {{per: 60s}}'
    text = path.read_text().replace('do: [{run: "true"}]', rungs)
    path.write_text(text.replace("confirm: 2", "confirm: 1"))
    return project


def test_it_tells_what_was_tried_and_the_command_that_lets_the_next_rung_act(project: Project) -> None:
    path = project.folder / "stack.yaml"
    feature = project.folder / "features" / "shop.feature"
    feature.write_text(feature.read_text().replace("  Scenario", "  @runbook:https://wiki.example/shop\n  Scenario"))
    project.there.touch()
    assert project.run("check", "--env", "dev")[0] == 0
    project.there.unlink()
    path.write_text(path.read_text().replace("tries: 3", "tries: 1").replace("per: 60s", "tries: 1, per: 60s"))
    assert project.run("check", "--env", "dev", "--heal")[0] == 2  # the first rung does not help, the budget ends
    path.write_text(path.read_text().replace("mode: auto", "mode: propose").replace("tries: 1, per: 60s", "per: 60s"))
    status, said = project.run("check", "--env", "dev", "--heal")
    assert "waits for approval" in said
    id = said.partition("infratest heal approve ")[2][:12]
    status, said = project.run("runbook", "it-is-there@here", "--env", "dev")
    assert status == 0
    lines = said.splitlines()
    assert lines[0].startswith(f"{ID}: critical since 20")
    assert lines[1] == f'  what failed: the file "{project.there}" does not exist'
    assert f'    the file "{project.there}" exists' in lines
    assert any(line.startswith("  changed since it was green, at 20") for line in lines)
    assert [line.partition("UTC  ")[2] for line in lines if "rung" in line and "UTC" in line] == [
        "rung 1, run true: did not help"
    ], said
    rungs = (
        "rung 1 of 2: run true",
        f"rung 2 of 2: run touch {project.there}",
    )  # the first again, once its budget is new
    assert any(f"  next: {rung} on here" in lines for rung in rungs)
    assert any(line.startswith("  rule put-it-there: propose (mode propose): ") for line in lines)
    assert any("held up, at 20" in line and "by mode: mode propose: it waits" in line for line in lines)
    assert f"  to let it act: infratest heal approve {id} --env dev" in lines
    assert lines[-1] == "  runbook: https://wiki.example/shop"
    assert project.run("heal", "approve", id, "--env", "dev")[0] == 0
    assert project.run("check", "--env", "dev", "--heal")[0] == 0
    status, said = project.run("runbook", ID, "--env", "dev")
    assert status == 0
    assert said.startswith(f"{ID}: ok since 20")
    assert len(said.splitlines()) == 2  # nothing to do, and where it is written what is


def test_without_a_rule_or_an_act_it_says_so(project: Project) -> None:
    assert project.run("check", "--env", "dev")[0] == 2
    status, said = project.run("runbook", "it-is-there", "--env", "dev")
    assert status == 0
    assert "  what failed: only its state is stored" in said
    assert "  tried so far: nothing is on record" in said
    assert "  to let it act: nothing waits for approval; infratest check --heal --env dev asks all gates again" in said
    path = project.folder / "stack.yaml"
    path.write_text(path.read_text().replace("@web", "@other"))
    assert "  next: a person; no heal rule is for it" in project.run("runbook", "it-is-there", "--env", "dev")[1]


def test_where_the_reason_tells_rules_apart_it_is_the_one_that_was_asked(project: Project) -> None:
    path = project.folder / "stack.yaml"
    rule = path.read_text().partition("heal:\n")[2]
    other = rule.replace("put-it-there", "mend-it").replace('tags: "@web"', 'tags: "@web", reason: "is gone"')
    text = path.read_text().replace('tags: "@web"', 'tags: "@web", reason: "does not exist"')
    path.write_text(text.replace("heal:\n", f"heal:\n{other}"))
    assert project.run("check", "--env", "dev")[0] == 2
    said = project.run("runbook", "it-is-there", "--env", "dev")[1]
    assert (
        "  next: by its reason, which is not stored, it is for the rule mend-it or put-it-there, or for none; " in said
    )
    project.run("check", "--env", "dev", "--heal")
    said = project.run("runbook", "it-is-there", "--env", "dev")[1]
    assert "  rule put-it-there: " in said
    assert "mend-it" not in said


def test_what_it_is_not_for_is_told(project: Project) -> None:
    status, said = project.run("runbook", "it-is-there", "--env", "dev")
    assert (status, "nothing is stored in" in said) == (2, True)
    project.run("check", "--env", "dev")
    status, said = project.run("runbook", "it-is-thre", "--env", "dev")
    assert status == 2
    assert "unknown result 'it-is-thre': did you mean 'it-is-there@here'?" in said
    assert "name one of dev, prod with --env" in project.run("runbook", "it-is-there")[1]
