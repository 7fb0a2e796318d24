"""`icinga2: {api: "https://127.0.0.1:5665", user: infratest, password-file: icinga.pw}`: each result by Icinga's API.

Hosts and services have the names that `infratest monitor export icinga2` writes. Source: Icinga 2's documentation
"Icinga 2 API", its action process-check-result. One connection for all that is handed over at once; TLS is verified.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest import __version__
from infratest.cleaning import clean, decoded, keep_secret
from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.receivers._answer import Answer, NoAnswer, read
from infratest.receivers._line import Line, line, loopback, trusting
from infratest.senders._check import checked, names
from infratest.senders.base import Handed, Seen, Sender, Service
from infratest.states import SKIPPED
from infratest.web_address import WebAddress, web_address

#: What no name may hold there, as the export has it.
FORBIDDEN = "!$\\"
PATH = "/v1/actions/process-check-result"
#: The answer of a server that knows no such object.
UNKNOWN = 404
#: What it says of an object that is none yet, or no longer, and while it ends: soon it can be asked again.
NOT_NOW = 503


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the API is, and who asks it."""

    api: str = field(metadata={"title": "a URL", "description": "Where it is, as https://127.0.0.1:5665."})
    user: str = field(metadata={"title": "a name", "description": "An ApiUser with actions/process-check-result."})
    password_file: str = field(
        metadata={"title": "a path", "source": True, "description": "A file that holds its password."}
    )
    ca: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "Authorities to trust instead of the system's."},
    )
    known_as: str = field(
        default="", metadata={"title": "a name", "description": "The name in its certificate, where it is another."}
    )


class Icinga2(Sender):
    """Passive results, by the API of Icinga 2."""

    at_once = 100
    says_environment = False

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options, folder)
        self.address = web_address(options.api)
        if self.address.scheme != "https" and not loopback(self.address.host):
            raise UserError(f"api: http to {self.address.host} is read by all on the way; use https")

    def foresee(self) -> None:
        self._signed_in()
        if self.address.scheme == "https":
            trusting(self._ca)

    @property
    def _ca(self) -> Path | None:
        return self.path(self.options.ca) if self.options.ca else None

    def describe(self) -> str:
        return f"icinga2 {self.address.scheme}://{self.address.authority}"

    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        asked = [each.service is not None and (each.result is None or each.result.state != SKIPPED) for each in seen]
        if not any(asked):
            return Handed(len(seen))
        signed, left, why = self._signed_in(), 0, ""
        context = trusting(self._ca) if self.address.scheme == "https" else None
        with line(self.address.host, self.address.port, deadline) as one:
            if context is not None:
                one.secure(context, self.options.known_as or self.address.host)
            for number, each in enumerate(seen):
                if each.service is None or not asked[number]:
                    continue
                try:
                    body = written(each, each.service)
                except UserError as error:
                    left, why = left + 1, str(error)
                    continue
                try:
                    said = self._process(one, signed, body, each.service)
                except SendError as error:
                    if number == 0:
                        raise
                    return Handed(number, left, str(error))
                if said:
                    left, why = left + 1, said
        return Handed(len(seen), left, why)

    def _process(self, one: Line, signed: str, body: bytes, service: Service) -> str:
        """Send one result; return why it is not taken of this one, else nothing. Raises SendError."""
        try:
            one.socket.sendall(request(self.address, signed, body))
            answer = read(one.socket)
        except (OSError, NoAnswer) as error:
            raise SendError(f"{self.describe()}: {one.why(error)}") from error
        about = f"{service.host}!{service.name}" if service.name else service.host
        if answer.status == UNKNOWN:
            return f"{self.describe()}: it knows no {clean(about, 200)}; `infratest monitor up icinga2` brings it there"
        each = _each(answer)
        if each and all(200 <= code < 300 for code, _ in each):
            return ""
        said = "; ".join(words for _, words in each) or decoded(answer.body)
        said = f"{self.describe()}: {clean(about, 200)} is answered {answer.status}: {clean(said, 300)}".rstrip(": ")
        if not each or any(code == NOT_NOW for code, _ in each):
            raise SendError(said)
        return said  # of this one alone: that it is sent again would change nothing, and hold up all others

    def _signed_in(self) -> str:
        """Return the header that says who asks. Raises UserError."""
        path = self.path(self.options.password_file)
        try:
            password = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"password-file: {path} cannot be read: {error}") from None
        keep_secret(password)
        pair = b64encode(f"{self.options.user}:{password}".encode()).decode()
        keep_secret(pair)
        return f"Basic {pair}"


def request(address: WebAddress, signed: str, body: bytes) -> bytes:
    """Return the request of one result."""
    head = {
        "Host": address.authority, "Accept": "application/json", "Content-Type": "application/json",
        "Content-Length": str(len(body)), "User-Agent": f"infratest/{__version__}", "Authorization": signed,
    }  # fmt: skip
    lines = [f"POST {address.target.rstrip('/')}{PATH} HTTP/1.1", *(f"{key}: {value}" for key, value in head.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def written(seen: Seen, service: Service) -> bytes:
    """Return the body for a result, names as data in it. Raises UserError: Icinga can have no object of that name."""
    host, name = names(service, "Icinga", FORBIDDEN)
    found = checked(seen, service)
    about: Mapping[str, Any] = {"type": "Service", "service": f"{host}!{name}"} if name else {
        "type": "Host", "host": host,
    }  # fmt: skip
    status = found.status if name else (0 if found.up else 1)
    return json.dumps(
        {
            **about,
            "exit_status": status,
            "plugin_output": found.words,
            "performance_data": list(found.numbers),
            "check_source": "infratest monitor",
            "execution_end": seen.time + (seen.result.duration if seen.result is not None else 0.0),
        }
    ).encode()


def _each(answer: Answer) -> list[tuple[float, str]]:
    """Return what is answered of the object: codes and words; nothing where the request as such is answered.

    That is so whatever the status: it is 200, 500 or that of the object, by Icinga's version.
    """
    try:
        return [(float(each["code"]), str(each["status"])) for each in json.loads(answer.body)["results"]]
    except (ValueError, LookupError, TypeError):
        return []
