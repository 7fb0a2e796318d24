"""The drills' table, and what must not be healed: each case is known to refuse, and for its reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import table
from benchmarks.drills import __main__ as drills
from benchmarks.drills import host as hosts
from benchmarks.drills import ours
from benchmarks.drills.faults import FAULTS
from benchmarks.drills.host import Host
from benchmarks.drills.peers import monit, nagios
from benchmarks.drills.refusals import SIMULATED, Refused
from benchmarks.drills.watch import Times
from infratest.cli.main import infratest_command

KILLED = FAULTS["killed"]
OVER_SSH = f"{ours.CHECKED}, over SSH"


@pytest.fixture(autouse=True)
def _own_table(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    monkeypatch.setattr(table, "RESULTS", tmp_path / "results.json")


def healed(green: float, red: float = 4.0) -> Times:
    return Times(red=red, green=green, rung=KILLED.remedy, own=0.3)


def test_limits_are_held_by_the_slow_end_and_compared_with_the_best_peer_that_always_heals():
    ours_, theirs = [healed(9.0)] * 18 + [healed(16.0)] * 2, [Times(red=5.0, green=8.0, rung="x")] * 5
    rows = [
        drills._figure(KILLED, OVER_SSH, ours_), drills._figure(KILLED, monit.TITLE, theirs),
        drills._figure(KILLED, nagios.TITLE, [*theirs, Times(green=None)]),
    ]  # fmt: skip
    outcome = drills.composed(rows, [], None)
    assert [(must.limit, must.got, must.met) for must in outcome.musts] == [
        (20, 20, True),
        (10, 4, True),
        (15, 16, False),
    ]
    mine = outcome.find(KILLED.title, OVER_SSH).more
    assert (mine[drills.GREEN[0]], mine[drills.GREEN[1]], mine[drills.RATIO]) == (9, 16, 2)
    assert outcome.find(KILLED.title, nagios.TITLE).more[drills.HEALED] == "5 of 6"


def test_what_another_rung_healed_is_not_healed():
    wrong = Times(red=1.0, green=2.0, rung="provision", wrong="healed by provision")
    row = drills._figure(KILLED, OVER_SSH, [healed(9.0), wrong])
    assert row.more[drills.HEALED] == "1 of 2"
    assert not drills.composed([row], [], None).musts[0].met


def test_what_was_left_out_keeps_its_rows():
    row = drills._figure(KILLED, OVER_SSH, [healed(9.0)])
    table.keep("drill", drills.TITLE, drills.composed([row], [], None), 1.0, again="./run drill")
    assert "`./run drill` ·" in table.keep("drill", drills.TITLE, drills.composed([], [], None), 1.0, "./run drill")
    refused = drills._refused([Refused(name="paused", runs=3, acts=1, named=3, controls=2, reason="a|b")], SIMULATED)
    outcome = drills.composed(refused, [], 61.0)
    assert [one.name for one in outcome.figures] == [OVER_SSH, "paused"]
    assert [must.met for must in outcome.musts[-4:]] == [False, True, False, False]


def test_the_project_of_a_host_is_one_that_lint_accepts(tmp_path, monkeypatch):
    host = Host(tmp_path / "ssh-1", "ssh")
    host._write()
    monkeypatch.chdir(host.folder)
    for words in (["lint"], ["heal", "lint"]):
        done = CliRunner().invoke(infratest_command, words)
        assert done.exit_code == 0, done.output
    drilled = (host.folder / "features" / "drill.feature").read_text()
    assert drilled.count("@drill:") == len([one for one in FAULTS.values() if not one.host])


def test_the_moments_that_peers_write_are_read():
    line = "[2026-11-30T08:00:05+0000] error    : 'page' failed protocol test [HTTP] at [127.0.0.1]:80"
    assert [monit._moment(found[1]) for found in monit._LINE.finditer(line)] == [1796025605.0]
    assert nagios._ALERT.findall("[1796025605] SERVICE ALERT: shop;page;CRITICAL;SOFT;1;x\n") == [
        ("1796025605", "page", "CRITICAL")
    ]


def test_each_case_that_must_not_be_healed_is_refused_for_its_reason(tmp_path):
    probe = Path(hosts.__file__).parents[1] / "probes" / "refusals.py"
    done = subprocess.run(
        [sys.executable, str(probe), "1", str(tmp_path / "refusals")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) >= 18
    for name, case in seen.items():
        assert (case["acts"], case["named"], case["controls"]) == (0, 1, 1), (name, case)
