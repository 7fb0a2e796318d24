"""SSH identities of made hosts: a key for each host, one for the stack's user, and the stack's known_hosts file.

Called by providers that make machines, so that the first connection to a new host is verified already. known_hosts is
in OpenSSH's format (sshd(8)); a line that a provider wrote ends in the host's mark, a comment, by which it is found.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from infratest.errors import ProviderError, StateError

#: Of a state directory: where its keys are, and the one that its hosts are logged in to with.
FOLDER, NAME = "keys", "id_ed25519"
#: What stands behind a public half of ours, for people.
COMMENT = "infratest"


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """An ed25519 key: the private half as OpenSSH's file, the public half as `ssh-ed25519 AAAA...`."""

    private: bytes
    public: str


def new_key() -> KeyPair:
    """Make a key.

    Raises:
        ProviderError: the library that makes it is not installed.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise ProviderError(f"no SSH keys can be made ({error}): pip install 'infratest[ssh]'") from error
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return KeyPair(private=private, public=public.decode("ascii"))


def user_key(folder: Path, name: str = NAME) -> tuple[Path, str]:
    """Return the path of the stack's private key and its public half; both are made at first use, readable by us alone.

    A public half that is not there, as after a rotation that was killed, is written anew from the private one.

    Args:
        folder: `keys/` of the state directory.
    """
    path = folder / name
    with locked(folder):
        try:
            if not path.exists():
                pair = new_key()
                _public_of(path).unlink(missing_ok=True)  # it would be of another key
                replace(path, pair.private)
                replace(_public_of(path), f"{pair.public} {COMMENT}\n".encode())
            if not _public_of(path).exists():
                replace(_public_of(path), f"{_derived(path)} {COMMENT}\n".encode())
            return path, _public_of(path).read_text(encoding="ascii").strip()
        except OSError as error:
            raise StateError(f"the stack's SSH key {path} could not be made: {error.strerror}") from error


def public_half(path: Path) -> str:
    """Return the public half of a private key, empty where that is not there; writes nothing."""
    try:
        if not path.exists():
            return ""
        public = _public_of(path)
        return public.read_text(encoding="ascii").strip() if public.exists() else f"{_derived(path)} {COMMENT}"
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"the stack's SSH key {path} could not be read: {error}") from error


def locked(folder: Path) -> AbstractContextManager[None]:
    """Hold the lock of the keys, while one is made or takes another's place."""
    return _locked(folder / ".lock")


def _public_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def _derived(path: Path) -> str:
    """Return the public half that a private key's file holds."""
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_ssh_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise StateError(f"the stack's SSH key {path} is damaged: {error}; put a copy of it in its place") from error
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode("ascii")
    )


def remember(known_hosts: Path, names: Sequence[str], public: str, mark: str) -> None:
    """Write down a host's key under these names; what stood there for the mark or the names before is dropped.

    Args:
        names: as SSH looks them up: an address, or `[address]:port` where the port is not 22.
    """
    with _locked(_lock_of(known_hosts)):
        lines = [line for line in _lines(known_hosts) if not _about(line, mark) and not _named(line, names)]
        _write(known_hosts, mark, [*lines, *(f"{name} {public} {mark}" for name in names)])


def renew(known_hosts: Path, names: Sequence[str], mark: str) -> None:
    """Write the key that is known for a mark down under these names, if it is not so already."""
    mine = [line.split() for line in _lines(known_hosts) if _about(line, mark)]
    if mine and {fields[0] for fields in mine} != set(names):
        remember(known_hosts, names, " ".join(mine[0][1:3]), mark)


def forget(known_hosts: Path, mark: str) -> None:
    """Drop what was written for a mark; fine if there is nothing."""
    if any(_about(line, mark) for line in _lines(known_hosts)):
        with _locked(_lock_of(known_hosts)):
            _write(known_hosts, mark, [line for line in _lines(known_hosts) if not _about(line, mark)])


def marks(known_hosts: Path) -> list[str]:
    """Return the marks of the hosts that are written down; writes nothing."""
    return [fields[3] for fields in map(str.split, _lines(known_hosts)) if len(fields) == 4]


def lookup_name(address: str, port: int) -> str:
    """Return how known_hosts names an address and port."""
    return address if port == 22 else f"[{address}]:{port}"


def _lock_of(known_hosts: Path) -> Path:
    return known_hosts.with_name(f".{known_hosts.name}.lock")


def _about(line: str, mark: str) -> bool:
    return line.split()[3:] == [mark]


def _named(line: str, names: Sequence[str]) -> bool:
    return line.split(" ", 1)[0] in names


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"{path} could not be read: {error.strerror}") from error


def _write(path: Path, mark: str, lines: Sequence[str]) -> None:
    try:
        replace(path, "".join(line + "\n" for line in lines).encode())
    except OSError as error:
        raise StateError(f"{path} could not be written ({mark}): {error.strerror}; is the disk full?") from error


def replace(path: Path, data: bytes) -> None:
    """Write a file of ours whole, readable by us alone: a reader sees the old or the new one. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file's lock: threads and processes alike wait for each other."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{path} could not be opened: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
