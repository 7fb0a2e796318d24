"""The fact `ssh-server`: what an SSH server says before any key: its version and the algorithms that it offers.
Argument: `db:22`.

From a host it takes python3. Nobody logs in, and no key is exchanged.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._outside import FAILED, MUTE, OPEN, SILENT, UNRESOLVED
from infratest.facts._server_place import server_place, unanswered
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class SshServer(Record):
    """What was said.

    Args:
        version: the line that it begins with, as `SSH-2.0-OpenSSH_9.2p1`; empty where there was none.
        key_exchanges, host_keys, ciphers, macs, compressions: by their names, the most liked first; those of either
        direction. seconds: until all was there. refused: why nothing was, in words.
    """

    version: str = ""
    key_exchanges: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    compressions: tuple[str, ...] = ()
    seconds: float = 0.0
    refused: str = ""

    def in_words(self) -> str:
        if self.refused:
            return f"no answer: {self.refused}"
        lists = (
            ("key exchanges", self.key_exchanges), ("host keys", self.host_keys), ("ciphers", self.ciphers),
            ("MACs", self.macs), ("compressions", self.compressions),
        )  # fmt: skip
        return "\n".join([self.version, *(f"{what}: {', '.join(names)}" for what, names in lists)])


NO_PYTHON = f"echo 'python3 is not installed on this host' >&2\nexit {NO_TOOL}"


class SshServerFact(LooksForEach, LooksFromController):
    """Servers."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts import _ssh_hello
        from infratest.facts._outside_there import by_python, program_with

        return by_python(self.patience_there, NO_PYTHON, program_with(_ssh_hello.__file__))

    def words(self, argument: Argument) -> tuple[str, ...]:
        host, port = _place(argument)
        return ("ssh", host, str(port), "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows, seconds

        _, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, took, words = answers[index]
                found[argument] = _server(outcome, seconds(took), words, argument)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: self._look(argument, deadline, connect) for argument in arguments}

    def _look(self, argument: Argument, deadline: Deadline, connect: Connect) -> SshServer | FactError:
        from infratest.facts._ssh_hello import ssh_hello

        had = deadline.at_most(self.patience).left
        outcome, took, words = ssh_hello(*connect(*_place(argument)), had)
        if outcome in (SILENT, MUTE) and had < self.patience and deadline.passed:
            raise DeadlineExceeded(f"{argument[0]}: no answer before our own deadline")
        return _server(outcome, took, words, argument)


def _place(argument: Argument) -> tuple[str, int]:
    return server_place(argument[0], "SSH server", 22)


def _server(outcome: str, took: float, words: str, argument: Argument) -> SshServer | FactError:
    if outcome == OPEN:
        version, *lists = words.split("\n")
        if not version.startswith("SSH-") or len(lists) != 5:
            raise FactError(f"the answer is not understood: {cited(words, 80)}")
        exchanges, kinds, ciphers, macs, compressions = (tuple(row.split(",")) if row else () for row in lists)
        return SshServer(version, exchanges, kinds, ciphers, macs, compressions, took)
    try:
        return SshServer(refused=unanswered(outcome, words, argument[0]), seconds=took)
    except FactError as error:
        if outcome not in (FAILED, UNRESOLVED):
            raise
        return error
