"""The contract of an intake: `open`, which listens until `close`; what comes becomes events, or is counted as refused.

The monitor opens them and has what they took written with its next turn (`_arrivals.Arrivals`). Who sends is a
stranger: nothing that comes ends a thread, fills the memory or holds up the monitor. What listens beyond loopback needs
a word of the user's own that it may: `plain: true`, or tokens and a certificate where the format has them.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from infratest.errors import UserError
from infratest.intakes._arrivals import Arrivals
from infratest.options import build, fields, spelled_out
from infratest.outsiders import get, options_of
from infratest.paths import path_of

#: The option that every intake has; it may stand alone.
ADDRESS: Mapping[str, Any] = {
    "title": "HOST:PORT", "short": True, "description": "Where it listens; beyond loopback only where that is allowed.",
}  # fmt: skip
PLAIN: Mapping[str, Any] = {
    "description": "Whether it may listen beyond loopback, where all who reach it may send, and read what is sent."
}


@dataclass(frozen=True)
class House:
    """What an intake is given by who opens it.

    Args:
        arrivals: takes what comes. exposition: gives all that is known as Prometheus reads it, waiting for it some
        seconds at most. age: seconds since the monitor ended a turn of which all is written. hint: has what is watched
        on a host looked at now, and returns how many results that are; raises UnknownName where there is no such host.
        damaged: whether its store is, and there is no new one. targets: gives the hosts that are watched as Prometheus
        takes them by HTTP, with a port or the usual one; raises InfratestError where it is not known which these are.
    """

    arrivals: Arrivals
    exposition: Callable[[], str] = lambda: ""
    age: Callable[[], float] = lambda: 0.0
    hint: Callable[[str], int] = lambda host: 0
    damaged: Callable[[], bool] = lambda: False
    targets: Callable[[int | None], str] = lambda port: "[]"


class Intake(ABC):
    """One way in. Its `Options`, a frozen dataclass with an `address` that may stand alone, stand beside it.

    An option with `source` in its metadata is a file here.
    """

    #: Whether who sends shows a token, without which nothing beyond loopback is listened to.
    signed_in: bool = False

    def __init__(self, options: Any, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.host, self.port = _address(str(options.address))
        self.foresee()

    @abstractmethod
    def open(self, house: House) -> None:
        """Begin to listen, in threads of its own; `port` is then the one that was got. Raises UserError: not there."""

    @abstractmethod
    def close(self) -> None:
        """Listen no more; what came already is taken."""

    def foresee(self) -> None:
        """Refuse what must not be listened to. Raises UserError."""
        if not (loopback(self.host) or self.options.plain):
            raise UserError(
                f"address: {self.host} is beyond loopback, and whoever reaches it could send what is not so; listen "
                "on 127.0.0.1, or add `plain: true` where all who do may be believed"
            )

    def describe(self) -> str:
        """Return what it is in a few words: `statsd on 127.0.0.1:8125`."""
        return f"{self.word} on {place(self.host, self.port)}"

    @property
    def word(self) -> str:
        """What users call this kind."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    def path(self, text: str) -> Path:
        """Return the path that a stack file means: relative ones begin where it lies."""
        return path_of(self.folder, text)

    def taken_already(self, error: OSError) -> UserError:
        """Return the error of an address that cannot be listened on."""
        # `socket.create_server` puts the address behind the reason.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        return UserError(
            f"{self.word}: {place(self.host, self.port)} cannot be listened on: {why}; "
            "is something else there already? Name another address"
        )


def opened(kind: str, options: Any, what: str, folder: Path) -> Intake:
    """Return an intake as a stack file declares it, not listening yet.

    Args:
        what: where it stands, for messages: `stack.yaml:9: monitor.listen.statsd`. folder: of the stack file.
    Raises:
        UserError: nobody has that kind, or its options are not such as it has.
    """
    try:
        plugin = get("intake", kind)
        known = options_of(plugin)
        if known is None or not isinstance(options, Mapping | str):
            raise UserError(f"expected HOST:PORT, or a map of its options, found {options!r}")
        given = {key: value for key, value in spelled_out(known, options).items() if key in fields(known) or key}
        made: Intake = plugin(build(known, given, what), folder)
    except UserError as error:
        words = str(error)
        raise UserError(words if words.startswith(what) else f"{what}: {words}") from None
    return made


def loopback(host: str) -> bool:
    """Whether an address is this machine's own and no way leads to it from outside."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def place(host: str, port: int) -> str:
    """Return host and port as people write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(text: str) -> tuple[str, int]:
    """Return host and port; port 0 is any that is free. Raises UserError."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    plain = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 2**16
    if not (colon and bare and plain and bare.isprintable() and " " not in bare) or (bare == host and ":" in host):
        raise UserError(f"address: {text!r} is no HOST:PORT; write as 127.0.0.1:8125 or [::1]:8125")
    return bare, int(port)
