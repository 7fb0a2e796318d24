"""The lifecycle on the simulated cloud as a state machine: verbs, faults, crashes and jumps of the clock in any order.

Two state directories share an account with somebody else. In the end `reap`: nothing is left, nothing was made twice,
nothing foreign was touched, and what is live stays.

The short form draws few runs, always the same. `INFRATEST_MACHINE_RUNS=1000` draws so many, other ones each time. A run
that fails is printed as lines; committed as a file in `scenarios/` they are replayed for ever.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.lifecycle.account import Account, quiet_deaths

RUNS = int(os.environ.get("INFRATEST_MACHINE_RUNS", "0"))
SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("*.txt"))

STATES = st.sampled_from("ab")
HOSTS = st.sampled_from(["db", "web-1", "web-2"])
SOME = st.lists(HOSTS, max_size=2, unique=True)
FAULTS = st.fixed_dictionaries(
    {},
    optional={
        "lose": st.sampled_from([["first create"], ["first destroy"], ["20 %"], ["50 % create"]]),
        "throttle": st.sampled_from([["20 %"], ["50 % create"], ["create web-1"]]),
        "unavailable": st.sampled_from([["20 %"], ["50 % list"]]),
        "refuse": st.sampled_from([["10 %"], ["create web-2"], ["destroy web-1"], ["list"]]),
        "error": st.sampled_from([["web-1"], ["first web-2"], ["30 %"]]),
        "zombie": st.sampled_from([["first"], ["50 %"]]),
        "vanish": st.sampled_from([["web-1"], ["30 %"]]),
        "forget": st.sampled_from([["first"], ["30 %"]]),
        "quota": st.sampled_from([3, 4]),
    },
)


class Machine(RuleBasedStateMachine):
    """One run: its rules are the lines of tests/lifecycle/account.py."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="infratest-machine-")
        self.account = Account(Path(self._folder.name))
        self._dead = quiet_deaths()
        self._dead.__enter__()

    def do(self, line: str) -> None:
        try:
            self.account.do(line)
        except BaseException:
            note(scenario(self.account))
            raise

    @initialize(lag=st.sampled_from(["0s", "5s", "30s"]), seed=st.integers(0, 99))
    def begin(self, lag: str, seed: int) -> None:
        self.do(f"cloud {json.dumps({'lag': lag, 'seed': seed})}")
        for state in "ab":
            self.do(f"stack {state} db web-1 web-2")

    @rule(state=STATES, names=st.lists(HOSTS, min_size=1, unique=True))
    def stack(self, state: str, names: list[str]) -> None:
        self.do(f"stack {state} {' '.join(names)}")

    @rule(faults=FAULTS)
    def faults(self, faults: dict[str, object]) -> None:
        self.do(f"faults {json.dumps(faults)}")

    @rule(state=STATES, crash=st.none() | st.integers(1, 60))
    def up(self, state: str, crash: int | None) -> None:
        self._verb(f"up {state}", crash)

    @rule(
        state=STATES, verb=st.sampled_from(["destroy", "halt", "up"]), names=SOME, crash=st.none() | st.integers(1, 40)
    )
    def change(self, state: str, verb: str, names: list[str], crash: int | None) -> None:
        declared = [name for name in names if name in self.account.declared(state)]
        self._verb(" ".join([verb, state, *declared]), crash)

    @rule(state=STATES, verb=st.sampled_from(["reap", "expired", "status"]), crash=st.none() | st.integers(1, 30))
    def tidy(self, state: str, verb: str, crash: int | None) -> None:
        self._verb(f"{verb} {state}", crash)

    @rule(state=STATES, verb=st.sampled_from(["suspend", "snapshot"]), name=HOSTS)
    def other(self, state: str, verb: str, name: str) -> None:
        self.do(f"{verb} {state} {name}")

    @rule(state=STATES, name=HOSTS)
    def remove(self, state: str, name: str) -> None:
        self.do(f"remove {state} {name}")

    @rule(seconds=st.sampled_from([1, 30, 3600, 90000]))
    def wait(self, seconds: int) -> None:
        self.do(f"wait {seconds}")

    def teardown(self) -> None:
        try:
            if self.account.lines:
                self.account.end()
        except BaseException:
            note(scenario(self.account))
            raise
        finally:
            self._dead.__exit__(None, None, None)
            self._folder.cleanup()

    def _verb(self, line: str, crash: int | None) -> None:
        if crash is not None:
            self.do(f"crash {crash}")
        self.do(line)


def scenario(account: Account) -> str:
    """Return a run as a file in scenarios/ has it."""
    return "\n".join(["As a scenario, to be committed as tests/lifecycle/scenarios/NAME.txt:", "", *account.lines, ""])


def form(runs: int) -> settings:
    """Return how many runs are drawn: always the same ones in the short form."""
    return settings(
        max_examples=runs or 30,
        stateful_step_count=12,
        derandomize=not runs,
        deadline=None,
        database=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.timeout(7200 if RUNS else 300)
def test_whatever_happens_nothing_is_left_and_nothing_is_made_twice() -> None:
    run_state_machine_as_test(Machine, settings=form(RUNS))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path) -> None:
    """What once went wrong."""
    account = Account(tmp_path)
    with quiet_deaths():
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                account.do(line)
        account.end()
