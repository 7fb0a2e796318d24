"""Programs of this machine are ended whatever signal comes when, and waited for, but never for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from infratest.engine.interrupts import Terminated, ending_in_order
from infratest.process_tree import reap, signals_held


def test_a_killed_program_is_waited_for():
    with subprocess.Popen(["sleep", "60"]) as process:
        process.kill()
        reap(process)
        assert process.returncode == -9


def test_a_wait_that_a_signal_broke_holds_nobody_up():
    """Popen takes its lock right before the `try` that lets go of it: a signal that raises there leaves it taken."""
    process = subprocess.Popen(["sleep", "60"])
    assert process._waitpid_lock.acquire(False)
    process.kill()
    reap(process)
    assert process.returncode is None
    process._waitpid_lock.release()
    assert process.wait(10) == -9


def test_a_signal_waits_until_the_end_of_the_block():
    steps = []

    def start():
        with signals_held():
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("started")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert steps == ["started"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_of_several_signals_none_is_lost():
    """What tells a run to end comes behind a Ctrl-C that its process leaves to whoever waits for it."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)

    def start():
        with ending_in_order(), signals_held():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        with pytest.raises(Terminated):
            start()
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_held():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


#: Ctrl-C as early as can be: the program itself sends it, while its starter may still be waiting for its exec.
STARTED_AND_INTERRUPTED = """
import sys
from infratest.deadline import Deadline
from infratest.transports._program import Program
for _ in range(40):
    try:
        Program(["sh", "-c", "kill -INT $PPID; exec sleep 300", "sh", sys.argv[1]], b"").run(Deadline(30))
    except KeyboardInterrupt:
        continue
    sys.exit("no Ctrl-C came")
"""


def test_a_program_that_is_just_being_started_is_ended_too():
    mark = f"INFRATEST_TEST_MARK={os.urandom(8).hex()}"
    name, _, value = mark.partition("=")
    done = subprocess.run(
        [sys.executable, "-c", STARTED_AND_INTERRUPTED, "x"], env=os.environ | {name: value}, timeout=60, check=False
    )
    assert done.returncode == 0
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and mark.encode() in environment(pid)] == []


def environment(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""
