"""What testinfra's options and a module's `testinfra_hosts` mean on a stack: hosts of it, by their names or groups.

Called by the session's plugin. How hosts are reached is the stack's to say: an option or a host's words that say it
otherwise are refused with a message. None is passed over, for the tests would run on other hosts, or as another user,
than whoever wrote them believes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infratest.errors import UserError
from infratest.providers.base import HostSpec
from infratest.stack.declared import StackFile

SSH = frozenset(("ssh", "safe-ssh", "paramiko"))
#: Provider -> testinfra's words for the way to its hosts; SSH for all others.
WAYS = {"local": frozenset(("local",)), "container": SSH | {"docker", "podman"}}
#: An inventory's hosts go by their names: whoever lists them says nothing of the way to them.
BY_NAME = "ansible"
#: testinfra's options that say how hosts are reached -> what says it here.
REFUSED = {
    "ssh_config": "`config:` of the stack file's provider, or ~/.ssh/config",
    "ssh_identity_file": "`key:` of a host in the stack file",
    "ssh_extra_args": "`config:` of the stack file's provider, or ~/.ssh/config",
    "ansible_inventory": "`hosts:` of the stack file",
    "force_ansible": "the stack file: its hosts are reached without Ansible",
}


@dataclass(frozen=True)
class Way:
    """One host that tests are to run on, and as whom: as the stack says, as root by sudo, or as another user by it."""

    host: str
    sudo: bool = False
    sudo_user: str | None = None


@dataclass(frozen=True)
class Options:
    """testinfra's options of a session: `hosts` as written, None where not given; `sudo` and its user."""

    hosts: tuple[str, ...] | None = None
    sudo: bool = False
    sudo_user: str | None = None


def options(config: Any, stack: StackFile) -> Options:
    """Return testinfra's options of a session, none where testinfra is not installed.

    Raises:
        UserError: one that says otherwise than the stack how hosts are reached.
    """

    def given(name: str) -> Any:
        return config.getoption(name, None)

    for name, instead in REFUSED.items():
        if given(name):
            option = name.replace("_", "-")
            raise UserError(
                f"--{option}: {stack.path} says how its hosts are reached; leave the option out and use {instead}"
            )
    connection = given("connection")
    if connection:
        _refuse_way(connection, f"--connection {connection}", stack)
    if given("sudo_user") and not given("sudo"):
        raise UserError(f"--sudo-user {given('sudo_user')}: nothing runs by sudo; add --sudo")
    hosts = given("hosts")
    named = tuple(hosts.split(",")) if hosts is not None else None
    return Options(named, bool(given("sudo")), given("sudo_user"))


def ways(specs: Any, where: str, stack: StackFile) -> list[Way]:
    """Return the hosts of the stack that testinfra's words for hosts name, in the stack's order, each way once.

    Args:
        specs: as `["web", "ssh://db", "ansible://group?sudo=true"]`. where: what holds them, for messages.
    Raises:
        UserError: one names no host of the stack, or says otherwise than the stack how it is reached.
    """
    if isinstance(specs, str) or not isinstance(specs, Iterable):
        raise UserError(f"{where}: write a list of hosts, as {where} = ['db']")
    found: dict[Way, None] = {}
    for spec in specs:
        found.update(dict.fromkeys(_ways(str(spec), where, stack)))
    places = {host.name: place for place, host in enumerate(stack.hosts)}
    return sorted(found, key=lambda way: places[way.host])


def matching(pattern: str, hosts: Sequence[HostSpec]) -> list[HostSpec]:
    """Return the hosts that a name, a pattern as `web-*`, or a group names."""
    return [host for host in hosts if fnmatchcase(host.name, pattern) or pattern in host.groups]


def known(hosts: Sequence[HostSpec]) -> str:
    """Return the names of hosts and groups there are, for messages."""
    groups = sorted({group for host in hosts for group in host.groups})
    return ", ".join(dict.fromkeys([*(host.name for host in hosts), *groups])) or "none"


def _ways(spec: str, where: str, stack: StackFile) -> list[Way]:
    said = f"{where}: {spec!r}"
    url = urlsplit(spec) if "://" in spec else urlsplit(f"//{spec}")
    if url.scheme and url.scheme != BY_NAME:
        _refuse_way(url.scheme, said, stack)
    words = dict(parse_qsl(url.query))
    sudo, user = words.pop("sudo", "false").lower() == "true", words.pop("sudo_user", None)
    if words:
        raise UserError(f"{said}: {', '.join(words)}: {stack.path} says how its hosts are reached; leave that out")
    if user and not sudo:
        raise UserError(f"{said}: sudo_user alone does nothing; add sudo=true")
    login, at, place = url.netloc.rpartition("@")
    name, port = _parted(place)
    hosts = _named(unquote(name), url.scheme, stack)
    if not hosts:
        raise UserError(f"{said}: no such host or group in {stack.path}; known are {known(stack.hosts)}")
    for host in hosts:
        if at and unquote(login) != host.option("user"):
            theirs = f"as {host.option('user')}" if host.option("user") else "as its provider or ssh_config says"
            raise UserError(f"{said}: {stack.path} logs in to {host.name} {theirs}; leave the user out of it")
        if port and port != str(host.option("port") or 22):
            raise UserError(f"{said}: port {port} is not that of {host.name} in {stack.path}; leave it out")
    return [Way(host.name, sudo, user) for host in hosts]


def _named(name: str, scheme: str, stack: StackFile) -> list[HostSpec]:
    hosts = matching(name, stack.hosts) or [host for host in stack.hosts if name and host.address == name]
    if hosts:
        return hosts
    # An inventory's name for all its hosts, and testinfra's two ways to name none: this machine, a whole inventory.
    everyone = name == "all" or (not name and scheme in ("local", BY_NAME))
    return list(stack.hosts) if everyone else []


def _parted(place: str) -> tuple[str, str]:
    """Return name and port; an IPv6 address stands in brackets."""
    if place.startswith("["):
        name, _, port = place[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = place.partition(":")
    return name, port


def _refuse_way(way: str, said: str, stack: StackFile) -> None:
    allowed = WAYS.get(stack.provider, SSH)
    if way not in allowed:
        raise UserError(
            f"{said}: the hosts of {stack.path} (provider {stack.provider}) are reached by "
            f"{' or '.join(sorted(allowed))}; leave {way!r} out"
        )
