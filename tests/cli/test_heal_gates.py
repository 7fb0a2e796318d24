"""What the stack file says of when nothing is healed, as a user meets it: with a real listener, a real lock file."""

from __future__ import annotations

import socket
from pathlib import Path
from time import sleep

from infratest.testing.waiting import wait_until
from tests.cli.test_heal import Project


def port_that_nobody_listens_on() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def add(project: Project, text: str) -> None:
    path = project.folder / "stack.yaml"
    path.write_text(path.read_text() + text)


def twice(project: Project) -> tuple[int, str]:
    """Check twice, which confirms what is wrong, and return what came of the second."""
    project.run("check", "--env", "dev", "--heal")
    return project.run("check", "--env", "dev", "--heal")


def test_nothing_is_healed_while_no_witness_is_reached(tmp_path: Path) -> None:
    project = Project(tmp_path)
    closed = port_that_nobody_listens_on()
    add(project, f'monitor: {{witness: ["127.0.0.1:{closed}", "http://127.0.0.1:{closed}/"]}}\n')
    status, words = twice(project)
    assert status == 2
    assert "not healed: no witness answers, so it is we who are cut off: 127.0.0.1:" in words
    assert not project.there.exists()
    with socket.create_server(("127.0.0.1", closed)):
        status, words = project.run("check", "--env", "dev", "--heal")
    assert status == 0, words
    assert "healed: run touch" in words


def test_while_somebody_deploys_a_heal_asks_first(tmp_path: Path) -> None:
    project = Project(tmp_path)
    path = tmp_path / "stack.yaml"
    path.write_text(path.read_text().replace("heal:\n", "heal:\n  defaults: {freeze: [{file: deploying}]}\n"))
    (tmp_path / "deploying").write_text("")
    status, words = twice(project)
    assert status == 2
    assert "waits for approval: run touch" in words
    _, listed = project.run("heal", "list", "--env", "dev")
    _, shown = project.run("heal", "show", listed.split()[0], "--env", "dev")
    assert "[closed] change: it asks first: somebody deploys: there is a file deploying since " in shown
    assert not project.there.exists()
    (tmp_path / "deploying").unlink()
    status, words = project.run("check", "--env", "dev", "--heal")
    assert status == 0, words
    assert project.there.exists()


def test_rules_that_fight_are_told(tmp_path: Path) -> None:
    project = Project(tmp_path)
    status, said = project.run("heal", "lint", "--env", "dev")
    assert (status, said) == (0, "1 rule: no mistakes found\n")
    add(
        project,
        f"""\
  take-it-away:
    when: {{tags: "@page"}}
    do: [{{run: "rm {project.there}"}}, {{provision: {{}}}}]
    budget: {{tries: 1, per: 1h}}
    keep: {{hosts: 1, of: web}}
""",
    )
    (tmp_path / "features" / "page.feature").write_text(
        f'@page\nFeature: A page\n  Scenario: it is away\n    Then the file "{project.there}" does not exist\n'
    )
    status, said = project.run("heal", "lint", "--env", "dev")
    assert status == 1
    at = "stack.yaml:15: rule take-it-away:"
    assert said.splitlines() == [
        f"{at} do[1]: provision is not reached within 60 min: the budget is used up after 1 "
        "try; allow 2, or shorten the ladder",
        f"{at} keep.hosts: every rung is forbidden: 1 others of group web must stay well, and there are 0",
        f"{at} do[0]: undoes do[0] of rule put-it-there: {project.there} is stopped or "
        "removed here and started or made there; let one rule have both",
        f"{at} when: heals 'it is away' (features/page.feature:3), which denies 'it is there' "
        "(features/shop.feature:3) of rule put-it-there: each heal turns the other red",
        "2 rules: 4 mistakes",
    ]


def test_a_file_that_was_changed_since_it_was_green_is_asked_about_first(tmp_path: Path) -> None:
    project = Project(tmp_path)
    conf = tmp_path / "shop.conf"
    path = tmp_path / "stack.yaml"
    path.write_text(path.read_text().replace("heal:\n", "heal:\n  defaults: {freeze: [{drift: files}]}\n"))
    feature = tmp_path / "features" / "shop.feature"
    feature.write_text(feature.read_text() + f'    And the file "{conf}" contains "workers"\n')
    project.there.touch()
    conf.write_text("workers 4\n")
    assert project.run("check", "--env", "dev")[0] == 0
    project.there.unlink()
    status, words = twice(project)
    assert status == 0, words  # what is away is what failed, and nothing else was changed
    sleep(1.1)  # a change is noted to the second
    conf.write_text("workers 8\n")
    project.there.unlink()

    def waits() -> bool:  # once what was healed before has settled
        return "waits for approval: run touch" in project.run("check", "--env", "dev", "--heal")[1]

    assert wait_until(waits, 60)
    _, listed = project.run("heal", "list", "--env", "dev")
    _, shown = project.run("heal", "show", listed.split()[0], "--env", "dev")
    assert f"[closed] change: it asks first: {conf} was changed at 20" in shown
    assert "and the scenario was last green at 20" in shown
