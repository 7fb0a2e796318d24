"""What can be said of the files in a directory: how many, how large, how old the newest is, as backups are judged."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.directory import Directory

#: Seconds that a file's time may be ahead of its host's clock, as for a single file.
AHEAD = 60


class _OfFiles(Check):
    """Files of one directory; `pattern` is empty where the path's own last part is one."""

    path: str
    pattern: str = "*"

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - a path or a pattern that cannot be is refused before anything is asked

    @derived
    def asked(self) -> Need[Directory]:
        from infratest.facts.base import absolute
        from infratest.facts.directory import file_pattern, place

        if self.pattern:
            return Need("directory", (absolute(self.path), file_pattern(self.pattern)))
        return Need("directory", place(self.path))

    @derived
    def files(self) -> str:
        if not self.pattern:
            return f'of "{self.path}"'
        return f'in "{self.path}"{"" if self.pattern == "*" else f" named {self.pattern!r}"}'

    @derived
    def label(self) -> str:
        return self.path if self.pattern in ("", "*") else f"{self.path}/{self.pattern}"

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        directory, path = facts[self.asked], self.asked.argument[0]
        if directory.problem:
            raise FactError(f"{path} could not be read whole: {directory.problem}")
        if not directory.there:
            return Seen(holds=False, saw=f'the directory "{path}" does not exist', absent=True)
        return self.look(directory)

    @abstractmethod
    def look(self, directory: Directory) -> Seen:
        """Return what is seen of a directory that is there."""


class _OfNewest(_OfFiles):
    """The newest of the files."""

    def look(self, directory: Directory) -> Seen:
        if not directory.files:
            return Seen(holds=False, saw=f"there is no file {self.files}", absent=True)
        if directory.age < -AHEAD:
            words = f"the newest file {self.files} was changed {human(-directory.age, 's')} in the future"
            raise FactError(f"{words}: a clock is wrong")
        return self.newest(directory)

    @abstractmethod
    def newest(self, directory: Directory) -> Seen:
        """Return what is seen of the newest file."""


@check(
    'the newest file in "{path}" was changed {bound:time} ago',
    example='the newest file in "/var/backups" was changed less than 26 h ago',
)
class NewestAge(_OfNewest):
    """The time since the newest file that a directory holds itself was changed; of no file, nothing is so."""

    def newest(self, directory: Directory) -> Seen:
        words = f"the newest of {directory.files} files {self.files} was changed {human(directory.age, 's')} ago"
        return Seen(holds=True, saw=words, number=directory.age)

    def measure(self) -> Measure:
        return Measure(label=f"newest file {self.label} age", unit="s")


@check(
    'the newest file of "{path}" was changed {bound:time} ago',
    example='the newest file of "/var/backups/*.dump" was changed less than 26 h ago',
)
def newest_age(path: str) -> NewestAge:
    """The time since the newest file that a pattern fits was changed: `*`, `?`, `[...]` in a path's last part."""
    return NewestAge(path, "")


@check(
    'the newest file in "{path}" is {bound:size} in size',
    example='the newest file in "/var/backups" is more than 1 GiB in size',
)
class NewestSize(_OfNewest):
    """The size of the newest file that a directory holds itself; of equally new ones, of the smallest."""

    def newest(self, directory: Directory) -> Seen:
        words = f"the newest of {directory.files} files {self.files} is {human(directory.size, 'B')} in size"
        return Seen(holds=True, saw=words, number=directory.size)

    def measure(self) -> Measure:
        return Measure(label=f"newest file {self.label} size", unit="B", minimum=0)


@check(
    'the newest file of "{path}" is {bound:size} in size',
    example='the newest file of "/var/backups/*.dump" is more than 1 GiB in size',
)
def newest_size(path: str) -> NewestSize:
    """The size of the newest file that a pattern fits."""
    return NewestSize(path, "")


@check(
    'the directory "{path}" holds {bound:count} files',
    example='the directory "/var/backups" holds at least 7 files',
)
class FileCount(_OfFiles):
    """How many files a directory holds itself, hidden ones with them, and no directories."""

    def look(self, directory: Directory) -> Seen:
        return Seen(holds=True, saw=f"there are {directory.files} files {self.files}", number=directory.files)

    def measure(self) -> Measure:
        return Measure(label=f"files {self.label}", minimum=0)


@check(
    'the directory "{path}" holds {bound:count} files named "{pattern}"',
    example='the directory "/var/backups" holds at least 7 files named "*.dump"',
)
def file_count(path: str, pattern: str) -> FileCount:
    """How many files whose names a pattern fits a directory holds itself."""
    return FileCount(path, pattern)


@check(
    'the files in "{path}" are {bound:size} in size',
    example='the files in "/var/backups" are less than 100 GiB in size',
)
class FilesSize(_OfFiles):
    """The size of all files together that a directory holds itself, without those of directories in it."""

    def look(self, directory: Directory) -> Seen:
        words = f"the {directory.files} files {self.files} are {human(directory.bytes, 'B')} in size"
        return Seen(holds=True, saw=words, number=directory.bytes)

    def measure(self) -> Measure:
        return Measure(label=f"files {self.label} size", unit="B", minimum=0)
