"""The container provider on a real engine: real systemd, real sshd, real networks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infratest import outsiders
from infratest.deadline import Deadline
from infratest.diagnosis import Doctor
from infratest.errors import ProviderError, UnknownName, UserError
from infratest.hosts import GONE, RUNNING, STOPPED, Host
from infratest.providers.base import Halts, HostSpec
from infratest.providers.container import Container, HostOptions, Options
from infratest.providers.container.declared import LEAST_MEMORY
from infratest.providers.container.engine import Engine, find
from infratest.stack.open import open_transport
from tests.worlds import tiny_container
from tests.worlds.container_stack import Stack

pytestmark = pytest.mark.hosts

WEB_1 = HostSpec(
    name="web-1", groups=("web",), labels={"role": "web"}, options=HostOptions(ports=(80,), memory=256 * 2**20)
)
WEB_2 = HostSpec(name="web-2", groups=("web",), options=HostOptions(user="deploy", cpus=0.5), sudo=True)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find("auto", Deadline(60))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two hosts that are only looked at."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.up(WEB_1, WEB_2)
        yield stack
    finally:
        stack.down()
    assert stack.mine() == []


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack that a test may change; nothing is made yet."""
    stack = Stack(tmp_path)
    try:
        yield stack
    finally:
        stack.down()


def ssh(host: Host, command: str, known_hosts: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command by the OpenSSH client, trusting the stack's known_hosts alone."""
    options = host.options
    words = ["ssh", "-F", "none", "-p", str(options["port"]), "-i", options["key"], "-o", "BatchMode=yes"]
    words += ["-o", f"UserKnownHostsFile={known_hosts or options['known-hosts']}", "-o", "GlobalKnownHostsFile=none"]
    words += ["-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=5"]
    words.append(f"{options['user']}@{options['address']}")
    return subprocess.run([*words, command], capture_output=True, text=True, timeout=60, check=False)


def answer(host: Host, command: str) -> str:
    """Return what a command prints, asked again while the host is starting."""
    end = time.monotonic() + 30
    while (done := ssh(host, command)).returncode == 255 and time.monotonic() < end:
        assert "verification failed" not in done.stderr
    assert done.returncode == 0, done
    return done.stdout.strip()


def test_a_host_runs_systemd_and_is_logged_in_to_with_a_verified_key(stack: Stack) -> None:
    host = stack.host(WEB_1)
    assert answer(host, "systemctl is-system-running --wait; hostname; id -un") == "running\nweb-1\nroot"


def test_the_ssh_transport_takes_the_options_as_they_are(stack: Stack) -> None:
    host = stack.host(WEB_1)
    answer(host, "true")
    transport = outsiders.get("transport", host.transport)(host)
    transport.open(Deadline(20))
    try:
        assert transport.run(["hostname"], Deadline(20)).stdout == b"web-1\n"
    finally:
        transport.close()


def test_a_host_is_described_as_its_spec_says(stack: Stack) -> None:
    first, second = stack.provider.hosts([WEB_1, WEB_2], Deadline(30))
    assert (first.name, first.groups, first.labels, first.state) == ("web-1", ("web",), {"role": "web"}, RUNNING)
    assert (first.routed, first.endpoints, first.endpoint(80)) == (True, {}, (first.address, 80))
    assert (first.sudo, second.sudo, second.options["user"]) == (False, True, "deploy")
    assert first.address != second.address


def test_the_users_own_name_may_do_everything_by_sudo(stack: Stack) -> None:
    assert answer(stack.host(WEB_2), "id -un; sudo -n id -un") == "deploy\nroot"


def test_hosts_find_each_other_by_name(stack: Stack) -> None:
    first, second = stack.provider.hosts([WEB_1, WEB_2], Deadline(30))
    assert answer(first, "getent hosts web-2 | cut -d' ' -f1") == second.address


def test_memory_is_limited_where_the_spec_says_so(stack: Stack, engine: Engine) -> None:
    first, second = engine.inspect([stack.made["web-1"].id, stack.made["web-2"].id], Deadline(30))
    assert (first["HostConfig"]["Memory"], second["HostConfig"]["Memory"]) == (256 * 2**20, 0)


def test_processors_are_limited_where_the_spec_says_so(stack: Stack, engine: Engine) -> None:
    first, second = engine.inspect([stack.made["web-1"].id, stack.made["web-2"].id], Deadline(30))
    assert (first["HostConfig"]["NanoCpus"], second["HostConfig"]["NanoCpus"]) == (0, 500_000_000)


def test_the_least_memory_that_a_host_may_ask_for_is_dockers_own() -> None:
    words = ["create", "--memory", str(LEAST_MEMORY - 1), "--name", f"infratest-least-{os.getpid()}", "none-such"]
    status, _, err = find("docker", Deadline(60)).answer(words, Deadline(30))
    assert (status != 0, "6MB" in err) == (True, True), err


def test_each_host_has_a_key_of_its_own_and_another_key_is_refused(stack: Stack, tmp_path: Path) -> None:
    lines = [line.split() for line in (stack.state / "known_hosts").read_text().splitlines()]
    keys = {line[0]: line[2] for line in lines}
    first, second = stack.provider.hosts([WEB_1, WEB_2], Deadline(30))
    assert len(lines) == 2
    assert keys[first.address] != keys[second.address]
    answer(first, "true")
    swapped = tmp_path / "known_hosts"
    swapped.write_text(f"{first.address} ssh-ed25519 {keys[second.address]}\n")
    done = ssh(first, "true", str(swapped))
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_keys_are_readable_by_their_owner_alone_and_in_no_label_or_environment(stack: Stack, engine: Engine) -> None:
    assert (stack.state / "keys" / "id_ed25519").stat().st_mode & 0o777 == 0o600
    assert answer(stack.host(WEB_1), "stat -c %a /etc/ssh/ssh_host_ed25519_key") == "600"
    known = json.dumps(engine.inspect([stack.made["web-1"].id], Deadline(30)))
    assert "ssh-ed25519" not in known
    assert "PRIVATE KEY" not in known


def test_the_image_holds_no_key_and_no_service_of_a_users_stack(stack: Stack, engine: Engine) -> None:
    image = engine.inspect([stack.made["web-1"].id], Deadline(30))[0]["Config"]["Image"]
    look = "find /etc/ssh/ssh_host_* /root/.ssh/* /usr/sbin/policy-rc.d /infratest-build 2>/dev/null; "
    look += "command -v nginx mysqld postgres redis-server; cat /etc/machine-id"
    once = ["run", "--rm", "--network", "none", *engine.limit_options(), image, "sh", "-c", look + "; true"]
    assert engine.run(once, Deadline(60)) == ""


def test_a_package_is_installed_over_the_network_and_its_unit_started(stack: Stack) -> None:
    install = (
        "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update && apt-get -qq install -y nginx-light >/dev/null"
    )
    assert answer(stack.host(WEB_1), f"{install}; systemctl is-active nginx") == "active"


def test_a_network_that_is_in_use_names_who_is_in_it(own_stack: Stack) -> None:
    """An engine says that it has active endpoints, and not which."""
    own_stack.up()
    network = own_stack.mine()[0]
    with tiny_container.running_container() as name:
        tiny_container.engine("network", "disconnect", "none", name)
        tiny_container.engine("network", "connect", network.id, name)
        says = rf"could not do `network rm .*; in it are {name}: take what is not this stack's out of it \(`\w+ network"
        with pytest.raises(ProviderError, match=says):
            own_stack.provider.destroy(network, Deadline(60))
    own_stack.provider.destroy(network, Deadline(60))
    assert own_stack.mine() == []


def test_a_host_is_halted_and_started_with_its_disk_address_and_key(own_stack: Stack) -> None:
    own_stack.up(WEB_1)
    provider, resource = own_stack.provider, own_stack.made["web-1"]
    assert isinstance(provider, Halts)
    before = own_stack.host(WEB_1)
    answer(before, "echo kept > /root/note; sync")
    known = (own_stack.state / "known_hosts").read_text()
    provider.halt(resource, Deadline(60))
    assert own_stack.host(WEB_1).state == STOPPED
    provider.start(resource, Deadline(60))
    provider.start(resource, Deadline(60))
    after = own_stack.host(WEB_1)
    assert (after.state, after.address) == (RUNNING, before.address)
    assert (own_stack.state / "known_hosts").read_text() == known
    assert answer(after, "cat /root/note") == "kept"


def test_a_host_that_is_paused_says_so_and_goes_on_when_it_is_started(own_stack: Stack, engine: Engine) -> None:
    own_stack.up(WEB_1)
    provider, resource = own_stack.provider, own_stack.made["web-1"]
    answer(own_stack.host(WEB_1), "systemctl is-system-running --wait || true")  # who still boots cannot be frozen
    engine.run(["pause", resource.id], Deadline(60))
    assert own_stack.host(WEB_1).state == "paused"
    provider.start(resource, Deadline(60))
    assert own_stack.host(WEB_1).state == RUNNING
    provider.start(resource, Deadline(60))  # fine if it runs
    assert answer(own_stack.host(WEB_1), "echo on") == "on"


@pytest.mark.parametrize(("transport", "user"), [("openssh", "deploy"), ("container", "deploy"), ("container", "")])
def test_a_host_says_by_which_transport_it_is_reached(own_stack: Stack, transport: str, user: str) -> None:
    spec = HostSpec(name="web-1", transport=transport, options=HostOptions(user=user))
    own_stack.up(spec)
    assert answer(own_stack.host(replace(spec, transport="")), "id -un") == (user or "root")  # it has started
    way = open_transport(own_stack.host(spec))
    try:
        way.open(Deadline(60))
        said = way.run(["sh", "-c", 'id -un; echo "${SSH_CONNECTION:+by ssh}"'], Deadline(60))
    finally:
        way.close()
    assert said.stdout.decode().splitlines() == [user or "root", "by ssh" if transport == "openssh" else ""]


def test_what_exists_is_found_by_its_labels_and_destroyed_twice(own_stack: Stack, engine: Engine) -> None:
    provider = own_stack.provider
    assert own_stack.host(WEB_1).state == GONE
    own_stack.up(WEB_1)
    found = {(one.kind, one.name, one.id) for one in own_stack.mine()}
    assert found == {(one.kind, one.name, one.id) for one in own_stack.made.values()}
    assert {one.kind for one in own_stack.mine()} == {"host", "network"}
    host = next(one for one in own_stack.mine() if one.kind == "host")
    assert host.labels == {**own_stack.lease.labels(), "infratest.host": "web-1"}
    image = engine.inspect([host.id], Deadline(30))[0]["Config"]["Image"]
    network = next(one for one in own_stack.mine() if one.kind == "network")
    name = f"foreign-{own_stack.state_id}"
    foreign = engine.run(["create", "--name", name, "--network", "none", image, "true"], Deadline(60)).strip()
    try:
        for _ in range(2):
            provider.destroy(host, Deadline(60))
            provider.destroy(network, Deadline(60))
        assert own_stack.mine() == []
        assert own_stack.host(WEB_1).state == GONE
        assert (own_stack.state / "known_hosts").read_text() == ""
        assert [one["Id"] for one in engine.inspect([name], Deadline(30))] == [foreign]
        assert foreign not in {one.id for one in provider.existing(Deadline(30))}
    finally:
        engine.run(["rm", "--force", name], Deadline(60))


def test_ports_are_published_where_addresses_are_not_routed(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Options(endpoints="published"))
    try:
        stack.up(WEB_1)
        host = stack.host(WEB_1)
        assert host.routed is False
        assert set(host.endpoints) == {22, 80}
        assert {at[0] for at in host.endpoints.values()} == {"127.0.0.1"}
        assert (host.options["address"], host.options["port"]) == host.endpoint(22)
        assert host.endpoint(443) is None
        assert answer(host, "hostname") == "web-1"
        stack.provider.halt(stack.made["web-1"], Deadline(60))
        stack.provider.start(stack.made["web-1"], Deadline(60))
        again = stack.host(WEB_1)
        assert answer(again, "hostname") == "web-1"
        # For an unchanged known_hosts a monitor needs: the key stands under the address, whatever the port is.
        assert again.options["host-key-alias"] == host.address
    finally:
        stack.down()


def test_a_name_that_is_taken_is_an_error_in_the_engines_words(stack: Stack) -> None:
    request = stack.provider.requests([WEB_1], stack.lease)[1][0]
    with pytest.raises(ProviderError, match="is already in use"):
        stack.provider.create(request, Deadline(60))
    assert stack.host(WEB_1).state == RUNNING


def test_a_deadline_ends_a_call(stack: Stack) -> None:
    with pytest.raises(ProviderError, match="was ended"):
        stack.provider.existing(Deadline(0))


@pytest.mark.parametrize(
    "spec, error, words",
    [
        (HostSpec(name="a", options=HostOptions(image="debain-12")), UnknownName, "did you mean 'debian-12'"),
        (HostSpec(name="a", options=HostOptions(user="-x")), UserError, "user '-x' is no user"),
    ],
)
def test_a_spec_that_cannot_be_made_is_refused(stack: Stack, spec: HostSpec, error: type, words: str) -> None:
    request = stack.provider.requests([spec], stack.lease)[1][0]
    with pytest.raises(error, match=words):
        stack.provider.create(request, Deadline(60))


def test_an_engine_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(
        ProviderError, match=r"no container engine is usable .*nobody\.sock.*apt-get install docker\.io"
    ):
        find("docker", Deadline(30))
    with pytest.raises(ProviderError) as error:
        find("docker", Deadline(30))
    assert str(error.value).count("Cannot connect to the Docker daemon") == 1  # however many clients were asked
    assert "ServerErrors" not in str(error.value)
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(ProviderError, match="a remote engine is not in this version"):
        find("docker", Deadline(30))


def test_an_engine_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("docker", path="/usr/bin"):
        monkeypatch.setattr("infratest.providers.container.engine.DISTRIBUTION_DOCKER", str(tmp_path / "docker"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="no docker or podman command is in PATH"):
        find("auto", Deadline(30))


def test_doctor_says_what_is_usable() -> None:
    assert isinstance(Container, Doctor)
    findings = {one.name: one for one in Container.doctor()}
    assert set(findings) == {"provider container", "container image", "number of hosts"}
    assert all(one.usable for one in findings.values())
