"""A program that is forked is as it would be if it were started: what it finds, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds import forked

#: Tells what a program finds at its start that may be another's; file descriptors without the one that lists them.
TELLS = """\
import json, os, signal, sys, tempfile, threading, time
std = (sys.stdin, sys.stdout, sys.stderr)
streams = [[s.encoding, s.errors, s.line_buffering, s.newlines, s.isatty()] for s in std]
mask = os.umask(0)
os.umask(mask)
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "folder": os.getcwd(), "environment": dict(os.environ), "mask": mask,
    "streams": streams, "name": __name__, "file": __file__, "flags": list(sys.flags), "warn": sys.warnoptions,
    "signals": {s.name: str(signal.getsignal(s)) for s in signal.Signals}, "main": sys.modules["__main__"].__file__,
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "session": [os.getsid(0), os.getpgid(0)],
    "open": sorted(os.listdir("/proc/self/fd"))[:-1], "threads": threading.active_count(), "zone": time.tzname,
    "temporary": tempfile.gettempdir(), "read": sys.stdin.read(), "bytecode": sys.dont_write_bytecode,
    "hypothesis": "hypothesis" in sys.modules,
}))
"""
#: How a program may end.
ENDS = {
    "at its end": "print('x', end='')",
    "a status": "import sys; sys.exit(300)",
    "words": "import sys; sys.exit('these')",
    "an error": "def f():\n    1 / 0\nf()",
    "at once": "import os; print('lost'); os._exit(5)",
    "by a signal": "import os; os.kill(os.getpid(), 9)",
    "by its own Ctrl-C": "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(60)",
    "with what is to be done last": "import atexit; atexit.register(print, 'last'); print('first')",
    "with a thread": "import threading, time; threading.Timer(0.1, print, ['late']).start(); print('early')",
    "in a process that was forked": "import os; os.fork() or os._exit(3); os.wait(); print('done')",
}


def both(script: Path, *words: str, **options: object) -> tuple[subprocess.CompletedProcess[str], ...]:
    """Run a script as Python starts it, and forked."""
    given: dict = {
        "cwd": script.parent,
        "env": {**os.environ, "TZ": "Asia/Tokyo", "TMPDIR": str(script.parent)},
    } | options
    started = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, timeout=60, **given)
    return started, forked.run(words, program=script, timeout=60, **given)


def test_it_finds_what_it_would(tmp_path):
    (tmp_path / "tells.py").write_text(TELLS)
    before = os.umask(0o027)
    try:
        started, begun = both(tmp_path / "tells.py", "a b", "é", "z\udce9", input="asked\n")
    finally:
        os.umask(before)
    assert (started.returncode, started.stderr, begun.stderr) == (0, "", "")
    assert json.loads(begun.stdout) == json.loads(started.stdout)
    assert json.loads(begun.stdout)["mask"] == 0o027


@pytest.mark.parametrize("source", ENDS.values(), ids=ENDS)
def test_it_ends_as_it_would(tmp_path, source):
    (tmp_path / "ends.py").write_text(source)
    started, begun = both(tmp_path / "ends.py")
    assert (begun.returncode, begun.stdout, begun.stderr) == (started.returncode, started.stdout, started.stderr)
    assert forked.left() == []


@pytest.mark.parametrize("module", [False, True], ids=["pytest", "python -m pytest"])
def test_pytest_finds_its_plugins_and_its_path(tmp_path, module):
    """None of them is said to be imported before it could be rewritten, and no test has hypothesis before it asks."""
    (tmp_path / "tells.py").write_text(TELLS)
    names = "{**globals(), 'print': Path('told').write_text}"
    test = f"def test_a():\n    exec(Path('tells.py').read_text(), {names})\n    assert [1] == [2]\n"
    (tmp_path / "test_a.py").write_text(f"from pathlib import Path\n{test}")
    words = ("-q", "-s", "-p", "no:cacheprovider", "-W", "error", "-rA")
    begins = [sys.executable, "-m", "pytest"] if module else [str(forked.BIN / "pytest")]
    around = dict(os.environ)  # and not what libraries here have set by C alone
    started = subprocess.run(
        [*begins, *words], cwd=tmp_path, env=around, input="", capture_output=True, text=True, timeout=100
    )
    expected = told(tmp_path)
    begun = forked.run(words, program="pytest", module=module, cwd=tmp_path)
    assert told(tmp_path) == expected
    said = [re.sub(r"in [0-9.]+s", "", done.stdout) for done in (started, begun)]
    assert (begun.returncode, said[1], begun.stderr) == (started.returncode, said[0], started.stderr)
    assert "assert [1] == [2]" in said[1]


def told(folder: Path) -> dict:
    """Return what a test has found, without what its own pytest has opened."""
    found = json.loads((folder / "told").read_text())
    del found["open"]
    return found


@pytest.mark.parametrize(
    "line",
    [
        "infratest --version; infratest tset; echo $?; infratest --help | head -1",
        "behave --version; pytest --version; check_infratest -V; echo $?",
        "check_infratest -V <&-; cd /; PYTHONOPTIMIZE=1 infratest tset; exec infratest lint nowhere",
    ],
)
def test_a_shell_finds_the_programs(tmp_path, line):
    started, begun = (shell(tmp_path, line, first) for first in (forked.BIN, forked.programs()))
    assert (begun.returncode, begun.stdout, begun.stderr) == (started.returncode, started.stdout, started.stderr)


def test_what_a_shell_starts_takes_its_signals_and_ends_as_it_does(tmp_path):
    (tmp_path / "features").mkdir()
    line = (
        "infratest watch 2>said & pid=$!; until grep -q 'Ctrl-C ends' said; do sleep 0.1; done; kill -TERM $pid; "
        "wait $pid; echo $?"
    )
    started, begun = (shell(tmp_path, line, first) for first in (forked.BIN, forked.programs()))
    assert (begun.stdout, begun.returncode) == (started.stdout, started.returncode)
    assert forked.left() == []


def test_it_is_killed_with_whoever_started_it(tmp_path):
    (tmp_path / "waits.py").write_text("import time; print('x', flush=True); time.sleep(3000)")
    with pytest.raises(subprocess.TimeoutExpired):
        forked.run([], program=tmp_path / "waits.py", timeout=1)
    assert wait_until(lambda: not forked.left())


def shell(folder: Path, line: str, first: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{first}:{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=100)
