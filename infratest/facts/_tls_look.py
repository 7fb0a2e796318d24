"""What a machine sees of TLS at a port: certificates, whether they are verified, what is offered and what is refused.

The fact `tls` calls it for the controller, and sends its very text to hosts that have python3, so that both see alike.
There it runs by itself, on Python 3.6 and later: no syntax and no types that are newer. Certificates come by a real
handshake of the looker's OpenSSL. What a server offers is asked by a greeting of our own (RFC 8446, 4.1.2, and RFC
5246, 7.4.1.2), since no OpenSSL of today would speak all that old servers do: so nothing is called refused that was
only never tried. It prints `N outcome seconds JSON` for each question.
"""

import errno
import os
import socket
import ssl
import struct
import sys
from time import monotonic, time

from infratest.facts._starttls import STARTS, HangUp, Refusal, Timed, _exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: What comes of a question: an answer, nobody lets us in, no such name, no TLS there, the looker could not look.
ANSWER, CLOSED, NAMELESS, PLAIN, FAILED = "answer", "closed", "nameless", "plain", "failed"

VERSIONS = {"SSL 3.0": 0x300, "TLS 1.0": 0x301, "TLS 1.1": 0x302, "TLS 1.2": 0x303, "TLS 1.3": 0x304}

#: Alerts by which a server says that it does not take what we offer: RFC 8446, 6.2.
NOT_TAKEN = {40: "handshake_failure", 70: "protocol_version", 71: "insufficient_security", 47: "illegal_parameter"}

#: What may be a passing trouble of the server's, and counts when it comes a second time: OpenSSL 3 answers so where its
#: settings offer a version that its level of security has no signatures for.
TROUBLE = ("hung up", "alert 80")

#: Bytes of one message that are read.
RECORD = 2**14 + 2048

#: All suites before TLS 1.3 that IANA's registry has, whatever this machine's OpenSSL knows, by how keys are agreed on:
#: over elliptic curves, by RSA alone, and the others. In this order: servers may trip over an exchange that a client of
#: today would not begin with (Dovecot without DH parameters hangs up).
CURVED = [*range(0xC001, 0xC034), *range(0xCCA8, 0xCCA9 + 1), *range(0xC048, 0xC0B0), *range(0xCC13, 0xCC15)]
BY_RSA = [*range(0x01, 0x0B), 0x2F, 0x35, 0x3B, 0x3C, 0x3D, 0x41, 0x84, 0x96, 0x9C, 0x9D, 0xBA, 0xC0]
OTHERS = [each for each in range(0x0B, 0xC6) if each not in BY_RSA and each not in range(0x47, 0x60)]
OTHERS += [*range(0xC034, 0xC048), *range(0xCCAA, 0xCCAF), 0xCC15]
OLD = CURVED + BY_RSA + OTHERS
NEW = list(range(0x1301, 0x1306))


class Failure(Exception):
    """The looker could not look."""


class Place:
    """Where TLS is asked for. `end`: when all must be over."""

    def __init__(self, scheme: str, host: str, port: int, name: str, seconds: float) -> None:
        self.scheme, self.host, self.port, self.name = scheme, host, port, name
        self.end = monotonic() + seconds

    def connected(self) -> "socket.socket":
        """Return a connection at which TLS may begin. Raises OSError, Refusal."""
        one = self._let_in()
        try:
            if self.scheme in STARTS:
                STARTS[self.scheme](Timed(one, self.end))
            one.settimeout(max(0.05, self.end - monotonic()))
        except BaseException:
            one.close()
            raise
        return one

    def _let_in(self) -> "socket.socket":
        """Connect to the first of the host's places that lets us; each has its share of the time. Raises OSError."""
        places = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        failure = OSError(f"{self.host} has no address")
        for left, (family, kind, protocol, _, place) in zip(range(len(places), 0, -1), places):  # noqa: B905
            one = socket.socket(family, kind, protocol)
            try:
                one.settimeout(max(0.05, (self.end - monotonic()) / left))
                one.connect(place)
                return one
            except OSError as error:
                one.close()
                failure = error
        raise failure


# --- a greeting of our own ----------------------------------------------------------------------------------------


def _extension(number: int, data: bytes) -> bytes:
    return struct.pack("!HH", number, len(data)) + data


def _sized(data: bytes, form: str = "!H") -> bytes:
    return struct.pack(form, len(data)) + data


def _numbers(numbers: "list[int]") -> bytes:
    return b"".join(each.to_bytes(2, "big") for each in numbers)


def _numeric(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def hello(name: str, versions: "list[int]", suites: "list[int]") -> bytes:
    """Return a ClientHello in its record, for these versions and suites."""
    highest = max(versions)
    extensions = b""
    if not _numeric(name):
        extensions += _extension(0, _sized(b"\0" + _sized(name.encode())))
    groups = _numbers([29, 23, 24, 25, 30, 256, 257])
    extensions += _extension(10, _sized(groups)) + _extension(11, b"\x01\0") + _extension(0xFF01, b"\0")
    signatures = [0x403, 0x503, 0x603, 0x807, 0x808, 0x804, 0x805, 0x806, 0x809, 0x401, 0x501, 0x601, 0x203, 0x201]
    if highest >= 0x303:
        extensions += _extension(13, _sized(_numbers(signatures)))
    if highest >= 0x304:
        listed = _numbers(sorted(versions, reverse=True))
        share = struct.pack("!H", 29) + _sized(os.urandom(31) + b"\x10")
        extensions += _extension(43, _sized(listed, "!B")) + _extension(51, _sized(share)) + _extension(45, b"\x01\x01")
    body = struct.pack("!H", min(highest, 0x303)) + os.urandom(32) + _sized(os.urandom(32), "!B")
    body += _sized(_numbers(suites)) + b"\x01\0"
    body += b"" if highest == 0x300 else _sized(extensions)
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16" + struct.pack("!H", min(highest, 0x301)) + _sized(message)


def greeted(place: Place, versions: "list[int]", suites: "list[int]") -> "tuple[int, int, str]":
    """Send a greeting and return the version and the suite that the server takes; 0, 0 and why where it takes none.

    Raises:
        OSError: nobody lets us in, or the server is silent. Refusal: what answers is not TLS. Failure: not understood.
    """
    one = place.connected()
    try:
        timed = Timed(one, place.end)
        timed.sendall(hello(place.name, versions, suites))
        try:
            head = _exactly(timed, 5)
            size = int.from_bytes(head[3:5], "big")
            if head[0] not in (21, 22) or head[1] != 3 or not 0 < size <= RECORD:
                raise Refusal("what it answers is not TLS: {!r}".format(head.decode("latin-1")))
            body = _exactly(timed, size)
        except ConnectionError:
            return 0, 0, "hung up"
    except HangUp:
        return 0, 0, "hung up"
    finally:
        one.close()
    if head[0] == 21:
        if len(body) != 2:
            raise Failure(f"an alert of {len(body)} bytes is not understood")
        if body[1] not in NOT_TAKEN:
            return 0, 0, f"alert {body[1]}"
        return 0, 0, NOT_TAKEN[body[1]]
    return _server_hello(body)


def _server_hello(body: bytes) -> "tuple[int, int, str]":
    if body[:1] != b"\x02" or len(body) < 42:
        raise Failure(f"the answer is no ServerHello: {body[:8].hex()}")
    version, at = int.from_bytes(body[4:6], "big"), 39 + body[38]
    suite = int.from_bytes(body[at : at + 2], "big")
    at += 5
    while at + 4 <= len(body):
        number, size = struct.unpack("!HH", body[at : at + 4])
        if number == 43 and size == 2:
            version = int.from_bytes(body[at + 4 : at + 6], "big")
        at += 4 + size
    return version, suite, ""


def offered(place: Place, versions: "list[int]", suites: "list[int]", exact: bool) -> "dict[str, Any]":
    """Return whether a server takes one of these; that it does not counts where it takes something else.

    Args:
        exact: it must answer with one of these versions, and not with another.
    """
    why, unclear = "", ""
    # What is no plain answer to a version may be one to the server's choice of a suite: each way to agree on a key is
    # tried by itself. What may be a passing trouble is tried once more.
    for some in [suites, CURVED, BY_RSA, OTHERS] if suites is OLD else [suites, suites]:
        version, suite, why = greeted(place, versions, some)
        if suite in suites and (version in versions or not exact):
            return {"offered": True, "why": ""}
        if why.startswith("alert") and why not in TROUBLE:
            unclear = why
        if why not in TROUBLE and (suites is not OLD or why == NOT_TAKEN[70]):
            break
    if not why and not unclear:
        return {"offered": False, "why": "it answers with another version"}
    _, other, refused = greeted(place, [0x304, 0x303, 0x302, 0x301], NEW + OLD)
    if not other:
        _, other, refused = greeted(place, [0x301], OLD)
    if not other:
        raise Refusal("it does not speak TLS with us at all: " + refused)
    if unclear:
        raise Failure(f"the server answers with the {unclear}, which does not say whether it is offered")
    return {"offered": False, "why": why}


# --- handshakes of the looker's OpenSSL ---------------------------------------------------------------------------


def _open(context: "ssl.SSLContext") -> None:
    """Let a context speak whatever its OpenSSL can, with keys as weak as there are."""
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    try:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    except AttributeError:
        pass  # Python 3.6 has no choice of it


def _shaken(place: Place, context: "ssl.SSLContext") -> "ssl.SSLSocket":
    """Return a connection after its handshake. Raises OSError, Refusal, ssl.SSLError."""
    one = place.connected()
    try:
        return context.wrap_socket(one, server_hostname=place.name)
    except BaseException:
        one.close()
        raise


def _unverified(protocols: "list[str]") -> "ssl.SSLContext":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _open(context)
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def _chain(tls: "Any") -> "tuple[list[bytes], bool]":
    """Return the certificates that a server sent, and whether all of them: before Python 3.10 it is its own alone."""
    own = tls.getpeercert(True)
    if own is None:
        return [], True
    if hasattr(tls, "get_unverified_chain"):
        return list(tls.get_unverified_chain()), True
    inner = getattr(tls, "_sslobj", None)
    if inner is not None and hasattr(inner, "get_unverified_chain"):
        return [one.public_bytes(2) for one in inner.get_unverified_chain()], True
    return [own], False


def certificates(place: Place, authorities: str) -> "dict[str, Any]":
    """Return what a server sends, and why the looker does not trust it; nothing where it does."""
    from base64 import b64encode

    tls = _handshake(place, _unverified([]))
    try:
        chain, whole = _chain(tls)
        version, cipher = tls.version() or "", (tls.cipher() or ("",))[0]
    finally:
        tls.close()
    if not chain:
        raise Refusal("it speaks TLS without a certificate")
    seen = {"chain": [b64encode(one).decode() for one in chain], "whole": whole, "version": version}
    return dict(seen, cipher=cipher, untrusted=_untrusted(place, authorities), now=int(time()))


def _handshake(place: Place, context: "ssl.SSLContext") -> "ssl.SSLSocket":
    """Shake hands without asking for trust; where that fails, say whether it is for TLS or for us."""
    try:
        return _shaken(place, context)
    except ssl.SSLError as error:
        why = error.reason or str(error)
    except (ConnectionError, OSError) as error:
        if isinstance(error, (socket.timeout, ConnectionRefusedError, socket.gaierror)) or error.errno in BARRED:
            raise
        why = str(error)
    _, suite, refused = greeted(place, [0x304, 0x303, 0x302, 0x301], NEW + OLD)
    if suite:
        raise Failure(f"the server speaks TLS, but not with this machine's {ssl.OPENSSL_VERSION}: {why}")
    raise Refusal("it does not speak TLS with us: " + refused)


def _untrusted(place: Place, authorities: str) -> str:
    """Return why the looker does not trust a server, in OpenSSL's words; nothing where it does. Raises Failure."""
    for lowest in (False, True):
        context = _trusting(authorities)
        if lowest:
            _open(context)
        try:
            _shaken(place, context).close()
            return ""
        except ssl.SSLError as error:
            words = getattr(error, "verify_message", "") or str(error)
            if isinstance(error, ssl.CertificateError) or error.reason == "CERTIFICATE_VERIFY_FAILED":
                return words
    raise Failure("the handshake fails where certificates are verified: " + words)


def _trusting(authorities: str) -> "ssl.SSLContext":
    try:
        context = ssl.create_default_context(cafile=authorities or None)
    except (OSError, ValueError) as error:
        raise Failure("the CA file {}: {}".format(authorities, getattr(error, "strerror", "") or error)) from None
    # Python 3.13 asks for more than OpenSSL does by itself: one meaning everywhere.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0) & ~getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0)
    paths = ssl.get_default_verify_paths()
    if not authorities and not context.cert_store_stats()["x509"] and not (paths.capath and os.listdir(paths.capath)):
        raise Failure("this machine trusts no CA at all: install its ca-certificates, or write `by the CA file`")
    return context


def protocol(place: Place, asked: str) -> "dict[str, Any]":
    """Return whether a server takes a protocol of what is spoken within TLS: ALPN, RFC 7301."""
    try:
        tls = _shaken(place, _unverified([asked]))
    except ssl.SSLError as error:
        if "no application protocol" not in str(error).lower().replace("_", " "):
            _handshake(place, _unverified([])).close()
            raise Failure(f"the handshake with {asked} fails: {error.reason or error}") from None
        return {"offered": False, "why": "no_application_protocol"}
    with tls:
        taken = tls.selected_alpn_protocol()
    return {"offered": taken == asked, "why": "" if taken == asked else "it takes none of ALPN"}


# --- questions ----------------------------------------------------------------------------------------------------

BARRED = (errno.EHOSTUNREACH, errno.EACCES, errno.EPERM, errno.ENETUNREACH)


#: Questions by their word: a file that goes on where this one ends may add its own.
MORE = {"certificate": certificates}


def ask(place: Place, authorities: str, question: str) -> "tuple[str, dict[str, Any]]":
    """Return what comes of a question: `certificate`, `protocol TLS 1.2`, `suite 49199`, `alpn h2`."""
    kind, _, value = question.partition(" ")
    try:
        if kind in MORE:
            return ANSWER, MORE[kind](place, authorities)
        if kind == "alpn":
            return ANSWER, protocol(place, value)
        if kind == "protocol":
            version = VERSIONS[value]
            return ANSWER, offered(place, [version], NEW if version == 0x304 else OLD, True)
        suite = int(value)
        versions = [0x304] if suite in NEW else [0x303]
        return ANSWER, offered(place, versions, [suite], False)
    except Refusal as refusal:
        return PLAIN, {"why": str(refusal)}
    except Failure as failure:
        return FAILED, {"why": str(failure)}
    except OSError as error:
        return _unreached(error)


def _unreached(error: OSError) -> "tuple[str, dict[str, Any]]":
    words = (error.strerror or str(error)).lower()
    if isinstance(error, socket.gaierror):
        nameless = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        return (NAMELESS if nameless else FAILED), {"why": words}
    if isinstance(error, socket.timeout) or error.errno == errno.ETIMEDOUT:
        return CLOSED, {"why": "no answer in time"}
    if isinstance(error, ConnectionError) or error.errno in BARRED[:3]:
        return CLOSED, {"why": words}
    return FAILED, {"why": words}


def main(words: "list[str]") -> None:
    """Answer all questions at once: the seconds that each has, then four words each."""
    from json import dumps
    from threading import Lock, Thread

    lock = Lock()

    def answer(number: int, scheme_host_port: str, name: str, authorities: str, question: str) -> None:
        scheme, host, port = scheme_host_port.split(" ")
        began = monotonic()
        outcome, seen = ask(Place(scheme, host, int(port), name, float(words[0])), authorities, question)
        row = f"{number} {outcome} {monotonic() - began:.4f} {dumps(seen)}\n"
        with lock:
            sys.stdout.write(row)
            sys.stdout.flush()

    sys.stdout.write("python3\n")
    asked = [words[at : at + 4] for at in range(1, len(words), 4)]
    threads = [Thread(target=answer, args=[number, *each]) for number, each in enumerate(asked, 1)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


if __name__ == "__main__":
    main(sys.argv[1:])
