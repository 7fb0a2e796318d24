"""What must not be healed, so often each: the heal engine on a simulated stack, by a clock of its own.

    python refusals.py RUNS FOLDER     prints one JSON object: of each case its runs, acts and gates, and its controls

The stack is a real one of the provider `simulator`, in FOLDER, and what heals in it is what `check --heal` heals with:
its rules, gates, audit and remedy, which stops and starts a simulated host. Only the clock and the looks are handed in.
An act is a host that was stopped, or a try on record. Beside each run stands its control: the same draw without what
must stand in the way. There the act must come, else that nothing came says nothing.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infratest.heal.gates import Limits, Seen
from infratest.heal.healing import heal
from infratest.heal.means import Means
from infratest.heal.pause import pause
from infratest.heal.records import HealRecord
from infratest.model import Report, Result, StepResult
from infratest.project.heal import means_of
from infratest.project.outlook import witness
from infratest.project.session import Session
from infratest.remedies.base import Power
from infratest.stack.declared import HealRule, Proof
from infratest.stack.freeze import Freeze
from infratest.store.directory import StateDir

STACK = """\
stack: refusals
provider: {name: simulator, world: world, latency: 0s, boot: 1s, transport: {otherwise: run}}
hosts:
  web: {count: 4, groups: [web], labels: {zone: a}}
  app: {count: 2, groups: [app], labels: {zone: a}}
  db: {count: 2, groups: [data], labels: {zone: b}}
heal:
  mend:
    when: {tags: "@shop"}
    confirm: 2
    do: [{power-cycle: {}}]
    budget: {tries: 2, per: 1h}
    at-most: 30%
    mode: auto
"""
FEATURE = """\
@shop
Feature: The shop
  Scenario: it answers
    Then the file "/srv/of-no-host" does not exist
"""
MINUTE, HOUR = 60.0, 3600.0
#: Nobody listens there: tcpmux, which nothing has used for decades.
DEAF = "127.0.0.1:1"
#: A Wednesday, 12:00 in UTC, from which the moments of all runs are drawn.
BEGIN = 1_800_446_400.0


@dataclass
class World:
    """One run: who is sick, what the rule says, what people have said, how late it is. A case changes it."""

    session: Session
    rng: random.Random
    now: float
    rule: HealRule
    sick: set[str]
    state: str = "critical"
    blocked_by: str | None = None
    helps: bool = True
    #: Seconds between two checks; how old a report is when it is healed from, less than none once a clock was set back.
    apart: float = MINUTE
    age: float = 0.0
    #: How many checks come before the one that counts.
    before: int = 1
    changes: dict[str, Any] = field(default_factory=dict)
    acts: list[str] = field(default_factory=list)

    def power(self, name: str) -> Power:
        """What the simulator's provider does, written down."""
        real = means_of(self.session).power(name)

        def halt(deadline: Any) -> None:
            self.acts.append(name)
            real.halt(deadline)
            if self.helps:
                self.sick.discard(name)

        return replace(real, halt=halt)

    def result(self, host: str) -> Result:
        sick = host in self.sick
        state = self.state if sick else "ok"
        reason = 'the file "/srv/of-no-host" exists' if sick else ""
        return Result(
            id=f"features/shop.feature#it-answers@{host}", feature="features/shop.feature", scenario="it answers",
            line=3, host=host, state=state, reason=reason, groups=[host.rpartition("-")[0]], tags=["shop"],
            steps=[StepResult('the file "/srv/of-no-host" does not exist', 4, state, reason)],
            blocked_by=self.blocked_by if sick else None,
        )  # fmt: skip

    def report(self, hosts: Sequence[str]) -> Report:
        at = datetime.fromtimestamp(self.now - self.age, UTC).isoformat().replace("+00:00", "Z")
        stack = self.session.stack
        return Report(stack.name, stack.env, at, 0.1, [self.result(host) for host in hosts])

    def rerun(self, ids: Sequence[str]) -> Report:
        aged, self.age = self.age, 0.0
        try:
            return self.report([id.rpartition("@")[2] for id in ids])
        finally:
            self.age = aged

    def check(self, since: dict[str, float]) -> list[HealRecord]:
        """Check all hosts once, and heal."""
        names = [host.name for host in self.session.stack.hosts]
        for name in self.sick:
            since.setdefault(name, self.now - self.age)
        history = {
            one.id: Seen(
                host=one.host, state=one.state, time=self.now - self.age, blocked=one.blocked_by or False,
                since=since.get(one.host, self.now - 9 * HOUR),
            )
            for one in self.report(names).results
        }  # fmt: skip
        # All simulated hosts share this machine's files: their marks are of this run alone.
        marks = str(self.session.state.path / "marks")
        given: dict[str, Any] = {
            "clock": lambda: self.now, "rerun": self.rerun, "power": self.power, "marks": marks,
            "limits": Limits(settle=0.0),  # what did not help at once does not help later
        }  # fmt: skip
        means: Means = replace(means_of(self.session), **given | self.changes)
        return heal(self.report(names), [self.rule], self.session.state, means, history=history)

    def run(self) -> list[HealRecord]:
        """Check until it is confirmed and once more; return what that last one decided. Acts before it count not."""
        since: dict[str, float] = {}
        for _ in range(self.before):
            self.check(since)
            self.now += self.apart
        self.acts.clear()
        return self.check(since)


Case = Callable[[World], None]


def one_cause(world: World) -> None:
    """Hosts of three groups turn red at one moment, as where a switch is gone."""
    world.sick |= {"app-1", "db-2"}
    world.rule = replace(world.rule, at_most=1.0)


def half(world: World) -> None:
    """Half of the group or more is sick."""
    world.sick |= set(world.rng.sample(["web-1", "web-2", "web-3", "web-4"], world.rng.randint(2, 4)))


def floor(world: World) -> None:
    """So few of the group are well that none may be spared."""
    world.sick |= {world.rng.choice(["web-3", "web-4"])}
    world.rule = replace(world.rule, at_most=1.0, keep=(3, "web"))


def cut_off(world: World) -> None:
    """The monitor itself reaches nobody."""
    world.changes["witness"] = witness([DEAF])


def downtime(world: World) -> None:
    """The monitoring system says that it is planned."""
    said = world.rng.choice(["DOWNTIME", "1", "acknowledged by ops"])
    world.changes["suppressed"] = lambda result: said


def paused(world: World) -> None:
    """Somebody has paused healing, a while ago."""
    pause(world.session.state, 2 * HOUR, world.now - world.rng.uniform(0, HOUR))


def stale(world: World) -> None:
    """The report is an old one."""
    world.age = world.rng.uniform(601, 6 * HOUR)


def set_back(world: World) -> None:
    """The clock is set back by an hour: what was seen lies in the future."""
    world.age = -HOUR + world.rng.uniform(0, 1)


def deploys(world: World) -> None:
    """Somebody deploys, by the file that says so."""
    world.rule = replace(world.rule, freeze=(Freeze(file="deploying"),))
    (world.session.stack.folder / "deploying").touch()


def frozen(world: World) -> None:
    """The moment is within a freeze."""
    begin, end = (datetime.fromtimestamp(world.now + of, UTC).strftime("%H:%M") for of in (-2 * HOUR, 2 * HOUR))
    world.rule = replace(world.rule, freeze=(Freeze(window=f"{begin} - {end}"),))


def wrong_key(world: World) -> None:
    """No login: what is on the host is not known, and blocked by that."""
    name = next(iter(world.sick))
    world.state, world.blocked_by = "unknown", f"reachable@{name}"


def unknown(world: World) -> None:
    """The answer could not be read."""
    world.state = "unknown"


def nobody(world: World) -> None:
    """The stack has no such host any more."""
    world.changes["hosts"] = {}


def unconfirmed(world: World) -> None:
    """It is the first failure."""
    world.before = 0


def spent(world: World) -> None:
    """Every try of the budget is used, and none has helped."""
    world.helps, world.before, world.apart = False, 4, 5 * MINUTE


def unproven(world: World) -> None:
    """The rule rests on a proof that is not there."""
    world.rule = replace(world.rule, proof=Proof(drill="of-no-name"))


def on_production(world: World) -> None:
    """A rule without a proof, on production."""
    world.changes["production"] = True


def observing(world: World) -> None:
    """Nobody has said that it may act."""
    world.rule = replace(world.rule, mode=world.rng.choice(["observe", "propose"]))


#: Of each case the gates of which one must be named.
CASES: dict[str, tuple[Case, tuple[str, ...]]] = {
    "one cause": (one_cause, ("one cause",)),
    "half the group": (half, ("blast radius",)),
    "floor": (floor, ("floor",)),
    "monitor cut off (witness)": (cut_off, ("witness",)),
    "downtime (suppressed)": (downtime, ("suppressed",)),
    "paused": (paused, ("pause",)),
    "stale report": (stale, ("fresh",)),
    "clock back 1 h": (set_back, ("fresh",)),
    "deploy running": (deploys, ("change",)),
    "freeze": (frozen, ("change",)),
    "wrong key": (wrong_key, ("qualify",)),
    "unknown": (unknown, ("qualify",)),
    "empty target": (nobody, ("target",)),
    "not confirmed": (unconfirmed, ("confirm",)),
    "budget spent": (spent, ("budget", "given up")),
    "unproven": (unproven, ("proof",)),
    "unproven, production": (on_production, ("proof",)),
    "not auto": (observing, ("mode",)),
}


def drawn(session: Session, seed: str, case: Case | None) -> tuple[list[str], list[HealRecord]]:
    """Run what this seed draws, with a case or without; return the acts and the decisions."""
    _forget(session.state)
    (session.stack.folder / "deploying").unlink(missing_ok=True)
    rng = random.Random(seed)
    now = BEGIN + rng.uniform(0, 300 * 86400)
    world = World(session, rng, now, session.stack.heal[0], {rng.choice(["web-1", "web-2"])})
    if case is not None:
        case(world)
    records = world.run()
    return world.acts, records


def _forget(state: StateDir) -> None:
    """Take away what heals have left in the state directory: each run is the first."""
    for name in ("heal.jsonl", "counts.json", "events.jsonl", "pause.json", "lost.jsonl", "paged.json"):
        (state.path / name).unlink(missing_ok=True)
    for path in (state.path / "proposals").glob("*"):
        path.unlink()


def main() -> None:
    runs, folder = int(sys.argv[1]), Path(sys.argv[2])
    (folder / "features").mkdir(parents=True)
    (folder / "stack.yaml").write_text(STACK)
    (folder / "features" / "shop.feature").write_text(FEATURE)
    subprocess.run([Path(sys.executable).with_name("infratest"), "up"], cwd=folder, check=True, capture_output=True)
    session = Session(stack_path=folder / "stack.yaml")
    found = {}
    for name, (case, gates) in CASES.items():
        seen: dict[str, Any] = {"runs": runs, "acts": 0, "named": 0, "controls": 0, "reason": ""}
        for number in range(runs):
            seed = f"{name} {number}"
            acts, records = drawn(session, seed, case)
            closed = {one.name: one.reason for record in records for one in record.gates if not one.passed}
            tried = [one for one in records if one.outcome == "tried"]
            seen["acts"] += len(acts) + len(tried)
            named = [gate for gate in gates if gate in closed]
            seen["named"] += bool(named)
            seen["reason"] = seen["reason"] or (closed[named[0]] if named else f"none of {gates}: {closed}")
            acts, _ = drawn(session, seed, None)
            seen["controls"] += len(acts) == 1
        found[name] = seen
    print(json.dumps(found))


if __name__ == "__main__":
    main()
