"""What can be said of the access control list of a file or a directory.

An entry is asked for as it is written in the list: what it permits in the end, the mask narrows. What an account may
do, `is readable by the user "..."` asks.
"""

from __future__ import annotations

from infratest.steps._of_file import DIRECTORY, OfFile

from infratest.check import Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.acl import Acl
    from infratest.facts.base import FactValues
    from infratest.facts.file import File


class _OfAcl(OfFile):
    """Some entries of a list; as a sentence has them."""

    entries: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.listed  # noqa: B018 - an entry that cannot be is refused before anything is asked

    @derived
    def listed(self) -> tuple[str, ...]:
        from infratest.facts.acl import acl_entry

        return tuple(acl_entry(entry) for entry in self.entries.split(","))

    @derived
    def acl(self) -> Need[Acl]:
        return Need("acl", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return self.asked, self.acl

    def observe(self, facts: FactValues) -> Seen:
        seen, acl = super().observe(facts), facts[self.acl]
        if seen.absent:
            return seen
        if not acl.there:
            raise FactError(f"{self.path}: {acl.problem or 'it was there, and is not any more'}")
        return Seen(holds=self.fits(acl.entries), saw=f"{self.subject} has the ACL {', '.join(acl.entries)}")

    def fits(self, entries: tuple[str, ...]) -> bool:
        """Return whether the list has what is claimed."""
        return set(self.listed) <= set(entries)

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists")


class AclEntry(_OfAcl):
    """One entry of the list."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.listed) != 1:
            raise UserError(f'the ACL entry "{self.entries}": expected one; of several say: has exactly the ACL "..."')


@check(
    'the file "{path}" has the ACL entry "{entry}"',
    negation='the file "{path}" does not have the ACL entry "{entry}"',
    example='the file "/srv/app.conf" has the ACL entry "user:deploy:rw-"',
)
def file_entry(path: str, entry: str) -> AclEntry:
    """Its access control list has this entry, as getfacl writes it; `u:deploy:rw` is the same."""
    return AclEntry(path, "file", entry)


@check(
    'the directory "{path}" has the ACL entry "{entry}"',
    negation='the directory "{path}" does not have the ACL entry "{entry}"',
    example='the directory "/srv/share" has the ACL entry "default:group:www-data:r-x"',
)
def directory_entry(path: str, entry: str) -> AclEntry:
    """Its access control list has this entry; one that begins with `default:` is for what is made in it."""
    return AclEntry(path, DIRECTORY, entry)


@check(
    'the file "{path}" has exactly the ACL "{entries}"',
    negation='the file "{path}" does not have exactly the ACL "{entries}"',
    example='the file "/srv/app.conf" has exactly the ACL "u::rw, u:deploy:rw, g::r, m::rw, o::-"',
)
class ExactAcl(_OfAcl):
    """Its access control list has these entries and no other, the three of its mode and the mask with them."""

    def fits(self, entries: tuple[str, ...]) -> bool:
        return set(self.listed) == set(entries)


@check(
    'the directory "{path}" has exactly the ACL "{entries}"',
    negation='the directory "{path}" does not have exactly the ACL "{entries}"',
    example='the directory "/srv/share" has exactly the ACL "u::rwx, g::r-x, o::---"',
)
def exact_directory_acl(path: str, entries: str) -> ExactAcl:
    """Its access control list has these entries and no other, the default ones with them."""
    return ExactAcl(path, DIRECTORY, entries)
