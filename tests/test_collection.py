"""The names of tests are the same in each process that collects them: several run them together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

TESTS = """\
import gzip, os, time
import pytest

@pytest.mark.parametrize("content, words", [
    (gzip.compress(b"x", mtime=time.time()), "a"), (os.urandom(8), "b"), (os.urandom(8), "b"), (b"plain", "c"),
])
def test_it(content, words): pass
"""


def test_bytes_make_no_names(tmp_path):
    """Neither packed ones, which hold a time, nor random ones."""
    (tmp_path / "test_x.py").write_text(TESTS)
    words = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "/dev/null", "--rootdir", tmp_path]
    done = subprocess.run(
        [*words, "--collect-only", "-q", "-p", "no:cacheprovider", tmp_path / "test_x.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    names = [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert names == [
        "test_it[content-a]", "test_it[content-b0]", "test_it[content-b1]", "test_it[content-c]",
    ], done.stdout + done.stderr  # fmt: skip
