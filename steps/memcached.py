"""What can be said of a Memcached server: that it answers, its version, how full it is, and each value of its stats.

From the controller unless a sentence says from where; a host asks by its python3. A server that wants a login is
unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.facts._server_place import place_text, server_place
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import counted, human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.memcached import Stats

#: Characters of an answer in a reason.
SHOWN = 200
#: As the fact has it, which is not loaded for a sentence.
PORT = 11211


class _OfMemcached(Check):
    viewpoint = CONTROLLER
    from_others = True

    address: str

    def __post_init__(self) -> None:
        server_place(self.address, "Memcached server", PORT)

    @property
    def subject(self) -> str:
        return f'the Memcached server "{self.address}"'

    @derived
    def asked(self) -> Need[Stats]:
        return Need("memcached", (place_text(*server_place(self.address, "Memcached server", PORT)),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        stats = facts[self.asked]
        if stats.refused:
            return self.unanswered(f"{self.subject} does not answer: {clean(stats.refused, SHOWN)}")
        return self.look(stats)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, stats: Stats) -> Seen:
        """Return what is seen in what the server says of itself."""

    def number(self, stats: Stats, name: str) -> float:
        """Return a number among the values. Raises FactError."""
        text = stats.entries.get(name, "")
        try:
            return int(text) if text.isdecimal() else float(text)
        except ValueError:
            words = f"{in_quotes(name)} of {literal(text, SHOWN)}, which is no number"
            raise FactError(f"{self.subject} has {words}") from None

    def label(self, words: str) -> str:
        return f"memcached {self.address} {words}"


@check(
    'the Memcached server "{address}" answers',
    negation='the Memcached server "{address}" does not answer',
    example='the Memcached server "cache:11211" answers',
)
class MemcachedAnswers(_OfMemcached):
    """The server lets who asks in and says how it is (stats)."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, stats: Stats) -> Seen:
        return Seen(True, f"{self.subject} answers in {human(stats.seconds, 's')}", stats.seconds)


@check(
    'the Memcached server "{address}" answers in {bound:time}',
    example='the Memcached server "cache:11211" answers in less than 100 ms, warning 50 ms',
)
class MemcachedTime(MemcachedAnswers):
    """The time from before the connection until the answer is there."""

    def measure(self) -> Measure:
        return Measure(label=self.label("time"), unit="s", minimum=0)


class _OfVersion(_OfMemcached):
    version: str

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.version)

    def look(self, stats: Stats) -> Seen:
        from infratest.facts.package.versions import order

        version = stats.entries["version"]
        words = f"{self.subject} has version {clean(version, SHOWN)}"
        return Seen(self.fits(order(version, self.version, "dpkg")), words)

    @abstractmethod
    def fits(self, order: int) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the server's is to the other."""


@check(
    'the Memcached server "{address}" has version "{version}"',
    negation='the Memcached server "{address}" does not have version "{version}"',
    example='the Memcached server "cache:11211" has version "1.6.18"',
)
class MemcachedVersion(_OfVersion):
    """Exactly this version of the server."""

    def fits(self, order: int) -> bool:
        return order == 0


@check(
    'the Memcached server "{address}" has at least version "{version}"',
    negation='the Memcached server "{address}" does not have at least version "{version}"',
    example='the Memcached server "cache:11211" has at least version "1.6"',
)
class MemcachedAtLeast(_OfVersion):
    """This version of the server or a later one."""

    def fits(self, order: int) -> bool:
        return order >= 0


@check(
    'the Memcached server "{address}" has "{name}" equal to "{value}"',
    negation='the Memcached server "{address}" has "{name}" not equal to "{value}"',
    example='the Memcached server "cache:11211" has "accepting_conns" equal to "1"',
)
class MemcachedValue(_OfMemcached):
    """One of the values of its stats is this, as it is written there: `accepting_conns`, `threads` ..."""

    name: str
    value: str

    def look(self, stats: Stats) -> Seen:
        seen = stats.entries.get(self.name)
        if seen is None:
            return Seen(holds=False, saw=f"{self.subject} has no value {in_quotes(self.name)}", absent=True)
        return Seen(seen == self.value, f"{self.subject} has {in_quotes(self.name)} of {literal(seen, SHOWN)}")


@check(
    'the Memcached server "{address}" has "{name}" {bound:count}',
    example='the Memcached server "cache:11211" has "curr_connections" less than 900, warning 800',
)
class MemcachedNumber(_OfMemcached):
    """One of the values of its stats is a number, which is judged."""

    name: str

    def look(self, stats: Stats) -> Seen:
        if self.name not in stats.entries:
            return Seen(holds=False, saw=f"{self.subject} has no value {in_quotes(self.name)}", absent=True)
        number = self.number(stats, self.name)
        return Seen(True, f"{self.subject} has {in_quotes(self.name)} of {stats.entries[self.name]}", number)

    def measure(self) -> Measure:
        return Measure(label=self.label(self.name))


@check(
    'the Memcached server "{address}" has {bound:count} item[s]',
    example='the Memcached server "cache:11211" has at least 1 item',
)
class MemcachedItems(_OfMemcached):
    """How many items it keeps (`curr_items`)."""

    def look(self, stats: Stats) -> Seen:
        number = self.number(stats, "curr_items")
        return Seen(True, f"{self.subject} has {counted(int(number), 'item')}", number)

    def measure(self) -> Measure:
        return Measure(label=self.label("items"), minimum=0)


@check(
    'the Memcached server "{address}" has evicted {bound:count} item[s]',
    example='the Memcached server "cache:11211" has evicted at most 0 items',
)
class MemcachedEvictions(_OfMemcached):
    """How many items have been thrown out for want of memory since it was started (`evictions`)."""

    def look(self, stats: Stats) -> Seen:
        number = self.number(stats, "evictions")
        return Seen(True, f"{self.subject} has evicted {counted(int(number), 'item')}", number)

    def measure(self) -> Measure:
        return Measure(label=self.label("evictions"), minimum=0)


class _OfShare(_OfMemcached):
    """A part of a whole in percent; without a whole there is none."""

    def share(self, part: float, whole: float, words: str, none: str) -> Seen:
        if whole <= 0:
            return Seen(holds=False, saw=f"{self.subject} {none}", absent=True)
        return Seen(True, f"{self.subject} {words}", 100 * part / whole)


@check(
    'the Memcached server "{address}" has a hit ratio of {bound:percent}',
    example='the Memcached server "cache:11211" has a hit ratio of at least 80 %, warning 90 %',
)
class MemcachedHits(_OfShare):
    """How many of the questions for an item were answered with one since it was started; of none there is no ratio."""

    def look(self, stats: Stats) -> Seen:
        hits, misses = self.number(stats, "get_hits"), self.number(stats, "get_misses")
        words = f"was asked for {counted(int(hits + misses), 'item')} and had {int(hits)} of them"
        return self.share(hits, hits + misses, words, "was asked for no item yet")

    def measure(self) -> Measure:
        return Measure(label=self.label("hit ratio"), unit="%", minimum=0, maximum=100)


@check(
    'the Memcached server "{address}" uses {bound:percent} of its memory',
    example='the Memcached server "cache:11211" uses less than 95 % of its memory, warning 90 %',
)
class MemcachedMemory(_OfShare):
    """How much of what items may take (`limit_maxbytes`) they take."""

    def look(self, stats: Stats) -> Seen:
        used, limit = self.number(stats, "bytes"), self.number(stats, "limit_maxbytes")
        return self.share(
            used, limit, f"uses {human(used, 'B')} of {human(limit, 'B')} of memory", "has no limit of memory"
        )

    def measure(self) -> Measure:
        return Measure(label=self.label("memory used"), unit="%", minimum=0)


@check(
    'the Memcached server "{address}" uses {bound:percent} of its connections',
    example='the Memcached server "cache:11211" uses less than 90 % of its connections, warning 75 %',
)
class MemcachedConnections(_OfShare):
    """How many of the connections that it lets in (`max_connections`) there are, this one with them."""

    def look(self, stats: Stats) -> Seen:
        used, limit = self.number(stats, "curr_connections"), self.number(stats, "max_connections")
        return self.share(used, limit, f"uses {int(used)} of {int(limit)} connections", "has no limit of connections")

    def measure(self) -> Measure:
        return Measure(label=self.label("connections used"), unit="%", minimum=0)
