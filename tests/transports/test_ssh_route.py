"""Where an SSH connection goes: ssh_config, jump hosts, published endpoints; each against real servers."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import AccessRefused, HostKeyRefused, TransportError, Unreachable
from infratest.hosts import STARTING, Host
from infratest.outsiders import get
from infratest.transports.base import Transport
from infratest.transports.ssh.route import Options, route
from tests.worlds.sshd import Server, wait_until

Start = Callable[..., Server]
LONG = 20.0


def ssh(options: dict[str, Any], **host: Any) -> Transport:
    return get("transport", "ssh")(Host(**({"name": "web-1", "options": options} | host)))


def says_here(transport: Transport) -> int:
    """Open, run one command, close; return the logins it took."""
    try:
        transport.open(Deadline(LONG))
        assert transport.run(["echo", "here"], Deadline(LONG)).stdout == b"here\n"
    finally:
        transport.close()
    return transport.cost.logins


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "ssh_config"
    path.write_text(text)
    return str(path)


def everything(server: Server) -> str:
    return (
        f"HostName {server.address}\nPort {server.port}\nUser {server.user}\nIdentityFile {server.key}\n"
        f"UserKnownHostsFile {server.known_hosts}\nGlobalKnownHostsFile none\n"
    )


# What the stack leaves out comes from ssh_config


def test_a_host_that_is_nothing_but_a_name(server: Server, tmp_path: Path) -> None:
    path = config(tmp_path, f"Host other\nPort 1\n\nHost web-*\n{everything(server)}\nHost *\nUser nobody\n")
    assert says_here(ssh({"config": path})) == 1


def test_an_address_is_looked_up_too(server: Server, tmp_path: Path) -> None:
    path = config(tmp_path, f"Host shop-web\n{everything(server)}")
    assert says_here(ssh({"config": path, "address": "shop-web"})) == 1
    assert says_here(ssh({"config": path}, address="shop-web")) == 1


def test_what_the_stack_says_wins(server: Server, tmp_path: Path) -> None:
    path = config(tmp_path, "Host *\nPort 1\nUser nobody\nIdentityFile /none\nUserKnownHostsFile /none\n")
    assert says_here(ssh(server.options(config=path))) == 1


def test_a_published_endpoint_goes_before_an_address(server: Server) -> None:
    options = server.options()
    del options["address"], options["port"]
    place = {22: (server.address, server.port)}
    assert says_here(ssh(options, address="10.9.9.9", routed=False, endpoints=place)) == 1


def test_an_include_under_a_host_line_holds_for_that_host(tmp_path: Path) -> None:
    (tmp_path / "inner").write_text("Port 2201\n")
    path = config(tmp_path, f"Host web-1\nInclude {tmp_path}/inner\nUser first\nHost *\nPort 2299\nUser last\n")
    ours, other = (route(Host(name=name), Options(config=path))[0] for name in ("web-1", "web-2"))
    assert (ours.port, ours.user) == (2201, "first")
    assert (other.port, other.user) == (2299, "last")


def test_an_alias_of_ssh_config_names_the_record(server: Server, tmp_path: Path) -> None:
    known = tmp_path / "known"
    known.write_text(f"the-shop {server.host_key}\n")
    text = everything(server).replace(str(server.known_hosts), str(known))
    assert says_here(ssh({"config": config(tmp_path, f"Host web-1\n{text}HostKeyAlias the-shop\n")})) == 1


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")  # OpenSSH goes by the account
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    home = pwd.getpwuid(os.getuid()).pw_dir
    (hop,) = route(Host(name="web-1", address="10.0.0.1"), Options(config="none"))
    assert (hop.address, hop.port, hop.record) == ("10.0.0.1", 22, "10.0.0.1")
    assert hop.keys == tuple(f"{home}/.ssh/id_{kind}" for kind in ("ed25519", "ecdsa", "rsa"))
    assert hop.known_hosts[0] == f"{home}/.ssh/known_hosts"
    assert "/etc/ssh/ssh_known_hosts" in hop.known_hosts
    assert (hop.only_keys, hop.agent, hop.pin, hop.connect_timeout) == (False, "/run/agent", False, 10.0)


@pytest.mark.parametrize(
    "text, place",
    [
        ("edge", ("edge", 22, None)),
        ("ops@edge:2222", ("edge", 2222, "ops")),
        ("ops@[2001:db8::1]:2222", ("2001:db8::1", 2222, "ops")),
        ("2001:db8::1", ("2001:db8::1", 22, None)),
        ("[2001:db8::1]", ("2001:db8::1", 22, None)),
    ],
)
def test_jump_hosts_as_written(text: str, place: tuple[str, int, str | None]) -> None:
    jump, host = route(Host(name="web-1"), Options(config="none", jump=text))
    assert (jump.address, jump.port) == place[:2]
    assert place[2] is None or jump.user == place[2]
    assert host.title == "host web-1"


@pytest.mark.parametrize("text", ["ops@", "edge:ssh", ",edge"])
def test_jump_hosts_that_are_none(text: str) -> None:
    with pytest.raises(TransportError, match="expected \\[user@\\]host"):
        route(Host(name="web-1"), Options(config="none", jump=text))


# Through a jump host


@pytest.fixture
def known(server: Server, tmp_path: Path) -> Callable[[Server], str]:
    """A known_hosts file that knows the jump host and the host."""

    def both(jump: Server) -> str:
        path = tmp_path / "known_both"
        path.write_text(server.known_hosts.read_text() + jump.known_hosts.read_text())
        return str(path)

    return both


def jumping(server: Server, jump: Server, known: str, **others: Any) -> Transport:
    options = {"jump": f"{jump.user}@{jump.address}:{jump.port}", "known_hosts": known} | others
    return ssh(server.options(**options))


def test_through_a_jump_host(server: Server, start: Start, known: Callable[[Server], str]) -> None:
    jump, before = start(key=server.key), server.logins()
    assert says_here(jumping(server, jump, known(jump))) == 2
    assert (jump.logins(), server.logins() - before) == (1, 1)


def test_through_two(server: Server, start: Start, tmp_path: Path) -> None:
    first, second = start(key=server.key), start(key=server.key)
    path = tmp_path / "known_all"
    path.write_text("".join(each.known_hosts.read_text() for each in (server, first, second)))
    chain = f"{first.address}:{first.port}, {second.address}:{second.port}"
    assert says_here(ssh(server.options(jump=chain, known_hosts=str(path)))) == 3
    assert (first.logins(), second.logins()) == (1, 1)


def test_it_closes_when_the_jump_is_gone(server: Server, start: Start, known: Callable[[Server], str]) -> None:
    jump = start(key=server.key)
    options = server.options(jump=f"{jump.address}:{jump.port}", known_hosts=known(jump), client="paramiko")
    transport = ssh(options)
    transport.open(Deadline(LONG))
    first, _ = transport._client._sessions  # type: ignore[attr-defined]
    first.sock.shutdown(socket.SHUT_RDWR)  # as when its machine is switched off: nothing more can be said by it
    transport.close()
    assert not first.is_alive()


def test_a_jump_of_ssh_config(server: Server, start: Start, known: Callable[[Server], str], tmp_path: Path) -> None:
    jump = start(key=server.key)
    text = f"Host web-1\n{everything(server)}ProxyJump edge\nHost edge\n{everything(jump)}"
    text = text.replace(str(server.known_hosts), known(jump)).replace(str(jump.known_hosts), known(jump))
    path = config(tmp_path, text)
    assert says_here(ssh({"config": path})) == 2
    assert says_here(ssh({"config": path, "jump": "none"})) == 1


def chain(folder: Path, *servers: Server, more: str = "") -> str:
    """Write an ssh_config where web-1 is reached by b2, b2 by b1, and so on: the servers from the last to the first."""
    known = folder / "known_all"
    known.write_text("".join(each.known_hosts.read_text() for each in servers))
    names = ["web-1", *(f"b{number}" for number in range(len(servers) - 1, 0, -1))]
    blocks = []
    for each, name, jump in zip(servers, names, [*names[1:], ""], strict=True):
        lines = everything(each).replace(str(each.known_hosts), str(known))
        blocks.append(f"Host {name}\n{lines}" + (f"ProxyJump {jump}\n" if jump else ""))
    return config(folder, "".join(blocks) + more)


def test_every_jump_of_a_chain_is_taken(server: Server, start: Start, tmp_path: Path) -> None:
    """The jump host's own entry in ssh_config has a jump host, as OpenSSH would go."""
    second, first = start(key=server.key), start(key=server.key)
    before = server.logins()
    assert says_here(ssh({"config": chain(tmp_path, server, second, first)})) == 3
    assert (first.logins(), second.logins(), server.logins() - before) == (1, 1, 1)


@pytest.mark.parametrize("path", [os.environ["PATH"], "/no-ssh"], ids=["asked", "read here"])
def test_the_first_of_several_jump_hosts_has_its_own_way(
    server: Server, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `ssh -J b2,b3` goes: what leads to b2 says ssh_config, b3 is reached from b2 and from nowhere else."""
    monkeypatch.setenv("PATH", path)
    text = "Host web-1\nProxyJump ops@b2:2222,b3\nHost b2\nProxyJump b1\nHost b3\nProxyJump b9\nProxyCommand nc\n"
    hops = route(Host(name="web-1"), Options(config=config(tmp_path, text)))
    assert [(hop.title, hop.user == "ops", hop.port) for hop in hops] == [
        ("jump host b1", False, 22), ("jump host b2", True, 2222), ("jump host b3", False, 22),
        ("host web-1", False, 22),
    ]  # fmt: skip
    assert [hop.address for hop in route(Host(name="b9"), Options(config=config(tmp_path, text), jump="b2"))] == [
        "b1", "b2", "b9",
    ]  # fmt: skip
    assert len(route(Host(name="b2"), Options(config=config(tmp_path, text), jump="none"))) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Host web-1\nProxyJump b1\nHost b1\nProxyJump b2\nHost b2\nProxyJump b1\n",
            "circle: web-1 -> b1 -> b2 -> b1",
        ),
        ("Host web-1\nProxyJump b1\nHost b1\nProxyCommand nc %h %p\n", r"jump host b1: ssh_config has a ProxyCommand"),
    ],
)
def test_jump_hosts_that_cannot_be_taken(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=words):
        route(Host(name="web-1"), Options(config=config(tmp_path, text)))


def test_the_agent_and_the_addresses_that_ssh_config_names(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    try:
        wait_until((tmp_path / "agent").exists)
        environment = os.environ | {"SSH_AUTH_SOCK": str(tmp_path / "agent")}
        subprocess.run(["ssh-add", "-q", server.key], env=environment, check=True)
        text = everything(server).replace(f"IdentityFile {server.key}\n", "")
        path = config(tmp_path, f"Host web-1\n{text}IdentityAgent {tmp_path}/agent\nAddressFamily inet\n")
        assert says_here(ssh({"config": path})) == 1
        inet6 = config(tmp_path, f"Host web-1\n{text}IdentityAgent {tmp_path}/agent\nAddressFamily inet6\n")
        with pytest.raises(TransportError, match=r"the name 127\.0\.0\.1 has no address here"):
            ssh({"config": inet6}).open(Deadline(LONG))
    finally:
        agent.terminate()
        agent.wait(LONG)


def test_a_jump_host_that_is_down_is_not_the_host_down(server: Server, start: Start) -> None:
    jump = start(key=server.key)
    jump.stop()
    with pytest.raises(
        TransportError, match=r"jump host 127\.0\.0\.1 .*refused.*host behind it is up is not known"
    ) as raised:
        jumping(server, jump, str(server.known_hosts)).open(Deadline(LONG))
    assert not isinstance(raised.value, Unreachable)


def test_a_host_that_is_down_behind_a_jump_host(server: Server, start: Start, known: Callable[[Server], str]) -> None:
    jump, gone = start(key=server.key), start(key=server.key)
    gone.stop()
    transport = jumping(server, jump, known(jump), port=gone.port)
    with pytest.raises(Unreachable, match=r"host web-1 .*cannot be reached from the jump host: Connect failed"):
        transport.open(Deadline(LONG))
    assert transport.cost.logins == 1


def test_a_jump_host_that_does_not_forward(server: Server, start: Start, known: Callable[[Server], str]) -> None:
    jump = start(key=server.key, AllowTcpForwarding="no")
    with pytest.raises(AccessRefused, match=r"host web-1 .*does not forward.*AllowTcpForwarding"):
        jumping(server, jump, known(jump)).open(Deadline(LONG))


def test_each_hop_is_verified(server: Server, start: Start) -> None:
    jump = start(key=server.key)
    with pytest.raises(HostKeyRefused, match=r"jump host 127\.0\.0\.1 .*unknown"):
        jumping(server, jump, str(server.known_hosts)).open(Deadline(LONG))
    with pytest.raises(HostKeyRefused, match=r"host web-1 .*unknown"):
        jumping(server, jump, str(jump.known_hosts)).open(Deadline(LONG))


def test_nothing_of_the_home_folder_is_needed(server: Server) -> None:
    assert "HOME" in os.environ
    assert says_here(ssh(server.options())) == 1


@pytest.mark.parametrize("transport", ["ssh", "openssh"])
def test_a_host_without_an_address_yet_is_not_looked_for_by_its_name(transport: str) -> None:
    """`localhost` is a machine of that name, and not the one that its provider is about to bring to run."""
    host = Host(name="localhost", state=STARTING, transport=transport, options={"config": "none"})
    with pytest.raises(TransportError, match="localhost: starting, and its provider has no address of it yet"):
        get("transport", transport)(host).open(Deadline(5.0))
