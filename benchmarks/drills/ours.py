"""infratest, in two ways: `check_infratest --heal` every few seconds, as a monitor calls it, and `infratest drill`."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.drills.faults import Fault
from benchmarks.drills.host import Host
from benchmarks.drills.watch import Times, Watch
from benchmarks.problem import BenchError

#: Seconds from one check to the next. The peers have the same.
INTERVAL = 5.0
CHECKED, DRILLED = "check_infratest --heal", "infratest drill"
_TIMES = re.compile(r"red after ([\d.]+) (ms|s|min), green after ([\d.]+) (ms|s|min)")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}


def checked(host: Host, fault: Fault, rng: random.Random) -> Times:
    """Break it at a random moment between two checks, and check every few seconds until it is healed.

    Raises:
        BenchError: the shop was not well before.
    """
    before = time.time()
    next_check = _check(host, time.monotonic(), must_hold=True)
    moment = next_check - INTERVAL + rng.uniform(0, INTERVAL)
    time.sleep(max(0.0, moment - time.monotonic()))
    host.fault(fault)
    times = Times()
    with Watch(host, fault) as watch:
        while watch.green is None or not (mine := _healed(host, before)):
            if time.monotonic() - watch.broken > fault.patience:
                break
            time.sleep(max(0.0, next_check - time.monotonic()))
            next_check = _check(host, next_check)
            if times.red is None and _seen(host, fault, before):
                times.red = time.monotonic() - watch.broken
        watch.wait(2.0)
        times.green = watch.green
    tries = [one for one in audit(host, before) if one["event"] == "tried"]
    mine = _healed(host, before)
    if mine:
        times.rung, times.own = _word(mine[-1]["remedy"]), float(mine[-1]["duration"])
    told = [f"{one['remedy']}: {one.get('error') or 'did not help'}" for one in tries if not one["verified"]]
    told += [f"{len(host.containers())} machines"] if len(host.containers()) != 1 else []
    if not mine or _word(mine[-1]["remedy"]) != fault.remedy:
        told.append(f"healed by {times.rung or 'nothing'}" if not mine or times.rung != fault.remedy else "")
    times.wrong = "; ".join(one for one in told if one)
    if mine:
        host.find()
    else:
        times.green = None
        host.mend(fault)
    _settled(host, mine)
    return times


def _check(host: Host, due: float, must_hold: bool = False) -> float:
    """Check and heal once; return when the next is due.

    Raises:
        BenchError: it does not hold, and must.
    """
    done = host.infratest("--heal", "-t", "300", face="check_infratest")
    if must_hold and done.returncode:
        raise BenchError(f"{host.stack}: not well before the fault: {(done.stdout + done.stderr)[-1500:]}")
    late = max(0.0, time.monotonic() - due)
    return due + INTERVAL * (1 + int(late / INTERVAL))


def _seen(host: Host, fault: Fault, before: float) -> bool:
    """Whether a check has found what the fault turns red, by what it has written down since a moment."""
    slugs = {str(one["id"]).rpartition("#")[2].partition("@")[0] for one in audit(host, before)}
    return fault.scenario in slugs


def audit(host: Host, begin: float) -> list[dict[str, Any]]:
    """Return what the audit says of a time that began so many seconds after the epoch.

    By time, and not by how many lines there were: old ones are let go as new ones come.
    """
    path = host.folder / ".infratest" / "heal.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [one for one in lines if one["time"] >= begin]


def _healed(host: Host, before: float) -> list[dict[str, Any]]:
    """Return what has healed since a moment: tries that were verified, at once or by a later check."""
    lines = audit(host, before)
    later = {one["try"] for one in lines if one["event"] == "verified"}
    return [one for one in lines if one["event"] == "tried" and (one["verified"] or one.get("try") in later)]


def _word(remedy: str) -> str:
    return remedy.split()[0]


def _settled(host: Host, mine: Sequence[dict[str, Any]]) -> None:
    """Wait as long as the rule itself waits after a heal, so that the next run measures the heal and not the wait."""
    if mine:
        time.sleep(1.0)  # a 360th of the six minutes of its budget


def drilled(host: Host, fault: Fault, runs: int) -> list[Times]:
    """Run the drill of a fault so often; return what each run says of itself."""
    done = host.infratest("drill", f"drill-{fault.name}", "--runs", str(runs), "--timeout", "300")
    found = []
    for line in done.stdout.splitlines():
        if match := _TIMES.search(line):
            red, green = (float(match[at]) * _UNITS[match[at + 1]] for at in (1, 3))
            found.append(Times(red=red, green=green, rung=fault.remedy))
    if done.returncode:
        words = " ".join((done.stdout + done.stderr).split())[-400:]
        found.append(Times(wrong=f"ended with {done.returncode}: {words}"))
        host.mend(fault)
    return found
