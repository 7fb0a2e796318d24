"""What can be said of TLS at a port: the certificate, its chain, and which protocols and ciphers are offered.

From the controller unless a sentence says from where. A place is a host and a port that begins with TLS, or
`smtp://mail.example:25` and the like, where TLS begins within another protocol. Where nobody lets us in or who answers
does not speak TLS, neither a claim nor its negation is met: what is not there refuses no old protocol. "Now", the
authorities that are trusted and a CA file are those of who looks.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps import _certificate
from infratest.steps._certificate import SHOWN

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.tls import Tls


class _OfPort(Check):
    viewpoint = CONTROLLER
    from_others = True
    #: How its subject is called.
    title: ClassVar[str] = "the certificate of"

    place: str
    name: str = ""
    authorities: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._tls_place import endpoint
        from infratest.facts.name import name_of

        endpoint(self.place)
        if self.name:
            name_of(self.name)
        if self.authorities:
            absolute(self.authorities)

    @property
    def question(self) -> str:
        """What the fact is asked."""
        return "certificate"

    @derived
    def asked(self) -> Need[Tls]:
        from infratest.facts._tls_place import endpoint
        from infratest.facts.name import name_of

        name = name_of(self.name) if self.name else ""
        return Need("tls", (endpoint(self.place).text, name, self.authorities, self.question))

    @property
    def subject(self) -> str:
        return f'{self.title} "{self.place}"{f" for the name {chr(34)}{self.name}{chr(34)}" if self.name else ""}'

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.asked]
        if seen.refused:
            return Seen(holds=False, saw=f'"{self.place}" has no TLS: {clean(seen.refused, SHOWN)}', absent=True)
        return self.look(seen)

    @abstractmethod
    def look(self, seen: Tls) -> Seen:
        """Return what is seen where TLS is spoken."""

    def left(self, seen: Tls) -> tuple[int, str]:
        """Return the seconds until the certificate expires, and words for it."""
        from infratest.facts._x509 import date

        left = seen.chain[0].not_after - seen.now
        words = f"expires in {human(left, 's')}" if left >= 0 else f"expired {human(-left, 's')} ago"
        return left, f"{words}, on {date(seen.chain[0].not_after)}"


@check(
    'the certificate of "{place}"[ for the name "{name}"][ by the CA file "{authorities}"] is valid',
    negation='the certificate of "{place}"[ for the name "{name}"][ by the CA file "{authorities}"] is not valid',
    example='the certificate of "shop.example:443" is valid',
)
class PortValid(_OfPort):
    """A client that verifies is content: trusted authority, complete chain, the name, and now within the time."""

    def look(self, seen: Tls) -> Seen:
        left, words = self.left(seen)
        if seen.untrusted:
            saw = f"{self.subject} is not valid: {clean(seen.untrusted, SHOWN)}; it {words}"
            return Seen(holds=False, saw=saw, number=left)
        return Seen(holds=True, saw=f"{self.subject} is valid; it {words}", number=left)

    def observe(self, facts: FactValues) -> Seen:
        return super().observe(facts).changed(number=None)


@check(
    'the certificate of "{place}"[ for the name "{name}"][ by the CA file "{authorities}"] is valid for {bound:time}',
    example='the certificate of "shop.example:443" is valid for at least 14 days, warning 30 days',
)
class PortValidFor(PortValid):
    """It is valid as a client has it, and the time until it expires is such."""

    def observe(self, facts: FactValues) -> Seen:
        return _OfPort.observe(self, facts)

    def measure(self) -> Measure:
        return Measure(label=f"certificate {self.place} left", unit="s")


@check(
    'the certificate of "{place}"[ for the name "{name}"] expires in {bound:time}',
    example='the certificate of "shop.example:443" expires in at least 14 days',
)
class PortExpires(_OfPort):
    """The time until the certificate expires, whoever signed it, less than none where it has."""

    def look(self, seen: Tls) -> Seen:
        left, words = self.left(seen)
        return Seen(holds=True, saw=f"{self.subject} {words}", number=left)

    def measure(self) -> Measure:
        return Measure(label=f"certificate {self.place} expires", unit="s")


class PortClaim(_OfPort):
    """A claim of `_certificate`."""

    claim: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.checked(self.claim, self.text)

    def look(self, seen: Tls) -> Seen:
        holds, words = _certificate.seen(self.claim, self.text, seen.chain[0])
        return Seen(holds=holds, saw=f"{self.subject} {words}")


@check(
    'the certificate of "{place}"[ for the name "{name}"] is for the name "{other}"',
    negation='the certificate of "{place}"[ for the name "{name}"] is not for the name "{other}"',
    example='the certificate of "shop.example:443" is for the name "www.shop.example"',
)
def port_name(place: str, other: str, name: str = "") -> PortClaim:
    """A client that asks for this host or address is content with the alternative names, whoever signed it."""
    return PortClaim(place, name, claim=_certificate.NAME, text=other)


@check(
    'the certificate of "{place}"[ for the name "{name}"] has the subject "{subject}"',
    negation='the certificate of "{place}"[ for the name "{name}"] does not have the subject "{subject}"',
    example='the certificate of "shop.example:443" has the subject "CN=shop.example"',
)
def port_subject(place: str, subject: str, name: str = "") -> PortClaim:
    """These are among the attributes of the subject's name, as RFC 4514 writes them."""
    return PortClaim(place, name, claim=_certificate.SUBJECT, text=subject)


@check(
    'the certificate of "{place}"[ for the name "{name}"] has the issuer "{issuer}"',
    negation='the certificate of "{place}"[ for the name "{name}"] does not have the issuer "{issuer}"',
    example='the certificate of "shop.example:443" has the issuer "O=Let\'s Encrypt"',
)
def port_issuer(place: str, issuer: str, name: str = "") -> PortClaim:
    """These are among the attributes of the issuer's name; whether it is trusted is for `is valid`."""
    return PortClaim(place, name, claim=_certificate.ISSUER, text=issuer)


@check(
    'the certificate of "{place}"[ for the name "{name}"] has the fingerprint "{fingerprint}"',
    negation='the certificate of "{place}"[ for the name "{name}"] does not have the fingerprint "{fingerprint}"',
    example='the certificate of "shop.example:443" has the fingerprint "da39a3ee5e6b4b0d3255bfef95601890afd80709"',
)
def port_fingerprint(place: str, fingerprint: str, name: str = "") -> PortClaim:
    """The fingerprint of the certificate by SHA-256 or SHA-1, whichever has as many digits."""
    return PortClaim(place, name, claim=_certificate.FINGERPRINT, text=fingerprint)


@check(
    'the certificate of "{place}"[ for the name "{name}"] has the signature algorithm "{algorithm}"',
    negation='the certificate of "{place}"[ for the name "{name}"] does not have the signature algorithm "{algorithm}"',
    example='the certificate of "shop.example:443" has the signature algorithm "ecdsa-with-SHA256"',
)
def port_signature(place: str, algorithm: str, name: str = "") -> PortClaim:
    """The algorithm by which it was signed, as openssl names it, or a pattern that the name fits: `*sha1*`."""
    return PortClaim(place, name, claim=_certificate.SIGNATURE, text=algorithm)


@check(
    'the certificate of "{place}"[ for the name "{name}"] has a key of the kind "{kind}"',
    negation='the certificate of "{place}"[ for the name "{name}"] does not have a key of the kind "{kind}"',
    example='the certificate of "shop.example:443" has a key of the kind "EC"',
)
def port_kind(place: str, kind: str, name: str = "") -> PortClaim:
    """The kind of its public key: RSA, EC, Ed25519 ..."""
    return PortClaim(place, name, claim=_certificate.KIND, text=kind)


@check(
    'the certificate of "{place}"[ for the name "{name}"] is self-signed',
    negation='the certificate of "{place}"[ for the name "{name}"] is not self-signed',
    example='the certificate of "shop.example:443" is not self-signed',
)
def port_self_signed(place: str, name: str = "") -> PortClaim:
    """Its issuer is its subject, and its own key has signed it."""
    return PortClaim(place, name, claim=_certificate.SELF_SIGNED)


@check(
    'the certificate of "{place}"[ for the name "{name}"] has a key of {bound:count} bits',
    example='the certificate of "shop.example:443" has a key of at least 2048 bits',
)
class PortBits(_OfPort):
    """The length of its public key; those of other kinds than RSA are as strong with fewer bits."""

    def look(self, seen: Tls) -> Seen:
        one = seen.chain[0]
        saw = f"{self.subject} has a key of {one.bits} bits, of the kind {one.kind}"
        return Seen(holds=one.bits > 0, saw=saw, number=one.bits)

    def measure(self) -> Measure:
        return Measure(label=f"certificate {self.place} bits", minimum=0)


class _OfChain(_OfPort):
    title = "the chain of"

    def look(self, seen: Tls) -> Seen:
        if not seen.whole:
            raise FactError(f"{self.subject} is not told before Python 3.10: look from elsewhere")
        return self.look_at(seen)

    @abstractmethod
    def look_at(self, seen: Tls) -> Seen:
        """Return what is seen in a chain that is known."""


@check(
    'the chain of "{place}"[ for the name "{name}"] is in order',
    negation='the chain of "{place}"[ for the name "{name}"] is not in order',
    example='the chain of "shop.example:443" is in order',
)
class ChainInOrder(_OfChain):
    """Each certificate that the server sends is signed by the next; whether it is complete is for `is valid`."""

    def look_at(self, seen: Tls) -> Seen:
        from infratest.facts._x509_chain import signed_by

        for place, (one, other) in enumerate(zip(seen.chain, seen.chain[1:], strict=False), 1):
            if not signed_by(one, other):
                saw = f"{self.subject} is not in order: certificate {place} is not signed by the next"
                return Seen(holds=False, saw=f"{saw}, {clean(other.subject, SHOWN)}")
        return Seen(holds=True, saw=f"{self.subject} is in order, from the first to the {len(seen.chain)}.")


@check(
    'the chain of "{place}"[ for the name "{name}"] has {bound:count} certificates',
    example='the chain of "shop.example:443" has at least 2 certificates',
)
class ChainLength(_OfChain):
    """How many certificates the server sends, its own included."""

    def look_at(self, seen: Tls) -> Seen:
        subjects = "; ".join([clean(one.subject, SHOWN) for one in seen.chain[:10]])
        return Seen(holds=True, saw=f"{self.subject} has {len(seen.chain)}: {subjects}", number=len(seen.chain))

    def measure(self) -> Measure:
        return Measure(label=f"certificates {self.place}", minimum=0)


@check(
    'the chain of "{place}"[ for the name "{name}"] relies on a signature by "{algorithm}"',
    negation='the chain of "{place}"[ for the name "{name}"] relies on no signature by "{algorithm}"',
    example='the chain of "shop.example:443" relies on no signature by "*sha1*"',
)
class ChainRelies(_OfChain):
    """One certificate that it sends was signed by this algorithm; what one below the first says of itself is none."""

    algorithm: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.checked(_certificate.SIGNATURE, self.algorithm)

    def look_at(self, seen: Tls) -> Seen:
        holds, words = _certificate.relied_on(self.algorithm, seen.chain)
        return Seen(holds=holds, saw=f"{self.subject} {words}")


@check(
    'the chain of "{place}"[ for the name "{name}"] has an RSA key shorter than {bits:number} bits',
    negation='the chain of "{place}"[ for the name "{name}"] has no RSA key shorter than {bits:number} bits',
    example='the chain of "shop.example:443" has no RSA key shorter than 2048 bits',
)
class ChainShortKey(_OfChain):
    """One of the certificates it sends has such a key; those of other kinds are as strong with fewer bits."""

    bits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _certificate.bits_of_rsa(self.bits)

    def look_at(self, seen: Tls) -> Seen:
        holds, words = _certificate.short_rsa(self.bits, seen.chain)
        return Seen(holds=holds, saw=f"{self.subject} {words}")


class Offer(_OfPort):
    """Whether something is offered."""

    title = "the TLS of"

    what: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.question  # noqa: B018 - what there is not is refused before anything is asked

    @derived
    def question(self) -> str:
        if self.what == "cipher":
            from infratest.facts._tls_suites import suite

            return f"suite {suite(self.text)}"
        if self.what == "application protocol":
            if not self.text.isascii() or not 0 < len(self.text) < 256 or not self.text.isprintable():
                raise UserError(f'the application protocol "{self.text}": expected one of ALPN, as h2 or http/1.1')
            return f"alpn {self.text}"
        from infratest.facts.tls import VERSIONS

        if self.text not in VERSIONS:
            raise UserError(f'the protocol "{self.text}": expected one of {", ".join(VERSIONS)}')
        return f"protocol {self.text}"

    def look(self, seen: Tls) -> Seen:
        words = f"the {self.what} {self.text}"
        if seen.offered:
            return Seen(holds=True, saw=f"{self.subject} offers {words}")
        return Seen(holds=False, saw=f"{self.subject} does not offer {words}: {clean(seen.words, SHOWN)}")


@check(
    'the TLS of "{place}"[ for the name "{name}"] offers the protocol "{protocol}"',
    negation='the TLS of "{place}"[ for the name "{name}"] does not offer the protocol "{protocol}"',
    example='the TLS of "shop.example:443" does not offer the protocol "TLS 1.1"',
)
def offers_protocol(place: str, protocol: str, name: str = "") -> Offer:
    """A client that speaks this version alone (SSL 3.0, TLS 1.0 to 1.3), with any cipher, is answered by it."""
    return Offer(place, name, what="protocol", text=protocol)


@check(
    'the TLS of "{place}"[ for the name "{name}"] offers the cipher "{cipher}"',
    negation='the TLS of "{place}"[ for the name "{name}"] does not offer the cipher "{cipher}"',
    example='the TLS of "shop.example:443" does not offer the cipher "DES-CBC3-SHA"',
)
def offers_cipher(place: str, cipher: str, name: str = "") -> Offer:
    """A client with this cipher suite alone, by OpenSSL's or IANA's name, is answered with it."""
    return Offer(place, name, what="cipher", text=cipher)


@check(
    'the TLS of "{place}"[ for the name "{name}"] offers the application protocol "{protocol}"',
    negation='the TLS of "{place}"[ for the name "{name}"] does not offer the application protocol "{protocol}"',
    example='the TLS of "shop.example:443" offers the application protocol "h2"',
)
def offers_application(place: str, protocol: str, name: str = "") -> Offer:
    """The server takes this protocol when a client offers it by ALPN."""
    return Offer(place, name, what="application protocol", text=protocol)
