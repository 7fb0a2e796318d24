"""Where an SSH connection goes and how it logs in: the stack's options completed from ssh_config, hop by hop.

Called by the SSH transport before anything is connected. What the stack says wins; what it leaves out comes from
ssh_config, as OpenSSH's client reads it (`config`). Each jump host is looked up there too, with the jump hosts
that lead to it.
"""

from __future__ import annotations

import os
import pwd

from infratest.deadline import Deadline
from infratest.errors import TransportError
from infratest.record import Record, option
from infratest.transports._known_hosts import DEFAULT_PORT, record_name
from infratest.transports.base import require_address
from infratest.transports.ssh.config import Destination, look_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.hosts import Host
    from infratest.transports.ssh.config import Answer

KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
NONE = "none"

#: Private keys that are tried where nothing names one, and those of OpenSSH's that no client here can sign with.
DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
UNUSABLE_KEYS = ("~/.ssh/id_ecdsa_sk", "~/.ssh/id_ed25519_sk", "~/.ssh/id_xmss", "~/.ssh/id_dsa")

#: Keywords that change the way or who is trusted, and are refused -> what may be said in their place.
REFUSED = {
    "revokedhostkeys": "mark revoked keys with @revoked in known_hosts",
    "bindaddress": "let the routing table choose the address to connect from",
    "bindinterface": "let the routing table choose the interface to connect from",
}

#: Seconds that ssh has to answer what its configuration says.
PATIENCE = 10.0


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
    answers: str = option("", "folder where what ssh_config says is kept from run to run")


class Hop(Record):
    """One SSH connection of a route: the jump hosts first, the host last.

    Args:
        title: for messages. record: its name in known_hosts. keys: paths of private keys in the order of trying.
        only_keys: no key of the agent that is not one of `keys`. agent: path of the SSH agent's socket, or nothing.
        family: of addresses, as AddressFamily of ssh_config.
    """

    title: str
    address: str
    port: int
    user: str
    record: str
    keys: tuple[str, ...]
    only_keys: bool
    agent: str
    known_hosts: tuple[str, ...]
    pin: bool
    connect_timeout: float
    pipelined: bool = False
    family: str = "any"

    def step_by_step(self) -> Hop:
        """Return the same, to be logged in to answer by answer."""
        stepwise: Hop = self.changed(pipelined=False)
        return stepwise

    def __str__(self) -> str:
        return f"{self.title} ({self.address} port {self.port}, user {self.user})"


def route(host: Host, options: Options, deadline: Deadline | None = None) -> list[Hop]:
    """Return the hops to a host.

    Raises:
        TransportError: ssh_config cannot be read or understood, or asks for a ProxyCommand; or the host's provider has
        no address of it yet.
    """
    require_address(host, options.address)
    way = _Way(options, (deadline or Deadline(PATIENCE)).at_most(PATIENCE))
    published = host.endpoints.get(DEFAULT_PORT)
    alias = options.address or (published[0] if published else host.address) or host.name
    port = options.port or (published[1] if published and not options.address else None)
    return way.to(f"host {host.name}", way.destination(alias, options.user, port), options.jump, options.host_key_alias)


class _Way:
    """The hops to one host, looked up from its end: each destination tells the jump hosts before it."""

    def __init__(self, options: Options, deadline: Deadline) -> None:
        self._options = options
        self._deadline = deadline
        self._passed: list[Destination] = []

    def destination(self, alias: str, user: str, port: int | None) -> Destination:
        config = os.path.abspath(os.path.expanduser(self._options.config)) if self._options.config else ""
        return Destination(alias, user, port, config)

    def to(self, title: str, destination: Destination, jump: str, key_alias: str = "") -> list[Hop]:
        """Return the hops to a destination, and the one at it.

        Args:
            jump: the jump hosts before it, or none; empty for what ssh_config says.
        """
        if destination in self._passed:
            chain = " -> ".join(each.alias for each in (*self._passed, destination))
            raise TransportError(f"{title}: its jump hosts lead in a circle: {chain}; mend ProxyJump in ssh_config")
        self._passed.append(destination)
        said = self._said(destination)
        if not jump and said.get("proxycommand"):
            raise TransportError(
                f"{title}: ssh_config has a ProxyCommand for {destination.alias}, which is not in this version; "
                "say `jump: user@host` (or ProxyJump), or `jump: none` to connect directly"
            )
        jump = jump or said.get("proxyjump", [NONE])[0]
        before = [] if jump.lower() == NONE else self._through(jump)
        self._passed.pop()
        return [*before, self._hop(title, destination, said, key_alias)]

    def _through(self, jump: str) -> list[Hop]:
        """Return the hops of jump hosts in a row: what leads to the first says ssh_config, to each other the row."""
        first, *others = jump.split(",")
        hops: list[Hop] = []
        for text in (first, *others):
            user, name, port = jump_place(text)
            place = self.destination(name, user, int(port) if port else None)
            hops += self.to(f"jump host {name}", place, NONE if hops else "")
        return hops

    def _said(self, destination: Destination) -> Answer:
        if self._options.config.lower() == NONE:
            return {}
        said = look_up(destination, self._options.answers, self._deadline)
        for keyword, advice in REFUSED.items():
            value = said.get(keyword, [NONE])[0]
            if value.lower() != NONE:
                raise TransportError(
                    f"ssh_config says {keyword} {value} for {destination.alias}, which is not in this version; "
                    f"{advice}, or say `config: none` and give address, user and key"
                )
        return said

    def _hop(self, title: str, destination: Destination, said: Answer, key_alias: str) -> Hop:
        options = self._options
        address = said.get("hostname", [destination.alias])[0]
        port = int(said["port"][0]) if "port" in said else destination.port or DEFAULT_PORT
        alias = key_alias or said.get("hostkeyalias", [""])[0]
        return Hop(
            title=title,
            address=address,
            port=port,
            user=destination.user or said.get("user", [""])[0] or _login_name(),
            record=alias or record_name(address, port),
            keys=(os.path.expanduser(options.key),) if options.key else _keys(said, destination.alias),
            only_keys=bool(options.key) or said.get("identitiesonly", [""])[0] in ("yes", "true"),
            agent=_agent(said.get("identityagent", [""])[0]) if options.agent else "",
            known_hosts=_known_hosts(options.known_hosts, said),
            pin=options.pin,
            connect_timeout=options.connect_timeout,
            pipelined=options.pipelined,
            family=said.get("addressfamily", ["any"])[0].lower(),
        )


def _keys(said: Answer, alias: str) -> tuple[str, ...]:
    """Return the paths of the private keys to try; OpenSSH's own defaults without those that no client here can use."""
    certificates = [path for path in said.get("certificatefile", []) if os.path.exists(path)]
    if certificates:
        raise TransportError(
            f"ssh_config has the CertificateFile {certificates[0]} for {alias}, which is not in this version; a "
            "certificate is used where it lies beside its key, as KEY-cert.pub; or give `key:`"
        )
    listed = said.get("identityfile", [])
    defaults = [_home(path) for path in DEFAULT_KEYS]
    if not listed or (set(listed) >= set(defaults) and set(listed) <= {*defaults, *map(_home, UNUSABLE_KEYS)}):
        return tuple(defaults)
    return tuple(path for path in listed if path.lower() != NONE)


def _agent(said: str) -> str:
    """Return the path of the agent's socket by IdentityAgent (ssh_config(5)), or nothing."""
    if said.lower() == NONE:
        return ""
    if said and said != "SSH_AUTH_SOCK" and not said.startswith("$"):
        return said
    return os.environ.get(said.strip("${}") or "SSH_AUTH_SOCK", "")


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


def _known_hosts(given: str, said: Answer) -> tuple[str, ...]:
    if given:
        return (os.path.expanduser(given),)
    listed = [path for keyword in ("userknownhostsfile", "globalknownhostsfile") for path in said.get(keyword, [])]
    return tuple(path for path in listed or map(_home, KNOWN_HOSTS) if path.lower() != NONE)


def _home(path: str) -> str:
    """Return a path with `~` replaced as OpenSSH does: by the account's home, whatever HOME says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir + path.removeprefix("~") if path.startswith("~/") else path
    except KeyError:
        return os.path.expanduser(path)


def _login_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise TransportError(f"user id {os.getuid()} has no name here; say `user:` for the host") from None
