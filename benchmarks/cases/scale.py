"""(vi) How cost grows: scenarios by each front end on this machine, and hosts in planning.

The exponent is of the two largest sizes: 1 is as fast as the work grows, 2 as its square. The start of the program is
in both, so a small exponent is no merit; a large one is a defect.
"""

from __future__ import annotations

import shutil
from math import log
from pathlib import Path

from benchmarks import environment, mix
from benchmarks.cases.plugin import says
from benchmarks.figures import Must, Outcome, figure
from benchmarks.measure import Contestant, in_turns

TITLE = "(vi) How cost grows with scenarios and with hosts"
SCENARIOS, HOSTS = (100, 1000, 5000), (10, 200, 1000)
SENTENCES = 5  # of a scenario
PER_FILE = 100
KEPT, FIRST, LINT, TEST = "check_infratest, plan kept", "check_infratest, first", "infratest lint", "infratest test"
PYTEST, PLAIN, PLAN = "pytest", "pytest, as many empty tests without us", "infratest plan"
EXTRAS = "pytest"
#: Above this, what is done grows faster than what is asked for.
EXPONENT = 1.15
#: A feature's sentences: of files, whose facts are few, so that what is measured is our own work.
SENTENCE = 'the file "/etc/{}" exists'
NAMES = ("passwd", "group", "hosts", "fstab", "hostname")


def run(rounds: int = 0) -> Outcome:
    """Measure growth."""
    outcome = Outcome()
    for count in SCENARIOS:
        folder = _scenarios(count)
        for name, runs in in_turns(_front_ends(folder, count), rounds or 3).items():
            outcome.figures.append(figure(f"{count} scenarios", name, runs))
    for count in HOSTS:
        folder = _hosts(count)
        for name, runs in in_turns([_one(PLAN, folder, ["infratest", "plan"])], rounds or 3).items():
            outcome.figures.append(figure(f"{count} hosts", name, runs))
    outcome.musts = [
        *(_grows(outcome, name, "scenarios", SCENARIOS) for name in (KEPT, FIRST, LINT, TEST, PYTEST)),
        _grows(outcome, PLAN, "hosts", HOSTS),
        *(_against(outcome, other, limit) for other, limit in ((TEST, 3), (PLAIN, 2.5))),
    ]
    outcome.notes.append(f"A scenario holds {SENTENCES} sentences about files; a host is asked 10 sentences.")
    return outcome


def _grows(outcome: Outcome, name: str, of: str, sizes: tuple[int, ...]) -> Must:
    few, many = sizes[-2:]
    costs = [outcome.find(f"{size} {of}", name).cpu or 0.0 for size in (few, many)]
    exponent = log(costs[1] / costs[0]) / log(many / few)
    return Must(what=f"exponent of {name}, {few} to {many} {of}", limit=EXPONENT, got=round(exponent, 2), unit="")


def _against(outcome: Outcome, other: str, limit: float) -> Must:
    ours, theirs = (outcome.find("1000 scenarios", name).cpu or 0.0 for name in (PYTEST, other))
    return Must(what=f"1000 scenarios, pytest against {other}", limit=limit, got=round(ours / theirs, 2), unit="x")


def _new(name: str) -> Path:
    folder = environment.cache() / "scale" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "features").mkdir(parents=True)
    return folder


def _scenarios(count: int) -> Path:
    folder = _new(f"scenarios-{count}")
    (folder / "stack.yaml").write_text("stack: scale\nprovider: local\nhosts: {here: {}}\n")
    for number in range(0, count, PER_FILE):
        scenarios = "".join(_scenario(f"number {each}") for each in range(number, number + PER_FILE))
        (folder / "features" / f"f{number}.feature").write_text(f"Feature: from {number}\n{scenarios}")
    (folder / "empty").mkdir()
    tests = "".join(f"def test_{each}():\n    pass\n\n\n" for each in range(count))
    (folder / "empty" / "test_empty.py").write_text(tests)
    return folder


def _scenario(name: str) -> str:
    lines = "".join(f"    Then {SENTENCE.format(each)}\n" for each in NAMES)
    return f"  Scenario: {name}\n{lines}"


def _hosts(count: int) -> Path:
    folder = _new(f"hosts-{count}")
    # The names that a count makes are addresses too; nobody is connected to.
    (folder / "stack.yaml").write_text(
        f"stack: scale\nprovider: {{name: existing, config: none}}\nhosts:\n  web: {{count: {count}, groups: [web]}}\n"
    )
    scenarios = "".join(_scenario(f"number {each}") for each in range(2))
    (folder / "features" / "f.feature").write_text(f"Feature: f\n{scenarios}")
    return folder


def _front_ends(folder: Path, count: int) -> list[Contestant]:
    check = ["check_infratest", "features"]
    quiet = ["pytest", "-q", "-p", "no:cacheprovider"]
    return [
        _one(KEPT, folder, check, f"{count} scenarios ok"),
        _one(FIRST, folder, check, f"{count} scenarios ok", cache=folder / "forgotten"),
        _one(LINT, folder, ["infratest", "lint"], f"{count} scenarios"),
        _one(TEST, folder, ["infratest", "test"], ""),
        _one(PYTEST, folder, [*quiet, "features"], f"{count} passed"),
        _one(PLAIN, folder, [*quiet, "-p", "no:infratest", "empty"], f"{count} passed"),
    ]


def _one(name: str, folder: Path, words: list[str], said: str = "", cache: Path | None = None) -> Contestant:
    program = environment.ours(EXTRAS) / words[0]
    own = dict(mix.user_home())
    if cache:
        own["XDG_CACHE_HOME"] = str(cache)
    return Contestant(
        name=name, command=[str(program), *words[1:]], cwd=folder, environment=own, check=says(name, said),
        before=lambda: shutil.rmtree(cache, ignore_errors=True) if cache else None,
    )  # fmt: skip
