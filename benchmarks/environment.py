"""Where things are: the cache, the wheel that is measured, and the virtual environments of it and of the peers.

The wheel is built from the last commit, so that a figure names what it is of; INFRATEST_BENCH_TREE=working takes the
files as they are (as happens where there is no git). Peers live in environments of their own: what is installed beside
a tool changes how it starts.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from benchmarks.problem import BenchError

ROOT = Path(__file__).parents[1]
#: What a wheel is built from.
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
FOLDERS = ("infratest", "steps", "fixtures", "features", "scripts", "bin")
#: The parts of the extra `bench` that are testinfra's environments, alone and beside features; the rest has another.
TESTINFRA = ("pytest", "pytest-testinfra", "paramiko")
TESTINFRA_BDD = ("pytest", "pytest-testinfra", "pytest-bdd")
SCHEDULER = ("APScheduler",)


def cache() -> Path:
    """Return the folder that keeps what is made once."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infratest"
    folder = Path(os.environ.get("INFRATEST_CACHE") or base) / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def venvs() -> Path:
    """Return the folder of the virtual environments made with this Python."""
    return cache().with_name("bench-venv") / platform.python_version()


@functools.cache
def revision() -> str:
    """Return what is measured: a commit, or `working tree` with a hash of its files."""
    if os.environ.get("INFRATEST_BENCH_TREE") != "working" and (ROOT / ".git").exists():
        return ran("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD").strip()
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    for name in SOURCES:
        digest.update((ROOT / name).read_bytes() if (ROOT / name).exists() else b"")
    return f"working tree {digest.hexdigest()[:12]}"


@functools.cache
def wheel() -> Path:
    """Return the wheel of this revision, built now where it is not there yet."""
    folder = cache() / f"wheel-{revision().replace(' ', '-')}"
    found = list(folder.glob("*.whl"))
    if not found:
        for old in cache().glob("wheel-*"):
            shutil.rmtree(old)
        _copy(folder / "tree")
        ran(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(folder / "tree"))
        found = list(folder.glob("*.whl"))
    return found[0]


def _copy(tree: Path) -> None:
    tree.mkdir(parents=True)
    if not revision().startswith("working"):
        archive = subprocess.run(["git", "-C", ROOT, "archive", revision()], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
        return
    for name in (*SOURCES, *FOLDERS):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif (ROOT / name).exists():
            shutil.copy2(ROOT / name, tree / name)


@functools.cache
def ours(extras: str = "") -> Path:
    """Return the `bin` folder of an environment that holds our wheel, these extras (`ssh,pytest`), and nothing else."""
    place = venvs() / ("ours" + "".join(f"-{each}" for each in extras.split(",") if each))
    stamp = place / "revision"
    if stamp.exists() and stamp.read_text() == revision():
        return place / "bin"
    print(f"bench: installing the wheel of {revision()} into {place}", file=sys.stderr)
    _venv(place)
    ran(str(place / "bin/pip"), "install", f"{wheel()}[{extras}]" if extras else str(wheel()))
    stamp.write_text(revision())
    return place / "bin"


@functools.cache
def testinfra() -> Path:
    """Return the `bin` folder of an environment with pytest-testinfra and what it needs for SSH."""
    return _peers("testinfra", [word for word in requirements() if _name(word) in TESTINFRA])


@functools.cache
def testinfra_bdd() -> Path:
    """Return the `bin` folder of an environment with pytest-bdd beside pytest-testinfra: Gherkin, as we have it."""
    return _peers("testinfra-bdd", [word for word in requirements() if _name(word) in TESTINFRA_BDD])


@functools.cache
def apscheduler() -> Path:
    """Return the `bin` folder of an environment with APScheduler alone: its memory is measured."""
    return _peers("apscheduler", [word for word in requirements() if _name(word) in SCHEDULER])


@functools.cache
def others() -> Path:
    """Return the `bin` folder of an environment with the other peers in Python, and what draws the picture."""
    return _peers(
        "others", [word for word in requirements() if _name(word) not in TESTINFRA + TESTINFRA_BDD + SCHEDULER]
    )


@functools.cache
def npm(package: str) -> Path:
    """Return the folder of modules that holds a package of npm's, as `name@1.2.3`, and what it needs."""
    place = cache() / "npm" / package
    if not (place / "node_modules").exists():
        print(f"bench: installing {package} into {place}", file=sys.stderr)
        made = place.with_name(f".{package}")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        ran("npm", "install", "--prefix", str(made), "--no-audit", "--no-fund", "--omit=optional", package)
        made.rename(place)
    return place / "node_modules"


def requirements() -> list[str]:
    """Return what pyproject's extra `bench` names."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["project"]["optional-dependencies"]["bench"])


def version(python: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    words = f"import importlib.metadata as m; print(m.version({package!r}))"
    return ran(str(python / "python"), "-c", words).strip()


def _name(requirement: str) -> str:
    return requirement.split(">")[0].split("=")[0].split("<")[0].strip()


def _peers(name: str, words: list[str]) -> Path:
    place = venvs() / name
    stamp = place / "requirements"
    if not stamp.exists() or stamp.read_text() != " ".join(words):
        print(f"bench: installing {' '.join(words)} into {place}", file=sys.stderr)
        _venv(place)
        ran(str(place / "bin/pip"), "install", *words)
        stamp.write_text(" ".join(words))
    return place / "bin"


def _venv(place: Path) -> None:
    if place.exists():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    # The interpreter itself, so that no environment hangs on another.
    ran(str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"), "-m", "venv", str(place))


def ran(*words: str) -> str:
    """Run a program and return what it printed.

    Raises:
        BenchError: it failed, with its words.
    """
    # With our own path, pip would take the tree that this runs in for the package installed.
    options = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    options["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    done = subprocess.run(words, capture_output=True, text=True, env=options, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(words)} ended with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}")
    return done.stdout
