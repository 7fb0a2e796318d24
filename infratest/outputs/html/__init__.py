"""One page to send or to keep: what is not ok first, then every scenario, with numbers and evidence behind each.

Loaded by name for `--format html:PATH`. The page is one file: no script, and nothing loaded from elsewhere. It is built
as a tree of elements, never as text, so what a host or a feature says cannot become markup.
"""

from __future__ import annotations

from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from infratest import __version__
from infratest.cleaning import clean
from infratest.model import Evidence, Report, Result, StepResult, worst_first
from infratest.outputs._alike import BLOCKED, alike, shown_state
from infratest.outputs._mistakes import first_mistakes
from infratest.outputs.base import Output
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING
from infratest.units import counted, human

MARKS = {OK: "✓", WARNING: "▲", CRITICAL: "✗", UNKNOWN: "?", WAIVED: "~", SKIPPED: "-", BLOCKED: "·"}
#: In this order the states are counted.
ORDER = (CRITICAL, UNKNOWN, WARNING, BLOCKED, WAIVED, SKIPPED, OK)
#: Characters of a line, of a reason and of the output of one evidence.
LINE, REASON, OUTPUT = 300, 2000, 20_000
#: A runbook is a link only where a browser can follow it and nothing but the web is reached by it.
LINKS = ("https://", "http://")


class Html(Output):
    """The report as a page of its own."""

    def render(self, report: Report) -> str:
        """Return the whole page."""
        root = Element("html", {"lang": "en"})
        _head(root, report)
        body = SubElement(root, "body")
        _summary(body, report)
        problems = worst_first(result for result in report.results if shown_state(result) not in (BLOCKED, SKIPPED))
        if problems:
            _add(body, "h2", "Not ok")
            for group in alike(problems):
                _scenario(body, group, opened=True)
        features: dict[str, list[Result]] = {}
        for result in report.results:
            features.setdefault(result.feature, []).append(result)
        for feature, results in features.items():
            _add(body, "h2", feature or "Hosts")
            for group in alike(results):
                _scenario(body, group, opened=False)
        cost = report.cost
        spent = (
            f"{counted(cost.logins, 'login')}, {counted(cost.round_trips, 'round trip')}, "
            f"{counted(cost.commands, 'command')}; infratest {__version__}"
        )
        _add(body, "footer", spent)
        return f"<!doctype html>\n{tostring(root, encoding='unicode', method='html')}\n"


def _head(root: Element, report: Report) -> None:
    head = SubElement(root, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    # Nothing is loaded and nothing runs, whatever a host might have smuggled in.
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    _add(head, "title", f"{report.state.upper()} {report.place}".strip())
    style = files("infratest.outputs.html").joinpath("style.css").read_text("utf-8")
    SubElement(head, "style").text = style


def _summary(body: Element, report: Report) -> None:
    header = SubElement(body, "header")
    _add(header, "h1", report.place or "infratest")
    _add(header, "span", report.state, {"class": f"state {report.state}"})
    hosts = len({result.host for result in report.results if result.host != "-"})
    words = [report.started, human(report.duration, "s"), counted(len(report.results), "scenario")]
    words += [counted(hosts, "host")] * bool(hosts) + ["production"] * report.production
    _add(body, "p", " · ".join(words), {"class": "about"})
    counts = SubElement(body, "ul", {"class": "counts"})
    for state in (*ORDER, *(name for name in report.counts if name not in ORDER)):
        number = report.counts[state]
        if number:
            item = SubElement(counts, "li", {"class": state})
            _add(item, "b", str(number)).tail = f" {state}"
    for note in (*report.notes, *(each.text for each in first_mistakes(report.problem))):
        _add(body, "p", note, {"class": "note"}, REASON)


def _scenario(parent: Element, group: list[Result], opened: bool) -> None:
    """Add one scenario on the hosts where it ended alike."""
    result = group[0]
    state = shown_state(result)
    block = SubElement(parent, "details", {"class": state} | ({"open": "open"} if opened else {}))
    summary = SubElement(block, "summary")
    _add(summary, "span", f"{MARKS[state]} {state}", {"class": "state"})
    _add(summary, "span", result.scenario)
    hosts = ", ".join(each.host for each in group if each.host != "-")
    if hosts:
        _add(summary, "span", hosts, {"class": "hosts"}, REASON)
    reason = f"blocked by {result.blocked_by}" if result.blocked_by is not None else result.reason
    if reason and state != OK:
        _add(summary, "span", reason, {"class": "reason"}, REASON)
    inside = SubElement(block, "div", {"class": "inside"})
    steps = SubElement(inside, "ul")
    for step in result.steps:
        _step(steps, result, step)
    if len(group) == 1:
        _numbers(inside, result)
    bad = [step for step in result.steps if step.state not in (OK, SKIPPED)]
    # Two sentences about one file were asked together: what it was is shown once.
    for evidence in dict.fromkeys(each for step in bad for each in step.evidence):
        _evidence(inside, evidence)
    _about(inside, group)


def _step(parent: Element, result: Result, step: StepResult) -> None:
    item = SubElement(parent, "li", {"class": step.state})
    _add(item, "span", MARKS[step.state], {"class": "mark"}).tail = clean(step.text, LINE) + " "
    if step.line and step.state != OK:
        _add(item, "span", f"{result.feature}:{step.line}", {"class": "dim"})
    if step.reason and step.state != OK:
        _add(item, "div", step.reason, {"class": "why"}, REASON)


def _numbers(parent: Element, result: Result) -> None:
    """Add what was measured, with the thresholds that judged it."""
    observations = [each for step in result.steps for each in step.observations if each.value is not None]
    if not observations:
        return
    table = SubElement(parent, "table")
    head = SubElement(table, "tr")
    for title in ("measured", "value", "warning", "critical"):
        _add(head, "th", title)
    for each in observations:
        row = SubElement(table, "tr")
        _add(row, "td", each.name)
        _add(row, "td", human(each.value or 0.0, each.unit), {"class": "number"})
        _add(row, "td", each.warning, {"class": "number"})
        _add(row, "td", each.critical, {"class": "number"})


def _evidence(parent: Element, evidence: Evidence) -> None:
    ended = "" if evidence.exit in (0, None) else f"  (exit {evidence.exit})"
    shown = f"$ {clean(evidence.command, REASON)}{ended}\n{clean(evidence.output, OUTPUT, lines=True)}"
    _add(parent, "pre", shown, limit=OUTPUT + REASON)


def _about(parent: Element, group: list[Result]) -> None:
    result = group[0]
    if result.runbook and result.state != OK:
        line = SubElement(parent, "p", {"class": "dim"})
        line.text = "runbook: "
        address = clean(result.runbook, REASON)
        _add(line, "a", address, {"href": address, "rel": "noreferrer"} if address.startswith(LINKS) else {}, REASON)
    tags = " ".join(f"@{tag}" for tag in result.tags)
    took = human(max(each.duration for each in group), "s")
    attempts = f", {counted(result.attempts, 'attempt')}" if result.attempts > 1 else ""
    words = f"{result.feature}:{result.line} · {took}{attempts}{f' · {tags}' if tags else ''}"
    _add(parent, "div", words, {"class": "dim"})


def _add(parent: Element, tag: str, text: str, attributes: dict[str, str] | None = None, limit: int = LINE) -> Element:
    """Add an element with text, cleaned and bounded."""
    element = SubElement(parent, tag, attributes or {})
    element.text = clean(text, limit, lines=True)
    return element
