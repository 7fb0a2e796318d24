"""What can be said of X.509 certificates in files: until when, for which names, by whom, with which key.

The first certificate of a file is meant, as servers take it, or the one at the position that a sentence says. Of a file
that is not there, or holds no such certificate, neither a claim nor its negation is met; one that is cut or cannot be
read is unknown. "Now" is the clock of the host.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps import _certificate
from infratest.steps._certificate import SHOWN, read

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._x509 import Certificate
    from infratest.facts.base import FactValues
    from infratest.facts.certificate_file import CertificateFile


class _OfFile(Check):
    path: str
    position: int = 1

    def __post_init__(self) -> None:
        absolute(self.path)
        if self.position < 1:
            raise UserError(f'the certificate file "{self.path}" at position {self.position}: the first is 1')

    @derived
    def asked(self) -> Need[CertificateFile]:
        return Need("certificate-file", (absolute(self.path),))

    @property
    def subject(self) -> str:
        where = f" at position {self.position}" if self.position != 1 else ""
        return f'the certificate file "{self.path}"{where}'

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen = read(facts[self.asked], self.path)
        if not seen.there:
            saw = f'the certificate file "{self.path}" does not exist or is no regular file'
            return Seen(holds=False, saw=saw, absent=True)
        return self.look(seen, facts)

    @abstractmethod
    def look(self, seen: CertificateFile, facts: FactValues) -> Seen:
        """Return what is seen in a file that is there."""


class _OfOne(_OfFile):
    def look(self, seen: CertificateFile, facts: FactValues) -> Seen:
        count = len(seen.certificates)
        if count < self.position:
            words = f"holds {count or 'no'} certificate{'' if count == 1 else 's'}"
            return Seen(holds=False, saw=f'the certificate file "{self.path}" {words}', absent=True)
        return self.look_at(seen.certificates[self.position - 1], seen, facts)

    @abstractmethod
    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        """Return what is seen in the certificate that is meant."""


@check(
    'the certificate file "{path}"[ at position {position:number}] is valid',
    negation='the certificate file "{path}"[ at position {position:number}] is not valid',
    example='the certificate file "/etc/ssl/shop.pem" is valid',
)
class CertificateValid(_OfOne):
    """Now is within the time for which the certificate was made; who signed it is another claim."""

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        from infratest.facts._x509 import date

        if seen.now < one.not_before:
            return Seen(holds=False, saw=f"{self.subject} is valid from {date(one.not_before)} on")
        # The last second is one of its own: RFC 5280, 4.1.2.5.
        holds, left = seen.now <= one.not_after, human(abs(one.not_after - seen.now), "s")
        words = f"is valid for {left}" if holds else f"expired {left} ago"
        return Seen(holds=holds, saw=f"{self.subject} {words}, until {date(one.not_after)}")


@check(
    'the certificate file "{path}"[ at position {position:number}] is valid for {bound:time}',
    example='the certificate file "/etc/ssl/shop.pem" is valid for at least 14 days, warning 30 days',
)
class CertificateLeft(CertificateValid):
    """The time until the certificate expires, less than none where it has."""

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        return super().look_at(one, seen, facts).changed(number=one.not_after - seen.now)

    def measure(self) -> Measure:
        where = f" {self.position}" if self.position != 1 else ""
        return Measure(label=f"certificate {self.path}{where} left", unit="s")


@check(
    'the certificate file "{path}" has every certificate valid for {bound:time}',
    example='the certificate file "/etc/ssl/chain.pem" has every certificate valid for at least 30 days',
)
class CertificatesLeft(_OfOne):
    """The time until the first of all certificates in the file expires."""

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        soonest = min(seen.certificates, key=lambda each: each.not_after)
        later = [each for each in seen.certificates if each.not_before > seen.now]
        position, left = seen.certificates.index(soonest) + 1, soonest.not_after - seen.now
        words = f"{human(left, 's')}, of {len(seen.certificates)} in {self.subject} the least: at position {position}"
        if later:
            saw = f"{len(later)} of {len(seen.certificates)} certificates in {self.subject} are not valid yet"
            return Seen(holds=False, saw=saw, number=left)
        return Seen(holds=left >= 0, saw=words, number=left)

    def measure(self) -> Measure:
        return Measure(label=f"certificates {self.path} left", unit="s")


@check(
    'the certificate file "{path}" has {bound:count} certificates',
    example='the certificate file "/etc/ssl/chain.pem" has exactly 2 certificates',
)
class CertificateCount(_OfFile):
    """How many certificates are in the file."""

    def look(self, seen: CertificateFile, facts: FactValues) -> Seen:
        count = len(seen.certificates)
        return Seen(
            holds=True, saw=f"{self.subject} holds {count} certificate{'' if count == 1 else 's'}", number=count
        )

    def measure(self) -> Measure:
        return Measure(label=f"certificates {self.path}", minimum=0)


class FileClaim(_OfOne):
    """A claim of `_certificate`."""

    claim: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.checked(self.claim, self.text)

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        holds, words = _certificate.seen(self.claim, self.text, one)
        return Seen(holds=holds, saw=f"{self.subject} {words}")


@check(
    'the certificate file "{path}"[ at position {position:number}] has the subject "{subject}"',
    negation='the certificate file "{path}"[ at position {position:number}] does not have the subject "{subject}"',
    example='the certificate file "/etc/ssl/shop.pem" has the subject "CN=shop.example, O=Shop"',
)
def file_subject(path: str, subject: str, position: int = 1) -> FileClaim:
    """These are among the attributes of the subject's name, as RFC 4514 writes them."""
    return FileClaim(path, position, _certificate.SUBJECT, subject)


@check(
    'the certificate file "{path}"[ at position {position:number}] has the issuer "{issuer}"',
    negation='the certificate file "{path}"[ at position {position:number}] does not have the issuer "{issuer}"',
    example='the certificate file "/etc/ssl/shop.pem" has the issuer "CN=Shop CA"',
)
def file_issuer(path: str, issuer: str, position: int = 1) -> FileClaim:
    """These are among the attributes of the issuer's name; whether it signed is for `is verified by`."""
    return FileClaim(path, position, _certificate.ISSUER, issuer)


@check(
    'the certificate file "{path}"[ at position {position:number}] is for the name "{name}"',
    negation='the certificate file "{path}"[ at position {position:number}] is not for the name "{name}"',
    example='the certificate file "/etc/ssl/shop.pem" is for the name "www.shop.example"',
)
def file_name(path: str, name: str, position: int = 1) -> FileClaim:
    """A client that asks for this host, address, mail address or URI is content with the alternative names."""
    return FileClaim(path, position, _certificate.NAME, name)


@check(
    'the certificate file "{path}"[ at position {position:number}] has the serial number "{serial}"',
    negation='the certificate file "{path}"[ at position {position:number}] does not have the serial number "{serial}"',
    example='the certificate file "/etc/ssl/shop.pem" has the serial number "04:AF:2C"',
)
def file_serial(path: str, serial: str, position: int = 1) -> FileClaim:
    """The serial number, in hexadecimal digits, with or without colons."""
    return FileClaim(path, position, _certificate.SERIAL, serial)


@check(
    'the certificate file "{path}"[ at position {position:number}] has the fingerprint "{fingerprint}"',
    negation='the certificate file "{path}"[ at position {position:number}] '
    'does not have the fingerprint "{fingerprint}"',
    example='the certificate file "/etc/ssl/shop.pem" has the fingerprint "da39a3ee5e6b4b0d3255bfef95601890afd80709"',
)
def file_fingerprint(path: str, fingerprint: str, position: int = 1) -> FileClaim:
    """The fingerprint of the certificate by SHA-256 or SHA-1, whichever has as many digits."""
    return FileClaim(path, position, _certificate.FINGERPRINT, fingerprint)


@check(
    'the certificate file "{path}"[ at position {position:number}] has the signature algorithm "{algorithm}"',
    negation='the certificate file "{path}"[ at position {position:number}] '
    'does not have the signature algorithm "{algorithm}"',
    example='the certificate file "/etc/ssl/shop.pem" has the signature algorithm "sha256WithRSAEncryption"',
)
def file_signature(path: str, algorithm: str, position: int = 1) -> FileClaim:
    """The algorithm by which it was signed, as openssl names it, or a pattern that the name fits: `*sha1*`."""
    return FileClaim(path, position, _certificate.SIGNATURE, algorithm)


@check(
    'the certificate file "{path}" relies on a signature by "{algorithm}"',
    negation='the certificate file "{path}" relies on no signature by "{algorithm}"',
    example='the certificate file "/etc/ssl/chain.pem" relies on no signature by "*sha1*"',
)
class FileRelies(_OfOne):
    """One of all certificates in it was signed by this algorithm; what one below the first says of itself is none."""

    algorithm: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.checked(_certificate.SIGNATURE, self.algorithm)

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        holds, words = _certificate.relied_on(self.algorithm, seen.certificates)
        return Seen(holds=holds, saw=f"{self.subject} {words}")


@check(
    'the certificate file "{path}" has an RSA key shorter than {bits:number} bits',
    negation='the certificate file "{path}" has no RSA key shorter than {bits:number} bits',
    example='the certificate file "/etc/ssl/chain.pem" has no RSA key shorter than 2048 bits',
)
class FileShortKey(_OfOne):
    """One of all certificates in it has such a key; those of other kinds are as strong with fewer bits."""

    bits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.bits_of_rsa(self.bits)

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        holds, words = _certificate.short_rsa(self.bits, seen.certificates)
        return Seen(holds=holds, saw=f"{self.subject} {words}")


@check(
    'the certificate file "{path}"[ at position {position:number}] is for the purpose "{purpose}"',
    negation='the certificate file "{path}"[ at position {position:number}] is not for the purpose "{purpose}"',
    example='the certificate file "/etc/ssl/shop.pem" is for the purpose "serverAuth"',
)
def file_purpose(path: str, purpose: str, position: int = 1) -> FileClaim:
    """The extended key usage allows it; a certificate without that is for every purpose."""
    return FileClaim(path, position, _certificate.PURPOSE, purpose)


@check(
    'the certificate file "{path}"[ at position {position:number}] is self-signed',
    negation='the certificate file "{path}"[ at position {position:number}] is not self-signed',
    example='the certificate file "/etc/ssl/snakeoil.pem" is self-signed',
)
def file_self_signed(path: str, position: int = 1) -> FileClaim:
    """Its issuer is its subject, and its own key has signed it."""
    return FileClaim(path, position, _certificate.SELF_SIGNED)


@check(
    'the certificate file "{path}"[ at position {position:number}] is a CA',
    negation='the certificate file "{path}"[ at position {position:number}] is not a CA',
    example='the certificate file "/etc/ssl/shop.pem" is not a CA',
)
def file_authority(path: str, position: int = 1) -> FileClaim:
    """Its basic constraints say that it may sign others."""
    return FileClaim(path, position, _certificate.AUTHORITY)


@check(
    'the certificate file "{path}"[ at position {position:number}] has a key of the kind "{kind}"',
    negation='the certificate file "{path}"[ at position {position:number}] does not have a key of the kind "{kind}"',
    example='the certificate file "/etc/ssl/shop.pem" has a key of the kind "RSA"',
)
def file_kind(path: str, kind: str, position: int = 1) -> FileClaim:
    """The kind of its public key: RSA, EC, Ed25519 ..."""
    return FileClaim(path, position, _certificate.KIND, kind)


@check(
    'the certificate file "{path}"[ at position {position:number}] has a key on the curve "{curve}"',
    negation='the certificate file "{path}"[ at position {position:number}] does not have a key on the curve "{curve}"',
    example='the certificate file "/etc/ssl/shop.pem" has a key on the curve "P-256"',
)
def file_curve(path: str, curve: str, position: int = 1) -> FileClaim:
    """The elliptic curve of its public key, by any of its names; an RSA key is on none."""
    return FileClaim(path, position, _certificate.CURVE, curve)


@check(
    'the certificate file "{path}"[ at position {position:number}] has a key of {bound:count} bits',
    example='the certificate file "/etc/ssl/shop.pem" has a key of at least 2048 bits',
)
class CertificateBits(_OfOne):
    """The length of its public key; those of other kinds are as strong with fewer bits."""

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        saw = f"{self.subject} has a key of {one.bits} bits, of the kind {one.kind}"
        return Seen(holds=one.bits > 0, saw=saw, number=one.bits)

    def measure(self) -> Measure:
        return Measure(label=f"certificate {self.path} bits", minimum=0)


@check(
    'the certificate file "{path}"[ at position {position:number}] is verified by the CA file "{authorities}"',
    negation='the certificate file "{path}"[ at position {position:number}] '
    'is not verified by the CA file "{authorities}"',
    example='the certificate file "/etc/ssl/shop.pem" is verified by the CA file "/etc/ssl/shop-ca.pem"',
)
class CertificateVerified(_OfOne):
    """It leads to one of these by the others in its own file, and all are valid now, as `openssl verify` says."""

    authorities: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        absolute(self.authorities)

    @derived
    def trusted(self) -> Need[CertificateFile]:
        return Need("certificate-file", (absolute(self.authorities),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked, self.trusted)

    def look_at(self, one: Certificate, seen: CertificateFile, facts: FactValues) -> Seen:
        from infratest.facts._x509_chain import unverified

        trusted = read(facts[self.trusted], self.authorities)
        if not trusted.certificates:
            return Seen(holds=False, saw=f'the CA file "{self.authorities}" holds no certificate', absent=True)
        others = [each for each in seen.certificates if each != one]
        why = unverified(one, others, trusted.certificates, seen.now)
        words = f"verified by the CA file {in_quotes(self.authorities)}"
        if why:
            return Seen(holds=False, saw=f"{self.subject} is not {words}: {clean(why, SHOWN)}")
        return Seen(holds=True, saw=f"{self.subject} is {words}")
