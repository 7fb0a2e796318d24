"""`infratest init`: what it writes, what it leaves alone, and (on a real host) that it works."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import forked

WRITTEN = {
    ".gitignore", "README.md", "behave.ini", "features/web.feature", "provision/web.sh", "stack.yaml",
}  # fmt: skip
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")}


def infratest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = forked.run(words, cwd=folder, env=ENVIRONMENT, timeout=120)
    assert "Traceback" not in done.stderr
    return done


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder(tmp_path):
    done = infratest(tmp_path, "init", "my shop é")
    assert done.returncode == 0
    made = tmp_path / "my shop é"
    assert files(made) == WRITTEN
    assert set(done.stdout.splitlines()) == {f"my shop é/{name}" for name in WRITTEN}
    assert done.stderr.startswith("next: cd 'my shop é' && infratest up")
    for name in WRITTEN:
        assert (made / name).read_text(encoding="utf-8").endswith("\n")
    assert (made / "stack.yaml").read_text().splitlines()[1] == "stack: my-shop"
    assert (made / "README.md").read_text().startswith("# my-shop\n")
    assert ".infratest/" in (made / ".gitignore").read_text().splitlines()
    assert stat.S_IMODE((made / "provision/web.sh").stat().st_mode) & 0o111
    assert "runner = infratest.behave_runner:Runner\npaths = features\n" in (made / "behave.ini").read_text()


def test_what_it_writes_is_free_of_mistakes(tmp_path):
    assert infratest(tmp_path, "init").returncode == 0
    done = infratest(tmp_path, "lint")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "1 feature, 3 scenarios: no mistakes found\n"


@pytest.mark.parametrize(
    "folder, stack",
    [
        ("shop", "shop"), ("2024-01-02", "stack-2024-01-02"), ("true", "stack-true"), ("日本", "stack"),
        ("-x", "x"), ("a.b_c", "a.b_c"), ("x" * 100, "x" * 40), ("on", "on"),
    ],
)  # fmt: skip
def test_the_stack_is_named_after_the_folder(tmp_path, folder, stack):
    place = tmp_path / folder
    place.mkdir()
    assert infratest(place, "init").returncode == 0
    assert (place / "stack.yaml").read_text().splitlines()[1] == f"stack: {stack}"
    assert infratest(place, "lint").returncode == 0


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features/web.feature").write_text("mine")
    (tmp_path / "stack.yaml").symlink_to("nowhere")
    done = infratest(tmp_path, "init")
    assert done.returncode == 2
    assert "features/web.feature, stack.yaml already: nothing was written" in done.stderr
    assert files(tmp_path) == {"features/web.feature"}
    assert (tmp_path / "features/web.feature").read_text() == "mine"


def test_a_project_that_is_there_keeps_its_readme(tmp_path):
    for name in ("README.md", ".gitignore", "behave.ini"):
        (tmp_path / name).write_text("mine")
    done = infratest(tmp_path, "init")
    assert done.returncode == 0
    assert files(tmp_path) == WRITTEN
    for name in ("README.md", ".gitignore", "behave.ini"):
        assert (tmp_path / name).read_text() == "mine"
    assert ".gitignore is there and stays as it is; add the line .infratest/" in done.stderr
    assert set(done.stdout.splitlines()) == {"features/web.feature", "provision/web.sh", "stack.yaml"}


def test_a_second_run_writes_nothing(tmp_path):
    infratest(tmp_path, "init")
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in WRITTEN}
    assert infratest(tmp_path, "init").returncode == 2
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in WRITTEN} == before


def test_a_dry_run_writes_nothing(tmp_path):
    done = infratest(tmp_path, "init", "new", "--dry-run")
    assert done.returncode == 0
    assert set(done.stdout.splitlines()) == {f"would write new/{name}" for name in WRITTEN}
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "shop").write_text("")
    assert infratest(tmp_path, "init", "shop").returncode == 2
    (tmp_path / "features").write_text("")
    done = infratest(tmp_path, "init")
    assert done.returncode == 2
    assert "holds features already: nothing was written" in done.stderr
    assert files(tmp_path) == {"shop", "features"}


def test_a_full_disk(tmp_path):
    done = infratest(Path("/dev"), "init", "/dev/full/x")
    assert done.returncode != 0
    assert "/dev/full" in done.stderr


@pytest.mark.hosts
def test_it_works(tmp_path):
    """Red, provisioned, green, monitored, destroyed: on a real host."""
    name = f"first-{tmp_path.name}"
    assert infratest(tmp_path, "init", name).returncode == 0
    project = tmp_path / name
    try:
        up = infratest(project, "up")
        assert (up.returncode, "1 host ready" in up.stderr) == (0, True), up.stderr
        # Our own acceptance features, on a host that has just been made.
        whole = infratest(project, "test", "@self-made-host", "@self-acts", "@linux-baseline")
        assert (whole.returncode, "17 ok" in whole.stdout) == (0, True), whole.stdout
        red = infratest(project, "test")
        assert red.returncode == 2
        assert 'the package "nginx-light" is not installed' in red.stdout
        assert "2 critical, 1 ok" in red.stdout
        provisioned = infratest(project, "provision")
        assert provisioned.returncode == 0, provisioned.stderr
        green = infratest(project, "test")
        assert (green.returncode, "3 ok" in green.stdout) == (0, True), green.stdout
        behave = subprocess.run(
            [sys.executable, "-m", "behave"], cwd=project, capture_output=True, text=True, env=ENVIRONMENT, timeout=60
        )
        assert (behave.returncode, "3 scenarios passed, 0 failed" in behave.stdout) == (0, True), behave.stdout
        check = infratest(project, "check")
        assert check.returncode == 0
        assert check.stdout.startswith(f"INFRATEST OK - {name} web: 3 scenarios ok | scenarios=3;;;0 failed=0;;0;0 ")
    finally:
        gone = infratest(project, "destroy")
    assert gone.returncode == 0
    assert "removed: host web" in gone.stderr
