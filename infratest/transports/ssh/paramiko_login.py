"""One SSH connection from TCP to logged in: connect, hear the server, verify its key, and only then authenticate.

Called by `paramiko` for each hop of a route. paramiko speaks the protocol in a thread of its own; every wait
here is for that thread and ends with the deadline.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from _socket import socket as BareSocket
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import paramiko
from paramiko.agent import AgentSSH
from paramiko.common import MSG_CHANNEL_REQUEST
from paramiko.packet import Packetizer
from paramiko.pkey import PublicBlob, UnknownKeyType
from paramiko.ssh_exception import PartialAuthentication

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import (
    AccessRefused,
    ConnectionLost,
    Unreachable,
)
from infratest.transports import _known_hosts
from infratest.transports.ssh import errors
from infratest.transports.ssh.route import Hop
from infratest.transports.ssh.tcp import connected, in_time

#: Seconds that the protocol's thread has to end once its socket is shut.
LAST_WAIT = 2.0

#: Key type on record -> the algorithms by which a server can show such a key (RFC 8332 for RSA).
ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}

#: Reason code of a refused channel, RFC 4254 5.1.
CONNECT_FAILED = 2

# paramiko writes tracebacks of a lost connection to its log, and Python writes a log without a handler to stderr.
# The same facts come as our errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class Hearing(Packetizer):
    """Keeps the lines a server says before the protocol begins: its version, or its reason to hang up."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.heard: list[str] = []

    def readline(self, timeout: float) -> str:
        """Return the next line of text."""
        line: str = super().readline(timeout)
        self.heard.append(line)
        return line


def _channel_request(channel: Any, message: Any) -> None:
    """Take a request of a channel; paramiko ignores `exit-signal`, without which a killed command has no status."""
    if message.get_text() == "exit-signal":
        message.get_boolean()
        number = getattr(signal, "SIG" + message.get_text(), 0)
        channel.exit_status = 128 + int(number)
        channel.status_event.set()
        return
    message.rewind()
    message.get_int()  # the channel's number, which paramiko has read before it calls us
    channel._handle_request(message)


class Session(paramiko.Transport):
    """paramiko's connection that also understands how a command died."""

    _channel_handler_table = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        MSG_CHANNEL_REQUEST: _channel_request,
    }


def login(
    hop: Hop, through: paramiko.Transport | None, deadline: Deadline, begins: Callable[[BareSocket], None]
) -> Session:
    """Return a connection that is logged in.

    Args:
        through: the connection to the jump host before it, or None for a socket of our own.
        begins: told of that socket, so that another thread can shut it; may refuse it.
    Raises:
        TransportError: of the kind that says what failed; nothing is left open then.
    """
    connecting = deadline.at_most(hop.connect_timeout)
    sock = _connected(hop, connecting, begins) if through is None else _forwarded(hop, through, connecting)
    session = Session(sock, packetizer_class=Hearing)
    try:
        entries = _known_hosts.on_record(hop.known_hosts, hop.record)
        _prefer(session, entries)
        _greet(session, hop, connecting, deadline)
        shown = session.get_remote_server_key()
        errors.verify(hop, entries, shown.get_name(), shown.asbytes())
        _authenticate(session, hop, deadline)
    except BaseException:
        shut(session)
        raise
    return session


def shut(session: paramiko.Transport) -> None:
    """End a connection and its thread."""
    sock: Any = session.sock
    if isinstance(sock, socket.socket):
        try:
            sock.shutdown(socket.SHUT_RDWR)  # wakes the thread, which would look only ten times a second
        except OSError:
            pass  # the other side was quicker
    # Through a jump whose own connection is gone, a channel cannot say that it closes.
    with contextlib.suppress(EOFError):
        session.close()
    if session.is_alive():
        session.join(LAST_WAIT)
    with contextlib.suppress(EOFError):
        sock.close()


def _connected(hop: Hop, connecting: Deadline, begins: Callable[[BareSocket], None]) -> socket.socket:
    # paramiko looks into what Python's own class has and the bare socket has not.
    sock = socket.socket(fileno=connected(hop, connecting, begins).detach())
    try:
        begins(sock)
    except BaseException:
        sock.close()
        raise
    return sock


def _forwarded(hop: Hop, through: paramiko.Transport, deadline: Deadline) -> paramiko.Channel:
    try:
        return through.open_channel(
            "direct-tcpip", (hop.address, hop.port), ("127.0.0.1", 0), timeout=max(deadline.left, 0.001)
        )
    except paramiko.ChannelException as error:
        if error.code == CONNECT_FAILED:
            raise Unreachable(f"{hop} cannot be reached from the jump host: {clean(error.text, 200)}") from error
        raise AccessRefused(
            f"{hop}: the jump host does not forward to it: {clean(error.text, 200)}; see AllowTcpForwarding and "
            "PermitOpen in its sshd_config"
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        if deadline.passed:
            raise Unreachable(
                f"{hop} cannot be reached from the jump host: no answer within {deadline.seconds:.3g} s"
            ) from error
        raise ConnectionLost(f"{hop}: the jump host hung up: {clean(str(error), 200)}") from error


def _prefer(session: Session, entries: Sequence[_known_hosts.Entry]) -> None:
    """Ask first for the types of key that are on record, so that a server with several shows the one we know."""
    security = session.get_security_options()
    known = [name for entry in entries if not entry.marker for name in ALGORITHMS.get(entry.kind, (entry.kind,))]
    offered = tuple(security.key_types)
    security.key_types = (
        *dict.fromkeys(name for name in known if name in offered),
        *(n for n in offered if n not in known),
    )


def _greet(session: Session, hop: Hop, connecting: Deadline, deadline: Deadline) -> None:
    """Exchange versions and keys; a port that accepts and says nothing proves no host (a gateway may have accepted)."""
    # Only our deadlines may end the wait; paramiko's own would say less.
    session.banner_timeout = session.handshake_timeout = deadline.seconds + 60
    done = threading.Event()
    session.start_client(event=done)
    done.wait(connecting.left)
    heard = session.packetizer.heard  # type: ignore[attr-defined]
    if not done.is_set() and heard:
        done.wait(deadline.left)
    said = clean(" ".join(heard), 200)
    if session.is_active() and session.initial_kex_done:
        return
    if session.remote_version:
        _raise_handshake(session, hop, done.is_set(), deadline)
    if said and done.is_set():
        raise errors.no_ssh(hop, said)
    raise errors.silent(hop, done.is_set(), connecting)


def _raise_handshake(session: Session, hop: Hop, ended: bool, deadline: Deadline) -> None:
    if not ended:
        raise errors.slow_handshake(hop, deadline)
    error = session.get_exception()
    if isinstance(error, paramiko.SSHException):
        raise errors.no_common_language(hop, str(error)) from error
    raise errors.lost_handshake(hop) from error


def _authenticate(session: Session, hop: Hop, deadline: Deadline) -> None:
    """Try the keys one after the other, each with its signature at once (no question before: one round trip a key)."""
    agent = _agent(hop, deadline)
    tried: list[str] = []
    try:
        for name, key in _keys(hop, agent, tried):
            more = _try(session, hop, name, key, deadline)
            if more is None:
                return
            tried.append(errors.key_refused(name, more))
            if not session.is_active():
                tried.append(errors.HUNG_UP)
                break
    finally:
        if agent is not None:
            agent.close()
    raise errors.login_refused(hop, tried)


def _try(session: Session, hop: Hop, name: str, key: paramiko.PKey, deadline: Deadline) -> Sequence[str] | None:
    """Return None when the key let us in, else which other methods the server wants (mostly none)."""
    done = threading.Event()
    try:
        session.auth_publickey(hop.user, key, event=done)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise errors.lost_login(hop, str(error)) from error
    if not done.wait(deadline.left):
        raise errors.slow_login(hop, name, deadline)
    if session.is_authenticated():
        return None
    said = session.get_exception()
    if isinstance(said, PartialAuthentication | paramiko.BadAuthenticationType):
        return [clean(method, 50) for method in said.allowed_types]
    if isinstance(said, paramiko.SSHException) and not session.is_active():
        raise AccessRefused(f"login to {hop} with {name} failed: {clean(str(said), 200)}") from said
    return ()


class Agent(AgentSSH):
    """The SSH agent behind a socket: paramiko's own knows that of SSH_AUTH_SOCK alone."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(path)
            self._connect(self._socket)  # type: ignore[attr-defined]
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def _agent(hop: Hop, deadline: Deadline) -> Agent | None:
    if not hop.agent:
        return None
    try:
        return in_time(lambda: Agent(hop.agent), deadline)
    except (TimeoutError, paramiko.SSHException, OSError):
        return None  # a dead agent is no reason to fail when a key file may do


def _keys(hop: Hop, agent: Agent | None, skipped: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """Yield the keys in the order of trying: the files named (by the agent where it holds them), then the agent's."""
    held = {key.asbytes(): key for key in agent.get_keys()} if agent is not None else {}
    used = set()
    for path in hop.keys:
        public = _public(path)
        if public in held:
            used.add(public)
            yield f"{path} (by the agent)", held[public]
            continue
        try:
            key = paramiko.PKey.from_path(path)
        except FileNotFoundError:
            if hop.only_keys:
                skipped.append(f"{path} does not exist")
        except TypeError:  # what the cryptography library raises for a password that is missing
            skipped.append(f"{path} is encrypted and the agent does not hold it (ssh-add {path})")
        except (paramiko.SSHException, UnknownKeyType, ValueError, OSError) as error:
            skipped.append(f"{path} cannot be used: {clean(str(error), 150)}")
        else:
            used.add(key.asbytes())
            yield path, key
    for public, agent_key in held.items():
        if not hop.only_keys and public not in used:
            yield f"{clean(agent_key.comment, 60) or 'a key'} of the agent", agent_key


def _public(path: str) -> bytes:
    """Return the public half that lies beside a private key, or nothing."""
    try:
        return PublicBlob.from_file(f"{path}.pub").key_blob
    except (OSError, ValueError):
        return b""
