"""How curl is asked on a host, and what its answers come to. Called by the fact `http`.

What is asked goes to curl as a configuration file on its standard input, so that no secret is in the list of processes.
"""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError
from infratest.facts._shell import number
from infratest.facts.http.answer import BROKEN, CLOSED, HEAD, Incoming
from infratest.facts.http.look import only
from infratest.facts.http.reply import Reply
from infratest.facts.http.request import Request, authority_of
from infratest.facts.http.trust import distrust_of
from infratest.web_address import resolved, web_address

#: Redirects that are followed at most.
MOST = 10

#: What -w writes behind the answer: an end, the status, and times from the beginning, until each was done.
WRITTEN = (
    "=%{http_code} %{time_total} %{time_starttransfer} %{time_namelookup} %{time_connect} %{time_appconnect}"
    " %{num_redirects}="
)

#: curl's exit statuses (curl(1), EXIT CODES) that tell of the server, not of us: no HTTP, name not known, refused, an
#: answer that is none, broken off, timed out, bad TLS handshake or certificate, too many redirects, empty, broken in
#: sending or receiving, HTTP/2 and 3. 43 is what some versions say of a header that they cannot read.
REFUSALS = frozenset({1, 6, 7, 8, 16, 18, 28, 35, 43, 47, 51, 52, 55, 56, 60, 90, 91, 92, 95, 96})
NAME_UNKNOWN, REFUSED, LATE, REDIRECTS = 6, 7, 28, 47
#: How the head of an answer begins by HTTP/2, as curl writes it, and by HTTP/1.
SECOND, FIRST = b"HTTP/2 ", b"HTTP/1.1 "
#: A handshake that fails for another reason than the certificate.
UNSPOKEN = 35
#: A certificate that is not trusted.
UNTRUSTED = (51, 60)
#: The connection ended as the server wanted: the answer is complete, shorter than it says, or none at all.
ENDED = frozenset({0, 18, 52})
#: What came is believed; whether it is an answer, its reader says.
CAME = frozenset({0, 18, 23, 52, 55, 56})


def configuration(request: Request) -> str:
    """Return the configuration file that has curl send a request: curl(1), --config."""
    address = web_address(request.url)
    rows = [("url", address.text), *_sent(request)]
    # Files of a client are the host's own; a key with a passphrase is not waited for.
    files = (("cert", request.certificate), ("key", request.key), ("cacert", request.authority))
    rows += [(name, path) for name, path in files if path]
    rows += [("pass", "")] if request.certificate else []
    if request.place:
        host, port = request.connected
        reached = f"[{host}]" if ":" in host else host
        rows.append(("connect-to", f"{authority_of(address)}:{reached}:{port}"))
    rows.append(("proxy", request.proxy) if request.proxy else ("noproxy", "*"))
    rows += [("noproxy", "")] if request.proxy else []
    rows += [("max-redirs", str(MOST))] if request.follow else []
    flags = [("insecure", request.careless), ("location", request.follow), ("head", request.verb == "HEAD")]
    flags += [("suppress-connect-headers", bool(request.proxy))]
    flags += [("http2", bool(request.version)), ("http1.1", not request.version)]
    lines = [f"{name} = {_quoted(value)}" for name, value in rows]
    return "\n".join([*lines, *(name for name, there in flags if there)])


def _sent(request: Request) -> list[tuple[str, str]]:
    """Return the options for what is sent."""
    rows: list[tuple[str, str]] = []
    if request.body is not None:
        rows += [("data-raw", request.body), ("header", "Expect:")]
        named = any(header.lower().startswith("content-type:") for header in request.headers)
        rows += [] if named else [("header", "Content-Type:")]
    elif request.verb == "POST":
        rows += [("data-raw", ""), ("header", "Content-Type:")]
    if request.verb not in ("HEAD", "POST", "GET" if request.body is None else ""):
        rows.append(("request", request.verb))
    # A header without a value is written with a semicolon: curl(1), --header.
    rows += [("header", header if header.partition(":")[2].strip() else f"{header.partition(':')[0]};")
             for header in request.headers]  # fmt: skip
    rows += [("user", request.login)] if request.login else []
    rows += [("oauth2-bearer", request.token)] if request.token else []
    return rows


def _quoted(value: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r", "\v": "\\v"}
    return '"' + "".join(escapes.get(one, one) for one in value) + '"'


def reply_of(row: str, data: bytes, request: Request) -> Reply | FactError:
    """Return what curl brought from a host; a failure where it could not look.

    Args:
        row: its exit status, its words, and within them what -w wrote.
    """
    status, _, rest = row.partition(" ")
    exit = number(status, "curl's exit status")
    before, mark, written = rest.partition("=")
    times, end, after = written.partition("=")
    words = f"{before}{after}".strip()
    words = words.partition(") ")[2].split("\n")[0] or words
    fields = times.replace(",", ".").split(" ")
    cannot = FactError(f"curl could not look: {beginning(words, 200) or f'exit {exit}'}")
    if not mark or not end or len(fields) != 7 or (exit == REFUSED and request.proxy):
        return cannot
    seconds, first = float(fields[1]), float(fields[2])
    data, version = as_first(data, int(fields[6])) if request.version else (data, "1.1")
    hops, data = _hops(data, request, int(fields[6]))
    incoming = Incoming(headless=request.verb == "HEAD")
    incoming.version = version
    incoming.feed(data)
    if exit == REDIRECTS:
        return Reply(None, seconds, refused=f"it redirects more than {MOST} times", hops=hops)
    reply = None
    if incoming.done and not incoming.problem:
        reply = incoming.reply(seconds, BROKEN)
    elif exit in CAME and (exit != 23 or incoming.done):
        # Of HTTP/2 the end of a connection is never that of an answer.
        reply = incoming.reply(seconds, CLOSED if exit in ENDED and (not exit or version == "1.1") else BROKEN)
    alone = not hops and not request.proxy
    if request.version and incoming.empty and exit in CAME:  # TLS is agreed on: somebody is there
        return Reply(None, seconds, refused=words or "it gives no answer", hops=hops)
    if reply is not None and reply.status is not None:
        return only(request, reply.changed(hops=hops, **_split(fields, request)))
    if reply is not None and not (request.proxy and incoming.empty):  # else it is the proxy that did not lead on
        return reply.changed(hops=hops, silent=reply.silent and alone)
    if exit not in REFUSALS:
        return cannot
    late = exit == LATE and "Resolving" not in words
    silent = alone and (exit == REFUSED or (late and not first and incoming.empty))
    distrust = distrust_of(words) if exit in UNTRUSTED else ""
    words = f"it does not speak TLS with us: {words}" if exit == UNSPOKEN else words
    return Reply(None, seconds, refused=incoming.problem or words, silent=silent, distrust=distrust, hops=hops)


def as_first(data: bytes, hops: int) -> tuple[bytes, str]:
    """Return what curl brought by HTTP/2 as HTTP/1 has it, and the version of the last answer.

    curl writes heads alike for both, but for the first line; what stands in a body is left as it is.

    Args:
        hops: redirects that were followed: so many heads come before the last answer, and those that are interim.
    """
    rest, before, version = data, b"", "1.1"
    while rest.startswith(b"HTTP/"):
        second = rest.startswith(SECOND)
        rest, version = (FIRST + rest[len(SECOND) :] if second else rest), "2" if second else "1.1"
        interim = rest[9:10] == b"1"
        end = rest.find(b"\r\n\r\n")
        if end < 0 or not (interim or hops):
            break
        hops -= not interim
        before, rest = before + rest[: end + 4], rest[end + 4 :]
    return before + rest, version


def _split(fields: list[str], request: Request) -> dict[str, float | None]:
    """Return where the time went; of several requests, nothing: curl's times are of all of them together."""
    if int(fields[6]) or request.proxy:
        return {}
    first, lookup, connected, secured = (float(field) for field in fields[2:6])
    parts = {"lookup": lookup, "connect": max(0.0, connected - lookup), "first": first}
    secure = web_address(request.url).scheme == "https"
    return {**parts, "handshake": max(0.0, secured - connected) if secure else None}


def _hops(data: bytes, request: Request, count: int) -> tuple[tuple[tuple[int, str], ...], bytes]:
    """Return the redirects that curl followed, and what came behind them: of each, curl passes on the head alone."""
    hops: list[tuple[int, str]] = []
    url = request.url
    while len(hops) < count:
        places = [(place, mark) for mark in (b"\r\n\r\n", b"\n\n") if 0 <= (place := data.find(mark)) <= HEAD]
        if not places:
            break
        place, mark = min(places)
        head, data = data[:place], data[place + len(mark) :]
        incoming = Incoming(headless=True)
        incoming.feed(head + b"\r\n\r\n")
        reply = incoming.reply(0, CLOSED)
        if reply.status is not None:  # else an interim answer
            url = resolved(url, reply.location)
            hops.append((reply.status, url))
    return tuple(hops), data
