"""What a resident monitor heals: what its looks find is handed to the heal engine, by a thread beside the loop.

The engine and its gates are those of `check --heal`, and each look of the monitor counts as a check of its own. A heal
may take minutes, and meanwhile the loop looks, remembers and tells; what it sees until the engine has time is kept in
order, so that all of it is counted, and the newest look of each result is attended to. After an act its host is looked
at again at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from math import inf
from threading import Condition, Thread
from time import time
from typing import cast

from infratest.alerting.moments import Moment
from infratest.alerting.problems import acknowledged, in_downtime
from infratest.alerting.subject import HEALS, Subject
from infratest.engine.apart import defects_told
from infratest.errors import Ended, InfratestError, InUse
from infratest.heal.health import paused
from infratest.heal.means import NotKnown
from infratest.heal.records import RECOVERED, TRIED, HealRecord, looked_again, note
from infratest.model import Report, Result
from infratest.monitor.approvals import Approvals
from infratest.monitor.around import Around, View
from infratest.monitor.book import Book
from infratest.monitor.keeping import HEALER
from infratest.monitor.monitor import ANSWER, Call, Monitor
from infratest.monitor.ruled import Ruled, ruled
from infratest.monitor.uncounted import Look, Rows, Uncounted
from infratest.monitor.watched import Watched
from infratest.monitor.work import Work
from infratest.project.heal import Resident, heal_report
from infratest.project.left_alone import words
from infratest.project.session import Session
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, OK, SKIPPED, WAIVED, WARNING
from infratest.store import failures, keep
from infratest.store.database.people import Note

log = logging.getLogger(__name__)

#: States in which nothing is to be healed.
WELL = (OK, SKIPPED, WAIVED)
#: Seconds after which what could not be counted, or attended to, is tried once more.
AGAIN = 10.0
#: Seconds for which another process may be at work on the stack, as `infratest up`, before it is told.
PATIENCE = 300.0
#: So many of a list are shown.
SHOWN = 5


class Healing:
    """Hands what a monitor finds to the heal engine.

    Args:
        monitor: whose looks these are. answer: seconds in which its loop must answer, before an act.
    """

    def __init__(self, monitor: Monitor, answer: float = ANSWER) -> None:
        self._monitor, self._answer = monitor, answer
        # Of the loop's thread.
        self._subjects: Mapping[str, Subject] = {}
        self._rules: Sequence[HealRule] = ()
        self._ruled = Ruled()
        self._green: dict[str, float] = {}
        self._around = Around()
        self._ready: Collection[str] = ()  # held until all others were looked at, and in the engine's hands still
        # Of both, under the lock.
        self._waiting = Uncounted()
        self._in_hand: Collection[str] = ()
        self._rows: Rows | None = None  # until they are read, each green may end one
        self._next, self._due = -inf, True
        self._work: Work | None = None
        self._busy = self._ended = self._counts = False
        self._changed = Condition()
        # Of the engine's thread.
        self._approvals = Approvals()
        self._recalled = False  # whether those hold what an earlier life has left
        self._said: dict[str, str] = {}
        self._in_use: float | None = None  # since when, in the monitor's own time
        self._logged: Sequence[str] = ()
        self._engine = Thread(target=self._heal_on, name="heal", daemon=True)
        self._engine.start()

    @property
    def busy(self) -> bool:
        """Whether the engine is at work."""
        with self._changed:
            return self._busy

    # In the loop's thread.

    def see(self, looked: Iterable[tuple[Result, float]], book: Book, now: Moment) -> None:
        """Take in what was looked at, each with when that was in seconds since the epoch."""
        watched, looked = cast(Watched, self._monitor.watched), [*looked]
        with self._changed:
            if book.subjects is not self._subjects or watched.session.stack.heal is not self._rules:
                self._fit(watched, book)
            if not self._busy and self._rows is not None and not self._rows.current(watched.session.state):
                # While the engine is at work, it is the engine who writes. What waits for a verdict may be of no rule.
                self._due = self._due or bool(self._rows.verifying)
                self._rows = None
            ours = [(result, at, of) for result, at in looked if (of := self._counted(result.id))]
            rests = any(result.state not in WELL for result, _, _ in ours) and paused(
                watched.session.state, now.wall, ""
            )
            for result, at, of in ours:
                self._around.saw(result, book, not rests and self._healable(result, book, now))
                if result.state == OK:
                    self._green[result.id] = at
                if result.state not in WELL or self._ends_a_row(result.id, of):
                    self._waiting.add(result, at, of)
            ready = {*self._ready, *self._around.tend(watched, book, now, bool(looked))} & self._ruled.looks.keys()
            self._ready = {id for id in ready if id in self._in_hand and id not in self._waiting}
            for id in sorted(ready.difference(self._in_hand)):
                if id not in self._waiting and book.results[id].state not in WELL:
                    self._waiting.add(book.results[id], book.newest[id].wall, self._ruled.looks[id])
            if (self._waiting or self._due) and now.steady >= self._next:
                self._hand_over(watched)

    def end(self) -> None:
        """Begin nothing more. What was seen is counted still, once an act that is under way is over."""
        with self._changed:
            self._ended, self._counts = True, self._monitor.writing.store.ours
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Once it is ended, wait so long for the act that is under way, which needs nothing of the monitor any longer.

        One that takes longer is left: it is on record, and whoever heals next looks at what became of it.
        """
        self._count_left(self._in_hand)  # the act may outlast this process
        self._engine.join(seconds)

    def _fit(self, watched: Watched, book: Book) -> None:
        """Go by what is watched now, and by the rules as they are now; forget all else."""
        self._subjects, self._rules = book.subjects, watched.session.stack.heal
        self._ruled = ruled(self._rules, self._subjects.values())
        self._waiting.fit(self._ruled.looks)
        self._green = {id: at for id, at in self._green.items() if id in self._ruled.looks}
        self._due = True

    def _counted(self, id: str) -> int:
        """Return how many looks count of what is handed over: there is a rule for it, or a heal of it to be judged."""
        waits = self._rows is not None and id in self._rows.verifying  # its rule may be for others since
        return self._ruled.looks.get(id, int(waits))

    def _ends_a_row(self, id: str, of: int) -> bool:
        """Whether that a result is well may say something new: it is no longer so, or one look more of a window."""
        return self._rows is None or id in self._waiting or id in self._in_hand or self._rows.open(id, of)

    def _healable(self, result: Result, book: Book, now: Moment) -> bool:
        """Whether something may be done about what fails now, as far as that is known without asking anybody."""
        return (
            result.state not in WELL and result.id in self._ruled.acting and not _why_left_alone(book, result.id, now)
        )

    def _hand_over(self, watched: Watched) -> None:
        if self._busy or self._ended or not self._monitor.writing.store.ours:
            return  # it waits
        before, newest = self._waiting.take()
        seen: dict[float, list[Result]] = {}
        for result, at in newest:
            seen.setdefault(at, []).append(result)
        self._work = Work(watched, seen, before, self._ruled)
        self._in_hand, self._busy, self._due = {result.id for result, _ in newest}, True, False
        self._changed.notify_all()

    # In a thread of its own.

    def _heal_on(self) -> None:
        while True:
            with self._changed:
                while self._work is None and not self._ended:
                    self._changed.wait()
                if self._work is None:
                    break
                work, self._work = self._work, None
            errors, left, rows = list[Exception](), None, None
            try:
                left = defects_told(self._heal)(work, errors)
                rows = self._read(work.watched.session)
            except (InfratestError, OSError) as error:
                errors.append(error)
                left = [*work.looks] if left is None else left  # one that was counted is not counted twice
            now = self._monitor.timepiece.now()
            self._judge(work, rows, errors, now)
            with self._changed:
                self._waiting.back(left)
                self._waiting.fit(self._ruled.looks)
                self._rows, self._in_hand, self._busy = rows, (), False
                if errors:
                    self._next, self._due = now.steady + AGAIN, True
                self._changed.notify_all()

        self._count_left(())

    def _count_left(self, but: Collection[str]) -> None:
        """Count what was seen and nobody has attended to: who heals next would not know of it, of greens least of all.

        Where another monitor works by now that has looked itself, this says nothing new.

        Args:
            but: ids of which looks are in hand that come first.
        """
        with self._changed:
            before, newest = self._waiting.take()
            looks = [*before, *newest]
            self._waiting.back([look for look in looks if look[0].id in but])
        watched, looks = cast(Watched, self._monitor.watched), [look for look in looks if look[0].id not in but]
        if not looks or not self._counts:
            return
        session, left = watched.session, Work(watched, {}, looks, self._ruled)
        try:
            failures.record_runs(session.state, session.stack.place, left.overtaken, time())
        except (InfratestError, OSError) as error:
            log.error("monitor: what was seen last is not counted for heals: %s", error)

    def _heal(self, work: Work, errors: list[Exception]) -> list[Look]:
        """Count all of a work, and attend to the newest looks; return those that something went wrong with.

        Whatever happens to one part, the others are attended to, unless they would only wait for the same process.

        Args:
            errors: what went wrong is put there.
        Raises:
            StateError: nothing could be counted.
        """
        session, left = work.watched.session, list[Look]()
        if not self._recalled:
            fails = _failing(work, self._read(session))
            self._approvals.recall(session.state, session.stack.place, session.stack.heal, fails, time())
            self._recalled = True
        failures.record_runs(session.state, session.stack.place, work.overtaken, time())
        found: list[tuple[Report, float]] = []
        try:
            for at in sorted(work.seen):
                if not self._ended and not any(isinstance(error, InUse) for error in errors):
                    try:
                        found += defects_told(self._attend)(work, at)
                        continue
                    except Ended:
                        pass  # and with it this engine
                    except (InfratestError, OSError) as error:
                        errors.append(error)
                left += [(result, at) for result in work.seen[at]]
        finally:
            keep.looks(session.state, found)
        return left

    def _attend(self, work: Work, at: float) -> list[tuple[Report, float]]:
        """Attend to what was looked at at one time; return what there is to keep, each with when that was looked at."""
        view = self._view()  # as all is now: what came before may have taken minutes
        resident = Resident(
            hosts=work.watched.hosts,
            known=view.known,
            left_alone=partial(self._left_alone, work),
            green=lambda id: self._green.get(id),
            unseen=lambda result: view.unseen(result.id),
        )
        report = work.report(at, [view.dated(result, at) for result in work.seen[at]])
        after, records = heal_report(work.watched.session, report, False, resident=resident)
        self._told(records, work.watched.session.command)
        session = work.watched.session
        self._approvals.decided(session.state, session.stack.place, after.results, records, time())
        self._hold(view.held(records))
        return [*_found(after, records, at)]

    def _view(self) -> View:
        """Return how all is, as the loop knows it."""
        view: View = self._monitor.ask(lambda monitor: self._around.view(monitor.book, monitor.timepiece.now()))
        return view

    def _hold(self, ids: Sequence[str]) -> None:
        """Have these attended to again as soon as all others were looked at."""
        if ids:
            self._monitor.inbox.put(Call(lambda monitor: self._around.hold(ids), lambda answer: None))

    def _read(self, session: Session) -> Rows:
        return Rows.read(session.state, session.stack.place)

    def _told(self, records: Sequence[HealRecord], command: Callable[..., str]) -> None:
        """Let it be known what was decided, and have what was acted on looked at again."""
        for record in records:
            for line in note([record], command):
                if self._said.get(record.before.id) != line:  # a refusal stands, look after look
                    log.warning("monitor: %s: %s", record.before.id, line)
                self._said[record.before.id] = line
        news = [each for each in records if each.outcome in (TRIED, RECOVERED) and not each.known]
        hosts = {each.before.host for each in news}
        done = [(each.before.host, said) for each in news if each.outcome == TRIED for said in note([each], command)]

        def told(monitor: Monitor) -> None:
            book, now = monitor.book, monitor.timepiece.now()
            for host, said in done:
                book.note(Note(now, said, HEALER, host))
            book.hint([id for id, each in book.subjects.items() if each.host in hosts], now)

        if hosts:
            self._monitor.inbox.put(Call(told, lambda answer: None))

    def _judge(self, work: Work, rows: Rows | None, errors: Sequence[Exception], now: Moment) -> None:
        """Say whether heals can be made, and whether one waits for a person."""
        self._said = {id: line for id, line in self._said.items() if id in work.ruled.looks}
        self._approvals.fit(_failing(work, rows))
        wrong = [*work.ruled.wrong, *(str(error) for error in errors if not isinstance(error, InUse))]
        self._log(wrong)
        in_use = [str(error) for error in errors if isinstance(error, InUse)]
        self._in_use = (now.steady if self._in_use is None else self._in_use) if in_use else None
        if wrong:
            self._say(CRITICAL, f"not healed: {'; '.join(wrong[:SHOWN])}")
        elif self._in_use is not None and now.steady - self._in_use >= PATIENCE:
            self._say(CRITICAL, f"nothing is healed for {PATIENCE / 60:.0f} min and more: {in_use[0]}")
        elif in_use:
            return  # that somebody is at work on the stack is nothing wrong
        elif waiting := self._approvals.words:
            waits = "; ".join(waiting[:SHOWN])
            each = work.watched.session.command("heal", "list")
            self._say(WARNING, f"waits for approval: {waits}; `{each}` shows each")
        else:
            self._say(OK, "")

    def _log(self, wrong: Sequence[str]) -> None:
        """Log what is wrong when it is news: it is tried again and again."""
        for why in wrong:
            if why not in self._logged:
                log.error("monitor: not healed: %s", why)
        self._logged = wrong

    def _say(self, state: str, reason: str) -> None:
        def say(monitor: Monitor) -> None:
            status = monitor.book.statuses.get(HEALS)
            if status is None or (status.seen, status.reason) != (state, reason):
                monitor.say(HEALS, state, reason)

        self._monitor.inbox.put(Call(say, lambda answer: None))

    def _left_alone(self, work: Work, result: Result) -> str:
        """Return why a result is to be left alone now, by what the monitor itself knows; empty where it may be healed.

        Asked before every act: what a book knows is of its own thread, so that it is asked there.
        """
        if self._ended:
            return NotKnown("the monitor that heals ends")
        if not self._monitor.writing.store.ours:
            return NotKnown("another monitor may work now: whether this one may act is not known")
        if cast(Watched, self._monitor.watched).session.stack.heal != work.watched.session.stack.heal:
            return NotKnown("the rules were read anew since it was looked at")
        beside = result.id not in work.ruled.looks  # what a heal has made worse is watched or not
        try:
            why: str = self._monitor.ask(
                lambda monitor: _why_left_alone(monitor.book, result.id, monitor.timepiece.now(), beside), self._answer
            )
        except InfratestError as error:
            return NotKnown(f"whether it is in a downtime, or acknowledged, is not known: {error}")
        return words(why) if why else ""


def _found(report: Report, records: Sequence[HealRecord], at: float) -> Iterator[tuple[Report, float]]:
    """Yield what there is to keep, each with when it was looked at. Args: at: when the report was made."""
    again, found = looked_again(records, at, time()), dict[float, list[Result]]()
    for one in report.results:
        found.setdefault(again.get(one.id, at), []).append(one)
    for looked, results in sorted(found.items()):
        yield report.changed(results=results), looked


def _why_left_alone(book: Book, id: str, now: Moment, beside: bool = False) -> str:
    if id not in book.subjects and not beside:
        return "it is watched no longer"
    status = book.statuses.get(id)
    why = in_downtime(id, book.downtimes, now.wall) or (None if status is None else acknowledged(status))
    return "" if why is None else why.reason


def _failing(work: Work, rows: Rows | None) -> Callable[[str], bool]:
    """Return what says whether a result fails, as far as is known, and there is a rule for it."""
    return lambda id: id in work.ruled.looks and (rows is None or rows.open(id, 1))
