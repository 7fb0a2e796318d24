"""Where an SSH connection goes and how it logs in: the stack's options completed from ssh_config, hop by hop.

Called by the SSH transport before anything is connected. What the stack says wins; what it leaves out comes from
ssh_config (OpenSSH's order: the user's file, then the system's; the first value found counts), then from OpenSSH's
defaults. paramiko reads the format; Include is followed here, which paramiko does not do.
"""

from __future__ import annotations

import glob
import io
import os
import pwd
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest.errors import TransportError
from infratest.hosts import Host
from infratest.transports._known_hosts import DEFAULT_PORT, record_name

if TYPE_CHECKING:
    import paramiko

USER_CONFIG, SYSTEM_CONFIG = "~/.ssh/config", "/etc/ssh/ssh_config"
KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
NONE = "none"

#: OpenSSH's own limit for files that include each other.
INCLUDE_DEPTH = 16


@dataclass(frozen=True)
class Options:
    """Options of the ssh transport; what is left out comes from ssh_config."""

    address: str = field(default="", metadata={"description": "name or address to connect to"})
    port: int | None = field(default=None, metadata={"description": "TCP port of sshd"})
    user: str = field(default="", metadata={"description": "login name"})
    key: str = field(default="", metadata={"description": "path of the private key; then no other is tried"})
    known_hosts: str = field(default="", metadata={"description": "path of the only known_hosts file to trust"})
    host_key_alias: str = field(default="", metadata={"description": "name of the host in known_hosts"})
    jump: str = field(default="", metadata={"description": "jump hosts: [user@]host[:port], comma between, or none"})
    config: str = field(default="", metadata={"description": "path of the ssh_config to read instead, or none"})
    agent: bool = field(default=True, metadata={"description": "use the keys of the SSH agent"})
    pin: bool = field(default=False, metadata={"description": "pin an unknown host key at first use"})
    connect_timeout: float = field(
        default=10.0, metadata={"dimension": "time", "description": "longest wait for TCP and the first word"}
    )


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One SSH connection of a route: the jump hosts first, the host last.

    Args:
        title: for messages. record: its name in known_hosts. keys: paths of private keys in the order of trying.
        only_keys: no key of the agent that is not one of `keys`.
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

    def __str__(self) -> str:
        return f"{self.title} ({self.address} port {self.port}, user {self.user})"


def route(host: Host, options: Options) -> list[Hop]:
    """Return the hops to a host.

    Raises:
        TransportError: ssh_config cannot be read or understood, or asks for a ProxyCommand.
    """
    config = _config(options.config)
    published = host.endpoints.get(DEFAULT_PORT)
    alias = options.address or (published[0] if published else host.address) or host.name
    port = options.port or (published[1] if published and not options.address else None)
    found = _lookup(config, alias)
    jump = options.jump or found.get("proxyjump", NONE)
    if not options.jump and found.get("proxycommand"):
        raise TransportError(
            f"{host.name}: ssh_config has a ProxyCommand for {alias}, which is not in this version; "
            "say `jump: user@host` (or ProxyJump), or `jump: none` to connect directly"
        )
    jumps = [] if jump.lower() == NONE else [_jump(config, part, options) for part in jump.split(",")]
    return [*jumps, _hop(f"host {host.name}", found, alias, port, options.user, options.host_key_alias, options)]


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
    )


def _jump(config: paramiko.SSHConfig | None, text: str, options: Options) -> Hop:
    """Return the hop of one `[user@]host[:port]`; an IPv6 address with a port stands in brackets."""
    user, _, rest = text.strip().removeprefix("ssh://").rpartition("@")
    name, separator, port = rest.rpartition(":")
    if rest.endswith("]") or not separator or (":" in name and not name.endswith("]")):
        name, port = rest, ""
    name = name.strip("[]")
    if not name or (port and not port.isdigit()):
        raise TransportError(f"jump host {text!r}: expected [user@]host[:port], several with a comma between, or none")
    return _hop(f"jump host {name}", _lookup(config, name), name, int(port) if port else None, user, "", options)


def _known_hosts(given: str, user: str, system: str) -> tuple[str, ...]:
    if given:
        return _expanded((given,))
    users, systems = user.split() or KNOWN_HOSTS[:2], system.split() or KNOWN_HOSTS[2:]
    return _expanded([path for path in (*users, *systems) if path.lower() != NONE])


def _expanded(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.expanduser(path) for path in paths)  # noqa: PTH111 - `~x` of an unknown user stays as it is


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


def _config(path: str) -> paramiko.SSHConfig | None:
    import paramiko

    if path.lower() == NONE:
        return None
    config = paramiko.SSHConfig()
    try:
        for name in (path,) if path else (USER_CONFIG, SYSTEM_CONFIG):
            file = Path(os.path.expanduser(name))  # noqa: PTH111
            if path or file.is_file():
                for block in _blocks(file, "Host *", 0):
                    config.parse(io.StringIO(block))
    except OSError as error:
        raise TransportError(f"cannot read the ssh_config {error.filename}: {error.strerror}") from error
    except (paramiko.SSHException, ValueError) as error:
        raise TransportError(f"cannot read the ssh_config {path or USER_CONFIG}: {error}") from error
    return config


def _blocks(file: Path, header: str, depth: int) -> Iterator[str]:
    """Yield the text of a file in pieces, each under its own Host or Match line, with included files in their place."""
    piece = [header]
    for line in file.read_text("utf-8", "replace").splitlines():
        words = line.strip().replace("=", " ", 1).split()
        keyword = words[0].lower() if words else ""
        if keyword in ("host", "match"):
            header = line
        if keyword != "include":
            piece.append(line)
            continue
        yield "\n".join(piece)
        piece = [header]
        if depth >= INCLUDE_DEPTH:
            raise ValueError(f"{file} includes files more than {INCLUDE_DEPTH} deep")
        for pattern in words[1:]:
            for included in sorted(glob.glob(_include_path(pattern.strip('"'), file))):  # noqa: PTH207
                yield from _blocks(Path(included), header, depth + 1)
    yield "\n".join(piece)


def _include_path(pattern: str, file: Path) -> str:
    base = "/etc/ssh" if str(file).startswith("/etc/ssh/") else "~/.ssh"
    return os.path.expanduser(pattern if pattern.startswith(("/", "~")) else f"{base}/{pattern}")  # noqa: PTH111


def _lookup(config: paramiko.SSHConfig | None, name: str) -> dict[str, Any]:
    import paramiko

    if config is None:
        return {}
    try:
        return dict(config.lookup(name))
    except (paramiko.SSHException, ImportError, KeyError, ValueError) as error:
        # ImportError: `Match exec` runs a program, for which paramiko wants one more library.
        raise TransportError(
            f"ssh_config cannot be used for {name}: {error}; say `config: none` and give address, user and key"
        ) from error
