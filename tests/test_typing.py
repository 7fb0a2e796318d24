"""What authors of plugins write, as mypy sees it: typing/valid has no fault, typing/invalid just those noted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted((Path(__file__).parent / "typing").glob("*/*.py"))


def test_a_type_checker_notices_just_what_is_wrong():
    noted = {
        (str(path.relative_to(ROOT)), number, code)
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        for code in line.partition("  # error: ")[2].split()
    }
    assert {Path(file).parent.name for file, _, _ in noted} == {"invalid"}
    seen = [fault for path in FILES for fault in faults(path)]
    assert set(seen) == noted


def faults(path: Path) -> list[tuple[str, int, str]]:
    """Return file, line and code of each fault that mypy sees in a file."""
    words = [sys.executable, "-m", "mypy", "--strict", "--config-file", "pyproject.toml", str(path.relative_to(ROOT))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = re.findall(r"^(\S+):(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.M)
    return [(file, int(number), code) for file, number, code in found]
