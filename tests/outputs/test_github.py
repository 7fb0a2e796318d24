"""Annotations of GitHub Actions: one a sentence that does not hold, where it is written; nothing can add one."""

from __future__ import annotations

from infratest.outputs.github import Github
from infratest.testing.outputs import REPORTS, report, result


def test_each_state_and_its_line():
    lines = Github().render(REPORTS["every-state"]).splitlines()
    place = "file=features/web.feature,line=7"
    assert lines == [
        f"::error {place},title=it is critical on web-1::port 80 is listening: nothing listens on port 80",
        f"::error {place},title=it is unknown on web-1::port 80 is listening: permission denied",
        f"::warning {place},title=it is warning on web-1::port 80 is listening: 81 %25 full",
        "CRITICAL shop/prod: 1 ok, 1 warning, 1 critical, 1 unknown, 1 skipped, 1 blocked of 6 scenarios",
    ]


def test_hosts_that_failed_alike_are_one_annotation():
    lines = Github().render(REPORTS["alike"]).splitlines()
    assert len(lines) == 2
    assert "title=it is critical on web-0%2C web-1%2C" in lines[0]


def test_line_breaks_and_commas_stay_inside():
    lines = Github().render(report(result("critical", "a,b:c", "one\n::error::two"))).splitlines()
    assert len(lines) == 2
    assert "on a%2Cb%3Ac::" in lines[0]
    assert lines[0].endswith("one ::error::two")
