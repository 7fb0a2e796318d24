"""Failures that are accepted until a date: which results a stack's waivers are for, and which waivers are wrong. Pure.

A waived scenario is run and shown as waived; what is not known is never waived. A waiver whose date is over is
critical wherever a scenario is run that it is for, and one that is for no scenario is critical in every run: what is
accepted must not be accepted for ever, nor by a slip of the pen. Called by the engine for every face, by
`infratest lint`, and by who plans. On the plugin program's path, where a stack has waivers.
"""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.globs import fits
from infratest.model import NOT_JUDGED, Result
from infratest.record import Record
from infratest.states import CRITICAL, UNKNOWN, WAIVED, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

#: What the id of a result begins with that is about a waiver. A scenario's begins with the path of its feature.
PREFIX = "waiver:"
#: Seconds before its end from which on `lint` says that a waiver is about to expire.
SOON = 7 * 86400.0
#: Characters of a reason, as everywhere in a report, and of a waiver's own words in it.
REASON_LIMIT, WHY_LIMIT = 500, 200


class Waiver(Record):
    """One entry of `waivers:` in a stack file.

    Args:
        id: of a scenario, with or without its host, or a pattern of such ids. why, by: for who reads the reports.
        until: seconds since the epoch at which it has expired: the end of its last day in UTC. date: that day, as
        written. file, line: where it stands. idle: why it is for no scenario of the project; empty where it is for one.
    """

    id: str
    why: str
    until: float
    date: str
    by: str = ""
    file: str = ""
    line: int = 0
    idle: str = ""

    def covers(self, id: str) -> bool:
        """Whether it is for the scenario of a result's id."""
        names = (id, id.rpartition("@")[0])
        return self.id in names or any(fits(self.id, name) for name in names)  # a path may hold `[`, and be meant so


def waived(result: Result, waivers: Iterable[Waiver], now: float) -> Result:
    """Return a result as a stack's waivers have it: waived where it failed, and one that has not expired is for it.

    What is not known of a scenario stays unknown beside a failure that is accepted.

    Args:
        now: seconds since the epoch.
    """
    if result.state not in (CRITICAL, WARNING) or result.blocked_by is not None or not result.feature:
        return result
    if is_finding(result):
        return result
    waiver = next((one for one in waivers if now < one.until and one.covers(result.id)), None)
    if waiver is None:
        return result
    for step in result.steps:
        if step.state == UNKNOWN and not step.reason.startswith(NOT_JUDGED):
            reason = f"{step.reason}; only its failure is waived: {result.reason}"
            return result.changed(state=UNKNOWN, reason=clean(reason, REASON_LIMIT))
    return result.changed(state=WAIVED, reason=clean(f"{_words(waiver)}; {result.reason}", REASON_LIMIT))


def findings(waivers: Iterable[Waiver], ids: Collection[str], now: float) -> list[Result]:
    """Return a critical result for each waiver that is wrong: expired, or for no scenario.

    Args:
        ids: of the results of a run. An expired waiver is told where one of them is its own. now: as above.
    """
    made = []
    for waiver in waivers:
        reason = wrong(waiver, now)
        if reason and (waiver.idle or any(waiver.covers(id) for id in ids)):
            made.append(_finding(waiver, reason))
    return made


def wrong(waiver: Waiver, now: float) -> str:
    """Return what is wrong with a waiver by itself, empty where nothing is."""
    if waiver.idle:
        return waiver.idle
    if now >= waiver.until:
        by = f" (by {waiver.by})" if waiver.by else ""
        return f"it expired at the end of {waiver.date} (UTC){by}: mend what it is for, or decide anew: {waiver.why}"
    return ""


def ends_soon(waiver: Waiver, now: float) -> bool:
    """Whether it is in its last week."""
    return 0 < waiver.until - now <= SOON


def result_id(waiver: Waiver) -> str:
    """Return the id of the result that says whether a waiver still stands."""
    return f"{PREFIX}{waiver.id}@-"


def is_finding(result: Result) -> bool:
    """Whether a result is about a waiver, and not about a host or a scenario."""
    return result.id.startswith(PREFIX) and result.scenario.startswith("waiver ")


def idle_words(waiver: Waiver, ids: Sequence[str]) -> str:
    """Return why a waiver is for none of the ids, with the nearest of them."""
    from difflib import get_close_matches

    keys = list(dict.fromkeys(id.rpartition("@")[0] for id in ids))
    near = get_close_matches(waiver.id, keys, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"it is for no scenario of the {len(keys)} that there are: {hint}mend its id, or remove it"


def _words(waiver: Waiver) -> str:
    by = f" by {waiver.by}" if waiver.by else ""
    return f"waived until {waiver.date}{by}: {clean(waiver.why, WHY_LIMIT)}"


def _finding(waiver: Waiver, reason: str) -> Result:
    return Result(
        result_id(waiver),
        waiver.file,
        f"waiver {clean(waiver.id, WHY_LIMIT)}",
        waiver.line,
        "-",
        CRITICAL,
        clean(reason, REASON_LIMIT),
    )
