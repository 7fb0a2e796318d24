"""Which SSH client is taken for a route, and why: libssh2 where it can do what the route asks, else paramiko.

Called by the `ssh` transport once, at open. libssh2 costs a fraction of paramiko's import and processor time; it has no
jump hosts here, asks the agent without a deadline, and knows no certificates. Neither offers the post-quantum key
exchange that OpenSSH prefers: the transport `openssh` does.
"""

from __future__ import annotations

import os

from infratest.errors import TransportError
from infratest.transports.base import Choice
from infratest.transports.ssh import private_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.diagnosis import Finding
    from infratest.transports.ssh.route import Hop

AUTO, LIBSSH2, PARAMIKO = "auto", "libssh2", "paramiko"

#: Client -> what is imported, the library it is of, how to get that.
CLIENTS = {
    LIBSSH2: ("ssh2.session", "ssh2-python", "pip install 'infratest[ssh]'"),
    PARAMIKO: ("paramiko", "paramiko", "pip install 'infratest[ssh]'"),
}

#: Kinds of private keys that libssh2 signs with.
KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ecdsa")


def choose(hops: Sequence[Hop], wanted: str = AUTO) -> Choice:
    """Return which client is taken for a route.

    Raises:
        TransportError: libssh2 is asked for and cannot serve.
    """
    if wanted == PARAMIKO:
        return Choice(PARAMIKO, "asked for by `client: paramiko`")
    missing = lacking(LIBSSH2)
    obstacle = f"{missing}; install it with: {CLIENTS[LIBSSH2][2]}" if missing else _of_route(hops)
    if not obstacle:
        return Choice(LIBSSH2, "nothing of this route needs paramiko")
    if wanted == LIBSSH2:
        raise TransportError(
            f"{hops[-1]}: `client: libssh2` cannot serve: {obstacle}; say `client: auto` to take paramiko then"
        )
    return Choice(PARAMIKO, obstacle)


def lacking(client: str) -> str:
    """Return why a client cannot be used on this machine at all, or nothing."""
    module, library, _ = CLIENTS[client]
    try:
        __import__(module)
    except ImportError as error:
        return f"{library} cannot be imported ({error})"
    return ""


def clients() -> list[Finding]:
    """Return for each client whether it can be imported, and what it is for."""
    from importlib.metadata import version

    from infratest.diagnosis import Finding

    found = []
    for client, purpose in (
        (LIBSSH2, f"SSH by {LIBSSH2}, taken where a host's settings allow it; without it {PARAMIKO} serves all"),
        (PARAMIKO, f"SSH by {PARAMIKO}, for jump hosts, agents, certificates and what else {LIBSSH2} cannot"),
    ):
        _, library, advice = CLIENTS[client]
        words = lacking(client)
        said = f"{words}: {purpose}" if words else f"{version(library)}: {purpose}"
        found.append(Finding(name=library, usable=not words, found=said, advice=advice if words else ""))
    return found


def _of_route(hops: Sequence[Hop]) -> str:
    if len(hops) > 1:
        return "the way is by a jump host"
    (hop,) = hops
    agent = bool(hop.agent)
    found = [_of_key(path, agent) for path in hop.keys]
    obstacle = next((words for words in found if words), "")
    if not obstacle and agent and not hop.only_keys:
        return "the SSH agent may hold the key that is wanted; with `agent: false`, or a `key:`, it is not asked"
    return obstacle


def _of_key(path: str, agent: bool) -> str:
    """Return what of a key only paramiko can do; a file that is no key is refused by both alike."""
    try:
        key = private_keys.examine(path)
    except (OSError, ValueError):
        return ""
    if key.encrypted and agent:
        return f"{path} is encrypted, and the SSH agent may hold it"
    if os.path.exists(f"{path}-cert.pub"):
        return f"{path} has a certificate"
    if not key.encrypted and key.kind not in KINDS:
        return f"{path} is a key of another kind ({key.kind or 'PKCS #8'})"
    return ""
