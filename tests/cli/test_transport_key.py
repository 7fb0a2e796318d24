"""`transport:` in a stack file: the way to a host is chosen by its word, and what that way cannot use is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.worlds.shop_stack import Place
from tests.worlds.sshd import running_sshd

FEATURE = 'Feature: f\n  Scenario: s\n    Then the command "echo here" prints "here"\n'


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    (tmp_path / "x.feature").write_text(FEATURE)
    return place


def stack(hosts: str, provider: str = "existing", defaults: str = "{}") -> str:
    return f"stack: office\nprovider: {provider}\ndefaults: {defaults}\nhosts:\n{hosts}"


def test_hosts_of_one_stack_by_three_ways(place, tmp_path):
    with running_sshd(tmp_path / "sshd") as server:
        provider = f"{{name: existing, config: none, agent: false, known-hosts: {server.known_hosts}, pipelined: true}}"
        way = f"address: {server.address}, port: {server.port}, user: {server.user}, key: {server.key}"
        place.write(stack(f"  a: {{{way}}}\n  b: {{{way}, transport: openssh}}\n  c: {{transport: local}}\n", provider))
        results = json.loads(place.run("test", "x.feature", "--format", "json")[0])["results"]
        assert {one["host"]: one["state"] for one in results} == {"a": "ok", "b": "ok", "c": "ok"}
        assert server.logins() == 2
        hosts = json.loads(place.run("status", "--format", "json")[0])["hosts"]
        assert {host["name"]: host["transport"] for host in hosts} == {"a": "ssh", "b": "openssh", "c": "local"}
        out, _ = place.run("status")
        assert f"{server.address}:{server.port} by openssh" in out
        assert place.run("ssh", "b", "echo $SSH_CONNECTION")[0].split()[3] == str(server.port)
        assert place.run("ssh", "c", "--", "echo", "here")[0] == "here\n"


def test_a_container_that_is_there_already(place, tmp_path, monkeypatch):
    engine = tmp_path / "bin" / "docker"
    engine.parent.mkdir()
    # An engine in whose place a shell answers: what it is asked is the point here.
    engine.write_text(
        f'#!/bin/sh\necho "$@" >>"{tmp_path}/asked"\n'
        'case "$1" in inspect) echo true;; exec) while [ "$1" != sh ]; do shift; done; "$@";; esac\n'
    )
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}:{Path(sys.executable).parent}:/usr/bin:/bin")
    place.write(stack("  a: {address: box-7, user: app}\n  b: {}\n", defaults="{transport: container}"))
    results = json.loads(place.run("test", "x.feature", "--format", "json")[0])["results"]
    assert [one["state"] for one in results] == ["ok", "ok"]
    asked = (tmp_path / "asked").read_text()
    assert "--user app box-7 sh" in asked
    assert asked.count(" b\n") == 1  # looked for under the host's own name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            stack("  a: {transport: opnssh}\n"),
            "stack.yaml:5: hosts.a.transport: unknown transport 'opnssh': did you mean",
        ),
        (
            stack("  a: {transport: fake}\n"),
            "stack.yaml:5: transport fake: the hosts of provider existing are reached by",
        ),
        (stack("  a: {transport: local, port: 22}\n"), "transport local has no use for `port`"),
        (stack("  a: {transport: container}\n", defaults="{key: id}"), "transport container has no use for `key`"),
        (stack("  a: {transport: ssh}\n", "local"), "the hosts of provider local are reached by local"),
        (stack("  a: {transport: openssh}\n", "fake"), "the hosts of provider fake are reached by fake"),
    ],
)
def test_a_transport_that_cannot_be_is_refused(place, text, words):
    place.write(text)
    assert words in place.run("status", status=2)[1]
