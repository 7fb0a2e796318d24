"""`./run drill [--runs N] [--only FAULT,...] [--peers PEER,...]`: break real hosts, by every contestant, and tell.

Each fault so often for infratest, by containers and over SSH, and a quarter as often for each peer; then what must not
be healed. What was found replaces what stands of it in docs/benchmarks; a fault or peer that was left out keeps its
rows of an earlier run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks import environment, table
from benchmarks.drills import ours, refusals
from benchmarks.drills.faults import CUT, FAULTS, Fault
from benchmarks.drills.host import Host, hosts
from benchmarks.drills.peers import base
from benchmarks.drills.refusals import REAL, SIMULATED, Refused
from benchmarks.drills.watch import Times
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.problem import BenchError

TITLE = "(x) A fault, until it is known and until it is mended"
PEERS = ("monit", "restart", "nagios", "prometheus")
WAYS = {"container": "in a container", "ssh": "over SSH"}
RUNS, REFUSALS, REAL_REFUSALS, LANES, MINUTES = 20, 100, 5, 2, 60
RED, GREEN, OWN = ("red s", "red s p95"), ("green s", "green s p95"), "rung s p95"
LOOKS = (
    '"Two intervals and the rung" leaves no time for the two looks themselves, the collecting before the act and the '
    "start of what was mended. Of a host whose network drops all, a look knows no sooner than its patience ends, which "
    "is longer than an interval."
)
HEALED, RUNG, RATIO = "healed", "by", "green p95, of the best peer's"


def main() -> int:
    words = argparse.ArgumentParser(prog="./run drill", description=__doc__)
    words.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"of each fault ({RUNS})")
    words.add_argument("--only", default="", metavar="FAULT,...", help=f"of {', '.join(FAULTS)}, refusals")
    words.add_argument("--peers", default=",".join(PEERS), metavar="PEER,...", help=f"of {', '.join(PEERS)}, or none")
    given = words.parse_args()
    chosen = given.only.split(",") if given.only else [*FAULTS, "refusals"]
    peers = [] if given.peers == "none" else given.peers.split(",")
    for name, known in [(name, (*FAULTS, "refusals")) for name in chosen] + [(name, PEERS) for name in peers]:
        if name not in known:
            words.error(f"{name} is none of {', '.join(known)}")
    if given.runs < 1:
        words.error(f"--runs {given.runs}: at least 1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    faults = [FAULTS[name] for name in chosen if name != "refusals"]
    figures, notes = measured(faults, peers, given.runs, refused="refusals" in chosen)
    seconds = time.monotonic() - began
    whole = (given.only, given.peers, given.runs) == ("", ",".join(PEERS), RUNS)
    outcome = composed(figures, notes, seconds / 60 if whole else None)
    print(table.keep("drill", TITLE, outcome, seconds, again="./run drill"))
    table.write(drawn=False)  # no host of the picture is drilled
    return int(not all(must.met for must in outcome.musts))


def measured(faults: Sequence[Fault], peers: Sequence[str], runs: int, refused: bool) -> tuple[list[Figure], list[str]]:
    """Break all of them by all contestants, who are at work at the same time; return the rows, and what went wrong."""
    folder = environment.cache() / "drills"
    environment.ours("demo")  # once, before several ask for it
    lanes = min(LANES, runs)
    modules = {name: importlib.import_module(f"benchmarks.drills.peers.{name}") for name in peers}
    wanted = [(f"{way}-{lane}", way, "") for way in WAYS for lane in range(1, lanes + 1)]
    wanted += [(name, "container", module.PACKAGES) for name, module in modules.items()]
    found: dict[tuple[str, str], list[Times]] = {}
    rows: list[Figure] = []
    notes: list[str] = []
    with hosts(folder, wanted) as made:
        work: list[tuple[str, Callable[[], object]]] = []
        for way in WAYS:
            for lane in range(1, lanes + 1):
                share = runs // lanes + (lane <= runs % lanes)
                host = made[f"{way}-{lane}"]
                work.append((host.stack, _ours(host, faults, share, found, f"{way} {lane}")))
        for name, module in modules.items():
            mine = [fault for fault in faults if not fault.host]
            work.append((module.TITLE, _peer(module, made[name], mine, max(1, runs // 4), found)))
        notes += _together(work)
        if refused:
            few = _of(runs, REAL_REFUSALS)

            def refuse(share: int) -> Callable[[], object]:
                host = made[f"ssh-{share + 1}"]
                return lambda: rows.extend(_refused(refusals.real(host, few, share, lanes), REAL))

            # Behind the faults: the simulator is at work all the time, and what is measured there is time.
            last = [(REAL, refuse(share)) for share in range(lanes)]
            last.append((SIMULATED, lambda: rows.extend(_refused(refusals.simulated(_of(runs, REFUSALS),
                                                                 folder / "simulated"), SIMULATED))))  # fmt: skip
            notes += _together(last)
    by_fault = [
        _figure(fault, name, found[fault.name, name])
        for fault in faults
        for name in dict.fromkeys(name for _, name in found)
        if found.get((fault.name, name))
    ]
    return by_fault + rows, notes


def _of(runs: int, whole: int) -> int:
    """Return so much of a number of runs as the runs are of their own."""
    return max(1, min(whole, whole * runs // RUNS))


def _together(work: Iterable[tuple[str, Callable[[], object]]]) -> list[str]:
    """Do all of it at the same time; return what failed, in words."""
    failed: list[str] = []

    def guarded(name: str, do: Callable[[], object]) -> None:
        try:
            do()
        except BenchError as error:
            failed.append(f"{name}: {error}")
            print(f"drill: {name}: {error}", file=sys.stderr)

    threads = [threading.Thread(target=guarded, args=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def _ours(
    host: Host, faults: Sequence[Fault], runs: int, found: dict[tuple[str, str], list[Times]], seed: str
) -> Callable[[], None]:
    def work() -> None:
        for fault in faults:
            if fault.host == CUT and host.way == "container":
                continue  # the engine's way in is no network
            rng = random.Random(f"{seed} {fault.name}")
            name = f"{ours.CHECKED}, {WAYS[host.way]}"
            for _ in range(runs):
                times = ours.checked(host, fault, rng)
                _told(host.stack, fault, times)
                found.setdefault((fault.name, name), []).append(times)
            if not fault.host:
                name = f"{ours.DRILLED}, {WAYS[host.way]}"
                for times in ours.drilled(host, fault, runs):
                    _told(f"{host.stack}, as a drill", fault, times)
                    found.setdefault((fault.name, name), []).append(times)

    return work


def _peer(
    module: Any, host: Host, faults: Sequence[Fault], runs: int, found: dict[tuple[str, str], list[Times]]
) -> Callable[[], None]:
    def work() -> None:
        with module.watching(host, host.folder / "peer") as watching:
            for fault in faults:
                rng = random.Random(f"{module.TITLE} {fault.name}")
                for _ in range(runs):
                    times = base.run(watching, host, fault, rng)
                    _told(module.TITLE, fault, times)
                    found.setdefault((fault.name, module.TITLE), []).append(times)

    return work


def _told(who: str, fault: Fault, times: Times) -> None:
    red, green = ("never" if one is None else f"{one:.2f} s" for one in (times.red, times.green))
    more = f": {times.wrong}" if times.wrong else ""
    print(f"drill: {fault.title}: {who}: red {red}, green {green} by {times.rung or 'nothing'}{more}", file=sys.stderr)


def percentile(numbers: Sequence[float], share: float) -> float:
    """Return the least of these numbers that so much of them do not exceed."""
    return sorted(numbers)[max(0, math.ceil(share * len(numbers)) - 1)]


def _figure(fault: Fault, name: str, times: Sequence[Times]) -> Figure:
    green = [one.green for one in times if one.green is not None]
    red = [one.red for one in times if one.red is not None]
    mine = _is_ours(name)
    right = [one for one in times if one.green is not None and not (mine and one.wrong)]
    # All of them in their order, which is that of the table's columns.
    more: dict[str, Any] = dict.fromkeys((HEALED, *RED, *GREEN, OWN, RATIO, RUNG))
    more[HEALED] = f"{len(right)} of {len(times)}"
    for names, numbers in ((RED, red), (GREEN, green)):
        for key, share in zip(names, (0.5, 0.95), strict=True):
            if numbers:
                more[key] = round(percentile(numbers, share), 2)
    if name.startswith(ours.CHECKED) and right:
        more[OWN] = round(percentile([one.own for one in right], 0.95), 2)
    more[RUNG] = ", ".join(sorted({one.rung for one in times if one.rung}))
    wrong = sorted({one.wrong for one in times if one.wrong})
    note = "; ".join(each[:160].replace("|", "/") for each in wrong[:2])
    return Figure(setting=fault.title, name=name, rounds=len(times), more=more, note=note)


def _refused(found: Sequence[Refused], setting: str) -> list[Figure]:
    return [
        Figure(
            setting=setting, name=one.name, rounds=one.runs,
            more={"acts": one.acts, "reason named": one.named, "healed without it": one.controls},
            note=one.reason.replace("|", "/").replace(f"{environment.cache()}/", "")[:160],
        )
        for one in found
    ]  # fmt: skip


def composed(figures: Sequence[Figure], notes: Sequence[str], minutes: float | None) -> Outcome:
    """Return the table with these rows, and the earlier ones of what was left out; its limits are of all of them."""
    before = [Figure(**each) for each in table.results().get("drill", {}).get("figures", [])]
    now = {(one.setting, one.name): one for one in figures}
    # Of what must not be healed all cases are tried together, so that one which is no more is no row.
    whole = {one.setting for one in figures} & {SIMULATED, REAL}
    kept = [one for one in before if (one.setting, one.name) not in now and one.setting not in whole]
    order = {title: at for at, title in enumerate([*(one.title for one in FAULTS.values()), SIMULATED, REAL])}
    outcome = Outcome(
        figures=sorted([*figures, *kept], key=lambda one: (order.get(one.setting, len(order)), not _is_ours(one.name)))
    )
    for fault in FAULTS.values():
        outcome.musts += _musts(fault, [one for one in outcome.figures if one.setting == fault.title])
    for setting in (SIMULATED, REAL):
        rows = [one for one in outcome.figures if one.setting == setting]
        if rows:
            runs = sum(one.rounds for one in rows)
            acts, named, healed = (sum(one.more[key] for one in rows) for key in rows[0].more)
            outcome.musts += [
                Must(what=f"{setting}: acts in {len(rows)} cases, {runs} runs", limit=0, got=acts, unit=""),
                Must(what=f"{setting}: runs with the reason named", limit=runs, got=named, unit="", least=True),
                Must(what=f"{setting}: healed without what stood in the way", limit=runs, got=healed, unit="",
                     least=True),
            ]  # fmt: skip
    if minutes is not None:
        outcome.musts.append(Must(what="minutes of the whole `./run drill`", limit=MINUTES, got=round(minutes, 1),
                                  unit="min"))  # fmt: skip
    outcome.notes = [
        *notes,
        f"Every {ours.INTERVAL:.0f} s a look, two of them confirm, by all but systemd's `Restart=`. The fault comes at "
        "a random moment between two looks. Green: the shop works again, by the same eye for all, every 0.1 s. Red: "
        "the first word of it; nagios and monit write theirs to the second, prometheus' is the webhook.",
        "`infratest drill` looks every 0.5 s and begins to heal with the sentence that says so.",
        "`rung s`: what the act itself took, by the audit. A peer restarts nginx whatever is wrong, and is given "
        f"{base.PATIENCE:.0f} s; what it did not heal was mended behind it.",
        LOOKS,
        "What is polled stands here. That a host is replaced is not drilled; members of a balancer and scaling are not "
        "in this version; Cluster API, the peer for hosts, cannot be had.",
        "Refused: `reason named` counts runs in which the right gate, or that it is unknown, was named; `healed "
        "without it`, the same runs without what stood in the way, in which the act must come.",
    ]
    return outcome


def _musts(fault: Fault, rows: list[Figure]) -> list[Must]:
    """Hold one fault's rows against its limits, and tell each of ours how it compares with the best peer of the run."""
    peers = [one.more[GREEN[1]] for one in rows if not _is_ours(one.name) and _all(one)]
    found = []
    for row in rows:
        if not _is_ours(row.name):
            continue
        if peers and row.more[GREEN[1]] is not None:
            row.more[RATIO] = round(row.more[GREEN[1]] / min(peers), 2)
        what = f"{fault.title}: {row.name}"
        healed = int(row.more[HEALED].partition(" ")[0])
        found.append(Must(what=f"{what}: healed by the right rung", limit=row.rounds, got=healed, unit="", least=True))
        if not row.name.startswith(ours.CHECKED) or row.more[GREEN[1]] is None:
            continue
        if fault.name == "killed":
            found.append(Must(what=f"{what}: red, p95", limit=10, got=row.more[RED[1]], unit="s"))
            found.append(Must(what=f"{what}: green, p95", limit=15, got=row.more[GREEN[1]], unit="s"))
        elif row.more[OWN] is not None:
            limit = round(2 * ours.INTERVAL + row.more[OWN], 2)
            found.append(Must(what=f"{what}: green, p95, two intervals and the rung", limit=limit,
                              got=row.more[GREEN[1]], unit="s"))  # fmt: skip
    return found


def _is_ours(name: str) -> bool:
    return name.startswith((ours.CHECKED, ours.DRILLED))


def _all(row: Figure) -> bool:
    """Whether a contestant has healed every time."""
    done, _, of = str(row.more[HEALED]).partition(" of ")
    return done == of


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
