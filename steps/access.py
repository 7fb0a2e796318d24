"""What can be said of what an account may do with a file or a directory, as the kernel judges it."""

from __future__ import annotations

from infratest.steps._of_file import DIRECTORY, OfFile

from infratest.check import Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.access import Access
    from infratest.facts.base import FactValues
    from infratest.facts.file import File


@check(
    'the file "{path}" is {way:word} by the user "{user}"',
    negation='the file "{path}" is not {way:word} by the user "{user}"',
    example='the file "/etc/shadow" is readable by the user "www-data"',
)
class FileAccess(OfFile):
    """The account may read, write or execute it (readable, writable, executable): by mode, groups, ACL and mount.

    The kernel is asked as that account, which root alone can do; anybody can ask about themselves.
    """

    way: str = ""
    user: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name
        from infratest.facts.access import WAYS

        super().__post_init__()
        entry_name(self.user)
        if self.way not in WAYS:
            raise UserError(f'is {self.way} by the user "{self.user}": expected one of {", ".join(WAYS)}')

    @derived
    def judged(self) -> Need[Access]:
        return Need("access", (absolute(self.path), self.user, self.way))

    @derived
    def ways(self) -> tuple[Need[Access], ...]:
        """What has to be allowed: nobody makes a file in a directory that they may write and not go through."""
        if self.noun == DIRECTORY and self.way == "writable":
            return self.judged, Need("access", (absolute(self.path), self.user, "executable"))
        return (self.judged,)

    def needs(self) -> tuple[Need, ...]:
        return self.asked, *self.ways

    def observe(self, facts: FactValues) -> Seen:
        seen, ways = super().observe(facts), [facts[need] for need in self.ways]
        if seen.absent:
            return seen
        for access in ways:
            if access.problem or not access.there:
                raise FactError(f"{self.path}: {access.problem or 'it was there, and is not any more'}")
            if not access.user:
                return Seen(holds=False, saw=f"the user {in_quotes(self.user)} does not exist", absent=True)
        allowed = all(access.allowed for access in ways)
        words = f"is {'' if allowed else 'not '}{self.way} by the user {in_quotes(self.user)}"
        return Seen(holds=allowed, saw=f"{self.subject} {words} ({seen.saw})")

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"mode {file.mode}, owner {file.owner}, group {file.group}")


@check(
    'the directory "{path}" is {way:word} by the user "{user}"',
    negation='the directory "{path}" is not {way:word} by the user "{user}"',
    example='the directory "/var/www" is writable by the user "www-data"',
)
def directory_access(path: str, way: str, user: str) -> FileAccess:
    """The account may list it (readable), make and remove files in it (writable), go through it (executable)."""
    return FileAccess(path, DIRECTORY, way, user)
