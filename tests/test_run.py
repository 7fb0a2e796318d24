"""`./run`, as far as it shows without setting anything up; that it sets up is seen by each run of the tests."""

from __future__ import annotations

import fcntl
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
    assert re.findall(r"\./run ([\w-]+)", done.stderr) == [
        "demo", "test", "test-machines", "oracle", "bench", "drill", "docs", "setup", "exec",
    ]  # fmt: skip
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing",), "run: unknown verb: nothing\n"),
        (("setup", "nothing"), "run: setup is for demo or test, not for: nothing\n"),
    ],
)
def test_wrong_use_is_named(arguments: tuple[str, ...], words: str) -> None:
    assert run(*arguments).stderr.startswith(words)


def test_without_a_home_the_users_own_is_taken() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    done = subprocess.run([ROOT / "run", "--help"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_cache_that_cannot_be_made_says_what_names_another() -> None:
    done = run("exec", "true", INFRATEST_CACHE="/proc/nowhere")
    assert done.returncode == 1
    assert done.stderr.endswith("run: /proc/nowhere cannot be written: name another folder with INFRATEST_CACHE\n")


def test_who_sets_up_second_says_what_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "setup.lock").touch()
    environment = {**os.environ, "INFRATEST_CACHE": str(tmp_path), "INFRATEST_VENV": str(tmp_path / "no-venv")}
    (tmp_path / "no-venv").mkdir()  # where it ends, once it is its turn
    with (tmp_path / "setup.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
            [ROOT / "run", "setup"], env=environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        ) as waiting:
            assert waiting.stderr is not None
            assert waiting.stderr.readline() == "run: waiting for another ./run that sets up\n"
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert "is no virtual environment" in waiting.stderr.read()


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
