"""Certificates for tests, of an authority that nobody knows, and a proxy that shows one."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.worlds.fault_proxy import Proxy, proxy

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """Who signs; `file` is its certificate."""

    file: Path
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    def sign(self, *names: str, ends: timedelta = DAY) -> Path:
        """Return a file with a new certificate for addresses or names, and its key. `ends`: from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        others = [x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names]
        builder = _about("server", self._certificate.subject, key, ends)
        made = builder.add_extension(x509.SubjectAlternativeName(others), critical=False).sign(
            self._key, hashes.SHA256()
        )
        file = self.file.with_name(f"{made.serial_number}.pem")
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + _written(key))
        return file


def authority(folder: Path) -> Authority:
    """Return a new one, whose files are in a folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
    builder = _about("authority of the tests", name, key, DAY)
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    file = folder / "authority.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return Authority(file, made, key)


def _about(
    subject: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 10 * DAY)
        .not_valid_after(now + ends)
    )


def _written(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


@contextmanager
def proxy_with_tls(upstream: str, certificate: Path) -> Iterator[Proxy]:
    """Have a proxy before an API that is spoken to by TLS."""
    with proxy(upstream) as running:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        running.server.socket = context.wrap_socket(running.server.socket, server_side=True)
        running.url = running.url.replace("http:", "https:")
        yield running
