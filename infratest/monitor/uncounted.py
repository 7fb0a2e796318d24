"""Looks that the heal engine has not counted yet: of each id their whole sequence, as a check would have counted it.

And what it has counted: whether that a result is well would be news.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infratest.heal import verifying
from infratest.model import Place, Result
from infratest.states import CRITICAL, OK, WARNING
from infratest.store import failures
from infratest.store.directory import StateDir
from infratest.store.failures import LOOKS, Row

#: A result, and when it was looked at, in seconds since the epoch.
Look = tuple[Result, float]


class Uncounted:
    """The looks that wait for the engine, by id, the oldest first.

    Each failure is kept, for each confirms. Of what says the same in a row and is none, as many as anybody counts are:
    an engine may be busy for long, and what waits for it is bounded.
    """

    def __init__(self) -> None:
        self._looks: dict[str, list[Look]] = {}

    def __contains__(self, id: str) -> bool:
        return id in self._looks

    def __len__(self) -> int:
        return len(self._looks)

    def add(self, result: Result, at: float, of: int) -> None:
        """Have a look wait behind those of its id. Args: of: how many looks a rule for it goes by."""
        looks = self._looks.setdefault(result.id, [])
        if looks:
            looks[-1] = _thin(*looks[-1])
        looks.append((result, at))
        row = looks[-of - 1 :]
        if len(row) > of and not any(_confirms(each) for each, _ in row) and len({each.state for each, _ in row}) == 1:
            del looks[-of - 1]
        del looks[:-LOOKS]

    def back(self, looks: Iterable[Look]) -> None:
        """Have looks that were taken wait again, before those that came since."""
        before: dict[str, list[Look]] = {}
        for result, at in looks:
            before.setdefault(result.id, []).append((result, at))
        for id, mine in before.items():
            since = self._looks.get(id, [])
            self._looks[id] = [*(_thin(*look) if since else look for look in mine), *since][-LOOKS:]

    def take(self) -> tuple[list[Look], list[Look]]:
        """Return all looks but the newest of each id, and the newest; none of them waits any longer."""
        taken, self._looks = self._looks.values(), {}
        return [look for looks in taken for look in looks[:-1]], [looks[-1] for looks in taken]

    def fit(self, ids: Container[str]) -> None:
        """Forget those of all other ids."""
        self._looks = {id: looks for id, looks in self._looks.items() if id in ids}


@dataclass(frozen=True)
class Rows:
    """What the engine knows from looks before.

    Args:
        verifying: ids of which a heal has yet to be seen to have helped. files: those that this was read from, as they
        were then.
    """

    rows: Mapping[str, Row]
    verifying: Collection[str] = ()
    files: tuple[object, ...] = ()

    @classmethod
    def read(cls, state: StateDir, place: Place) -> Rows:
        """Read them. Raises StateError."""
        files = _files(state)
        rows = {id: row for id, row in failures.load(state, place).items() if row.state != OK or row.looks}
        return cls(rows, frozenset(verifying.pending(state, place)), files)

    def current(self, state: StateDir) -> bool:
        """Whether nobody has written anything there since, as a check that was run by hand."""
        return self.files == _files(state)

    def open(self, id: str, of: int) -> bool:
        """Whether a look that is well would change anything. Args: of: how many looks a rule for it goes by."""
        row = self.rows.get(id, Row())
        # The look to come is one of the window: what failed before the others of it is in it no longer.
        return id in self.verifying or row.state != OK or (of > 1 and row.looks[1 - of :].strip(".") != "")


def _files(state: StateDir) -> tuple[object, ...]:
    found: list[object] = []
    for name in (failures.FILE, verifying.FILE):
        try:
            info = Path(state.file(name)).stat()
        except OSError:
            found.append(None)
        else:
            found.append((info.st_ino, info.st_mtime_ns, info.st_size))
    return tuple(found)


def _confirms(result: Result) -> bool:
    return result.state in (CRITICAL, WARNING) and result.blocked_by is None


def _thin(result: Result, at: float) -> Look:
    """Return a look that is only counted any more, without what was seen."""
    return (result.changed(steps=()) if result.steps else result), at
