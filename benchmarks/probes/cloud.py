"""A stack of N servers brought up and removed on the simulated cloud, by its clock: what it took, and which calls.

    python cloud.py up N LATENCY PENDING BOOT          N servers at once
    python cloud.py error RUNS LATENCY PENDING BOOT    ten servers, one of which ends in error; so many times
    python cloud.py steady N LATENCY PENDING BOOT      N servers one after the other, for as long as that takes

Prints one JSON object; the times are seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from infratest.errors import ProviderError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec
from infratest.providers.simulator.world import Call, per_kind, per_tick
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir

TICK = 0.5  # the shortest time between two questions to a provider (lifecycle/ready.py)
FEW, FAILS, SHIFT = 10, "web-7", 0.13
STRETCH = 30.0  # seconds, at the beginning and at the end of a long `up`


@dataclass(frozen=True)
class Times:
    """Seconds: of a call; until a server runs; until it answers from then."""

    latency: float
    pending: float
    boot: float


@dataclass
class Place:
    """A stack on a cloud of its own. `moments`: when a host came to a phase, first and last."""

    life: Lifecycle
    first: dict[tuple[str, str], float] = field(default_factory=dict)
    last: dict[tuple[str, str], float] = field(default_factory=dict)

    def calls(self) -> list[Call]:
        calls: list[Call] = self.life.provider.cloud.world.calls()  # type: ignore[attr-defined]
        return calls

    def tell(self, host: str, phase: str, words: str) -> None:
        moment = self.life.clock.time()
        self.first.setdefault((host, phase), moment)
        self.last[host, phase] = moment


@contextmanager
def place(count: int, times: Times, jobs: int = 0, **options: object) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = {key: f"{value}s" for key, value in vars(times).items()}
        stack = StackFile(
            name="bench",
            path=folder / "stack.yaml",
            folder=folder,
            provider="simulator",
            provider_options=given | options,
            hosts=tuple(HostSpec(name=f"web-{number}") for number in range(1, count + 1)),
        )
        more = {"jobs": jobs} if jobs else {}
        life = Lifecycle(stack, StateDir(folder / "state"), progress=lambda *told: here.tell(*told), **more)
        here = Place(life)
        yield here


def at_once(count: int, times: Times) -> dict[str, float]:
    """Return seconds and calls of an `up`, and how late the last but 5 % of its hosts were seen to be ready."""
    with place(count, times) as here:
        began = here.life.clock.time()
        up(here.life)
        took = here.life.clock.time() - began
        calls = here.calls()
        names = [spec.name for spec in here.life.stack.hosts]
        due = [here.last[name, "made"] - times.latency + times.pending + times.boot for name in names]
        late = [here.last[name, "ready"] - each for name, each in zip(names, due, strict=True)]
        destroy(here.life)
        kinds = per_kind(calls)
        return {
            "took": took,
            "calls": len(calls),
            "creates": kinds["create"],
            "listings": kinds["list"],
            "in a tick": per_tick(calls, "list", TICK / 2),
            "late": high(late),
        }


def of_errors(runs: int, times: Times) -> dict[str, float]:
    """Return how late a server that ends in error was seen, of the last but 5 %: in an answer, and by an undo begun.

    Each run has a little more time until the error, so that it falls anywhere between two questions.
    """
    answers, undos = [], []
    for number in range(runs):
        varied = Times(times.latency, times.pending + number * SHIFT, times.boot)
        with place(FEW, varied, error=[FAILS]) as here:
            try:
                up(here.life)
            except ProviderError:
                due = here.last[FAILS, "made"] - varied.latency + varied.pending
                asked = min(one.time for one in here.calls() if one.call == "list" and one.time >= due)
                answers.append(asked + varied.latency - due)
                undos.append(min(when for (_, phase), when in here.first.items() if phase == "removing") - due)
    return {"runs": runs, "seen": len(answers), "late": high(answers), "undo": high(undos)}


def steadily(count: int, times: Times) -> dict[str, float]:
    """Return servers and calls a second while servers are asked for one after the other: at first and at last."""
    with place(count, times, jobs=1) as here:
        up(here.life)
        creates = [one.time for one in here.calls() if one.call == "create" and one.name.startswith("web-")]
        first, last = creates[0], creates[-1]
        calls = [one.time for one in here.calls()]
        return {
            "seconds": last - first,
            "servers a second": (len(creates) - 1) / (last - first),
            "calls a second at first": sum(first <= when < first + STRETCH for when in calls) / STRETCH,
            "calls a second at last": sum(last - STRETCH <= when < last for when in calls) / STRETCH,
            "calls a second while they boot": sum(when > last for when in calls) / (max(calls) - last),
        }


def high(values: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


if __name__ == "__main__":
    work = {"up": at_once, "error": of_errors, "steady": steadily}[sys.argv[1]]
    print(json.dumps(work(int(sys.argv[2]), Times(*map(float, sys.argv[3:])))))
