"""`./run`, as far as it shows without setting anything up; that it sets up is seen by each run of the tests."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "run", *arguments], env={**os.environ, **environment}, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("setup", "nothing"), ("exec",)])
def test_wrong_use_is_answered_with_the_verbs(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert re.findall(r"\./run (\w+)", done.stderr) == ["demo", "test", "bench", "setup", "exec"]
    assert done.stdout == ""


def test_help_is_no_error() -> None:
    assert run("--help").returncode == 0


def test_a_folder_that_is_no_virtual_environment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    done = run("setup", "demo", INFRATEST_VENV=str(tmp_path), INFRATEST_CACHE=str(tmp_path / "cache"))
    assert done.returncode == 1
    assert f"{tmp_path} is there and is no virtual environment" in done.stderr
    assert (tmp_path / "mine").read_text() == "kept"


def test_continuous_integration_runs_the_tests_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ['exec "$(dirname -- "$0")/../run" test "$@"']
