"""`http: {address: "127.0.0.1:9917", tokens: tokens}`: what programs post as JSON; and what is known, to be fetched.

    POST /in/events              an event as JSON, a list of them, or one a line
    POST /in/heartbeat/NAME      a job has ended well; with /start, /fail or /alive behind it, that
    POST /in/hint/HOST           something may have changed there: it is looked at now
    POST /in/alertmanager        Alertmanager's webhook
    POST /in/otlp/v1/metrics     metrics by OTLP/HTTP: an SDK's endpoint is http://HOST:PORT/in/otlp
    GET  /metrics                everything as Prometheus reads it (text format 0.0.4)
    GET  /sd, /sd/PORT           the hosts that are watched, as Prometheus takes them by HTTP (http_sd)
    GET  /health                 200 while the monitor's turns end and are written, 503 otherwise, or of a damaged store

What is answered with 200 is written, and survives a kill. Beyond loopback there must be tokens and TLS.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import time
from typing import Any

from infratest.errors import InfratestError, UnknownName, UserError
from infratest.intakes import _posted
from infratest.intakes._admission import CONNECTIONS, FULL, LARGE, NOT_UNDERSTOOD, ORIGIN, TOKEN, Refusal
from infratest.intakes._http_server import BEARER, TEXT, Reply, Request, serve
from infratest.intakes._listener import Listener
from infratest.intakes._otlp import NotTaken, form_of
from infratest.intakes._tokens import Tokens
from infratest.intakes.base import ADDRESS, House, Intake, loopback
from infratest.store.events import Event

log = logging.getLogger(__name__)

#: Seconds that it may take until what was sent is written, before the sender is told to come again.
PATIENCE = 10.0
#: Seconds since the newest turn that was written after which the monitor is not well.
STALE = 30.0
#: What is posted to.
WAYS = "/in/events, /in/heartbeat/NAME, /in/hint/HOST, /in/alertmanager, /in/otlp/v1/metrics"
#: What OTLP's own paths begin with here, and the one that there is: traces and logs are no numbers.
OTLP, OTLP_METRICS = "otlp", "v1/metrics"
#: What is said of what may be written yet, and when to come again: in 10 s.
LATER, AGAIN = "it is not written yet; it may be later", {"Retry-After": "10"}
#: The same for OTLP: an SDK tries for 10 s, and does not wait where it would take longer.
SOON = {"Retry-After": "1"}
SIGNALS = ("ok", "start", "fail", "alive")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where programs post to."""

    address: str = field(metadata=ADDRESS)
    tokens: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "A file of NAME TOKEN lines: who may send."},
    )
    certificate: str = field(
        default="", metadata={"title": "a path", "source": True, "description": "A file of the certificate, for TLS."}
    )
    key: str = field(
        default="", metadata={"title": "a path", "source": True, "description": "A file of the certificate's key."}
    )


class Http(Intake):
    """HTTP/1.1, with or without TLS."""

    signed_in = True

    def __init__(self, options: Any, folder: Path) -> None:
        self._tokens: Tokens | None = None
        self._context: ssl.SSLContext | None = None
        self._listener: Listener | None = None
        super().__init__(options, folder)

    def foresee(self) -> None:
        own = self.options
        if not loopback(self.host):
            lacking = [name for name in ("tokens", "certificate", "key") if not getattr(own, name)]
            if lacking:
                raise UserError(
                    f"address: {self.host} is beyond loopback, which takes tokens and TLS; add {', '.join(lacking)}, "
                    "or listen on 127.0.0.1"
                )
        if bool(own.certificate) != bool(own.key):
            raise UserError("certificate and key go together: name both, or neither")
        if own.tokens:
            self._tokens = Tokens(self.path(own.tokens))
        if own.certificate:
            self._context = _context(self.path(own.certificate), self.path(own.key))

    def open(self, house: House) -> None:
        answers = partial(self._answer, house)
        refused = partial(self._refused, house)
        self._listener = Listener(
            lambda connection: serve(connection, answers, refused, self._context, self._admits),
            lambda: house.arrivals.refuse(self.word, CONNECTIONS),
        )
        try:
            self.port = self._listener.open(self.host, self.port, self.word)
        except OSError as error:
            raise self.taken_already(error) from error

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _refused(self, house: House, status: int) -> None:
        reasons = {401: TOKEN, 413: LARGE, 431: LARGE}
        house.arrivals.refuse(self.word, reasons.get(status, NOT_UNDERSTOOD))

    def _sender(self, request: Request) -> str | None:
        """Return the name of who sends it; None of one whose token is not known, where tokens are asked for."""
        return "" if self._tokens is None else self._tokens.sender(request.headers.get("authorization", ""))

    def _admits(self, request: Request) -> bool:
        return self._sender(request) is not None

    def _answer(self, house: House, request: Request) -> Reply:
        if request.path == "/health":
            return _only(request, "GET") or _health(house)
        sender = self._sender(request)
        if sender is None:
            house.arrivals.refuse(self.word, TOKEN)
            return _said(401, "a bearer token is needed", BEARER)
        if request.path == "/metrics":
            return _only(request, "GET") or _metrics(house)
        if request.path == "/sd" or request.path.startswith("/sd/"):
            return _only(request, "GET") or _targets(house, request.path.removeprefix("/sd").removeprefix("/"))
        if not request.path.startswith("/in/"):
            return _said(404, f"there is {WAYS}, /metrics, /sd and /health")
        if self._tokens is None and "origin" in request.headers:
            # A page in a browser on this machine reaches loopback; programs say no Origin.
            house.arrivals.refuse(self.word, ORIGIN)
            return _said(403, "web pages may not send without a token")
        return _only(request, "POST") or self._take(house, request, sender)

    def _take(self, house: House, request: Request, sender: str) -> Reply:
        kind, _, rest = request.path.removeprefix("/in/").partition("/")
        if kind == "heartbeat" and rest:
            return self._heartbeat(house, rest)
        if kind == "hint" and rest:
            return self._hint(house, rest)
        if kind == OTLP and rest == OTLP_METRICS:
            return self._otlp(house, request, sender)
        reads = {"events": _posted.events, "alertmanager": _posted.alerts}.get(kind)
        if reads is None or rest:
            return _said(404, f"there is {WAYS}")
        try:
            events, refused = reads(request.body, time())
        except Refusal as refusal:
            house.arrivals.refuse(self.word, refusal.reason)
            return _said(400, refusal.reason)
        for reason, count in refused.items():
            house.arrivals.refuse(self.word, reason, count)
        turned_away, kept = self._offer(house, events, sender)
        if not kept:
            return _said(503, LATER, AGAIN)
        taken = len(events) - turned_away.total()
        refused += turned_away
        status = 503 if FULL in refused else 422 if refused else 200
        return _json(status, {"taken": taken, "refused": dict(refused)}, AGAIN if FULL in refused else {})

    def _offer(self, house: House, events: list[Event], sender: str) -> tuple[Counter[str], bool]:
        """Hand events on. Return how many were refused, by reason, and whether the others are written."""
        refused, ticket = house.arrivals.offer(self.word, events, f"token {sender}" if sender else "")
        return refused, len(events) == refused.total() or ticket.kept(PATIENCE)

    def _otlp(self, house: House, request: Request, sender: str) -> Reply:
        try:
            form = form_of(request.headers)
        except NotTaken as error:
            house.arrivals.refuse(self.word, NOT_UNDERSTOOD)
            return _said(error.status, str(error), error.headers)
        try:
            events, refused, points = form.read(request.body, time())
        except NotTaken as error:
            log.error("%s: %s", self.word, error)
            house.arrivals.refuse(self.word, NOT_UNDERSTOOD)
            return Reply(error.status, form.failure(str(error)), form.kind)
        except Refusal as refusal:
            house.arrivals.refuse(self.word, refusal.reason)
            return Reply(413 if refusal.reason == LARGE else 400, form.failure(refusal.reason), form.kind)
        for reason, count in refused.items():
            house.arrivals.refuse(self.word, reason, count)
        turned_away, kept = self._offer(house, events, sender)
        if FULL in turned_away or not kept:
            return Reply(503, form.failure(FULL if kept else LATER), form.kind, SOON)
        # Of a histogram's point several numbers come: of how many points those are that were turned away is not known.
        rejected = refused.total() + min(turned_away.total(), points)
        return Reply(200, form.answer(refused + turned_away, rejected), form.kind)

    def _hint(self, house: House, host: str) -> Reply:
        try:
            return _json(200, {"host": host, "results": house.hint(host)})
        except UnknownName as error:
            house.arrivals.refuse(self.word, NOT_UNDERSTOOD)
            return _said(404, str(error))
        except InfratestError as error:
            return _said(503, str(error), AGAIN)

    def _heartbeat(self, house: House, rest: str) -> Reply:
        name, _, signal = rest.partition("/")
        signal = signal or SIGNALS[0]
        if signal not in SIGNALS:
            house.arrivals.refuse(self.word, NOT_UNDERSTOOD)
            return _said(404, f"a heartbeat says {', '.join(SIGNALS)}")
        reason, ticket = house.arrivals.signal(self.word, name, signal)
        if reason:
            return _said(503 if reason == FULL else 404, reason)
        if not ticket.kept(PATIENCE):
            return _said(503, LATER, AGAIN)
        return _json(200, {"heartbeat": name, "signal": signal})


def _health(house: House) -> Reply:
    age, damaged = house.age(), house.damaged()
    said = {"age": round(age, 3)} | ({"store": "damaged"} if damaged else {})
    return _json(200 if age <= STALE and not damaged else 503, said)


def _metrics(house: House) -> Reply:
    try:
        text = house.exposition()
    except InfratestError as error:
        return _said(503, str(error))
    return Reply(200, text.encode("utf-8", "replace"), TEXT.replace(";", "; version=0.0.4;"))


def _targets(house: House, port: str) -> Reply:
    """Return all that is scraped. Where that is not known it is no list: Prometheus then keeps the one that it has."""
    if port and not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 2**16):
        return _said(404, "it is /sd, or /sd/PORT")
    try:
        return Reply(200, house.targets(int(port) if port else None).encode("utf-8", "replace"))
    except InfratestError as error:
        return _said(503, str(error))


def _only(request: Request, method: str) -> Reply | None:
    """Return the refusal of a request by another method; None of one that is right."""
    right = request.method == method or (method == "GET" and request.method == "HEAD")
    return None if right else _said(405, f"by {method} alone", {"Allow": method})


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Reply:
    return _json(status, {"error": words}, headers)


def _json(status: int, value: dict[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(value).encode() + b"\n", headers=headers or {})


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # nobody is there to be asked for one
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise UserError(f"certificate: {certificate} and key: {key} cannot be used: {words}") from None
    return context
