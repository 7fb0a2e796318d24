"""The contract of an importer: `read`, another tool's files as a feature, and what could not be carried over.

`infratest import NAME PATH` asks it; the file's name is the word there. Nothing is left out in silence: each claim of
the other tool is a sentence, or is in `left` with its file, its line and the reason. What is carried over but is
stricter here, or is looked at in another way, is in `notes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Remark:
    """Words about a place of the other tool's file."""

    path: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


def by_place(remarks: Iterable[Remark]) -> list[Remark]:
    """Return remarks in the order of their places."""
    return sorted(remarks, key=lambda remark: (remark.path, remark.line))


@dataclass(frozen=True)
class Imported:
    """What came of it.

    Args:
        files: name, below a folder, and text of each file that is to be written; one with the name "" goes to standard
        output. carried: how many claims became sentences (or what `unit`
        names). left: what could not be carried over. notes: what to know.
    """

    files: Mapping[str, str]
    carried: int
    left: Sequence[Remark] = ()
    notes: Sequence[Remark] = ()
    unit: str = "claim"


class Importer(ABC):
    """Reads files of another tool.

    Attributes:
        summary: what it reads, for the help. takes_variables: whether `--vars` means something to it.
    """

    summary: str
    takes_variables = False

    @abstractmethod
    def read(self, path: Path, variables: Sequence[Path] = ()) -> Imported:
        """Return what came of a file or folder.

        Args:
            variables: the files of `--vars`.
        Raises:
            UserError: it is not there, cannot be read as what the tool would read, or holds what is refused.
        """
