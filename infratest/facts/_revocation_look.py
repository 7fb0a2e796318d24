"""What a machine is told of whether the certificate at a port was revoked: answers of OCSP responders, and CRLs.

It goes on where `_tls_look` ends, on the controller and in the text that hosts with python3 are sent: so nothing is
verified here, only fetched. What is read of certificates for that is DER (X.690) by RFC 5280, the question to a
responder RFC 6960, 4.1; both are sent over HTTP (its appendix A).
"""

import hashlib
from time import monotonic, time

from infratest.facts._starttls import Refusal
from infratest.facts._tls_look import MORE, Failure, Place, _chain, _handshake, _trusting, _unverified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: Bytes of an answer that are read, and URLs of each kind that are asked.
MOST, URLS = 16 << 20, 4

#: Extensions and methods of access: RFC 5280, 4.2.2.1 and 4.2.1.13.
ACCESS, POINTS = bytes.fromhex("2b06010505070101"), bytes.fromhex("551d1f")
OCSP, ISSUERS = bytes.fromhex("2b06010505073001"), bytes.fromhex("2b06010505073002")
SHA1 = bytes.fromhex("300906052b0e03021a0500")


def parts(data: bytes) -> "Iterator[tuple[int, bytes, bytes]]":
    """Return tag, content and whole of each element in the content of another. Raises Failure."""
    at = 0
    while at < len(data):
        size, begin = data[at + 1] if at + 1 < len(data) else 0x80, at + 2
        if size & 0x80:
            count = size & 0x7F
            size, begin = int.from_bytes(data[begin : begin + count], "big"), begin + count
            if not 0 < count < 5:
                raise Failure("a certificate is not understood: it is no DER")
        if begin + size > len(data):
            raise Failure("a certificate is not understood: it is cut")
        yield data[at], data[begin : begin + size], data[at : begin + size]
        at = begin + size


def element(tag: int, *content: bytes) -> bytes:
    """Return an element of DER."""
    data = b"".join(content)
    size = len(data)
    long = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(long)]) + long) + data


class Read:
    """What is read of a certificate: whole names, the content of its serial number and of its key, its extensions."""

    def __init__(self, der: bytes) -> None:
        self.der = der
        try:
            (_, body, _), *_ = parts(next(parts(der))[1])
            rows = [one for one in parts(body) if one[0] != 0xA0]
            self.serial, self.issuer, self.subject = rows[0][1], rows[2][2], rows[4][2]
            self.key = list(parts(rows[5][1]))[1][1][1:]
            self.extensions = {}
            for tag, content, _ in rows[6:]:
                for _, one, _ in parts(next(parts(content))[1] if tag == 0xA3 else b""):
                    fields = list(parts(one))
                    self.extensions[fields[0][1]] = fields[-1][1]
        except (IndexError, StopIteration):
            raise Failure("a certificate is not understood: a part of it is missing") from None

    def access(self, method: bytes) -> "list[str]":
        """Return the URLs at which something is had of its issuer."""
        listed = [list(parts(one)) for _, one, _ in _listed(self.extensions.get(ACCESS))]
        return [_url(one[1][1]) for one in listed if len(one) == 2 and one[0][1] == method and one[1][0] == 0x86]

    def points(self) -> "list[str]":
        """Return the URLs of its CRLs: of those that are its issuer's own, and for all reasons."""
        urls = []
        for _, point, _ in _listed(self.extensions.get(POINTS)):
            fields = list(parts(point))
            if [tag for tag, _, _ in fields] != [0xA0]:
                continue
            for tag, names, _ in parts(fields[0][1]):
                urls += [_url(name) for kind, name, _ in parts(names) if tag == 0xA0 and kind == 0x86]
        return urls


def _listed(extension: "bytes | None") -> "list[tuple[int, bytes, bytes]]":
    return list(parts(next(parts(extension))[1])) if extension else []


def _url(text: bytes) -> str:
    return text.decode("ascii", "replace")


def question(one: Read, issuer: Read) -> bytes:
    """Return what a responder is asked about a certificate."""
    name, key = hashlib.sha1(issuer.subject).digest(), hashlib.sha1(issuer.key).digest()  # noqa: S324
    about = element(0x30, SHA1, element(4, name), element(4, key), element(2, one.serial))
    return element(0x30, element(0x30, element(0x30, element(0x30, about))))


def fetched(asked: "list[tuple[str, bytes]]", end: float) -> "list[tuple[str, bytes]]":
    """Return of each URL why it gives nothing, and what it gives. All are asked at once: none waits for one that hangs.

    Args:
        asked: URLs, each with what a responder is asked. end: when nothing is waited for any more.
    """
    from threading import Thread

    answers = [("no whole answer in time", b"")] * len(asked)

    def fetch(place: int, url: str, body: bytes) -> None:
        answers[place] = _fetched(url, body, end)

    # Nobody waits for one that says a byte at a time: each read has a time of its own, and so has the name's look-up.
    threads = [Thread(target=fetch, args=(place, *one), daemon=True) for place, one in enumerate(asked)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(max(0.0, end - monotonic()))
    return list(answers)


def _fetched(url: str, body: bytes, end: float) -> "tuple[str, bytes]":
    """Return why a URL gives nothing, and what it gives; what begins with `it` is said of who was reached."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    if not url.lower().startswith(("http://", "https://")):
        return "it is no URL of HTTP", b""
    headers = {"Content-Type": "application/ocsp-request"} if body else {}
    data = b""
    try:
        request = Request(url, body or None, headers)  # noqa: S310
        with urlopen(request, timeout=max(0.05, end - monotonic())) as answer:  # noqa: S310
            while len(data) <= MOST:
                more = answer.read1(1 << 16)
                if not more:
                    return "", data
                data += more
                if monotonic() > end:
                    return "no whole answer in time", b""
    except HTTPError as error:
        return f"it answers with the status {error.code} {error.reason}"[:200], b""
    except (OSError, HTTPException, ValueError) as error:
        return str(getattr(error, "reason", "") or error)[:200] or type(error).__name__, b""
    return f"it answers with more than {MOST} bytes", b""


def _issuer(one: Read, sent: "list[bytes]", authorities: str, end: float) -> "Read | None":
    """Return who signed, by name: of what the server sends, of who is trusted, or from where the certificate says."""
    for der in sent:
        if Read(der).subject == one.issuer:
            return Read(der)
    for der in _trusting(authorities).get_ca_certs(True) if authorities else []:
        if Read(der).subject == one.issuer:
            return Read(der)
    half = monotonic() + max(0.0, end - monotonic()) / 2  # the rest is for what is asked then
    for _, data in fetched([(url, b"") for url in one.access(ISSUERS)[:URLS]], half):
        if data[:1] == b"\x30" and Read(data).subject == one.issuer:
            return Read(data)
    return None


def revocation(place: Place, authorities: str) -> "dict[str, Any]":
    """Return the certificate that a server sends, who signed it, and what is had of both where it says."""
    from base64 import b64encode

    tls = _handshake(place, _unverified([]))
    try:
        chain, _ = _chain(tls)
    finally:
        tls.close()
    if not chain:
        raise Refusal("it speaks TLS without a certificate")
    one = Read(chain[0])
    issuer = _issuer(one, chain[1:], authorities, place.end)
    if issuer is None:
        raise Failure("who signed the certificate is not known: the server does not send it; write `by the CA file`")
    responders, lists = one.access(OCSP)[:URLS], one.points()[:URLS]
    asked = [*((url, question(one, issuer)) for url in responders), *((url, b"") for url in lists)]
    kinds = ["OCSP"] * len(responders) + ["CRL"] * len(lists)
    answers = [
        {"kind": kind, "url": url, "problem": problem, "data": b64encode(data).decode()}
        for kind, (url, _), (problem, data) in zip(kinds, asked, fetched(asked, place.end))  # noqa: B905
    ]
    encoded = [b64encode(each.der).decode() for each in (one, issuer)]
    return {"certificate": encoded[0], "issuer": encoded[1], "answers": answers, "now": int(time())}


MORE["revocation"] = revocation
