"""Questions about files, directories and links.

Links are followed, but by LinkTo, which is about the link itself. What a path is, whose it is and what it holds cannot
be said of one that is not there: then neither the claim nor its negation is met.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need
from infratest.found import Content, File
from infratest.names import absolute
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


#: Seconds that a file's time may be ahead of its host's clock: a network share's clock is another one.
AHEAD = 60


class _OfFile(Check):
    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    path: str
    noun: str = "file"

    def __post_init__(self) -> None:
        absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (Need("file", (absolute(self.path),)),)

    @property
    def subject(self) -> str:
        return f'the {self.noun} "{self.path}"'

    def file(self, facts: Mapping[Need, Any]) -> File:
        found: File = facts[self.needed[0]]
        if found.problem:
            raise FactError(f"could not look at {self.path}: {found.problem}")
        return found

    def missing(self, file: File) -> str:
        """Words for a path that is not there or is something else; empty where it is what the sentence says."""
        if file.kind is None:
            dangling = f"; it is a link to {file.link}, which is not there" if file.link is not None else ""
            return f"{self.subject} does not exist{dangling}"
        if (file.kind == "directory") != (self.noun == "directory"):
            return f"{self.subject} does not exist: {self.path} is a {file.kind}"
        return ""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        file = self.file(facts)
        missing = self.missing(file)
        return Seen(holds=False, saw=missing, absent=self.of_property) if missing else self.look(file)

    @abstractmethod
    def look(self, file: File) -> Seen:
        """Return what is seen in a path that is there and is what the sentence says."""


class FileExists(_OfFile):
    """Whether the path is there: as a directory, or as anything else."""

    of_property = False

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists ({file.kind}, mode {file.mode})")


class FileOwner(_OfFile):
    """Whether this user owns it; a number is a user id."""

    owner: str = ""

    def look(self, file: File) -> Seen:
        return Seen(
            holds=self.owner in (file.owner, str(file.uid)),
            saw=f'{self.subject} is owned by "{file.owner}" (uid {file.uid})',
        )


class FileGroup(_OfFile):
    """Whether it belongs to this group; a number is a group id."""

    group: str = ""

    def look(self, file: File) -> Seen:
        return Seen(
            holds=self.group in (file.group, str(file.gid)),
            saw=f'{self.subject} belongs to the group "{file.group}" (gid {file.gid})',
        )


class FileMode(_OfFile):
    """Whether its permission bits are these, in octal."""

    mode: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 3 <= len(self.mode) <= 4 or not set(self.mode) <= set("01234567"):
            raise UserError(f'the mode "{self.mode}": expected three or four octal digits in quotes, as "0644"')

    def look(self, file: File) -> Seen:
        return Seen(holds=file.mode == self.mode.zfill(4), saw=f"{self.subject} has mode {file.mode}")


class FileSize(_OfFile):
    """How large the file is."""

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} is {human(file.size, 'B')} in size", number=file.size)

    def measure(self) -> Measure:
        return Measure(label=f"{self.noun} {self.path} size", unit="B", minimum=0)


class FileAge(_OfFile):
    """How long ago it was changed, by the host's own clock.

    A time in the future would be less than any age for as long as it lasts, so it is unknown.
    """

    def look(self, file: File) -> Seen:
        if file.age < -AHEAD:
            raise FactError(f"{self.path} was changed {human(-file.age, 's')} in the future: a clock is wrong")
        return Seen(holds=True, saw=f"{self.subject} was changed {human(file.age, 's')} ago", number=file.age)

    def measure(self) -> Measure:
        return Measure(label=f"{self.noun} {self.path} age", unit="s")


class LinkExists(Check):
    """Whether the path is a symbolic link, wherever it points to."""

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (Need("file", (absolute(self.path),)),)

    def link(self, facts: Mapping[Need, Any]) -> tuple[str | None, str]:
        """Return the target (None where it is no link) and words."""
        file: File = facts[self.needed[0]]
        if file.link is not None:
            dangling = ", which does not exist" if file.kind is None else ""
            dangling = f", which could not be looked at: {file.problem}" if file.problem else dangling
            return file.link, f'the link "{self.path}" points to "{file.link}"{dangling}'
        if file.problem:
            raise FactError(f"could not look at {self.path}: {file.problem}")
        if file.kind is None:
            return None, f'the link "{self.path}" does not exist'
        return None, f"{self.path} is a {file.kind} and no link"

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        target, words = self.link(facts)
        return Seen(holds=target is not None, saw=words)


class LinkTo(LinkExists):
    """Whether the path is a symbolic link with just this target, as it is written in the link."""

    target: str

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        target, words = self.link(facts)
        return Seen(holds=target == self.target, saw=words, absent=target is None)


class FileContains(Check):
    """Whether the text occurs in the file, byte by byte; all of the file is looked at."""

    path: str
    text: str

    def __post_init__(self) -> None:
        absolute(self.path)
        if not self.text:
            raise UserError(f'the file "{self.path}" contains "": every file does; write the text that is meant')
        if "\0" in self.text:
            raise UserError(f'the file "{self.path}" contains a NUL character: such a text cannot be asked for')

    def needs(self) -> tuple[Need, ...]:
        return (Need("content", (absolute(self.path), self.text)),)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        content: Content = facts[self.needed[0]]
        if content.problem:
            raise FactError(f"could not read {self.path}: {content.problem}")
        if not content.there:
            saw = f'the file "{self.path}" does not exist or is no regular file'
            return Seen(holds=False, saw=saw, absent=True)
        if content.holds:
            where = "" if content.line is None else f" in line {content.line}"
            return Seen(holds=True, saw=f'the file "{self.path}" contains "{self.text}"{where}')
        size = "" if content.lines is None else f" ({content.lines} line{'' if content.lines == 1 else 's'})"
        return Seen(holds=False, saw=f'the file "{self.path}" does not contain "{self.text}"{size}')
