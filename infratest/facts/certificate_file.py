"""The fact `certificate-file`: the X.509 certificates in a regular file, as PEM or DER. Argument: the absolute path.

The file is carried here and read here: its host needs no openssl. A file without a certificate has none; one that is
cut, or in which one cannot be read, is not known at all.
"""

from __future__ import annotations

from infratest.facts._bytes_of_files import BytesOfFiles, FileValue
from infratest.facts._x509 import Certificate, certificates


class CertificateFile(FileValue):
    """The certificates in a file, in its order."""

    certificates: tuple[Certificate, ...] = ()

    def in_words(self) -> str:
        if not self.there:
            return "does not exist or is no regular file"
        count = len(self.certificates)
        first = f", the first of {self.certificates[0].in_words()}" if count else ""
        return f"{count} certificate{'' if count == 1 else 's'}{first}"


class CertificateFileFact(BytesOfFiles):
    """Certificates in files."""

    value = CertificateFile

    def parsed(self, data: bytes) -> CertificateFile:
        return CertificateFile(certificates=certificates(data))
