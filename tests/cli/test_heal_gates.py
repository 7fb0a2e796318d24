"""What the stack file says of when nothing is healed, as a user meets it: with a real listener, a real lock file."""

from __future__ import annotations

import socket
from pathlib import Path

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
    assert "not healed: no witness answers, so it may be us who see nothing: 127.0.0.1:" in words
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
