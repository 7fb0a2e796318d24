"""`infratest doctor`: which SSH client would serve each host, and why; the installed command, as its user has it."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from infratest.store.directory import StateDir
from tests.worlds.installed import Place
from tests.worlds.sshd import make_key

STACK = """\
stack: shop
provider: {{name: existing, config: none, known-hosts: known, agent: {agent}}}
hosts:
  web: {{address: 192.0.2.1, key: {key}}}
  behind: {{address: 192.0.2.2, key: {key}, jump: gate.example}}
  signed: {{address: 192.0.2.3, key: {signed}}}
  keyless: {{address: 192.0.2.4}}
"""
PLAIN = "nothing of this route needs paramiko"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "place")
    key, signed = make_key(tmp_path / "id"), make_key(tmp_path / "signed")
    (tmp_path / "signed-cert.pub").write_text("ssh-ed25519-cert-v01@openssh.com AAAA\n")
    place.write({"stack.yaml": STACK.format(key=key, signed=signed, agent="true")})
    return place


def without(place: Place, library: str) -> None:
    """Let Python find a library of this name that cannot be imported."""
    folder = place.root / f"without-{library}"
    folder.mkdir()
    (folder / f"{library}.py").write_text(f"raise ImportError('no {library} here')\n")
    before = place.variables.get("PYTHONPATH")
    place.variables["PYTHONPATH"] = f"{folder}:{before}" if before else str(folder)
    place.variables["PYTHONDONTWRITEBYTECODE"] = "1"  # of what stands here alone: it is no file of infratest's


def findings(place: Place, options: str = "", status: int = 0) -> dict[str, dict]:
    before = place.files()
    done = place.run(f"infratest doctor --format json {options}")
    assert (done.status, done.err) == (status, "")
    assert place.files() == before
    return {one["name"]: one for one in json.loads(done.out)}


def hosts(found: dict[str, dict]) -> dict[str, tuple[bool, str]]:
    return {name: (one["usable"], one["found"]) for name, one in found.items() if name.startswith("host ")}


def test_each_host_has_its_client_and_the_reason(place: Place, tmp_path: Path) -> None:
    assert hosts(findings(place)) == {
        "host web": (True, f"libssh2 would serve: {PLAIN}"),
        "host behind": (True, "paramiko would serve: the way is by a jump host"),
        "host signed": (True, f"paramiko would serve: {tmp_path}/signed has a certificate"),
        "host keyless": (True, f"libssh2 would serve: {PLAIN}"),
    }
    place.variables["SSH_AUTH_SOCK"] = "/nowhere/agent"
    found = hosts(findings(place, "--host web --host keyless"))
    assert list(found) == ["host web", "host keyless"]
    assert found["host web"] == (True, f"libssh2 would serve: {PLAIN}")
    assert found["host keyless"][1].startswith("paramiko would serve: the SSH agent may hold the key that is wanted")
    lines = [line.split(maxsplit=3) for line in place.run("infratest doctor").out.splitlines()]
    assert ["ok", "host", "web", f"libssh2 would serve: {PLAIN}"] in lines


def test_without_libssh2_paramiko_serves_and_it_says_how_to_get_the_other(place: Place) -> None:
    without(place, "ssh2")
    found = findings(place)
    assert found["ssh2-python"]["usable"] is False
    assert "no ssh2 here" in found["ssh2-python"]["found"]
    assert found["ssh2-python"]["advice"] == "pip install 'infratest[ssh]'"
    usable, words = hosts(found)["host web"]
    assert usable
    assert words.startswith("paramiko would serve: ssh2-python cannot be imported (no ssh2 here)")
    assert found["provider existing"]["usable"] is True


def test_without_paramiko_what_only_that_can_serve_is_not_usable(place: Place) -> None:
    without(place, "paramiko")
    found = findings(place)
    assert (found["paramiko"]["usable"], found["paramiko"]["advice"]) == (False, "pip install 'infratest[ssh]'")
    assert hosts(found)["host web"] == (True, f"libssh2 would serve: {PLAIN}")
    usable, words = hosts(found)["host behind"]
    assert not usable
    assert "behind: SSH needs paramiko, which cannot be imported (no paramiko here), and libssh2 cannot" in words
    assert "pip install 'infratest[ssh]'" in found["host behind"]["advice"]
    assert "and libssh2 cannot serve: the way is by a jump host" in words


def test_without_any_client_it_says_once_how_to_get_them(place: Place) -> None:
    without(place, "ssh2")
    without(place, "paramiko")
    seen = findings(place)["host web"]
    assert not seen["usable"]
    assert seen["advice"] == "install it with: pip install 'infratest[ssh]'"


def test_what_stands_in_the_way_of_a_host_is_told(place: Place) -> None:
    place.write({"config": "Host web\n  ProxyCommand nc %h %p\n"})
    text = "stack: shop\nprovider: {name: existing, config: config}\nhosts: {web: {}}\n"
    place.write({"stack.yaml": text})
    usable, words = hosts(findings(place))["host web"]
    assert not usable
    assert "web: ssh_config has a ProxyCommand for web" in words


def test_hosts_that_are_not_there_yet_and_hosts_without_ssh(place: Place) -> None:
    place.write({"stack.yaml": "stack: shop\nprovider: fake\nhosts: {web: {}}\n"})
    assert hosts(findings(place)) == {"host web": (False, "is not made")}
    place.write({"stack.yaml": "stack: shop\nprovider: local\nhosts: {web: {}}\n"})
    assert hosts(findings(place)) == {}


def test_without_a_stack_file_and_with_a_wrong_one(place: Place) -> None:
    place.write({"stack.yaml": "stack: shop\nprovider: existing\nhots: {web: {}}\n"})
    found = findings(place)
    assert found["stack.yaml"]["usable"] is False
    assert "hots" in found["stack.yaml"]["found"]
    place.write({"stack.yaml": None})
    found = findings(place)
    assert "stack.yaml" not in found
    assert hosts(found) == {}
    assert found["ssh2-python"]["usable"] is True
    assert "taken where a host's settings allow it" in found["ssh2-python"]["found"]
    assert "no stack file shop.yaml" in findings(place, "--stack shop.yaml")["shop.yaml"]["found"]


def test_what_keeps_an_engine_from_answering_is_told_once(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    place.write({"stack.yaml": "stack: shop\nprovider: container\nhosts: {web: {}}\n"})
    place.variables |= {"DOCKER_HOST": "unix:///nowhere.sock", "PATH": str(Path(sys.executable).parent)}
    state = StateDir(place.folder / ".infratest")  # a stack of which nothing was made asks no engine for its hosts
    assert state.id
    found = findings(place)
    assert found["provider container"]["found"].startswith("no container engine is usable (")
    same = (found["stack.yaml"]["usable"], found["stack.yaml"]["found"], found["stack.yaml"]["advice"])
    assert same == (False, "for the reason of 'provider container' above", "")


@pytest.mark.parametrize("vboxmanage", ["", "echo Usage - of another version >&2; exit 2", "echo nothing"])
def test_who_reads_it_is_not_told_to_read_it_and_no_remedy_is_told_twice(place: Place, vboxmanage: str) -> None:
    """On a machine that has nothing, or a VBoxManage that refuses what it is asked."""
    programs = place.root / "programs"
    programs.mkdir()
    if vboxmanage:
        (programs / "VBoxManage").write_text(f"#!/bin/sh\n{vboxmanage}\n")
        (programs / "VBoxManage").chmod(0o755)
    place.variables |= {"PATH": str(programs), "DOCKER_HOST": "unix:///nowhere.sock"}
    found = findings(place)
    assert [one for one in found.values() if "infratest doctor" in one["found"] + one["advice"]] == []
    unusable = {name: one for name, one in found.items() if not one["usable"]}
    assert {"provider virtualbox", "provider qemu", "provider container"} <= set(unusable)
    assert [name for name, one in unusable.items() if "install" in one["found"] and "install" in one["advice"]] == []
    assert all(one["advice"] for one in unusable.values() if not one["found"].startswith("for the reason of"))
    if not vboxmanage:
        assert unusable["provider virtualbox"]["found"] == "no VBoxManage in PATH"
        assert unusable["provider virtualbox"]["advice"].startswith("install VirtualBox (Debian: contrib")


def test_what_any_extra_brings_has_a_line(place: Place) -> None:
    """Of an extra that only gathers others, and of what the tests alone need, there is none."""
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    found = findings(place)
    told = {word for name, one in found.items() for word in [name, *one["advice"].split()]}
    told |= {word for one in found.values() for word in one["found"].replace("(", " ").split()}
    for extra in extras.keys() - {"test", "docs", "fast", "machines", "libvirt"}:
        brings = [re.split(r"[\[>]", each)[0] for each in extras[extra] if not each.startswith("infratest[")]
        assert told & {*brings}, extra
