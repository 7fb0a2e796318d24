"""Hosts of inventories in a stack: merged with the file's, narrowed, kept, never fewer in silence."""

from __future__ import annotations

import os
import time

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError, StackFileError, UserError
from infratest.stack import kept_answers
from infratest.stack.file import load
from infratest.store.directory import StateDir
from tests.contracts.case_files import programs
from tests.contracts.cases.inventories.terraform import AWS, state

STACK = "stack: s\nprovider: {name: existing, from: [%s]}\n"


def stack(folder, text, **files):
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "stack.yaml").write_text(text)
    return load(folder / "stack.yaml", state=lambda name, place: StateDir(folder / "state"))


def hosts(folder, text, **files):
    return {spec.name: spec for spec in stack(folder, text, **files).hosts}


def test_the_stack_file_goes_over_the_source_and_that_over_defaults(tmp_path):
    text = STACK % "{ssh-config: team}" + (
        "defaults: {user: nagios, labels: {env: prod, rack: r1}, sudo: true, ready: ['port 22 is listening']}\n"
        "hosts:\n  db: {port: 2222, groups: [data], labels: {rack: r2}, sudo: false}\n  gate: {address: 192.0.2.9}\n"
    )
    found = hosts(tmp_path, text, team="Host web db\n")
    assert [*found] == ["db", "gate", "web"]
    db, gate, web = found.values()
    assert (db.option("port"), db.option("user"), db.sudo) == (2222, "nagios", False)
    assert (db.groups, db.labels) == (("data",), {"env": "prod", "rack": "r2"})
    assert (web.labels, web.sudo, web.ready) == ({"env": "prod", "rack": "r1"}, True, ("port 22 is listening",))
    assert db.option("config") == web.option("config") == str(tmp_path / "team")
    assert (gate.address, gate.option("config")) == ("192.0.2.9", "")
    assert web.where == f"{tmp_path}/team:1"
    assert db.where == f"{tmp_path}/stack.yaml:5"


def test_hosts_of_a_count_take_what_the_source_says_of_each(tmp_path):
    text = STACK % "{ssh-config: team}" + "hosts: {web: {count: 2, groups: [web]}, db: {after: [web, old]}}\n"
    found = hosts(tmp_path, text, team="Host web-2 old\n")
    assert [*found] == ["web-1", "web-2", "db", "old"]
    assert [bool(spec.option("config")) for spec in found.values()] == [False, True, False, True]
    assert found["web-2"].groups == ("web",)
    assert found["db"].after == ("web-1", "web-2", "old")


def test_a_host_after_one_that_nobody_knows(tmp_path):
    declared = stack(tmp_path, STACK % "{ssh-config: team}" + "hosts: {db: {after: [wbe]}}\n", team="Host web\n")
    with pytest.raises(StackFileError, match="unknown host 'wbe': did you mean 'web'"):
        list(declared.hosts)


def test_what_a_host_of_a_source_cannot_have_is_told(tmp_path):
    text = STACK % "{ssh-config: team}" + "defaults: {transport: container}\n"
    declared = stack(tmp_path, text, team="Host web\n")
    assert [spec.transport for spec in declared.hosts] == ["container"]


def test_sources_are_narrowed_by_the_language_that_chooses_hosts(tmp_path):
    source = "{ssh-config: team, where: 'web-* and not web-2'}, {ssh-config: more}"
    assert [*hosts(tmp_path, STACK % source, team="Host web-1 web-2 web-3\n", more="Host db\n")] == [
        "web-1", "web-3", "db",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{ssh-config: none}", "stack.yaml:2: provider.from[0] (ssh-config none): there is no ssh_config"),
        ("{ssh-config: empty}", "provider.from[0] (ssh-config empty) names no host"),
        ("{ssh-config: team}, {ssh-config: empty}", "provider.from[1] (ssh-config empty) names no host"),
        ("{ssh-config: team, where: 'wbe'}", "provider.from[0].where: 'wbe': unknown host or group 'wbe': did you"),
        ("{ssh-config: team, where: 'web and not web'}", "selects none of the 2 hosts of ssh-config team"),
        ("{ssh-config: team, where: '(web'}", "a ')' is missing"),
        ("{ssh-config: same}", "two hosts are named 'w-b' here"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_no_list_of_hosts(tmp_path, source, words):
    declared = stack(tmp_path, STACK % source, team="Host web db\n", empty="Host *\n", same="Host w:b w-b\n")
    with pytest.raises(InventoryError) as caught:
        len(declared.hosts)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{ssh-cnfig: team}", "stack.yaml:2: provider.from[0].ssh-cnfig: unknown key 'ssh-cnfig': did you mean 'ssh-"),
        ("{}", "stack.yaml:2: provider.from[0]: "),
        ("{where: web}", "provider.from[0]: name one source, such as {ssh-config: ~/.ssh/config}; found none"),
        ("team", "provider.from[0]: found 'team', allowed is a map of one of "),
        ("{ssh-config: {pth: team}}", "provider.from[0].ssh-config.pth: unknown key 'pth': did you mean 'path'"),
        ("{ssh-config: team, where: ''}", "provider.from[0].where: found empty text"),
    ],
)  # fmt: skip
def test_mistakes_in_the_stack_file_are_told_at_once_and_nothing_is_asked(tmp_path, source, words):
    with pytest.raises(StackFileError) as caught:
        stack(tmp_path, STACK % source)
    assert words in str(caught.value)


def test_only_the_provider_that_has_sources_takes_them(tmp_path):
    with pytest.raises(StackFileError, match=r"provider\.from: unknown key 'from'"):
        stack(tmp_path, "stack: s\nprovider: {name: container, from: [{ssh-config: team}]}\nhosts: {a: {}}\n")


def test_a_stack_without_hosts_of_its_own_is_read_before_its_sources(tmp_path):
    declared = stack(tmp_path, STACK % "{ssh-config: none}")
    assert (declared.name, declared.provider) == ("s", "existing")


def test_in_an_environment_of_its_own(tmp_path):
    text = (
        "stack: s\nhosts: {web: {image: debian-12, memory: 64MiB, groups: [web]}}\ndefaults: {image: debian-12}\n"
        "environments:\n  dev: {}\n  prod:\n    provider: {name: existing, from: [{ssh-config: '{param.file}'}]}\n"
        "    hosts: {web: {port: 2222}}\nparameters: {file: {type: string, default: team}}\n"
    )
    (tmp_path / "team").write_text("Host web db\n")
    (tmp_path / "stack.yaml").write_text(text)
    found = {spec.name: spec for spec in load(tmp_path / "stack.yaml", "prod").hosts}
    assert [*found] == ["web", "db"]
    assert (found["web"].option("port"), found["web"].groups) == (2222, ("web",))
    assert [spec.name for spec in load(tmp_path / "stack.yaml", "dev").hosts] == ["web"]


def test_two_sources_that_agree_and_two_that_do_not(tmp_path):
    source = "{ssh-config: team}, {ssh-config: more}"
    declared = stack(tmp_path, STACK % source, team="Host web\n", more="Host web\n")
    with pytest.raises(InventoryError) as caught:
        len(declared.hosts)
    assert "host web: config is " in str(caught.value)
    assert "by " in str(caught.value)
    assert "provider.from[1] (ssh-config more); they must agree, or one must leave it out" in str(caught.value)
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}, {ssh-config: team}")] == ["web"]


def test_odd_names_become_such_as_a_host_may_have(tmp_path):
    long = "w" * 70
    found = hosts(tmp_path, STACK % "{ssh-config: team}", team=f"Host 2001:db8::1 'old db' {long}1 {long}2 ... ünder\n")
    assert [name[:12] for name in found] == ["2001-db8-1", "old-db", "w" * 12, "w" * 12, "host-1a43b61", "nder"]
    assert all(len(name) <= 63 for name in found)
    assert len(found) == 6
    assert [spec.address for spec in found.values()][:2] == ["2001:db8::1", "old db"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "web ansible_user='a b'",
            "host web cannot be used: its user is 'a b': it may hold no line breaks and blanks, and",
        ),
        ("web ansible_user=-oProxyCommand=x", "host web cannot be used: its user is '-oProxyCommand=x': it may"),
        (
            "web ansible_host=-oProxyCommand=x",
            "host web cannot be used: its address is '-oProxyCommand=x': it may hold",
        ),
    ],
)
def test_what_ssh_would_take_for_an_option_or_refuse_is_told_of_its_host(tmp_path, line, words):
    with pytest.raises(InventoryError) as caught:
        hosts(tmp_path, STACK % "{ansible: hosts.ini}", **{"hosts.ini": f"{line}\n"})
    assert words in str(caught.value)


def test_answers_are_kept_while_their_files_are_as_they_were(tmp_path):
    declared = stack(tmp_path, STACK % "{ssh-config: team}", team="Host web\n")
    assert len(declared.hosts) == 1
    (kept,) = (tmp_path / "state/cache/inventories").glob("*.json")
    before = kept.stat().st_mtime_ns
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}")] == ["web"]
    assert kept.stat().st_mtime_ns == before
    # Of the same size and with the same times: the content counts.
    times = (tmp_path / "team").stat()
    (tmp_path / "team").write_text("Host wbe\n")
    os.utime(tmp_path / "team", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}")] == ["wbe"]


@pytest.mark.parametrize("damage", ["", "{", '{"question": 1}', "[]", "null"])
def test_a_damaged_answer_is_asked_anew(tmp_path, damage):
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}", team="Host web\n")] == ["web"]
    (kept,) = (tmp_path / "state/cache/inventories").glob("*.json")
    kept.write_text(damage)
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}")] == ["web"]


def test_an_answer_that_others_could_have_written_is_not_believed(tmp_path):
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}", team="Host web\n")] == ["web"]
    (kept,) = (tmp_path / "state/cache/inventories").glob("*.json")
    kept.write_text(kept.read_text().replace('"web"', '"bad"'))
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}")] == ["bad"]
    kept.chmod(0o666)
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}")] == ["web"]


def test_without_a_place_to_keep_it_an_answer_serves_once(tmp_path):
    (tmp_path / "state").write_text("no folder")
    assert [*hosts(tmp_path, STACK % "{ssh-config: team}", team="Host web\n")] == ["web"]


def test_one_who_asks_keeps_the_others_waiting_until_their_deadline(tmp_path):
    declared = stack(tmp_path, STACK % "{ssh-config: team}", team="Host web\n")
    assert len(declared.hosts) == 1
    (kept,) = (tmp_path / "state/cache/inventories").glob("*.json")
    kept.unlink()
    other = kept_answers._lock_file(StateDir(tmp_path / "state"), f"cache/inventories/{kept.stem}")
    import fcntl

    fcntl.flock(other, fcntl.LOCK_EX)
    again = stack(tmp_path, STACK % "{ssh-config: team}")
    with pytest.raises(InventoryError, match="another process is asking it"):
        again.hosts.read(Deadline(0.2))
    os.close(other)
    assert len(again.hosts) == 1


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Return what says how often Terraform was asked for the one host of a stack, once more where that is needed."""
    (tmp_path / "infra").mkdir()
    # A stand-in for the real program, which prints what that printed.
    script = f"#!/bin/sh\necho >>{tmp_path}/asked\ncat <<'E'\n{state(AWS)}\nE\n"
    monkeypatch.setenv("PATH", f"{programs(tmp_path, {'terraform': script})}:/usr/bin:/bin")

    def times():
        assert [*hosts(tmp_path, STACK % "{terraform: infra}")] == ["web-0"]
        return (tmp_path / "asked").read_text().count("\n")

    return times


def test_an_answer_is_of_one_account_and_nothing_secret_is_kept(tmp_path, monkeypatch, asked):
    assert (asked(), asked()) == (1, 1)
    for number, name in enumerate(
        ("AWS_PROFILE", "HCLOUD_TOKEN", "OS_APPLICATION_CREDENTIAL_ID", "GOOGLE_APPLICATION_CREDENTIALS", "NETBOX_API",
         "KUBECONFIG", "OUR_OWN_PASSWORD")
    ):  # fmt: skip
        monkeypatch.setenv(name, "hunter2hunter2")
        assert (asked(), asked()) == (number + 2, number + 2), name
    (kept,) = (tmp_path / "state/cache/inventories").glob("*.json")
    assert "hunter2" not in kept.read_text()
    # What another call has another value of says nothing of an account: each look of a monitor would ask anew.
    for name in ("INVOCATION_ID", "TRIGGER_TIMER_REALTIME_USEC", "NAGIOS_SERVICEATTEMPT", "SUDO_COMMAND"):
        monkeypatch.setenv(name, "of this one call")
    assert asked() == 8


def test_a_folder_or_a_terminal_is_no_account_and_those_that_ask_by_turns_keep_each_their_answer(
    tmp_path, monkeypatch, asked
):
    assert asked() == 1
    for name in ("PWD", "TMUX_PANE", "STY", "DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET", "WATCHDOG_USEC", "TERM"):
        monkeypatch.setenv(name, "of this session")
    assert asked() == 1
    for turn in range(2):
        for number, profile in enumerate(("a", "b", "c")):
            monkeypatch.setenv("AWS_PROFILE", profile)
            assert asked() == (number + 2 if turn == 0 else 4), (turn, profile)
    # A fourth takes the place of the oldest one, and of that alone.
    monkeypatch.setenv("AWS_PROFILE", "d")
    assert (asked(), asked()) == (5, 5)
    monkeypatch.setenv("AWS_PROFILE", "c")
    assert asked() == 5
    monkeypatch.setenv("AWS_PROFILE", "a")
    assert asked() == 6
    (kept,) = (tmp_path / "state/cache/inventories").glob("*.json")
    kept.write_text("[1, {}, null]")
    assert asked() == 7


def test_another_workspace_of_terraform_is_asked_anew(tmp_path, asked):
    assert asked() == 1
    (tmp_path / "infra/.terraform").mkdir()
    (tmp_path / "infra/.terraform/environment").write_text("staging")
    assert (asked(), asked()) == (2, 2)
    (tmp_path / "infra/terraform.tfstate.d/staging").mkdir(parents=True)
    (tmp_path / "infra/terraform.tfstate.d/staging/terraform.tfstate").write_text("{}")
    assert (asked(), asked()) == (3, 3)
    (tmp_path / "infra/.terraform/terraform.tfstate").write_text('{"backend": {}}')
    assert (asked(), asked()) == (4, 4)


def test_how_long_an_answer_serves():
    answer = kept_answers.Answer(hosts=())
    now = time.time()
    assert kept_answers.Dated(answer, now - 9, now + 1).serves(now)
    assert not kept_answers.Dated(answer, now - 11, now - 1).serves(now)
    assert not kept_answers.Dated(answer, now + 60, now + 120).serves(now)  # the clock was set back
    assert kept_answers.Dated(answer, now - 1e9, None).serves(now)
    assert issubclass(InventoryError, Exception)
    assert not issubclass(InventoryError, UserError)
