"""What can be said of a file on a server of files (FTP, SFTP): that it is there, how large and how old it is.

From the controller unless a sentence says from where. Its address has who logs in, with a secret parameter as password
(of FTP `anonymous` without one), and its path on the server, as who logs in has it. What is in it is never read. By FTP
it is missing where a folder above it is listed without it. What may not be seen is unknown, as is a refused login.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._converses import ConversedAddress
    from infratest.facts.base import FactValues
    from infratest.facts.remote_file.address import SftpAddress
    from infratest.facts.remote_file.value import RemoteFile

#: Characters of an answer in a reason; seconds that a server's clock may be ahead of the looker's.
SHOWN, AHEAD = 300, 300


class _OfRemoteFile(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        from infratest.facts.remote_file.value import remote_path

        remote_path(self.address.name, self.address.shown)

    @derived
    def address(self) -> ConversedAddress | SftpAddress:
        from infratest.facts.remote_file.address import file_address

        return file_address(self.url)

    @property
    def subject(self) -> str:
        return f'the remote file "{self.address.shown}"'

    @derived
    def asked(self) -> Need[RemoteFile]:
        return Need("remote-file", (self.url, "file"))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        file = facts[self.asked]
        if file.refused:
            words = f"{self.subject} cannot be seen: its server does not answer: {clean(file.refused, SHOWN)}"
            return Seen(holds=False, saw=words, absent=True)
        if not file.exists:
            words = "is a folder" if file.folder else "does not exist"
            return self.missing(f"{self.subject} {words}")
        return self.look(file)

    def missing(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, file: RemoteFile) -> Seen:
        """Return what is seen in a file that is there."""


@check(
    'the remote file "{url}" exists',
    negation='the remote file "{url}" does not exist',
    example='the remote file "ftp://monitor:{param.ftp_password}@files.example/pub/data.tar" exists',
)
class RemoteFileExists(_OfRemoteFile):
    """The server has a file of this path for who logs in; of one that does not answer, nobody knows."""

    def missing(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, file: RemoteFile) -> Seen:
        return Seen(True, f"{self.subject} exists, of {human(file.size or 0, 'B')}")


@check(
    'the remote file "{url}" is {bound:size} in size',
    example='the remote file "ftp://files.example/pub/data.tar" is more than 1 MiB in size',
)
class RemoteFileSize(_OfRemoteFile):
    """How large it is."""

    def look(self, file: RemoteFile) -> Seen:
        if file.size is None:
            raise FactError(f"{self.subject}: its server does not say how large it is")
        return Seen(True, f"{self.subject} is {human(file.size, 'B')} in size", file.size)

    def measure(self) -> Measure:
        return Measure(label=f"remote file {self.address.shown} size", unit="B", minimum=0)


@check(
    'the remote file "{url}" was changed {bound:time} ago',
    example='the remote file "ftp://files.example/pub/data.tar" was changed less than 26 h ago',
)
class RemoteFileAge(_OfRemoteFile):
    """The time since it was last changed, as the server has it, by the clock of who looks."""

    def look(self, file: RemoteFile) -> Seen:
        if file.age is None:
            raise FactError(f"{self.subject}: its server does not say when it was changed")
        if file.age < -AHEAD:
            raise FactError(f"{self.subject} was changed {human(-file.age, 's')} in the future: a clock is wrong")
        age = max(0.0, file.age)
        return Seen(True, f"{self.subject} was changed {human(age, 's')} ago", age)

    def measure(self) -> Measure:
        return Measure(label=f"remote file {self.address.shown} age", unit="s")
