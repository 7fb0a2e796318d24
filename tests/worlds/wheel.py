"""The wheel built from a copy of the tree, and a virtual environment that holds it and its dependencies alone.

Both are made once a session, when first asked for, in a folder that any user may read: tests run the installed programs
as an unprivileged user too.
"""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: What a wheel is built from.
SOURCES = (
    "pyproject.toml", "setup.py", "README.md", "LICENSE", "bin", "docs/man", "infratest", "steps", "fixtures",
    "features"
)  # fmt: skip
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
NOBODY = 65534


@functools.cache
def folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="infratest-wheel-"))
    made.chmod(0o755)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@functools.cache
def wheel() -> Path:
    """Return the wheel."""
    tree = folder() / "tree"
    tree.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(source, tree / name)
    ran(*PIP, "wheel", "--no-deps", "--wheel-dir", folder() / "dist", tree)
    (made,) = (folder() / "dist").glob("*.whl")
    return made


@functools.cache
def installed(extras: str = "") -> Path:
    """Return the `bin` folder of a virtual environment with the wheel in it, and these extras, as `[ssh]`, alone."""
    place = folder() / f"venv{extras.strip('[]')}"
    ran(readable_python(), "-m", "venv", "--without-pip", place)
    ran(*PIP, "--python", place / "bin/python", "install", f"{wheel()}{extras}")
    return place / "bin"


@functools.cache
def readable_python() -> Path:
    """Return a Python that an unprivileged user can run: this one's own, else the distribution's."""
    candidates = [Path(sys._base_executable), Path("/usr/bin/python3")]  # type: ignore[attr-defined]
    for candidate in candidates:
        words = [candidate, "-c", "import venv, sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            done = subprocess.run(words, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True)
        except PermissionError:
            continue
        if done.returncode == 0:
            return candidate
    raise AssertionError(f"none of {candidates} can be run by an unprivileged user: install python3 and python3-venv")


def ran(*words: object, **options: object) -> str:
    """Run a program and return what it printed; fail with its words where it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
