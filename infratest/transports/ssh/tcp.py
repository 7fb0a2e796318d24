"""From an address to a TCP connection that sends at once, by a deadline; and calls without a time-out of their own.

Called by the SSH clients (`paramiko_login`, `libssh2`). TCP_NODELAY is set, because Nagle's algorithm and the
delayed acknowledgement of the other side together hold every command up by 40 ms and one round trip.
"""

from __future__ import annotations

import _socket as socket  # what `socket` is built on; the rest of that module is not needed, and costs 2 ms

from infratest.errors import TransportError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from infratest.deadline import Deadline
    from infratest.transports.ssh.route import Hop

    T = TypeVar("T")

#: Of tcp(7): seconds of silence until the kernel asks, between its questions, how many may stay unanswered; and
#: milliseconds for which what was sent may go without an acknowledgement.
WATCH = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 20000}

#: AddressFamily of ssh_config -> what the resolver is asked for.
FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}


def connected(hop: Hop, deadline: Deadline, opened: Callable[[socket.socket], None] | None = None) -> socket.socket:
    """Return a connected socket.

    Args:
        opened: told of the socket before it connects, so that another thread can shut it; may refuse it.
    Raises:
        Unreachable: no address of the host answers. TransportError: its name has no address.
    """
    failures = []
    for family, kind, protocol, _, place in _resolved(hop, deadline):
        sock = socket.socket(family, kind, protocol)
        try:
            if opened is not None:
                opened(sock)
            sock.settimeout(max(deadline.left, 0.001))
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _watch(sock)
            return sock
        except TimeoutError:
            sock.close()
            failures.append(f"{place[0]}: no answer to TCP within {deadline.seconds:.3g} s")
        except OSError as error:
            sock.close()
            failures.append(f"{place[0]}: {(error.strerror or str(error)).lower()}")
        except BaseException:
            sock.close()
            raise
    raise Unreachable(
        f"{hop} cannot be reached: {'; '.join(failures)}. Is the machine up, does sshd listen on port {hop.port}, "
        "does a firewall or a route stand between?"
    )


def _watch(sock: socket.socket) -> None:
    """Let the kernel find out that the other side is no more, and keep gateways from forgetting us while idle."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in WATCH.items():
        if hasattr(socket, name):  # not every system has all of them
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _resolved(hop: Hop, deadline: Deadline) -> list[Any]:
    def ask(name: str | bytes = hop.address, flags: int = 0) -> list[Any]:
        return socket.getaddrinfo(name, hop.port, FAMILIES[hop.family], socket.SOCK_STREAM, 0, flags)

    try:
        # An address needs no resolver, and so no thread to wait for one; nor, as bytes, the tables of foreign names.
        return ask(hop.address.encode("ascii"), socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        pass
    try:
        return in_time(ask, deadline)
    except TimeoutError:
        words = f"no answer within {deadline.seconds:.3g} s"
    except (OSError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or str(error)
    raise TransportError(
        f"{hop}: the name {hop.address} has no address here: {words}. Check the spelling and the resolver, or give "
        "`address:` (or HostName in ssh_config)"
    )


def in_time(work: Callable[[], T], deadline: Deadline) -> T:
    """Return what a call without a time-out of its own returns (the resolver, the agent).

    Raises:
        TimeoutError: it did not come back; its thread is left behind and dies with the process.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whole
            errors.append(error)

    import threading

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(deadline.left)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError
    return answers[0]
