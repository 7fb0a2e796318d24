"""The contract of a fact: how to ask (one shell snippet for any POSIX host) and how to read the answer (pure).

The engine gathers every need of a host, asks each fact once with all its arguments, sends all snippets as one script,
and hands each answer to `read`. A snippet is POSIX sh (dash, busybox, bash, mksh), only looks, spawns as little as
it can however many arguments it gets, and reads nothing from standard input. Where the host is of a system that the
fact does not know, or a tool is missing, the snippet says so on standard error and exits with NO_TOOL.

The class of a fact's value stands in the fact's own file, beside what a name of it may be, and says its own words for
evidence (`in_words`). Sentences import it for type checkers alone, and rules for names when a check is made: most of a
vocabulary is never asked.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from infratest.deadline import Deadline
from infratest.errors import FactError, UserError
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, ClassVar, Generic, Protocol

    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)

    class _Typed(Record, Generic[T]):
        """A record of which type checkers know what answers it."""

    class FactValues(Protocol):
        """What was answered, by what was asked."""

        def __getitem__(self, need: Need[T], /) -> T: ...
else:
    T, _Typed = 0, (Record,)  # `_Typed[T]` is a plain record: a check pays for no types

#: Exit status of a snippet that cannot look; its standard error says what is missing. EX_UNAVAILABLE of sysexits.h.
NO_TOOL = 69

#: Seconds that a server has for its answer, seen from the controller, and from a host that had to be reached before.
#: Who is silent for so long does not answer, which must be known before a check is over: it has 10 for all it does, and
#: its start on a machine that is busy, or what `for` has looked at before a server hung, takes some of them.
PATIENCE, PATIENCE_THERE = 6.0, 5.0

#: The argument of one question, as `("nginx",)`; `()` for a fact that has none.
Argument = tuple[str, ...]


class Need(_Typed[T]):
    """One question: a fact's name and the argument it is asked with.

    `Need[Mount]` is one that a Mount answers. That is for type checkers alone, and costs a check nothing.
    """

    fact: str
    argument: Argument = ()
    #: Seconds that its answer may take by its sentence, where that says more than PATIENCE; the question is the same.
    seconds: float = 0.0

    # Tables of facts are asked by needs all the time.

    @derived
    def _hash(self) -> int:
        return hash((self.fact, self.argument))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Need) and self.fact == other.fact and self.argument == other.argument


def absolute(path: str) -> str:
    """Return an absolute path as a fact is asked about it: as it is, but for slashes at its end.

    Raises:
        UserError: it does not begin with a slash, or holds a NUL.
    """
    if not path.startswith("/") or "\0" in path:
        raise UserError(f"{path!r} is not an absolute path: it must begin with /")
    return path.rstrip("/") or "/"


def single(value: str, noun: str, instead: str = "say of each in a sentence of its own") -> str:
    """Return a value as it is where one name is meant: of what no name can be each negation would hold for ever.

    Args:
        noun: what it is the name of. instead: how several are said.

    Raises:
        UserError: it is empty, a list with commas, or holds a wildcard.
    """
    if not value.strip():
        raise UserError(f'the {noun} "{value}": write the one that is meant')
    if "," in value:
        raise UserError(f'the {noun} "{value}" is a list, where one is meant: {instead}')
    if any(sign in value for sign in "*?"):
        raise UserError(f'the {noun} "{value}" holds a wildcard, which no such name is read with: write it whole')
    return value


class Answer(Record):
    """What one snippet answered: exit status and both streams as text (UTF-8, replaced where it is not).

    `exact`: whether standard output is text and arrived as it was written; a NUL of a command arrives as U+FFFD.
    `err_whole`: whether standard error arrived from its beginning; of a command that says much, its end is kept.
    `sent`, `came`: of a fact that is `timed`, between which two moments it was asked, in seconds of the controller's
    monotonic clock.
    """

    exit: int
    out: str
    err: str = ""
    truncated: bool = False
    exact: bool = True
    err_whole: bool = True
    sent: float = 0.0
    came: float = 0.0


class Fact(ABC):
    """A kind of thing that can be so on a host."""

    #: True: one snippet and one answer for each argument (a user's command); False: one snippet for all arguments.
    alone: ClassVar[bool] = False
    #: True: asked as the login user even where the host says sudo.
    unprivileged: ClassVar[bool] = False
    #: True: what its snippet prints is for `read` alone; evidence shows the value in words.
    encoded: ClassVar[bool] = False
    #: True: its answers say when they were asked.
    timed: ClassVar[bool] = False
    #: Below zero: it is asked before all others of a host; above one: behind the user's commands.
    turn: ClassVar[int] = 0
    #: True: it waits for others, for all at the same time, each with an end of its own: so together they get the whole
    #: time, and other facts of this kind are asked beside it.
    at_once: ClassVar[bool] = False
    #: Where no real answer was ever at hand: after what it was written; sentences that ask it bear that mark.
    unseen: ClassVar[str] = ""

    @abstractmethod
    def ask(self, arguments: Sequence[Argument]) -> str:
        """Return the shell snippet that answers for all these arguments. Values are put in by `quoting` alone."""

    def described(self, argument: Argument) -> str:
        """Return what it is asked about, as evidence and `plan` name it to people."""
        return " ".join(argument)

    def shown(self, answer: Answer) -> Answer:
        """Return the answer as evidence shows it to people: without the fact's own markers."""
        return answer

    @abstractmethod
    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        """Return a value for each argument (absence is a value too); a FactError where one alone cannot be known.

        Raises:
            FactError: the answer is cut off, not understood, or says that the host could not look.
        """

    def readable(self, answer: Answer, *statuses: int) -> Answer:
        """Return the answer if it is whole and its status is 0 or one of these; else raise FactError with its words."""
        words = answer.err.strip() or f"exit {answer.exit}"
        if answer.exit == NO_TOOL:
            raise FactError(words)
        if answer.truncated:
            raise FactError("the answer is too long and was cut off")
        if answer.exit != 0 and answer.exit not in statuses:
            raise FactError(f"could not look: {words}")
        return answer


class LooksForEach(Fact):
    """A fact whose one snippet looks for many things, given to it as positional parameters.

    A host where the snippet fails for all of them together is asked for each of them alone: one name that a tool does
    not take costs no neighbour its answer.
    """

    @abstractmethod
    def snippet(self) -> str:
        """Return shell that answers for all that its positional parameters name."""

    def words(self, argument: Argument) -> tuple[str, ...]:
        """Return the positional parameters for one argument: as many for each, at most 4."""
        return argument[:1]

    def ask(self, arguments: Sequence[Argument]) -> str:
        from infratest.quoting import quoted  # a look at this machine asks no shell

        listed = " ".join(quoted(word) for argument in arguments for word in self.words(argument))
        return f"set -- {listed}\n{self.snippet()}"


if TYPE_CHECKING:
    #: Maps an address and port, as a feature names them, to where the controller connects to. Raises FactError where
    #: it cannot: a host's port that is neither published nor routed.
    Connect = Callable[[str, int], tuple[str, int]]


class LooksFromController(Fact):
    """A fact that can be looked at from the controller too, without any host.

    `patience`, `patience_there`: seconds that a server has, seen from the controller and from a host.
    """

    patience: float = PATIENCE
    patience_there: float = PATIENCE_THERE

    def bear(self, seconds: float) -> None:
        """Wait so long for answers: a sentence says that one may take it."""
        self.patience, self.patience_there = max(self.patience, seconds), max(self.patience_there, seconds)

    @abstractmethod
    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        """Return a value for each argument, looked at one after the other.

        Raises:
            FactError: the controller could not look. DeadlineExceeded: our own deadline passed before it knew.
        """


class LooksHere(Fact):
    """A fact that this machine can be asked without spawning anything: files of /proc, system calls, netlink."""

    @abstractmethod
    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        """Return what `read` would of the snippet's answer; what is left out, or None, the snippet must be asked.

        Raises:
            FactError: as `read`.
        """
