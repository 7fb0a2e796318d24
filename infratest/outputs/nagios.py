"""One line, performance data and long output, as Nagios and its kin read them from a check program.

    INFRATEST CRITICAL - shop/prod web-1: 1 of 12 scenarios failed: "nginx answers": port 80 is not listening | ...

Loaded by name by check_infratest. Guidelines of the Monitoring Plugins project. On the plugin program's path: it
imports our ground floor alone.
"""

from __future__ import annotations

from time import gmtime, strftime

from infratest.cleaning import clean
from infratest.model import Observation, worst_first
from infratest.outputs._perfdata import (
    DEFAULT_CRITICAL,
    Range,
    apply_failed_ranges,
    metric,
    names_hosts,
    observations,
)
from infratest.outputs.base import Output
from infratest.record import Record, option
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING
from infratest.units import counted, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from infratest.model import Report, Result

#: Bytes of the whole output: Nagios reads 8192. (NSCA before 2.9 sends 512, later ones 4096, and cut the rest off.)
LIMIT = 8000
#: Bytes kept for what follows the first line, when there is so much performance data that some has to go.
ROOM_FOR_WORDS = 800
#: Bytes of one line of long output before its since and runbook, so that one always finds room.
LINE_BYTES = 450
#: Characters of the first line's parts; the guidelines would have it under 80 altogether.
HOSTS_LIMIT, SCENARIO_LIMIT, REASON_LIMIT, PLACE_LIMIT, NOTE_LIMIT, LINE_LIMIT = 60, 60, 200, 60, 160, 450


class Options(Record):
    """How the line is judged and measured."""

    warning: str = option("", "warning range over the number of failed scenarios, as -w has it")
    critical: str = option("", "critical range over it, as -c has it; without one, one failed scenario is critical")
    timeout: float | None = option(None, "time that the run was given: the critical value of `time`", dimension="time")


class Nagios(Output):
    """The output of a check program. A verbosity of 1 adds the scenarios that are ok and the run's cost.

    Raises:
        UserError: a range of the options that is none.
    """

    Options = Options

    def __init__(self, options: Any = None, *, colour: bool = False, verbosity: int = 0) -> None:
        super().__init__(options, colour=colour, verbosity=verbosity)
        given = self.options
        self.failed_warning = Range(given.warning) if given.warning else None
        self.failed_critical = Range(given.critical) if given.critical else None
        self.timeout: float | None = given.timeout

    def judged(self, report: Report) -> tuple[str, int]:
        """Return the state and exit status of a report, by the ranges where there are any."""
        return apply_failed_ranges(report, self.failed_warning, self.failed_critical)

    def render(self, report: Report) -> str:
        """Return at most LIMIT bytes: the line with its performance data, then one line for what is not ok."""
        state, _ = self.judged(report)
        first = f"INFRATEST {state.upper()} - {_target(report)}{_summary(report)}{self._by_ranges(report, state)}"
        metrics = self._core(report) + [metric(one) for one in observations(report.results, names_hosts(report))]
        room = LIMIT - _bytes(first) - ROOM_FOR_WORDS
        kept = _fitting(metrics, room)
        problems = [_text(line, LINE_BYTES * 4) for line in report.problem.splitlines()]
        lines = problems if len(problems) > 1 or "…" in first else []
        # Below the first line there is room for a command line whole: one that is cut cannot be typed.
        lines += [_text(note, LINE_LIMIT) for note in report.notes if not _healed(note)]
        if len(kept) < len(metrics):
            left_out = len(metrics) - len(kept)
            lines.append(f"{left_out} of {len(metrics)} metrics left out, the last ones: the output would be too long")
        lines += self._long(report)
        return _bounded(f"{first} | {' '.join(kept)}", lines)

    def _by_ranges(self, report: Report, state: str) -> str:
        """Return which options made the state another one than the scenarios' own; empty where none did."""
        if state == report.state:
            return ""
        options = (("-w", self.failed_warning), ("-c", self.failed_critical))
        return f"; {state} by {' '.join(f'{name} {given.text}' for name, given in options if given is not None)}"

    def _core(self, report: Report) -> list[str]:
        counts = report.counts
        warning = self.failed_warning.text if self.failed_warning else ""
        critical = self.failed_critical.text if self.failed_critical else DEFAULT_CRITICAL
        timeout = "" if self.timeout is None else plain(self.timeout)
        return [
            f"scenarios={len(_scenarios_of(report))};;;0",
            f"failed={counts[CRITICAL]};{warning};{critical};0",
            f"unknown={counts[UNKNOWN]};;;0",
            f"skipped={counts[SKIPPED]};;;0",
            f"blocked={counts['blocked']};;;0",
            f"waived={counts[WAIVED]};;;0",
            f"healed={report.healed};;;0",
            f"tries={report.tries};;;0",
            metric(Observation("time", round(report.duration, 3), "s", "", timeout, 0)),
        ]

    def _long(self, report: Report) -> list[str]:
        bad = worst_first(report.results)
        blocked: dict[str, int] = {}
        for result in bad:
            if result.blocked_by is not None:
                blocked[result.blocked_by] = blocked.get(result.blocked_by, 0) + 1
        judged = [result for result in bad if result.blocked_by is None]
        lines = [_line(result) for result in judged if result.state not in (WAIVED, SKIPPED)]
        lines += [f"[BLOCKED] {_scenarios(number)} by {_text(id, 120)}" for id, number in blocked.items()]
        lines += [_line(result) for result in judged if result.state in (WAIVED, SKIPPED)]
        if self.verbosity:
            lines += [_line(result) for result in report.results if result.state == OK]
            cost = report.cost
            lines.append(f"cost: logins {cost.logins}, round trips {cost.round_trips}, commands {cost.commands}")
        return lines


def _target(report: Report) -> str:
    stack = report.place
    hosts = list(dict.fromkeys(result.host for result in report.results if result.host != "-"))
    if not hosts:
        # A run that could not begin may not even know which stack it is about.
        return f"{_text(stack, HOSTS_LIMIT)}: " if stack else ""
    return _text(f"{stack} {hosts[0]}" if len(hosts) == 1 else f"{stack} {len(hosts)} hosts", HOSTS_LIMIT) + ": "


def _summary(report: Report) -> str:
    """Return what is so in a few words: what was healed, how many failed, and the worst of them by name."""
    healed = [_text(note, NOTE_LIMIT) for note in report.notes if _healed(note)]
    return "; ".join([*healed, _state_words(report)])


def _state_words(report: Report) -> str:
    if report.problem:
        return _problem(report.problem)
    counts = report.counts
    total = len(_scenarios_of(report))
    judged = [result for result in worst_first(report.results) if result.blocked_by is None]
    bad = [result for result in judged if result.state not in (WAIVED, SKIPPED)]
    if not bad:
        return _nothing_bad(counts)
    worst = bad[0]
    words = {CRITICAL: "failed", UNKNOWN: "unknown", WARNING: "in warning"}
    parts = [f"{counts[state]} {words[state]}" for state in (CRITICAL, UNKNOWN, WARNING) if counts[state]]
    if counts["blocked"]:
        parts.append(f"{counts['blocked']} blocked")
    if counts[WAIVED]:
        parts.append(f"{counts[WAIVED]} waived")
    number, _, rest = parts[0].partition(" ")
    head = ", ".join([f"{number} of {_scenarios(total)} {rest}", *parts[1:]])
    where = f" on {_text(worst.host, HOSTS_LIMIT)}" if worst.host != "-" and names_hosts(report) else ""
    more = f" (+{len(bad) - 1} more)" if len(bad) > 1 else ""
    reason = f": {_brief(worst.reason, REASON_LIMIT)}" if worst.reason else ""
    return f'{head}: "{_text(worst.scenario, SCENARIO_LIMIT)}"{where}{reason}{more}'


def _problem(problem: str) -> str:
    """Return the first of the mistakes that keep a run from beginning: what is wrong, then where, and how many more."""
    from infratest.outputs._mistakes import mistakes  # most runs begin

    first, *others = mistakes(problem)
    place = f" ({_place(first.file, first.line)})" if first.file else ""
    return _brief(first.words, REASON_LIMIT) + place + (f" (+{len(others)} more)" if others else "")


def _nothing_bad(counts: dict[str, int]) -> str:
    parts = [f"{_scenarios(counts[OK])} ok"] if counts[OK] else []
    parts += [f"{counts[state]} {state}" for state in (SKIPPED, "blocked", WAIVED) if counts[state]]
    if counts[OK]:
        return ", ".join(parts)
    return f"no scenario was checked ({', '.join(parts)})" if parts else "no scenario was checked: none is selected"


def _line(result: Result) -> str:
    """Return one line of long output: state, place, scenario, host, reason, since when, runbook."""
    host = f"on {result.host}" if result.host != "-" else ""
    reason = f": {result.reason}" if result.reason else ""
    parts = [f"[{result.state.upper()}]", f"{result.feature}:{result.line}" if result.line else result.feature]
    line = _text(" ".join(filter(None, [*parts, result.scenario, host])) + reason, LINE_LIMIT + 1)
    if len(line) > LINE_LIMIT or _bytes(line) > LINE_BYTES:
        # The reason is what is read: all else makes room for it.
        parts = [parts[0], _place(result.feature, result.line), _text(result.scenario, SCENARIO_LIMIT)]
        head = " ".join(filter(None, [*parts, _text(host, HOSTS_LIMIT)]))
        line = _cut(head + _brief(reason, LINE_LIMIT - len(head)), LINE_BYTES)
    if result.since is not None and result.state != OK:
        line += f"; since {strftime('%Y-%m-%d %H:%M UTC', gmtime(result.since))}"
    return line + (
        f"; runbook {_cut(_text(result.runbook, 200), 200)}" if result.runbook and result.state != OK else ""
    )


def _scenarios_of(report: Report) -> list[Result]:
    """Return the results of scenarios: that a host can be reached is told beside them, and comes and goes with it."""
    return [result for result in report.results if result.feature]


def _scenarios(number: int) -> str:
    return f"{number} scenario{'' if number == 1 else 's'}"


def _healed(note: str) -> bool:
    """Whether a note is of what healing did, or how it is itself: told on the first line."""
    return note.startswith(("healed", "healing ", "verifying")) or "healing is disarmed" in note


def _text(text: str, limit: int) -> str:
    """Return text for a line that `|` ends: on one line, short, without that character."""
    return clean(text.replace("|", "/"), limit)


def _brief(text: str, limit: int) -> str:
    """Return text of at most so many characters; where it is longer, a path or URL that takes more than a quarter of
    them loses its folders."""
    whole = _text(text, limit + 1)
    if len(whole) <= limit:
        return whole
    words = [_without_folders(word) if len(word) > limit // 4 else word for word in text.split(" ")]
    return _text(" ".join(words), limit)


def _place(file: str, line: int) -> str:
    """Return `file:line` in at most PLACE_LIMIT characters: what is too long loses its folders, then its beginning."""
    place = _brief(f"{file}:{line}" if line else file, LINE_LIMIT)
    if len(place) > PLACE_LIMIT:
        place = f"{place.partition('/')[0]}/…/{place.rpartition('/')[2]}" if place.count("/") > 1 else place
    return place if len(place) <= PLACE_LIMIT else f"…{place[1 - PLACE_LIMIT :]}"


def _without_folders(word: str) -> str:
    """Return a path or URL with `…` for the folders between its first part and its last; another word as it is."""
    bare = word.lstrip("\"'`([")
    if not (bare.startswith(("/", "./", "../", "~")) or "://" in bare):
        return word  # a fingerprint, a word of two kinds
    begin = word.find("/", word.find("://") + 3 if "://" in word else 0)
    end = word.rfind("/")
    return f"{word[: begin + 1]}…{word[end:]}" if end > begin >= 0 else word


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _cut(text: str, limit: int) -> str:
    """Return text of at most so many bytes, cut between characters."""
    if _bytes(text) <= limit:
        return text
    return text.encode()[: limit - 3].decode("utf-8", "ignore").rstrip() + "…"


def _fitting(metrics: list[str], room: int) -> list[str]:
    """Return the first metrics, whole ones, that fit in so many bytes."""
    kept = []
    for one in metrics:
        room -= _bytes(one) + 1
        if room < 0:
            break
        kept.append(one)
    return kept


def _bounded(first: str, lines: list[str]) -> str:
    """Return the lines that fit, with the number of those that do not."""
    room = LIMIT - _bytes(first) - 1
    kept = [first]
    for at, line in enumerate(lines):
        rest = f"... and {counted(len(lines) - at, 'more line')}"
        last = at == len(lines) - 1
        if _bytes(line) + 1 > room - (0 if last else _bytes(rest) + 1):
            kept.append(rest)
            break
        room -= _bytes(line) + 1
        kept.append(line)
    return "\n".join(kept) + "\n"
