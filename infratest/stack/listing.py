"""The hosts of a stack that is fed by inventories: each source is asked when somebody first looks at the hosts, once.

Until then a stack file is read without them, so that what needs no hosts (the lock, the pause of healing) works while
a source does not. Called by `stack.file`; `read` by those who have a deadline for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, overload

from infratest import outsiders, selector
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InfratestError, InventoryError, UserError
from infratest.inventories.base import MOST_HOSTS, Inventory, Listed, labels_of, name_of
from infratest.options import LINE, WORD, build, spelled_out
from infratest.providers.base import HostSpec
from infratest.stack import kept_answers
from infratest.stack.document import Document, KeyPath
from infratest.stack.named import FROM, WHERE
from infratest.stack.problems import Faults
from infratest.store.directory import StateDir

#: Seconds that all sources may take where nobody says how long.
SECONDS = 30.0


@dataclass(frozen=True)
class Source:
    """One entry of `from:`. `where`: its selector, or empty. `place`: file:line: key, for messages."""

    inventory: Inventory
    where: str
    place: str
    key: KeyPath

    @property
    def title(self) -> str:
        return f"{self.place} ({self.inventory.describe()})"


@dataclass(frozen=True)
class Entry:
    """A host that sources name: what they say of it together, and the entry that named it first."""

    host: Listed
    key: KeyPath
    title: str


class Listing(Sequence[HostSpec]):
    """The hosts of a stack, asked of its inventories when they are first looked at.

    Args:
        merge: returns the hosts of the stack file and of its sources. state: returns where answers are kept. limit:
        returns the end of the whole call, None where it has none.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        merge: Callable[[Mapping[str, Entry]], tuple[HostSpec, ...]],
        state: Callable[[], StateDir | None],
        limit: Callable[[], Deadline | None],
    ) -> None:
        self._sources = sources
        self._merge = merge
        self._state = state
        self._limit = limit
        self._lock = Lock()
        self._hosts: tuple[HostSpec, ...] | None = None
        #: Files that were read for it, and folders that were listed; until then, and where it fails, what is known.
        self.files: tuple[Path, ...] = tuple(path for source in sources for path in source.inventory.sources())
        #: When the first of its answers is too old, and when the last was given: seconds since the epoch, or None.
        self.until: float | None = None
        self.asked: float | None = None

    def read(self, deadline: Deadline) -> tuple[HostSpec, ...]:
        """Return the hosts; the sources are asked the first time.

        Raises:
            InventoryError: a source cannot be read, or names no host. UserError: its selector, or a host of it.
        """
        with self._lock:
            if self._hosts is None:
                state = self._state()
                answers = [(source, _answer(source, state, deadline)) for source in self._sources]
                self._hosts = self._merge(_together([(source, _chosen(source, each)) for source, each in answers]))
                self.files = tuple(dict.fromkeys(path for _, each in answers for path in each.answer.files))
                limits = [each.until for _, each in answers if each.until is not None]
                self.until = min(limits, default=None)
                self.asked = max((each.asked for _, each in answers if each.until is not None), default=None)
            return self._hosts

    def anew(self) -> Listing:
        """Return the same listing of which nothing was asked yet."""
        return Listing(self._sources, self._merge, self._state, self._limit)

    @property
    def _all(self) -> tuple[HostSpec, ...]:
        if self._hosts is None:
            return self.read((self._limit() or Deadline(SECONDS)).at_most(SECONDS))
        return self._hosts

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[HostSpec]:
        return iter(self._all)

    @overload
    def __getitem__(self, index: int) -> HostSpec: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[HostSpec, ...]: ...
    def __getitem__(self, index: int | slice) -> HostSpec | tuple[HostSpec, ...]:
        return self._all[index]


def read(hosts: Sequence[HostSpec], deadline: Deadline) -> None:
    """Ask the inventories of a stack, where it has some and they are not asked yet. Raises as `Listing.read` does."""
    if isinstance(hosts, Listing):
        hosts.read(deadline)


def anew(hosts: Sequence[HostSpec]) -> Sequence[HostSpec]:
    """Return the hosts of a stack such that its inventories are asked again, where it has some."""
    return hosts.anew() if isinstance(hosts, Listing) else hosts


def sources(document: Document, entries: Sequence[Mapping[str, Any]], folder: Path, faults: Faults) -> list[Source]:
    """Return what stands under `from:`, opened; nothing is asked yet.

    Args:
        folder: of the stack file. faults: told what is wrong with an entry.
    """
    opened = []
    for number, entry in enumerate(entries):
        key = ("provider", FROM, number)
        names = [name for name in entry if name != WHERE]
        if len(names) != 1:
            words = f"name one source, such as {{ssh-config: ~/.ssh/config}}; found {' and '.join(names) or 'none'}"
            faults.add(key, words)
            continue
        with faults.caught():
            place = document.at(key)
            opened.append(
                Source(_inventory(names[0], entry[names[0]], folder, place), entry.get(WHERE, ""), place, key)
            )
    return opened


def _inventory(name: str, given: Any, folder: Path, place: str) -> Inventory:
    kind = outsiders.get("inventory", name)
    options = outsiders.options_of(kind)
    if options is None:
        raise InfratestError(f"{kind.__module__}: has no Options dataclass; every inventory has one, even if empty")
    made: Inventory = kind(build(options, spelled_out(options, given), f"{place}.{name}"), folder)
    return made


def _answer(source: Source, state: StateDir | None, deadline: Deadline) -> kept_answers.Dated:
    try:
        dated = kept_answers.ask(source.inventory, state, deadline)
    except InfratestError as error:
        raise InventoryError(f"{source.title}: {error}; which hosts there are is not known") from error
    count = len(dated.answer.hosts)
    if not count:
        raise InventoryError(f"{source.title} names no host: is it the right one? which hosts there are is not known")
    if count > MOST_HOSTS:
        raise InventoryError(f"{source.title} names {count} hosts, and at most {MOST_HOSTS} can be used")
    return dated


def _chosen(source: Source, dated: kept_answers.Dated) -> list[Listed]:
    """Return the hosts of a source under the names they have here, those that its `where` selects."""
    hosts = [_named(host) for host in dated.answer.hosts]
    if source.where:
        try:
            hosts = selector.selected(source.where, hosts)
        except UserError as error:
            raise InventoryError(f"{source.place}.{WHERE}: {error}") from None
        if not hosts:
            raise InventoryError(
                f"{source.place}.{WHERE}: {clean(repr(source.where), 200)} selects none of the "
                f"{len(dated.answer.hosts)} hosts of {source.inventory.describe()}: that is unknown, and never all well"
            )
    for host in hosts:
        if host.problem:
            raise InventoryError(
                f"{source.title}: host {host.name} cannot be used: {host.problem}; mend it there, or leave the host "
                f"out by `{WHERE}: not {host.name}`"
            )
    return hosts


def _odd(host: Listed) -> str:
    """Return why a host cannot be reached as its source says, empty where it can: ssh would take it for an option,
    or refuse it."""
    # A name in an ssh_config may have a blank in it.
    for name, pattern in (("address", LINE), ("user", WORD), ("jump", WORD), ("key", LINE), ("config", LINE)):
        text = str(getattr(host, name))
        if text and not re.search(pattern.replace("$", r"\Z"), text):
            may = "blanks at an end" if pattern == LINE else "blanks"
            return f"its {name} is {clean(repr(text), 80)}: it may hold no line breaks and {may}, and begin with no -"
    return ""


def _named(host: Listed) -> Listed:
    """Return a host under the names that it, its groups and its labels have here."""
    groups = tuple(dict.fromkeys(name_of(group) for group in host.groups))
    try:
        labels, problem = labels_of(host.labels), host.problem or _odd(host)
    except InventoryError as error:
        labels, problem = {}, host.problem or str(error)
    return replace(host, name=name_of(host.name), groups=groups, labels=labels, problem=problem)


def _together(answers: Sequence[tuple[Source, Sequence[Listed]]]) -> dict[str, Entry]:
    """Return every host by its name; what several entries say of one is put together.

    Raises:
        InventoryError: they do not agree, or one source has two hosts of one name.
    """
    found: dict[str, Entry] = {}
    for source, hosts in answers:
        mine: dict[str, Listed] = {}
        for host in hosts:
            if host.name in mine:
                raise InventoryError(
                    f"{source.title}: two hosts are named {host.name!r} here: {_place(mine[host.name])} and "
                    f"{_place(host)}; rename one there, or leave it out by `{WHERE}:`"
                )
            mine[host.name] = host
            before = found.get(host.name)
            both = host if before is None else _agreed(before, host, source)
            found[host.name] = Entry(both, source.key if before is None else before.key,
                                     source.title if before is None else before.title)  # fmt: skip
    return found


def _place(host: Listed) -> str:
    return host.where or host.address or "one without a place"


def _agreed(before: Entry, host: Listed, source: Source) -> Listed:
    first = before.host
    for what, ours, theirs in (("", first.values(), host.values()), ("the label ", first.labels, host.labels)):
        for name in sorted(ours.keys() & theirs.keys()):
            if ours[name] != theirs[name]:
                raise InventoryError(
                    f"host {host.name}: {what}{name} is {clean(str(ours[name]), 80)!r} by {before.title} and "
                    f"{clean(str(theirs[name]), 80)!r} by {source.title}; they must agree, or one must leave it out"
                )
    return replace(
        first,
        **host.values(),
        groups=tuple(dict.fromkeys((*first.groups, *host.groups))),
        labels={**first.labels, **host.labels},
    )
