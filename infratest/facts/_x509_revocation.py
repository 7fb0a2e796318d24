"""Whether an answer about revocation is to be believed, and what it says: OCSP (RFC 6960) and CRLs (RFC 5280, 6.3).

Pure: bytes in, verdicts out, by the library `cryptography` (the extra `tls`). An answer that is not signed by who may
sign it, is of another certificate, or is not of this time says nothing.
"""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

#: Seconds that the clock of who signs may be ahead of that of who looks.
AHEAD = 300

#: Seconds that an answer counts which does not say until when: what CAs of the web may let one of OCSP live at most
#: (CA/Browser Forum, Baseline Requirements, 4.9.10).
LIFE = 10 * 86400

#: Extensions of a CRL that are known here: its number, which part it is, whose key signed it.
HARMLESS = ("2.5.29.20", "2.5.29.28", "2.5.29.35")


class Unusable(Exception):
    """An answer says nothing of the certificate."""


class Verdict(Record):
    """What comes of one source.

    Args:
        source: OCSP or CRL. url: where it is had. revoked: None where it says nothing, and words is why.
    """

    source: str
    url: str
    revoked: bool | None = None
    words: str = ""

    def in_words(self) -> str:
        return f"{self.source} {self.url}: {self.words}"


class Signed:
    """A certificate and who has signed it."""

    def __init__(self, certificate: bytes, issuer: bytes) -> None:
        """Read both. Raises FactError: they cannot be read, or the library is not here."""
        try:
            from cryptography import x509
            from cryptography.exceptions import InvalidSignature
        except ImportError:
            raise FactError("cryptography is not installed here: pip install 'infratest[tls]'") from None
        try:
            self.one, self.issuer = (x509.load_der_x509_certificate(each) for each in (certificate, issuer))
            self.one.verify_directly_issued_by(self.issuer)
        except InvalidSignature:
            raise FactError("who is named as the issuer has not signed the certificate") from None
        except (ValueError, TypeError) as error:
            raise FactError(f"a certificate cannot be read: {beginning(str(error), 200)}") from None


def verdict(source: str, url: str, data: bytes, signed: Signed, now: int) -> Verdict:
    """Return what an answer says. `now`: the clock of who has fetched it, in seconds since 1970."""
    from datetime import UTC, datetime

    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        judged = _by_ocsp if source == "OCSP" else _by_crl
        revoked, words = judged(data, url, signed, datetime.fromtimestamp(now, UTC))
        return Verdict(source, url, revoked, words)
    except Unusable as error:
        words = str(error)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        words = f"its answer is not understood: {beginning(str(error), 200) or type(error).__name__}"
        if "ParseError" in words:  # what the library's reader of DER has of it is for its makers
            words = f"its answer is not understood: it is cut, or no {source}"
        words = words if data else "its answer is empty"
    return Verdict(source, url, None, words)


def _timely(begins: datetime, ends: datetime | None, now: datetime) -> None:
    from datetime import timedelta

    if begins > now + timedelta(seconds=AHEAD):
        raise Unusable(f"its answer is of a time to come, {begins:%Y-%m-%d %H:%M} UTC")
    if (ends or begins + timedelta(seconds=LIFE)) < now:
        raise Unusable(f"its answer is out of date since {ends or begins:%Y-%m-%d %H:%M} UTC")


def _since(time: datetime | None, reason: Any) -> str:
    since = f" since {time:%Y-%m-%d %H:%M} UTC" if time else ""
    return f"revoked{since}{f', {reason.value}' if reason else ''}"


# --- OCSP ---------------------------------------------------------------------------------------------------------


def _by_ocsp(data: bytes, url: str, signed: Signed, now: datetime) -> tuple[bool, str]:
    from cryptography.x509 import ocsp

    answer = ocsp.load_der_ocsp_response(data)
    if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise Unusable(f"the responder answers {answer.response_status.name.lower().replace('_', ' ')}")
    if not any(_verifies(answer, one.public_key()) for one in _responders(answer, signed.issuer, now)):
        raise Unusable("its answer is not signed by who may sign it")
    for one in answer.responses:
        if not _about(one, signed):
            continue
        _timely(one.this_update_utc, one.next_update_utc, now)
        if one.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            return True, _since(one.revocation_time_utc, one.revocation_reason)
        if one.certificate_status is ocsp.OCSPCertStatus.GOOD:
            return False, "good"
        raise Unusable("the responder does not know the certificate")
    raise Unusable("its answer is of another certificate")


def _about(one: Any, signed: Signed) -> bool:
    """Whether a single response is about the certificate: RFC 6960, 4.1.1 says what the hashes are of."""
    from cryptography.hazmat.primitives import hashes, serialization

    from infratest.facts._revocation_look import Read

    def digest(text: bytes) -> bytes:
        made = hashes.Hash(one.hash_algorithm)
        made.update(text)
        return made.finalize()

    issuer = Read(signed.issuer.public_bytes(serialization.Encoding.DER))
    hashed = (one.issuer_name_hash, one.issuer_key_hash)
    return one.serial_number == signed.one.serial_number and hashed == (digest(issuer.subject), digest(issuer.key))


def _responders(answer: Any, issuer: Any, now: datetime) -> Iterable[Any]:
    """Return who may sign: the issuer itself, and whom it has signed a certificate for that: RFC 6960, 4.2.2.2."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import ExtendedKeyUsageOID

    yield issuer
    for one in answer.certificates:
        try:
            usage = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            one.verify_directly_issued_by(issuer)
        except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
            continue
        timely = one.not_valid_before_utc <= now <= one.not_valid_after_utc
        if ExtendedKeyUsageOID.OCSP_SIGNING in usage and timely:
            yield one


def _verifies(answer: Any, key: Any) -> bool:
    """Whether a key has signed an answer."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    how: tuple[Any, ...] = ()
    algorithm = answer.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey):
        if algorithm is None or answer.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10":
            raise Unusable("its answer is signed by RSA-PSS, which is not in this version")
        how = (padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        how = (ec.ECDSA(algorithm),) if algorithm is not None else ()
    try:
        key.verify(answer.signature, answer.tbs_response_bytes, *how)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


# --- CRLs ---------------------------------------------------------------------------------------------------------


def _by_crl(data: bytes, url: str, signed: Signed, now: datetime) -> tuple[bool, str]:
    from cryptography import x509

    load: Any = x509.load_pem_x509_crl if data.startswith(b"-----BEGIN") else x509.load_der_x509_crl
    one = load(data)
    if one.issuer != signed.issuer.subject or not one.is_signature_valid(signed.issuer.public_key()):
        raise Unusable("it is not signed by who has signed the certificate")
    _timely(one.last_update_utc, one.next_update_utc, now)
    _covers(one, url, signed.one)
    entry = one.get_revoked_certificate_by_serial_number(signed.one.serial_number)
    if entry is None:
        return False, "not listed"
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        reason = None
    if reason is x509.ReasonFlags.remove_from_crl:  # RFC 5280, 5.3.1: it is revoked no more; OpenSSL takes it so
        return False, "removed from the list"
    return True, _since(entry.revocation_date_utc, reason)


def _covers(one: Any, url: str, certificate: Any) -> None:
    """Refuse a CRL that need not list a certificate although it was revoked: RFC 5280, 6.3.3, b to d. Raises Unusable.

    Args:
        url: where the certificate says that it is: a list in parts names the part.
    """
    from cryptography import x509

    for extension in one.extensions:
        if extension.critical and extension.oid.dotted_string not in HARMLESS:
            raise Unusable(f"it holds for less than all: {extension.oid.dotted_string}")
    try:
        part = one.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return
    authority = False
    try:
        authority = bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        pass
    names = [each.value for each in part.full_name or () if isinstance(each, x509.UniformResourceIdentifier)]
    others = part.only_contains_user_certs if authority else part.only_contains_ca_certs
    if others or part.only_contains_attribute_certs or part.indirect_crl or part.only_some_reasons:
        raise Unusable("it is for other certificates, or for some reasons alone")
    if (part.full_name or part.relative_name) and url not in names:
        raise Unusable("it is another part of the issuer's list than the certificate names")
