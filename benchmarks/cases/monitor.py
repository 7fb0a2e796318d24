"""(ix) The ground of the monitor: numbers kept, and a result through the pure functions.

The plain way beside ours is a row an event with its labels as JSON, in the same file of SQLite and with the same
commits. Of both the CPU is measured, and what the file weighs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks import environment
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.measure import Contestant, measured, median

TITLE = "(ix) The ground of the monitor"
ROUNDS, HOURS, RESULTS = 5, 1000, 10_000
BLOCKS, ROWS, LOOP = "hour blocks", "a row an event, labels as JSON", "a look: agenda, `advance`, `due`"
RATE, SIZE = "numbers a second of a core", "bytes a number"


def run(rounds: int = 0) -> Outcome:
    """Measure all three in turns."""
    folder = environment.cache() / "monitor"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    seen: dict[str, list[dict[str, float]]] = {"blocks": [], "rows": [], "loop": []}
    for _ in range(rounds or ROUNDS):
        for work, those in seen.items():
            those.append(_printed(work, RESULTS if work == "loop" else HOURS, folder))
    outcome = Outcome()
    for work, name in (("blocks", BLOCKS), ("rows", ROWS)):
        more = {
            RATE: round(median([each["numbers"] / each["cpu"] for each in seen[work]])),
            SIZE: round(median([each["bytes"] / each["numbers"] for each in seen[work]]), 2),
        }
        if work == "blocks":
            more["us a head"] = round(median([each["head us"] for each in seen[work]]), 2)
        outcome.figures.append(
            Figure(setting="random doubles, 60 an hour", name=name, rounds=len(seen[work]), more=more)
        )
    times = {key: round(median([each[key] for each in seen["loop"]]), 2) for key in ("us a look", "owed ms")}
    setting = f"{RESULTS} results, 1 of 100 red"
    outcome.figures.append(Figure(setting=setting, name=LOOP, rounds=len(seen["loop"]), more=times))
    ours, plain = outcome.figures[0].more, outcome.figures[1].more
    outcome.musts = [
        Must(what="bytes a number, random doubles, in the file", limit=14, got=ours[SIZE], unit="B"),
    ]
    outcome.notes = [
        "Each block is read back and compared before its figures count. `owed ms`: what is owed of all results, once.",
        f"Files of {HOURS} hours; a commit for each hundred. Blocks keep {ours[RATE] / plain[RATE]:.1f} times as many "
        f"numbers a second of a core, in {plain[SIZE] / ours[SIZE]:.0f} times less space.",
    ]
    return outcome


def _printed(work: str, count: int, folder: Path) -> dict[str, float]:
    """Return the JSON object that the probe prints."""
    probe = environment.ROOT / "benchmarks" / "probes" / "monitor.py"
    words = [environment.ours() / "python", probe, work, count, folder / f"{work}.db"]
    seen: dict[str, float] = json.loads(
        measured(Contestant(name=work, command=[str(word) for word in words], cwd=folder)).output.splitlines()[-1]
    )
    return seen
