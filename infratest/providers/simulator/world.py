"""What a simulated cloud holds, in a folder: another process, or one after a kill, finds the same cloud there.

`world.json` is the whole of it, replaced at each call under a lock; `calls.jsonl` has a line for each call: when,
which, about what, and what was answered.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from infratest.cleaning import clean
from infratest.clock import Clock
from infratest.errors import ProviderError
from infratest.json_text import loads
from infratest.providers.simulator.clock import VirtualClock

BUILDING, RUNNING, STOPPED, PAUSED = "building", "running", "stopped", "paused"
ERROR, DELETING, DELETED = "error", "deleting", "deleted"


@dataclass(kw_only=True)
class Item:
    """A server or a network of the cloud. Times are seconds since the epoch, by the cloud's clock.

    Args:
        token: of the call that made it. runs: when it is running by the cloud's word. answers: when it has booted.
        shown, hidden: from when to when the listings have it; veiled: until when they forget it; sure: until when they
        do not. uses: ids of the firewalls that a server is behind. address, at: of an address, and the server that has
        it. changes: when it is deleted, or vanishes. fails, stays: it will end in error, survive its removal.
    """

    id: str
    kind: str
    name: str
    token: str
    labels: dict[str, str]
    network: str
    state: str
    reason: str = ""
    runs: float = 0.0
    answers: float = 0.0
    shown: float = 0.0
    hidden: float | None = None
    veiled: float = 0.0
    sure: float = 0.0
    gone: float | None = None
    vanishes: float | None = None
    fails: bool = False
    stays: bool = False
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    address: str = ""
    at: str = ""


@dataclass(kw_only=True)
class Contents:
    """The whole of a cloud. `counts`: calls by kind and name. `tokens`, `filled`: what the rate limit has left."""

    now: float = 0.0
    number: int = 0
    items: dict[str, Item] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    tokens: float = 0.0
    filled: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as the cloud saw it. `answer`: ok, or the name of what it raised."""

    time: float
    call: str
    name: str
    answer: str


class World:
    """A cloud's folder, and its clock.

    Args:
        folder: made with the first item. clock: a virtual one is moved on to the world's time at each look.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._nothing = Contents()  # of a cloud without a folder: calls are counted all the same

    @contextmanager
    def open(self, changes: bool = True) -> Iterator[Contents]:
        """Give the contents under the lock, and keep what becomes of them.

        Args:
            changes: false: whoever looks at a cloud in which nothing was ever made leaves no trace.
        """
        if not changes and not self.folder.exists():
            yield self._nothing
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProviderError(f"simulator: {self.folder} cannot be made: {error.strerror}") from error
        with self._lock() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            contents = self._load()
            try:
                yield contents
            finally:
                self._save(contents)

    def _lock(self) -> BinaryIO:
        try:
            return open(self.folder / "lock", "a+b")
        except OSError as error:
            raise ProviderError(f"simulator: {self.folder} cannot be used: {error.strerror}") from error

    def catch_up(self) -> None:
        """Let the clock be as late as the world is."""
        with self.open(changes=False):
            pass

    def note(self, call: Call) -> None:
        """Add a call to the list of them, within `open`; nothing where nothing was ever made."""
        if self.folder.exists():
            with open(self.folder / "calls.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(vars(call)) + "\n")

    def calls(self) -> list[Call]:
        """Return every call so far."""
        path = self.folder / "calls.jsonl"
        return [Call(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def jump(self, seconds: float) -> None:
        """Let that much time pass at once; of a virtual clock alone."""
        with self.open() as contents:
            contents.now += seconds

    def _load(self) -> Contents:
        path = self.folder / "world.json"
        try:
            held = loads(path.read_bytes())
            items = {id: Item(**each) for id, each in held.pop("items", {}).items()}
            contents = Contents(**held, items=items)
        except FileNotFoundError:
            contents = Contents()
        except OSError as error:
            raise ProviderError(f"simulator: {path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, AttributeError) as error:
            words = "remove it, and with it all that is simulated there"
            raise ProviderError(f"simulator: {path} is damaged ({clean(str(error), 80)}); {words}") from error
        if isinstance(self._clock, VirtualClock):
            self._clock.move_to(contents.now)
        return contents

    def _save(self, contents: Contents) -> None:
        contents.now = max(contents.now, self._clock.time())
        if isinstance(self._clock, VirtualClock):
            self._clock.move_to(contents.now)
        text = json.dumps(vars(contents) | {"items": {id: vars(each) for id, each in contents.items.items()}})
        temporary = self.folder / f".world.{os.getpid()}"
        try:
            temporary.write_text(text, "utf-8")
            temporary.replace(self.folder / "world.json")
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise ProviderError(f"simulator: {self.folder} cannot be written: {error.strerror}") from error


def per_kind(calls: list[Call]) -> Mapping[str, int]:
    """Return how many calls of each kind there were."""
    return Counter(one.call for one in calls)


def per_name(calls: list[Call]) -> Mapping[str, int]:
    """Return how many calls there were about each name; those about none, as a listing, under an empty one."""
    return Counter(one.name for one in calls)


def per_tick(calls: list[Call], kind: str, tick: float) -> int:
    """Return the most calls of a kind that there were in any time of so many seconds."""
    times = [one.time for one in calls if one.call == kind]
    return max((sum(1 for other in times if start <= other < start + tick) for start in times), default=0)
