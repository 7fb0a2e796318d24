"""Programs that were killed are waited for, and never for ever."""

from __future__ import annotations

import subprocess

from infratest.sessions import reap


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
