"""Colours and cursor codes on a real terminal and beside one: as TERM, NO_COLOR and FORCE_COLOR say."""

from __future__ import annotations

import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.worlds.small_project import BIN, STACK, write

FEATURE = 'Feature: f\n  Scenario: s\n    Then the command "false" exits 0\n'
VERBS = (("test",), ("status",), ("steps", "port"), ("doctor",), ("up",))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("colours"), {"stack.yaml": STACK, "features/a.feature": FEATURE})


def environment(**given: str) -> dict[str, str]:
    banned = ("INFRATEST", "PYTEST", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM")
    return {name: value for name, value in os.environ.items() if not name.startswith(banned)} | given


def on_terminal(folder: Path, *words: str, **given: str) -> str:
    """Return all that a command writes on a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(BIN / "infratest"), *words], cwd=folder, env=environment(**given), stdin=subprocess.DEVNULL,
        stdout=theirs, stderr=theirs,
    ):  # fmt: skip
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # EIO is how Linux tells that nobody holds the other side any more
            while data := os.read(ours, 4096):
                seen += data
    os.close(ours)
    return seen.decode()


def in_pipe(folder: Path, *words: str, **given: str) -> str:
    done = subprocess.run(
        [str(BIN / "infratest"), *words], cwd=folder, env=environment(**given), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_dumb_terminal_gets_text_alone(project, words):
    said = on_terminal(project, *words, TERM="dumb")
    assert said.strip()
    assert "\x1b" not in said


@pytest.mark.parametrize("words", [("test",), ("steps", "port"), ("doctor",)], ids=" ".join)
def test_colours(project, words):
    """A colour is `ESC [ ... m`; a terminal may be drawn on without any."""
    assert "\x1b[" in on_terminal(project, *words, TERM="xterm")
    plain = on_terminal(project, *words, TERM="xterm", NO_COLOR="1", FORCE_COLOR="1").replace("\x1b[K", "")
    assert "\x1b[" not in plain
    assert "\x1b[" not in in_pipe(project, *words)
    assert "\x1b[" in in_pipe(project, *words, FORCE_COLOR="1")
    assert "\x1b[" not in in_pipe(project, *words, "--no-color", FORCE_COLOR="1")


def test_a_file_gets_no_colours(project):
    on_terminal(project, "test", "--format", "text:out.txt", TERM="xterm", FORCE_COLOR="1")
    text = (project / "out.txt").read_text()
    assert "✗ s" in text
    assert "\x1b" not in text
