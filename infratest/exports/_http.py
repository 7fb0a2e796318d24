"""A monitoring tool asked by its HTTP API: one request a connection, TLS verified, JSON back; what exports prove by."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infratest import __version__
from infratest.cleaning import clean, decoded, keep_secret
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.receivers._answer import NoAnswer, read
from infratest.receivers._line import line, loopback, trusting
from infratest.web_address import web_address

#: Seconds that one question may take.
PATIENCE = 30.0


@dataclass(frozen=True)
class Api:
    """Where it is, and who asks.

    Args:
        url: as `https://127.0.0.1:5665`. ca: a file of the authorities to trust; empty for the system's. known_as: the
        name in its certificate, empty where it is the URL's. user: empty for nobody. password_file: a path.
    """

    url: str
    ca: str = ""
    known_as: str = ""
    user: str = ""
    password_file: str = ""

    def ask(
        self, method: str, path: str, deadline: Deadline, body: object = None, accept: tuple[int, ...] = (200,)
    ) -> tuple[int, Any]:
        """Return the status and the JSON of an answer; None for what is none.

        Raises:
            UserError: a file cannot be read, or http would carry the password to another machine. InfratestError: it
            cannot be reached, or answers another status than these.
        """
        address = web_address(self.url)
        if address.scheme == "http" and not loopback(address.host):
            raise UserError(f"{self.url}: http to another machine is read by all on the way; use https")
        data = b"" if body is None else json.dumps(body).encode()
        head = {
            "Host": address.authority, "Accept": "application/json", "Content-Type": "application/json",
            "Content-Length": str(len(data)), "Connection": "close", "User-Agent": f"infratest/{__version__}",
            **self._signed_in(),
        }  # fmt: skip
        target = f"{address.target.rstrip('/')}{path}"
        lines = [f"{method} {target} HTTP/1.1", *(f"{key}: {value}" for key, value in head.items())]
        with line(address.host, address.port, deadline.at_most(PATIENCE)) as one:
            if address.scheme == "https":
                one.secure(trusting(Path(self.ca) if self.ca else None), self.known_as or address.host)
            try:
                one.socket.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + data)
                answer = read(one.socket)
            except (OSError, NoAnswer) as error:
                raise InfratestError(f"{self.url}: {one.why(error)}") from error
        if answer.status not in accept:
            said = clean(decoded(answer.body), 300)
            raise InfratestError(f"{self.url}: {method} {path} is answered {answer.status}{said and ': '}{said}")
        return answer.status, _json(answer.body)

    def _signed_in(self) -> Mapping[str, str]:
        if not self.user:
            return {}
        try:
            password = Path(self.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"password-file: {self.password_file!r} cannot be read: {error}") from None
        keep_secret(password)
        pair = b64encode(f"{self.user}:{password}".encode()).decode()
        keep_secret(pair)
        return {"Authorization": f"Basic {pair}"}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
