"""Keys of ed25519: who has granted autonomy, certified a drill or approved a heal, told apart by more than a name.

The private key lies outside the project, readable by its owner alone; the public ones stand in `heal: trusted-keys:`.
`cryptography` is imported when a key is made, used or held against a signature, and not before.
"""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import HealError, UserError

#: What a public key and a signature begin with, in every file.
KIND = "ed25519:"
#: Bytes of a public key and of a signature (RFC 8032, 5.1.5 and 5.1.6).
PUBLIC_BYTES, SIGNATURE_BYTES = 32, 64
#: Where a person's key is, below the folder of their settings (XDG Base Directory).
NAME = "infratest/heal.key"


class Key:
    """A private key, loaded; its public part is text.

    Args:
        private: of `cryptography`.
    """

    def __init__(self, private: Any) -> None:
        self._private = private

    @property
    def public(self) -> str:
        """The public part, as it stands in `trusted-keys:`."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return _text(self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, data: bytes) -> str:
        """Return the signature of these bytes."""
        return _text(self._private.sign(data))


def default_path() -> Path:
    """Return where a person's key is if nobody says: `~/.config/infratest/heal.key`."""
    settings = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(settings) / NAME


def make(path: Path) -> Key:
    """Make a new key in a file of its owner alone (0600).

    Raises:
        UserError: there is one already, or none can be written. HealError: `cryptography` is not installed.
    """
    ed25519 = _library()
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = ed25519.Ed25519PrivateKey.generate()
    data = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UserError(f"key {path}: there is one already, and what it has signed would count no more; name another "
                        "file with --key") from None  # fmt: skip
    except OSError as error:
        raise UserError(f"key {path}: could not be made: {error.strerror}; name another file with --key") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Key(private)


def load(path: Path, project: Path | None = None) -> Key:
    """Return the private key in a file.

    Args:
        project: the folder in which it must not lie: whoever has the project would have the key.
    Raises:
        UserError: it is not there, others may read it, it lies in the project, or it is no key of ed25519.
        HealError: `cryptography` is not installed.
    """
    if project is not None and path.resolve().is_relative_to(project.resolve()):
        raise UserError(f"key {path}: lies in the project {project}, where all who have the project have it; move it")
    try:
        info = path.stat()
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"key {path}: {error.strerror}; `infratest heal trust --new-key` makes one, --key names another"
        ) from error
    if stat.S_IMODE(info.st_mode) & 0o077 or info.st_uid not in (os.getuid(), 0):
        raise UserError(f"key {path}: others may read it (owner {info.st_uid}, mode {stat.S_IMODE(info.st_mode):o}); "
                        "chmod 600 it, and make a new one if they did")  # fmt: skip
    ed25519 = _library()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise UserError(f"key {path}: is no private key ({clean(str(error), 100)})") from None
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise UserError(f"key {path}: is no key of ed25519; `infratest heal trust --new-key` makes one")
    return Key(private)


def verified(public: str, signature: str, data: bytes) -> bool:
    """Return whether a signature of these bytes is of this public key; what is neither is not.

    Raises:
        HealError: `cryptography` is not installed.
    """
    ed25519 = _library()
    from cryptography.exceptions import InvalidSignature

    key, signed = _bytes(public, PUBLIC_BYTES), _bytes(signature, SIGNATURE_BYTES)
    if key is None or signed is None:
        return False
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signed, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_public(text: str) -> bool:
    """Return whether a text is written as a public key."""
    return _bytes(text, PUBLIC_BYTES) is not None


def _text(data: bytes) -> str:
    return KIND + base64.b64encode(data).decode()


def _bytes(text: str, size: int) -> bytes | None:
    """Return what a key or signature stands for; None where it is none, or one that is written in another way."""
    if not text.startswith(KIND):
        return None
    try:
        data = base64.b64decode(text[len(KIND) :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == size and _text(data) == text else None


def _library() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise HealError("cryptography is not installed here: pip install 'infratest[heal]'") from None
    return ed25519
