"""An account of the simulated cloud, two state directories that use it, and what must hold in it whatever happens.

What happens is written as lines, one verb or event each, so that what a machine tried can be committed as a scenario
(tests/lifecycle/scenarios/) and replayed:

    cloud {"lag": "20s", "seed": 3}     how the cloud is, first of all; its times and chances stay
    stack a db web-1                    what the stack file beside state directory a (or b) names
    components a                        beside its hosts there are a firewall of all, and an address of db, from here on
    faults {"lose": ["first create"]}   options of the simulator from here on
    up a            halt a db           a verb of the lifecycle, of all hosts or of some
    destroy a       reap a              status a        expired a (`reap --expired`)
    suspend a db    resume a            save a db       restore a db        reboot a
    rebuild a
    remove a db                         somebody else removes it
    wait 3600                           time passes
    crash 12                            the next verb dies at its 12th point: before and after each call of the cloud's
                                        API, before and after each record of the journal
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infratest.clock import Clock
from infratest.errors import InfratestError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.reboot import reboot
from infratest.lifecycle.rebuild import rebuild
from infratest.lifecycle.snapshot import restore, save
from infratest.lifecycle.status import status
from infratest.lifecycle.suspend import resume, suspend
from infratest.lifecycle.up import up
from infratest.providers._component import Address, ComponentSpec, Firewall
from infratest.providers.base import HostSpec
from infratest.providers.simulator import Simulator
from infratest.providers.simulator.clock import VirtualClock
from infratest.providers.simulator.cloud import Cloud
from infratest.providers.simulator.world import DELETED, DELETING, Item, World
from infratest.stack.declared import StackFile
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.terms import expires

BEGIN = 3_000_000_000.0  # seconds since the epoch: later than the machine's own time, which then plays no part
TIMES = {"latency": "200ms", "pending": "1s", "boot": "2s", "removing": "1s"}
NEVER = 10**9


class Crash(BaseException):
    """The process dies here: nothing catches it, and nothing more of the verb happens."""


class Points:
    """Where a verb may die. Once it has, it dies at every further point: a dead process does nothing more."""

    def __init__(self, target: int) -> None:
        self.count, self.dead, self._target = 0, False, target

    def pass_(self) -> None:
        self.count += 1
        self.dead = self.dead or self.count == self._target
        if self.dead:
            raise Crash


class StruckCloud(Cloud):
    """The simulated cloud, with a point before each call and one after it; it writes down what is really removed."""

    def __init__(self, cloud: Cloud, points: Points, removed: set[str]) -> None:
        super().__init__(cloud.world, cloud._clock, cloud._laws)
        self._points, self._removed = points, removed

    def _call(self, *arguments: Any, **more: Any) -> Any:
        self._points.pass_()
        try:
            return super()._call(*arguments, **more)
        finally:
            self._points.pass_()

    def destroy(self, id: str, name: str) -> None:
        with self.world.open(changes=False) as contents:
            there = id in contents.items and contents.items[id].state not in (DELETED, DELETING)
        super().destroy(id, name)
        if there:
            self._removed.add(id)


class StruckState(StateDir):
    """The real state directory, with a point before and after each record and each file that is written."""

    def __init__(self, path: Path, points: Points) -> None:
        super().__init__(path)
        self._points = points

    def append(self, name, *records):
        self._points.pass_()
        super().append(name, *records)
        self._points.pass_()

    def write(self, name, text, mode=0o600):
        self._points.pass_()
        super().write(name, text, mode)
        self._points.pass_()


@contextmanager
def quiet_deaths() -> Iterator[None]:
    """A thread that dies by a crash says nothing."""
    before = threading.excepthook

    def hook(about: Any) -> None:
        if about.exc_type is not Crash:
            before(about)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


class Account:
    """A cloud's account, with a server and a network of somebody else in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self._options: dict[str, Any] = {}
        self._faults: dict[str, Any] = {}
        self._declared: dict[str, list[str]] = {"a": [], "b": []}
        self._with_components: set[str] = set()
        self._crash = NEVER
        self._foreign: set[str] = set()
        self._removed: set[str] = set()  # by the verb that runs, and not by somebody else

    def do(self, line: str) -> str:
        """Do what a line says, look at what must hold, and return what came of it."""
        self.lines.append(line)
        word, _, rest = line.partition(" ")
        if word == "cloud":
            return self._begin(json.loads(rest))
        if word == "faults":
            self._faults = json.loads(rest)
        elif word == "stack":
            state, *names = rest.split()
            self._declared[state] = names
        elif word == "components":
            self._with_components.add(rest)
        elif word == "wait":
            self.world().jump(float(rest))
        elif word == "crash":
            self._crash = int(rest)
        elif word == "remove":
            self._remove(*rest.split())
        else:
            return self._verb(word, *rest.split())
        return ""

    def end(self) -> None:
        """Switch the faults off and reap: only what is live is left. Destroy: nothing is. Then all goes well again."""
        quiet = ("faults {}", "wait 100", "reap a", "reap b", "destroy a", "destroy b")
        for line in (*quiet, "stack a db web-1", "up a", "destroy a"):
            came = self.do(line)
            assert came in ("", "ok"), f"{line}: {came}"
            if line == "up a":
                names = sorted(one.name for one in self.there("a"))
                beside = ["front", "inner"] if "a" in self._with_components else []
                assert names == sorted(["db", "shop", "web-1", *beside]), f"{line} made {names}"
        ours = [one for state in "ab" for one in self.there(state)]
        assert ours == [], f"left for good: {ours}"
        for state in "ab":
            assert Journal(self.state(state)).records() == [], f"the journal of {state} still holds something"

    def declared(self, state: str) -> list[str]:
        return self._declared[state]

    # What there is

    def world(self, clock: Clock | None = None) -> World:
        return World(self.folder / "world", clock or VirtualClock(BEGIN))

    def state(self, name: str) -> StateDir:
        return StateDir(self.folder / name / "state")

    def there(self, name: str) -> list[Item]:
        """Return what exists of a state directory, by the cloud's own word, which no listing delays."""
        path = self.folder / name / "state" / "id"
        id = path.read_text().strip() if path.exists() else "none"
        return [one for one in self._items() if one.labels.get("infratest.state") == id]

    def live(self, name: str) -> dict[str, tuple[str, str]]:
        return {id: (one.kind, one.name) for id, one in Journal(self.state(name)).live().items()}

    def _items(self) -> list[Item]:
        with self.world().open(changes=False) as contents:
            going = [id for id, one in contents.items.items() if one.state == DELETING and not one.stays]
            return [one for id, one in contents.items.items() if one.state != DELETED and id not in going]

    def _now(self) -> float:
        with self.world().open(changes=False) as contents:
            return contents.now

    def _begin(self, options: dict[str, Any]) -> str:
        self._options = TIMES | {"world": str(self.folder / "world")} | options
        self.world().jump(BEGIN)
        cloud = self._provider("a", {}).cloud
        for state, owner in (("foreign", "jane@elsewhere"), ("expired", "joe@elsewhere")):
            labels = {
                "infratest.state": state, "infratest.owner": owner, "infratest.stack": "shop", "infratest.env": "",
                "infratest.expires": "1", "infratest.name": "db",
            }  # fmt: skip
            self._foreign |= {cloud.create(kind, "db", labels, state).id for kind in ("network", "host")}
        return ""

    def _remove(self, state: str, name: str) -> None:
        with self.world().open() as contents:
            for one in self.there_in(contents.items.values(), state):
                if (one.kind, one.name) == ("host", name):
                    one.state, one.gone = DELETING, contents.now

    def there_in(self, items: Any, name: str) -> list[Item]:
        path = self.folder / name / "state" / "id"
        id = path.read_text().strip() if path.exists() else "none"
        return [
            one for one in items if one.labels.get("infratest.state") == id and one.state not in (DELETED, DELETING)
        ]

    # Verbs

    def _stack(self, name: str, options: dict[str, Any]) -> StackFile:
        hosts = self._declared[name]
        specs = tuple(HostSpec(name=each, after=("db",) if each != "db" and "db" in hosts else ()) for each in hosts)
        folder = self.folder / name
        return StackFile(
            name="shop", path=folder / "stack.yaml", folder=folder, provider="simulator",
            provider_options=self._options | options, hosts=specs, components=self._components(name),
        )  # fmt: skip

    def _components(self, name: str) -> tuple[ComponentSpec, ...]:
        hosts = tuple(self._declared[name]) if name in self._with_components else ()
        wall = ComponentSpec(name="inner", kind="firewall", hosts=hosts, wish=Firewall())
        front = ComponentSpec(name="front", kind="address", hosts=("db",), wish=Address())
        return (*([wall] if hosts else []), *([front] if "db" in hosts else []))

    def _provider(self, name: str, options: dict[str, Any]) -> Simulator:
        provider = open_provider(self._stack(name, options), self.state(name))
        assert isinstance(provider, Simulator)
        return provider

    def _life(self, name: str, points: Points) -> Lifecycle:
        state = StruckState(self.folder / name / "state", points)
        stack = self._stack(name, self._faults)
        provider = open_provider(stack, state)
        assert isinstance(provider, Simulator)
        provider.cloud = StruckCloud(provider.cloud, points, self._removed)
        return Lifecycle(stack, state, jobs=1, provider=provider)

    def _verb(self, verb: str, name: str, *hosts: str) -> str:
        mine, others = {*self.live(name)}, {*self.live("b" if name == "a" else "a")}
        points = Points(self._crash)
        self._crash = NEVER
        self._removed.clear()
        came = "ok"
        self.points = points
        try:
            self._run(verb, self._life(name, points), hosts)
        except Crash:
            came = "crash"
        except InfratestError as error:
            came = str(error) if not points.dead else "crash"
        self._look(verb, name, hosts, came, mine, others)
        return came

    def _run(self, verb: str, life: Lifecycle, hosts: tuple[str, ...]) -> None:
        names = list(hosts) or None
        verbs: dict[str, Callable[[], Any]] = {
            "up": lambda: up(life, names),
            "halt": lambda: halt(life, names),
            "destroy": lambda: destroy(life, names),
            "status": lambda: status(life),
            "reap": lambda: _whole(reap(life).left),
            "expired": lambda: _whole(reap(life, expired=True).left),
            "suspend": lambda: suspend(life, names),
            "resume": lambda: resume(life, names),
            "reboot": lambda: reboot(life, names),
            "rebuild": lambda: rebuild(life, names),
            "save": lambda: save(life, "clean", names),
            "restore": lambda: restore(life, "clean", names),
        }
        verbs[verb]()

    # What must hold

    def _look(self, verb: str, name: str, hosts: tuple[str, ...], came: str, mine: set[str], others: set[str]) -> None:
        """Args: mine, others: what the journals of this and the other state directory held as live before the verb."""
        there, live = self.there(name), self.live(name)
        assert {one.id for one in self._items()} >= self._foreign, "something foreign was touched"
        twice = [key for key, count in Counter(live[one.id] for one in there if one.id in live).items() if count > 1]
        assert not twice, f"live twice: {twice}"
        other = "b" if name == "a" else "a"
        if not (verb == "expired" and self._expired(other)):
            assert not self._removed & others, f"{verb} of {name} removed what is live in {other}"
        if verb not in ("destroy", "rebuild") and not (verb == "expired" and self._expired(name)):
            assert not self._removed & mine, f"{verb} removed what is live: {self._removed & mine}"
        # A destroy of some hosts is no reaper: what else is left over stays for one.
        if came == "ok" and (verb in ("up", "reap", "expired") or (verb == "destroy" and not hosts)):
            orphans = [(one.id, one.name, one.state) for one in there if one.id not in live]
            assert not orphans, f"{verb} was done and left {orphans}"

    def _expired(self, name: str) -> bool:
        end = expires(Journal(self.state(name)).records(), "shop", "")
        return end is None or end < self._now()


def _whole(left: tuple[str, ...]) -> None:
    if left:
        raise InfratestError("; ".join(left))
