"""A report for people: what holds, what was expected and seen where it does not, where that is written, and evidence.

Loaded by name; the default of `infratest test`. All it shows is cleaned again here, for a report may come from a file.
"""

from __future__ import annotations

from collections.abc import Hashable

from rich.cells import cell_len

from infratest.cleaning import clean
from infratest.model import Evidence, Report, Result, StepResult
from infratest.outputs._evidence import is_own
from infratest.outputs._evidence import lines as evidence_lines
from infratest.outputs.base import Output
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING, worst
from infratest.units import human

BLOCKED = "blocked"
SYMBOLS = {OK: "✓", WARNING: "▲", CRITICAL: "✗", UNKNOWN: "?", WAIVED: "~", SKIPPED: "-", BLOCKED: "·"}
#: ECMA-48, Select Graphic Rendition: the colours of the terminal's own theme.
COLOURS = {OK: "32", WARNING: "33", CRITICAL: "31", UNKNOWN: "35", WAIVED: "36", SKIPPED: "2", BLOCKED: "2"}
DIM, BOLD = "2", "1"
#: In this order the last line counts them.
WORST_COUNTED = (CRITICAL, UNKNOWN, WARNING, BLOCKED, WAIVED, SKIPPED, OK)

#: The column of hosts begins here at most; columns of a narrow terminal; hosts named, at most, without and with -v.
WIDEST = 60
NARROW = 80
HOSTS_NAMED = (6, 1000)
REASON_LIMIT, LINE_LIMIT = 600, 180


class Text(Output):
    """Features, scenarios and hosts, with the words of users' own commands where those failed.

    -v adds the sentences that hold, and the raw answers behind those that do not; -vv the answers behind all.
    """

    def render(self, report: Report) -> str:
        """Return the whole report, ending in a line break."""
        lines: list[str] = []
        features: dict[str, list[Result]] = {}
        for result in report.results:
            features.setdefault(result.feature, []).append(result)
        for feature, results in features.items():
            shown = self._feature(results)
            if shown:
                lines += [self._paint(_line(feature) or "hosts", BOLD), *shown, ""]
        lines += self._blocked(report)
        lines += [*(self._note(note) for note in report.notes), *self._problem(report), *self._totals(report)]
        return "\n".join(lines) + "\n"

    def on_result(self, result: Result) -> str:
        """Return one line for a result that has just come in; none for a blocked one, which its blocker stands for."""
        state = _state(result)
        if state == BLOCKED and not self.verbosity:
            return ""
        reason = f"  {self._paint(_line(result.reason), DIM)}" if result.reason and state != OK else ""
        host = "" if result.host == "-" else f"  {_line(result.host)}"
        return f"{self._paint(SYMBOLS[state], COLOURS[state])} {_line(result.scenario)}{host}{reason}\n"

    def _feature(self, results: list[Result]) -> list[str]:
        """Return one block for each scenario and outcome: its hosts, then what is behind it where it is not ok."""
        width = min(WIDEST, max(cell_len(_line(result.scenario)) for result in results))
        groups: dict[Hashable, list[Result]] = {}
        for result in results:
            groups.setdefault(self._alike(result), []).append(result)
        lines = []
        for same in groups.values():
            state = _state(same[0])
            if state != BLOCKED or self.verbosity:
                lines += self._scenario(same, state, width)
        return lines

    def _alike(self, result: Result) -> Hashable:
        """Return what is the same for results that are shown as one: all that would be shown, but for the host."""
        state = _state(result)
        if self.verbosity:
            return result.id
        if state in (OK, BLOCKED, SKIPPED):
            return result.scenario, state
        if state == WAIVED:
            return result.scenario, state, result.reason
        return result.scenario, state, tuple(self._steps(result))

    def _scenario(self, results: list[Result], state: str, width: int) -> list[str]:
        first = results[0]
        name = _line(first.scenario)
        hosts = self._hosts(results)
        pad = " " * max(0, width - cell_len(name)) if hosts else ""
        symbol = self._paint(SYMBOLS[state], COLOURS[state])
        word = "" if state == OK else "  " + self._paint(state, COLOURS[state])
        title = name if state in (OK, WAIVED, SKIPPED, BLOCKED) else self._paint(name, BOLD)
        lines = [f"  {symbol} {title}{pad}{'  ' + hosts if hosts else ''}{word}"]
        if state in (WAIVED, SKIPPED) and first.reason:
            lines.append(f"      {self._paint(_line(first.reason, REASON_LIMIT), DIM)}")
            lines += self._steps(first) if state == WAIVED and self.verbosity else []
        elif state == BLOCKED:
            lines.append(f"      {self._paint('by ' + _line(first.blocked_by or ''), DIM)}")
        elif state != OK or self.verbosity:
            lines += self._steps(first)
        return lines

    def _hosts(self, results: list[Result]) -> str:
        hosts = [_line(result.host) for result in results if result.host != "-"]
        most = HOSTS_NAMED[min(self.verbosity, 1)]
        if len(hosts) > most:
            return f"{', '.join(hosts[: most - 1])} and {len(hosts) - most + 1} more"
        return ", ".join(hosts)

    def _steps(self, result: Result) -> list[str]:
        lines: list[str] = []
        for step in result.steps:
            if step.state != OK or self.verbosity:
                lines += self._step(result, step)
        if not any(step.state != OK for step in result.steps) and result.reason:
            lines.append(f"      {_line(result.reason, REASON_LIMIT)}")
        if result.runbook and result.state != OK:
            lines.append(f"      {self._paint('runbook', DIM)} {_line(result.runbook)}")
        return lines

    def _step(self, result: Result, step: StepResult) -> list[str]:
        place = f"{_line(result.feature)}:{step.line}" if step.line else _line(result.feature)
        if step.state == OK:
            numbers = ", ".join(
                f"{_line(seen.name)} {human(seen.value, seen.unit)}"
                for seen in step.observations
                if seen.value is not None
            )
            told = f"  {self._paint(numbers, DIM)}" if numbers else ""
            lines = [f"      {self._paint(SYMBOLS[OK], COLOURS[OK])} {_line(step.text, 300)}{told}"]
            if step.reason:  # of a sentence about several hosts: on which it holds
                lines.append(f"        {self._paint(_line(step.reason, REASON_LIMIT), DIM)}")
            return lines + (self._evidence(step) if self.verbosity > 1 else [])
        symbol = self._paint(SYMBOLS[step.state], COLOURS[step.state])
        text = _line(step.text, 300)
        # A terminal would break a place in its middle, and nobody could click on it or copy it.
        fits = cell_len(f"      ? {text}  {place}") <= NARROW
        lines = [f"      {symbol} {text}" + (f"  {self._paint(place, DIM)}" if fits and place else "")]
        if step.reason:
            lines.append(f"        {self._paint(_line(step.reason, REASON_LIMIT), COLOURS[step.state])}")
        if place and not fits:
            lines.append(f"        {self._paint(place, DIM)}")
        return lines + (self._evidence(step) if step.state != SKIPPED else [])

    def _evidence(self, step: StepResult) -> list[str]:
        lines = []
        for evidence in step.evidence:
            # The reason says what our own snippets saw; what a user's command printed only the user can read.
            if self.verbosity or is_own(evidence):
                lines += self._one_evidence(evidence, step.text)
        return lines

    def _one_evidence(self, evidence: Evidence, sentence: str) -> list[str]:
        ended = "" if evidence.exit in (0, None) else f"  exit {evidence.exit}"
        shown = [f"        $ {_line(evidence.command)}{ended}"]
        shown += [f"        │ {line}" for line in evidence_lines(evidence, self.verbosity, sentence)]
        return [self._paint(line, DIM) for line in shown]

    def _blocked(self, report: Report) -> list[str]:
        """Return how many each blocker stands in the way of; their scenarios are named with -v alone."""
        counts: dict[str, int] = {}
        for result in report.results:
            if result.blocked_by is not None:
                counts[result.blocked_by] = counts.get(result.blocked_by, 0) + 1
        lines = [f"{SYMBOLS[BLOCKED]} {_scenarios(number)} blocked by {_line(by)}" for by, number in counts.items()]
        return [self._paint(line, DIM) for line in lines] + ([""] if lines else [])

    def _note(self, note: str) -> str:
        return self._paint(_line(note, REASON_LIMIT), BOLD)

    def _problem(self, report: Report) -> list[str]:
        if not report.problem:
            return []
        words = clean(report.problem, 4000, lines=True).splitlines()
        symbol = self._paint(SYMBOLS[UNKNOWN], COLOURS[UNKNOWN])
        return [f"{symbol} {line}" if at == 0 else f"  {line}" for at, line in enumerate(words)]

    def _totals(self, report: Report) -> list[str]:
        name = report.place
        down = [result for result in report.results if not result.feature]
        scenarios = report.changed(results=[result for result in report.results if result.feature])
        counts = scenarios.counts
        # A host that cannot be asked is no scenario, and counted apart.
        apart = [self._paint(f"{_counted(len(down), 'host')} not reached", COLOURS[worst(one.state for one in down)])]
        parts = [self._paint(f"{counts[state]} {state}", COLOURS[state]) for state in WORST_COUNTED if counts[state]]
        said = ", ".join([*(apart if down else ()), *parts])
        hosts = len({result.host for result in report.results if result.host != "-"})
        across = f" on {_counted(hosts, 'host')}" if hosts else ""
        cost = report.cost
        state = self._paint(report.state.upper(), f"{BOLD};{COLOURS[report.state]}")
        spent = (
            f"{human(report.duration, 's')} · {_counted(cost.logins, 'login')} · "
            f"{_counted(cost.round_trips, 'round trip')} · {_counted(cost.commands, 'command')}"
        )
        return [
            f"{state}{f'  {_line(name)}' if name else ''}: {said or 'nothing was checked'}",
            self._paint(f"{_scenarios(len(scenarios.results))}{across} · {spent}", DIM),
        ]

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def _state(result: Result) -> str:
    return BLOCKED if result.blocked_by is not None else result.state


def _line(text: str, limit: int = LINE_LIMIT) -> str:
    return clean(text, limit)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _scenarios(number: int) -> str:
    return _counted(number, "scenario")
