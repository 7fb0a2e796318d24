"""The contract of a sender: `send`, which hands what the monitor saw to another tool of the user's.

The monitor calls it, in a thread of each sender's own (`monitor.sending`). It says how many of what it was given are
done with: taken, or such as the other side cannot hold. What is not done with is given to it again, so that a tool that
is away for a while misses nothing that still waits. All text is of hosts and strangers: each file cleans it for its own
format, or refuses it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.model import Report, Result
from infratest.options import build, fields, spelled_out
from infratest.outsiders import get, options_of
from infratest.paths import path_of
from infratest.receivers._line import loopback
from infratest.states import OK, SKIPPED, UNKNOWN, WAIVED, worst
from infratest.store.events import Event
from infratest.web_address import host_and_port

#: The option that says where; it may stand alone.
ADDRESS: Mapping[str, Any] = {"title": "HOST or HOST:PORT", "short": True, "description": "Where it is sent."}
PLAIN: Mapping[str, Any] = {
    "description": "Whether it may go to another machine in clear, where all on the way can read and change it."
}


@dataclass(frozen=True)
class Service:
    """A scenario as tools know it that have hosts and services, under the names that `infratest monitor export` writes.

    Args:
        host: its name there. name: of the service; empty where it is the host itself. results: all rows of an outline
        on that host, as they are known, else the one.
    """

    host: str
    name: str
    results: tuple[Result, ...]

    @property
    def state(self) -> str:
        """The worst of the rows; what is waived is ok, as it is told of a check."""
        seen = [OK if each.state == WAIVED else each.state for each in self.results if each.state != SKIPPED]
        return worst(seen) if seen else UNKNOWN

    def report(self, stack: str, env: str) -> Report:
        """Return them as a check of this one service would report them."""
        return Report(stack, env, "", sum(each.duration for each in self.results), self.results)


@dataclass(frozen=True)
class Seen:
    """One thing that the monitor saw.

    Args:
        time: seconds since the epoch. stack, env: of the monitor. events: what it is as events: a result's state, and
        each of its numbers; or one number that came from outside. result: None for what came from outside. service:
        None for what no export knows.
    """

    time: float
    stack: str
    env: str
    events: tuple[Event, ...]
    result: Result | None = None
    service: Service | None = None


@dataclass(frozen=True)
class Handed:
    """What became of some that were to be sent.

    Args:
        done: how many of them, from the first on, need not be sent again. left: how many of those the other side cannot
        hold, or does not know. why: what stood in the way of one of them, or of the first that is not done with.
    """

    done: int
    left: int = 0
    why: str = ""


class Sender(ABC):
    """One way out. Its `Options`, a frozen dataclass, stand beside it or inside it; one may be `short`.

    An option with `source` in its metadata is a file here. Nobody calls `send` of one sender twice at the same time.
    """

    #: How many it is given at once.
    at_once: ClassVar[int] = 500
    #: Whether what it sends says of which environment it is; else a host of another that has the same name is the same.
    says_environment: ClassVar[bool] = True

    def __init__(self, options: Any, folder: Path) -> None:
        self.options = options
        self.folder = folder

    @abstractmethod
    def send(self, seen: Sequence[Seen], deadline: Deadline) -> Handed:
        """Hand over at most `at_once` of them, in their order.

        Raises:
            InfratestError: none of them is known to have arrived, and all are to be sent again.
        """

    def foresee(self) -> None:  # noqa: B027 - most need nothing
        """Look, before it is needed, whether what it needs on this machine is there. Raises UserError."""

    def describe(self) -> str:
        """Return where it sends, in a few words and without a secret: `graphite 127.0.0.1:2003`."""
        return self.word

    @property
    def word(self) -> str:
        """What users call this kind."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    def path(self, text: str) -> Path:
        """Return the path that a stack file means: relative ones begin where it lies."""
        return path_of(self.folder, text)


def opened(kind: str, options: Any, what: str, folder: Path, shared: Sequence[str] = ()) -> Sender:
    """Return a sender as a stack file declares it.

    Args:
        what: where it stands, for messages: `stack.yaml:9: monitor.send[0]`. folder: of the stack file. shared: the
        environments that it is declared for at once, where those are several.
    Raises:
        UserError: nobody has that kind, its options are not such as it has, or it is for one environment alone.
    """
    try:
        plugin = get("sender", kind)
        known = options_of(plugin)
        short = known is not None and any(field.about.get("short") for field in fields(known).values())
        if known is None or not (isinstance(options, Mapping) or short):
            raise UserError(f"{kind}: expected a map of its options, found {options!r}")
        if shared and not plugin.says_environment:
            raise UserError(
                f"{' and '.join(shared)} have this entry, and what it sends does not say of which it is: a host of one "
                f"would stand for another's of that name; write it in the one that the tool watches, as environments: "
                f"{{{shared[-1]}: {{monitor: {{send: [...]}}}}}}, and in several only where no names are equal"
            )
        made: Sender = plugin(build(known, spelled_out(known, options), f"{what}: {kind}"), folder)
    except UserError as error:
        words = str(error)
        raise UserError(words if words.startswith(what) else f"{what}: {kind}: {words}") from None
    return made


def where(text: str, port: int, plain: bool) -> tuple[str, int]:
    """Return host and port of an address to which everything goes in clear.

    Args:
        port: where it names none. plain: whether it may be another machine.
    Raises:
        UserError: it is none, or must not be sent to.
    """
    found = host_and_port(text)
    if found is None or not found[0] or not text.isprintable() or " " in text:
        raise UserError(f"address: {text!r} is no HOST or HOST:PORT")
    if not (plain or loopback(found[0])):
        raise UserError(
            f"address: what goes to {found[0]} is read by all on the way, and may be changed there; send to a relay on "
            "127.0.0.1, or add `plain: true` where the network between is yours"
        )
    return found[0], found[1] or port
