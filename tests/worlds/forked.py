"""`infratest` in a process of its own that begins with its modules imported, for tests that run it many times.

What a command does, says and returns is the same, and a start costs a tenth: a process that has imported every verb and
every sentence is forked for each. Tests of what a start itself is (imports, prices, signals, a closed stream, what is
left in the list of processes) run the installed program.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

#: What the interpreter reads as it starts: a command that is to have its own is started as any program is.
AT_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ", "COVERAGE")

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.worlds.forked_ready"])


def run(
    words: Sequence[object],
    *,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    input: str = "",
    timeout: float = 240,
) -> subprocess.CompletedProcess[str]:
    """Run `infratest` with some words to its end, as `subprocess.run` with capture_output and text would.

    Args:
        words: what follows the program's name. env: the whole environment; None for that of the tests.
        timeout: seconds.
    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    asked, environment = [str(word) for word in words], dict(os.environ if env is None else env)
    if _at_start(environment) != _at_start(os.environ):
        program = [sys.executable, "-m", "infratest", *asked]
        return subprocess.run(
            program, cwd=cwd, env=environment, input=input, capture_output=True, text=True, timeout=timeout
        )
    with tempfile.TemporaryDirectory(prefix="forked-") as folder:
        files = [Path(folder) / name for name in ("in", "out", "err")]
        files[0].write_text(input, encoding="utf-8")
        process = FORKS.Process(target=_begun, args=(asked, str(cwd or Path.cwd()), environment, [*map(str, files)]))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(asked, timeout)
        out, err = (path.read_text(encoding="utf-8") if path.exists() else "" for path in files[1:])
        status = process.exitcode
        assert status is not None
        return subprocess.CompletedProcess(asked, status, out, err)


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


def _begun(words: list[str], folder: str, environment: dict[str, str], files: list[str]) -> None:
    """Be the command: in the forked process, with its own streams, environment and folder."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    modes = (os.O_RDONLY, *(os.O_WRONLY | os.O_CREAT | os.O_APPEND,) * 2)
    for number, (path, mode) in enumerate(zip(files, modes, strict=True)):
        opened = os.open(path, mode, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", errors=errors, closefd=False, buffering=1)  # noqa: SIM115 - for good
        for number, mode, errors in ((0, "r", "strict"), (1, "w", "strict"), (2, "w", "backslashreplace"))
    )
    sys.argv = [str(Path(sys.executable).with_name("infratest")), *words]
    from infratest.__main__ import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
