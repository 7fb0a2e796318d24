"""The lifecycle on the simulated cloud as a state machine: verbs, faults, crashes and jumps of the clock in any order.

Two state directories share an account with somebody else. In the end `reap`: nothing is left, nothing was made twice,
nothing foreign was touched, and what is live stays.

The short form draws few runs, always the same; the long one, of `./run test-machines`, draws a thousand, other ones
each time (`INFRATEST_MACHINE_RUNS` says how many). A run that fails is printed as lines; committed as a file in
`scenarios/` they are replayed for ever. The last seed that is printed is that of the ten runs among which it was:
`INFRATEST_MACHINE_SEED=... INFRATEST_MACHINE_RUNS=10` tries these once more.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test, initialize, rule

from tests.lifecycle.account import Account, quiet_deaths

RUNS = int(os.environ.get("INFRATEST_MACHINE_RUNS", "1000"))  # of the long form
SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("*.txt"))

STATES = st.sampled_from("ab")
HOSTS = st.sampled_from(["db", "web-1", "web-2"])
VERBS = (
    ["up"] * 8
    + ["destroy"] * 2
    + ["reap", "expired", "status", "halt", "suspend", "resume", "reboot", "rebuild", "save"]
)
WHOLE = ("reap", "expired", "status")  # of the whole stack
SOME = st.just([]) | st.lists(HOSTS, max_size=2, unique=True)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "lose": st.sampled_from([["20 %"], ["50 % create"], ["create db"], ["destroy"]]),
        "throttle": st.sampled_from([["20 %"], ["50 % create"], ["create web-1"]]),
        "unavailable": st.sampled_from([["20 %"], ["50 % list"]]),
        "refuse": st.sampled_from(
            [["create web-2"], ["create web-1"], ["destroy web-1"], ["10 %"], ["list"], ["fit"], ["create front"]]
        ),
        "quota": st.sampled_from([4, 5]),
    },
)
SERVERS = st.fixed_dictionaries(
    {},
    optional={
        "error": st.sampled_from([["web-1"], ["30 %"]]),
        "zombie": st.sampled_from([["db"], ["50 %"]]),
        "vanish": st.sampled_from([["web-1"], ["30 %"]]),
        "forget": st.sampled_from([["db"], ["60 %"]]),
    },
)
#: None: they stay as they are.
FAULTS = st.none() | st.builds(lambda one, other: one | other, CALLS, SERVERS)
CRASH = st.none() | st.integers(1, 40) | st.integers(1, 130)
#: What happens before a verb: mostly nothing.
BEFORE = st.just("") | st.just("") | st.sampled_from(
    [
        "wait 30", "wait 3600", "wait 90000", "remove {state} db", "remove {state} web-1",
        "stack {state} db", "stack {state} web-1 web-2", "stack {state} db web-1 web-2",
    ]
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    """One run: its rules are the lines of tests/lifecycle/account.py."""

    def __init__(self) -> None:
        super().__init__()
        # In memory: each record of a journal is put on the disk, which a disk that is busy takes its time for.
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self._folder = tempfile.TemporaryDirectory(prefix="infratest-machine-", dir=memory)
        self.account = Account(Path(self._folder.name))
        self._dead = quiet_deaths()
        self._dead.__enter__()

    def do(self, line: str) -> None:
        try:
            self.account.do(line)
        except BaseException:
            note(scenario(self.account))
            raise

    @initialize(lag=st.sampled_from(["30s", "0s", "5s"]), seed=st.integers(0, 999), components=st.booleans())
    def begin(self, lag: str, seed: int, components: bool) -> None:
        self.do(f"cloud {json.dumps({'lag': lag, 'seed': seed})}")
        for state in "ab":
            self.do(f"stack {state} db web-1 web-2")
        if components:
            self.do("components a")

    @rule(state=STATES, before=BEFORE, verb=st.sampled_from(VERBS), names=SOME, faults=FAULTS, crash=CRASH)
    def verb(
        self,
        state: str,
        before: str,
        verb: str,
        names: list[str],
        faults: dict[str, object] | None,
        crash: int | None,
    ) -> None:
        if before:
            self.do(before.format(state=state))
        if faults is not None:
            self.do(f"faults {json.dumps(faults)}")
        if crash is not None:
            self.do(f"crash {crash}")
        declared = [name for name in names if name in self.account.declared(state) and verb not in WHOLE]
        self.do(" ".join([verb, state, *declared]))

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


def scenario(account: Account) -> str:
    """Return a run as a file in scenarios/ has it."""
    return "\n".join(["As a scenario, to be committed as tests/lifecycle/scenarios/NAME.txt:", "", *account.lines, ""])


def ten_runs(number: int) -> None:
    """Try ten runs, the same for the same number.

    No more, for Hypothesis draws most of the further ones by repeating a part of one before, in the same cloud.
    """
    how = settings(
        max_examples=10,
        stateful_step_count=12,
        deadline=None,
        database=None,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    print(f"INFRATEST_MACHINE_SEED={number}")
    seed(number)(get_state_machine_test(Machine, settings=how))()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(5))
def test_whatever_happens_nothing_is_left_and_nothing_is_made_twice(number: int) -> None:
    ten_runs(number)


@pytest.mark.machines
@pytest.mark.timeout(7200)
def test_the_same_a_thousand_times() -> None:
    first = int(os.environ.get("INFRATEST_MACHINE_SEED", "") or secrets.randbelow(10**9))
    for number in range(first, first + RUNS // 10):
        ten_runs(number)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path) -> None:
    """What once went wrong."""
    account = Account(tmp_path)
    with quiet_deaths():
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                account.do(line)
        account.end()
