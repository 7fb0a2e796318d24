"""SFTP as it is asked from the controller, by paramiko (the extra `ssh`): with a connection that is open.

The server's host key must stand in a known_hosts file of the controller: the user's own and the machine's, or the one
that the address names.
"""

from __future__ import annotations

import errno
import logging
import socket
from pathlib import Path
from time import time
from typing import Any

from infratest.cleaning import beginning
from infratest.deadline import Deadline
from infratest.errors import FactError
from infratest.facts._ended import Ended
from infratest.facts.remote_file.address import PORTS, SftpAddress
from infratest.facts.remote_file.value import RemoteFile

#: Files of known hosts, where an address names none: the user's own, and the machine's.
KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")

#: What is said of who takes too long.
LATE = "does not say all in time"


class Unspoken(Exception):
    """Who lets us in speaks no SSH 2, or begins to and does not go on."""


def look(one: Any, address: SftpAddress, path: str, patience: Deadline) -> RemoteFile:
    """Log in, and return what is so of a file.

    Args:
        one: a connection to the server, which is closed then. path: empty for the login alone.
    Raises:
        Unspoken: it speaks no SSH. FactError: its host key is not known, or nobody can say.
    """
    try:
        import paramiko
    except ImportError:
        raise FactError("paramiko is not installed here: pip install 'infratest[ssh]'") from None
    logging.getLogger("paramiko").addHandler(logging.NullHandler())  # it tells of what it raises, too
    logging.getLogger("paramiko").propagate = False
    transport, connected = None, socket.socket(fileno=one.detach())
    ended = Ended(connected, patience.left)
    try:
        transport = paramiko.Transport(connected)
        # Longer than all may take: each is a time of its own, and a login that took too long is none that is refused.
        transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = patience.left + 60
        _begin(transport, address, patience)
        refusal = _log_in(transport, address)
        if ended.passed:
            raise Unspoken(LATE)
        if refusal or not path:
            return RemoteFile(login="refused" if refusal else "accepted", refusal=refusal)
        return _file(transport, path, patience)
    except (paramiko.SSHException, OSError, EOFError, FactError) as error:
        if ended.passed:
            raise Unspoken(LATE) from None
        if isinstance(error, FactError):
            raise
        raise FactError(f"it breaks off: {error or type(error).__name__}") from None
    finally:
        if transport is not None:
            transport.close()
        ended.close()
        connected.close()  # a transport that never was up leaves it open


def _begin(transport: Any, address: SftpAddress, patience: Deadline) -> None:
    """Exchange keys with a server whose host key is known. Raises Unspoken, FactError."""
    import paramiko

    known = _known(address)
    if known:  # a server with several keys is asked for one that is known
        security = transport.get_security_options()
        kinds = [kind for kind in security.key_types if _kind(kind) in known]
        security.key_types = [*kinds, *(kind for kind in security.key_types if kind not in kinds)]
    try:
        transport.start_client(timeout=max(0.05, patience.left))
        key = transport.get_remote_server_key()  # where the time is over, this is what says so
    except (paramiko.SSHException, EOFError, OSError) as error:
        late = "nothing in time" if patience.passed else ""
        raise Unspoken(f"does not begin SSH: {late or error or 'it hangs up'}") from None
    if known.get(key.get_name()) != key:
        words = "is another one in known_hosts" if key.get_name() in known else "is not in known_hosts"
        raise FactError(f"its host key {key.get_name()} {key.fingerprint} {words}")


def _kind(name: str) -> str:
    """Return the kind of key that a signature is made by: RFC 8332 has several of RSA."""
    return "ssh-rsa" if name.startswith("rsa-sha2-") else name


def _known(address: SftpAddress) -> dict[str, Any]:
    """Return the host keys on record, by their kinds, without those that are revoked. Raises FactError."""
    import paramiko

    keys, revoked = paramiko.HostKeys(), paramiko.HostKeys()
    # sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: with its port where that is not SSH's.
    name = address.host if address.port == PORTS["sftp"] else f"[{address.host}]:{address.port}"
    for path, row in _rows(address.settings.get("known-hosts")):
        marked, _, rest = row.partition(" ")
        if marked == "@cert-authority":
            continue
        try:
            entry = paramiko.hostkeys.HostKeyEntry.from_line(rest.strip() if marked == "@revoked" else row)
        except (paramiko.hostkeys.InvalidHostKey, paramiko.SSHException, ValueError) as error:
            raise FactError(f"{path} is not understood: {beginning(str(error), 200)}") from None
        if entry is None or entry.key is None:  # of a kind that nobody here knows
            continue
        for each in entry.hostnames:
            (revoked if marked == "@revoked" else keys).add(each, entry.key.get_name(), entry.key)
    bad = {key.asbytes() for key in dict(revoked.lookup(name) or {}).values()}
    return {kind: key for kind, key in dict(keys.lookup(name) or {}).items() if key.asbytes() not in bad}


def _rows(named: str | None) -> list[tuple[str, str]]:
    """Return the lines of known_hosts files that say something, each with its file. Raises FactError."""
    found = []
    for path in (named,) if named else KNOWN_HOSTS:
        try:
            text = Path(path).expanduser().read_text("utf-8", "replace")
        except FileNotFoundError:
            if named:
                raise FactError(f"{path}: no such file of known hosts") from None
            continue
        except (OSError, RuntimeError) as error:  # RuntimeError: nobody's home is known
            raise FactError(f"{path} could not be read: {error}") from None
        found += [(path, row) for row in map(str.strip, text.splitlines()) if row and not row.startswith("#")]
    return found


def _log_in(transport: Any, address: SftpAddress) -> str:
    """Log in, and return why the server refuses it; nothing where it does not. Raises FactError."""
    import paramiko

    key = None if address.password else _key(address.settings["key"])
    try:
        if key is None:
            left = transport.auth_password(address.user, address.password)
        else:
            left = transport.auth_publickey(address.user, key)
    except paramiko.BadAuthenticationType as error:
        raise FactError(f"it lets nobody log in so, but by: {', '.join(error.allowed_types)}") from None
    except paramiko.AuthenticationException as error:
        return str(error) or "refused"
    if left:
        raise FactError(f"it asks for more to log in: {', '.join(left)}")
    return ""


def _key(path: str) -> Any:
    """Return the key in a file. Raises FactError."""
    import paramiko

    try:
        return paramiko.PKey.from_path(path)
    except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise FactError(f"the key {path} could not be read: {error}") from None


def _file(transport: Any, path: str, patience: Deadline) -> RemoteFile:
    import stat

    import paramiko

    client = paramiko.SFTPClient.from_transport(transport)
    if client is None:
        raise FactError("it has no SFTP")
    channel = client.get_channel()
    if channel is not None:
        channel.settimeout(max(0.05, patience.left))
    try:
        seen = client.stat(path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return RemoteFile(login="accepted")
        raise FactError(f"{path}: {error.strerror or error}") from None
    if seen.st_mode is None or seen.st_size is None or seen.st_mtime is None:
        raise FactError(f"it does not say what {path} is")
    if not stat.S_ISREG(seen.st_mode):
        return RemoteFile(login="accepted", folder=stat.S_ISDIR(seen.st_mode))
    return RemoteFile(exists=True, size=seen.st_size, age=time() - seen.st_mtime, login="accepted")
