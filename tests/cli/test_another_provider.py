"""The line `provider:` is changed while hosts of the former one stand: they are neither forgotten nor called gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infratest.providers.base import Resource
from infratest.stack.file import load
from infratest.stack.open import makers, open_provider
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.records import DONE
from tests.worlds.small_project import run, write

STACK = "stack: one\nprovider: PROVIDER\nhosts:\n  web: {}\n  db: {}\n"
LINE = "{name: simulator, world: there}"
OTHERS = {
    "another provider": ("fake", "fake"),
    "another place": ("{name: simulator, world: here}", "simulator (here)"),
}
FEATURE = 'Feature: f\n  Scenario: one\n    Then the package "nginx" is installed\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", LINE), "features/a.feature": FEATURE})
    assert run(tmp_path, "infratest", "up").returncode == 0
    return tmp_path


def changed(folder: Path, line: str) -> None:
    write(folder, {"stack.yaml": STACK.replace("PROVIDER", line)})


@pytest.mark.parametrize("line, words", OTHERS.values(), ids=OTHERS)
def test_it_is_told_and_nothing_is_forgotten(project: Path, line: str, words: str) -> None:
    journal = project / ".infratest/journal.jsonl"
    before = journal.read_bytes()
    changed(project, line)
    made = "provider simulator (there) made host db, host web, network one"
    message = f"{made}, and the stack file says provider {words} now: put the former line back and run"
    for verb in ("up", "destroy", "reap", "plan", "run web true"):
        done = run(project, "infratest", *verb.split())
        assert (done.returncode, message in done.stderr) == (2, True), (verb, done)
    check = run(project, "infratest", "check")
    assert (check.returncode, message in check.stdout) == (3, True), check
    test = run(project, "infratest", "test")
    assert (test.returncode, message in test.stdout) == (3, True), test
    status = run(project, "infratest", "status")
    assert (status.returncode, message in status.stdout) == (0, True), status
    assert journal.read_bytes() == before


def test_a_check_is_not_made_of_this_machine_instead(project: Path) -> None:
    """`local` needs nobody to say where its hosts are: they would all be well."""
    changed(project, "local")
    check = run(project, "infratest", "check")
    assert (check.returncode, "the stack file says provider local now" in check.stdout) == (3, True), check
    test = run(project, "infratest", "test")
    assert (test.returncode, "the stack file says provider local now" in test.stdout) == (3, True), test


#: Lines of providers that nobody can be asked of here: a program that is not installed, a login that is not known.
UNASKED = {
    "a program that is not here": "virtualbox",
    "a login that is not known": "{name: cloud, driver: openstack}",
}


@pytest.mark.parametrize("line", UNASKED.values(), ids=UNASKED)
def test_it_is_told_before_what_the_new_one_lacks(project: Path, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without VBoxManage, or a login, verbs said that alone, as if it were all that is wrong."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    for name in ("VBOX_USER_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    nothing = {"PATH": str(project), "HOME": str(project)}
    journal = project / ".infratest/journal.jsonl"
    before = journal.read_bytes()
    changed(project, line)
    name = line.removeprefix("{name: ").partition(",")[0]
    made = "provider simulator (there) made host db, host web, network one, and the stack file and the environment say "
    place = f" ({project}/.config/VirtualBox)" if name == "virtualbox" else ""
    made += f"provider {name}{place} now"
    for verb in ("status", "up", "up --dry-run", "destroy", "destroy --dry-run", "reap", "reap --dry-run"):
        done = run(project, "infratest", *verb.split(), "--timeout", "20s", **nothing)
        assert (done.returncode, made in done.stderr) == (2, True), (verb, done)
    check = run(project, "infratest", "check", "--timeout", "20s", **nothing)
    assert (check.returncode, made in check.stdout) == (3, True), check
    assert journal.read_bytes() == before


def test_with_the_former_line_it_is_removed_and_the_other_one_takes_over(project: Path) -> None:
    changed(project, "fake")
    assert run(project, "infratest", "destroy").returncode == 2
    changed(project, LINE)
    assert run(project, "infratest", "destroy").returncode == 0
    changed(project, "fake")
    up = run(project, "infratest", "up")
    assert (up.returncode, "2 hosts ready" in up.stderr) == (0, True), up.stderr


def test_a_journal_that_names_no_makers_says_nothing_of_them(project: Path) -> None:
    journal = project / ".infratest/journal.jsonl"
    text = journal.read_text()
    assert text.count(', "maker": "simulator (there)"') == 1
    journal.write_text(text.replace(', "maker": "simulator (there)"', ""))
    assert run(project, "infratest", "status").returncode == 0
    assert run(project, "infratest", "destroy").returncode == 0


#: Of each cloud: who logs in, the variable that says where its API is, and the place in words.
ENDPOINTS = {
    "ec2": (
        {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"},
        "AWS_ENDPOINT_URL", "ec2, us-east-1, http://",
    ),
    "openstack": (
        {"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "p", "OS_REGION_NAME": "one"},
        "OS_AUTH_URL", "openstack, one, http://",
    ),
    "cloudstack": ({"CLOUDSTACK_KEY": "k", "CLOUDSTACK_SECRET": "s"}, "CLOUDSTACK_ENDPOINT", "cloudstack, http://"),
}  # fmt: skip
#: Where nobody listens: these runs ask nobody, or they say that nobody answers.
FORMER, NOW = "127.0.0.1:1/a", "127.0.0.1:2/b"


@pytest.mark.parametrize("driver", ENDPOINTS)
def test_another_place_that_the_environment_names_is_told_too(
    tmp_path: Path, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    login, variable, place = ENDPOINTS[driver]
    for name, value in {**login, variable: f"http://{FORMER}", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    line = f"{{name: cloud, driver: {driver}}}"
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", line), "features/a.feature": FEATURE})
    stack, state = load(tmp_path / "stack.yaml"), StateDir(tmp_path / ".infratest")
    with state.lock(purpose="a test"):
        operation = Journal(state).begin("up", "one", "", makers(stack, open_provider(stack, state))[0])
        operation.asked("host", "web")
        operation.made(Resource(kind="host", id="i-1", name="web"))
        operation.end(DONE)
    journal = tmp_path / ".infratest/journal.jsonl"
    before = journal.read_bytes()
    for verb in ("up", "destroy", "halt"):
        done = run(tmp_path, "infratest", verb, "--timeout", "5s", **{variable: f"http://{NOW}"})
        made = f"provider cloud ({place}{FORMER}) made host web, and the stack file and the environment say provider"
        assert done.returncode == 2, (verb, done)
        assert f"{made} cloud ({place}{NOW}) now: put the former line, or the former environment, back" in done.stderr
    assert journal.read_bytes() == before
    # How the same place is written makes it no other one.
    same = run(tmp_path, "infratest", "destroy", "--timeout", "5s", **{variable: f"http://{FORMER}/"})
    assert same.returncode == 1, same
    assert "made host web" not in same.stderr


@pytest.mark.parametrize(("provider", "variable"), [("qemu", "XDG_STATE_HOME"), ("virtualbox", "VBOX_USER_HOME")])
def test_another_folder_of_machines_is_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, variable: str
) -> None:
    """Who looks into another folder sees none of the hosts, and would make them a second time."""
    former, now = tmp_path / "former", tmp_path / "now"
    monkeypatch.setenv(variable, str(former))
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", provider), "features/a.feature": FEATURE})
    stack, state = load(tmp_path / "stack.yaml"), StateDir(tmp_path / ".infratest")
    with state.lock(purpose="a test"):
        assert state.id
        maker = makers(stack, open_provider(stack, state))[0]
        operation = Journal(state).begin("up", "one", "", maker)
        operation.asked("host", "web")
        operation.made(Resource(kind="host", id="q-1", name="web"))
        operation.end(DONE)
    assert maker.startswith(f"{provider} ({former}")
    for verb in ("up", "destroy"):
        done = run(tmp_path, "infratest", verb, "--timeout", "20s", **{variable: str(now)})
        words = f"provider {maker} made host web, and the stack file and the environment say provider {provider} ({now}"
        assert (done.returncode, words in done.stderr) == (2, True), (verb, done)
    if provider == "qemu":  # the other one's program is not here to be asked
        assert run(tmp_path, "infratest", "status").returncode == 0
    # By a journal of before, which has no place, it may be either.
    journal = tmp_path / ".infratest/journal.jsonl"
    journal.write_text(journal.read_text().replace(f'"maker": "{maker}"', f'"maker": "{provider}"'))
    done = run(tmp_path, "infratest", "destroy", "--timeout", "20s", **{variable: str(now)})
    assert "made host web" not in done.stderr
    assert provider != "qemu" or done.returncode == 0
