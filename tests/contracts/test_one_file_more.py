"""What an addition costs: one file, and its contract case, which the suite insists on. Tried on a copy of the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

OUTPUT = '''"""Only the state."""

from infratest.model import Report
from infratest.outputs.base import Output


class State(Output):
    """One word."""

    def render(self, report: Report) -> str:
        return f"{report.state}\\n"
'''
REMEDY = '''"""Nothing but a note on the controller."""

from infratest.deadline import Deadline
from infratest.errors import HealError
from infratest.model import Result
from infratest.remedies.base import Outcome, Remedy, Surroundings


class Note(Remedy):
    """Keep a note beside the stack file."""

    name = "note"
    on_host = False

    def describe(self) -> str:
        return "note"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        if not surroundings.folder.is_dir():
            raise HealError(f"note: {surroundings.folder} not found")
        (surroundings.folder / "note").write_text(result.id)
        return Outcome(words="noted", command="note")
'''
ACT = '''"""A file touched; as a remedy, `touch-file: /run/x`."""

from dataclasses import dataclass, field

from infratest.acts.base import Access, Act, succeeded
from infratest.deadline import Deadline


@dataclass(frozen=True)
class TouchAct(Act):
    """Touch one file."""

    path: str = field(metadata={"description": "the file", "title": "a path", "short": True})

    remedies = {"touch-file": {}}

    def apply(self, access: Access, deadline: Deadline) -> str:
        return succeeded(access.run(["touch", "--", self.path], deadline), f"touch {self.path}")
'''
CASE_OF_REMEDY = """from dataclasses import replace
from pathlib import Path

from infratest.testing.remedies import Case

CASE = Case(
    works={}, fails={}, refused=("x",), around={"fails": lambda around: replace(around, folder=Path("/no such folder"))}
)
"""

#: The files of an addition, its contract case, the suite that insists on that, and what the suite says without it.
ADDITIONS = {
    "output": (
        {"infratest/outputs/state.py": OUTPUT},
        {"tests/contracts/cases/outputs/state.py": "OPTIONS = {}\n"},
        "tests/contracts/test_outputs.py",
        "write tests/contracts/cases/outputs/state.py",
    ),
    "remedy": (
        {"infratest/remedies/note.py": REMEDY},
        {"tests/contracts/cases/remedies/note.py": CASE_OF_REMEDY},
        "tests/contracts/test_remedies.py",
        "write tests/contracts/cases/remedies/note.py",
    ),
    "act that is a remedy": (
        {"infratest/acts/touch.py": ACT},
        {
            "tests/contracts/cases/acts/touch.py": "from infratest.testing.acts import Case\n\n"
            'CASE = Case(works={"path": "x"}, fails={"path": "/not found/x"})\n',
            "tests/contracts/cases/remedies/touch_file.py": "from infratest.testing.remedies import Case\n\n"
            'CASE = Case(works="x", fails="/not found/x", refused=(None, 5))\n',
        },
        "tests/contracts/test_acts.py tests/contracts/test_remedies.py",
        "write tests/contracts/cases/acts/touch.py",
    ),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the suites need, the package as a wheel lays it out."""
    folder = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "infratest", folder / "infratest", ignore=ignored)
    for name in ("steps", "fixtures", "features"):
        shutil.copytree(ROOT / name, folder / "infratest" / name, ignore=ignored, dirs_exist_ok=True)
    for name in ("contracts", "worlds"):
        shutil.copytree(ROOT / "tests" / name, folder / "tests" / name, ignore=ignored)
    shutil.copy2(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(params=ADDITIONS)
def addition(request: pytest.FixtureRequest, tree: Path) -> Iterator[str]:
    name = str(request.param)
    put(tree, ADDITIONS[name][0])
    yield name
    for files in ADDITIONS[name][:2]:
        for path in files:
            (tree / path).unlink(missing_ok=True)


def put(tree: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)


def suite(tree: Path, paths: str, words: str) -> subprocess.CompletedProcess[str]:
    """Run the suites on the copy, of them what is about the addition."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", *paths.split(), "-k", words]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=200, check=False)


def test_an_addition_is_one_file_and_the_case_that_its_suite_insists_on(tree: Path, addition: str) -> None:
    _, case, paths, words = ADDITIONS[addition]
    about = {"output": "state", "remedy": "note"}.get(addition, "touch")
    without = suite(tree, paths, about)
    assert without.returncode != 0
    assert words in without.stdout
    put(tree, case)
    done = suite(tree, paths, about)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_an_output_that_was_added_is_used_by_its_word(tree: Path, tmp_path: Path) -> None:
    put(tree, ADDITIONS["output"][0])
    (tmp_path / "x.feature").write_text('Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists\n')
    command = [sys.executable, "-m", "infratest", "test", "--host", "local", "--format", "state", "x.feature"]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
