"""The units of `reap --install-timer`: as systemd's own verifier reads them, and at work in a systemd that runs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.errors import InfratestError, UserError
from infratest.lifecycle import budget, timer
from infratest.providers.base import HostSpec
from infratest.providers.cloud import Cloud
from infratest.providers.container import Container
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir
from tests.worlds.container_stack import Stack
from tests.worlds.tiny_container import engine

ODD = 'a $HOME %h "quoted" back\\slash it\'s'
ID = "0123456789abcdef"


def stack_in(folder: Path, **more) -> StackFile:
    return StackFile(name="shop", env="dev", path=folder / "stack.yaml", folder=folder, **more)


def verified(folder: Path, texts: tuple[str, str]) -> str:
    """Return what systemd says of units."""
    paths = [folder / "infratest-reap-shop.service", folder / "infratest-reap-shop.timer"]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    words = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    said = [line for line in (done.stdout + done.stderr).splitlines() if paths[0].stem in line]  # not of other units
    return " ".join([str(done.returncode), *said])


def test_systemd_takes_them_whatever_the_paths_are(tmp_path, monkeypatch):
    for name in ("plain", ODD):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
        texts = timer.texts(stack_in(folder), StateDir(folder / "state"), Container)
        assert verified(tmp_path, texts) == "0"
    assert verified(tmp_path, (texts[0].replace("Type=", "Tpye="), texts[1])) != "0"


def test_what_no_unit_can_hold_is_refused(tmp_path):
    with pytest.raises(UserError, match="a unit of systemd cannot hold this"):
        timer.texts(stack_in(tmp_path / "a\nExecStart=/bin/true"), StateDir(tmp_path / "state"), Container)


def test_they_hold_what_a_run_needs_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-1")
    monkeypatch.setenv("INFRATEST_DEFINE", "password=very-secret-2")
    monkeypatch.setenv("INFRATEST_OWNER", "me@here")
    service, _ = timer.texts(stack_in(tmp_path), StateDir(tmp_path / "state"), Cloud)
    assert "very-secret" not in service
    lines = service.splitlines()
    assert 'Environment="AWS_PROFILE=tests"' in lines
    assert 'Environment="INFRATEST_OWNER=me@here"' in lines
    assert f"EnvironmentFile=-{tmp_path}/state/timer.env" in lines
    words = ["-P", "-m", "infratest", "reap", "--expired", "--stack", f"{tmp_path}/stack.yaml", "--env", "dev"]
    command = [sys.executable, *words, "--state", f"{tmp_path}/state"]
    assert f"ExecStart={' '.join(json.dumps(word) for word in command)}" in lines
    assert timer.variables(os.environ, Cloud) == ["AWS_SECRET_ACCESS_KEY"]


def test_the_command_in_them_is_one_that_there_is(tmp_path):
    (tmp_path / "stack.yaml").write_text("stack: shop\nprovider: fake\nhosts: {db: {}}\nenvironments: {dev: {}}\n")
    service, _ = timer.texts(stack_in(tmp_path), StateDir(tmp_path / "state"), Container)
    (line,) = [line.removeprefix("ExecStart=") for line in service.splitlines() if line.startswith("ExecStart=")]
    done = subprocess.run([json.loads(word) for word in line.split()], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "nothing to reap\n")


def infratest(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infratest", "reap", *words]
    around = os.environ | {"XDG_CONFIG_HOME": str(folder / "config")} | environment
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=around, timeout=60)


def test_what_may_not_be_timed_is_refused(tmp_path):
    path = tmp_path / "stack.yaml"
    path.write_text("stack: shop\nprovider: fake\nproduction: true\nhosts: {db: {}}\n")
    assert "no timer removes it, only `infratest destroy`" in infratest(tmp_path, "--install-timer").stderr
    path.write_text("stack: shop\nprovider: existing\nhosts: {db: {address: 127.0.0.1}}\n")
    assert "provider existing makes no hosts" in infratest(tmp_path, "--install-timer").stderr
    path.write_text("stack: shop\nprovider: fake\nparameters: {x: {type: string}}\nhosts: {db: {}}\n")
    assert "-D: a unit of systemd is for everybody to read" in infratest(tmp_path, "--install-timer", "-Dx=y").stderr
    done = infratest(tmp_path, "--install-timer", "--expired", "-Dx=y")
    assert (done.returncode, "--install-timer stands alone" in done.stderr) == (2, True)


def test_a_dry_run_prints_them_and_writes_nothing(tmp_path):
    (tmp_path / "stack.yaml").write_text("stack: shop\nprovider: fake\nhosts: {db: {}}\n")
    done = infratest(tmp_path, "--install-timer", "--dry-run")
    assert done.returncode == 0
    assert (
        "infratest-reap-shop-00000000.timer\n[Unit]\nDescription=Remove what of the stack shop has exp" in done.stdout
    )
    assert [path.name for path in tmp_path.iterdir()] == ["stack.yaml"]
    assert infratest(tmp_path, "--remove-timer").stderr.startswith("no timer to remove: ")


class Machine:
    """A container that systemd runs, and its folder of units as it is here."""

    def __init__(self, container: str, root: Path) -> None:
        self.container, self.root = container, root
        self.calls: list[str] = []
        for place in (timer.BOOTED, timer.SYSTEM):
            (root / place).mkdir(parents=True)

    def systemctl(self, words: Sequence[str]) -> str:
        self.calls.append(words[0])
        self._bring_over()
        try:
            return self.run("systemctl", *words)
        except AssertionError as error:
            raise InfratestError(str(error)) from error

    def run(self, *words: str) -> str:
        return engine("exec", self.container, *words)

    def _bring_over(self) -> None:
        """Have the units of this side's folder there, and none of ours that is not in it."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path in sorted((self.root / timer.SYSTEM).iterdir()):
                archive.add(path, path.name)
        self.run("sh", "-c", "rm -f /etc/systemd/system/infratest-reap-*")
        engine("cp", "-", f"{self.container}:/etc/systemd/system", stdin=stream.getvalue())


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "world").mkdir()
    world = Stack(tmp_path / "world")
    try:
        world.up(HostSpec(name="db"))
        made = Machine(world.made["db"].id, tmp_path / "root")
        made.run("sh", "-c", "until systemctl show-environment >/dev/null 2>&1; do sleep 0.2; done")
        yield made
    finally:
        world.down()


@pytest.mark.hosts
@pytest.mark.timeout(600)
def test_in_a_systemd_that_runs(machine, tmp_path, monkeypatch):
    """Installed, at work, installed again, said by a budget, removed."""
    monkeypatch.setenv("LANG", ODD)
    here = stack_in(tmp_path)
    found = timer.of(here, ID, user=False, root=machine.root)
    assert found.unit == "infratest-reap-shop:dev-01234567.timer"
    words = ["/bin/sh", "-c", 'printf "%s\\n" "$1" "$LANG" >/run/reaped', "sh", ODD]
    texts = timer.texts(replace(here, folder=Path("/")), StateDir(tmp_path / "state"), Container, words)
    assert timer.running(here, ID, machine.root, machine.systemctl) is None
    assert timer.install(found, texts, machine.systemctl)
    assert timer.running(here, ID, machine.root, machine.systemctl) == found
    assert found.name in machine.run("systemctl", "list-timers", "--no-pager")
    assert machine.run("systemctl", "is-enabled", found.unit) == "enabled"
    machine.run("systemctl", "start", f"{found.name}.service")
    assert machine.run("cat", "/run/reaped") == f"{ODD}\n{ODD}"
    machine.calls.clear()
    assert not timer.install(found, texts, machine.systemctl)
    assert machine.calls == ["enable"]
    assert timer.remove(found, machine.systemctl)
    assert timer.running(here, ID, machine.root, machine.systemctl) is None
    assert found.name not in machine.run("systemctl", "list-timers", "--all", "--no-pager")
    assert not timer.remove(found, machine.systemctl)


def test_nobody_in_that_word(tmp_path):
    assert budget.ender(stack_in(tmp_path), ID).startswith("nobody: ")
    assert budget.ender(stack_in(tmp_path, production=True), ID).startswith("nobody: a production stack")
