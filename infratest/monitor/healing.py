"""What a resident monitor heals: what its looks find is handed to the heal engine, by a thread beside the loop.

The engine and its gates are those of `check --heal`, and each look of the monitor counts as a check of its own. A heal
may take minutes, and meanwhile the loop looks, remembers and tells; of each result the newest look is kept until the
engine has time for it. After an act its host is looked at again at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from time import monotonic, time
from typing import cast

from infratest import rfc3339
from infratest.alerting.moments import Moment
from infratest.alerting.problems import Picture, Problems
from infratest.alerting.subject import HEALS
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.heal import verifying
from infratest.heal.records import PROPOSED, RECOVERED, TRIED, HealRecord, note
from infratest.heal.rules import PREFIX, WAY, WAY_TAG, matches
from infratest.model import Report, Result
from infratest.monitor.around import Around, View
from infratest.monitor.book import Book
from infratest.monitor.keeping import HEALER
from infratest.monitor.monitor import Call, Monitor
from infratest.monitor.watched import Watched
from infratest.project.heal import Resident, heal_report
from infratest.project.left_alone import words
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, OK, SKIPPED, WAIVED, WARNING
from infratest.store import failures, keep
from infratest.store.database.people import Note

log = logging.getLogger(__name__)

#: States in which nothing is to be healed.
WELL = (OK, SKIPPED, WAIVED)


@dataclass(frozen=True)
class _Work:
    """What the engine is to attend to.

    Args:
        seen: by when it was looked at (seconds since the epoch), the results.
    """

    watched: Watched
    seen: Mapping[float, Sequence[Result]]


class Healing:
    """Hands what a monitor finds to the heal engine.

    Args:
        monitor: whose looks these are.
    """

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        session = cast(Watched, monitor.watched).session
        rows = failures.load(session.state, session.stack.env)
        #: Ids that were not well when they were seen last: that they are again ends their row of failures.
        self._failing = {id for id, row in rows.items() if row.state != OK}
        self._failing |= {str(id) for id in verifying.pending(session.state, session.stack.env)}
        self._green: dict[str, float] = {}
        self._around = Around()
        self._rules: Sequence[HealRule] = ()
        self._may: dict[str, bool] = {}
        self._waiting: dict[str, tuple[Result, float]] = {}
        self._proposed: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._work: _Work | None = None
        self._busy = self._ended = False
        self._changed = Condition()
        Thread(target=self._heal_on, name="heal", daemon=True).start()

    # In the loop's thread.

    def see(self, looked: Iterable[tuple[Result, float]], book: Book, now: Moment) -> None:
        """Take in what was looked at, each with when that was in seconds since the epoch."""
        watched = cast(Watched, self._monitor.watched)
        if watched.session.stack.heal is not self._rules:
            self._rules, self._may = watched.session.stack.heal, {}
        for result, at in looked:
            if not self._is_for_a_rule(result):
                continue
            self._around.saw(result, book)
            if result.state == OK:
                self._green[result.id] = at
            well = result.state in WELL
            if not well or result.id in self._failing:
                (self._failing.discard if well else self._failing.add)(result.id)
                self._waiting[result.id] = (result, at)
        self._around.tend(watched, book, now)
        if self._waiting:
            self._hand_over(watched)

    def end(self) -> None:
        """Begin nothing more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait so long for the act that is under way, which needs nothing of the monitor any longer.

        One that takes longer is left: it is on record, and whoever heals next looks at what became of it.
        """
        until = monotonic() + seconds
        with self._changed:
            while self._busy and (left := until - monotonic()) > 0:
                self._changed.wait(left)

    def _is_for_a_rule(self, result: Result) -> bool:
        """Whether there is a rule for a result, in whatever state it is."""
        if result.id not in self._may:
            tags = (*result.tags, WAY_TAG) if result.id.startswith(WAY) else tuple(result.tags)
            named = any(tag.startswith(PREFIX) for tag in tags)
            self._may[result.id] = named or any(matches(rule, tags) for rule in self._rules)
        return self._may[result.id]

    def _hand_over(self, watched: Watched) -> None:
        with self._changed:
            if self._busy or self._ended:
                return  # of what waits the newest look is kept
            seen: dict[float, list[Result]] = {}
            for result, at in self._waiting.values():
                seen.setdefault(at, []).append(result)
            self._work = _Work(watched, seen)
            self._waiting, self._busy = {}, True
            self._changed.notify_all()

    # In a thread of its own.

    def _heal_on(self) -> None:
        while True:
            with self._changed:
                while self._work is None and not self._ended:
                    self._changed.wait()
                if self._work is None:
                    return
                work, self._work = self._work, None
            try:
                defects_told(self._heal)(work)
            except (InfratestError, OSError) as error:
                log.error("monitor: nothing was healed: %s", error)
                self._say(CRITICAL, f"nothing is healed: {error}")
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _heal(self, work: _Work) -> None:
        session = work.watched.session
        found: list[tuple[Report, float]] = []
        try:
            for at in sorted(work.seen):
                if self._ended:
                    return
                view = self._view(work.seen[at])  # as all is now: what came before may have taken minutes
                resident = Resident(
                    hosts=work.watched.hosts,
                    known=view.known(),
                    left_alone=self._left_alone,
                    green=self._green.get,
                    unseen=partial(_unseen, view),
                )
                results = [view.dated(result, at) for result in work.seen[at]]
                report = Report(session.stack.name, session.stack.env, rfc3339.written(at), 0.0, results)
                after, records = heal_report(session, report, False, resident=resident)
                found += _found(after, records, at)
                self._told(after, records)
                self._hold(view.held(records))
        finally:
            keep.looks(session.state, found)

    def _view(self, results: Sequence[Result]) -> View:
        """Return how all is, as the loop knows it."""
        ids = [result.id for result in results]
        view: View = self._monitor.ask(lambda monitor: self._around.view(ids, monitor.book, monitor.timepiece.now()))
        return view

    def _hold(self, ids: Sequence[str]) -> None:
        """Have these looked at again as soon as all others were."""
        if ids:
            self._monitor.inbox.put(Call(lambda monitor: self._around.hold(ids), lambda answer: None))

    def _told(self, report: Report, records: Sequence[HealRecord]) -> None:
        """Let it be known what was decided, and have what was acted on looked at again."""
        for record in records:
            for line in note([record]):
                if self._said.get(record.before.id) != line:  # a refusal stands, look after look
                    log.warning("monitor: %s: %s", record.before.id, line)
                self._said[record.before.id] = line
        for result in report.results:
            self._proposed.pop(result.id, None)
        for record in records:
            if record.outcome == PROPOSED and record.proposal:
                self._proposed[record.before.id] = f"{record.remedy} for {record.before.id} ({record.proposal})"
        hosts = {each.before.host for each in records if each.outcome in (TRIED, RECOVERED)}
        done = [(each.before.host, said) for each in records if each.outcome == TRIED for said in note([each])]

        def told(monitor: Monitor) -> None:
            book, now = monitor.book, monitor.timepiece.now()
            for host, said in done:
                book.note(Note(now, said, HEALER, host))
            book.hint([id for id, each in book.subjects.items() if each.host in hosts], now)

        self._monitor.inbox.put(Call(told, lambda answer: None))
        if self._proposed:
            waits = "; ".join(list(self._proposed.values())[:5])
            self._say(WARNING, f"waits for approval: {waits}; `infratest heal list` shows each")
        else:
            self._say(OK, "")

    def _say(self, state: str, reason: str) -> None:
        self._monitor.inbox.put(Call(lambda monitor: monitor.say(HEALS, state, reason), lambda answer: None))

    def _left_alone(self, result: Result) -> str:
        """Return why a result is to be left alone now, by what the monitor itself knows; empty where it may be healed.

        Asked before every act: what a book knows is of its own thread, so that it is asked there.
        """
        if self._ended:
            return "the monitor that heals ends"
        if not self._monitor.writing.store.ours:
            return "another monitor may work now: whether this one may act is not known"
        why: str = self._monitor.ask(lambda monitor: _left_alone(monitor, result.id))
        return words(why) if why else ""


def _found(report: Report, records: Sequence[HealRecord], at: float) -> Iterator[tuple[Report, float]]:
    """Yield what there is to keep, each with when it was looked at: what was acted on was so again just now."""
    again = {one.before.id for one in records if one.after is not None}
    for results, looked in (
        ([one for one in report.results if one.id not in again], at),
        ([one for one in report.results if one.id in again], time()),
    ):
        if results:
            yield report.changed(results=results), looked


def _unseen(view: View, result: Result) -> Sequence[str]:
    return view.unseen.get(result.id, ())


def _left_alone(monitor: Monitor, id: str) -> str:
    book = monitor.book
    picture = Picture(monitor.timepiece.now(), book.subjects, book.statuses, book.downtimes, book.paused)
    why = Problems(picture).left_alone(id)
    return "" if why is None else why.reason
