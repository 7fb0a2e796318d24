"""(iv) The engine's loop on this machine: how many checks a second of one core, and no change missed.

Native checks alone (no commands), a hundred a cycle; what the last two look at changes every tenth cycle.
"""

from __future__ import annotations

import json
import shutil

from benchmarks import environment, mix
from benchmarks.cases.plugin import PLUGINS
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.measure import BARE, Contestant, bare, in_turns, measured, median

TITLE = "(iv) The engine's loop on this machine"
ROUNDS, CYCLES, SPAWNS = 5, 200, 500
OURS, SPAWN, RATE = "infratest, 100 checks a cycle", "spawning C plugin check_dummy", "checks a second of a core"
PROBES = environment.ROOT / "benchmarks" / "probes"


def run(rounds: int = 0) -> Outcome:
    """Measure the loop."""
    outcome = Outcome()
    folder = environment.cache() / "loop"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with mix.background() as ports:
        (port,) = mix.free_ports(1)
        changing = folder / "changing"
        checks = mix.checks({**mix.COUNTS, "exists": 18}, ports)
        last = [mix.Check("contains", (str(changing), "begun")), mix.Check("port", (str(port),))]
        (folder / "loop.feature").write_text(mix.feature([*checks, *last], 1))
        words = [environment.ours() / "python", PROBES / "loop.py", CYCLES, "loop.feature", changing, port]
        one = Contestant(
            name=OURS, command=[str(word) for word in words], cwd=folder, environment=mix.user_home(), limit=120
        )
        told = [json.loads(measured(one).output.splitlines()[-1]) for _ in range(rounds or ROUNDS)]
    outcome.figures.append(_ours(told))
    _spawned(outcome)
    missed = sum(each["missed"] for each in told)
    outcome.notes.append(f"Changes made: {sum(each['changes'] for each in told)}, missed: {missed}.")
    outcome.notes.append("Each check is a scenario of its own, with a result of its own.")
    outcome.notes.append("Overhead: CPU of a cycle outside collecting, a check (judging, putting results together).")
    more = outcome.figures[0].more
    alone = bare(environment.ours() / "python")
    outcome.musts = [
        Must(what=f"checks in the CPU of one `{BARE}`", limit=64, aim=96, got=round(more[RATE] * alone), unit="checks",
             least=True),
        Must(what=f"overhead of 1000 checks against `{BARE}`", limit=1.6,
             got=round(more["overhead us a check"] / alone / 1000, 2), unit="x"),
        Must(what="changes missed", limit=0, got=missed, unit="changes"),
    ]  # fmt: skip
    return outcome


def _ours(told: list[dict[str, float]]) -> Figure:
    checks = CYCLES * 100
    overhead = median([(each["cpu"] - each["collecting"]) / checks * 1e6 for each in told])
    return Figure(
        setting="this machine", name=OURS, rounds=len(told),
        cpu=round(median([each["cpu"] for each in told]) / CYCLES * 1000, 2),
        wall=round(median([each["wall"] for each in told]) / CYCLES * 1000, 2),
        more={
            RATE: round(checks / median([each["cpu"] for each in told])),
            "overhead us a check": round(overhead, 1),
            "missed": sum(each["missed"] for each in told),
        },
    )  # fmt: skip


def _spawned(outcome: Outcome) -> None:
    """Measure what a scheduler that spawns a plugin for each check can do, less the interpreter that does it here."""
    if not (PLUGINS / "check_dummy").exists():
        outcome.missing.append("C plugins (package monitoring-plugins-basic)")
        return
    python = str(environment.ours() / "python")
    program = [python, "-I", "-S", str(PROBES / "spawn.py"), str(SPAWNS), str(PLUGINS / "check_dummy"), "0"]
    nothing = Contestant(name=BARE, command=[python, "-I", "-S", "-c", "pass"], cwd=environment.cache())
    usages = in_turns([nothing, Contestant(name=SPAWN, command=program, cwd=environment.cache())], 5)
    seconds = median([each.cpu for each in usages[SPAWN]]) - median([each.cpu for each in usages[BARE]])
    outcome.figures.append(
        Figure(setting="this machine", name=SPAWN, rounds=5, more={RATE: round(SPAWNS / seconds)}, note="CPU of both")
    )
