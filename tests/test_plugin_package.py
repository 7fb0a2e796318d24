"""examples/plugin: installed beside our wheel in a virtual environment of its own, used by its words, its tests run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.worlds.wheel import PIP, ROOT, ran, readable_python, wheel

#: No process has this id: the largest that Linux gives is 2 ** 22.
NOBODY = 2**22 + 1
STACK = """\
stack: shop
provider: {name: host-list, file: hosts.txt}
hosts: {web-1: {transport: local}}
features: [locks.feature]
heal:
  stale-lock:
    when: {state: critical}
    confirm: 1
    do: [{remove-stale-lock: LOCK}]
    at-most: 100%
    mode: auto
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a virtual environment with our wheel, pytest and the package of the example."""
    folder = tmp_path_factory.mktemp("plugin")
    # A copy: building it would leave files in the tree.
    shutil.copytree(
        ROOT / "examples/plugin", folder / "plugin", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    ran(readable_python(), "-m", "venv", "--without-pip", folder / "venv")
    ran(*PIP, "--python", folder / "venv/bin/python", "install", f"{wheel()}[pytest]", folder / "plugin[test]")
    return folder / "venv/bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A stack of this machine, by the package's provider, with a stale lock."""
    lock = tmp_path / "backup.lock"
    lock.write_text(f"{NOBODY}\n")
    (tmp_path / "hosts.txt").write_text("# written by another program\nweb-1 127.0.0.1\n")
    (tmp_path / "stack.yaml").write_text(STACK.replace("LOCK", str(lock)))
    feature = (ROOT / "examples/plugin/features/locks.feature").read_text()
    (tmp_path / "locks.feature").write_text(feature.replace("/run/lock/backup.lock", str(lock)))
    return tmp_path


def infratest(programs: Path, *words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(programs / "infratest"), *map(str, words)], cwd=cwd, capture_output=True, text=True)


def test_its_own_tests_pass_there(programs: Path) -> None:
    words = ran(programs / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=programs.parents[1] / "plugin")
    assert "passed" in words.splitlines()[-1]
    assert "failed" not in words


def test_its_names_are_where_users_look_for_them(programs: Path, tmp_path: Path) -> None:
    assert 'the lock file "/run/backup.lock" is not stale' in infratest(programs, "steps", cwd=tmp_path).stdout
    schema = infratest(programs, "schema", cwd=tmp_path).stdout
    assert json.loads(schema)
    assert '"remove-stale-lock"' in schema
    assert "the list, relative to the stack file" in schema  # the option of its provider
    shown = " ".join(infratest(programs, "test", "--help", cwd=tmp_path).stdout.split())
    assert "csv, github, html, json" in shown


def test_it_sees_tells_and_heals(programs: Path, project: Path) -> None:
    tested = infratest(programs, "test", "--format", "csv", cwd=project)
    assert tested.returncode == 2, tested.stderr
    header, row = tested.stdout.splitlines()
    assert header == "feature,scenario,host,state,reason,seconds"
    assert row.startswith("locks.feature,the backup's lock is not stale,web-1,critical,")
    assert f"held by process {NOBODY}, which does not run" in row

    healed = infratest(programs, "check", "--heal", cwd=project)
    assert healed.returncode == 0, healed.stdout
    assert "healed: remove-stale-lock /" in healed.stdout  # a long path is cut in the line
    assert ", was CRITICAL; 1 scenario ok" in healed.stdout
    assert not (project / "backup.lock").exists()
    assert infratest(programs, "check", cwd=project).returncode == 0
