"""What can be said of a file's flags in its file system: immutable and append-only."""

from __future__ import annotations

from infratest.steps._of_file import DIRECTORY, OfFile

from infratest.check import Seen
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.file import File
    from infratest.facts.file_attribute import FileAttributes


class FileFlag(OfFile):
    """One flag of a file, by chattr's letter."""

    letter: str = ""

    @derived
    def flags(self) -> Need[FileAttributes]:
        return Need("file-attribute", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return self.asked, self.flags

    def observe(self, facts: FactValues) -> Seen:
        seen, attributes = super().observe(facts), facts[self.flags]
        if seen.absent:
            return seen
        if not attributes.there:
            raise FactError(f"{self.path}: {attributes.problem or 'it was there, and is not any more'}")
        return Seen(self.letter in attributes.letters, f"{self.subject} has {attributes.in_words()}")

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists")


@check(
    'the file "{path}" is immutable',
    negation='the file "{path}" is not immutable',
    example='the file "/etc/resolv.conf" is immutable',
)
def immutable(path: str) -> FileFlag:
    """Nobody can change, rename or remove it, root included, until the flag is taken off (chattr +i)."""
    return FileFlag(path, "file", "i")


@check(
    'the directory "{path}" is immutable',
    negation='the directory "{path}" is not immutable',
    example='the directory "/boot" is immutable',
)
def immutable_directory(path: str) -> FileFlag:
    """Nobody can make, rename or remove a file in it, root included, until the flag is taken off (chattr +i)."""
    return FileFlag(path, DIRECTORY, "i")


@check(
    'the file "{path}" is append-only',
    negation='the file "{path}" is not append-only',
    example='the file "/var/log/audit/audit.log" is append-only',
)
def append_only(path: str) -> FileFlag:
    """It can be written at its end alone, by root too (chattr +a)."""
    return FileFlag(path, "file", "a")
