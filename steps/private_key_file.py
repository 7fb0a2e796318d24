"""What can be said of private keys in files: kind, strength, whether encrypted, and to which certificate one belongs.

The first private key of a file is meant. Of a file that is not there, or holds none, neither a claim nor its negation
is met. Nothing but this is known of a key that is encrypted: all else of it is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps import _certificate
from infratest.steps._certificate import read

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._x509 import PrivateKey
    from infratest.facts.base import FactValues
    from infratest.facts.certificate_file import CertificateFile
    from infratest.facts.private_key_file import PrivateKeyFile


class _OfKey(Check):
    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[PrivateKeyFile]:
        return Need("private-key-file", (absolute(self.path),))

    @property
    def subject(self) -> str:
        return f'the private key file "{self.path}"'

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        if seen.problem:
            raise FactError(f"{self.path}: {seen.problem}")
        if not seen.keys:
            words = "holds no private key" if seen.there else "does not exist or is no regular file"
            return Seen(holds=False, saw=f"{self.subject} {words}", absent=True)
        return self.look(seen.keys[0], facts)

    def plain(self, key: PrivateKey) -> PrivateKey:
        """Return a key that is not encrypted. Raises FactError."""
        if key.encrypted:
            raise FactError(f"{self.path}: the key is encrypted; ask the certificate that belongs to it instead")
        return key

    @abstractmethod
    def look(self, key: PrivateKey, facts: FactValues) -> Seen:
        """Return what is seen of the key."""


@check(
    'the private key file "{path}" is encrypted',
    negation='the private key file "{path}" is not encrypted',
    example='the private key file "/etc/ssl/private/ca.key" is encrypted',
)
class KeyEncrypted(_OfKey):
    """A password is needed to use the key."""

    def look(self, key: PrivateKey, facts: FactValues) -> Seen:
        return Seen(key.encrypted, f"{self.subject} is {'' if key.encrypted else 'not '}encrypted")


class KeyClaim(_OfKey):
    """A claim of `_certificate` about keys."""

    claim: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.checked(self.claim, self.text)

    def look(self, key: PrivateKey, facts: FactValues) -> Seen:
        holds, words = _certificate.key_seen(self.claim, self.text, self.plain(key))
        return Seen(holds=holds, saw=f"{self.subject} {words}")


@check(
    'the private key file "{path}" has a key of the kind "{kind}"',
    negation='the private key file "{path}" does not have a key of the kind "{kind}"',
    example='the private key file "/etc/ssl/private/shop.key" has a key of the kind "EC"',
)
def key_kind(path: str, kind: str) -> KeyClaim:
    """The kind of the key: RSA, EC, Ed25519 ..."""
    return KeyClaim(path, _certificate.KIND, kind)


@check(
    'the private key file "{path}" has a key on the curve "{curve}"',
    negation='the private key file "{path}" does not have a key on the curve "{curve}"',
    example='the private key file "/etc/ssl/private/shop.key" has a key on the curve "prime256v1"',
)
def key_curve(path: str, curve: str) -> KeyClaim:
    """The elliptic curve of the key, by any of its names; an RSA key is on none."""
    return KeyClaim(path, _certificate.CURVE, curve)


@check(
    'the private key file "{path}" has a key of {bound:count} bits',
    example='the private key file "/etc/ssl/private/shop.key" has a key of at least 2048 bits',
)
class KeyBits(_OfKey):
    """The length of the key; those of other kinds than RSA are as strong with fewer bits."""

    def look(self, key: PrivateKey, facts: FactValues) -> Seen:
        one = self.plain(key)
        saw = f"{self.subject} has a key of {one.bits} bits, of the kind {one.kind}"
        return Seen(holds=one.bits > 0, saw=saw, number=one.bits)

    def measure(self) -> Measure:
        return Measure(label=f"private key {self.path} bits", minimum=0)


@check(
    'the private key file "{path}" belongs to the certificate file "{certificate}"',
    negation='the private key file "{path}" does not belong to the certificate file "{certificate}"',
    example='the private key file "/etc/ssl/private/shop.key" belongs to the certificate file "/etc/ssl/shop.pem"',
)
class KeyBelongs(_OfKey):
    """The key's public part is that of the first certificate in the file."""

    certificate: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        absolute(self.certificate)

    @derived
    def other(self) -> Need[CertificateFile]:
        return Need("certificate-file", (absolute(self.certificate),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked, self.other)

    def look(self, key: PrivateKey, facts: FactValues) -> Seen:
        seen = read(facts[self.other], self.certificate)
        if not seen.certificates:
            words = "holds no certificate" if seen.there else "does not exist or is no regular file"
            return Seen(holds=False, saw=f'the certificate file "{self.certificate}" {words}', absent=True)
        holds = self.plain(key).public == seen.certificates[0].public
        words = "belongs" if holds else "does not belong"
        return Seen(holds=holds, saw=f'{self.subject} {words} to the certificate file "{self.certificate}"')
