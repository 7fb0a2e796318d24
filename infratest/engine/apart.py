"""Work done in a process of its own: ended at a deadline whatever it does, and its end is never taken for an answer.

A user's steps, hooks and step files run inside ours: they may sleep, loop, close our streams, or end the program.
Called by the faces, so that a line and an exit status come in time all the same.
"""

from __future__ import annotations

import logging
import os
import pickle
import select
import signal
import struct
import sys
import traceback
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from infratest.deadline import Deadline
from infratest.engine.interrupts import Terminated, ending_in_order
from infratest.errors import InfratestError
from infratest.process_tree import Lifeline, end_tree

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)
#: Takes a value to the process that waits.
Send = Callable[[Any], None]

#: What a message is: one of the work's own, what the work returned, raised, or why it was interrupted.
NOTE, VALUE, ERROR, INTERRUPTED = "note", "value", "error", "interrupted"
#: The signals that end a run in order.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Bytes of a message's length.
LENGTH = struct.Struct("!Q")
TICK = 0.05  # seconds between two looks at the process and at the deadline
#: Seconds that work has to end in order, once it is told to stop: it takes back the faults that it put in.
GRACE = 60.0


class Overran(InfratestError):
    """The deadline passed first; the process has been ended, with all that it had started."""


class Ended(InfratestError):
    """The process ended without an answer: something in it ended the program."""


def apart(work: Callable[[Send], T], limit: Callable[[], Deadline], on_note: Callable[[Any], None]) -> T:
    """Do work in a child process and return what it returns.

    Args:
        work: gets a function that sends a note here. limit: when it must have ended, asked again and again: what it
        sends may bring that forward. on_note: called with each note. What the work prints goes to standard error.
    Raises:
        Overran: it did not end in time. Ended: it ended the program. KeyboardInterrupt: it or we were told to stop.
        InfratestError: what the work raised; a bug is one that says where it is.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    (ours, theirs), lifeline = os.pipe(), Lifeline()
    with warnings.catch_warnings():
        # Newer Pythons warn where there are other threads: the child holds none of their locks but Python's own.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Python runs code of its own behind a fork, and drops what a signal raises there: none comes before we listen.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            pid = os.fork()
        except OSError:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            raise
    if pid == 0:
        os.close(ours)
        _child(work, theirs, lifeline, mask)
    os.close(theirs)
    try:
        with ending_in_order():
            value: T = _Waiting(pid, ours, on_note).answer(limit, mask)
            return value
    finally:
        os.close(ours)
        lifeline.let_go()


def _child(work: Callable[[Send], Any], pipe: int, lifeline: Lifeline, mask: Collection[int]) -> None:
    """Do the work, with signals let in again, and tell what came of it; never returns."""

    def send(kind: str, value: Any) -> None:
        data = memoryview(_packed(kind, value))
        while data:
            data = data[os.write(pipe, data) :]

    try:
        lifeline.taken_over()
        # Ctrl-C reaches the whole terminal: whoever waits tells this process to end, once.
        signal.signal(signal.SIGINT, lambda number, frame: None)
        os.dup2(2, 1)
        with ending_in_order():
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                send(VALUE, work(lambda note: send(NOTE, note)))
            except KeyboardInterrupt as stop:
                send(INTERRUPTED, getattr(stop, "status", 130))
            except InfratestError as error:
                send(ERROR, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not end as an answer
                send(ERROR, defect(error))
    finally:
        os._exit(0)


def _packed(kind: str, value: Any) -> bytes:
    try:
        data = pickle.dumps((kind, value))
    except Exception as error:  # noqa: BLE001 - a class of a plugin's own may be anything
        data = pickle.dumps((ERROR, defect(error)))
    return LENGTH.pack(len(data)) + data


class _Waiting:
    """The process that waits for the answer of another."""

    def __init__(self, pid: int, pipe: int, on_note: Callable[[Any], None]) -> None:
        self._pid = pid
        self._pipe = pipe
        self._on_note = on_note
        self._data = bytearray()
        self._status: int | None = None
        self._answer: tuple[str, Any] | None = None

    def answer(self, limit: Callable[[], Deadline], mask: Collection[int]) -> Any:
        """Let signals in again, and return the answer."""
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._read(limit)
        except KeyboardInterrupt:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
            grace = Deadline(GRACE)
            self._read(lambda: grace)
            raise
        finally:
            self._end()
        if self._answer is None and self._status is None:
            raise Overran(f"our own deadline of {limit().seconds:g} s passed")
        if self._answer is None:
            raise Ended(_how(self._status or 0))
        kind, value = self._answer
        if kind == INTERRUPTED:
            raise Terminated(value - 128) if value != 130 else KeyboardInterrupt
        if kind == ERROR:
            raise value
        return value

    def _read(self, limit: Callable[[], Deadline]) -> None:
        """Take messages until there is an answer, the process has ended, or the time is over."""
        while self._answer is None and self._status is None:
            left = limit().left
            if not left:
                return
            ready = select.select([self._pipe], [], [], min(TICK, left))[0]
            if not ready:
                self._reap(os.WNOHANG)
            # What it had sent before it ended is there at once.
            while self._answer is None and select.select([self._pipe], [], [], 0)[0]:
                data = os.read(self._pipe, 1 << 16)
                if not data:
                    self._reap(0)
                    break
                self._data += data
                self._take()

    def _take(self) -> None:
        while self._answer is None and len(self._data) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack(self._data[: LENGTH.size])[0]
            if len(self._data) < end:
                return
            kind, value = pickle.loads(self._data[LENGTH.size : end])  # noqa: S301 - of our own child
            del self._data[:end]
            if kind == NOTE:
                self._on_note(value)
            else:
                self._answer = kind, value

    def _reap(self, flags: int) -> None:
        pid, status = os.waitpid(self._pid, flags)
        if pid:
            self._status = status

    def _end(self) -> None:
        """Leave no process behind: one that has answered goes by itself, any other is killed with its children."""
        if self._status is None:
            if self._answer is None:
                end_tree(self._pid)
                status, self._status = self._status, 0
                os.waitpid(self._pid, 0)
                self._status = status
            else:
                self._reap(0)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"it ended the program (exit {code})" if code >= 0 else f"its process was ended by signal {-code}"


def defect(error: BaseException) -> InfratestError:
    """Return what to say of a bug: what it is, where it is, and what to do about it."""
    log.debug("a defect", exc_info=error)
    places = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return InfratestError(
        f"a defect in infratest: {type(error).__name__}: {error}{place}; -vv shows the whole; please report it"
    )


def defects_told(work: Callable[P, T], *through: type[Exception]) -> Callable[P, T]:
    """Let a bug of ours or of a plugin end in one message and unknown: Python would end with 1, which is warning.

    Args:
        through: exceptions that are no bugs, beside our own and those of the operating system.
    """

    known: tuple[type[Exception], ...] = (InfratestError, OSError, *through)

    @wraps(work)
    def told(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            return work(*arguments, **options)
        except known:
            raise
        except Exception as error:
            raise defect(error) from error

    return told
