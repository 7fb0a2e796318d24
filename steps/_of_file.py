"""What the sentences about one path share: it is a file, a directory or either, links followed, and it is there.

What a path is, whose it is and what it holds cannot be said of one that is not there: then neither the claim nor its
negation is met.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute, single
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.file import File
    from infratest.facts.group import Group
    from infratest.facts.user import User

DIRECTORY = "directory"
#: Whatever is there.
PATH = "path"


def octal(mode: str) -> None:
    """Refuse what is no mode. Raises UserError."""
    if not 3 <= len(mode) <= 4 or not set(mode) <= set("01234567"):
        raise UserError(f'the mode "{mode}": expected three or four octal digits in quotes, as "0644"')


class OfFile(Check):
    """A claim about a file, about a directory, or about what is there."""

    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    path: str
    noun: str = "file"

    def __post_init__(self) -> None:
        absolute(self.path)
        # The kernel takes a slash at the end for "and it is a directory", which no file is.
        if self.noun == "file" and self.path.endswith("/"):
            raise UserError(f'the file "{self.path}": a slash at its end is of a directory; leave it out, or say that')

    @derived
    def asked(self) -> Need[File]:
        return Need("file", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f'the {self.noun} "{self.path}"'

    def file(self, facts: FactValues) -> File:
        file = facts[self.asked]
        if file.problem:
            raise FactError(f"{self.path}: {file.problem}")
        return file

    def missing(self, file: File) -> str:
        """Words for a path that is not there or is something else; empty where it is what the sentence says."""
        if file.kind is None:
            dangling = f"; it is a link to {file.link}, which is not there" if file.link is not None else ""
            return f"{self.subject} does not exist{dangling}"
        if self.noun != PATH and (file.kind == "directory") != (self.noun == "directory"):
            return f"{self.subject} does not exist: {self.path} is a {file.kind}"
        return ""

    def observe(self, facts: FactValues) -> Seen:
        file = self.file(facts)
        missing = self.missing(file)
        return Seen(holds=False, saw=missing, absent=self.of_property) if missing else self.look(file)

    @abstractmethod
    def look(self, file: File) -> Seen:
        """Return what is seen in a path that is there and is what the sentence says."""


def accounts(kind: str, names: tuple[str, ...]) -> tuple[Need[User | Group | None], ...]:
    """Return what is asked of the names of owners or groups, so that a misspelt one is told; an id is only a number.

    Args:
        kind: `user` or `group`.
    """
    return tuple([Need(kind, (name,)) for name in names if not name.isdigit()])


def nobody(needs: tuple[Need[User | Group | None], ...], facts: FactValues) -> str:
    """Return words for the first of these that the host does not know; empty where it knows all."""
    return next((f'the {one.fact} "{one.argument[0]}" does not exist' for one in needs if facts[one] is None), "")


def unlike(saw: str, needs: tuple[Need[User | Group | None], ...], facts: FactValues) -> Seen:
    """Return what is seen where no name is the one that a path has: a name that is nobody's is the one of nothing.

    Then the negation is not met either: a misspelt name in it would be green for ever.
    """
    missing = nobody(needs, facts)
    return Seen(holds=False, saw=f"{missing}; {saw}" if missing else saw, absent=bool(missing))


class OfAccounts(OfFile):
    """A claim about whose a path is."""

    @abstractmethod
    def names(self) -> tuple[Need, ...]:
        """Return what is asked of the users or groups that the sentence names."""

    def needs(self) -> tuple[Need, ...]:
        return *super().needs(), *self.names()

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        return seen if seen.holds or seen.absent else unlike(seen.saw, self.names(), facts)


def one_name_each(names: tuple[str, ...], claim: str, negation: str) -> None:
    """Refuse what is no name of one owner or group, nor an id. Raises UserError, with how several are said."""
    from infratest.facts._accounts import entry_name

    for name in names:
        if "," in name:
            single(name, "name of a user or group", f'write {claim} "{name}", or {negation} "{name}"')
        if not name.isdigit():
            entry_name(name)
