"""What can be said of an NTP server: that it answers, that it has the time, and how far a clock is from it.

From the controller unless a sentence says from where; the clock is that of who looks: `from "db-1"` it is db-1's. A
server that nobody reaches, or that says itself that its clock is not right, has neither a stratum nor an offset.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen
from infratest.cleaning import clean
from infratest.facts._server_place import place_text, server_place
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.ntp_server import NtpServer

#: Characters of an answer in a reason.
SHOWN = 200


@check(
    'the NTP server "{address}" answers',
    negation='the NTP server "{address}" does not answer',
    example='the NTP server "ntp.example" answers',
)
class NtpAnswers(Check):
    """A server answers who asks for the time, be it that it has none."""

    viewpoint = CONTROLLER
    from_others = True

    address: str

    def __post_init__(self) -> None:
        server_place(self.address, "NTP server", 123)

    @property
    def subject(self) -> str:
        return f'the NTP server "{self.address}"'

    @derived
    def asked(self) -> Need[NtpServer]:
        return Need("ntp-server", (place_text(*server_place(self.address, "NTP server", 123)),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        server = facts[self.asked]
        if server.refused:
            return Seen(False, f"{self.subject} does not answer: {clean(server.refused, SHOWN)}")
        return Seen(True, f"{self.subject} answers: {server.in_words()}")


@check(
    'the NTP server "{address}" is synchronised',
    negation='the NTP server "{address}" is not synchronised',
    example='the NTP server "ntp.example" is synchronised',
)
class NtpSynchronised(NtpAnswers):
    """A server says that its clock is right: it has the time from others, or from a clock of its own."""

    def observe(self, facts: FactValues) -> Seen:
        seen, server = super().observe(facts), facts[self.asked]
        if server.refused:
            return seen.changed(absent=True)
        return Seen(server.synchronised, f"{self.subject} says: {server.in_words()}")


class _OfTime(NtpAnswers):
    def observe(self, facts: FactValues) -> Seen:
        seen, server = super().observe(facts), facts[self.asked]
        if not server.synchronised:
            return Seen(False, seen.saw, absent=True)
        return seen.changed(number=self.number(server))

    @abstractmethod
    def number(self, server: NtpServer) -> float:
        """Return the number that is judged, of a server that has the time."""


@check(
    'the NTP server "{address}" has a stratum of {bound:count}',
    example='the NTP server "ntp.example" has a stratum of at most 3',
)
class NtpStratum(_OfTime):
    """How many servers are between a server and a clock that needs none: 1 for one that has such a clock."""

    def number(self, server: NtpServer) -> float:
        return server.stratum

    def measure(self) -> Measure:
        return Measure(label=f"NTP server {self.address} stratum", minimum=0)


@check(
    'the NTP server "{address}" is {bound:time} off',
    example='the NTP server "ntp.example" is less than 100 ms off, warning 50 ms',
)
class NtpOffset(_OfTime):
    """How far a server's clock is from the looker's, either way: the quickest of four answers counts."""

    def number(self, server: NtpServer) -> float:
        return abs(server.offset)

    def measure(self) -> Measure:
        return Measure(label=f"NTP server {self.address} offset", unit="s", minimum=0)
