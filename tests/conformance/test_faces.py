"""The four faces as processes over the same folders, held to one table; and bugs planted in a copy that must show."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conformance.table import FACES, TABLE, Case
from tests.worlds.small_project import run, write

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("driver.py")
INI = "[behave]\nrunner = infratest.behave_runner:Runner\npaths = features\n"
WORDS = {
    "test": ["test", "--format", "json:report.json"],
    "check": [],
    # The driver has imported plugins that pytest would have rewritten.
    "pytest": ["-p", "no:cacheprovider", "-p", "no:randomly", "-q", "-W", "ignore::pytest.PytestAssertRewriteWarning"],
    "behave": ["-f", "plain"],
}
#: What a summary line of pytest's counts.
COUNTED = r"(\d+) (passed|failed|error|skipped|warning|deselected)"


def made(folder: Path, case: Case) -> Path:
    """Write a case down; the feature has its title, unless it is to be an empty file."""
    feature = f"Feature: a folder\n{case.feature}" if case.feature else ""
    files = {"stack.yaml": case.stack, "behave.ini": INI, "features/a.feature": feature, "pytest.ini": "[pytest]\n"}
    return write(folder, files | ({"steps/own.py": case.steps} if case.steps else {}))


def played(face: str, folder: Path, names: tuple[str, ...], package: Path | None = None) -> dict[str, list[str]]:
    """Run a face over cases; return what is wrong with each, by the table.

    Args:
        package: the folder that holds the copy of the package to run, or None for the installed one.
    """
    cases = {
        name: (str(made(folder / name, TABLE[name])), WORDS[face] + TABLE[name].words.get(face, [])) for name in names
    }
    (folder / "cases.json").write_text(json.dumps(cases))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INFRATEST", "PYTEST"))}
    kept |= {"PYTHONPATH": str(package)} if package else {}
    kept |= {"XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, str(DRIVER), face, str(folder / "cases.json"), str(folder / "out.json")],
        env=kept, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = json.loads((folder / "out.json").read_text())
    assert Path(out["package"]).parent == (package or ROOT)
    return {name: wrong(face, TABLE[name], folder / name, *answer) for name, answer in out["cases"].items()}


def wrong(face: str, case: Case, folder: Path, status: int, said: str) -> list[str]:
    """Return what differs from the table."""
    expected = case.exits[FACES.index(face)]
    found = [] if status == expected else [f"exit {status}, not {expected}"]
    found += ["Traceback"] * ("Traceback" in said)
    if face == "test":
        report = json.loads((folder / "report.json").read_text())
        found += [] if report["state"] == case.state else [f"state {report['state']}, not {case.state}"]
    elif face == "check":
        found += [] if f"INFRATEST {case.state.upper()} - " in said.splitlines()[0] else [said.splitlines()[0]]
    elif face == "pytest":
        last = said.strip().splitlines()[-1]
        counts = {word: int(number) for number, word in re.findall(COUNTED, last)}
        found += [] if counts == case.pytest else [f"{counts}, not {case.pytest}"]
    elif f"infratest: {case.state.upper()} (" not in said:
        # What stands in the way of all is said instead.
        found += [] if case.state == "unknown" and "infratest: " in said else ["does not say its state"]
    return [f"{words}\n{said}" for words in found]


@pytest.mark.parametrize("face", FACES)
def test_the_table(face, tmp_path):
    found = played(face, tmp_path, tuple(TABLE))
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize("name", ["red", "empty"])
def test_as_installed(name, tmp_path):
    """The programs themselves, without the driver."""
    folder = made(tmp_path, TABLE[name])
    words = [("infratest", "test"), ("check_infratest",), ("pytest", "-q"), ("behave",)]
    assert tuple(run(folder, *each).returncode for each in words) == TABLE[name].exits


# The table sees bugs


@functools.cache
def original() -> Path:
    """Return a copy of the package as a wheel lays it out, to make mutants from."""
    folder = Path(tempfile.mkdtemp(prefix="infratest-conformance-"))
    # With its bytecode, which goes by the times of the sources: to compile all for each mutant costs more than its run.
    shutil.copytree(ROOT / "infratest", folder / "infratest")
    for name in ("steps", "fixtures", "features"):
        shutil.copytree(ROOT / name, folder / "infratest" / name, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _copy_removed():
    yield
    if original.cache_info().currsize:
        shutil.rmtree(original())
        original.cache_clear()


STATES, MODEL, RUN, FORMATS = "states.py", "model.py", "engine/run.py", "cli/_formats.py"
CHECKING, PLUGIN = "engine/checking.py", "check_infratest.py"
PARSE, CHECK = "gherkin/parse.py", "cli/check_infratest.py"
ITEMS, BEHAVE = "pytest_plugin/items.py", "behave_runner.py"

FAILED = "return WARNING if severity == WARNING else CRITICAL"
ONLY_SKIPPED = "return UNKNOWN if state in (WAIVED, SKIPPED)"
UNDEFINED = "step.line.number, UNKNOWN, step.problem"
REFUSED = "    if not (problems or refused):\n"
STATUS = "sys.exit(_streams.end(plugin(sys.argv[1:], made)))"
DOWN = "return [*(host for host in hosts if host.id in blockers), *results]"
FAILS = "if found.state == CRITICAL:"
RUNTEST = "    def runtest(self) -> None:\n"
SETUP = "        if found.state == UNKNOWN or found.blocked_by is not None:\n"
BLOCKED_PASSES = "        if found.blocked_by:\n            found.state = OK\n        elif found.state == UNKNOWN:\n"
STOPPED = '_say(f"infratest: {error}")\n            return True'
#: What the bug is, the face and the case that must show it, the file, what is replaced by what.
BUGS = [
    ("critical counted as ok", "test", "red", STATES, FAILED, FAILED.replace("CRITICAL", "OK")),
    ("exit always 0", "test", "red", FORMATS, "else EXIT[state]", "else 0"),
    ("skipped alone is ok", "test", "skipped alone", STATES, ONLY_SKIPPED, ONLY_SKIPPED.replace("UNKNOWN", "OK")),
    ("nothing run is ok", "test", "nothing selected", MODEL, "UNKNOWN] if self.problem", "OK] if self.problem"),
    ("an undefined sentence holds", "test", "undefined", CHECKING, UNDEFINED, UNDEFINED.replace("UNKNOWN", "OK")),
    ("lint is not asked", "test", "misspelt keyword", PARSE, REFUSED, "    if True:\n"),
    ("exit always 0", "check", "red", CHECK, STATUS, "plugin(sys.argv[1:], made)"),
    ("exit always 0 by a kept plan", "check", "red", PLUGIN, "os._exit(answer.status)", "os._exit(0)"),
    ("warning counted as ok", "check", "warning", STATES, FAILED, FAILED.replace("return WARNING", "return OK")),
    ("a host that is down is left out", "check", "blocked", RUN, DOWN, "return [*results]"),
    ("an undefined sentence holds", "check", "undefined", CHECKING, UNDEFINED, UNDEFINED.replace("UNKNOWN", "OK")),
    (
        "critical passes",
        "pytest",
        "red",
        ITEMS,
        f"{FAILS}\n            pytest.fail",
        f"{FAILS}\n            return\n            pytest.fail",
    ),
    ("all pass", "pytest", "red", ITEMS, RUNTEST, f"{RUNTEST}        return\n"),
    ("unknown fails", "pytest", "unknown", ITEMS, SETUP, "        if False:\n"),
    ("blocked is shown as passed", "pytest", "blocked", ITEMS, SETUP, BLOCKED_PASSES),
    ("unknown is skipped", "pytest", "undefined", ITEMS, "if found.state == SKIPPED:", "if found.state != CRITICAL:"),
    ("a warning is not told", "pytest", "warning", ITEMS, "warnings.warn_explicit(", "print("),
    ("lint is swallowed", "pytest", "misspelt keyword", ITEMS, "raise self.CollectError(", "return  # ("),
    ("exit always 0", "behave", "red", BEHAVE, "return report.state not in GREEN", "return False"),
    ("unknown is green", "behave", "skipped alone", BEHAVE, "GREEN = (OK, WARNING)", "GREEN = (OK, WARNING, UNKNOWN)"),
    ("warning is red", "behave", "warning", BEHAVE, "GREEN = (OK, WARNING)", "GREEN = (OK,)"),
    ("an error is green", "behave", "outline without rows", BEHAVE, STOPPED, STOPPED.replace("True", "False")),
    ("nothing selected is green", "behave", "nothing selected", BEHAVE, STOPPED, STOPPED.replace("True", "False")),
]


@pytest.mark.parametrize("bug, face, case, path, old, new", BUGS, ids=[f"{bug[1]}: {bug[0]}" for bug in BUGS])
def test_a_bug_turns_the_table_red(bug, face, case, path, old, new, tmp_path):
    shutil.copytree(original() / "infratest", tmp_path / "copy/infratest", copy_function=os.link)
    target = tmp_path / "copy/infratest" / path
    text = target.read_text("utf-8")
    assert text.count(old) == 1, f"{path} no longer holds {old!r}"
    target.unlink()
    target.write_text(text.replace(old, new), "utf-8")
    found = played(face, tmp_path / "cases", (case,), tmp_path / "copy")
    assert found[case] != [], f"{bug}: the table did not see it"


@pytest.mark.parametrize("face", FACES)
def test_an_untouched_copy_is_as_the_table_says(face, tmp_path):
    """What turns red above does so for its bug alone."""
    names = tuple(dict.fromkeys(bug[2] for bug in BUGS if bug[1] == face))
    found = played(face, tmp_path, names, original())
    assert {name: problems for name, problems in found.items() if problems} == {}
