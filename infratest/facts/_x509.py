"""X.509 certificates and private keys, read from their bytes by the library `cryptography` (the extra `tls`).

Shared by the facts about files and about TLS on a port. Certificates are RFC 5280's; around them is PEM (RFC 7468) or
nothing (DER). The library is imported here, on the machine that reads: a host needs none.
"""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Certificates of a file that are read: a system's store of authorities has some 150.
MANY = 1000

#: What stands for certificates in PEM; the second is of old programs.
LABELS = ("CERTIFICATE", "X509 CERTIFICATE")

#: Attributes of names that RFC 4514 has no short form for, as openssl writes them.
SHORT = {
    "1.2.840.113549.1.9.1": "emailAddress", "2.5.4.5": "serialNumber", "2.5.4.42": "GN", "2.5.4.4": "SN",
    "2.5.4.12": "title", "2.5.4.15": "businessCategory", "2.5.4.17": "postalCode",
}  # fmt: skip

#: Extended key usages, by OID, as OpenSSL's configuration names them: x509v3_config(5).
PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection", "1.3.6.1.5.5.7.3.8": "timeStamping", "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage",
}  # fmt: skip

#: Elliptic curves by their SEC name, and what else they are called: FIPS 186 and ANSI X9.62.
CURVES = {
    "secp192r1": ("p-192", "prime192v1"), "secp224r1": ("p-224",), "secp256r1": ("p-256", "prime256v1"),
    "secp384r1": ("p-384",), "secp521r1": ("p-521",), "secp256k1": (), "brainpoolp256r1": (), "brainpoolp384r1": (),
    "brainpoolp512r1": (),
}  # fmt: skip
#: RFC 4055, 3: how openssl calls it.
PSS = "rsassaPss"
#: Signatures of old that the library has no name for, as openssl has them: RFC 8017, A.2.4; ISO/IEC 14888 and others.
OLD_SIGNATURES = {
    "1.2.840.113549.1.1.2": "md2WithRSAEncryption", "1.2.840.113549.1.1.3": "md4WithRSAEncryption",
    "1.3.14.3.2.3": "md5WithRSA", "1.3.14.3.2.15": "shaWithRSAEncryption", "1.3.14.3.2.29": "sha1WithRSA",
    "1.3.14.3.2.13": "dsaWithSHA", "1.3.14.3.2.27": "dsaWithSHA1-old", "1.3.36.3.3.1.2": "ripemd160WithRSA",
}  # fmt: skip
KINDS = ("RSA", "EC", "DSA", "Ed25519", "Ed448", "X25519", "X448", "ML-DSA")


class Certificate(Record):
    """One certificate.

    Args:
        subject, issuer: as RFC 4514 writes them. names: the alternative names: `DNS:shop.example`, `IP:10.0.0.2`,
        `email:ops@shop.example`, `URI:spiffe://x`. not_before, not_after: seconds since 1970. serial: hexadecimal
        digits. signature: its algorithm, as openssl names it, and RSASSA-PSS with its hash: `rsassaPss with sha256`.
        kind: of its key, one of KINDS. bits: of its key. curve: where it has one. public: SHA-256 of its public
        key as SubjectPublicKeyInfo. self_signed: its own key signed it. purposes: empty where it is bound to none.
        encoded: its DER in base64.
    """

    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    not_before: int = 0
    not_after: int = 0
    serial: str = ""
    sha1: str = ""
    sha256: str = ""
    signature: str = ""
    kind: str = ""
    bits: int = 0
    curve: str = ""
    public: str = ""
    self_signed: bool = False
    authority: bool = False
    purposes: tuple[str, ...] = ()
    encoded: str = ""

    def in_words(self) -> str:
        return f"{self.subject or '(no subject)'}, until {date(self.not_after)}"


class PrivateKey(Record):
    """One private key, but nothing of what is secret in it. Nothing else is known of one that is encrypted."""

    encrypted: bool = False
    kind: str = ""
    bits: int = 0
    curve: str = ""
    public: str = ""

    def in_words(self) -> str:
        return "an encrypted private key" if self.encrypted else f"a private {self.kind} key of {self.bits} bits"


def date(seconds: int) -> str:
    """Return a time as people read it."""
    from time import gmtime

    then = gmtime(seconds)
    return f"{then[0]}-{then[1]:02}-{then[2]:02} {then[3]:02}:{then[4]:02} UTC"


def blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Return the label of each block of PEM, and the block.

    Raises:
        FactError: one begins and does not end.
    """
    place = 0
    while (start := data.find(b"-----BEGIN ", place)) >= 0:
        label_end = data.find(b"-----", start + 11)
        label = data[start + 11 : label_end] if label_end >= 0 else b""
        end = data.find(b"-----END " + label + b"-----", start)
        if label_end < 0 or end < 0:
            line = data.count(b"\n", 0, start) + 1
            raise FactError(f"what begins in line {line} does not end: the file is cut, or no PEM")
        place = end + len(label) + 14
        yield label.decode("latin-1"), data[start:place] + b"\n"


def certificates(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates in a file, in order: PEM with whatever else there is, or one as DER; none are none.

    Raises:
        FactError: one of them cannot be read, or the library is not here.
    """
    found: list[Certificate] = []
    if data[:2] in (b"\x30\x82", b"\x30\x81"):
        return (certificate(data, "the certificate"),)
    for label, block in blocks(data):
        if label == "TRUSTED CERTIFICATE":
            raise FactError("it holds a TRUSTED CERTIFICATE, a format of OpenSSL's own, which is not in this version")
        if label in LABELS:
            found.append(certificate(_der(block), f"certificate {len(found) + 1}"))
        if len(found) > MANY:
            raise FactError(f"it holds more than {MANY} certificates")
    return tuple(found)


def certificate(der: bytes, what: str) -> Certificate:
    """Return a certificate. Raises FactError, which calls it `what`."""
    x509, errors = _library()
    try:
        return _certificate(x509.load_der_x509_certificate(der), der)
    except errors as error:
        raise FactError(f"{what} cannot be read: {beginning(str(error), 200) or type(error).__name__}") from None


def private_key(data: bytes) -> PrivateKey | None:
    """Return the first private key in a file: PEM with whatever else there is, or DER; None where there is none.

    Raises:
        FactError: it cannot be read, or the library is not here.
    """
    _, errors = _library()
    from cryptography.hazmat.primitives import serialization

    load: Any = serialization.load_der_private_key
    if data[:1] != b"\x30":
        block = next((block for label, block in blocks(data) if label.endswith("PRIVATE KEY")), b"")
        if not block:
            return None
        data, load = block, serialization.load_pem_private_key
        if b"-----BEGIN OPENSSH" in block:
            load = serialization.load_ssh_private_key
    try:
        kind, bits, curve, public = _key(load(data, None).public_key())
        return PrivateKey(False, kind, bits, curve, public)
    except TypeError:
        return PrivateKey(encrypted=True)  # so the library says that a password is needed
    except errors as error:
        # Its words are not shown: they might quote what is secret.
        raise FactError(f"the private key cannot be read ({type(error).__name__})") from None


def _library() -> tuple[Any, tuple[type[Exception], ...]]:
    """Return the library, and what it raises of bytes that are no certificate."""
    try:
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    except ImportError:
        raise FactError("cryptography is not installed here: pip install 'infratest[tls]'") from None
    own = (x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
    # It warns of what RFC 5280 forbids and it still reads; where warnings are errors, that is one.
    return x509, (ValueError, TypeError, KeyError, UnsupportedAlgorithm, InvalidSignature, Warning, *own)


def _der(block: bytes) -> bytes:
    from binascii import a2b_base64

    text = b"".join(block.replace(b"\r", b"").strip().split(b"\n")[1:-1])
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise FactError(f"a certificate is no base64: {error}") from None


def _certificate(one: Any, der: bytes) -> Certificate:
    from base64 import b64encode
    from hashlib import sha1, sha256

    kind, bits, curve, public = _key(one.public_key())
    return Certificate(
        subject=_name(one.subject),
        issuer=_name(one.issuer),
        names=_names(one),
        not_before=int(one.not_valid_before_utc.timestamp()),
        not_after=int(one.not_valid_after_utc.timestamp()),
        serial=f"{one.serial_number:x}",
        sha1=sha1(der, usedforsecurity=False).hexdigest(),
        sha256=sha256(der).hexdigest(),
        signature=_signature(one),
        kind=kind,
        bits=bits,
        curve=curve,
        public=public,
        self_signed=_self_signed(one),
        authority=bool(getattr(_extension(one, "BasicConstraints"), "ca", False)),
        purposes=tuple(PURPOSES.get(each.dotted_string, each.dotted_string) for each in _usages(one)),
        encoded=b64encode(der).decode(),
    )


def _signature(one: Any) -> str:
    """Return the name of the algorithm that signed a certificate: of RSASSA-PSS the hash stands in its parameters."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import SignatureAlgorithmOID

    oid = one.signature_algorithm_oid
    known = str(getattr(oid, "_name", ""))
    if oid != SignatureAlgorithmOID.RSASSA_PSS:
        plain = oid.dotted_string if known in ("", "Unknown OID") else known
        return OLD_SIGNATURES.get(oid.dotted_string, plain)
    try:
        digest = str(one.signature_hash_algorithm.name)
    except (UnsupportedAlgorithm, ValueError) as error:
        raise ValueError(f"by which hash it is signed (rsassaPss) is not known: {error}") from None
    return f"{PSS} with {digest}"


def _extension(one: Any, name: str) -> Any:
    """Return the value of an extension, None where there is none."""
    from cryptography import x509

    try:
        return one.extensions.get_extension_for_class(getattr(x509, name)).value
    except x509.ExtensionNotFound:
        return None


def _usages(one: Any) -> Any:
    return _extension(one, "ExtendedKeyUsage") or ()


def _name(name: Any) -> str:
    from cryptography.x509 import ObjectIdentifier

    return str(name.rfc4514_string({ObjectIdentifier(oid): short for oid, short in SHORT.items()}))


def _names(one: Any) -> tuple[str, ...]:
    from cryptography import x509

    marks: dict[type, str] = {x509.DNSName: "DNS", x509.IPAddress: "IP", x509.RFC822Name: "email"}
    marks |= {x509.UniformResourceIdentifier: "URI"}
    names = _extension(one, "SubjectAlternativeName") or ()
    return tuple(f"{marks[type(each)]}:{each.value}" for each in names if type(each) in marks)


def _self_signed(one: Any) -> bool:
    """Return whether its own key has signed it; of an algorithm that the library cannot verify, what OpenSSL goes by:
    its issuer is its subject, and the identifier of the issuer's key, where there is one, that of its own."""
    if one.subject != one.issuer:
        return False
    signed = has_signed(one.public_key(), one)
    if signed is not None:
        return signed
    theirs = getattr(_extension(one, "AuthorityKeyIdentifier"), "key_identifier", None)
    own = getattr(_extension(one, "SubjectKeyIdentifier"), "digest", None)
    return theirs is None or own is None or theirs == own


def has_signed(key: Any, one: Any) -> bool | None:
    """Return whether a public key fits the signature of a certificate; None where the library does not verify such.

    By the key itself: what the library has for certificates knows no MD5 and no SHA-1.
    """
    from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
    from cryptography.x509 import SignatureAlgorithmOID

    more: list[Any] = []
    try:
        digest: Any = one.signature_hash_algorithm
        if isinstance(key, rsa.RSAPublicKey):
            pss = one.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
            more = [one.signature_algorithm_parameters if pss else padding.PKCS1v15(), digest]
        elif isinstance(key, ec.EllipticCurvePublicKey):
            more = [ec.ECDSA(digest)]
        elif isinstance(key, dsa.DSAPublicKey):
            more = [digest]
        key.verify(one.signature, one.tbs_certificate_bytes, *more)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, InternalError, ValueError):
        return None
    except (TypeError, AttributeError):
        return False  # a key of another kind than the signature is
    return True


def _key(key: Any) -> tuple[str, int, str, str]:
    """Return the kind of a public key, its bits, its curve, and SHA-256 of it."""
    from hashlib import sha256

    from cryptography.hazmat.primitives import serialization

    name = type(key).__name__.lower().removesuffix("publickey").lstrip("_")
    curve = str(getattr(getattr(key, "curve", None), "name", "")).lower()
    bits = int(getattr(key, "key_size", 0)) or {"ed25519": 256, "ed448": 456, "x25519": 253, "x448": 448}.get(name, 0)
    kind = "EC" if curve else next((one for one in KINDS if name.startswith(one.lower().replace("-", ""))), name)
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return kind, bits, curve, sha256(der).hexdigest()
