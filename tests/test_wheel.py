"""What a user installs: the wheel, away from the checkout, without the extras that tests need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.worlds.wheel import NOBODY, PIP, ROOT, folder, installed, ran, wheel

#: Top-level folder in the tree -> where its data is in the wheel, and how the names of data end.
DATA = {"features": ("infratest/features", (".feature",)), "fixtures": ("infratest/fixtures", ("",))}

pytestmark = pytest.mark.timeout(600)


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run an installed program, away from the checkout, with nothing of this process's environment."""
    command = [str(installed() / words[0]), *words[1:]]
    return subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, timeout=60, **options)


def test_every_data_file_is_in_it():
    names = set(zipfile.ZipFile(wheel()).namelist())
    wanted = set()
    for top, (inside, ends) in DATA.items():
        for path in (ROOT / top).rglob("*"):
            parts = path.relative_to(ROOT / top)
            if (
                path.is_file()
                and path.suffix != ".py"
                and "__pycache__" not in parts.parts
                and path.name.endswith(ends)
            ):
                wanted.add(f"{inside}/{parts.as_posix()}")
    assert wanted - names == set()
    # Some by name, so that a folder that has gone is seen.
    assert {
        "infratest/py.typed",
        "infratest/features/linux-baseline.feature",
        "infratest/fixtures/images/debian-12/recipe.toml",
        "infratest/fixtures/stacks/shop/stack.yaml",
        "infratest/fixtures/stacks/init/gitignore",
        "infratest/steps/service.py",
        "infratest/store/database/migrations/0001.sql",
    } <= names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not [
        name
        for name in names
        if name.split("/")[0] not in ("infratest", "infratest-0.1.0.dist-info", "infratest-0.1.0.data")
    ]


def test_every_module_is_in_it():
    names = set(zipfile.ZipFile(wheel()).namelist())
    wanted = {
        (path.relative_to(ROOT) if top == "infratest" else Path("infratest") / path.relative_to(ROOT)).as_posix()
        for top in ("infratest", "steps", "fixtures", "features")
        for path in (ROOT / top).rglob("*.py")
        if "stacks" not in path.parts
    }
    assert wanted - names == set()


def test_the_programs_of_it():
    assert run("infratest", "--version").stdout == "infratest, version 0.1.0\n"
    version = run("check_infratest", "-V")
    assert (version.returncode, version.stdout) == (3, "check_infratest 0.1.0\n")
    steps = run("infratest", "steps", "service")
    assert steps.returncode == 0
    assert 'the service "nginx" is running' in steps.stdout
    assert ran(installed() / "python", "-m", "infratest", "schema", cwd="/").startswith("{")


def test_its_manual_pages_are_where_man_looks_for_what_is_in_path():
    pages = installed().parent / "share/man/man1"
    assert sorted(page.name for page in pages.iterdir()) == ["check_infratest.1", "infratest.1"]
    for page in pages.iterdir():
        assert page.read_text("utf-8") == (ROOT / "docs/man" / page.name).read_text("utf-8")


def test_no_verb_needs_an_extra_to_show_its_help():
    listed = run("infratest", "--help").stdout.partition("To begin with:\n")[2]
    verbs = re.findall(r"^  ([a-z-]+)  ", listed, re.M)
    assert {"init", "up", "provision", "test", "watch", "check", "heal", "destroy", "steps", "lint"} <= set(verbs)
    for verb in verbs:
        done = run("infratest", verb, "--help")
        assert done.returncode == 0, f"{verb}: {done.stderr}"
        assert "Traceback" not in done.stderr


#: Unpacks an archive of a file and of a link that leads out, as `cp` and the making of images do.
UNPACK = """
import io, sys
from infratest.tarfiles import tarfile
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as archive:
    archive.addfile(tarfile.TarInfo("inside"), io.BytesIO())
    link = tarfile.TarInfo("out")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive.addfile(link)
with tarfile.open(fileobj=io.BytesIO(packed.getvalue())) as archive:
    archive.extract("inside", sys.argv[1], filter="data")
    try:
        archive.extract("out", sys.argv[1], filter="data")
    except tarfile.AbsoluteLinkError as error:
        print(error)
"""


def test_what_is_unpacked_stays_inside_on_every_python(tmp_path):
    """The interpreter of this environment may be older than the one of the tests, as Debian 12's is."""
    done = run("python", "-c", UNPACK, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "'out' is a link to an absolute path\n"
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


@pytest.mark.parametrize("user", [0, NOBODY])
def test_the_baseline_as_root_and_as_nobody(user):
    """As a monitoring daemon runs it: no environment, no HOME, no writable directory."""
    assert os.getuid() == 0, "this test runs a program as another user: run it as root"

    def baseline(*more):
        words = ("--host", "local", *more, "@linux-baseline")
        return run("check_infratest", *words, user=user, group=user, extra_groups=[])

    # How busy this machine is now is no matter of this test: that scenario is tagged @warning, and it alone.
    done = baseline("--tags", "not warning")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("INFRATEST OK - local local: 7 scenarios ok | scenarios=7;;;0 failed=0;;0;0 ")
    assert done.stdout.count("\n") == 1
    done = baseline("--tags", "warning")
    assert (done.returncode, done.stderr) in [(0, ""), (1, "")]
    assert " | scenarios=1;;;0 failed=" in done.stdout
    assert " unknown=0;;;0 " in done.stdout


def test_ssh_without_its_extra_says_what_to_install(tmp_path):
    (tmp_path / "stack.yaml").write_text("stack: x\nprovider: existing\nhosts: {a: {address: 127.0.0.1}}\n")
    (tmp_path / "a.feature").write_text("Feature: f\n  Scenario: s\n    Then port 22 is listening\n")
    stack, state = f"{tmp_path}/stack.yaml", f"{tmp_path}/state"
    done = run("check_infratest", "--stack", stack, "--state", state, f"{tmp_path}/a.feature")
    assert done.returncode == 3
    assert "pip install 'infratest[ssh]'" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_demo_without_its_extra_says_what_to_install(tmp_path):
    done = run("infratest", "demo", "--keep", f"{tmp_path}/demo")
    assert done.returncode == 2
    assert "the demo needs aiosmtpd, which is not installed here: pip install 'infratest[demo]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_types_of_what_is_installed():
    """mypy follows no editable installation, so it looks at the wheel; the stubs are those of the test environment."""
    place = folder() / "typed"
    ran(*PIP, "install", "--no-deps", "--target", place, wheel())
    words = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml")]
    words += ["--cache-dir", str(ROOT / ".mypy_cache"), "-p", "infratest"]
    done = subprocess.run(
        words, cwd=place, env=os.environ | {"MYPYPATH": str(place)}, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
