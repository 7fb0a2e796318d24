"""Where features are: files, lines, folders, ready-made ones; their ids from the stack file's folder."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.errors import FeatureError, NoFeature
from infratest.gherkin.find import FeaturePath, find, named, ready_made, refuse_odd
from infratest.gherkin.parse import feature
from infratest.gherkin.vocabulary import vocabulary


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


# names that ids hold


def elsewhere(*ways: Path) -> Iterator[Path]:
    """Stand in each of some folders, one after the other."""
    for way in ways:
        with contextlib.chdir(way):
            yield way


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A stack's folder beside one with features that all stacks share: one file, and one in a folder."""
    for name in ("common/x.feature", "common/deep/y.feature", "shop/own/z.feature"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Feature: f\n")
    return tmp_path / "shop"


@pytest.mark.parametrize(
    "declared, link, name",
    [
        ("../common", "", "../common/x.feature"),
        ("../common/x.feature", "", "../common/x.feature"),
        ("./../common/", "", "../common/x.feature"),
        ("features", "features", "features/x.feature"),
        ("", "features", "features/x.feature"),
        (".", "own/common", "own/common/x.feature"),
        ("WHOLE/common", "", "WHOLE/common/x.feature"),
    ],
)
def test_what_is_declared_outside_the_project_has_its_name_as_written_wherever_one_stands(shared, declared, link, name):
    """By the name waivers, counts and heals know it: typed from wherever, in whatever way, it has the same one."""
    if link:
        (shared / link).symlink_to(shared.parent / "common")
    name = name.replace("WHOLE", str(shared.parent))
    given = (declared.replace("WHOLE", str(shared.parent)),) if declared else ()
    x = (shared.parent / "common" / "x.feature").resolve()
    for _ in elsewhere(shared, shared.parent, shared.parent / "common", shared.parent / "common" / "deep", Path("/")):
        assert FeaturePath(x, name) in find((), given, shared)
        assert find([os.path.relpath(x)], given, shared) == find([str(x)], given, shared) == [FeaturePath(x, name)]
        assert named([name], shared) == [FeaturePath(x, name)]


def test_what_is_typed_and_declared_nowhere_is_named_from_there_too_wherever_one_stands(shared):
    x = (shared.parent / "common" / "x.feature").resolve()
    for _ in elsewhere(shared, shared.parent, shared.parent / "common", Path("/")):
        assert find([os.path.relpath(x)], ("own",), shared) == [FeaturePath(x, "../common/x.feature")]
        assert named(["../common/x.feature"], shared) == [FeaturePath(x, "../common/x.feature")]


def test_what_has_no_folder_in_common_with_the_project_has_its_whole_path(shared):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        x = Path(name, "x.feature")
        x.write_text("Feature: f\n")
        for _ in elsewhere(shared, Path(name), Path("/")):
            assert find([os.path.relpath(x)], ("own",), shared) == [FeaturePath(x, str(x))]
            assert named([str(x)], shared) == [FeaturePath(x, str(x))]


def test_what_is_typed_has_a_name_where_what_is_declared_cannot_be_looked_for(shared):
    """As the feature by which another tool sees whether a host lets us in: a slip in another is none of its concern."""
    x = (shared.parent / "common" / "x.feature").resolve()
    (shared / "own" / "slip.featrue").write_text("Feature: f\n")
    assert find([str(x)], ("own",), shared) == [FeaturePath(x, "../common/x.feature")]


def test_two_ways_to_one_file_outside_are_one_feature_with_the_first_name(shared):
    for link in ("features", "own/again"):
        (shared / link).symlink_to(shared.parent / "common")
    names = ["features/deep/y.feature", "features/x.feature", "own/z.feature"]
    assert [item.name for item in find((), ("features", "own"), shared)] == names
    assert find(["own/again/x.feature"], ("features", "own"), shared)[0].name == "features/x.feature"


def test_a_name_out_of_an_id_is_of_one_file_wherever_one_stands(here):
    """Another project's feature of the same name would be looked at in its place, and be green."""
    other = here / "work" / "features" / "a.feature"
    other.parent.mkdir()
    other.write_text("Feature: another\n")
    ours = (here / "features" / "a.feature").resolve()
    assert named(["features/a.feature"], here) == [FeaturePath(ours, "features/a.feature")]
    assert named(["@linux-baseline"], here)[0].name == "@linux-baseline"
    for name in ("w.feature", "features/none.feature", "features"):
        with pytest.raises(NoFeature, match=rf"^{name}: no such feature of this stack; looked in "):
            named([name], here)


def test_what_lies_here_under_a_name_of_the_project_has_another(here, monkeypatch):
    other = here.parent / f"{here.name}-other" / "features" / "a.feature"
    other.parent.mkdir(parents=True)
    other.write_text("Feature: another\n")
    monkeypatch.chdir(other.parent.parent)
    name = f"../{here.name}-other/features/a.feature"
    assert found(here, "features/a.feature") == [(name, ())]
    assert named([name], here)[0].path == other.resolve()


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


@pytest.mark.parametrize(
    "name, words",
    [
        ("features/c#.feature", "features/c#.feature: holds a #, behind which ids name the scenario; rename it"),
        ("features/c#/x.feature", "features/c#/x.feature: holds a #, behind"),
        ("@x.feature", "@x.feature: begins with @, as only names of ready-made features do; rename it, or move it"),
        ("@x/y.feature", "@x/y.feature: begins with @, as"),
    ],
)
def test_a_name_that_ids_would_give_back_as_another_is_refused(here, name, words):
    """A heal of it was never looked at again."""
    (here / name).parent.mkdir(exist_ok=True)
    (here / name).write_text("Feature: f\n")
    for arguments, declared in (((), (".",)), ((str(here / name),), ()), ((str((here / name).parent),), ())):
        with pytest.raises(FeatureError, match=f"^{re.escape(words)}"):
            find(arguments, declared, here)


def test_a_folder_outside_that_no_report_can_show_is_refused_where_a_name_would_hold_it(shared, monkeypatch):
    odd = shared.parent / "a\nb"
    odd.mkdir()
    (odd / "x.feature").write_text("Feature: f\n")
    monkeypatch.chdir(odd)
    with pytest.raises(FeatureError, match="its name is not UTF-8, or holds a control character"):
        find(["x.feature"], ("own",), shared)


def test_what_ids_can_hold_is_a_feature(here):
    (here.parent / f"{here.name}#" / "@x").mkdir(parents=True)
    project = here.parent / f"{here.name}#"
    for name in ("a@b.feature", "@x.feature"):
        (project / "@x" / name).write_text("Feature: f\n")
    (project / "@x").rename(project / "features")
    names = ["features/@x.feature", "features/a@b.feature"]
    assert [item.name for item in find((), (), project)] == names
    assert [item.name for item in named(names, project)] == names


# what is never passed over


def test_links_to_folders_are_followed_and_one_that_leads_back_is_cut(here, tmp_path_factory):
    other = tmp_path_factory.mktemp("shared")
    (other / "deep").mkdir()
    (other / "deep" / "s.feature").write_text("Feature: f\n")
    (here / "features" / "shared").symlink_to(other)
    (other / "deep" / "back").symlink_to(other)
    (here / "features" / "up").symlink_to(here / "features")
    names = [name for name, _ in found(here)]
    assert names == ["features/a.feature", "features/deep/b.feature", "features/shared/deep/s.feature"]


def test_a_link_that_leads_nowhere_is_a_feature_that_is_not_there(here):
    (here / "features" / "gone.feature").symlink_to(here / "nothing")
    items = find((), (), here)
    assert [item.path.name for item in items] == ["a.feature", "b.feature", "nothing"]
    with pytest.raises(FeatureError, match="nothing: no such feature"):
        feature(items[-1].path, items[-1].name, vocabulary())


@pytest.mark.parametrize("name", [b"z\xe9.feature", b"a\nb.feature", b"\xff/a.feature", b"c\x1b[31m.feature"])
def test_a_name_that_no_report_can_show_is_refused(here, name):
    path = os.fsencode(here / "features") + b"/" + name
    Path(os.fsdecode(path)).parent.mkdir(exist_ok=True)
    Path(os.fsdecode(path)).write_text("Feature: f\n")
    with pytest.raises(FeatureError) as raised:
        found(here)
    assert str(raised.value).isprintable()
    assert "its name is not UTF-8, or holds a control character; rename it" in str(raised.value)
    with pytest.raises(FeatureError, match="its name is not UTF-8, or holds a control character"):
        found(here, os.fsdecode(path))


@pytest.mark.parametrize("name", ["web.Feature", "web.FEATURE", "web.featrue", "web.features", "deep/web.feture"])
def test_a_file_that_is_nearly_a_feature_is_refused(here, name):
    (here / "features" / name).write_text("Feature: f\n")
    with pytest.raises(FeatureError, match=r"is this a feature\? write its name with \.feature, or move it away"):
        found(here)


@pytest.mark.parametrize("name", ["web.feature~", "web.feature.bak", ".web.feature.swp", "web.txt", "future.md"])
def test_what_editors_leave_beside_features_is_none(here, name):
    (here / "features" / name).write_text("not Gherkin\n")
    assert found(here) == [("features/a.feature", ()), ("features/deep/b.feature", ())]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listener(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [pipe, listener, device])
def test_a_pipe_a_socket_and_a_device_are_refused_and_never_waited_for(here, make):
    path = here / "features" / "z.feature"
    make(path)
    with pytest.raises(FeatureError, match="is neither a file nor a folder but a pipe, socket or device"):
        found(here, "features/z.feature")
    item = find((), (), here)[-1]
    with pytest.raises(FeatureError, match=r"regular file but a pipe, socket or device|read: No such device"):
        feature(item.path, item.name, vocabulary())


def nowhere(path: Path) -> None:
    path.symlink_to("nothing")


def text(path: Path) -> None:
    path.write_text("Feature: f\n")


@pytest.mark.parametrize(
    "name, make, words",
    [
        ("z.feature", pipe, "z.feature: is no file but a pipe, socket or device"),
        ("z.feature", listener, "z.feature: is no file but a pipe, socket or device"),
        ("z.feature", device, "z.feature: is no file but a pipe, socket or device"),
        ("z.feature", nowhere, "z.feature: is no file but a link that leads nowhere"),
        ("z.Feature", text, r"z.Feature: is this a feature\?"),
        ("z.featrue", text, r"z.featrue: is this a feature\?"),
    ],
)
def test_what_takes_files_alone_refuses_what_it_would_pass_over(here, name, make, words):
    refuse_odd(here / "features")
    make(here / "features" / name)
    with pytest.raises(FeatureError, match=words):
        refuse_odd(here / "features")


UNLISTABLE = """
import os, sys
from pathlib import Path
from infratest.errors import FeatureError, NoFeature
from infratest.gherkin.find import find
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
try:
    print([item.name for item in find(sys.argv[2:], (), Path(sys.argv[1]))])
except FeatureError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize(
    "mode, closed, words",
    [
        (0o000, "features/deep", "deep: cannot be listed: Permission denied"),
        (0o700, "features", "features: cannot be listed: Permission denied"),
        (0o700, "features", "features/deep/b.feature: cannot be looked at: Permission denied"),
    ],
)
def test_a_folder_that_may_not_be_read_is_told_and_not_passed_over(mode, closed, words):
    # Below /tmp itself, since the folders that pytest makes are closed to others.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        project = Path(name)
        (project / "features" / "deep").mkdir(parents=True)
        for each in ("a.feature", "deep/b.feature"):
            (project / "features" / each).write_text("Feature: f\n")
        project.chmod(0o755)
        (project / closed).chmod(mode)
        arguments = ["features/deep/b.feature"] if "looked at" in words else []
        command = [sys.executable, "-c", UNLISTABLE, str(project), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        (project / closed).chmod(0o700)
    assert (done.returncode, done.stdout[:9]) == (0, "refused: "), done.stdout + done.stderr
    assert words in done.stdout
