"""The document held against the rules that the JUnit schemas in use agree on (Ant's, Jenkins', pytest's order)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from infratest.model import Report, Result
from infratest.outputs.junit import Junit

DATA = Path(__file__).parent.parent / "data" / "outputs"
REPORTS = sorted(path.name for path in DATA.iterdir())
COUNTS = {"tests": None, "failures": "failure", "errors": "error", "skipped": "skipped"}


def parsed(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(Junit().render(report).encode())


def stored(name: str) -> Report:
    return Report.from_dict(json.loads((DATA / name / "report.json").read_text(encoding="utf-8")))


def one(state: str, **more: object) -> Report:
    result = Result("features/a.feature#s@web-1", "features/a.feature", "it works", 3, "web-1", state, **more)
    return Report("shop", "dev", "2026-01-31T12:00:00Z", 1.0, [result])


@pytest.mark.parametrize("name", REPORTS)
def test_schema(name):
    root = parsed(stored(name))
    assert root.tag == "testsuites"
    assert len(root) > 0
    for suite in root:
        assert suite.tag == "testsuite"
        assert {"name", "tests", "failures", "errors", "time", "timestamp", "hostname"} <= set(suite.attrib)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert next(child.tag for child in suite) == "properties"
        assert {child.tag for child in list(suite)[1:]} == {"testcase"}
        for case in suite.iter("testcase"):
            assert {"name", "classname", "time"} <= set(case.attrib) <= {"name", "classname", "time", "file", "line"}
            assert case.attrib["name"]
            assert case.attrib["classname"]
            verdicts = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            assert len(verdicts) <= 1
            assert {child.tag for child in case} <= {"properties", "failure", "error", "skipped", "system-out"}


@pytest.mark.parametrize("name", REPORTS)
def test_counts_are_those_of_the_cases(name):
    root = parsed(stored(name))
    for element in (root, *root):
        for attribute, tag in COUNTS.items():
            cases = list(element.iter("testcase"))
            found = len(cases) if tag is None else sum(case.find(tag) is not None for case in cases)
            assert element.attrib[attribute] == str(found), (element.tag, attribute)


@pytest.mark.parametrize("name", REPORTS)
def test_green_only_where_the_report_is(name):
    root = parsed(stored(name))
    red = int(root.attrib["failures"]) + int(root.attrib["errors"]) > 0
    assert red == (stored(name).state in ("critical", "unknown"))


@pytest.mark.parametrize(
    "report, tag",
    [
        (one("ok"), None),
        (one("warning"), None),
        (one("critical"), "failure"),
        (one("unknown"), "error"),
        (one("unknown", blocked_by="reachable@web-1"), "error"),
    ],
)
def test_faces(report, tag):
    case = parsed(report).find(".//testcase")
    assert case is not None
    verdicts = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    assert verdicts == ([tag] if tag else [])


def test_warning_passes_and_says_so_twice():
    root = parsed(one("warning", reason="84 % full"))
    assert root.find(".//testcase/properties/property").attrib == {"name": "state", "value": "warning"}
    assert root.find(".//testcase/system-out").text.startswith("warning: 84 % full\n")


def test_blocked_names_what_blocks():
    error = parsed(one("unknown", blocked_by="reachable@web-1")).find(".//error")
    assert error.attrib == {"message": "blocked by reachable@web-1", "type": "blocked"}


@pytest.mark.parametrize(
    "report, message",
    [
        (
            Report("shop", "", "2026-01-31T12:00:00Z", 0.0, [], problem="no such file: x.feature"),
            "no such file: x.feature",
        ),
        (Report("shop", "", "2026-01-31T12:00:00Z", 0.0, []), "no scenario is selected"),
        (one("skipped", reason="work in progress"), "every scenario was skipped"),
    ],
)
def test_a_run_that_judged_nothing_is_an_error(report, message):
    assert parsed(report).find(".//error").attrib["message"] == message


def test_characters_that_xml_cannot_hold():
    every = "".join(map(chr, (*range(0x20), 0x7F, 0x85, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x1F600)))
    report = one("critical", reason=every).changed(stack="a\x00b\ud800")
    assert "\N{GRINNING FACE}" in parsed(report).find(".//failure").attrib["message"]


def cases(report: Report) -> dict[str, dict[str, str]]:
    return {case.attrib["name"]: case.attrib for case in parsed(report).iter("testcase")}


def test_a_case_says_where_it_stands():
    assert cases(one("ok"))["it works @ web-1"] == {
        "name": "it works @ web-1", "classname": "features/a.feature", "file": "features/a.feature", "line": "3",
        "time": "0.000",
    }  # fmt: skip
    once = Result("f#s@-", "f.feature", "once", 7, "-", "ok")
    assert cases(one("ok").changed(results=[once]))["once"]["line"] == "7"
    ready = Result("@linux-baseline#s@a", "@linux-baseline", "ready-made", 7, "a", "ok")
    assert "file" not in cases(one("ok").changed(results=[ready]))["ready-made @ a"]


@pytest.mark.parametrize(
    "durations, run, expected",
    [
        ([1.0] * 61, 1.0, ["0.016"] * 61),  # asked together
        ([1.0, 2.0, 3.0], 6.5, ["1.000", "2.000", "3.000"]),  # one after the other
        ([1.0] * 4 + [30.0], 31.0, ["0.250"] * 4 + ["30.000"]),  # checks together, then an act
        ([30.0, 1.0, 1.0], 31.0, ["30.000", "0.500", "0.500"]),
        ([0.0, 0.0], 0.0, ["0.000", "0.000"]),
        ([5.0], 1.0, ["1.000"]),
    ],
)
def test_times_add_up_to_the_runs(durations, run, expected):
    results = [Result(f"f#{at}@a", "f", f"s{at}", 1, "a", "ok", duration=took) for at, took in enumerate(durations)]
    root = parsed(Report("shop", "", "2026-01-31T12:00:00Z", run, results))
    assert [case.attrib["time"] for case in root.iter("testcase")] == expected
    assert float(root.find("testsuite").attrib["time"]) <= run + 0.001
    assert root.attrib["time"] == f"{run:.3f}"


def test_a_host_that_is_down_is_no_test_case():
    down = Result("reachable@a", "", "reachable", 0, "a", "critical", "no route to 192.0.2.1")
    blocked = [one("unknown", blocked_by="reachable@a").results[0]]
    root = parsed(one("ok").changed(results=[down, *blocked]))
    assert (root.attrib["tests"], root.attrib["errors"], root.attrib["failures"]) == ("1", "1", "0")
    assert root.find(".//error").attrib["message"] == "blocked by reachable@a: no route to 192.0.2.1"
    assert root.find(".//property[@name='host.a']").attrib["value"] == "critical: no route to 192.0.2.1"
