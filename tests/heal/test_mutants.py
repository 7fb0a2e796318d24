"""Each gate answering "pass", whatever it is asked: a mutant that a situation of its own must catch, by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infratest.heal.gates import GATES, Changes, Seen
from infratest.store.failures import Row
from tests.heal.test_gates import ALLOWED, HOUR, MINUTE, NOON, PROVEN, RESULT, RULE, history, tried, under_way
from tests.worlds.heal_world import make_hosts, make_result, make_rule

#: For each gate a situation in which it alone refuses: without it, there would be an act.
ALONE: dict[str, dict[str, Any]] = {
    "qualify": {"rule": make_rule(when_state="warning"), "row": Row(state="critical", failures=2, last=NOON - 5)},
    "fresh": {"row": ALLOWED.row.changed(last=NOON - 1)},
    "target": {"result": make_result("critical", host="-")},
    "confirm": {"row": ALLOWED.row.changed(failures=1)},
    "suppressed": {"suppressed": "DOWNTIME"},
    "pause": {"paused": NOON + HOUR},
    "witness": {"witness": (False, "none of the monitor's witnesses answers")},
    "seen": {"unseen": ("web-2",)},
    "one cause": {
        "hosts": make_hosts("web-1") | make_hosts("db-1", groups=("data",)) | make_hosts("lb-1", groups=("edge",)),
        "history": {
            name: Seen(host=name, state="critical", time=NOON - 5, since=NOON - 65)
            for name in ("web-1", "db-1", "lb-1")
        },
    },
    "blast radius": {"history": history(4)},
    "floor": {"rule": make_rule(keep=(10, "web"))},
    "concurrency": {"tries": tried(30, rule="other", ended=False)},
    "settling": {"settling": NOON + MINUTE},
    "together": {"rule": make_rule(confirm=2, together=1), "begun": under_way(12)},
    "budget": {"tries": tried(50 * MINUTE, 40 * MINUTE, 30 * MINUTE)},
    "group budget": {
        "rule": make_rule(group=(2, HOUR)),
        "tries": [replace(one, host=name, verified=True) for name in ("web-2", "web-3") for one in tried(50 * MINUTE)],
    },
    "wait": {"tries": tried(9)},
    "time": {"left": 0.0},
    "fence": {"fence": (False, "it is starting by its provider's word, which is not stopped")},
    "proof": {"rule": PROVEN, "proof": (False, "since then was changed: an image")},
    "trust": {"trust": ("propose", "lost")},
    "change": {"changes": Changes(locks=("somebody deploys",))},
    "mode": {"rule": make_rule(mode="propose")},
}


def closed(changes: dict[str, Any], mutant: str = "") -> list[str]:
    """Return the gates that refuse; the mutant passes whatever it is asked."""
    situation = replace(ALLOWED, **{name: one for name, one in changes.items() if name not in ("rule", "result")})
    rule, result = changes.get("rule", RULE), changes.get("result", RESULT)
    return [name for name, gate in GATES.items() if name != mutant and not gate(rule, result, situation)[0]]


def test_there_is_a_mutant_of_every_gate() -> None:
    assert list(ALONE) == list(GATES)


@pytest.mark.parametrize("gate", [name for name in ALONE if name != "target"])
def test_a_gate_refuses_alone_and_its_mutant_would_act(gate: str) -> None:
    assert closed(ALONE[gate]) == [gate]
    assert closed(ALONE[gate], mutant=gate) == []


def test_a_result_of_no_host_is_refused_by_two_gates() -> None:
    assert closed(ALONE["target"]) == ["target", "blast radius"]
