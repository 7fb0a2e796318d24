"""Answers of HTTP, however odd, looked at from the host and from the controller; what is right is written by hand."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.facts.odd_answers import ODD, SIZED
from tests.facts.odd_answers import OK as FINE
from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, quoted

#: What a server says, and the values of a header in it. A header has a value if one of its lines is just that.
HEADERS = {
    "plain": (b"X-Odd: one\r\n", ["one"]),
    "blanks": (b"X-Odd:   one two \t \r\n", ["one two"]),
    "no blank": (b"X-Odd:one\r\n", ["one"]),
    "other case": (b"x-oDD: one\r\n", ["one"]),
    "twice": (b"X-Odd: one\r\nX-Odd: two\r\n", ["one", "two"]),
    "empty": (b"X-Odd:\r\n", [""]),
    "colon": (b"X-Odd: a: b|c\r\n", ["a: b|c"]),
    "quotes": (b'X-Odd: "one"\r\n', ['"one"']),
    "none": (b"X-Other: one\r\n", []),
    "longer name": (b"X-Odd-2: one\r\n", []),
    "long": (b"X-Odd: " + b"x" * 5000 + b"\r\n", ["x" * 5000]),
}  # fmt: skip
TEXTS = ("hello", "ell", "HELLO", "hello ", "h\xe9llo", "nothing of it", "*", "a")
VALUES = ("one", "two", "one two", "ONE", "on", "a: b|c", '"one"', "x" * 5000)
STATUSES = (200, 204, 301, 404, 500)
VIEWPOINTS = (" from the host", " from the controller", "")


class Objects(NamedTuple):
    """Servers: by the name of what each says, its port."""

    odd: dict[str, int]
    headers: dict[str, int]
    redirect: int
    refused: int


def objects(place: Path) -> Objects:
    """Start a server for each answer."""
    odd = {name: _serving(data) for name, (data, _) in ODD.items()}
    headers = {name: _serving(FINE + lines + SIZED) for name, (lines, _) in HEADERS.items()}
    redirect = _serving(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9/\r\n" + SIZED)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = closed.getsockname()[1]
    return Objects(odd, headers, redirect, refused)


def _serving(data: bytes) -> int:
    """Serve these bytes to each who asks; return the port."""
    server = socket.create_server(("127.0.0.1", 0), backlog=50)

    def serve() -> None:
        while True:
            one, _ = server.accept()
            threading.Thread(target=_answer, args=(one, data), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def _answer(one: socket.socket, data: bytes) -> None:
    with one:
        try:
            asked = b""
            while b"\r\n\r\n" not in asked and (piece := one.recv(65536)):
                asked += piece
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
            while one.recv(65536):
                pass
        except OSError:
            pass  # who asked had enough


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of URLs, from each viewpoint."""
    for view in VIEWPOINTS:
        for name, port in objects.odd.items():
            status, body, problem = ODD[name][1] or (None, "", "")
            yield from _of(port, name, status, body, problem, view)
        for name, port in objects.headers.items():
            yield from _of_headers(port, name, HEADERS[name][1], view)
        yield from _of(objects.redirect, "a redirect", 301, "hello", "", view)
        yield from _nobody(objects.refused, view)


def _of(port: int, name: str, status: int | None, body: str | None, problem: str, view: str) -> Iterator[Question]:
    # What comes and is no answer is the server's fault: neither a claim nor its negation is met.
    url = f'"http://127.0.0.1:{port}/"'
    answered = status is not None or ABSENT
    yield from both(f"{url} answers{view}", f"{url} does not answer{view}", answered, name)
    for asked in {*STATUSES, *([status] if status and status < 600 else [])}:
        right: bool | str = ABSENT if status is None else status == asked
        yield from both(f"{url} answers {asked}{view}", f"{url} does not answer {asked}{view}", right, name)
        right = ABSENT if status is None else status in (asked, 418)
        forms = (f'{url} answers one of "{asked}, 418"{view}', f'{url} answers none of "{asked}, 418"{view}')
        yield from both(*forms, right, name)
    counted = status if status and status < 600 else 200  # no sentence can ask for more
    for asked, bound, soon in ((counted, "less than 60 s", True), (counted, "more than 60 s", False),
                               (599, "less than 60 s", True)):  # fmt: skip
        right = CRITICAL if status is None else OK if soon and asked == status else CRITICAL
        yield Question(f"{url} answers {asked} in {bound}{view}", right, name)
    for text in TEXTS if body is not None else ():
        right = True if text in body else UNKNOWN if problem else False
        if status is None:
            right = ABSENT
        forms = (f"{url} contains {quoted(text)}{view}", f"{url} does not contain {quoted(text)}{view}")
        yield from both(*forms, right, name)


def _of_headers(port: int, name: str, values: list[str], view: str) -> Iterator[Question]:
    for header in ("X-Odd", "x-odd"):
        for value in VALUES:
            start = f'"http://127.0.0.1:{port}/"'
            forms = (
                f"{start} has the header {quoted(header)} with {quoted(value)}{view}",
                f"{start} does not have the header {quoted(header)} with {quoted(value)}{view}",
            )
            yield from both(*forms, value in values, f"{name}: {str(values)[:40]}")


def _nobody(port: int, view: str) -> Iterator[Question]:
    """Nobody is there to be asked: what would be said of an answer is met by neither form."""
    url, name = f'"http://127.0.0.1:{port}/"', "nobody listens"
    yield from both(f"{url} answers{view}", f"{url} does not answer{view}", False, name)
    yield from both(f"{url} answers 200{view}", f"{url} does not answer 200{view}", ABSENT, name)
    yield from both(f'{url} contains "x"{view}', f'{url} does not contain "x"{view}', ABSENT, name)
    yield Question(f"{url} answers 200 in less than 60 s{view}", CRITICAL, name)
    forms = (f'{url} has the header "X" with "y"{view}', f'{url} does not have the header "X" with "y"{view}')
    yield from both(*forms, ABSENT, name)
