"""(xi) The monitor at work: its loop beside APScheduler, its memory and its share of a core with 500 hosts, its start
with 10^8 numbers stored, the history of one series among them, answers for plugins, and taking over from a killed one.

All but the loop is the installed command, asked over its own socket.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import environment, mix, takeover
from benchmarks.cases.plugin import says
from benchmarks.figures import Figure, Must, Outcome, figure
from benchmarks.measure import BARE, Contestant, in_turns, measured, median
from benchmarks.monitors import PAUSE, Running, percentile, project, running
from benchmarks.problem import BenchError
from benchmarks.simulated import stand
from infratest.store.database import lease

TITLE = "(xi) The monitor at work"
PROBES = environment.ROOT / "benchmarks" / "probes"
ROUNDS = 3
#: Of the loop: results, minutes that are counted; of the peer: seconds between two runs of a job, seconds counted.
RESULTS, MINUTES, PERIOD, COUNTED = 10_000, 3, 10, 10
LOOP, APART, TOGETHER = "infratest, the loop", "APScheduler, each job at its own time", "APScheduler, 20 jobs at a time"
RUN = "us a run"
#: Of what is stored, and of who starts with it.
NUMBERS, STARTS = 100_000_000, 5
EMPTY, FULL = "start to first cycle, nothing stored", "start to first cycle, 10^8 numbers stored"
#: Of the hosts that are watched: how long it is watched after all were looked at once, and between two questions.
HOSTS, SCENARIOS, WINDOW, BETWEEN = 500, 20, 90.0, 0.2
#: Of answers, and of the rounds of each pair of monitors.
ANSWERS, TAKEOVERS = 15, 5
ANSWER, LOOK = "check_infratest --from-monitor", "check_infratest, which looks itself"
KEPT = "  interval: 60s\n  store: {keep: {raw: 60d}}\n"  # 30 days lie there, and nothing of them is to be trimmed
HERE = f"stack: bench\nprovider: local\nhosts: {{here: {{}}}}\nmonitor:\n{KEPT}features: [x.feature]\n"
MANY = f"""\
stack: bench
provider: {{name: fake, world: world, transport: {{otherwise: run}}}}
hosts: {{web: {{count: {HOSTS}}}}}
monitor:
{KEPT}features: [x.feature]
"""


def run(rounds: int = 0) -> Outcome:
    """Measure one after the other."""
    folder = environment.cache() / "resident"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    outcome = Outcome()
    try:
        _loops(outcome, folder, rounds or ROUNDS)
        store = folder / "stored"
        _stored(outcome, store)
        _starts(outcome, folder, store, min(STARTS, rounds or STARTS))
        _answers(outcome, folder, rounds or ANSWERS)
        _resident(outcome, folder, store)
        _takeovers(outcome, folder, rounds or TAKEOVERS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # a gigabyte
    return outcome


def _loops(outcome: Outcome, folder: Path, rounds: int) -> None:
    """Measure the loop and its peer in turns."""
    ours, peer = environment.ours() / "python", environment.apscheduler() / "python"
    commands: dict[str, list[object]] = {
        LOOP: [ours, PROBES / "turns.py", RESULTS, MINUTES, folder / "turns"],
        APART: [peer, PROBES / "scheduler.py", RESULTS, PERIOD, COUNTED, 1],
        TOGETHER: [peer, PROBES / "scheduler.py", RESULTS, PERIOD, COUNTED, 20],
    }
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            shutil.rmtree(folder / "turns", ignore_errors=True)
            seen[name].append(_printed(name, words, folder))
    for name, those in seen.items():
        more = {
            RUN: round(median([each["cpu"] / each["runs"] * 1e6 for each in those]), 1),
            "MiB for them": round(median([each["more MiB"] for each in those]), 1),
        }
        memory = round(median([each["MiB"] for each in those]), 1)
        outcome.figures.append(
            Figure(setting=f"{RESULTS} results or jobs", name=name, rounds=rounds, memory=memory, more=more)
        )
    loop, apart, together = (each.more[RUN] for each in outcome.figures)
    outcome.musts.append(
        Must(what=f"CPU of a run of the loop, of that of {APART}", limit=0.5, got=round(loop / apart, 2), unit="x")
    )
    version = environment.version(environment.apscheduler(), "apscheduler")
    outcome.notes.append(
        "The loop: all of `monitor.Monitor` (agenda, errands handed to its threads, `advance`, `due` and `owed` by its "
        "book, a settling each second, each turn's commit into SQLite) on a clock that is moved on to what is next; "
        "only the looks are none, their results were made before. It has no time of a provider, of transports or of "
        f"sentences in it. APScheduler {version}: jobs that do nothing, kept in memory, run by its ten threads; "
        "nothing is judged, kept or told. Jobs have times of their own there, and that is what the limit is held "
        "against; 20 that share one time, as our scenarios of one host do, cost it less: the loop takes "
        f"{loop / together:.2f} times that."
    )


def _stored(outcome: Outcome, store: Path) -> None:
    """Make the store, and ask for the history of single series."""
    program = [environment.ours() / "python", PROBES / "stored.py"]
    made = _printed("stored", [*program, "make", NUMBERS, store], store.parent)
    asked = _printed("history", [*program, "ask", NUMBERS, store], store.parent)
    setting = f"{made['numbers']:.3g} numbers, {made['series']} series, 30 days"
    for name, words, limit in (("day", "a day", 5), ("month", "30 days", 60)):
        took = [each * 1000 for each in asked[name]]
        late = round(percentile(took, 0.95), 2)
        more = {"p50 ms": round(median(took), 2), "p95 ms": late}
        outcome.figures.append(Figure(setting=setting, name=f"history of {words}", rounds=len(took), more=more))
        outcome.musts.append(Must(what=f"history of {words} of one series, p95", limit=limit, got=late, unit="ms"))
    outcome.notes.append(
        f"The store ({made['bytes'] / 2**20:.0f} MiB) was made in {made['seconds']:.0f} s: 8 series are packed in each "
        "hour, as the store packs them, and all others have the block of one of these. Histories are read in this "
        "store by functions of the store, wall time, the file in the memory of the kernel; what is read is compared."
    )


def _starts(outcome: Outcome, folder: Path, store: Path, rounds: int) -> None:
    """Measure from the command to the first turn in which all was looked at and kept, without and with a past."""
    feature = mix.feature(mix.checks({"exists": SCENARIOS}, []), 1)
    ids = [f"x.feature#part-{number}@here" for number in range(1, SCENARIOS + 1)]
    python = environment.ours() / "python"
    nothing = Contestant(name=BARE, command=[str(python), "-I", "-S", "-c", "pass"], cwd=folder)
    seconds: dict[str, list[float]] = {BARE: [], EMPTY: [], FULL: []}
    cpu: dict[str, list[float]] = {BARE: [], EMPTY: [], FULL: []}
    places = {EMPTY: project(folder / "empty", HERE, feature), FULL: project(folder / "full", HERE, feature)}
    _moved(store, places[FULL])
    for number in range(-1, rounds):  # the first one writes bytecode, and is not counted
        shutil.rmtree(places[EMPTY] / ".infratest", ignore_errors=True)
        _forgotten(places[FULL] / ".infratest")
        (bare,) = in_turns([nothing], 1, warm_up=False)[BARE]
        took = {BARE: (bare.wall, bare.cpu)}
        for name, place in places.items():
            with running(place) as monitor:
                took[name] = (monitor.looked_at(ids) - monitor.begun, monitor.cpu())
        for name, (wall, used) in took.items():
            if number >= 0:
                seconds[name].append(wall)
                cpu[name].append(used)
    setting = f"{SCENARIOS} scenarios of this machine"
    for name in (EMPTY, FULL):
        outcome.figures.append(
            Figure(
                setting=setting, name=name, rounds=rounds, cpu=round(median(cpu[name]) * 1000, 1),
                wall=round(median(seconds[name]) * 1000, 1), low=round(min(seconds[name]) * 1000, 1),
            )
        )  # fmt: skip
    times = median(seconds[FULL]) / median(seconds[BARE])
    outcome.musts += [
        Must(what=f"{FULL}, wall against `{BARE}`", limit=20, got=round(times, 1), unit="x"),
        Must(
            what=f"{FULL}, of that with nothing stored", limit=1.2,
            got=round(median(seconds[FULL]) / median(seconds[EMPTY]), 2), unit="x",
        ),
    ]  # fmt: skip
    outcome.notes.append(
        "The start: from `infratest monitor run` to its answer that all scenarios were looked at, which it gives once "
        f"that is written; asked every {PAUSE * 1000:.0f} ms. `{BARE}` took {median(seconds[BARE]) * 1000:.1f} ms. "
        "Most of it are the modules that are imported, which no number in the store makes more."
    )
    _moved(places[FULL] / ".infratest", store)


def _forgotten(state: Path) -> None:
    """Have a store remember no looks, or the next monitor would look again no sooner than they are due."""
    with closing(sqlite3.connect(state / "monitor.db")) as base, base:
        for table in ("status", "result"):
            base.execute(f"DELETE FROM {table}")


def _moved(source: Path, target: Path) -> None:
    """Move the store's file from one state directory to another, made anew where it is a project's."""
    place = target / ".infratest" if (target / "stack.yaml").exists() else target
    place.mkdir(mode=0o700, exist_ok=True)
    (source / "monitor.db").rename(place / "monitor.db")


def _answers(outcome: Outcome, folder: Path, rounds: int) -> None:
    """Measure what a plugin costs that asks the monitor, with what the monitor spends on its answer."""
    place = folder / "empty"
    shutil.rmtree(place / ".infratest")
    python, program = environment.ours() / "python", environment.ours() / "check_infratest"
    ids = [f"x.feature#part-{number}@here" for number in range(1, SCENARIOS + 1)]
    with running(place) as monitor:
        monitor.looked_at(ids)

        def one(name: str, words: Sequence[object], said: str) -> Contestant:
            return Contestant(
                name=name, command=[str(word) for word in words], cwd=place, environment=mix.user_home(),
                meters={"monitor": monitor.cpu}, check=says(name, said),
            )  # fmt: skip

        usages = in_turns(
            [
                one(BARE, [python, "-I", "-S", "-c", "pass"], ""),
                one(ANSWER, [program, "--from-monitor", "x.feature"], "from the monitor"),
                one(LOOK, [program, "x.feature"], f"{SCENARIOS} scenarios ok"),
            ],
            rounds,
        )
    cpu = {name: median([each.cpu for each in runs]) for name, runs in usages.items()}
    # What the monitor does anyway, a second after a second, is in the bare interpreter's turn as well.
    spent = {name: statistics.fmean(each.meters["monitor"] for each in runs) for name, runs in usages.items()}
    whole = cpu[ANSWER] + max(0.0, spent[ANSWER] - spent[BARE])
    for name, runs in usages.items():
        outcome.figures.append(figure(f"a plugin, {SCENARIOS} scenarios", name, runs))
        if name == ANSWER:
            outcome.figures[-1].more["answers a second of a core"] = round(1 / whole, 1)
    got = round(whole / cpu[BARE], 2)
    what = f"{ANSWER}, CPU of both ends against `{BARE}`"
    outcome.musts.append(Must(what=what, limit=2.5, aim=1.8, got=got, unit="x"))
    outcome.notes.append(
        f"`{ANSWER}`: CPU of the program, and of the monitor beyond what it spends in the bare interpreter's turn. A "
        f"core starts {1 / cpu[BARE]:.0f} bare interpreters a second and does nothing else then, so that no program in "
        f"Python gives 500 answers a second of it. This gives {1 / whole:.0f}, each of {SCENARIOS} scenarios."
    )


def _resident(outcome: Outcome, folder: Path, store: Path) -> None:
    """Watch many hosts for a while."""
    place = project(folder / "many", MANY, _twenty())
    stand(place, "bench", [f"web-{number}" for number in range(1, HOSTS + 1)])
    _moved(store, place)
    with running(place) as monitor:
        count = _all_known(monitor)
        began, loop, cpu = time.monotonic(), monitor.loop(), monitor.cpu()
        late, waiting = [], 0
        while (now := time.monotonic()) < began + WINDOW:
            if (health := monitor.ask("health")) is None:
                monitor.expect("an answer")
            else:
                late.append(health["late"] * 1000)
                waiting = max(waiting, health["waiting"])
            time.sleep(max(0.0, now + BETWEEN - time.monotonic()))
        seconds = time.monotonic() - began
        share, whole = (monitor.loop() - loop) / seconds * 100, (monitor.cpu() - cpu) / seconds * 100
        memory, most = monitor.resident(), monitor.resident("VmHWM")
        _well(monitor, count)
    more = {
        "loop, % of a core": round(share, 2), "all of it, % of a core": round(whole, 1), "p50 ms": _ms(late, 0.5),
        "p95 ms": _ms(late, 0.95), "p99 ms": _ms(late, 0.99), "MiB at most": round(most, 1),
    }  # fmt: skip
    setting = f"{HOSTS} hosts x {SCENARIOS} scenarios a minute"
    outcome.figures.append(
        Figure(setting=setting, name="infratest monitor run", rounds=1, memory=round(memory, 1), more=more)
    )
    outcome.musts += [
        Must(what=f"{setting}, resident memory", limit=120, got=round(memory, 1), unit="MiB"),
        Must(what=f"{setting}, the loop's share of a core", limit=5, got=round(share, 2), unit="%"),
        Must(what=f"{setting}, lateness, p99", limit=100, got=_ms(late, 0.99), unit="ms"),
    ]
    outcome.notes.append(
        f"{setting}, {NUMBERS:.3g} numbers of 30 days in its store: simulated hosts, each asked by a shell on this "
        f"machine. After all {count} results were looked at once it was watched for {seconds:.0f} s, in which each was "
        "once more. Memory is the process' own (VmRSS), shells not counted. The loop is the process' first thread, "
        "which does all but the looks, by the kernel's count of its CPU; the looks (asking, judging) are in other "
        f"threads. Lateness is what the monitor says of itself ({len(late)} times): how long what is due longest has "
        f"been due; at most {waiting} errands waited for a thread."
    )


def _ms(values: Sequence[float], share: float) -> float:
    return round(percentile(values, share), 2)


def _twenty() -> str:
    """Return a feature of as many scenarios; one has a number, which is kept."""
    feature = mix.feature(mix.checks({"exists": SCENARIOS - 1}, []), 1)
    return f'{feature}\n  Scenario: room\n    Then the disk "/" is less than 101 % full\n'


def _all_known(monitor: Running) -> int:
    """Wait until everything was looked at; return how many results that are."""
    while (status := monitor.ask("status")) is None or "unknown" in status["counts"]:
        monitor.expect(f"a look at everything ({status and status['counts']})")
        time.sleep(0.5)
    return _well(monitor, HOSTS * SCENARIOS)


def _well(monitor: Running, least: int) -> int:
    counts = (monitor.ask("status") or {"counts": {}})["counts"]
    if set(counts) != {"ok"} or counts["ok"] < least:
        raise BenchError(f"not all of {least} is well: {counts}")
    return int(counts["ok"])


def _takeovers(outcome: Outcome, folder: Path, rounds: int) -> None:
    """Kill monitors that others wait for."""
    if not takeover.there():
        outcome.missing.append("PostgreSQL (package postgresql-15): monitors that take over from each other")
        return
    found = takeover.takeovers(folder / "takeover", rounds)
    late = round(percentile(found.seconds, 0.95), 2)
    more = {
        "p50 s": round(median(found.seconds), 2), "p95 s": late, "told twice": found.doubled,
        "sent again by the same key": found.again,
    }  # fmt: skip
    outcome.figures.append(
        Figure(setting="monitors on PostgreSQL", name="taking over", rounds=len(found.seconds), more=more)
    )
    outcome.musts += [
        Must(
            what="taking over after kill -9, p95, of two leases and an interval", unit="s", got=late,
            limit=2 * lease.SECONDS + takeover.INTERVAL,
        ),
        Must(what="notices told twice", limit=0, got=found.doubled, unit="notices"),
    ]  # fmt: skip
    outcome.notes.append(
        f"Taking over: {takeover.PAIRS} pairs at once, from the kill to the end of the other's first turn in which all "
        f"was looked at and kept; the lease lasts {lease.SECONDS:g} s. Each kill is at a moment drawn by chance about "
        "a notice; one that was sent and not known to have arrived is sent again by the same key."
    )


def _printed(name: str, words: Sequence[object], folder: Path) -> dict[str, Any]:
    """Return the JSON object that a probe prints."""
    one = Contestant(name=name, command=[str(word) for word in words], cwd=folder, limit=400)
    seen: dict[str, Any] = json.loads(measured(one).output.splitlines()[-1])
    return seen
