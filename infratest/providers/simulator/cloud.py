"""The API of a simulated cloud: what its servers and networks do, by its clock and with its faults.

The provider in this folder calls it as it would call a real one: each method takes its time, may be refused for the
moment, and may be done and lose its reply.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeVar

from infratest.clock import Clock
from infratest.errors import ProviderError
from infratest.providers._settling import CLOSE
from infratest.providers.simulator.faults import SERVER, Fault, strikes
from infratest.providers.simulator.world import (
    BUILDING,
    DELETED,
    DELETING,
    ERROR,
    PAUSED,
    RUNNING,
    STOPPED,
    Call,
    Contents,
    Item,
    World,
)

T = TypeVar("T")

HOST, NETWORK, ADDRESS = "host", "network", "address"


class Busy(ProviderError):
    """Refused for the moment, nothing done: HTTP 429 or 503."""


class ReplyLost(ProviderError):
    """The connection ended before the answer; whether anything was done is not known."""


class NotThere(ProviderError):
    """There is nothing of this id: HTTP 404."""


class InUse(ProviderError):
    """It cannot be removed while others need it, or a name is taken: HTTP 409."""


class Refused(ProviderError):
    """Refused for good: HTTP 403."""


@dataclass(frozen=True, kw_only=True)
class Laws:
    """How a cloud behaves: times in seconds, and its faults by their option."""

    seed: int = 0
    latency: float = 0.0
    spread: float = 0.0
    pending: float = 0.0
    boot: float = 0.0
    removing: float = 0.0
    lag: float = 0.0
    quota: int = 0
    pool: int = 0
    limit: int = 0
    faults: Mapping[str, list[Fault]] = field(default_factory=dict)


class Cloud:
    """The calls. Each may raise what stands above."""

    def __init__(self, world: World, clock: Clock, laws: Laws) -> None:
        self.world = world
        self._clock = clock
        self._laws = laws

    def create(self, kind: str, name: str, labels: Mapping[str, str], token: str) -> Item:
        """Make a server or a network; a server stands in the network of its stack."""

        def work(contents: Contents) -> Item:
            servers = [one for one in contents.items.values() if one.kind == HOST and one.state != DELETED]
            if kind == HOST and self._laws.quota and len(servers) >= self._laws.quota:
                raise Refused(f"quota: {len(servers)} of {self._laws.quota} servers are there already")
            addresses = [one for one in contents.items.values() if one.kind == ADDRESS and one.state != DELETED]
            if kind == ADDRESS and self._laws.pool and len(addresses) >= self._laws.pool:
                raise Refused(f"the pool of addresses is empty: {len(addresses)} of {self._laws.pool} are taken")
            contents.number += 1
            item = Item(
                id=f"{kind}-{contents.number:04d}",
                kind=kind,
                name=name,
                token=token,
                labels={**labels},
                network=_network_of(contents, labels) if kind == HOST else "",
                address=f"198.18.{contents.number // 250}.{contents.number % 250 + 1}" if kind == ADDRESS else "",
                state=BUILDING if kind == HOST else RUNNING,
            )
            self._begin(contents, item)
            contents.items[item.id] = item
            return item

        return self._call("create", name, work)

    def destroy(self, id: str, name: str) -> None:
        """Begin to remove it."""

        def work(contents: Contents) -> None:
            item = _one(contents, id)
            inside = [one for one in contents.items.values() if id in (one.network, *one.uses) and one.state != DELETED]
            if inside:
                raise InUse(f"{item.kind} {id} is in use by {', '.join(sorted(one.name for one in inside))}")
            if item.state != DELETING:
                item.state = DELETING
                item.gone = contents.now + (self._taken(self._laws.removing, id) if item.kind == HOST else 0.0)
                self._pass(contents)

        self._call("destroy", name, work)

    def look(self, id: str, name: str) -> Item:
        """Return one by its id, as it is now: this does not lag."""
        return self._call("look", name, lambda contents: _one(contents, id), changes=False)

    def listing(self) -> list[Item]:
        """Return all that the listing shows."""

        def work(contents: Contents) -> list[Item]:
            now = contents.now
            for item in contents.items.values():
                self._forget(contents, item)
            return [
                one
                for one in contents.items.values()
                if max(one.shown, one.veiled) <= now and (one.hidden is None or now < one.hidden)
            ]

        return self._call("list", "", work, changes=False)

    def halt(self, id: str, name: str) -> None:
        """Stop a server."""
        self._call("halt", name, lambda contents: self._switch(_one(contents, id), STOPPED))

    def suspend(self, id: str, name: str) -> None:
        """Stop a server with its memory kept."""
        self._call("suspend", name, lambda contents: self._switch(_one(contents, id), PAUSED))

    def start(self, id: str, name: str) -> None:
        """Start one that is stopped, which boots; let one that is suspended go on."""

        def work(contents: Contents) -> None:
            item = _one(contents, id)
            if item.state == STOPPED:
                item.answers = contents.now + self._taken(self._laws.boot, id)
            self._switch(item, RUNNING)

        self._call("start", name, work)

    def reboot(self, id: str, name: str) -> None:
        """Have a server boot anew."""

        def work(contents: Contents) -> None:
            item = _one(contents, id)
            self._switch(item, RUNNING)
            item.answers = contents.now + self._taken(self._laws.boot, id)

        self._call("reboot", name, work)

    def rename(self, id: str, name: str, other: str) -> None:
        """Have a server that is stopped be called otherwise, in its labels too."""

        def work(contents: Contents) -> None:
            item = _one(contents, id)
            if item.state != STOPPED:
                raise InUse(f"it is {item.state}")
            item.name, item.labels["infratest.name"] = other, other

        self._call("rename", name, work)

    def snapshot(self, id: str, name: str, change: Callable[[Item, float], None]) -> None:
        """Change what is kept of a server."""
        self._call("snapshot", name, lambda contents: change(_one(contents, id), contents.now))

    def fit(self, id: str, name: str, hosts: Sequence[str]) -> None:
        """Have an address be at the first of these servers, or a firewall before all of them and no others."""

        def work(contents: Contents) -> None:
            item = _one(contents, id)
            if item.kind == ADDRESS:
                item.at = next(iter(hosts), "")
                return
            for one in contents.items.values():
                if one.kind == HOST:
                    one.uses = [*(each for each in one.uses if each != id), *([id] if one.id in hosts else [])]

        self._call("fit", name, work)

    def console(self, id: str, name: str) -> list[str]:
        """Return what a server has printed."""

        def work(contents: Contents) -> list[str]:
            item = _one(contents, id)
            lines = [f"{item.name}: boots"] if item.state in (RUNNING, PAUSED, STOPPED) else []
            lines += [f"{item.name} login:"] if item.state == RUNNING and item.answers <= contents.now else []
            return lines + ([item.reason] if item.reason else [])

        return self._call("console", name, work, changes=False)

    def _call(self, call: str, name: str, work: Callable[[Contents], T], changes: bool = True) -> T:
        error: ProviderError | None = None
        with self.world.open(changes) as contents:
            contents.now = max(contents.now, self._clock.time())
            nth = _count(contents, f"{call} {name}")
            draw = random.Random(f"{self._laws.seed} {call} {name} {nth}")
            takes = self._laws.latency * draw.lognormvariate(0.0, self._laws.spread)
            self._pass(contents)
            try:
                self._refuse(contents, draw, call, name, nth)
                value = deepcopy(work(contents))
                if strikes(self._laws.faults.get("lose", []), draw, call, name, nth):
                    raise ReplyLost("the connection ended before the reply")
            except ProviderError as problem:
                error = problem
            answer = "ok" if error is None else type(error).__name__
            self.world.note(Call(time=contents.now, call=call, name=name, answer=answer))
        self._clock.sleep(takes)
        if error is not None:
            raise error
        return value

    def _refuse(self, contents: Contents, draw: random.Random, call: str, name: str, nth: int) -> None:
        if self._laws.limit:
            since = contents.now - contents.filled
            contents.tokens = min(float(self._laws.limit), contents.tokens + since * self._laws.limit)
            contents.filled = contents.now
            if contents.tokens < 1.0:
                raise Busy(f"429: more than {self._laws.limit} calls a second")
            contents.tokens -= 1.0
        raised = {"throttle": Busy("429: too many calls"), "unavailable": Busy("503: not available for the moment"),
                  "refuse": Refused("403: refused")}  # fmt: skip
        for option, error in raised.items():
            if strikes(self._laws.faults.get(option, []), draw, call, name, nth):
                raise error

    def _begin(self, contents: Contents, item: Item) -> None:
        """Draw what becomes of what was just made."""
        draw, now = random.Random(f"{self._laws.seed} {item.id}"), contents.now
        item.shown = now + draw.random() * self._laws.lag
        item.sure = item.shown + max(self._laws.lag, CLOSE)
        if item.kind != HOST:
            return
        item.runs = now + self._taken(self._laws.pending, item.id)
        item.answers = item.runs + self._taken(self._laws.boot, item.id)
        nth = _count(contents, f"{SERVER} {item.name}")
        faults = self._laws.faults
        item.fails = strikes(faults.get("error", []), draw, SERVER, item.name, nth)
        item.stays = strikes(faults.get("zombie", []), draw, SERVER, item.name, nth)
        if strikes(faults.get("vanish", []), draw, SERVER, item.name, nth):
            item.vanishes = item.answers + draw.uniform(1.0, 60.0)

    def _pass(self, contents: Contents) -> None:
        """Let what is due by now have happened."""
        for id, item in list(contents.items.items()):
            if item.state == BUILDING and item.runs <= contents.now:
                item.state = ERROR if item.fails else RUNNING
                item.reason = "no valid host was found: there is not enough room" if item.fails else ""
            if item.vanishes is not None and item.state == RUNNING and item.vanishes <= contents.now:
                item.state, item.gone = DELETING, item.vanishes
            if item.state == DELETING and item.gone is not None and item.gone <= contents.now:
                if item.stays:
                    item.stays, item.gone, item.state = False, None, ERROR
                    item.reason = "its removal failed; it has to be removed once more"
                else:
                    item.state = DELETED
                    item.hidden = item.gone + random.Random(f"{self._laws.seed} {id} hidden").random() * self._laws.lag
            if item.state == DELETED and item.hidden is not None and item.hidden <= contents.now:
                del contents.items[id]

    def _forget(self, contents: Contents, item: Item) -> None:
        faults = self._laws.faults.get("forget", [])
        if not faults or contents.now < item.sure or item.state == DELETED:
            return
        nth = _count(contents, f"forget {item.name}")
        draw = random.Random(f"{self._laws.seed} forget {item.id} {nth}")
        if strikes(faults, draw, SERVER, item.name, nth):
            item.veiled = contents.now + draw.random() * self._laws.lag
            item.sure = item.veiled + max(self._laws.lag, CLOSE)

    def _switch(self, item: Item, state: str) -> None:
        if item.state not in (RUNNING, STOPPED, PAUSED):
            raise InUse(f"it is {item.state}")
        if (item.state, state) == (STOPPED, PAUSED):
            raise InUse("it is stopped, and only what runs can be suspended")
        item.state = state

    def _taken(self, median: float, id: str) -> float:
        return median * random.Random(f"{self._laws.seed} {id} {median}").lognormvariate(0.0, self._laws.spread)


def _network_of(contents: Contents, labels: Mapping[str, str]) -> str:
    place = {key: labels.get(key) for key in ("infratest.state", "infratest.stack", "infratest.env")}
    for one in reversed(contents.items.values()):
        if one.kind == NETWORK and one.state == RUNNING and place.items() <= one.labels.items():
            return one.id
    raise Refused("there is no network for it")


def _one(contents: Contents, id: str) -> Item:
    item = contents.items.get(id)
    if item is None or item.state == DELETED:
        raise NotThere(f"404: there is no {id}")
    return item


def _count(contents: Contents, key: str) -> int:
    contents.counts[key] = contents.counts.get(key, 0) + 1
    return contents.counts[key]


def kept(item: Item, name: str) -> dict[str, Any] | None:
    """Return a snapshot of a server by its name, None where there is none."""
    return next((one for one in item.snapshots if one["name"] == name), None)
