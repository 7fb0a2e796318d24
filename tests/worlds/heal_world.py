"""A small world to heal in: hosts that are sick or well as the test says, a clock that the test moves, acts on record.

Used by tests/heal. The world is what the engine is given from outside (hosts, provisioning, running again); the engine,
its gates, its remedies and the state directory are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.heal.gates import Limits
from infratest.heal.healing import heal
from infratest.heal.means import Means
from infratest.heal.records import HealRecord
from infratest.hosts import Host
from infratest.model import Report, Result, StepResult
from infratest.remedies.base import Surroundings
from infratest.stack.declared import AUTO, HealRule
from infratest.store.directory import StateDir
from infratest.transports.base import Transport
from infratest.transports.local import Local

NOON = 1_800_000_000.0
QUICK = Limits(settle=0.0)


def rfc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def result_id(host: str, scenario: str = "nginx-answers") -> str:
    return f"features/web.feature#{scenario}@{host}"


def make_result(state: str, host: str = "web-1", **changes: Any) -> Result:
    fields: dict[str, Any] = {
        "id": result_id(host),
        "feature": "features/web.feature",
        "scenario": "nginx answers",
        "line": 7,
        "host": host,
        "state": state,
        "reason": "" if state == "ok" else "port 80 is not listening",
        "groups": ["web"],
        "tags": ["web"],
        "steps": [StepResult("port 80 is listening", 9, state, "" if state == "ok" else "port 80 is not listening")],
    }
    return Result(**fields | changes)


def make_report(results: Sequence[Result], at: float = NOON, env: str = "prod") -> Report:
    return Report("shop", env, rfc(at), 0.04, results)


def make_rule(**changes: Any) -> HealRule:
    fields: dict[str, Any] = {
        "name": "mend-web",
        "when_tags": "@web",
        "confirm": 1,
        "do": (("provision", {}),),
        "mode": AUTO,
        "at_most": 1.0,
        "where": "stack.yaml:12",
    }
    return HealRule(**fields | changes)


def make_hosts(*names: str, groups: tuple[str, ...] = ("web",)) -> dict[str, Host]:
    return {name: Host(name=name, groups=groups, transport="local") for name in names}


def surroundings(folder: Path, transport: Transport | None = None, **environment: str) -> Surroundings:
    return Surroundings(
        host=Host(name="web-1", groups=("web",), transport="local"),
        transport=transport,
        folder=folder,
        provision=lambda name, deadline: f"provisioned {name}",
        environment=environment,
    )


def open_local(host: Host, deadline: Deadline) -> Transport:
    transport = Local(host)
    transport.open(deadline)
    return transport


@dataclass
class World:
    """What the engine acts on. `state_of` says what a look at a host finds; provisioning is the act, kept in `acts`."""

    folder: Path
    hosts: dict[str, Host] = field(default_factory=lambda: make_hosts("web-1"))
    now: float = NOON
    sick: set[str] = field(default_factory=set)
    acts: list[tuple[float, str]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    helps: bool = True
    on_act: Callable[[str], None] = lambda name: None
    look: Callable[[str], Result] | None = None
    limits: Limits = QUICK
    proof: tuple[bool, str] = (True, "proven on dev by drill killed-nginx")
    trust: tuple[str, str] = (AUTO, "granted by alice(1000)@desk")
    lost: list[str] = field(default_factory=list)

    def provision(self, name: str, deadline: Deadline) -> str:
        self.acts.append((self.now, name))
        self.on_act(name)
        if self.helps:
            self.sick.discard(name)
        return "changed 1"

    def rerun(self, ids: Sequence[str]) -> Report:
        self.looks += ids
        return make_report([self.result(id.rpartition("@")[2], id) for id in ids], self.now)

    def result(self, host: str, id: str = "") -> Result:
        if self.look is not None:
            return self.look(host)
        return make_result("critical" if host in self.sick else "ok", host, id=id or result_id(host))

    def report(self) -> Report:
        return make_report([self.result(host) for host in sorted(self.hosts)], self.now)

    def means(self, **changes: Any) -> Means:
        fields: dict[str, Any] = {
            "hosts": self.hosts,
            "folder": self.folder,
            "open_transport": open_local,
            "provision": self.provision,
            "rerun": self.rerun,
            "proven": lambda rule: self.proof,
            "trusted": lambda rule: self.trust,
            "planned": unplanned,
            "lost": lambda rule, why: self.lost.append(why),
            "clock": lambda: self.now,
            "limits": self.limits,
            "marks": str(self.folder),
        }
        return Means(**fields | changes)


def unplanned(feature: str) -> Sequence[str]:
    """Say that nobody knows which scenarios a feature has: there are no files in this world."""
    raise UserError(f"{feature}: no such feature")


def run(world: World, state: StateDir, rule: HealRule, **settings: Any) -> list[HealRecord]:
    """Check once, a minute after the last time, and heal."""
    world.now += 60
    return heal(world.report(), [rule], state, world.means(), history={}, **settings)


def ending_with_the_act(world: World) -> Deadline:
    """Return the deadline of a run that has no time left once it has acted, however fast this machine is."""
    gone, before = [0.0], world.on_act

    def acts(name: str) -> None:
        before(name)
        gone[0] = 60.0

    world.on_act = acts
    return Deadline(60.0, lambda: gone[0])


def events(state: StateDir) -> list[str]:
    return [record["event"] for record in state.read("heal.jsonl")]


def closed(record: HealRecord) -> list[str]:
    return [answer.name for answer in record.gates if not answer.passed]


class Ticking:
    """A clock that goes on a little with each look."""

    def __init__(self, start: float, tick: float) -> None:
        self.now, self.tick = start, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now
