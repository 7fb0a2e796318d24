"""What can be said of a Redis or Valkey server: that it answers, its version, and each value of its INFO.

From the controller unless a sentence says from where; `from the host` asks by the host's own redis-cli. A password is
that of a secret parameter: `redis://:{param.cache_password}@cache:6379`. A server that lets nobody in, or is loading
its data, does not answer; where the login is refused it is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._service_address import ServiceAddress
    from infratest.facts.base import FactValues
    from infratest.facts.redis import Info

#: Characters of an answer in a reason.
SHOWN = 200


class _OfRedis(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str

    def __post_init__(self) -> None:
        self.address.shown  # noqa: B018 - refuses what is no address

    @derived
    def address(self) -> ServiceAddress:
        from infratest.facts.redis import redis_address

        return redis_address(self.url)

    @property
    def subject(self) -> str:
        return f'the Redis server "{self.address.shown}"'

    @derived
    def asked(self) -> Need[Info]:
        # Databases of one server have the same answer.
        return Need("redis", (self.url.removesuffix(f"/{self.address.name}") if self.address.name else self.url,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        info = facts[self.asked]
        if info.refused:
            return self.unanswered(f"{self.subject} does not answer: {clean(info.refused, SHOWN)}")
        return self.look(info)

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look(self, info: Info) -> Seen:
        """Return what is seen in what the server says of itself."""

    def number(self, info: Info, name: str) -> float:
        """Return a number among the values. Raises FactError."""
        text = info.entries.get(name, "")
        try:
            return int(text) if text.isdecimal() else float(text.removesuffix("%"))
        except ValueError:
            raise FactError(
                f"{self.subject} has the value {name}: {literal(text, SHOWN)}, which is no number"
            ) from None


@check(
    'the Redis server "{url}" answers',
    negation='the Redis server "{url}" does not answer',
    example='the Redis server "redis://cache:6379" answers',
)
class RedisAnswers(_OfRedis):
    """The server lets who asks in, has its data in memory, and says how it is (INFO)."""

    def unanswered(self, words: str) -> Seen:
        return Seen(holds=False, saw=words)

    def look(self, info: Info) -> Seen:
        after = "" if info.seconds is None else f" in {human(info.seconds, 's')}"
        return Seen(holds=True, saw=f"{self.subject} answers{after}", number=info.seconds)


@check(
    'the Redis server "{url}" answers in {bound:time}',
    example='the Redis server "redis://cache:6379" answers in less than 100 ms, warning 50 ms',
)
class RedisTime(RedisAnswers):
    """The time from before the connection until the answer is there."""

    def measure(self) -> Measure:
        return Measure(label=f"redis {self.address.shown} time", unit="s", minimum=0)


class _OfVersion(_OfRedis):
    version: str

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.version)

    def look(self, info: Info) -> Seen:
        from infratest.facts.package.versions import order

        # Valkey says of itself which Redis it is like, too.
        version = info.entries.get("valkey_version") or info.entries["redis_version"]
        words = f"{self.subject} has version {clean(version, SHOWN)}"
        return Seen(self.fits(order(version, self.version, "dpkg")), words)

    @abstractmethod
    def fits(self, order: int) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the server's is to the other."""


@check(
    'the Redis server "{url}" has version "{version}"',
    negation='the Redis server "{url}" does not have version "{version}"',
    example='the Redis server "redis://cache:6379" has version "7.0.15"',
)
class RedisVersion(_OfVersion):
    """Exactly this version of the server."""

    def fits(self, order: int) -> bool:
        return order == 0


@check(
    'the Redis server "{url}" has at least version "{version}"',
    negation='the Redis server "{url}" does not have at least version "{version}"',
    example='the Redis server "redis://cache:6379" has at least version "7.0"',
)
class RedisAtLeast(_OfVersion):
    """This version of the server or a later one."""

    def fits(self, order: int) -> bool:
        return order >= 0


@check(
    'the Redis server "{url}" has "{name}" equal to "{value}"',
    negation='the Redis server "{url}" has "{name}" not equal to "{value}"',
    example='the Redis server "redis://cache-2:6379" has "master_link_status" equal to "up"',
)
class RedisValue(_OfRedis):
    """One of the values of its INFO is this, as it is written there: `role`, `maxmemory_policy`, `aof_enabled` ..."""

    name: str
    value: str

    def look(self, info: Info) -> Seen:
        seen = info.entries.get(self.name)
        if seen is None:
            return Seen(holds=False, saw=f"{self.subject} has no value {in_quotes(self.name)}", absent=True)
        return Seen(seen == self.value, f"{self.subject} has {in_quotes(self.name)} of {literal(seen, SHOWN)}")


@check(
    'the Redis server "{url}" has "{name}" {bound:count}',
    example='the Redis server "redis://cache:6379" has "connected_clients" less than 100, warning 80',
)
class RedisNumber(_OfRedis):
    """One of the values of its INFO is a number, which is judged."""

    name: str

    def look(self, info: Info) -> Seen:
        if self.name not in info.entries:
            return Seen(holds=False, saw=f"{self.subject} has no value {in_quotes(self.name)}", absent=True)
        number = self.number(info, self.name)
        return Seen(True, f"{self.subject} has {in_quotes(self.name)} of {info.entries[self.name]}", number)

    def measure(self) -> Measure:
        return Measure(label=f"redis {self.address.shown} {self.name}")


@check(
    'the Redis server "{url}" has {bound:count} keys',
    example='the Redis server "redis://cache:6379/0" has at least 1 keys',
)
class RedisKeys(_OfRedis):
    """How many keys a database has: the one that the address names, else all of them together.

    Who does not tell, as a Sentinel, is unknown.
    """

    def look(self, info: Info) -> Seen:
        # db0:keys=2,expires=0,avg_ttl=0; one without keys has no line. Who has no such section may have any.
        if not info.keyspace:
            raise FactError(f"{self.subject} does not say which databases have keys (the section Keyspace of INFO)")
        count = 0
        for name, value in info.entries.items():
            if name.startswith("db") and name[2:].isdecimal() and self.address.name in ("", name[2:]):
                keys = value.partition("keys=")[2].partition(",")[0]
                if not keys.isdecimal():
                    raise FactError(f"{self.subject} says of {name} {literal(value, SHOWN)}, which is not understood")
                count += int(keys)
        return Seen(holds=True, saw=f"{self.subject} has {count} keys", number=count)

    def measure(self) -> Measure:
        return Measure(label=f"redis {self.address.shown} keys", minimum=0)


@check(
    'the Redis server "{url}" uses {bound:size} of memory',
    example='the Redis server "redis://cache:6379" uses less than 2 GiB of memory',
)
class RedisMemory(_OfRedis):
    """What its data takes (`used_memory`)."""

    def look(self, info: Info) -> Seen:
        number = self.number(info, "used_memory")
        return Seen(holds=True, saw=f"{self.subject} uses {human(number, 'B')} of memory", number=number)

    def measure(self) -> Measure:
        return Measure(label=f"redis {self.address.shown} memory", unit="B", minimum=0)


@check(
    'the Redis server "{url}" uses {bound:percent} of its memory',
    example='the Redis server "redis://cache:6379" uses less than 90 % of its memory, warning 80 %',
)
class RedisMemoryShare(_OfRedis):
    """How much of what it may take (`maxmemory`) is used; of one without a limit there is no share."""

    def look(self, info: Info) -> Seen:
        used, limit = self.number(info, "used_memory"), self.number(info, "maxmemory")
        if limit <= 0:
            return Seen(holds=False, saw=f"{self.subject} has no limit of memory (maxmemory)", absent=True)
        words = f"{self.subject} uses {human(used, 'B')} of {human(limit, 'B')} of memory"
        return Seen(holds=True, saw=words, number=100 * used / limit)

    def measure(self) -> Measure:
        return Measure(label=f"redis {self.address.shown} memory used", unit="%", minimum=0)


@check(
    'the Redis server "{url}" is a replica',
    negation='the Redis server "{url}" is not a replica',
    example='the Redis server "redis://cache-2:6379" is a replica',
)
class RedisReplica(_OfRedis):
    """It takes what another server writes; whether that one is connected, `master_link_status` says."""

    def look(self, info: Info) -> Seen:
        role = info.entries.get("role", "")
        if role not in ("master", "slave", "replica"):
            raise FactError(f"{self.subject} has the role {literal(role, SHOWN)}, which is not understood")
        link = info.entries.get("master_link_status", "")
        words = "no replica" if role == "master" else f"a replica whose link to its primary is {clean(link, SHOWN)}"
        return Seen(holds=role != "master", saw=f"{self.subject} is {words}")
