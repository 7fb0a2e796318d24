"""The simulated cloud: what its faults do, that its time is its own, and that another process finds it as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.hosts import FAILED, GONE, PAUSED, RUNNING, STARTING, STOPPED
from infratest.providers.base import Resource
from infratest.providers.simulator import Simulator
from infratest.providers.simulator.clock import VirtualClock
from infratest.providers.simulator.world import per_kind, per_name, per_tick
from infratest.testing.providers import Case, case_of


def simulated(folder: Path, **options: object) -> Case:
    return case_of("simulator", folder, options)


def provider(case: Case) -> Simulator:
    assert isinstance(case.provider, Simulator)
    return case.provider


def server(case: Case, name: str = "one") -> Resource:
    return next(each for each in case.made if each.name == name)


def wait(case: Case, seconds: float) -> None:
    case.provider.clock.sleep(seconds)


# Its time


def test_a_hundred_threads_that_wait_ten_seconds_end_after_ten_seconds_of_it() -> None:
    clock = VirtualClock(1000.0)
    workers, began = clock.workers(), monotonic()
    for number in range(100):
        workers.begin(number, lambda: clock.sleep(10.0))
    ended = {workers.ended(60.0) for _ in range(100)}
    assert ended == set(range(100))
    assert clock.time() == 1010.0
    assert monotonic() - began < 10.0


def test_a_thread_that_works_holds_the_time() -> None:
    clock = VirtualClock(0.0)
    workers, moments = clock.workers(), []

    def work() -> None:
        for _ in range(3):
            clock.sleep(2.0)
            moments.append(clock.time())

    workers.begin(0, work)
    assert workers.ended(5.0) is None
    assert moments == [2.0, 4.0]
    assert workers.ended(60.0) == 0
    assert moments == [2.0, 4.0, 6.0]
    assert clock.time() == 6.0


def test_who_waits_for_an_end_waits_no_longer_than_told() -> None:
    clock = VirtualClock(0.0)
    assert clock.workers().ended(7.0) is None
    assert clock.time() == 7.0


def test_a_server_starts_runs_and_answers_at_its_times(tmp_path: Path) -> None:
    case = simulated(tmp_path, latency="0s", pending="5s", boot="15s")
    began = case.provider.clock.time()
    case.make()
    assert case.states() == [STARTING, STARTING]
    wait(case, 4.9)
    assert case.states() == [STARTING, STARTING]
    wait(case, 0.2)
    assert case.states() == [RUNNING, RUNNING]
    assert [host.options.get("fail") for host in case.hosts()] == [{"open": "unreachable"}] * 2
    wait(case, 15.0)
    assert [host.options.get("fail") for host in case.hosts()] == [None, None]
    assert case.provider.clock.time() - began == pytest.approx(20.1)


def test_by_the_real_clock_a_call_takes_real_time(tmp_path: Path) -> None:
    case = simulated(tmp_path, clock="real", latency="50ms", pending="0s", boot="0s", removing="0s")
    began = monotonic()
    case.make()
    assert monotonic() - began >= 0.1
    assert case.states() == [RUNNING, RUNNING]


# Its world


def test_another_process_finds_the_same_cloud_at_the_same_time(tmp_path: Path) -> None:
    case = simulated(tmp_path, latency="1s")
    case.make()
    wait(case, 3600.0)
    assert case.states() == [RUNNING, RUNNING]
    program = """
import sys
from pathlib import Path
from infratest.testing.providers import case_of
case = case_of("simulator", Path(sys.argv[1]), {"latency": "1s"})
print(sorted(each.id for each in case.mine()), round(case.provider.clock.time()))
"""
    out = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True).stdout
    assert out == f"{sorted(each.id for each in case.made)} {round(case.provider.clock.time())}\n"


def test_calls_are_counted_by_kind_name_and_tick(tmp_path: Path) -> None:
    case = simulated(tmp_path, latency="0s")
    case.make()
    case.hosts()
    wait(case, 10.0)
    case.hosts()
    case.provider.halt(server(case), case.deadline())
    calls = provider(case).cloud.world.calls()
    assert per_kind(calls) == {"create": 3, "list": 2, "halt": 1}
    assert per_name(calls) == {"contract": 1, "one": 2, "two": 1, "": 2}
    assert per_tick(calls, "list", 1.0) == 1
    assert per_tick(calls, "list", 60.0) == 2


def test_the_same_seed_has_the_same_faults(tmp_path: Path) -> None:
    answers = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        case = simulated(tmp_path / folder, seed=seed, throttle=["50 % list"], spread=1.0)
        case.make()
        for _ in range(20):
            case.hosts()
        answers.append([one.answer for one in provider(case).cloud.world.calls() if one.call == "list"])
    assert answers[0] == answers[1] != answers[2]
    assert {"ok", "Busy"} == {*answers[0]}


# Its faults


def test_a_lost_reply_makes_nothing_twice(tmp_path: Path) -> None:
    case = simulated(tmp_path, lose=["first create"], lag="9s")
    case.make()
    wait(case, 10.0)
    assert sorted(each.name for each in case.mine()) == ["contract", "one", "two"]
    assert {each.id for each in case.mine()} == {each.id for each in case.made}


def test_what_was_lost_and_not_found_before_the_deadline_is_said_to_be_unknown(tmp_path: Path) -> None:
    case = simulated(tmp_path, lose=["create", "list"])
    ((network,), _) = case.provider.requests(case.specs, case.lease)
    with pytest.raises(ProviderError, match="simulator: list: the connection ended before the reply"):
        case.provider.create(network, Deadline(30, case.provider.clock.monotonic))


def test_a_server_ends_in_error_with_the_clouds_reason(tmp_path: Path) -> None:
    case = simulated(tmp_path, error=["two"], pending="3s")
    case.make()
    wait(case, 5.0)
    hosts = case.hosts()
    assert [host.state for host in hosts] == [RUNNING, FAILED]
    assert [host.reason for host in hosts] == ["", "no valid host was found: there is not enough room"]
    assert case.provider.console(server(case, "two"), case.deadline()).text == f"{hosts[1].reason}\n"  # type: ignore[attr-defined]


def test_a_server_is_removed_by_somebody_else(tmp_path: Path) -> None:
    case = simulated(tmp_path, vanish=["one"])
    case.make()
    case.answer()
    wait(case, 61.0)
    assert case.states() == [GONE, RUNNING]
    with pytest.raises(ProviderError, match="cannot halt one: it does not exist; `infratest up` makes it"):
        provider(case).halt(server(case), case.deadline())
    case.provider.destroy(server(case), case.deadline())


def test_a_zombie_is_removed_twice(tmp_path: Path) -> None:
    case = simulated(tmp_path, zombie=["one"])
    case.make()
    case.provider.destroy(server(case), case.deadline())
    calls = [one.call for one in provider(case).cloud.world.calls() if one.name == "one"]
    assert calls.count("destroy") == 2
    assert sorted(each.name for each in case.mine()) == ["contract", "two"]


def test_a_network_in_use_is_removed_when_its_last_host_is_gone(tmp_path: Path) -> None:
    case = simulated(tmp_path)
    case.make()
    network = server(case, "contract")
    with pytest.raises(ProviderError, match="not gone before the deadline: network network-0001 is in use by one, two"):
        case.provider.destroy(network, Deadline(5, case.provider.clock.monotonic))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quota": 1}, r"simulator: create host \w+: quota: 1 of 1 servers are there already"),
        ({"refuse": ["create two"]}, r"simulator: create host two: 403: refused"),
        ({"throttle": ["create two"]}, r"create host two: refused until the deadline: 429"),
        ({"unavailable": ["create two"]}, r"create host two: refused until the deadline: 503"),
    ],
)
def test_what_is_refused_says_why(tmp_path: Path, options: dict[str, object], words: str) -> None:
    case = simulated(tmp_path, **options)
    with pytest.raises(ProviderError, match=words):
        case.make()
    case.remove()
    assert case.mine() == []


def test_what_is_suspended_goes_on_without_a_boot_and_what_was_halted_boots(tmp_path: Path) -> None:
    case = simulated(tmp_path, latency="0s")
    case.make()
    case.answer()
    clock = case.provider.clock
    provider(case).suspend(server(case), case.deadline())
    assert case.states()[0] == PAUSED
    before = clock.time()
    provider(case).start(server(case), case.deadline())
    case.answer()
    assert clock.time() == before
    provider(case).halt(server(case), case.deadline())
    assert case.states()[0] == STOPPED
    provider(case).start(server(case), case.deadline())
    case.answer()
    assert clock.time() >= before + 15.0


@pytest.mark.parametrize(
    ("option", "entry", "words"),
    [
        ("lose", "101 %", "lose: '101 %': a chance is from 0 to 100 %"),
        ("lose", "creat", "lose: unknown call 'creat': did you mean 'create'?"),
        (
            "throttle",
            "10 % list db now",
            r"throttle: '10 % list db now' is not \[first\] \[CHANCE %\] \[CALL \[NAME\]\]",
        ),
        ("error", "10 % a b", r"error: '10 % a b' is not \[first\] \[CHANCE %\] \[NAME\]"),
        ("forget", "", "forget: '' is not"),
    ],
)
def test_a_fault_that_cannot_be_read_is_refused(tmp_path: Path, option: str, entry: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        simulated(tmp_path, **{option: [entry]})


@pytest.mark.parametrize("text", ["", "[]", "{", '{"items": {"a": {"no": 1}}}', '{"later": 1}'])
def test_a_world_that_is_damaged_says_so(tmp_path: Path, text: str) -> None:
    case = simulated(tmp_path)
    case.make()
    (world,) = tmp_path.rglob("world.json")
    world.write_text(text)
    with pytest.raises(ProviderError, match=r"world\.json is damaged .*; remove it, and with it all that is simulated"):
        provider(case).existing(Deadline(5.0))
    assert world.read_text() == text
