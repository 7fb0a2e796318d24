"""(viii) Servers of a cloud: the calls of its API for each that is ready, and the time by the simulated cloud's clock.

No machine is made and no time is waited: what is counted is what the lifecycle asks, of a cloud whose servers take
fifteen seconds to boot. What libcloud's own `deploy_node` asks for the same is not measured yet.
"""

from __future__ import annotations

import json

from benchmarks import environment
from benchmarks.figures import Figure, Must, Outcome
from benchmarks.measure import Contestant, measured

TITLE = "(viii) Servers of a cloud that is simulated: calls and its time"
COUNTS = (1, 10, 100)
LATENCY, PENDING, BOOT = 0.3, 5.0, 10.0  # seconds: of a call; until a server runs; until it answers from then
OURS, TICK = "infratest up", 2.0


def run(rounds: int = 0) -> Outcome:
    """Count for each number of servers; one round, for nothing in it is left to chance."""
    outcome = Outcome()
    last: dict[str, float] = {}
    for count in COUNTS:
        words = [environment.ours() / "python", environment.ROOT / "benchmarks" / "probes" / "cloud.py", count]
        command = [str(word) for word in [*words, LATENCY, PENDING, BOOT]]
        one = Contestant(name=OURS, command=command, cwd=environment.cache(), limit=120)
        last = json.loads(measured(one).output.splitlines()[-1])
        more = {
            "s by its clock": round(last["took"], 1),
            "calls": last["calls"],
            "calls a server": round(last["calls"] / count, 2),
            "listings": last["listings"],
            "late s (p95)": round(last["late"], 2),
        }
        setting = f"{count} server{'s' if count > 1 else ''}"
        outcome.figures.append(Figure(setting=setting, name=OURS, rounds=1, more=more))
    outcome.musts = [
        Must(what="100 servers ready, by the cloud's clock", limit=25, got=round(last["took"], 1), unit="s"),
        Must(what="calls a ready server, of 100", limit=3, got=round(last["calls"] / COUNTS[-1], 2), unit="calls"),
        Must(what="listings a tick", limit=1, got=last["in a tick"], unit="listings"),
        Must(what="a ready server is seen (p95)", limit=TICK + LATENCY, got=round(last["late"], 2), unit="s"),
    ]
    outcome.notes.append(
        f"A call takes {LATENCY:g} s, a server runs {PENDING:g} s after it was asked for and answers {BOOT:g} s later. "
        "The tick grows from 0.5 s to 2 s."
    )
    return outcome
