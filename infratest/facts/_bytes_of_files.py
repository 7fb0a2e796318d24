"""Files whose bytes are read here: carried whole, of at most 1 MiB, beside the clock of their host.

Shared by the facts about certificates and keys in files. A file's value says there is none, what is in it, or why that
is not known.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from stat import S_ISREG

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._carried import WHOLE, ReadsFiles
from infratest.facts._shell import number
from infratest.facts.base import Answer, Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

TOO_LARGE = "it has more than the 1 MiB that are read of such a file"
SIZELESS = "it tells no size, so it is not read"


class FileValue(Record):
    """What is in a file. `there`: whether it is a regular file. `now`: the host's clock. `problem`: as in File."""

    there: bool = True
    now: int = 0
    problem: str = ""


class BytesOfFiles(ReadsFiles, LooksHere):
    """A fact about what the bytes of a file mean."""

    searching = ""  # nothing is: its questions have no words for it
    value: ClassVar[type[FileValue]]

    @abstractmethod
    def parsed(self, data: bytes) -> FileValue:
        """Return what is in a file. Raises FactError."""

    def snippet(self) -> str:
        return f'echo "now $(date +%s)"\n{super().snippet()}'

    def words(self, argument: Argument) -> tuple[str, ...]:
        return argument[0], "", "", ""

    def absent(self) -> FileValue:
        return self.value(there=False)

    def unknown(self, problem: str) -> FileValue:
        return self.value(problem=problem)

    def large(self, size: int, argument: Argument) -> FileValue:
        return self.unknown(TOO_LARGE if size else SIZELESS)

    def searched(self, mark: str, words: str) -> None:
        return None

    def within(self, data: bytes, argument: Argument) -> FileValue:
        if len(data) > WHOLE:
            return self.unknown(TOO_LARGE)
        try:
            return self.parsed(data)
        except FactError as error:
            return self.unknown(str(error))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, _, rest = self.readable(answer).out.partition("\n")
        if not first.startswith("now "):
            raise FactError(f"the answer about files is not understood: {cited(first, 80)}")
        now = number(first[4:], "the host's clock")
        seen = super().read(answer.changed(out=rest), arguments)
        return {argument: value.changed(now=now) for argument, value in seen.items()}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        from time import time

        paths = [_machine.encoded(path) for (path,) in arguments]
        if _machine.may_wait(paths):
            return None
        now = int(time())
        return {
            argument: self._here(path, argument).changed(now=now)
            for argument, path in zip(arguments, paths, strict=True)
        }

    def _here(self, path: bytes, argument: Argument) -> FileValue:
        """Return what is so on this machine."""
        try:
            status = os.stat(path)
            if not S_ISREG(status.st_mode):
                return self.absent()
            data = _machine.whole(path, WHOLE + 1, _machine.READ_AT_ONCE)
        except OSError as error:
            return self.absent() if _machine.absent(error) else self.unknown(_machine.why(error))
        if data and not status.st_size:
            return self.unknown(SIZELESS)
        return self.within(data, argument)
