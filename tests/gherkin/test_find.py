"""Where features are: files, lines, folders, ready-made ones; their ids from the stack file's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import FeatureError
from infratest.gherkin.find import find, ready_made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its stack file, and a folder in it from which commands are run."""
    for name in ("features/a.feature", "features/deep/b.feature", "features/.git/c.feature", "work/w.feature",
                 "work/a.feature", "more.feature", "features/notes.txt"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Feature: f\n" + "# and so on\n" * 20)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def found(here: Path, *arguments: str, declared: tuple[str, ...] = ()) -> list[tuple[str, tuple[int, ...]]]:
    return [(item.name, item.lines) for item in find(arguments, declared, here)]


@pytest.mark.parametrize("line", [0, 4, 999])
def test_a_line_that_the_file_has_not_is_refused(tmp_path, line):
    (tmp_path / "a.feature").write_text("Feature: a\n  Scenario: b\n    Then port 80 is listening\n")
    with pytest.raises(FeatureError, match=rf"a\.feature:{line}: no such line; the file has 3$"):
        find([f"a.feature:{line}"], (), tmp_path)
    assert find(["a.feature:3"], (), tmp_path)[0].lines == (3,)


def test_without_arguments_what_is_declared_or_the_folder_features(here):
    assert found(here) == [("features/a.feature", ()), ("features/deep/b.feature", ())]
    assert found(here, declared=("more.feature", "features/deep")) == [
        ("more.feature", ()), ("features/deep/b.feature", ()),
    ]  # fmt: skip


def test_arguments_are_looked_for_here_then_beside_the_stack_file(here):
    assert found(here, "w.feature", declared=("more.feature",)) == [("work/w.feature", ())]
    assert found(here, "more.feature") == [("more.feature", ())]
    assert found(here, "a.feature") == [("work/a.feature", ())]
    assert find(["a.feature"], (), here)[0].path == (here / "work/a.feature").resolve()


def test_what_is_declared_is_beside_the_stack_file_alone(here):
    with pytest.raises(FeatureError, match=r"w.feature: no such feature or folder; looked in "):
        found(here, declared=("w.feature",))


def test_lines(here):
    assert found(here, "w.feature:12") == [("work/w.feature", (12,))]
    assert found(here, "w.feature:12", "w.feature:3") == [("work/w.feature", (12, 3))]


def test_a_file_asked_for_whole_and_by_line_is_whole(here):
    assert found(here, "w.feature:12", "w.feature") == [("work/w.feature", ())]
    assert found(here, "w.feature", "w.feature:12") == [("work/w.feature", ())]


def test_each_file_once_by_whatever_name(here):
    (here / "work" / "link.feature").symlink_to(here / "work" / "w.feature")
    assert len(found(here, "w.feature", "./w.feature", str(here / "work/w.feature"), "link.feature")) == 1


def test_a_file_outside_the_project_has_its_whole_path(here, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "o.feature"
    other.write_text("Feature: f\n")
    assert found(here, str(other)) == [(str(other.resolve()), ())]


def test_ready_made_ones(here):
    assert found(here, "@linux-baseline") == [("@linux-baseline", ())]
    assert "@linux-baseline" in ready_made()
    with pytest.raises(
        FeatureError, match=r"unknown ready-made feature '@linux-basline': did you mean '@linux-baseline'"
    ):
        found(here, "@linux-basline")
    with pytest.raises(FeatureError, match="unknown ready-made feature"):
        found(here, "@../../work/w")


@pytest.mark.parametrize(
    "argument, message",
    [
        ("none.feature", r"none.feature: no such feature or folder; looked in .*/work and "),
        ("none.feature:3", r"none.feature: no such feature or folder"),
        ("empty", r"empty: holds no .feature file: nothing to run"),
        ("", r"."),
    ],
)
def test_not_there(here, argument, message):
    (here / "work" / "empty").mkdir()
    for name in ("a.feature", "w.feature"):
        (here / "work" / name).unlink()
    with pytest.raises(FeatureError, match=message):
        found(here, argument)
