"""What Ansible's variables say of the way to a host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.testing.inventories import opened
from tests.worlds import ansible_core


def answer(folder, line, **options):
    (folder / "hosts").write_text(line)
    return opened("ansible", {"path": "hosts", **options}, folder).hosts(Deadline(30))


def host(folder, variables, **options):
    (found,) = answer(folder, f"web {variables}\n", **options).hosts
    return found


@pytest.mark.parametrize(
    ("variables", "way"),
    [
        ("", {}),
        ("ansible_host=h ansible_port=2222 ansible_user=admin", {"address": "h", "port": 2222, "user": "admin"}),
        ("ansible_ssh_host=h ansible_ssh_port=22 ansible_ssh_user=a", {"address": "h", "port": 22, "user": "a"}),
        ("ansible_host='{{ inventory_hostname }}.example'", {"address": "web.example"}),
        ("ansible_host='{{a}}-{{ b }}' a=x b='{{ c }}' c=1", {"address": "x-1"}),
        ("ansible_connection=local ansible_user=root", {"transport": "local"}),
        ("ansible_connection=paramiko", {}),
        ("ansible_become=yes", {"sudo": True}),
        ("ansible_become=no", {"sudo": False}),
        ("ansible_become=true ansible_become_user=postgres", {"sudo": False}),
        ("ansible_become=false ansible_become_method=su", {"sudo": False}),
        ("ansible_ssh_common_args='-o ProxyJump=me@gate:2222'", {"jump": "me@gate:2222"}),
        ("ansible_ssh_common_args='-oProxyJump=gate -o ControlPersist=60s -q -o ConnectTimeout=3'", {"jump": "gate"}),
        ("ansible_ssh_common_args='-J a,b' ansible_ssh_extra_args='-p 23'", {"jump": "a,b", "port": 23}),
        ("ansible_ssh_extra_args='-l u -i /k'", {"user": "u", "key": "/k"}),
        ("ansible_ssh_extra_args='-p 23' ansible_port=24", {"port": 24}),
        ("ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p -q me@gate\"'", {"jump": "me@gate"}),
        ("ansible_ssh_common_args='-o ProxyCommand=\"ssh -p 2222 -W [%h]:%p gate\"'", {"jump": "gate:2222"}),
    ],
)  # fmt: skip
def test_variables_say_the_way(tmp_path, variables, way):
    found = host(tmp_path, variables)
    assert (found.values(), found.problem) == (way, "")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ("ansible_connection=winrm", "ansible_connection is 'winrm', and hosts are reached by ssh or local here"),
        ("ansible_port=ssh", "the port is 'ssh', expected a number from 1 to 65535"),
        ("ansible_port=70000", "the port is '70000'"),
        ("ansible_become=perhaps", "ansible_become is 'perhaps', neither true nor false"),
        ("ansible_become=yes ansible_become_method=doas", "ansible_become_method is 'doas'"),
        ("ansible_host='{{ lookup(1) }}'", "ansible_host is '{{ lookup(1) }}', a template that is not known here"),
        ("ansible_host='{{ x }}'", "ansible_host needs x, which is not known here"),
        ("ansible_host='{{ x }}' x='{{ x }}'", "needs x, which is not known here"),
        ("ansible_host=\"['a']\"", "ansible_host is no text and no number"),
        ("ansible_ssh_common_args='-o ProxyCommand=\"nc gate 22\"'", "ProxyCommand 'nc gate 22': write it as"),
        ("ansible_ssh_common_args='-o ProxyCommand=\"ssh -i k -W %h:%p gate\"'", "write it as ProxyJump"),
        ("ansible_ssh_common_args='-o BindAddress=1'", "the option 'BindAddress' of ssh is not known here"),
        ("ansible_ssh_common_args='-Z'", "the argument '-Z' of ssh is not known here"),
        ("ansible_ssh_common_args=gate", "the argument 'gate' of ssh is not known here"),
        ("ansible_ssh_common_args='-J'", "nothing stands behind the argument '-J'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_of_the_host(tmp_path, variables, words):
    assert words in host(tmp_path, variables).problem


def test_what_weakens_a_login_is_not_obeyed_and_said_once(tmp_path):
    found = answer(
        tmp_path,
        "[all]\na ansible_password=secret1\nb ansible_password=secret2\n[all:vars]\n"
        "ansible_ssh_common_args=-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null\n",
    )
    assert found.notes == (
        "StrictHostKeyChecking of an Ansible inventory is not obeyed: host keys are verified here",
        "UserKnownHostsFile of an Ansible inventory is not obeyed: host keys are verified here",
        "passwords of an Ansible inventory are not used: log in by a key",
    )
    assert "secret" not in repr(found.hosts)


def test_paths_begin_at_the_stack_file(tmp_path):
    assert host(tmp_path, "ansible_ssh_private_key_file=keys/id").key == str(tmp_path / "keys/id")
    assert host(tmp_path, "ansible_ssh_private_key_file=~/id").key == str(Path("~/id").expanduser())
    assert host(tmp_path, "ansible_ssh_common_args='-F team'").config == str(tmp_path / "team")


def test_only_variables_that_are_asked_for_become_labels(tmp_path):
    found = host(tmp_path, "env=prod db_password=hunter2 rack=7", labels=["env", "rack", "none"])
    assert found.labels == {"env": "prod", "rack": "7"}
    assert "hunter2" not in repr(found)


def test_a_name_that_is_an_address_stays_one(tmp_path):
    first, second = answer(tmp_path, "[2001:db8::1]:2222\n192.0.2.1\n").hosts
    assert (first.name, first.address, first.port) == ("2001:db8::1", "2001:db8::1", 2222)
    assert (second.name, second.address) == ("192.0.2.1", "")  # as a name it is the address, too


VAULTED = (
    "ansible_host: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nsecret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n"
)


def test_a_value_in_a_vault_is_refused_where_it_is_needed(tmp_path):
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars/web").write_text(VAULTED)
    assert host(tmp_path, "").problem == "ansible_host is in a vault, which nobody opens here"
    (tmp_path / "host_vars/web").write_text(VAULTED.partition("secret")[1] + VAULTED.partition("secret")[2])
    assert host(tmp_path, "").problem == ""
    assert host(tmp_path, "", labels=["secret"]).problem == "secret is in a vault, which nobody opens here"


def test_what_is_no_yaml_is_told_with_its_line_and_no_advice_to_install_anything(tmp_path, monkeypatch):
    (tmp_path / "h.yml").write_text("all:\n  hosts:\n    web: {a: [1\n    b: \n")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InventoryError) as caught:
        opened("ansible", {"path": "h.yml"}, tmp_path).hosts(Deadline(30))
    words = "h.yml:4: this is no YAML: while parsing a flow sequence, expected ',' or ']', but got ':'; mend it there"
    assert str(caught.value) == f"{tmp_path}/{words}"


@pytest.mark.parametrize("name", ["h.ini", "h.yml"])
def test_a_range_without_measure_is_refused_with_the_limit(tmp_path, name):
    (tmp_path / name).write_text("web-[1:9999999]\n" if name == "h.ini" else "all: {hosts: {'web-[1:9999999]': }}\n")
    with pytest.raises(InventoryError, match=r"'web-\[1:9999999\]' names more than 50000 hosts, which is the limit"):
        opened("ansible", {"path": name}, tmp_path).hosts(Deadline(30))


def test_what_is_not_known_here_is_asked_of_ansible_where_it_is_installed(tmp_path, monkeypatch):
    (tmp_path / "h.yml").write_text(
        "web:\n  hosts:\n    a: {ansible_port: 1}\n    a: {ansible_port: 2, x: !unsafe u}\n"
    )
    (tmp_path / "none").mkdir()
    inventory = opened("ansible", {"path": "h.yml", "labels": ["x"]}, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    with pytest.raises(InventoryError, match=r"h\.yml:4: found duplicate key .*; install ansible-core"):
        inventory.hosts(Deadline(30))
    monkeypatch.setenv("PATH", f"{ansible_core.programs()}:{os.defpath}")
    found = inventory.hosts(Deadline(60))
    (only,) = found.hosts
    assert (only.name, only.port, only.groups, only.labels) == ("a", 2, ("web",), {"x": "u"})
    assert found.asked
    assert tmp_path / "h.yml" in found.files


def test_where_ansible_fails_its_words_are_told(tmp_path, monkeypatch):
    (tmp_path / "h.yml").write_text("plugin: no.such.plugin\n")
    monkeypatch.setenv("PATH", f"{ansible_core.programs()}:{os.defpath}")
    with pytest.raises(InventoryError, match=r"ansible-inventory.* ended with exit \d+: .*no\.such\.plugin"):
        opened("ansible", "h.yml", tmp_path).hosts(Deadline(60))


def test_aliases_that_multiply_and_hold_themselves_are_refused(tmp_path):
    text = "a0: &a0 {hosts: {x: }}\n" + "".join(
        f"a{n}: &a{n} {{children: {{{', '.join(f'c{i}: *a{n - 1}' for i in range(9))}}}}}\n" for n in range(1, 9)
    )
    (tmp_path / "many.yml").write_text(text)
    with pytest.raises(InventoryError, match=r"do aliases .* multiply them"):
        opened("ansible", "many.yml", tmp_path).hosts(Deadline(60))
    (tmp_path / "self.yml").write_text("a: &a\n  children:\n    b: *a\n")
    with pytest.raises(InventoryError):
        opened("ansible", "self.yml", tmp_path).hosts(Deadline(60))


def test_more_hosts_than_can_be_are_refused(tmp_path):
    for text in ("web[1:60000]\n", "a[1:300]b[1:300]\n", "a[1:30000]\nb[1:30000]\n"):
        with pytest.raises(InventoryError, match="50000"):
            answer(tmp_path, text)


def test_a_program_that_prints_no_text(tmp_path):
    (tmp_path / "hosts").write_text('#!/bin/sh\nprintf \'{"w": {"hosts": ["\\377"]}, "_meta": {}}\'\n')
    (tmp_path / "hosts").chmod(0o755)
    with pytest.raises(InventoryError, match="bytes that are not UTF-8"):
        opened("ansible", "hosts", tmp_path).hosts(Deadline(30))
