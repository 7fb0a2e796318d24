"""The fact `document`: the whole text of a regular file, for what reads a format. Argument: the absolute path.

Its text is UTF-8, with or without a byte order mark, and of at most 1 MiB.
"""

from __future__ import annotations

import os
from stat import S_ISREG

from infratest.facts import _machine
from infratest.facts._carried import WHOLE, ReadsFiles
from infratest.facts.base import Argument, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Document(Record):
    """The text of a regular file.

    Args:
        there: whether there is a regular file. problem: as in File, and where it is no text.
    """

    there: bool = True
    text: str = ""
    problem: str = ""

    def in_words(self) -> str:
        """It may hold what nobody is to see, so that its length alone is told."""
        return f"a text of {len(self.text)} characters" if self.there else "does not exist or is no regular file"


TOO_LARGE = "it has more than the 1 MiB that are read of a document"


class DocumentFact(ReadsFiles, LooksHere):
    """Texts of files."""

    searching = ""  # nothing is: its questions have no words for it

    def words(self, argument: Argument) -> tuple[str, ...]:
        return argument[0], "", "", ""

    def absent(self) -> Document:
        return Document(there=False)

    def unknown(self, problem: str) -> Document:
        return Document(problem=problem)

    def large(self, size: int, argument: Argument) -> Document:
        return Document(problem=TOO_LARGE if size else "it tells no size, so it is not read")

    def searched(self, mark: str, words: str) -> None:
        return None

    def within(self, data: bytes, argument: Argument) -> Document:
        return _document(data)

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        paths = [_machine.encoded(path) for (path,) in arguments]
        if _machine.may_wait(paths):
            return None
        return {argument: _here(path) for argument, path in zip(arguments, paths, strict=True)}


def _document(data: bytes) -> Document:
    if len(data) > WHOLE:
        return Document(problem=TOO_LARGE)
    try:
        return Document(text=data.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Document(problem=f"it is no UTF-8 text: line {line} has the byte {data[error.start]:#04x}")


def _here(path: bytes) -> Document:
    """Return what is so on this machine."""
    try:
        status = os.stat(path)
        if not S_ISREG(status.st_mode):
            return Document(there=False)
        data = _machine.whole(path, WHOLE + 1, _machine.READ_AT_ONCE)
    except OSError as error:
        return Document(there=False) if _machine.absent(error) else Document(problem=_machine.why(error))
    if data and not status.st_size:
        return Document(problem="it tells no size, so it is not read")
    return _document(data)
