"""What receivers share that are told by one HTTP POST: where it goes, what it is signed in with, what an answer means.

One connection a request, no redirect followed: a body, or a token, would go where nobody has said that it may.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time
from typing import Any

from infratest import __version__
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers._answer import Answer, NoAnswer, read
from infratest.receivers._line import line, loopback, trusting
from infratest.receivers.base import ENV, OF_ENV, Lost, Receiver, Refused
from infratest.web_address import WebAddress, web_address

#: Seconds that a receiver may ask to be left alone.
LONGEST_PAUSE = 3600.0
#: Answers of the 400s that another try may end (RFC 9110, 15.5.9; RFC 8470, 5.2; RFC 6585, 4).
PASSING = (408, 425, 429)
#: Answers by which one in between says that it does not know what became of it (RFC 9110, 15.6.3, 15.6.5).
UNSURE = (502, 504)

CA: dict[str, Any] = {
    "title": "a path", "source": True,
    "description": "A file of the authorities to trust instead of the system's.",
}  # fmt: skip
URL: dict[str, Any] = {"title": "a URL, or env:NAME", "description": "Where it is sent; https, by POST."}


@dataclass(frozen=True, kw_only=True)
class Web:
    """Options of all of them."""

    ca: str = field(default="", metadata=CA)
    plain: bool = field(
        default=False, metadata={"description": "Whether http is allowed to another machine, read by all on the way."}
    )


@dataclass(frozen=True, kw_only=True)
class SignedIn(Web):
    """Options of those that may ask who sends."""

    token: str = field(
        default="",
        metadata={"title": "env:NAME", "pattern": OF_ENV, "description": "As `token-file`, in the environment."},
    )
    token_file: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "A file that holds a bearer token."},
    )


class Posts(Receiver):
    """A receiver that is told by HTTP. Its options are a `Web` with a `url`."""

    @abstractmethod
    def accepted(self, answer: Answer) -> str:
        """Return nothing where an answer of the 200s says that it was taken, else what is odd about it."""

    def foresee(self) -> None:
        super().foresee()
        self.address()
        trusting(self._ca)

    def describe(self) -> str:
        try:
            address = self.address()
        except UserError:
            return self.word
        return f"{self.word} {address.scheme}://{address.authority}"  # what is behind it may be a secret

    def address(self) -> WebAddress:
        """Return where it is. Raises UserError."""
        given = str(self.options.url)
        url = self.secret("url") if given.startswith(ENV) or not given else given
        try:
            address = web_address(url)
        except UserError as error:
            shown = f"{given} is no https or http URL with a host" if given.startswith(ENV) else str(error)
            raise UserError(f"url: {shown or 'it is no URL'}") from None
        if address.scheme == "http" and not (loopback(address.host) or self.options.plain):
            raise UserError(f"url: http to {address.host} is read by all on the way; use https, or add `plain: true`")
        return address

    def bearer(self) -> dict[str, str]:
        """Return the header that says who sends; none where no token is given. Raises UserError."""
        token = self.secret("token")
        if not token.isascii() or " " in token:
            raise UserError("token: it holds a blank, or what is not ASCII; a bearer token has neither")
        return {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def _ca(self) -> Path | None:
        return self.path(self.options.ca) if self.options.ca else None

    def post(self, body: bytes, headers: Mapping[str, str], deadline: Deadline, path: str = "") -> None:
        """POST JSON, and return where it was taken. Raises Refused, Lost, and UserError for a file.

        Args:
            path: behind that of the URL.
        """
        address = self.address()
        place = f"{address.scheme}://{address.authority}"
        target = address.target.rstrip("/") + path if path else address.target
        context = trusting(self._ca) if address.scheme == "https" else None
        own = {
            "Host": address.authority, "Content-Type": "application/json", "Connection": "close",
            "User-Agent": f"infratest/{__version__}", "Accept-Encoding": "identity",
        }  # fmt: skip
        with line(address.host, address.port, deadline) as one:
            if context is not None:
                one.secure(context, address.host)
            try:
                one.socket.sendall(_request(target, {**own, **headers}, body))
                answer = read(one.socket)
            except (OSError, NoAnswer) as error:
                raise Lost(f"{place}: {one.why(error)}, after it was sent; it may have arrived") from error
        self._judge(answer, place)

    def _judge(self, answer: Answer, place: str) -> None:
        status, said = answer.status, clean(answer.body.decode("utf-8", "replace"), 200)
        words = f"{place}: it answers {status}" + (f": {said}" if said else "")
        if 200 <= status < 300:
            if odd := self.accepted(answer):
                raise Lost(f"{place}: it answers {status} and {odd}; it may have arrived")
            return
        if 300 <= status < 400:
            leads = clean(str(answer.headers.get("location", "")), 200)
            raise Refused(f"{words}; it leads to {leads or 'nowhere'}, which is not followed", permanent=True)
        if status in UNSURE:
            raise Lost(f"{words}; it may have arrived behind it")
        permanent = 400 <= status < 500 and status not in PASSING
        raise Refused(words, permanent=permanent, after=_pause(answer.headers.get("retry-after")))


def asked(url: str, deadline: Deadline) -> str:
    """Ask a URL by GET, as a dead-man's switch is. Return nothing where it answers 200 to 299, else what it answers.

    Raises:
        UserError: it is no URL. Refused: there is no connection. Lost: no answer.
    """
    address = web_address(url)
    place = f"{address.scheme}://{address.authority}"  # what is behind it may be a secret
    headers = {"Host": address.authority, "Connection": "close", "User-Agent": f"infratest/{__version__}"}
    with line(address.host, address.port, deadline) as one:
        if address.scheme == "https":
            one.secure(trusting(None), address.host)
        try:
            one.socket.sendall(_request(address.target, headers, b"", "GET"))
            answer = read(one.socket)
        except (OSError, NoAnswer) as error:
            raise Lost(f"{place}: {one.why(error)}") from error
    return "" if 200 <= answer.status < 300 else f"{place}: it answers {answer.status}"


def _request(target: str, headers: Mapping[str, str], body: bytes, method: str = "POST") -> bytes:
    """Return a request. Nothing in it is of hosts: the target was checked, and what is secret is one line of ASCII."""
    head = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    size = [f"Content-Length: {len(body)}"] if method == "POST" else []
    return "\r\n".join([*head, *size, "", ""]).encode("ascii") + body


def _pause(text: str | None) -> float | None:
    """Return the seconds that a Retry-After asks for: a number or a date (RFC 9110, 10.2.3); None for no such text."""
    if text is None:
        return None
    text = text.strip()
    try:
        seconds = float(int(text)) if text.isascii() and text.isdigit() else _until(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, seconds), LONGEST_PAUSE)


def _until(text: str) -> float:
    return parsedate_to_datetime(text).timestamp() - time()
