"""A session with an SMTP server (RFC 5321) over a line that has a deadline. Called by `mail`.

The conversation is the standard library's. Its `connect`, `starttls` and `login` are not used: they know no deadline,
look up this machine's name, and take no password beyond ASCII.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infratest.cleaning import clean
from infratest.receivers._line import Line
from infratest.receivers.base import Lost, Refused

#: Bytes that a server may say in one session.
MOST_SAID = 256 * 1024


class Session:
    """What is said to a server, and what it says. `name` is who sends, for messages."""

    def __init__(self, one: Line, name: str) -> None:
        self.line, self.name = one, name
        self.client = smtplib.SMTP(local_hostname=_own_name(one))

    @contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Raise Refused for what goes wrong in the block: nothing is sent in it that could arrive."""
        try:
            yield
        except smtplib.SMTPResponseException as error:
            said = _said(error.smtp_error)
            permanent = error.smtp_code >= 500
            raise Refused(f"{self.name}: {what}: {error.smtp_code} {said}", permanent=permanent) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(f"{self.name}: {error}", permanent=True) from error
        except (OSError, ValueError) as error:  # smtplib's errors are OSErrors
            raise Refused(f"{self.name}: {what}: {self.line.why(error)}") from error

    def close(self) -> None:
        """Let go of what is read by; the connection is the line's."""
        self.client.close()

    def greeted(self) -> None:
        self._begin()
        self._expect((220,), *self.client.getreply())
        self.client.ehlo_or_helo_if_needed()

    def _begin(self) -> None:
        """Read and write what the line is now. What came in clear before TLS is forgotten with the old reader."""
        if self.client.file is not None:
            self.client.file.close()
        self.client.sock = self.line.socket
        self.client.file = _Reader(self.line.socket)

    def start_tls(self, context: Any, host: str) -> None:
        if not self.client.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS, and without it nothing is sent in clear")
        self._expect((220,), *self.client.docmd("STARTTLS"))
        self.line.secure(context, host)
        self._begin()
        # And so is what it said in clear that it can.
        self.client.ehlo_resp = self.client.helo_resp = None
        self.client.esmtp_features, self.client.does_esmtp = {}, False
        self.client.ehlo_or_helo_if_needed()

    def log_in(self, user: str, password: str) -> None:
        """Log in by PLAIN (RFC 4616), else by LOGIN."""
        offered = self.client.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            code, said = self.client.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{user}{chr(0)}{password}')}")
        elif "LOGIN" in offered:
            code, said = self.client.docmd("AUTH", "LOGIN")
            for word in (user, password):
                if code == 334:
                    code, said = self.client.docmd(_base64(word))
        else:
            ways = ", ".join(offered) or "nothing"
            raise smtplib.SMTPNotSupportedError(f"it lets nobody log in by PLAIN or LOGIN, but by: {ways}")
        if code != 235:
            words = f"it refuses the login of {user}: ".encode() + said
            raise smtplib.SMTPResponseException(code, words)

    def sender(self, address: str, wide: bool) -> None:
        if wide and not self.client.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError(
                "an address is not ASCII, and it does not offer SMTPUTF8 (RFC 6531); write addresses in ASCII"
            )
        options = ["BODY=8BITMIME", "SMTPUTF8"] if wide else []
        self._expect((250,), *self.client.mail(address, options))

    def recipients(self, addresses: list[str]) -> dict[str, tuple[int, str]]:
        """Return those that are refused: code and words."""
        refusals = {}
        for address in addresses:
            code, said = self.client.rcpt(address)
            if code == 421:
                raise smtplib.SMTPResponseException(code, said)
            if code not in (250, 251, 252):
                refusals[address] = code, _said(said)
        return refusals

    def data(self, mail: bytes) -> None:
        """Send a message. Raises Lost where it is not known what became of it."""
        with self.failing("it does not let the message begin"):
            code, said = self.client.docmd("DATA")
            self._expect((354,), code, said)
        try:
            self.client.send(_dotted(mail))
            code, said = self.client.getreply()
            if code == -1:
                raise smtplib.SMTPException("what it says is no SMTP")
        except (OSError, ValueError) as error:
            words = self.line.why(error)
            raise Lost(f"{self.name}: {words}, after the message was sent; it may have arrived") from error
        with self.failing("it does not take the message"):
            self._expect((250,), code, said)
        with contextlib.suppress(OSError, ValueError):
            self.client.send("QUIT\r\n")  # what it says to that changes nothing

    def _expect(self, codes: tuple[int, ...], code: int, said: bytes) -> None:
        if code == -1:
            raise smtplib.SMTPException("what it says is no SMTP")
        if code not in codes:
            raise smtplib.SMTPResponseException(code, said)


class _Reader:
    """What smtplib reads lines from: of all that a server says so much, as smtplib keeps any number of them."""

    def __init__(self, connected: socket.socket) -> None:
        self._file = connected.makefile("rb")
        self._left = MOST_SAID

    def readline(self, limit: int) -> bytes:
        row = self._file.readline(limit)
        self._left -= len(row)
        if self._left < 0:
            raise OSError(f"it says more than {MOST_SAID // 1024} KiB")
        return row

    def close(self) -> None:
        self._file.close()


def _dotted(mail: bytes) -> bytes:
    """Return a message as it is sent behind DATA: RFC 5321, 4.5.2."""
    return re.sub(rb"(?m)^\.", b"..", mail) + (b"" if mail.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def _said(words: bytes | str) -> str:
    return clean(words.decode("utf-8", "replace") if isinstance(words, bytes) else words, 200)


def _own_name(one: Line) -> str:
    """Return by what we greet: this machine's full name, else its address (RFC 5321, 4.1.4)."""
    name = socket.gethostname()
    if "." in name.strip("."):
        return name
    host = str(one.socket.getsockname()[0])
    return f"[IPv6:{host}]" if ":" in host else f"[{host}]"
