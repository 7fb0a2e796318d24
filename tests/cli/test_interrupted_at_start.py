"""Ctrl-C while Python still reads the command line: an end as quiet as later, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
#: What stands in the place of a library: Ctrl-C comes while it is read.
STRUCK = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n"


@pytest.mark.parametrize("library", ["click", "jsonschema"])
@pytest.mark.parametrize(
    ("words", "status", "out", "err"),
    [
        ([str(BIN / "infratest"), "status"], 130, "", "infratest: interrupted\n"),
        ([sys.executable, "-m", "infratest", "status"], 130, "", "infratest: interrupted\n"),
        ([str(BIN / "check_infratest")], 3, "INFRATEST UNKNOWN - interrupted", ""),
    ],
)
def test_it_ends_quietly(tmp_path: Path, library: str, words: list[str], status: int, out: str, err: str) -> None:
    (tmp_path / f"{library}.py").write_text(STRUCK, encoding="utf-8")
    (tmp_path / "stack.yaml").write_text("stack: s\nprovider: local\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout[: len(out) or None], done.stderr) == (status, out, err), done
