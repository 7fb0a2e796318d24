"""Every output of a fixed set of reports, compared with what a person has read and found right (tests/data/outputs)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infratest import outsiders
from infratest.model import Report
from infratest.options import build
from tests.contracts.case_files import cases

DATA = Path(__file__).parent.parent / "data" / "outputs"
REPORTS = sorted(path.name for path in DATA.iterdir())
#: Written by hand: the state and the exit status of each report.
EXPECTED = {
    "all-ok": ("ok", 0),
    "critical": ("critical", 2),
    "healed": ("ok", 0),
    "hostile": ("critical", 2),
    "nothing": ("unknown", 3),
    "problem": ("unknown", 3),
    "skipped": ("unknown", 3),
    "unreachable": ("critical", 2),
    "waived": ("ok", 0),
    "warning": ("warning", 1),
}
#: How each is made: its contract case says with which options. JSON is compared with what it was read from, below.
OPTIONS = {name: case.OPTIONS for name, case in cases("output").items() if name != "json"}


def stored(name: str) -> Report:
    return Report.from_dict(json.loads((DATA / name / "report.json").read_text(encoding="utf-8")))


def test_every_report_is_expected():
    assert sorted(EXPECTED) == REPORTS


@pytest.mark.parametrize("name", REPORTS)
def test_state_and_exit(name):
    assert (stored(name).state, stored(name).exit) == EXPECTED[name]


@pytest.mark.parametrize("output", OPTIONS)
@pytest.mark.parametrize("name", REPORTS)
def test_output(name, output):
    golden = (DATA / name / f"{output}.golden").read_text(encoding="utf-8")
    kind = outsiders.get("output", output)
    assert kind(build(kind.Options, OPTIONS[output], output)).render(stored(name)) == golden


@pytest.mark.parametrize("name", REPORTS)
def test_json_is_read_back_and_written_the_same(name):
    text = (DATA / name / "report.json").read_text(encoding="utf-8")
    assert outsiders.get("output", "json")().render(stored(name)) == text
    assert text.endswith("}\n")
