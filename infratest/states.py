"""The six states, their order and exit status, and the one table that says what happened means which state.

Called by everything that judges or shows. Imports nothing: it is on the plugin program's path.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

OK = "ok"
WARNING = "warning"
CRITICAL = "critical"
UNKNOWN = "unknown"
SKIPPED = "skipped"
WAIVED = "waived"

#: Worst first. A known outage outranks a thing not known; skipped and waived say nothing of whether all is well.
WORST_FIRST = (CRITICAL, UNKNOWN, WARNING, OK, WAIVED, SKIPPED)

#: Exit status of the Monitoring Plugins guidelines; skipped or waived alone is nothing that could be ok, so
#: unknown; beside what is ok neither counts.
EXIT = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3, WAIVED: 3, SKIPPED: 3}

#: DESIGN's table: what happened, and the state it is.
HAPPENED = {
    "met": OK,
    "outside the warning threshold": WARNING,
    "not met in a scenario tagged warning": WARNING,
    "not met": CRITICAL,
    "subject refuses, is absent or passes its limit": CRITICAL,
    "host cannot be reached": CRITICAL,
    "way in fails": UNKNOWN,
    "answer not readable": UNKNOWN,
    "own deadline": UNKNOWN,
    "plugin's bug": UNKNOWN,
    "undefined step, parse or import error": UNKNOWN,
    "nothing selected, no steps, everything skipped or waived": UNKNOWN,
    "stale result": UNKNOWN,
    "wrong use": UNKNOWN,
    "a failure with a valid waiver": WAIVED,
    "an expired or unused waiver": CRITICAL,
    "skipped": SKIPPED,
}


def worst(states: Iterable[str]) -> str:
    """Return the worst of the states; nothing at all, nothing but skipped or waived, or no state: unknown."""
    seen = set(states)
    if not seen <= EXIT.keys():
        seen.add(UNKNOWN)
    for state in WORST_FIRST:
        if state in seen:
            return UNKNOWN if state in (WAIVED, SKIPPED) else state
    return UNKNOWN


def held(state: str, severity: str) -> bool:
    """Whether a sentence in this state lets its scenario go on; in one tagged warning a warning may be its failure."""
    return state == OK or (state == WARNING and severity != WARNING)


def failed(severity: str) -> str:
    """Return the state of an expectation that is not met in a scenario of this severity (`warning` or `critical`)."""
    return WARNING if severity == WARNING else CRITICAL
