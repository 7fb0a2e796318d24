"""What a command costs is measured with its children, in the background too; what goes wrong is no figure."""

from __future__ import annotations

import sys

import pytest

from benchmarks.measure import Contestant, in_turns, measured
from benchmarks.problem import BenchError

#: CPU seconds that the burning programs use; what is measured may be more, never much less.
BURNT = 0.3
BURN = f"import time\nwhile time.process_time() < {BURNT}: pass\n"
CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-I', '-S', '-c', {BURN!r}])\n"
#: A child that lives on after the command, as an SSH master does.
ORPHAN = f"""
import os, time
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    while time.process_time() < {BURNT}: pass
    os.write(write, b"x")
    time.sleep(600)
os.read(read, 1)
"""


def contestant(code, **options):
    return Contestant(name="one", command=[sys.executable, "-I", "-S", "-c", code], **options)


@pytest.mark.parametrize("code", [BURN, CHILD, ORPHAN])
def test_cpu_of_the_command_and_all_that_came_out_of_it_is_counted(code, tmp_path):
    assert measured(contestant(code, cwd=tmp_path)).cpu >= BURNT * 0.95


def test_what_sleeps_costs_wall_and_hardly_cpu(tmp_path):
    used = measured(contestant("import time; time.sleep(0.5)", cwd=tmp_path))
    assert used.wall >= 0.5
    assert used.cpu < used.wall / 2


def test_memory_of_all_processes_together(tmp_path):
    code = "import os, time\nkept = bytearray(50 << 20)\nif os.fork() == 0: kept = bytearray(50 << 20)\ntime.sleep(2)\n"
    used = measured(contestant(code, cwd=tmp_path, sample=True))
    assert used.largest >= 50
    assert used.together >= 100


def test_a_command_that_fails_is_no_figure(tmp_path):
    with pytest.raises(BenchError, match=r"ended with 3:\nso it is"):
        measured(contestant("print('so it is'); raise SystemExit(3)", cwd=tmp_path))


def test_a_command_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(BenchError, match=r"took more than 0\.3 s"):
        measured(contestant("import time; time.sleep(60)", cwd=tmp_path, limit=0.3))


def test_turns(tmp_path):
    log = tmp_path / "log"

    def one(name, **options):
        command = ["sh", "-c", f"echo {name} >>{log}"]
        return Contestant(name=name, command=command, cwd=tmp_path, **options)

    usages = in_turns([one("a"), one("b", rounds=1), one("c")], 3)
    assert log.read_text().split() == ["a", "c", "a", "b", "c", "a", "c", "a", "c"]
    assert {name: len(runs) for name, runs in usages.items()} == {"a": 3, "b": 1, "c": 3}


def test_meters_are_read_around_each_run(tmp_path):
    (tmp_path / "meter").write_text("1")
    meters = {"m": lambda: float((tmp_path / "meter").read_text())}
    assert measured(contestant("open('meter', 'w').write('5')", cwd=tmp_path, meters=meters)).meters == {"m": 4}
