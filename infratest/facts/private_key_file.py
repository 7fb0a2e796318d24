"""The fact `private-key-file`: the private key in a regular file, as PEM, DER or OpenSSH's own. Argument: its path.

The file is carried here, read here and forgotten: the value has nothing of what is secret, and evidence shows no more.
"""

from __future__ import annotations

from infratest.facts._bytes_of_files import BytesOfFiles, FileValue
from infratest.facts._x509 import PrivateKey, private_key


class PrivateKeyFile(FileValue):
    """The first private key in a file; none where there is none."""

    keys: tuple[PrivateKey, ...] = ()

    def in_words(self) -> str:
        if not self.there:
            return "does not exist or is no regular file"
        return self.keys[0].in_words() if self.keys else "no private key"


class PrivateKeyFileFact(BytesOfFiles):
    """Private keys in files."""

    value = PrivateKeyFile

    def parsed(self, data: bytes) -> PrivateKeyFile:
        key = private_key(data)
        return PrivateKeyFile(keys=() if key is None else (key,))
