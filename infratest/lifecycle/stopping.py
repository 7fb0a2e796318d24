"""Work on many hosts at once that can be told to stop: by a signal, by the first failure, or by a deadline.

Used by the lifecycle and provisioning. A signal only sets a flag here, so that nothing is torn apart in the middle:
the work in hand sees its deadline pass, ends, and what it made is then undone in order.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Generic, TypeVar

from infratest.clock import REAL, Clock
from infratest.deadline import Deadline
from infratest.errors import InfratestError

T = TypeVar("T")
R = TypeVar("R")

#: Told of what happens to a host or another resource: its name, the phase, more words. Called from several threads.
Progress = Callable[[str, str, str], None]


def silent(name: str, phase: str, words: str) -> None:
    """The progress of a caller that shows none."""


#: The phase of a host whose words are one line of what a program on it printed.
OUTPUT = "output"

TICK = 0.05  # seconds between two looks at the flag
GRACE = 20.0  # seconds that work in hand has to end in, once it is told to stop


class Stopped(InfratestError):
    """The work was told to stop, and did. `status` is the exit status of a program that a signal ended."""

    def __init__(self, message: str, status: int = 130) -> None:
        super().__init__(message)
        self.status = status


class Stop:
    """A flag that is set once; `reason` is the signal's name or what failed. A child is set with its parent too."""

    def __init__(self, parent: Stop | None = None) -> None:
        self._reason = ""
        self._parent = parent
        self.signal = 0

    @property
    def reason(self) -> str:
        return self._reason or (self._parent.reason if self._parent else "")

    @property
    def is_set(self) -> bool:
        return bool(self.reason)

    def set(self, reason: str) -> None:
        """Tell the work to stop. Safe in a signal handler: it takes no lock."""
        self._reason = self._reason or reason


class StoppableDeadline(Deadline):
    """A deadline that has also passed when the flag is set: whoever asks for the time left is told to end."""

    __slots__ = ("_stop",)

    def __init__(self, deadline: Deadline, stop: Stop) -> None:
        super().__init__(deadline.left, deadline._now)
        self.seconds = deadline.seconds
        self._stop = stop

    @property
    def left(self) -> float:
        return 0.0 if self._stop.is_set else super().left

    @property
    def passed(self) -> bool:
        return self._stop.is_set or super().passed

    def at_most(self, seconds: float) -> Deadline:
        return StoppableDeadline(super().at_most(seconds), self._stop)


@contextmanager
def signals(stop: Stop) -> Iterator[None]:
    """While this lasts, SIGINT, SIGTERM and SIGHUP set the flag; a third one ends the program as it would have."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    count = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        stop.signal = number
        stop.set(signal.Signals(number).name)
        if count == 2:
            sys.stderr.write("infratest: stopping; once more to leave the rest to `infratest reap`\n")
        if count > 2:
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    # One that is ignored stays so: `nohup infratest up` must outlive its terminal.
    for number in numbers:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(kw_only=True, eq=False)
class Done(Generic[T, R]):
    """What came of one item: a value or an error; neither where it was never begun."""

    item: T
    value: R | None = None
    error: InfratestError | None = None
    ended: bool = False


def each(
    items: Sequence[T],
    work: Callable[[T], R],
    *,
    jobs: int,
    stop: Stop,
    grace: float = GRACE,
    clock: Clock = REAL,
) -> list[Done[T, R]]:
    """Do the work on every item, `jobs` at once, and return what came of each, in order.

    Nothing new is begun once the flag is set; what is in hand then has `grace` seconds to end. The threads are
    daemons: one that hangs in a library cannot keep the program from ending.
    """
    results: list[Done[T, R]] = [Done(item=item) for item in items]
    waiting = deque(range(len(results)))
    running: set[int] = set()
    workers, cut = clock.workers(), float("inf")
    while waiting or running:
        while waiting and len(running) < jobs and not stop.is_set:
            number = waiting.popleft()
            running.add(number)
            workers.begin(number, partial(_run, results[number], work))
        if stop.is_set:
            waiting.clear()
            cut = min(cut, clock.monotonic() + grace)
        ended = workers.ended(TICK) if running else None
        if ended is not None:
            running.discard(ended)
        elif clock.monotonic() > cut:
            break
    for number in running:
        results[number].error = too_late(results[number].item, grace)
    return results


def too_late(item: object, grace: float) -> InfratestError:
    """Return the error of work that goes on although it was told to stop, in words: of a host or resource its name."""
    return InfratestError(f"{getattr(item, 'name', item)}: did not end within {grace:.0f} s after it was told to stop")


def failing(work: Callable[[T], R], failed: Stop) -> Callable[[T], R]:
    """Return the work that, when it fails, also tells all others to stop; the flag's reason is then the failure."""

    def one(item: T) -> R:
        try:
            return work(item)
        except (InfratestError, OSError) as error:
            failed.set(str(error))
            raise

    return one


def _run(done: Done[T, R], work: Callable[[T], R]) -> None:
    value: R | None = None
    error: InfratestError | None = InfratestError(
        f"{done.item}: ended by a defect in infratest or in a plugin; its traceback stands above"
    )
    try:
        value = work(done.item)
        error = None
    except InfratestError as problem:
        error = problem
    except OSError as problem:
        error = InfratestError(f"{done.item}: {problem}")
    finally:
        done.value, done.error, done.ended = value, error, True
