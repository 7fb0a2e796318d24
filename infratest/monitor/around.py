"""What is around a failure that may be healed: how all other hosts are, looked at since it began.

`check --heal` looks at all in one run, and a monitor at each when it is due, so that what it knows of others is of
before. For gates to see as much here, all other hosts are looked at once something fails that may be healed: some at a
time, those first that were looked at longest ago, and by what is looked at as often as the most. Until they were,
nothing is done. However much fails, no host is asked for this again before `retry` is over, and none sooner than
`retry` says where anything is not well there. One of which no look comes back is waited for no longer than a look may
take, and counts as it was seen last. All but `View` is of the loop's thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest
from math import inf

from infratest.alerting.moments import Moment
from infratest.alerting.status import Status
from infratest.alerting.subject import Subject
from infratest.heal.gates import BLAST_RADIUS, FLOOR, OPENED_BY_APPROVAL, SEEN, Seen, refusals
from infratest.heal.records import REFUSED, HealRecord
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.monitor.monitor import GRACE
from infratest.monitor.watched import Watched
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

#: Hosts that are looked at at once for this.
AT_ONCE = 50
#: Gates that refuse, too, where others were not looked at.
OF_A_GROUP = (BLAST_RADIUS, FLOOR)
#: States in which a look counts as an attempt.
UNWELL = (WARNING, CRITICAL, UNKNOWN)


@dataclass(frozen=True)
class View:
    """All that is known at one moment, for gates. Copied, so that another thread can read it.

    Args:
        results, newest, statuses: of the book. began: by id, when what fails was first seen to, in the monitor's own
        time. seen: by host, since when all that is asked of it was looked at; `inf` of one that nobody waits for.
    """

    results: Mapping[str, Result]
    newest: Mapping[str, Moment]
    statuses: Mapping[str, Status]
    began: Mapping[str, float]
    seen: Mapping[str, float]

    @cached_property
    def known(self) -> dict[str, Seen]:
        """Return how all was that this life has looked at, as gates ask for it."""
        return {id: self._seen(self.results[id], at) for id, at in self.newest.items() if id in self.results}

    def unseen(self, id: str) -> list[str]:
        """Return the hosts that were not looked at since a result failed, and are waited for."""
        began, own = self.began.get(id, -inf), id.rpartition("@")[2]
        return sorted(host for host, at in self.seen.items() if at < began and host != own)

    def dated(self, result: Result, at: float) -> Result:
        """Return a result with since when it is so. at: when it was looked at, in seconds since the epoch."""
        status = self.statuses.get(result.id)
        turned = status.turned if status is not None and status.seen == result.state else None
        dated: Result = result.changed(since=at if turned is None else min(turned.wall, at))
        return dated

    @staticmethod
    def held(records: Iterable[HealRecord]) -> list[str]:
        """Return the ids of what was not healed for this alone, that others were not looked at yet.

        In a life that has just begun the gates about a group refuse for the very same reason.
        """
        refused = [one for one in records if one.outcome == REFUSED]
        gates = {one.before.id: {answer.name for answer in refusals(one.gates)} for one in refused}
        return [
            id for id, closed in gates.items() if SEEN in closed and closed <= {SEEN, *OF_A_GROUP, *OPENED_BY_APPROVAL}
        ]

    def _seen(self, result: Result, at: Moment) -> Seen:
        since, blocked = self.statuses[result.id].turned or at, result.blocked_by or False
        return Seen(host=result.host, state=result.state, time=at.wall, since=since.wall, blocked=blocked)


class Around:
    """Has other hosts looked at once something fails."""

    def __init__(self) -> None:
        self._subjects: Mapping[str, Subject] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        #: By host, seconds between two looks for this at least.
        self._pauses: dict[str, float] = {}
        self._patience = inf
        #: All times are of the monitor's own time. When what fails was first seen to; what of it may be healed.
        self._began: dict[str, float] = {}
        self._healable: set[str] = set()
        #: The newest of the times of these; and the hosts that were not looked at since, the longest ago first.
        self._wanted = -inf
        self._pending: list[str] = []
        #: When each host was asked for last; those that were not looked at since, and that are waited for no longer.
        self._asked: dict[str, float] = {}
        self._awaited: set[str] = set()
        self._silent: set[str] = set()
        #: Until when each host is not asked for this.
        self._rests: dict[str, float] = {}
        #: What is attended to again once all others were looked at.
        self._held: set[str] = set()
        self._failed = self._came = False
        self._view: View | None = None  # until something is looked at

    def saw(self, result: Result, book: Book, healable: bool = True) -> None:
        """Take in a look at something that there is a rule for.

        Args:
            healable: whether anything may be done about it now: for what may not, nobody else is looked at sooner.
        """
        id = result.id
        if result.state in (OK, SKIPPED, WAIVED):
            self._failed |= id in self._healable
            self._began.pop(id, None)
            self._healable.discard(id)
            self._held.discard(id)
        elif result.state in (WARNING, CRITICAL) and id in book.newest:
            self._failed |= id not in self._began or healable != (id in self._healable)
            self._began.setdefault(id, book.newest[id].steady)
            (self._healable.add if healable else self._healable.discard)(id)

    def hold(self, ids: Iterable[str]) -> None:
        """Have these attended to again as soon as all others were looked at."""
        self._held.update(id for id in ids if id in self._began)
        self._came = True

    def tend(self, watched: Watched, book: Book, now: Moment, news: bool = True) -> list[str]:
        """Have those looked at that it is time for; return what is to be attended to again, as it was seen last.

        It is not looked at again: that would be an attempt, and confirm it, before its `retry`.

        Args:
            news: whether anything was looked at since this was called last.
        """
        if book.subjects is not self._subjects:
            self._fit(watched, book)
        if self._failed:
            self._failed, self._wanted = False, max((self._began[id] for id in self._healable), default=-inf)
            seen = self._seen(book, now)
            self._pending = sorted(self._hosts, key=lambda host: (seen[host], host)) if self._healable else []
        before = self._pending, self._awaited, self._silent
        self._pending = [host for host in self._pending if self._late(host, self._wanted, book)]
        self._awaited = {host for host in self._awaited if self._late(host, self._asked[host], book)}
        self._silent = {host for host in self._awaited if now.steady - self._asked[host] >= self._patience}
        self._came |= before != (self._pending, self._awaited, self._silent)
        self._ask(book, now)
        if self._came or news:
            self._view = None
        ready = self._attendable(book, now) if self._came else []
        self._came = False
        self._held.difference_update(ready)
        return ready

    def view(self, book: Book, now: Moment) -> View:
        """Return all that is known now: the same view, as long as it is."""
        if self._view is None or book.looked:
            seen = self._seen(book, now) if self._began else {}
            self._view = View(dict(book.results), dict(book.newest), dict(book.statuses), dict(self._began), seen)
        return self._view

    def _ask(self, book: Book, now: Moment) -> None:
        """Have some of those looked at that are wanted, of which none is starved by another's name."""
        free = AT_ONCE - len(self._awaited) + len(self._silent)
        for host in self._pending:
            if free <= 0:
                break
            if host not in self._awaited and self._rested(host, book, now):
                self._asked[host], self._rests[host] = now.steady, now.steady + self._pauses[host]
                self._awaited.add(host)
                book.hint(self._hosts[host], now)
                free -= 1

    def _rested(self, host: str, book: Book, now: Moment) -> bool:
        """Whether a look at a host now would be no attempt that comes before its time.

        What is well is only not asked for this again before `retry` is over. Anything else is looked at when `retry`
        says, for it is of two such looks that a failure is made hard, or confirmed.
        """
        if now.steady < self._rests.get(host, -inf):
            return False
        statuses = [book.statuses[id] for id in self._hosts[host]]
        times = [one.looked for one in statuses if one.looked is not None and (one.soft or one.seen in UNWELL)]
        # One of the future is of what another machine has kept.
        self._rests[host] = max((at for at in times if at <= now.steady), default=-inf) + self._pauses[host]
        return self._rests[host] <= now.steady

    def _attendable(self, book: Book, now: Moment) -> list[str]:
        """Return what is held of which all others were looked at."""
        if not self._held:
            return []
        # Of all hosts but one the oldest look is that of one of these two.
        oldest = nsmallest(2, ((at, host) for host, at in self._seen(book, now).items()))
        return [
            id
            for id in sorted(self._held)
            if all(at >= self._began[id] for at, host in oldest if host != id.rpartition("@")[2])
        ]

    def _late(self, host: str, since: float, book: Book) -> bool:
        """Whether something that is asked of a host was not looked at since a time."""
        newest = book.newest
        return any(id not in newest or newest[id].steady < since for id in self._hosts[host])

    def _seen(self, book: Book, now: Moment) -> dict[str, float]:
        """Return by host since when all that is asked of it was looked at; of one that is silent for too long, `inf`.

        That is one of which no look has come back for longer than one may take.
        """
        newest, found = book.newest, {}
        for host, ids in self._hosts.items():
            at = min([newest[id].steady if id in newest else -inf for id in ids])
            asked = self._asked.get(host, -inf)
            found[host] = inf if at < asked <= now.steady - self._patience else at
        return found

    def _fit(self, watched: Watched, book: Book) -> None:
        """Go by what is watched now."""
        self._subjects, self._patience, self._failed = book.subjects, watched.seconds + GRACE, True
        every: dict[str, dict[str, float]] = {}
        for id, each in book.subjects.items():
            if each.looked_at and each.host in watched.hosts:
                every.setdefault(each.host, {})[id] = each.policy.interval
        self._hosts = {host: _often(of, watched.interval) for host, of in every.items()}
        policies = {host: [book.subjects[id].policy for id in ids] for host, ids in self._hosts.items()}
        self._pauses = {host: max(min(each.retry, each.interval) for each in of) for host, of in policies.items()}
        self._began = {id: at for id, at in self._began.items() if id in book.subjects}
        self._healable &= self._began.keys()
        self._held &= self._began.keys()
        self._asked = {host: at for host, at in self._asked.items() if host in self._hosts}
        self._rests = {host: at for host, at in self._rests.items() if host in self._hosts}
        self._awaited &= self._asked.keys()


def _often(intervals: Mapping[str, float], interval: float) -> tuple[str, ...]:
    """Return the ids that are looked at as often as the most, or else the most often: what is dear is left out."""
    most = max(interval, min(intervals.values()))
    return tuple(id for id, its in intervals.items() if its <= most)
