"""Whether it is the monitor that is cut off: where nothing answers that always does, what failed is not known.

Asked by the threads that look at hosts, behind a look at which something failed, and until a witness answers again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from time import monotonic

from infratest.alerting.subject import WITNESS
from infratest.deadline import Deadline
from infratest.model import Result
from infratest.monitor.witness import SECONDS, ask_all, cut_off
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING

#: Seconds for which an answer holds: of a hundred hosts that fail at once one has the witnesses asked.
FRESH = 3.0
#: What may be so because nothing is reached.
FAILED = (CRITICAL, UNKNOWN, WARNING)


class Witnesses:
    """The witnesses of one monitor.

    Args:
        names: as the stack file has them. now: seconds of a clock that never goes back.
    """

    def __init__(self, names: Sequence[str], now: Callable[[], float] = monotonic) -> None:
        self._names, self._now = tuple(names), now
        self._lock = Lock()
        self._asked = -FRESH
        #: Why it is we who are cut off; None until they were asked.
        self._why: str | None = None

    def judged(self, results: Sequence[Result]) -> tuple[Result, ...]:
        """Return results as they count, and beside them how the witnesses are, where they were asked.

        What failed while no witness answers is unknown, and blocked by that. What holds was seen, and holds.
        """
        failed = any(each.state in FAILED for each in results)
        if not self._names or not (failed or self._why != ""):
            return tuple(results)
        why = self._asked_now()
        mine = Result(WITNESS, "", "a witness answers", 0, "-", CRITICAL if why else OK, why)
        return (*(_unknown(each) if why and each.state in FAILED else each for each in results), mine)

    def _asked_now(self) -> str:
        with self._lock:
            if self._why is None or self._now() - self._asked >= FRESH:
                self._why = cut_off(ask_all(self._names, Deadline(SECONDS)))
                self._asked = self._now()
            return self._why


def _unknown(result: Result) -> Result:
    reason = f"not known, for no witness answers; seen {result.state}: {result.reason}"
    return result.changed(state=UNKNOWN, blocked_by=WITNESS, reason=reason)
