"""A report as annotations of GitHub Actions: what is not ok is shown at its line of the feature.

Loaded by name for `--format github`, in a workflow's step. The format is of "Workflow commands for GitHub Actions";
what must be escaped is in actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.model import Report, Result, worst_first
from infratest.outputs._alike import alike
from infratest.outputs._mistakes import first_mistakes
from infratest.outputs.base import Output
from infratest.states import OK, SKIPPED, WAIVED, WARNING
from infratest.units import counted

LINE, REASON = 200, 1000


class Github(Output):
    """One annotation for each sentence that does not hold, on the hosts where it says the same; or for each mistake."""

    def render(self, report: Report) -> str:
        """Return a line for each annotation, and one that sums up."""
        not_ok = [each for each in worst_first(report.results) if each.blocked_by is None and each.state != SKIPPED]
        lines = [line for group in alike(not_ok) for line in _annotations(group)]
        wrong = first_mistakes(report.problem)
        lines += [_command("error", each.words, **_place(each.file, each.line), title="infratest") for each in wrong]
        counts = report.counts
        said = ", ".join(f"{number} {state}" for state, number in counts.items() if number) or "nothing was checked"
        name = report.place
        lines.append(
            f"{report.state.upper()} {clean(name, LINE)}: {said} of {counted(len(report.results), 'scenario')}"
        )
        return "\n".join(lines) + "\n"


def _annotations(group: list[Result]) -> list[str]:
    result = group[0]
    hosts = ", ".join(each.host for each in group if each.host != "-")
    title = f"{result.scenario} on {hosts}" if hosts else result.scenario
    steps = [step for step in result.steps if step.state not in (OK, SKIPPED) and result.state != WAIVED]
    said = [(step.state, step.line, f"{step.text}: {step.reason}") for step in steps]
    return [
        _command(
            {WARNING: "warning", WAIVED: "notice"}.get(state, "error"),
            words,
            **_place(result.feature, line),
            title=title,
        )
        for state, line, words in said or [(result.state, result.line, result.reason)]
    ]


def _place(file: str, line: int) -> dict[str, str]:
    return {"file": file, "line": str(line)} if file and line else {}


def _command(name: str, message: str, **properties: str) -> str:
    given = ",".join(f"{key}={_property(clean(value, LINE))}" for key, value in properties.items())
    return f"::{name} {given}::{_data(clean(message, REASON))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
