"""A plan with steps of the user's own, carried out in a process of its own, and what is known when that was ended.

Called by the faces. A step that overruns, or that ends the program, costs the verdicts that nobody reached, and those
are unknown; what was judged before stands, and faults that were put in are taken back from here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from infratest import rfc3339
from infratest.deadline import Deadline
from infratest.engine.acting import UNDO_SECONDS, UndoLog, undo_time
from infratest.engine.apart import Ended, Overran, Send, apart
from infratest.engine.results import result
from infratest.engine.run import Settings
from infratest.errors import InfratestError
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.plan.tasks import Plan
from infratest.states import UNKNOWN
from infratest.transports.base import Transport

#: What the process tells of itself.
RESULT, AT, UNDO, UNDONE = "result", "at", "undo", "undone"


def carried_out_apart(
    plan: Plan,
    settings: Settings,
    run: Callable[[Settings, Callable[[str], None]], Report],
    open_transport: Callable[[Host, Deadline], Transport],
) -> Report:
    """Carry out a plan in a process of its own and return its report.

    Args:
        run: does it there, with settings of its own and a function that is told which step of the user's is at work.
        open_transport: returns an open connection, for an undo.
    """
    there = _There(plan, settings)
    started, clock = time.time(), time.monotonic()

    def work(send: Send) -> Report:
        theirs = settings.changed(
            on_result=lambda one: send((RESULT, one)), undo_log=_Sending(settings.undo_log, send), held=None
        )
        return run(theirs, lambda words: send((AT, words)))

    deadline = settings.deadline or Deadline(settings.seconds)
    try:
        report = apart(work, lambda: deadline.sooner(undo_time(deadline)) if there.undos else deadline, there.note)
        there.tell(report.results)
        return report
    except (Overran, Ended) as error:
        late = isinstance(error, Overran)
        notes = there.taken_back(open_transport, deadline)
        results = there.results(f"{error}{there.at}; {LATE if late else ENDED}")
        there.tell(results)
        return Report("", "", rfc3339.written(started), round(time.monotonic() - clock, 4), results, notes=notes)


LATE = "its process was ended; give it more with --timeout, or mend what waits"
ENDED = "a step fails by `assert`, it must not end the program"


class _There:
    """What is known here of the run in the other process."""

    def __init__(self, plan: Plan, settings: Settings) -> None:
        self._plan = plan
        self._settings = settings
        self._results: dict[str, Result] = {}
        self._told: set[str] = set()
        self._at = ""
        self.undos: dict[str, tuple[str, Sequence[str]]] = {}

    def note(self, note: tuple[Any, ...]) -> None:
        """Take what the process tells of itself."""
        what, *rest = note
        if what == RESULT:
            self._results[rest[0].id] = rest[0]
            self._tell(rest[0])
        elif what == AT:
            self._at = rest[0]
        elif what == UNDO:
            self.undos[rest[0]] = rest[1], rest[2]
        else:
            self.undos.pop(rest[0], None)

    @property
    def at(self) -> str:
        """Which step of the user's was at work."""
        return f" in {self._at}" if self._at else ""

    def results(self, reason: str) -> list[Result]:
        """Return all results; those that are not known are unknown for this reason."""
        plan, ours = self._plan, {task.id for task in self._plan.tasks}
        hosts = [one for id, one in self._results.items() if id not in ours]
        lost = {task.id: result(task, plan.hosts, state=UNKNOWN, reason=reason) for task in plan.tasks}
        own = {task.id for task in plan.tasks if task.scenario.own}
        if all(id in self._results for id in lost):
            # What a hook after all scenarios has ended had no end of its own: none of its results is final.
            self._results = {id: one for id, one in self._results.items() if id not in own}
        return [*hosts, *(self._results.get(id, unknown) for id, unknown in lost.items())]

    def tell(self, results: Sequence[Result]) -> None:
        """Tell of those results that nobody has been told of yet."""
        for one in results:
            self._tell(one)

    def _tell(self, one: Result) -> None:
        if self._settings.on_result is not None and one.id not in self._told:
            self._told.add(one.id)
            self._settings.on_result(one)

    def taken_back(self, open_transport: Callable[[Host, Deadline], Transport], deadline: Deadline) -> list[str]:
        """Run the undos that the process had no time for, the last one first; return what could not be undone."""
        notes = []
        for undo, (name, command) in reversed(list(self.undos.items())):
            host, limit = self._plan.hosts[name], deadline.at_most(UNDO_SECONDS)
            try:
                transport = open_transport(host, limit)
                try:
                    answer = transport.run(command, limit, sudo=host.sudo)
                finally:
                    transport.close()
                if answer.exit != 0:
                    raise InfratestError(answer.stderr.decode("utf-8", "replace").strip() or "it failed")
                if self._settings.undo_log is not None:
                    self._settings.undo_log.undo_done(undo)
            except InfratestError as error:
                words = " ".join(command)
                notes.append(f"could not undo on {name}: {words}: {error}; `infratest reap` tries again")
        return notes


class _Sending:
    """An undo log that is also told to the process that waits."""

    def __init__(self, log: UndoLog | None, send: Send) -> None:
        self._log = log
        self._send = send

    def undo_asked(self, host: str, command: Sequence[str]) -> str:
        undo = self._log.undo_asked(host, command) if self._log is not None else ""
        self._send((UNDO, undo, host, tuple(command)))
        return undo

    def undo_done(self, undo: str) -> None:
        if self._log is not None:
            self._log.undo_done(undo)
        self._send((UNDONE, undo))
