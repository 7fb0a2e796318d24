"""Where an SSH connection goes and how it logs in: the stack's options completed from ssh_config, hop by hop.

Called by the SSH transport before anything is connected. What the stack says wins; what it leaves out comes from
ssh_config (OpenSSH's order: the user's file, then the system's; the first value found counts), then from OpenSSH's
defaults.
"""

from __future__ import annotations

import os
import pwd

from infratest.errors import TransportError
from infratest.options import option
from infratest.record import Record
from infratest.transports import _ssh_config
from infratest.transports._known_hosts import DEFAULT_PORT, record_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from infratest.hosts import Host

KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
NONE = "none"


class Options(Record):
    """Options of the ssh transport; what is left out comes from ssh_config."""

    address: str = option("", "name or address to connect to")
    port: int | None = option(None, "TCP port of sshd")
    user: str = option("", "login name")
    key: str = option("", "path of the private key; then no other is tried")
    known_hosts: str = option("", "path of the only known_hosts file to trust")
    host_key_alias: str = option("", "name of the host in known_hosts")
    jump: str = option("", "jump hosts: [user@]host[:port], comma between, or none")
    config: str = option("", "path of the ssh_config to read instead, or none")
    agent: bool = option(True, "use the keys of the SSH agent")
    pin: bool = option(False, "pin an unknown host key at first use")
    client: str = option(
        "auto", "who speaks SSH: libssh2 where it can serve (auto), or this one", ("auto", "libssh2", "paramiko")
    )
    pipelined: bool = option(False, "libssh2: log in without waiting for each answer; saves 2 round trips")
    connect_timeout: float = option(10.0, "longest wait for TCP and the first word", dimension="time")


class Hop(Record):
    """One SSH connection of a route: the jump hosts first, the host last.

    Args:
        title: for messages. record: its name in known_hosts. keys: paths of private keys in the order of trying.
        only_keys: no key of the agent that is not one of `keys`. needs: what of it only paramiko understands, in words.
    """

    title: str
    address: str
    port: int
    user: str
    record: str
    keys: tuple[str, ...]
    only_keys: bool
    agent: bool
    known_hosts: tuple[str, ...]
    pin: bool
    connect_timeout: float
    pipelined: bool = False
    needs: str = ""

    def step_by_step(self) -> Hop:
        """Return the same, to be logged in to answer by answer."""
        stepwise: Hop = self.changed(pipelined=False)
        return stepwise

    def __str__(self) -> str:
        return f"{self.title} ({self.address} port {self.port}, user {self.user})"


def route(host: Host, options: Options) -> list[Hop]:
    """Return the hops to a host.

    Raises:
        TransportError: ssh_config cannot be read or understood, or asks for a ProxyCommand.
    """
    config = _ssh_config.NOTHING if options.config.lower() == NONE else _ssh_config.read(options.config)
    published = host.endpoints.get(DEFAULT_PORT)
    alias = options.address or (published[0] if published else host.address) or host.name
    port = options.port or (published[1] if published and not options.address else None)
    found = config.lookup(alias)
    jump = options.jump or found.get("proxyjump", NONE)
    if not options.jump and found.get("proxycommand"):
        raise TransportError(
            f"{host.name}: ssh_config has a ProxyCommand for {alias}, which is not in this version; "
            "say `jump: user@host` (or ProxyJump), or `jump: none` to connect directly"
        )
    jumps = [] if jump.lower() == NONE else [_jump(config, part, options) for part in jump.split(",")]
    last = _hop(f"host {host.name}", found, alias, port, options.user, options.host_key_alias, options)
    return [*jumps, last.changed(needs=config.needs)]


def _hop(
    title: str,
    found: dict[str, Any],
    alias: str,
    port: int | None,
    user: str,
    key_alias: str,
    options: Options,
) -> Hop:
    def said(key: str) -> str:
        return str(found.get(key, ""))

    address = said("hostname") or alias
    port = port or _port(said("port"), alias)
    listed = tuple(found.get("identityfile", ()))
    agent = options.agent and said("identityagent").lower() != NONE
    return Hop(
        title=title,
        address=address,
        port=port,
        user=user or said("user") or _login_name(),
        record=key_alias or said("hostkeyalias") or record_name(address, port),
        keys=_expanded((options.key,) if options.key else listed or DEFAULT_KEYS),
        only_keys=bool(options.key) or said("identitiesonly").lower() == "yes",
        agent=agent,
        known_hosts=_known_hosts(options.known_hosts, said("userknownhostsfile"), said("globalknownhostsfile")),
        pin=options.pin,
        connect_timeout=options.connect_timeout,
        pipelined=options.pipelined,
    )


def _jump(config: _ssh_config.Config, text: str, options: Options) -> Hop:
    user, name, port = jump_place(text)
    return _hop(f"jump host {name}", config.lookup(name), name, int(port) if port else None, user, "", options)


def jump_place(text: str) -> tuple[str, str, str]:
    """Return user, name and port of one `[user@]host[:port]`; an IPv6 address with a port stands in brackets.

    Raises:
        TransportError: it is none.
    """
    user, _, rest = text.strip().removeprefix("ssh://").rpartition("@")
    name, separator, port = rest.rpartition(":")
    if rest.endswith("]") or not separator or (":" in name and not name.endswith("]")):
        name, port = rest, ""
    name = name.strip("[]")
    if not name or (port and not port.isdigit()):
        raise TransportError(f"jump host {text!r}: expected [user@]host[:port], several with a comma between, or none")
    return user, name, port


def _known_hosts(given: str, user: str, system: str) -> tuple[str, ...]:
    if given:
        return _expanded((given,))
    users, systems = user.split() or KNOWN_HOSTS[:2], system.split() or KNOWN_HOSTS[2:]
    return _expanded([path for path in (*users, *systems) if path.lower() != NONE])


def _expanded(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.expanduser(path) for path in paths)  # `~x` of an unknown user stays as it is


def _port(text: str, alias: str) -> int:
    if not text:
        return DEFAULT_PORT
    if not text.isdigit():
        raise TransportError(f"ssh_config: Port of {alias} is {text!r}, expected a number")
    return int(text)


def _login_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise TransportError(f"user id {os.getuid()} has no name here; say `user:` for the host") from None
