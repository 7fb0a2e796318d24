"""One SSH connection by libssh2 from TCP to logged in: hear the server, exchange keys, verify its key, authenticate.

Called by `libssh2`. libssh2 never blocks here: each call is repeated when its socket is ready, until our deadline.
What lies between libssh2 and the server stands in `wire`: it is joined once the host key is verified.

Pipelined, it is joined when the login is done, and two answers are not waited for: the service request goes with the
question whether a key would do, and the signed request with the opening of a channel. The host key is verified before.
"""

from __future__ import annotations

import _socket as socket  # what `socket` is built on; the rest of that module is not needed, and costs 2 ms
import select
from contextlib import suppress

from ssh2.channel import Channel
from ssh2.error_codes import LIBSSH2_ERROR_EAGAIN
from ssh2.exceptions import (
    AuthenticationError,
    KexFailureError,
    PublickeyUnverifiedError,
    SocketDisconnectError,
    SocketRecvError,
    SocketSendError,
    SSH2Error,
)
from ssh2.session import LIBSSH2_METHOD_HOSTKEY, LIBSSH2_SESSION_BLOCK_OUTBOUND, Session

from infratest.cleaning import clean
from infratest.errors import TransportError
from infratest.transports import _known_hosts
from infratest.transports.ssh import errors, private_keys
from infratest.transports.ssh.tcp import connected
from infratest.transports.ssh.wire import GREETING_LIMIT, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from infratest.deadline import Deadline
    from infratest.transports.ssh.route import Hop

#: Key type on record -> the algorithms by which a server can show such a key (RFC 8332 for RSA).
ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}

#: What libssh2 says while it waits for the answer to its service request: the keys are exchanged then.
ASKED_SERVICE = "Failed to get response to ssh-userauth request"

#: What libssh2 says of a key when the server has hung up on it, beside the error of one that is refused.
UNANSWERED = "Waiting for USERAUTH response"

#: How a server begins that is known to leave a channel alone on which nothing runs. Dropbear closes it when a
#: command on another one ends, and yet starts what is asked for on it meanwhile: a command that nobody hears of.
IDLES = b"SSH-2.0-OpenSSH"

#: Errors of libssh2 after which the connection is no more.
GONE = (SocketDisconnectError, SocketRecvError, SocketSendError)


class Link:
    """A connection: its session with libssh2 (which no local name holds, so that it ends when we let go of it).

    Args:
        unwanted: whether nobody wants it any more; asked once there is a socket that `cut` in another thread shuts.
    """

    def __init__(self, hop: Hop, unwanted: Callable[[], bool] = lambda: False) -> None:
        self.hop = hop
        self._unwanted = unwanted
        self._connecting: socket.socket | None = None
        self._wire: Wire | None = None
        self._session: Session | None = None
        self._opening = False
        self.idles = False

    @property
    def session(self) -> Session:
        """libssh2's session.

        Raises:
            SocketDisconnectError: we have let go of it.
        """
        if self._session is None:
            raise SocketDisconnectError
        return self._session

    @property
    def wire(self) -> Wire:
        """The bytes' way.

        Raises:
            SocketDisconnectError: we have let go of it.
        """
        if self._wire is None:
            raise SocketDisconnectError
        return self._wire

    @property
    def blocked(self) -> bool:
        """Whether libssh2 holds half a packet: only the call that made it may be repeated then."""
        return bool(self.session.block_directions() & LIBSSH2_SESSION_BLOCK_OUTBOUND)

    def wait(self, deadline: Deadline) -> None:
        """Wait until libssh2 can go on.

        Raises:
            TimeoutError: it could not by the deadline.
        """
        self.wire.wait(deadline, self._events())

    def gone(self) -> bool:
        """Tell whether the connection is no more."""
        return self._wire is None or self._wire.ended()

    def cut(self) -> None:
        """End the connection, whatever it waits for; any thread may."""
        with suppress(OSError):
            if self._connecting is not None:
                self._connecting.shutdown(socket.SHUT_RDWR)
        if self._wire is not None:
            self._wire.cut()

    def drop(self) -> None:
        """Let go of libssh2's session, and with it of the socket."""
        self.cut()
        wire, self._wire, self._session, self._connecting = self._wire, None, None, None
        if wire is not None:
            wire.close()

    def open_channel(self) -> Channel | None:
        """Ask for a channel; None: the answer is not here yet, ask again.

        Raises:
            SSH2Error: the server gives none.
        """
        channel = self.session.open_session()
        if isinstance(channel, Channel):
            return channel
        code = self.session.last_errno()
        if code not in (0, LIBSSH2_ERROR_EAGAIN):
            raise SSH2Error(code, self.session.last_error())
        return None

    def login(self, deadline: Deadline) -> None:
        """Connect, verify, log in.

        Raises:
            TransportError: of the kind that says what failed.
        """
        hop = self.hop
        connecting = deadline.at_most(hop.connect_timeout)
        entries = _known_hosts.on_record(hop.known_hosts, hop.record)
        self._wire = Wire(connected(hop, connecting, self._connects))
        self._connects(self._connecting)
        self._session = Session()
        self._session.set_blocking(False)
        _prefer(self._session, entries)
        self._greet(connecting, deadline)
        self._exchange(deadline)
        shown, _ = self.session.hostkey()
        errors.verify(hop, entries, private_keys.string(shown, 0)[0].decode("ascii", "replace"), shown)
        if hop.pipelined:
            self._flight(deadline)
        else:
            self._ask_service(deadline)
            self._authenticate(deadline)
        self.wire.join()

    def _connects(self, sock: socket.socket | None) -> None:
        self._connecting = sock
        if self._unwanted():
            raise errors.lost_login(self.hop, "closed")

    def _greet(self, connecting: Deadline, deadline: Deadline) -> None:
        """Say our version and hear the server's, at the same time; its own words before that go to the message."""
        self.session.handshake(self.wire.end)
        self.wire.send(self.wire.written(), connecting)
        heard: list[str] = []
        try:
            while not (line := self.wire.line(deadline if heard else connecting)).startswith(b"SSH-"):
                heard.append(line.decode("utf-8", "replace"))
                if not line or len(heard) > GREETING_LIMIT // 64:
                    said = " ".join("".join(heard).split())
                    raise errors.no_ssh(self.hop, said) if said else errors.silent(self.hop, True, connecting)
        except TimeoutError:
            raise errors.silent(self.hop, False, connecting) from None
        if not line.startswith((b"SSH-2.0-", b"SSH-1.99-")):
            raise errors.no_common_language(self.hop, f"it speaks {line.decode('ascii', 'replace').strip()}")
        self.idles = line.startswith(IDLES)
        self.wire.feed(line)

    def _exchange(self, deadline: Deadline) -> None:
        """Exchange keys, up to the service request: libssh2 writes it unasked, and it waits here to be sent."""
        self._shake(deadline, lambda: bool(self.session.last_error() == ASKED_SERVICE))

    def _ask_service(self, deadline: Deadline) -> None:
        """Send the service request, and hear the answer."""
        self.wire.send(self.wire.written(), deadline)
        self.wire.join()
        self._shake(deadline, lambda: False)

    def _shake(self, deadline: Deadline, enough: Callable[[], bool]) -> None:
        try:
            while self.session.handshake(self.wire.end) == LIBSSH2_ERROR_EAGAIN and not enough():
                self.wire.send(self.wire.written(), deadline)
                self.wire.pump(deadline, self._events())
        except TimeoutError:
            raise errors.slow_handshake(self.hop, deadline) from None
        except KexFailureError:
            raise errors.no_common_language(self.hop, self._words()) from None
        except (SSH2Error, OSError) as error:
            if isinstance(error, GONE) or self.wire.ended():
                raise errors.lost_handshake(self.hop) from None
            raise errors.no_common_language(self.hop, self._words()) from None

    def _events(self) -> int:
        return select.POLLIN | (select.POLLOUT if self.blocked else 0)

    def _words(self) -> str:
        return str(self.session.last_error())

    def _authenticate(self, deadline: Deadline) -> None:
        tried: list[str] = []
        refused = 0
        try:
            for path in self._keys(tried):
                if refused and self._words() == UNANSWERED:
                    raise SocketDisconnectError
                name = path
                if self._key(path, deadline):
                    return
                tried.append(errors.key_refused(path, ()))
                refused += 1
            if refused and (wanted := self._also_wanted(deadline)):
                tried[-1] = errors.key_refused(name, wanted)
        except TimeoutError:
            raise errors.slow_login(self.hop, name, deadline) from None
        except (SSH2Error, OSError) as error:
            if not refused:
                raise errors.lost_login(self.hop, self._words() or type(error).__name__) from None
            tried.append(errors.HUNG_UP)
        raise errors.login_refused(self.hop, tried)

    def _keys(self, skipped: list[str]) -> Iterator[str]:
        """Yield the files that libssh2 can sign with, in the order of trying."""
        for path in self.hop.keys:
            try:
                encrypted = private_keys.examine(path).encrypted
            except FileNotFoundError:
                if self.hop.only_keys:
                    skipped.append(f"{path} does not exist")
            except (OSError, ValueError) as error:
                skipped.append(f"{path} cannot be used: {clean(str(error), 150)}")
            else:
                if encrypted:
                    skipped.append(f"{path} is encrypted and the agent does not hold it (ssh-add {path})")
                else:
                    yield path

    def _key(self, path: str, deadline: Deadline) -> bool:
        """Return whether a key lets us in."""
        try:
            while self.session.userauth_publickey_fromfile(self.hop.user, path) == LIBSSH2_ERROR_EAGAIN:
                self.wire.send(self.wire.written(), deadline)
                self.wire.pump(deadline, self._events())
        except (AuthenticationError, PublickeyUnverifiedError):
            return False
        except GONE:
            raise
        except SSH2Error:
            if self.wire.ended():
                raise
            return False  # a key that libssh2 cannot read or sign with: the words stay those of a refused one
        return True

    def _also_wanted(self, deadline: Deadline) -> Sequence[str]:
        """Return which methods the server wants beside a key (mostly none)."""
        while (methods := self.session.userauth_list(self.hop.user)) is None:
            if self.session.last_errno() != LIBSSH2_ERROR_EAGAIN:
                return ()
            self.wire.send(self.wire.written(), deadline)
            self.wire.pump(deadline, self._events())
        names = [clean(str(method), 50) for method in methods]
        return () if "publickey" in names else names

    def _flight(self, deadline: Deadline) -> None:
        """Log in with the first key, waiting for two answers less.

        Raises:
            Unserved: the server did not take it so.
        """
        path = next(self._keys([]), None)
        if path is None:
            raise Unserved
        try:
            served = False
            while self.session.userauth_publickey_fromfile(self.hop.user, path) == LIBSSH2_ERROR_EAGAIN:
                written = self.wire.written()
                if written and served and not self._opening:
                    self._opening = True  # what it wrote is the signed request: the channel is asked for with it
                    self.open_channel()
                    written += self.wire.written()
                self.wire.send(written, deadline)
                self.wire.pump(deadline)
                served = served or self.session.handshake(self.wire.end) == 0
        except TimeoutError:
            raise errors.slow_login(self.hop, path, deadline) from None
        except (SSH2Error, OSError):
            raise Unserved from None
        if not served and self.session.handshake(self.wire.end) != 0:
            raise Unserved


class Unserved(TransportError):
    """A server does not take a login in one flight: it is to be asked step by step, on a new connection."""


def _prefer(session: Session, entries: Sequence[_known_hosts.Entry]) -> None:
    """Ask first for the types of key that are on record, so that a server with several shows the one we know."""
    known = [name for entry in entries if not entry.marker for name in ALGORITHMS.get(entry.kind, (entry.kind,))]
    offered = session.supported_algs(LIBSSH2_METHOD_HOSTKEY)
    first = [name for name in dict.fromkeys(known) if name in offered]
    if first:
        session.method_pref(LIBSSH2_METHOD_HOSTKEY, ",".join([*first, *(n for n in offered if n not in first)]))
