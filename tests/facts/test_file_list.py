"""The fact `file-list`, asked of real folders by each shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infratest.facts.base import Answer
from infratest.facts.file_list import FileList, FileListFact
from tests.worlds.shells import shell


def listed(folder: Path, name: str) -> FileList:
    words, path = shell(name)
    fact, variables = FileListFact(), os.environ | ({"PATH": path} if path else {})
    done = subprocess.run(
        [*words, "-c", fact.ask([(str(folder),)])],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (value,) = fact.read(Answer(done.returncode, done.stdout, done.stderr), [(str(folder),)]).values()
    assert isinstance(value, FileList)
    return value


@pytest.mark.parametrize("name", ["dash", "bash", "mksh", "busybox"])
def test_a_name_that_cannot_be_told_is_a_problem_and_not_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a\\b").write_text("x")
    assert [Path(one.path).name for one in listed(tmp_path, name).files] == ["plain"]
    assert listed(tmp_path, name).problems == ()
    (tmp_path / "we\\ird").mkdir()
    (tmp_path / "we\\ird" / "x").write_text("x")
    (tmp_path / "two\nlines").write_text("x")
    value = listed(tmp_path, name)
    assert [Path(one.path).name for one in value.files] == ["plain"]
    assert value.problems == (f"{tmp_path}: a name with a line end or a backslash is not looked at",)
