"""What can be said of a directory with all in it, at any depth, and of the files in it: owners and modes.

A claim holds where it is so of each, and its negation where it is so of none; where it is so of some, neither is met.
So it is where there is no such directory, or no file in it. Links are followed, and those that lead nowhere left out.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._of_file import accounts, octal, unlike

from infratest.check import Check, Seen, choices
from infratest.cleaning import clean
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.group import Group
    from infratest.facts.tree import Sort, Tree
    from infratest.facts.user import User

#: Characters of a path in a reason.
SHOWN = 200


class _OfTree(Check):
    path: str
    #: `all`, with the directory itself, or the `files` that it holds itself.
    which: str = "all"

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[Tree]:
        return Need("tree", (absolute(self.path), self.which))

    @property
    def subject(self) -> str:
        return f'the files in "{self.path}"' if self.which == "files" else f'the directory "{self.path}" with all in it'

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        tree = facts[self.asked]
        if tree.problem:
            raise FactError(f"{self.path} could not be read whole: {clean(tree.problem, SHOWN)}")
        if not tree.there:
            return Seen(holds=False, saw=f'the directory "{self.path}" does not exist', absent=True)
        if not tree.sorts:
            return Seen(holds=False, saw=f'there is no file in "{self.path}"', absent=True)
        others = [one for one in tree.sorts if not self.so(one)]
        count = sum(one.count for one in tree.sorts)
        first = (others or tree.sorts)[0]
        words = f"{clean(first.first, SHOWN)} {self.words(first)}"
        if not others:
            return Seen(holds=True, saw=f"{self.subject}: {count} looked at, {words}")
        other = sum(one.count for one in others)
        saw = f"{self.subject}: of {count} looked at, {other} otherwise: {words}"
        return Seen(holds=False, saw=saw, absent=other < count)

    @abstractmethod
    def so(self, one: Sort) -> bool:
        """Return whether the claim is so of what has this owner and this mode."""

    @abstractmethod
    def words(self, one: Sort) -> str:
        """Return what is so of one, behind its path."""


@check(
    'the directory "{path}" with all in it is owned by "{owner}"',
    negation='the directory "{path}" with all in it is not owned by "{owner}"',
    example='the directory "/etc/nginx" with all in it is owned by "root"',
)
class TreeOwner(_OfTree):
    """The directory and each file and directory in it, at any depth, have this owner, by name or by user id."""

    owner: str = ""
    several: bool = False

    @property
    def owners(self) -> tuple[str, ...]:
        return choices(self.owner) if self.several else (self.owner,)

    @derived
    def names(self) -> tuple[Need[User | Group | None], ...]:
        return accounts("user", self.owners)

    def needs(self) -> tuple[Need, ...]:
        return *super().needs(), *self.names

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        return seen if seen.holds or seen.absent else unlike(seen.saw, self.names, facts)

    def so(self, one: Sort) -> bool:
        return one.owner in self.owners or str(one.uid) in self.owners

    def words(self, one: Sort) -> str:
        return f'is owned by "{clean(one.owner, SHOWN)}" (uid {one.uid})'


@check(
    'the directory "{path}" with all in it is owned by one of "{values}"',
    negation='the directory "{path}" with all in it is owned by none of "{values}"',
    example='the directory "/etc/postgresql" with all in it is owned by one of "root, postgres"',
)
def tree_owner_among(path: str, values: str) -> TreeOwner:
    """The directory and each file and directory in it have an owner that is one of these."""
    return TreeOwner(path, owner=", ".join(choices(values)), several=True)


@check(
    'the directory "{path}" with all in it has at most mode "{mode}"',
    negation='the directory "{path}" with all in it does not have at most mode "{mode}"',
    example='the directory "/etc/nginx" with all in it has at most mode "0755"',
)
class TreeMode(_OfTree):
    """The directory and each file and directory in it, at any depth, have no permission bit that this mode has not."""

    mode: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        octal(self.mode)

    def so(self, one: Sort) -> bool:
        return not int(one.mode, 8) & ~int(self.mode, 8)

    def words(self, one: Sort) -> str:
        return f"has mode {one.mode}"


@check(
    'the files in "{path}" have at most mode "{mode}"',
    negation='the files in "{path}" do not have at most mode "{mode}"',
    example='the files in "/var/log/nginx" have at most mode "0640"',
)
def files_mode(path: str, mode: str) -> TreeMode:
    """Each file that a directory holds itself has no permission bit that this mode has not."""
    return TreeMode(path, "files", mode)
