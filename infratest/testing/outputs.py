"""What every output must do with any report: text that ends in a line break, bounded, masked, and safe to show.

`REPORTS` are the reports that the suite asks about; an output of your own may be looked at with them, too.
"""

from __future__ import annotations

from typing import Any

import pytest

from infratest.cleaning import keep_secret
from infratest.model import Cost, Evidence, Observation, Report, Result, StepResult
from infratest.outputs.base import Output
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WARNING

STARTED = "2026-01-31T12:00:00Z"
#: Moves a cursor, forges a line, ends markup: what a host may answer.
HOSTILE = (
    "\x1b[2J\x07pwned\r\nOK - fine | a=1;2;3 <script>alert(1)</script> ]]> ::error::x %0A \u202e\u2028 \ufeff\ud83d"
)
SECRET = "open-sesame-48213"  # noqa: S105 - made up, to be looked for


def result(state: str, host: str = "web-1", reason: str = "", text: str = "port 80 is listening") -> Result:
    """Return a scenario that ended so, with one sentence, a number and evidence."""
    evidence = [Evidence("socket", "ss -Hltn", 0, reason or "LISTEN 0 128 0.0.0.0:80", 0.004)]
    observation = Observation("disk / used", 71.0, "%", "80", "90", 0, 100)
    step = StepResult(text, 7, state, reason, [observation], evidence)
    return Result(
        f"features/web.feature#{state}@{host}", "features/web.feature", f"it is {state}", 5, host, state, reason,
        groups=("web",), tags=("web", "runbook:https://wiki.example/nginx"), steps=[step], duration=0.02,
    )  # fmt: skip


def report(*results: Result, **fields: Any) -> Report:
    """Return a report of these results."""
    return Report("shop", "prod", STARTED, 0.041, results, True, Cost(1, 1, 1), **fields)


def blocked(by: str) -> Result:
    """Return a scenario that another result blocks."""
    unknown: Result = result(UNKNOWN, "web-2", "blocked").changed(blocked_by=by)
    return unknown


REPORTS = {
    "nothing": report(),
    "problem": report(problem="features/web.feature:7: no such sentence"),
    "ok": report(result(OK), result(OK, "web-2")),
    "every-state": report(
        result(OK), result(WARNING, reason="81 % full"), result(CRITICAL, reason="nothing listens on port 80"),
        result(UNKNOWN, reason="permission denied"), result(SKIPPED, reason="work in progress"),
        blocked("reachable@web-2"),
    ),
    "alike": report(*(result(CRITICAL, f"web-{number}", "nothing listens") for number in range(40))),
    "healed": report(result(OK), notes=("healed: restart-service nginx, was CRITICAL",)),
    "hostile": report(result(CRITICAL, HOSTILE, HOSTILE, HOSTILE), problem=HOSTILE, notes=(HOSTILE,)),
    "long": report(*(result(CRITICAL, f"web-{number}", "x" * 50_000) for number in range(3))),
    "secret": report(
        result(CRITICAL, reason=f"the password is {SECRET}", text=f"log in with {SECRET}"), notes=(SECRET,)
    ),
}  # fmt: skip


class OutputContract:
    """The suite. A fixture `output` is asked for: an Output, made with its options."""

    @pytest.mark.parametrize("name", REPORTS)
    def test_it_is_text_that_ends_in_one_line_break(self, output: Output, name: str) -> None:
        text = output.render(REPORTS[name])
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert text.encode("utf-8")

    @pytest.mark.parametrize("name", REPORTS)
    def test_the_same_report_is_the_same_text_and_stays_as_it_is(self, output: Output, name: str) -> None:
        before = REPORTS[name].as_dict("x")
        assert output.render(REPORTS[name]) == output.render(REPORTS[name])
        assert REPORTS[name].as_dict("x") == before

    def test_nothing_moves_a_cursor_or_forges_a_line(self, output: Output) -> None:
        text = output.render(REPORTS["hostile"])
        assert [each for each in text if each < " " and each != "\n"] == []  # C0 controls of ECMA-48
        assert not any(line.startswith("::error::x") for line in text.splitlines())

    def test_a_secret_is_masked(self, output: Output) -> None:
        keep_secret(SECRET)
        assert SECRET not in output.render(REPORTS["secret"])

    def test_what_is_said_of_each_result_as_it_comes_ends_in_a_line_break(self, output: Output) -> None:
        for each in REPORTS["every-state"].results:
            text = output.on_result(each)
            assert text == "" or text.endswith("\n")
