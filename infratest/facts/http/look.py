"""A URL looked at from the controller: asked over a socket of ours, and again wherever its redirects lead.

Called by the fact `http`.
"""

from __future__ import annotations

import _socket
from time import monotonic

from infratest.cleaning import cited
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.http.answer import Incoming
from infratest.facts.http.client import Exchange, ProxyRefusal
from infratest.facts.http.reply import Reply
from infratest.facts.http.trust import distrust_of
from infratest.web_address import resolved, web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.deadline import Deadline
    from infratest.facts.base import Connect
    from infratest.facts.http.request import Request

#: Redirects that are followed at most, and the statuses that are one where a place is named: RFC 9110, 15.4.
MOST = 10
REDIRECTS = (301, 302, 303, 307, 308)


def look(request: Request, deadline: Deadline, seconds: float, connect: Connect) -> Reply:
    """Ask a URL. `seconds`: what a server has for its whole answer, and all that redirects lead to together.

    Raises:
        FactError: the controller could not look. DeadlineExceeded: our own deadline passed.
    """
    patience = deadline.at_most(seconds)
    began, hops = monotonic(), list[tuple[int, str]]()
    while True:
        reply = once(request, deadline, patience, seconds, connect)
        reply = reply.changed(seconds=monotonic() - began, hops=tuple(hops), silent=reply.silent and not hops)
        if hops:
            reply = reply.changed(lookup=None, connect=None, handshake=None, first=None)
        place = reply.location
        if not request.follow or reply.status not in REDIRECTS or not place:
            return reply
        if len(hops) == MOST:
            return Reply(None, reply.seconds, refused=f"it redirects more than {MOST} times", hops=tuple(hops))
        url = resolved(request.url, place)
        try:
            web_address(url)
        except UserError:
            return Reply(None, reply.seconds, refused=f"it redirects to {cited(place, 200)}", hops=tuple(hops))
        if reply.status in (307, 308) and request.carries_off(url):
            refused = f"it redirects what is sent, which holds a secret, to another server: {cited(url, 200)}"
            return Reply(None, reply.seconds, refused=refused, hops=tuple(hops))
        hops.append((reply.status, url))
        request = request.of(url)
        if reply.status in (301, 302, 303):
            request = request.as_get()


def once(request: Request, deadline: Deadline, patience: Deadline, seconds: float, connect: Connect) -> Reply:
    """Send one request and return what comes of it.

    Args:
        deadline: our own. patience: until when the server has to answer, which is after so many `seconds`.
    Raises:
        FactError: the controller could not look. DeadlineExceeded: our own deadline passed.
    """
    reached = connect(*request.connected)
    if request.proxy:
        proxy = web_address(request.proxy)
        reached = connect(proxy.host, proxy.port)
    began, incoming = monotonic(), Incoming(headless=request.verb == "HEAD")
    exchange = Exchange(request, reached, patience)
    try:
        ended = exchange.run(incoming)
        reply = only(request, incoming.reply(monotonic() - began, ended))
        return reply if reply.status is None or request.proxy else reply.changed(**exchange.times)
    except TimeoutError:
        if deadline.passed:
            raise DeadlineExceeded(f"{request.url}: no complete answer before our own deadline") from None
        silent = incoming.empty and not request.proxy
        return Reply(None, monotonic() - began, refused=f"no complete answer within {seconds:g} s", silent=silent)
    except _socket.gaierror as error:
        return Reply(None, monotonic() - began, refused=f"could not resolve {reached[0]}: {error.args[-1]}")
    except OSError as error:
        if request.proxy and not exchange.connected:
            raise FactError(f"{request.url}: the proxy {request.proxy} lets nobody in: {_words(error)}") from None
        words = _words(error)
        secure = hasattr(error, "reason")  # TLS's own, or the proxy's: something is there
        distrust = distrust_of(words) if getattr(error, "verify_code", 0) else ""
        if secure and not distrust and not isinstance(error, ProxyRefusal) and "handshake" not in exchange.times:
            words = f"it does not speak TLS with us: {words}"
        return Reply(None, monotonic() - began, refused=words, silent=not secure, distrust=distrust)


def only(request: Request, reply: Reply) -> Reply:
    """Return a reply where it came by the version of HTTP that alone is asked; else that it did not."""
    if request.version != "2" or reply.status is None or reply.version == "2":
        return reply
    words = f"it answers by HTTP/{reply.version}, for it does not take HTTP/2"
    return Reply(None, reply.seconds, refused=words, hops=reply.hops)


def _words(error: OSError) -> str:
    """Return why in words, without numbers that say nothing more."""
    certificate = getattr(error, "verify_message", "")
    if certificate:
        return f"certificate verify failed: {certificate}"
    if hasattr(error, "reason"):  # OpenSSL's own word, as WRONG_VERSION_NUMBER: around it stands where Python has it
        reason = None if isinstance(error, ProxyRefusal) else error.reason
        return reason.lower().replace("_", " ") if reason else str(error)
    return (error.strerror or str(error)).lower()
