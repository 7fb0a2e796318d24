"""The words of the errors that every SSH client raises, so that a user reads the same whichever client is taken.

Called by the SSH clients of this folder; pure.
"""

from __future__ import annotations

from infratest.cleaning import clean, decoded
from infratest.errors import (
    AccessRefused,
    ConnectionLost,
    DeadlineExceeded,
    HostKeyRefused,
    TransportError,
    Unreachable,
)
from infratest.quoting import quoted
from infratest.transports import _known_hosts
from infratest.transports._streams import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.deadline import Deadline
    from infratest.transports._streams import Kept
    from infratest.transports.ssh.route import Hop


def late(where: str, command: Sequence[str], deadline: Deadline, out: Kept) -> TransportError:
    """Return the error of a command that our deadline ended."""
    begun = "the command ran and did not end" if out.begun else "logged in, and the command did not begin"
    error = DeadlineExceeded(
        f"{where}: {begun} within {deadline.seconds:.3g} s: {shown(command)}; give it more time with "
        "--timeout, or run it by hand to see what it waits for"
    )
    error.partial = out.data
    return error


def lost(where: str, command: Sequence[str], out: Kept, words: str = "") -> TransportError:
    """Return the error of a connection that ended under a command."""
    said = f" ({clean(words, 200)})" if words else ""
    error = ConnectionLost(f"{where}: the connection ended in the middle of: {shown(command)}{said}")
    error.partial, error.begun = out.data, out.begun
    return error


def no_command(where: str, words: str) -> TransportError:
    """Return the error of a server that lets us in and gives us no channel for a command."""
    return AccessRefused(
        f"{where}: logged in, and no command may be run: {clean(words, 200)}; see MaxSessions in "
        "sshd_config, and the user's authorized_keys"
    )


def shell_refused(where: str, status: int, out: Kept, err: Kept) -> TransportError:
    """Return the error of a login shell that ended before our marker came."""
    said = clean(decoded(err.noise or out.noise), 300)
    return AccessRefused(
        f"{where}: logged in, and the login shell did not run the command: it ended with {status}"
        f"{f', saying: {said}' if said else ''}. Is the shell a restricted one (nologin, false, a forced command)?"
    )


def silent(hop: Hop, ended: bool, connecting: Deadline) -> TransportError:
    """Return the error of a port that accepts and proves no host (a gateway may have accepted for it)."""
    if ended:
        trouble = "the port accepts and hangs up at once, before any SSH version"
    else:
        trouble = f"the port accepts and no SSH server speaks within {connecting.seconds:.3g} s"
    return Unreachable(
        f"{hop} cannot be reached: {trouble}. A gateway or a published port accepts for a machine that is down: is "
        "the machine up and sshd running?"
    )


def no_ssh(hop: Hop, said: str) -> TransportError:
    """Return the error of a port where something else than SSH speaks."""
    return TransportError(f'{hop} does not answer as an SSH server: it said "{clean(said, 200)}" and no SSH version')


def no_common_language(hop: Hop, words: str) -> TransportError:
    """Return the error of a server that has no version or algorithm in common with us."""
    return TransportError(f"{hop}: no common language with the SSH server: {clean(words, 300)}")


def slow_handshake(hop: Hop, deadline: Deadline) -> TransportError:
    """Return the error of a key exchange that our deadline ended."""
    return DeadlineExceeded(
        f"{hop}: the SSH server spoke and did not finish the key exchange within {deadline.seconds:.3g} s"
    )


def lost_handshake(hop: Hop) -> TransportError:
    """Return the error of a key exchange that the server ended."""
    return ConnectionLost(f"{hop}: the SSH server hung up during the key exchange")


def slow_login(hop: Hop, name: str, deadline: Deadline) -> TransportError:
    """Return the error of a login that our deadline ended."""
    return DeadlineExceeded(f"{hop}: no answer to the login with {name} within {deadline.seconds:.3g} s")


def lost_login(hop: Hop, words: str) -> TransportError:
    """Return the error of a login that the server ended."""
    return ConnectionLost(f"{hop}: the SSH server hung up before the login: {clean(words, 200)}")


def login_refused(hop: Hop, tried: Sequence[str]) -> TransportError:
    """Return the error of a login that no key opened.

    Args:
        tried: what was said of each key, by `key_refused` of those that the server saw.
    """
    try_it = f"Try `ssh {_by_key(hop)}-p {hop.port} {hop.user}@{hop.address}`"
    if tried and not any(REFUSED in each or each == HUNG_UP for each in tried):
        return AccessRefused(f"no key to log in to {hop} with: {'; '.join(tried)}. Name another by `key:`. {try_it}")
    again = ". If it came back as it was before `keypair rotate`, `infratest up` gives it the present key"
    return AccessRefused(
        f"login to {hop} was refused: {'; '.join(tried) or 'there is no key to try'}. Is the public key in "
        f"authorized_keys of {hop.user}, and is this the right user? {try_it}{again if _is_rotated(hop) else ''}"
    )


def _by_key(hop: Hop) -> str:
    """Return the option of ssh for the key that was named, where one was."""
    return f"-i {quoted(hop.keys[0])} " if hop.only_keys and hop.keys else ""


def _is_rotated(hop: Hop) -> bool:
    """Whether what logs in is a stack's own key, and one that it had before is kept for hosts that come back."""
    from pathlib import Path  # not on the way of a check that goes well

    from infratest.providers import _key_rotation, _ssh_keys

    keys = [Path(each) for each in hop.keys]
    return any(each.name == _ssh_keys.NAME and _key_rotation.formers(each.parent) for each in keys)


def key_refused(name: str, wanted: Sequence[str]) -> str:
    """Return what to say of one key that did not let us in, and of the methods that the server wants beside it."""
    return f"{name} {REFUSED}" + (f" (the server also wants {', '.join(wanted)})" if wanted else "")


#: What is said of a key that the server has seen.
REFUSED = "was refused"
#: What to say where the server ends the connection between two keys.
HUNG_UP = "the server hung up (too many keys tried? name one with `key:`)"


def verify(hop: Hop, entries: Sequence[_known_hosts.Entry], kind: str, key: bytes) -> None:
    """Hold the key that a server shows against those on record, pinning it where that is asked for.

    Raises:
        HostKeyRefused: it is unknown, revoked, or another one than that on record.
    """
    try:
        if _known_hosts.verify(entries, hop.record, kind, key):
            return
        if not hop.pin:
            raise HostKeyRefused(_known_hosts.unknown(hop.record, kind, key, hop.known_hosts, entries))
        if not hop.known_hosts:
            raise TransportError("pin: true needs a known-hosts file to pin into")
        _known_hosts.pin(hop.known_hosts[0], hop.record, kind, key)
    except TransportError as error:
        raise type(error)(f"{hop}: {error}") from error
