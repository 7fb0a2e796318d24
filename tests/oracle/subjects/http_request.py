"""Requests of every kind to a server that says what it was sent; what is right is known from what was written."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted

VIEWPOINTS = (" from the host", " from the controller", "")
#: What a request says -> the method, the body and one header that arrive.
SAID = {
    "": ("GET", "", ("x-odd", None)),
    " asked by PUT": ("PUT", "", ("x-odd", None)),
    ' with the body "a \\"b\\""': ("POST", 'a "b"', ("content-type", None)),
    ' asked by DELETE with the body "x"': ("DELETE", "x", ("x-odd", None)),
    ' with the form "a=Ada L&x=%26"': ("POST", "a=Ada+L&x=%26", ("content-type", "application/x-www-form-urlencoded")),
    ' with the request header "X-Odd: one" and the request header "X-Two: 2"': ("GET", "", ("x-odd", "one")),
    ' asked by PATCH with the body "p" with the request header "X-Odd: two"': ("PATCH", "p", ("x-odd", "two")),
}  # fmt: skip
DOCUMENT = '{"text": "one", "number": 7, "list": ["one", "two"], "numbers": [9, 7], "inside": {"null": null}}'
XML = "<all><one size='7'>text</one></all>"
HEADERS = (("X-Odd", "one two"), ("X-Odd", "three"), ("X-Empty", ""))
FORMS = ("GET", "one", "application/x-www-form-urlencoded", "Ada+L", 'a "b"')


class Objects(NamedTuple):
    """The server, and a port where nobody listens."""

    url: str
    refused: str


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        seen = {name.lower(): value for name, value in self.headers.items()}
        said = json.dumps({"method": self.command, "body": sent, "headers": seen})
        body = {"/document": DOCUMENT, "/xml": XML, "/text": "no document", "/vast": "x" * (2**20 + 1)}.get(
            self.path, said
        )
        steps = int(self.path[3:]) if self.path.startswith("/to") else 0
        self.send_response(302 if steps else 200)
        for name, value in HEADERS:
            self.send_header(name, value)
        if steps:
            self.send_header("Location", f"/to{steps - 1}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body.encode())
        except OSError:
            pass  # who asked had enough

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def objects(place: Path) -> Objects:
    """Start the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    closed = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    closed.server_close()
    return Objects(*(f"http://127.0.0.1:{one.server_address[1]}" for one in (server, closed)))


def questions(objects: Objects) -> Iterator[Question]:
    """Ask how each request arrives, and all that can be said of an answer."""
    for view in VIEWPOINTS:
        for said, (method, body, (header, value)) in SAID.items():
            subject = f'"{objects.url}/"{said}'
            yield from _value(subject, "method", method, view)
            yield from _value(subject, "body", body, view)
            yield from _value(subject, f"headers.{header}", value, view)
            yield Question(f"{subject} answers 200{view}", OK, said)
        yield from _document(f'"{objects.url}/document"', view)
        yield from _other_documents(objects, view)
        yield from _headers(f'"{objects.url}/"', view)
        for steps in range(3):
            yield from _redirects(objects.url, steps, view)
        yield from _bodies(objects, view)
        yield from _nobody(f'"{objects.refused}/"', view)


def _value(subject: str, at: str, value: str | None, view: str) -> Iterator[Question]:
    path = quoted(at)
    forms = (f"{subject} has {path}{view}", f"{subject} does not have {path}{view}")
    yield from both(*forms, value is not None, subject)
    for other in {*FORMS, value or "", "not this"} - {""}:
        right: bool | str = ABSENT if value is None else other == value
        forms = (
            f"{subject} has {path} equal to {quoted(other)}{view}",
            f"{subject} has {path} not equal to {quoted(other)}{view}",
        )
        yield from both(*forms, right, subject)


def _document(subject: str, view: str) -> Iterator[Question]:
    for at, pattern, right in (
        ("text", "^o", True),
        ("text", "^n", False),
        ("none", "x", ABSENT),
        ("list", "x", UNKNOWN),
    ):
        forms = (
            f'{subject} has "{at}" matching "{pattern}"{view}',
            f'{subject} has "{at}" not matching "{pattern}"{view}',
        )
        yield from both(*forms, right, "JSON")
    for at, part, right in (("list", "one", True), ("list", "on", False), ("text", "on", True), ("none", "x", ABSENT)):
        forms = (
            f'{subject} has "{at}" containing "{part}"{view}',
            f'{subject} has "{at}" not containing "{part}"{view}',
        )
        yield from both(*forms, right, "JSON")
    for bound, right in (("at most 7", OK), ("less than 7", CRITICAL), ("exactly 7", OK), ("more than 7", CRITICAL)):
        yield Question(f'{subject} has "number" {bound}{view}', right, "JSON")
        yield Question(f'{subject} has "text" {bound}{view}', CRITICAL, "JSON")
    for words, so in (('equal to "one"', (True, False)), ('matching "o"', (True, True))):
        forms = (f'{subject} has every "list.*" {words}{view}', f'{subject} does not have every "list.*" {words}{view}')
        yield from both(*forms, all(so), "JSON")
        for count in (sum(so), sum(so) - 1):
            right = OK if count == sum(so) else CRITICAL
            yield Question(f'{subject} has exactly {count} "list" {words}{view}', right, "JSON")
    for bound, right in (("at most 9", OK), ("less than 9", CRITICAL), ("at least 7", OK), ("more than 7", CRITICAL)):
        yield Question(f'{subject} has every "numbers.*" {bound}{view}', right, "JSON")
    for bound, right in (("at least 2", OK), ("more than 2", CRITICAL), ("exactly 2", OK), ("less than 2", CRITICAL)):
        yield Question(f'{subject} has {bound} "list"{view}', right, "JSON")


def _other_documents(objects: Objects, view: str) -> Iterator[Question]:
    subject = f'"{objects.url}/xml" as XML'
    for value, right in (("7", True), ("8", False)):
        forms = (
            f'{subject} has "/all/one/@size" equal to "{value}"{view}',
            f'{subject} has "/all/one/@size" not equal to "{value}"{view}',
        )
        yield from both(*forms, right, "XML")
    subject = f'"{objects.url}/text"'
    yield from both(f'{subject} has "a"{view}', f'{subject} does not have "a"{view}', UNKNOWN, "no JSON")


def _headers(subject: str, view: str) -> Iterator[Question]:
    for header, there in (("x-odd", True), ("X-Empty", True), ("X-None", False)):
        start = f'{subject} has the header "{header}"'
        yield from both(f"{start}{view}", f'{subject} does not have the header "{header}"{view}', there, "headers")
        values = [value for name, value in HEADERS if name.lower() == header.lower()]
        for part in ("one", "two", "thr", "x"):
            right: bool | str = any(part in value for value in values) if there else ABSENT
            yield from both(
                f'{start} containing "{part}"{view}', f'{start} not containing "{part}"{view}', right, "headers"
            )
        for pattern, at_all in (("^o", ["one two"]), ("e$", ["three"]), ("^$", [""]), ("^t", ["three"])):
            right = bool(set(at_all) & set(values)) if there else ABSENT
            yield from both(
                f'{start} matching "{pattern}"{view}', f'{start} not matching "{pattern}"{view}', right, "headers"
            )


def _redirects(url: str, steps: int, view: str) -> Iterator[Question]:
    subject, about = f'"{url}/to{steps}"', f"{steps} redirects"
    yield from both(f"{subject} redirects{view}", f"{subject} does not redirect{view}", steps > 0, about)
    for target in range(3):
        place = f'"{url}/to{target}"'
        forms = (f"{subject} redirects to {place}{view}", f"{subject} does not redirect to {place}{view}")
        yield from both(*forms, steps > 0 and target == steps - 1, about)
        forms = (
            f"{subject} redirects to {place} in the end{view}",
            f"{subject} does not redirect to {place} in the end{view}",
        )
        yield from both(*forms, steps > 0 and target == 0, about)
        yield Question(f"{subject} redirects exactly {target} times{view}", OK if target == steps else CRITICAL, about)
        yield Question(f"{subject} redirects at most {target} times{view}", OK if steps <= target else CRITICAL, about)
    yield Question(f"{subject} following redirects answers 200{view}", OK, about)
    yield Question(f"{subject} answers 302{view}", OK if steps else CRITICAL, about)


def _bodies(objects: Objects, view: str) -> Iterator[Question]:
    subject, size = f'"{objects.url}/xml"', len(XML)
    for pattern, right in (("size='[0-9]'", True), ("^<all>.*</all>$", True), ("^size", False)):
        yield from both(
            f"{subject} matches {quoted(pattern)}{view}",
            f"{subject} does not match {quoted(pattern)}{view}",
            right,
            "XML",
        )
    for pattern, right in (("^<all>.*</all>$", True), ("all>.<", False), ("^$", False)):
        lines = (f"{subject} has a line matching {quoted(pattern)}{view}",
                 f"{subject} has no line matching {quoted(pattern)}{view}")  # fmt: skip
        yield from both(*lines, right, "XML")
    for pattern, right in (("^X-Odd: three$", True), ("^x-odd", False), ("^X-Odd: two", False), ("^X-Empty: $", True)):
        heads = (f"{subject} has a header matching {quoted(pattern)}{view}",
                 f"{subject} has no header matching {quoted(pattern)}{view}")  # fmt: skip
        yield from both(*heads, right, "headers")
    for bound, state in ((f"exactly {size}", OK), (f"more than {size}", CRITICAL), (f"less than {size + 1}", OK)):
        yield Question(f"{subject} has a body of {bound} B{view}", state, "XML")
    subject = f'"{objects.url}/vast"'
    yield Question(f"{subject} has a body of more than 1 B{view}", UNKNOWN, "longer than is looked at")
    yield from both(
        f'{subject} matches "x"{view}', f'{subject} does not match "x"{view}', UNKNOWN, "longer than is looked at"
    )


def _nobody(subject: str, view: str) -> Iterator[Question]:
    about = "nobody listens"
    for claim, negation in (
        ('has "a"', 'does not have "a"'), ("redirects", "does not redirect"), ('matches "x"', 'does not match "x"'),
        ('has the header "X"', 'does not have the header "X"'),
        ('has a line matching "x"', 'has no line matching "x"'),
        ('has a header matching "x"', 'has no header matching "x"'),
    ):  # fmt: skip
        yield from both(f"{subject} {claim}{view}", f"{subject} {negation}{view}", ABSENT, about)
    for bounded in (
        "redirects at most 3 times",
        "has a body of less than 1 KiB",
        'has "a" less than 3',
        'has less than 3 "a"',
    ):
        yield Question(f"{subject} {bounded}{view}", CRITICAL, about)
