"""A witness: something that answers unless it is we who are cut off; asked when what is watched fails.

Called by the monitor, for `monitor: witness:`, and by the gate of that name before a heal. What comes of it is a value.
It lies below other files of this room, for heals ask it without a monitor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Thread

from infratest import __version__
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.receivers._answer import NoAnswer, read
from infratest.receivers._line import line, trusting
from infratest.web_address import host_and_port, web_address

#: Seconds that all witnesses have together, where nobody says: they are asked side by side.
SECONDS = 5.0
#: How a witness is written: a URL, or a host and a port that takes connections.
PATTERN = r"^(https?://[^/\s].*|[^/\s]+:[0-9]{1,5})$"


@dataclass(frozen=True)
class Witnessed:
    """What a witness answered. witness: as it is written. error: why it did not answer; empty where it did."""

    witness: str
    error: str = ""

    @property
    def answered(self) -> bool:
        """Whether it is there."""
        return not self.error


def ask(witness: str, deadline: Deadline) -> Witnessed:
    """Ask one witness: a URL by GET, which any answer below 500 will do for, or HOST:PORT, by a connection.

    A certificate is verified, and no redirect followed. Whatever goes wrong is in what is returned.
    """
    if deadline.passed:
        return Witnessed(witness, "no time was left to ask it")
    try:
        if "://" in witness:
            return Witnessed(witness, _of_url(witness, deadline))
        host, port = place(witness)
        with line(host, port, deadline):
            return Witnessed(witness)
    except (InfratestError, OSError) as error:
        return Witnessed(witness, str(error) or type(error).__name__)


def ask_all(witnesses: Sequence[str], deadline: Deadline) -> tuple[Witnessed, ...]:
    """Ask all of them side by side, and return what each answered, in their order, by the deadline."""
    found: dict[int, Witnessed] = {}

    def one(number: int, witness: str) -> None:
        found[number] = ask(witness, deadline)

    threads = [Thread(target=one, args=each, name="witness", daemon=True) for each in enumerate(witnesses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline.left)
    late = "it did not answer in time"
    return tuple(found.get(number) or Witnessed(witness, late) for number, witness in enumerate(witnesses))


def cut_off(seen: Iterable[Witnessed]) -> str:
    """Return why it is we who are cut off: no witness answers. Empty where one does, or where there is none."""
    asked = [*seen]
    if not asked or any(each.answered for each in asked):
        return ""
    return "no witness answers, so it is we who are cut off: " + "; ".join(
        each.error if each.witness in each.error else f"{each.witness}: {each.error}" for each in asked
    )


def place(witness: str) -> tuple[str, int]:
    """Return host and port of a witness that is no URL. Raises UserError."""
    found = host_and_port(witness) if re.fullmatch(PATTERN, witness) else None
    if found is None or not 0 < found[1] < 2**16:
        raise UserError(f"witness: {witness!r} is neither a URL as http://192.0.2.1/ nor HOST:PORT as 192.0.2.1:53")
    return found[0], found[1]


def _of_url(url: str, deadline: Deadline) -> str:
    """Return nothing where a URL is answered, else what is wrong."""
    address = web_address(url)
    shown = f"{address.scheme}://{address.authority}"  # what is behind it may be a secret
    head = f"GET {address.target} HTTP/1.1\r\nHost: {address.authority}\r\n"
    rest = f"User-Agent: infratest/{__version__}\r\nConnection: close\r\n\r\n"
    context = trusting(None) if address.scheme == "https" else None
    with line(address.host, address.port, deadline) as one:
        if context is not None:
            one.secure(context, address.host)
        try:
            one.socket.sendall((head + rest).encode("ascii"))
            answer = read(one.socket)
        except (OSError, NoAnswer) as error:
            return f"{shown}: {one.why(error)}"
    return "" if answer.status < 500 else f"{shown}: it answers {answer.status}"
