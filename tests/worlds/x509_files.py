"""Certificates and keys of all kinds in files, by the library `cryptography`, each with an authority of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    def key_pem(self, password: bytes = b"") -> bytes:
        how: Any = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return bytes(self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, how))


def new_key(kind: str) -> Any:
    """Return a key: `RSA 2048`, `EC secp384r1`, `Ed25519`."""
    word, _, more = kind.partition(" ")
    if word == "RSA":
        return rsa.generate_private_key(65537, int(more))
    if word == "EC":
        curves: dict[str, Any] = {one.name: one for one in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())}
        return ec.generate_private_key(curves[more])
    return ed25519.Ed25519PrivateKey.generate()


def issued(
    name: str,
    by: Issued | None = None,
    *,
    key: str = "EC secp256r1",
    names: tuple[str, ...] = (),
    begins: datetime | None = None,
    ends: datetime | None = None,
    authority: bool = False,
    purposes: tuple[str, ...] = (),
    serial: int = 0,
    more: tuple[x509.ExtensionType, ...] = (),
) -> Issued:
    """Return a new certificate of a common name, signed by another or by itself.

    Args:
        names: alternative names: `shop.example`, `10.0.0.2`. begins, ends: ten days ago, and in ninety.
    """
    own, now = new_key(key), datetime.now(UTC)
    title = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        by.certificate.subject if by else title, title, own.public_key(), serial or x509.random_serial_number(),
        begins or now - 10 * DAY, ends or now + 90 * DAY,
    ).add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)  # fmt: skip
    if names:
        others = [x509.IPAddress(ip_address(one)) if _numeric(one) else x509.DNSName(one) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
    if purposes:
        table = {"serverAuth": ExtendedKeyUsageOID.SERVER_AUTH, "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH}
        usage = x509.ExtendedKeyUsage([table[one] for one in purposes])
        builder = builder.add_extension(usage, critical=False)
    for each in more:
        builder = builder.add_extension(each, critical=False)
    signer = by.key if by else own
    return Issued(builder.sign(signer, None if "ed25519" in type(signer).__name__.lower() else hashes.SHA256()), own)


def _numeric(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def write(folder: Path, **files: bytes) -> None:
    """Write files; an underscore in a name is a dot."""
    for name, data in files.items():
        (folder / name.replace("_", ".")).write_bytes(data)
