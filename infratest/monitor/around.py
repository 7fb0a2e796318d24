"""What is around a failure that may be healed: how all other hosts are, looked at since it began.

`check --heal` looks at all in one run, and a monitor at each when it is due, so that what it knows of others is of
before. For gates to see as much here, all other hosts are looked at once something fails that a rule is for: some at a
time, and by what is looked at as often as the most. Until they were, nothing is done. One of which no look comes back
is waited for no longer than a look may take, and counts as it was seen last. All but `View` is of the loop's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from infratest.alerting.moments import Moment
from infratest.alerting.status import Status
from infratest.alerting.subject import Subject
from infratest.heal.gates import OPENED_BY_APPROVAL, SEEN, Seen, refusals
from infratest.heal.records import REFUSED, HealRecord
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.monitor.monitor import GRACE
from infratest.monitor.watched import Watched
from infratest.states import CRITICAL, OK, SKIPPED, WAIVED, WARNING

#: Hosts that are looked at at once for this.
AT_ONCE = 50


@dataclass(frozen=True)
class View:
    """All that is known at one moment, for gates.

    Args:
        results, newest, statuses: of the book. unseen: by id of a result, the hosts that are waited for.
    """

    results: Mapping[str, Result]
    newest: Mapping[str, Moment]
    statuses: Mapping[str, Status]
    unseen: Mapping[str, Sequence[str]]

    def known(self) -> dict[str, Seen]:
        """Return how all was that this life has looked at, as gates ask for it."""
        return {id: self._seen(self.results[id], at) for id, at in self.newest.items() if id in self.results}

    def dated(self, result: Result, at: float) -> Result:
        """Return a result with since when it is so. at: when it was looked at, in seconds since the epoch."""
        status = self.statuses.get(result.id)
        turned = status.turned if status is not None and status.seen == result.state else None
        dated: Result = result.changed(since=at if turned is None else min(turned.wall, at))
        return dated

    @staticmethod
    def held(records: Iterable[HealRecord]) -> list[str]:
        """Return the ids of what was not healed for this alone, that others were not looked at yet."""
        refused = [one for one in records if one.outcome == REFUSED]
        gates = {one.before.id: {answer.name for answer in refusals(one.gates)} for one in refused}
        return [id for id, closed in gates.items() if SEEN in closed and closed <= {SEEN, *OPENED_BY_APPROVAL}]

    def _seen(self, result: Result, at: Moment) -> Seen:
        since, blocked = self.statuses[result.id].turned or at, result.blocked_by or False
        return Seen(host=result.host, state=result.state, time=at.wall, since=since.wall, blocked=blocked)


class Around:
    """Has other hosts looked at once something fails."""

    def __init__(self) -> None:
        self._subjects: Mapping[str, Subject] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        self._patience = inf
        #: All times are of the monitor's own time. When what fails was first seen to; the newest of them.
        self._began: dict[str, float] = {}
        self._wanted = -inf
        #: Hosts that were not looked at since then; and when each was asked for that was not looked at since that.
        self._pending: set[str] = set()
        self._asked: dict[str, float] = {}
        #: What is looked at again once all others were.
        self._held: set[str] = set()

    def saw(self, result: Result, book: Book) -> None:
        """Take in a look at something that there is a rule for."""
        if result.state in (OK, SKIPPED, WAIVED):
            self._began.pop(result.id, None)
            self._held.discard(result.id)
        elif result.state in (WARNING, CRITICAL) and result.id not in self._began and result.id in book.newest:
            at = self._began[result.id] = book.newest[result.id].steady
            if at > self._wanted:
                self._wanted, self._pending = at, set(self._hosts)

    def hold(self, ids: Iterable[str]) -> None:
        """Have these looked at again as soon as all others were."""
        self._held.update(id for id in ids if id in self._began)

    def tend(self, watched: Watched, book: Book, now: Moment) -> None:
        """Have those looked at that it is time for."""
        if book.subjects is not self._subjects:
            self._fit(watched, book)
        for host in [*self._pending]:
            seen = self._looked(host, book)
            if seen >= self._asked.get(host, inf):
                del self._asked[host]
            if seen >= self._wanted:
                self._pending.discard(host)
                self._asked.pop(host, None)
        waits = sum(not self._silent(host, now) for host in self._asked)
        for host in sorted(self._pending - self._asked.keys())[: max(0, AT_ONCE - waits)]:
            self._asked[host] = now.steady
            book.hint(self._hosts[host], now)
        for id in [id for id in self._held if not self._unseen(id, book, now)]:
            self._held.discard(id)
            book.hint([id], now)

    def view(self, ids: Iterable[str], book: Book, now: Moment) -> View:
        """Return all that is known now. ids: of results that may be healed."""
        unseen = {id: names for id in ids if (names := self._unseen(id, book, now))}
        return View(dict(book.results), dict(book.newest), dict(book.statuses), unseen)

    def _unseen(self, id: str, book: Book, now: Moment) -> list[str]:
        """Return the hosts that were not looked at since a result failed, and are waited for."""
        began, own = self._began.get(id, -inf), id.rpartition("@")[2]
        late = (host for host in self._hosts if host != own and self._looked(host, book) < began)
        return sorted(host for host in late if not self._silent(host, now))

    def _silent(self, host: str, now: Moment) -> bool:
        """Whether no look has come back of a host for longer than one may take."""
        return now.steady - self._asked.get(host, now.steady) >= self._patience

    def _looked(self, host: str, book: Book) -> float:
        """Return since when all that is asked of a host was looked at."""
        found = [book.newest.get(id) for id in self._hosts[host]]
        return min(-inf if at is None else at.steady for at in found)

    def _fit(self, watched: Watched, book: Book) -> None:
        """Go by what is watched now."""
        self._subjects, self._patience = book.subjects, watched.seconds + GRACE
        every: dict[str, dict[str, float]] = {}
        for id, each in book.subjects.items():
            if each.looked_at and each.host in watched.hosts:
                every.setdefault(each.host, {})[id] = each.policy.interval
        self._hosts = {host: _often(of, watched.interval) for host, of in every.items()}
        self._began = {id: at for id, at in self._began.items() if id in book.subjects}
        self._held &= self._began.keys()
        self._pending = set(self._hosts) if self._began else set()
        self._asked = {host: at for host, at in self._asked.items() if host in self._hosts}


def _often(intervals: Mapping[str, float], interval: float) -> tuple[str, ...]:
    """Return the ids that are looked at as often as the most, or else the most often: what is dear is left out."""
    most = max(interval, min(intervals.values()))
    return tuple(id for id, its in intervals.items() if its <= most)
