"""What one more thing costs: files laid over a copy of the source tree, nothing else changed, and its tests pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: It runs other tests, thousands of them.
pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[1]
MORE = Path(__file__).parent / "data" / "additions"
#: Tests that look at whatever facts and sentences there are.
LOOKING = (
    "tests/test_architecture.py", "tests/steps/test_cases.py", "tests/steps/test_vocabulary.py",
    "tests/facts/test_cases.py", "tests/facts/test_in_words.py", "tests/facts/test_here.py",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source tree and of these tests, with what is added laid over it."""
    for name in ("infratest", "steps", "fixtures", "features", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "additions"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "infratest" / "steps").symlink_to("../steps")  # where the wheel has it
    shutil.copytree(MORE, tmp_path, dirs_exist_ok=True)
    return tmp_path


def ran(tree: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True,
        text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_fact_and_its_sentence_are_a_file_each_and_a_case_for_each(tree):
    assert len([path for path in MORE.rglob("*") if path.is_file() and path.suffix in (".py", ".json")]) == 4
    (tree / "x.feature").write_text('Feature: f\n  Scenario: s\n    Then the tunable "kernel.ostype" is "Linux"\n')
    assert "Linux" in ran(tree, "infratest", "check", "--host", "local", "x.feature", "--format", "json")
    assert 'the tunable "net.ipv4.ip_forward" is "0"' in ran(tree, "infratest", "steps", "tunable")
    chosen = ("-k", "tunable or house_stands or every or native")
    assert " passed" in ran(tree, "pytest", "-q", "-p", "no:cacheprovider", *chosen, *LOOKING)
