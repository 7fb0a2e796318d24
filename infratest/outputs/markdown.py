"""A report as Markdown: for a comment on a pull request, a job's summary page, a chat.

Loaded by name for `--format markdown:PATH`. GitHub Flavored Markdown; what hosts and features say is escaped, so that
it cannot become a link, an image, a mention or markup.
"""

from __future__ import annotations

from collections import Counter

from infratest.cleaning import clean
from infratest.model import Report, Result, worst_first
from infratest.outputs._alike import BLOCKED, alike, shown_state
from infratest.outputs._mistakes import first_mistakes
from infratest.outputs.base import Output
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING
from infratest.units import counted, human

MARKS = {OK: "✅", WARNING: "⚠️", CRITICAL: "❌", UNKNOWN: "❓", WAIVED: "☑️", SKIPPED: "⏭️", BLOCKED: "⛔"}
ORDER = (CRITICAL, UNKNOWN, WARNING, BLOCKED, WAIVED, SKIPPED, OK)
#: ASCII punctuation that begins markup, of the CommonMark specification, 2.4; `@` and `#` make links on GitHub.
SPECIAL = "\\`*_{}[]<>()#+!|@~&"
#: What makes a link of bare text on GitHub ("autolinks (extension)"), and how it is written so that it makes none.
LINKS = {"://": "\\://", "www.": "www\\."}
LINE, REASON = 300, 1000
#: Blocks of what is not ok; a comment may have 65,536 characters.
MOST = 50


class Markdown(Output):
    """The counts, then what is not ok, the worst first, with its sentences."""

    def render(self, report: Report) -> str:
        """Return the document, ending in a line break."""
        lines = [
            f"### {MARKS[report.state]} {_text(report.place) or 'infratest'}: {report.state}",
            "",
            _totals(report),
        ]
        for note in (*report.notes, *(each.text for each in first_mistakes(report.problem))):
            lines += ["", f"> {_text(note, REASON)}"]
        groups = alike(each for each in worst_first(report.results) if shown_state(each) not in (SKIPPED, BLOCKED))
        for group in groups[:MOST]:
            lines += ["", *_scenario(group)]
        if len(groups) > MOST:
            lines += ["", f"{len(groups) - MOST} more are not shown."]
        return "\n".join([*lines, *_blocked(report)]) + "\n"


def _blocked(report: Report) -> list[str]:
    """Return how many scenarios each blocker stands in the way of."""
    numbers = Counter(result.blocked_by for result in report.results if result.blocked_by is not None)
    lines = [f"{MARKS[BLOCKED]} {counted(each, 'scenario')} blocked by {_text(by)}" for by, each in numbers.items()]
    return [part for line in lines for part in ("", line)]


def _totals(report: Report) -> str:
    counts = report.counts
    states = [f"{counts[state]} {state}" for state in (*ORDER, *(key for key in counts if key not in ORDER))]
    said = ", ".join(words for words in states if not words.startswith("0 ")) or "nothing was checked"
    hosts = len({result.host for result in report.results if result.host != "-"})
    across = f" on {counted(hosts, 'host')}" if hosts else ""
    return f"{said}{across}, in {human(report.duration, 's')}, {_text(report.started)}"


def _scenario(group: list[Result]) -> list[str]:
    result = group[0]
    state = shown_state(result)
    hosts = ", ".join(_text(each.host) for each in group if each.host != "-")
    place = f" ({_text(result.feature)}:{result.line})" if result.line else ""
    lines = [f"{MARKS[state]} **{_text(result.scenario)}**{f' on {hosts}' if hosts else ''}{place}"]
    steps = [step for step in result.steps if step.state != OK and state != WAIVED]
    lines += [f"  - {_text(step.text)}: {_text(step.reason, REASON)}" for step in steps]
    if not steps and result.reason:
        lines.append(f"  - {_text(result.reason, REASON)}")
    if result.runbook:
        lines.append(f"  - runbook: {_link(result.runbook)}")
    return lines


def _text(text: str, limit: int = LINE) -> str:
    """Return text that reads as it is written: what has a meaning in Markdown stands behind a backslash."""
    escaped = "".join(f"\\{each}" if each in SPECIAL else each for each in clean(text, limit))
    for link, plain in LINKS.items():
        escaped = escaped.replace(link, plain)
    return escaped


def _link(address: str) -> str:
    """Return a runbook as a link where it is an address of the web and nothing in it could end the link early."""
    whole = clean(address, REASON)
    plain = whole.startswith(("https://", "http://")) and not set(whole) & set("<> \\")
    return f"<{whole}>" if plain else _text(whole)
