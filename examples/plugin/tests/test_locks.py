"""What each thing does beyond its contract."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from infratest_locks.act import RemoveStaleLock
from infratest_locks.csv_table import CsvTable, Options
from infratest_locks.fact import Lock, LockFileFact
from infratest_locks.sentences import LockIsStale

from infratest.acts.base import perform
from infratest.deadline import Deadline
from infratest.errors import ActError, FactError
from infratest.facts.base import Answer
from infratest.model import Report, Result
from infratest.outsiders import get
from infratest.testing.acts import Recorder

#: No process has this id: the largest that Linux gives is 2 ** 22.
NOBODY = 2**22 + 1


def looked_at(*paths: Path) -> list[Lock | None]:
    """Return what a real shell on this machine says of lock files."""
    fact, arguments = LockFileFact(), [(str(path),) for path in paths]
    done = subprocess.run(["sh", "-c", fact.ask(arguments)], capture_output=True, text=True, check=False)
    return list(fact.read(Answer(exit=done.returncode, out=done.stdout, err=done.stderr), arguments).values())


def test_a_lock_is_seen_with_its_holder_and_whether_that_runs(tmp_path: Path) -> None:
    (tmp_path / "mine lock").write_text(f"{os.getpid()}\n")
    (tmp_path / "stale.lock").write_text(f"{NOBODY}")  # without a line break, as `echo -n` writes it
    mine, stale, absent = looked_at(tmp_path / "mine lock", tmp_path / "stale.lock", tmp_path / "absent.lock")
    assert mine is not None
    assert (mine.pid, mine.runs) == (os.getpid(), True)
    assert stale is not None
    assert (stale.pid, stale.runs) == (NOBODY, False)
    assert absent is None


@pytest.mark.parametrize(
    "lock, stale, saw",
    [
        (None, False, 'there is no lock file "/run/x.lock"'),
        (Lock(age=5, pid=7, runs=True), False, "held by process 7, which runs, for 5 s"),
        (Lock(age=90, pid=7, runs=False), True, "held by process 7, which does not run, for 90 s"),
    ],
)
def test_a_lock_is_stale_when_its_holder_does_not_run(lock: Lock | None, stale: bool, saw: str) -> None:
    check = LockIsStale(path="/run/x.lock")
    seen = check.observe({check.needed[0]: lock})
    assert seen.holds == stale
    assert saw in seen.saw


def test_a_lock_without_a_process_id_is_unknown() -> None:
    check = LockIsStale(path="/run/x.lock")
    with pytest.raises(FactError, match="holds no process id"):
        check.observe({check.needed[0]: Lock(age=1, pid=None, runs=False)})


def test_a_stale_lock_is_removed_and_one_that_is_held_stays(tmp_path: Path) -> None:
    stale, held = tmp_path / "stale.lock", tmp_path / "held.lock"
    stale.write_text(f"{NOBODY}\n")
    held.write_text(f"{os.getpid()}\n")
    access = Recorder()
    try:
        words = perform(RemoveStaleLock(path=str(stale)), access, Deadline(10), Deadline(10))
        assert words == f"removed {stale}, which process {NOBODY} had left"
        with pytest.raises(ActError, match=f"is held by process {os.getpid()}, which runs"):
            perform(RemoveStaleLock(path=str(held)), access, Deadline(10), Deadline(10))
    finally:
        access.close()
    assert not stale.exists()
    assert held.exists()


def test_a_cell_is_never_a_formula() -> None:
    result = Result("a#b@c", "a.feature", "=1+1", 3, "web-1", "critical", "@SUM(A1)")
    report = Report("shop", "", "2026-01-31T12:00:00Z", 0.1, (result,))
    assert CsvTable(Options(separator=";")).render(report).splitlines() == [
        "feature;scenario;host;state;reason;seconds",
        "a.feature;'=1+1;web-1;critical;'@SUM(A1);0.000",
    ]


def test_each_name_of_this_package_is_known_to_infratest() -> None:
    for kind, name in (("fact", "lock-file"), ("act", "lock-file"), ("remedy", "remove-stale-lock"), ("output", "csv")):
        assert get(kind, name).__module__.startswith("infratest_locks")
