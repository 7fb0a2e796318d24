"""What can be said of files, directories, links, and paths whatever is there.

Links are followed, but by LinkTo, which is about the link itself. What a path is, whose it is and what it holds cannot
be said of one that is not there: then neither the claim nor its negation is met.
"""

from __future__ import annotations

from infratest.steps._of_file import DIRECTORY, PATH, OfAccounts, OfFile, accounts, octal, one_name_each

from infratest.check import Check, Measure, Seen, choices
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import act, check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.acts.file import FileAct
    from infratest.acts.mode import ModeAct
    from infratest.facts.base import FactValues
    from infratest.facts.file import File

#: Seconds that a file's time may be ahead of its host's clock: a network share's clock is another one.
AHEAD = 60


@check(
    'the file "{path}" exists',
    negation='the file "{path}" does not exist',
    example='the file "/etc/hosts" exists',
)
class FileExists(OfFile):
    """There is something at the path, and it is no directory; links are followed."""

    of_property = False

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists ({file.kind}, mode {file.mode})")


@check(
    'the directory "{path}" exists',
    negation='the directory "{path}" does not exist',
    example='the directory "/var/www" exists',
)
def directory_exists(path: str) -> FileExists:
    """There is a directory at the path; links are followed."""
    return FileExists(path, DIRECTORY)


@check(
    'the path "{path}" exists',
    negation='the path "{path}" does not exist',
    example='the path "/srv/app/current" exists',
)
def path_exists(path: str) -> FileExists:
    """There is something at the path, of whatever kind; links are followed."""
    return FileExists(path, PATH)


@check(
    'the file "{path}" is owned by "{owner}"',
    negation='the file "{path}" is not owned by "{owner}"',
    example='the file "/etc/hosts" is owned by "root"',
)
class FileOwner(OfAccounts):
    """The file's owner, by name or by user id; of a name that no user has, neither this nor its *not* is met."""

    owner: str = ""
    several: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        one_name_each(self.owners, "is owned by one of", "is owned by none of")

    @property
    def owners(self) -> tuple[str, ...]:
        return choices(self.owner) if self.several else (self.owner,)

    def names(self) -> tuple[Need, ...]:
        return accounts("user", self.owners)

    def look(self, file: File) -> Seen:
        return Seen(
            holds=file.owner in self.owners or str(file.uid) in self.owners,
            saw=f'{self.subject} is owned by "{file.owner}" (uid {file.uid})',
        )


@check(
    'the directory "{path}" is owned by "{owner}"',
    negation='the directory "{path}" is not owned by "{owner}"',
    example='the directory "/var/www" is owned by "www-data"',
)
def directory_owner(path: str, owner: str) -> FileOwner:
    """The directory's owner, by name or by user id."""
    return FileOwner(path, DIRECTORY, owner)


@check(
    'the file "{path}" is owned by one of "{values}"',
    negation='the file "{path}" is owned by none of "{values}"',
    example='the file "/etc/hosts" is owned by one of "root, adm"',
)
def file_owner_among(path: str, values: str) -> FileOwner:
    """The file's owner is one of these, by name or by user id, with commas between them."""
    return FileOwner(path, owner=", ".join(choices(values)), several=True)


@check(
    'the directory "{path}" is owned by one of "{values}"',
    negation='the directory "{path}" is owned by none of "{values}"',
    example='the directory "/var/www" is owned by one of "root, www-data"',
)
def directory_owner_among(path: str, values: str) -> FileOwner:
    """The directory's owner is one of these, by name or by user id, with commas between them."""
    return FileOwner(path, DIRECTORY, owner=", ".join(choices(values)), several=True)


@check(
    'the path "{path}" is owned by "{owner}"',
    negation='the path "{path}" is not owned by "{owner}"',
    example='the path "/srv/app/current" is owned by "deploy"',
)
def path_owner(path: str, owner: str) -> FileOwner:
    """The owner of what is there, by name or by user id."""
    return FileOwner(path, PATH, owner)


@check(
    'the file "{path}" belongs to the group "{group}"',
    negation='the file "{path}" does not belong to the group "{group}"',
    example='the file "/etc/shadow" belongs to the group "shadow"',
)
class FileGroup(OfAccounts):
    """The file's group, by name or by group id; of a name that no group has, neither this nor its *not* is met."""

    group: str = ""
    several: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        one_name_each(self.groups, "belongs to one of the groups", "belongs to none of the groups")

    @property
    def groups(self) -> tuple[str, ...]:
        return choices(self.group) if self.several else (self.group,)

    def names(self) -> tuple[Need, ...]:
        return accounts("group", self.groups)

    def look(self, file: File) -> Seen:
        return Seen(
            holds=file.group in self.groups or str(file.gid) in self.groups,
            saw=f'{self.subject} belongs to the group "{file.group}" (gid {file.gid})',
        )


@check(
    'the directory "{path}" belongs to the group "{group}"',
    negation='the directory "{path}" does not belong to the group "{group}"',
    example='the directory "/var/www" belongs to the group "www-data"',
)
def directory_group(path: str, group: str) -> FileGroup:
    """The directory's group, by name or by group id."""
    return FileGroup(path, DIRECTORY, group)


@check(
    'the file "{path}" belongs to one of the groups "{values}"',
    negation='the file "{path}" belongs to none of the groups "{values}"',
    example='the file "/etc/shadow" belongs to one of the groups "root, shadow"',
)
def file_group_among(path: str, values: str) -> FileGroup:
    """The file's group is one of these, by name or by group id, with commas between them."""
    return FileGroup(path, group=", ".join(choices(values)), several=True)


@check(
    'the directory "{path}" belongs to one of the groups "{values}"',
    negation='the directory "{path}" belongs to none of the groups "{values}"',
    example='the directory "/var/www" belongs to one of the groups "root, www-data"',
)
def directory_group_among(path: str, values: str) -> FileGroup:
    """The directory's group is one of these, by name or by group id, with commas between them."""
    return FileGroup(path, DIRECTORY, group=", ".join(choices(values)), several=True)


@check(
    'the path "{path}" belongs to the group "{group}"',
    negation='the path "{path}" does not belong to the group "{group}"',
    example='the path "/srv/app/current" belongs to the group "www-data"',
)
def path_group(path: str, group: str) -> FileGroup:
    """The group of what is there, by name or by group id."""
    return FileGroup(path, PATH, group)


@check(
    'the file "{path}" has mode "{mode}"',
    negation='the file "{path}" does not have mode "{mode}"',
    example='the file "/etc/hosts" has mode "0644"',
)
class FileMode(OfFile):
    """The file's permission bits, in octal."""

    mode: str = ""
    several: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for mode in self.modes:
            octal(mode)

    @property
    def modes(self) -> tuple[str, ...]:
        return choices(self.mode) if self.several else (self.mode,)

    def look(self, file: File) -> Seen:
        holds = file.mode in [mode.zfill(4) for mode in self.modes]
        return Seen(holds=holds, saw=f"{self.subject} has mode {file.mode}")


@check(
    'the directory "{path}" has mode "{mode}"',
    negation='the directory "{path}" does not have mode "{mode}"',
    example='the directory "/tmp" has mode "1777"',
)
def directory_mode(path: str, mode: str) -> FileMode:
    """The directory's permission bits, in octal."""
    return FileMode(path, DIRECTORY, mode)


@check(
    'the file "{path}" has one of the modes "{values}"',
    negation='the file "{path}" has none of the modes "{values}"',
    example='the file "/etc/shadow" has one of the modes "0640, 0600"',
)
def file_mode_among(path: str, values: str) -> FileMode:
    """The file's permission bits are one of these, in octal, with commas between them."""
    return FileMode(path, mode=", ".join(choices(values)), several=True)


@check(
    'the directory "{path}" has one of the modes "{values}"',
    negation='the directory "{path}" has none of the modes "{values}"',
    example='the directory "/root" has one of the modes "0700, 0750"',
)
def directory_mode_among(path: str, values: str) -> FileMode:
    """The directory's permission bits are one of these, in octal, with commas between them."""
    return FileMode(path, DIRECTORY, mode=", ".join(choices(values)), several=True)


@check(
    'the path "{path}" has mode "{mode}"',
    negation='the path "{path}" does not have mode "{mode}"',
    example='the path "/srv/app/current" has mode "0750"',
)
def path_mode(path: str, mode: str) -> FileMode:
    """The permission bits of what is there, in octal."""
    return FileMode(path, PATH, mode)


@check(
    'the file "{path}" has at most mode "{mode}"',
    negation='the file "{path}" does not have at most mode "{mode}"',
    example='the file "/etc/shadow" has at most mode "0640"',
)
class FileModeAtMost(FileMode):
    """The file has no permission bit that this mode has not, as hardening guides say `0640 or more restrictive`."""

    def look(self, file: File) -> Seen:
        holds = not int(file.mode, 8) & ~int(self.mode, 8)
        return Seen(holds=holds, saw=f"{self.subject} has mode {file.mode}")


@check(
    'the directory "{path}" has at most mode "{mode}"',
    negation='the directory "{path}" does not have at most mode "{mode}"',
    example='the directory "/root" has at most mode "0750"',
)
def directory_mode_at_most(path: str, mode: str) -> FileModeAtMost:
    """The directory has no permission bit that this mode has not."""
    return FileModeAtMost(path, DIRECTORY, mode)


@check('the file "{path}" is {bound:size} in size', example='the file "/var/log/syslog" is less than 100 MiB in size')
class FileSize(OfFile):
    """The file's size."""

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} is {human(file.size, 'B')} in size", number=file.size)

    def measure(self) -> Measure:
        return Measure(label=f"{self.noun} {self.path} size", unit="B", minimum=0)


@check(
    'the file "{path}" was changed {bound:time} ago',
    example='the file "/var/backups/db.dump" was changed less than 26 h ago',
)
class FileAge(OfFile):
    """The time since the file was last changed, by the host's own clock.

    A time in the future would be less than any age for as long as it lasts, so it is unknown.
    """

    def look(self, file: File) -> Seen:
        if file.age < -AHEAD:
            raise FactError(f"{self.path} was changed {human(-file.age, 's')} in the future: a clock is wrong")
        return Seen(holds=True, saw=f"{self.subject} was changed {human(file.age, 's')} ago", number=file.age)

    def measure(self) -> Measure:
        return Measure(label=f"{self.noun} {self.path} age", unit="s")


@check(
    'the link "{path}" exists',
    negation='the link "{path}" does not exist',
    example='the link "/etc/localtime" exists',
)
class LinkExists(Check):
    """The path is a symbolic link, whether or not its target is there."""

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[File]:
        return Need("file", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def link(self, facts: FactValues) -> tuple[str | None, str]:
        """Return the target (None where it is no link) and words."""
        file = facts[self.asked]
        if file.link is not None:
            dangling = ", which does not exist" if file.kind is None else ""
            dangling = f", which could not be looked at: {file.problem}" if file.problem else dangling
            return file.link, f'the link "{self.path}" points to "{file.link}"{dangling}'
        if file.problem:
            raise FactError(f"{self.path}: {file.problem}")
        if file.kind is None:
            return None, f'the link "{self.path}" does not exist'
        return None, f"{self.path} is a {file.kind} and no link"

    def observe(self, facts: FactValues) -> Seen:
        target, words = self.link(facts)
        return Seen(holds=target is not None, saw=words)


@check(
    'the link "{path}" points to "{target}"',
    negation='the link "{path}" does not point to "{target}"',
    example='the link "/etc/localtime" points to "/usr/share/zoneinfo/Etc/UTC"',
)
class LinkTo(LinkExists):
    """The path is a symbolic link with this target, as it is written in the link."""

    target: str

    def observe(self, facts: FactValues) -> Seen:
        target, words = self.link(facts)
        return Seen(holds=target == self.target, saw=words, absent=target is None)


@act('the file "{path}" is removed', example='the file "/etc/app.yml" is removed', undo="it is put back")
def file_is_removed(path: str) -> FileAct:
    """Take a regular file away for a while."""
    from infratest.acts.file import FileAct  # a check does not act

    return FileAct(path, "remove")


@act('the file "{path}" is emptied', example='the file "/etc/app.yml" is emptied', undo="what it was is put back")
def file_is_emptied(path: str) -> FileAct:
    """Leave nothing in a regular file for a while."""
    from infratest.acts.file import FileAct  # a check does not act

    return FileAct(path, "empty")


@act(
    'the file "{path}" is given mode "{mode}"',
    example='the file "/etc/shadow" is given mode "0666"',
    undo="it is given the mode that it had",
)
def file_is_given_mode(path: str, mode: str) -> ModeAct:
    """Change the permission bits of a file or a directory."""
    from infratest.acts.mode import ModeAct  # a check does not act

    return ModeAct(path, mode)
