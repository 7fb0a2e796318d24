"""The fact `file-list`, asked of real folders by each shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from infratest.facts.base import Answer
from infratest.facts.file_list import FileList, FileListFact
from tests.worlds.shells import busybox_programs, shell


@pytest.fixture
def reached() -> Iterator[Path]:
    """A folder that everybody reaches: each session of pytest that begins shuts that of all sessions' to others."""
    with TemporaryDirectory(prefix="infratest-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def listed(folder: Path, name: str, user: str = "") -> FileList:
    words, path = shell(name)
    if user:
        busybox_programs().chmod(0o755)
        words = [shutil.which("setpriv") or "setpriv", "--reuid", user, "--clear-groups", *words]
    fact, variables = FileListFact(), os.environ | {"LC_ALL": "C"} | ({"PATH": path} if path else {})
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
    (tmp_path / ".git" / "two\nlines").write_text("x")
    assert [Path(one.path).name for one in listed(tmp_path, name).files] == ["plain"]
    assert listed(tmp_path, name).problems == ()
    (tmp_path / "li\nne").mkdir()
    (tmp_path / "li\nne" / "x").write_text("x")
    (tmp_path / "two\nlines").write_text("x")
    (tmp_path / "split").symlink_to("two\nlines")
    value = listed(tmp_path, name)
    assert [Path(one.path).name for one in value.files] == ["plain"]
    assert value.problems == (f"{tmp_path}: a name with a line end, or a link to one, is not looked at",)
    assert value.unseen == (f"{tmp_path}/split",)


@pytest.mark.parametrize("name", ["dash", "bash", "mksh", "busybox"])
def test_a_name_with_a_backslash_is_listed_with_its_sum(tmp_path: Path, name: str) -> None:
    (tmp_path / "we\\ird").mkdir()
    (tmp_path / "we\\ird" / "x\\n").write_text("x")
    (tmp_path / "link").symlink_to("a\\b")
    link, file = listed(tmp_path, name).files
    assert (link.path, link.target) == (f"{tmp_path}/link", "a\\b")
    assert (file.path, file.sum) == (f"{tmp_path}/we\\ird/x\\n", "9dd4e461268c8034f5c8564e155c67a6")
    assert listed(tmp_path, name).problems == ()


@pytest.mark.parametrize("name", ["dash", "busybox"])
def test_below_which_folder_the_list_may_lack_something_is_told(reached: Path, name: str) -> None:
    (reached / "plain").write_text("x")
    (reached / "shut").mkdir(mode=0o700)
    value = listed(reached, name, user="nobody")
    assert [Path(one.path).name for one in value.files] == ["plain"]
    assert value.unseen == (f"{reached}/shut",)
    (reached / "it's: shut").mkdir(mode=0o700)
    assert listed(reached, name, user="nobody").unseen[0] == str(reached)  # of an odd name the folder is told


@pytest.mark.parametrize("name", ["dash", "busybox"])
def test_links_between_folders_that_are_shut_keep_their_targets(reached: Path, name: str) -> None:
    """What cannot be looked at is told by a program of its own, whose lines stand in no other's."""
    for number in range(12):
        (reached / f"shut{number:02}").mkdir(mode=0o700)
        for link in range(33):
            (reached / f"link{number:02}-{link:02}").symlink_to(f"a/target/of/some/length/{number:02}/{link:02}")
    value = listed(reached, name, user="nobody")
    targets = {Path(one.path).name: one.target for one in value.files}
    assert targets == {path.name: str(path.readlink()) for path in reached.iterdir() if path.is_symlink()}
    assert sorted(value.unseen) == [f"{reached}/shut{number:02}" for number in range(12)]
