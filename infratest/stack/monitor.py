"""`monitor:` of a stack file as values: times read, and what no schema can say looked at. Called by `stack.file`.

What needs the scenarios (whom a rule of `tell` is for) is looked at by `alerting.routes`, and the options of receivers
by who opens them; both know by `where` what to call it. Nothing of the monitor itself is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infratest import cron
from infratest.database_url import database_url
from infratest.errors import UserError, unknown
from infratest.spread.address import Address, address
from infratest.stack.declared import LONGEST
from infratest.stack.document import Document, KeyPath
from infratest.stack.monitor_schema import OFF
from infratest.stack.problems import Faults
from infratest.units import duration, size

DAY = 86400.0
#: Shortest history; below, a window of a sentence (`over the last 5 min`) would look at nothing.
SHORTEST_KEPT = 3600.0
SMALLEST_STORE = 2**20
SQLITE = "sqlite"
LIMITS = "must be more than zero, and at most 100 years (36525 days)"


@dataclass(frozen=True, kw_only=True)
class Flapping:
    """What counts as flapping: changes of the hard state within seconds, until none came for `calm` seconds."""

    changes: int = 4
    within: float = 1800.0
    calm: float = 900.0


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """A job that has to be heard of.

    Args:
        at, zone: when it runs, as cron has it; empty where it is `every`. every: seconds; 0 where it is `at`.
        grace: seconds that are not late yet. runs_at_most: seconds from start to end; None where nobody says.
        misses: so many in a row must be missed.
    """

    name: str
    at: str = ""
    zone: str = "UTC"
    every: float = 0.0
    grace: float = 300.0
    runs_at_most: float | None = None
    misses: int = 1
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class ReceiverEntry:
    """A receiver as it is written: its kind, and what stands behind that. where: `stack.yaml:9: monitor...`."""

    name: str
    kind: str
    options: Any
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class IntakeEntry:
    """What is listened to, as it is written: its kind, and what stands behind that. where: as of a receiver."""

    kind: str
    options: Any
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class SenderEntry:
    """Where results are sent. name: its kind, of the second with -2. shared: environments that have it, if several."""

    name: str
    kind: str
    options: Any
    where: str = ""
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One entry of `tell`.

    Args:
        when: a text of the selector language, empty for all results. to: names of receivers. after: seconds. again:
        seconds, None for never. on: kinds of notices, None where nobody says. where: of `when`, for messages.
    """

    to: tuple[str, ...]
    when: str = ""
    after: float = 0.0
    again: float | None = None
    on: tuple[str, ...] | None = None
    stop: bool = False
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A message that comes as long as all is well. receiver: its name. at, zone: its dates, as cron has them."""

    receiver: str
    at: str
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Alive:
    """Who cries when the monitor is silent: a URL that is asked, every so many seconds at most.

    Args:
        ping: empty where there is none. peer: the URL of another monitor that is watched, empty for none.
        canary: a message that people miss where it does not come.
    """

    ping: str = ""
    peer: str = ""
    every: float = 60.0
    canary: Canary | None = None


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """How much history stays: seconds of single numbers and of hours, bytes of all."""

    raw: float = 14 * DAY
    hourly: float = 400 * DAY
    size: int = 2 * 2**30


@dataclass(frozen=True, kw_only=True)
class StorePlace:
    """Where the monitor remembers.

    Args:
        url: `sqlite`, or of a PostgreSQL. password_file, ca: paths, empty where none is given. where: for messages.
    """

    url: str = SQLITE
    password_file: str = ""
    ca: str = ""
    where: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """`monitor:` in one environment.

    Args:
        interval, retry: seconds. failures, of: looks that must have failed, of the newest. recover: looks that must
        hold. stale: intervals. flap: None where it is off. tell: in the file's order. jobs: hosts that are looked at at
        once. witness: what is reached from here as long as we see well. hints: what may bring a look forward.
        scheduler: whose workers look at them, None where the monitor does.
    """

    interval: float = 60.0
    retry: float = 15.0
    failures: int = 3
    of: int = 3
    recover: int = 1
    stale: int = 2
    flap: Flapping | None = Flapping()
    witness: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    listen: tuple[IntakeEntry, ...] = ()
    send: tuple[SenderEntry, ...] = ()
    heartbeats: Mapping[str, Heartbeat] = field(default_factory=dict)
    receivers: Mapping[str, ReceiverEntry] = field(default_factory=dict)
    tell: tuple[Rule, ...] = ()
    alive: Alive | None = None
    store: StorePlace = StorePlace()
    keep: Keeping = Keeping()
    jobs: int = 64
    scheduler: Address | None = None
    where: str = ""


def monitor(document: Document, faults: Faults) -> Monitor:
    """Return what a stack says of its monitor, in its environment.

    Args:
        faults: told what is wrong; what is returned then is of no use.
    """
    data, read = document.data["monitor"], _Reading(document, faults)
    key: KeyPath = ("monitor",)
    receivers = {name: _receiver(document, name, each) for name, each in data.get("receivers", {}).items()}
    if receivers and "tell" not in data:
        first = next(iter(receivers))
        words = f"nobody is told anything: add `tell: [{{to: {first}}}]` beside it, or `tell: []` where that is meant"
        faults.add((*key, "receivers"), words)
    failures, of = _attempts(data.get("attempts", 3))
    if failures > of:
        faults.add((*key, "attempts"), f"{failures} failures of {of} looks cannot be; write as {{failures: 3, of: 5}}")
    return Monitor(
        **read.times(key, data, interval="interval", retry="retry"),
        failures=failures,
        of=of,
        **_whole(data, "recover", "stale"),
        flap=_flap(data.get("flap", {}), read),
        witness=tuple(data.get("witness", ())),
        hints=tuple(data.get("hints", ())),
        listen=tuple(_intake(document, kind, each) for kind, each in data.get("listen", {}).items()),
        send=_send(document, data.get("send", ())),
        heartbeats={name: _heartbeat(name, each, read) for name, each in data.get("heartbeats", {}).items()},
        receivers=receivers,
        tell=tuple(_rule(number, each, receivers, read) for number, each in enumerate(data.get("tell", ()))),
        alive=_alive(data["alive"], receivers, read) if "alive" in data else None,
        store=_store(data.get("store", {}), read),
        keep=_keep(data.get("store", {}).get("keep", {}), read),
        **_jobs(data.get("jobs"), read),
        where=document.where(key),
    )


class _Reading:
    """What a part of `monitor:` is read with."""

    def __init__(self, document: Document, faults: Faults) -> None:
        self.document = document
        self.faults = faults

    def times(self, key: KeyPath, data: Mapping[str, Any], *, least: float = 0.0, **names: str) -> dict[str, Any]:
        """Return in seconds those times that are given.

        Args:
            least: a time is more than that; -1 where it may be none. names: of fields, and the keys that they have.
        """
        found = {}
        for name, given in names.items():
            if given not in data:
                continue
            at = (*key, given)
            with self.faults.caught():
                found[name] = duration(data[given], self.document.at(at))
                if not least < found[name] <= LONGEST:
                    self.faults.add(at, LIMITS if least >= 0 else "must be at most 100 years (36525 days)")
        return found

    def dates(self, key: KeyPath, data: Mapping[str, Any]) -> None:
        """Look at `at`, a cron expression, and at the `zone` beside it."""
        try:
            cron.check(data["at"], data.get("zone", "UTC"))
        except UserError as error:
            at = "zone" if str(error).startswith("zone: ") else "at"
            self.faults.add((*key, at), str(error).removeprefix("zone: "))


def _whole(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: int(data[name]) for name in names if name in data}


def _attempts(given: Any) -> tuple[int, int]:
    return (int(given["failures"]), int(given["of"])) if isinstance(given, Mapping) else (int(given), int(given))


def _flap(given: Any, read: _Reading) -> Flapping | None:
    if given == OFF:
        return None
    times = read.times(("monitor", "flap"), given, within="within", calm="calm")
    return Flapping(**_whole(given, "changes"), **times)


def _heartbeat(name: str, given: Mapping[str, Any], read: _Reading) -> Heartbeat:
    key, faults = ("monitor", "heartbeats", name), read.faults
    if ("at" in given) == ("every" in given):
        faults.add(key, 'write either at, such as "0 3 * * *", or every, such as 10 min')
    if "zone" in given and "at" not in given:
        faults.add((*key, "zone"), "a time zone says nothing without `at`; leave it out")
    if "at" in given:
        read.dates(key, given)
    return Heartbeat(
        name=name,
        **{each: given[each] for each in ("at", "zone") if each in given},
        **read.times(key, given, every="every", runs_at_most="runs-at-most"),
        **read.times(key, given, least=-1.0, grace="grace"),
        **_whole(given, "misses"),
        where=read.document.at(key),
    )


def _receiver(document: Document, name: str, given: Mapping[str, Any]) -> ReceiverEntry:
    ((kind, options),) = given.items()
    return ReceiverEntry(name=name, kind=kind, options=options, where=document.at(("monitor", "receivers", name)))


def _intake(document: Document, kind: str, options: Any) -> IntakeEntry:
    return IntakeEntry(kind=kind, options=options, where=document.at(("monitor", "listen", kind)))


def _send(document: Document, given: Sequence[Mapping[str, Any]]) -> tuple[SenderEntry, ...]:
    made: list[SenderEntry] = []
    for number, each in enumerate(given):
        ((kind, options),) = each.items()
        before = sum(one.kind == kind for one in made)
        name = f"{kind}-{before + 1}" if before else kind
        made.append(SenderEntry(name=name, kind=kind, options=options, where=document.at(("monitor", "send", number))))
    return tuple(made)


def _rule(number: int, given: Mapping[str, Any], receivers: Mapping[str, Any], read: _Reading) -> Rule:
    key: KeyPath = ("monitor", "tell", number)
    one = isinstance(given["to"], str)
    to = (given["to"],) if one else tuple(given["to"])
    for place, name in enumerate(to):
        if name not in receivers:
            at = (*key, "to") if one else (*key, "to", place)
            read.faults.add(at, unknown("receiver", name, sorted(receivers)))
    return Rule(
        to=to,
        when=given.get("when", ""),
        **read.times(key, given, least=-1.0, after="after"),
        **read.times(key, given, again="again"),
        on=tuple(given["on"]) if "on" in given else None,
        stop=given.get("stop", False),
        where=read.document.at((*key, "when") if "when" in given else key),
    )


def _alive(given: Mapping[str, Any], receivers: Mapping[str, Any], read: _Reading) -> Alive:
    key: KeyPath = ("monitor", "alive")
    if not given.keys() & {"ping", "peer", "canary"}:
        words = (
            "write ping, a URL that cries when it is not asked any longer, or peer, another monitor's, or canary, a "
            "message at its dates, or several"
        )
        read.faults.add(key, words)
    return Alive(
        ping=given.get("ping", ""),
        peer=given.get("peer", ""),
        **read.times(key, given, every="every"),
        canary=_canary(given["canary"], receivers, read) if "canary" in given else None,
    )


def _canary(given: Mapping[str, Any], receivers: Mapping[str, Any], read: _Reading) -> Canary:
    key: KeyPath = ("monitor", "alive", "canary")
    if given["receiver"] not in receivers:
        read.faults.add((*key, "receiver"), unknown("receiver", given["receiver"], sorted(receivers)))
    read.dates(key, given)
    return Canary(**given)


def _store(given: Mapping[str, Any], read: _Reading) -> StorePlace:
    key: KeyPath = ("monitor", "store")
    made = StorePlace(
        **{name.replace("-", "_"): given[name] for name in ("url", "password-file", "ca") if name in given},
        where=read.document.at((*key, "url") if "url" in given else key),
    )
    if made.url == SQLITE:
        for name in ("password-file", "ca"):
            if name in given:
                read.faults.add((*key, name), "it is for a postgresql:// store; leave it out, or write its url")
    else:
        try:
            database_url(made.url)
        except UserError as error:
            read.faults.add((*key, "url"), str(error))
    return made


def _jobs(given: Any, read: _Reading) -> dict[str, Any]:
    if not isinstance(given, str):
        return {} if given is None else {"jobs": int(given)}
    with read.faults.caught():
        try:
            return {"scheduler": address(given)}
        except UserError as error:
            read.faults.add(("monitor", "jobs"), str(error))
    return {}


def _keep(given: Mapping[str, Any], read: _Reading) -> Keeping:
    key: KeyPath = ("monitor", "store", "keep")
    kept: dict[str, Any] = read.times(key, given, raw="raw", hourly="hourly")
    for name, seconds in kept.items():
        if 0 < seconds < SHORTEST_KEPT:
            read.faults.add((*key, name), f"{given[name]!r} is less than an hour, of which nothing could be said")
    if "size" in given:
        with read.faults.caught():
            kept["size"] = size(given["size"], read.document.at((*key, "size")))
            if kept["size"] < SMALLEST_STORE:
                read.faults.add((*key, "size"), f"{given['size']!r} is too little for any history; write 1MiB or more")
    made = Keeping(**kept)
    if made.hourly < made.raw:
        at = (*key, "hourly" if "hourly" in given else "raw")
        read.faults.add(
            at, "`hourly` is less than `raw`: what hours come to is kept for as long as their numbers, or longer"
        )
    return made
