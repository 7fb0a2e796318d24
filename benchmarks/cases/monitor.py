"""(ix) The ground of the monitor: numbers kept, a result through the pure functions, and what others send.

The plain way beside ours is a row an event with its labels as JSON, by `executemany` into SQLite with an index for the
history of a series, with the same events and as many commits; once more with the labels made into JSON once a series.
Of all the CPU is measured, and what the file weighs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks import environment, intakes
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.measure import Contestant, measured, median

TITLE = "(ix) The ground of the monitor"
ROUNDS, SERIES, RESULTS = 5, 1000, 10_000
STORE, ROWS, LOOP = (
    "the store: open, then hour blocks",
    "a row an event, labels as JSON",
    "a look: agenda, `advance`, `due`",
)
READY = "a row an event, labels that are JSON already"
RATE, SIZE, HISTORY = "numbers a second of a core", "bytes a number", "us a history of 6 hours"


def run(rounds: int = 0) -> Outcome:
    """Measure all in turns."""
    folder = environment.cache() / "monitor"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    seen: dict[str, list[dict[str, float]]] = {"store": [], "rows": [], "ready": [], "loop": []}
    for _ in range(rounds or ROUNDS):
        for work, those in seen.items():
            those.append(_printed(work, RESULTS if work == "loop" else SERIES, folder))
    outcome = Outcome()
    for work, name in (("store", STORE), ("rows", ROWS), ("ready", READY)):
        more = {
            RATE: round(median([each["numbers"] / each["cpu"] for each in seen[work]])),
            SIZE: round(median([each["bytes"] / each["numbers"] for each in seen[work]]), 2),
            HISTORY: round(median([each["history us"] for each in seen[work]])),
        }
        outcome.figures.append(
            Figure(setting="random doubles, 60 an hour", name=name, rounds=len(seen[work]), more=more)
        )
    times = {key: round(median([each[key] for each in seen["loop"]]), 2) for key in ("us a look", "owed ms")}
    setting = f"{RESULTS} results, 1 of 100 red"
    outcome.figures.append(Figure(setting=setting, name=LOOP, rounds=len(seen["loop"]), more=times))
    ours, plain, ready = (each.more for each in outcome.figures[:3])
    outcome.musts = [
        Must(what="bytes a number, random doubles, in the store", limit=14, got=ours[SIZE], unit="B"),
        Must(
            what="numbers a second of a core, of those of a row an event", limit=4, aim=4.5,
            got=round(ours[RATE] / plain[RATE], 1), unit="x", least=True,
        ),
    ]  # fmt: skip
    figures, musts, outcome.missing = intakes.figures(rounds or ROUNDS)
    outcome.figures += figures
    outcome.musts += musts
    longest = max(each["longest commit ms"] for each in seen["store"])
    outcome.notes = [
        "What is read back is compared with what came before any figure counts. `owed ms`: what is owed of all, once.",
        f"{SERIES} series for six hours, a commit a minute; the longest one of the store took {longest:.0f} ms of CPU, "
        f"its packing included. Where the labels are JSON already the store keeps {ours[RATE] / ready[RATE]:.1f} times "
        f"as many. It takes {plain[SIZE] / ours[SIZE]:.0f} times less space, heads of the hours, keys and labels "
        "included, pages that are free for what comes not; an hour that is not packed yet takes 20 B a number.",
    ]
    return outcome


def _printed(work: str, count: int, folder: Path) -> dict[str, float]:
    """Return the JSON object that a probe prints."""
    program = environment.ROOT / "benchmarks" / "probes" / "monitor.py"
    words = [environment.ours() / "python", program, work, count, folder / work]
    seen: dict[str, float] = json.loads(
        measured(Contestant(name=work, command=[str(word) for word in words], cwd=folder)).output.splitlines()[-1]
    )
    return seen
