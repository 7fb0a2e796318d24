"""What verbs conclude from a cloud that forgets, lags, loses replies and gives up servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import FAILED, GONE, RUNNING, Host
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.login_key import ATTEMPT
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.ready import Awaited, Waiting
from infratest.lifecycle.reap import find, reap
from infratest.lifecycle.status import status
from infratest.lifecycle.stopping import Stop
from infratest.lifecycle.up import up
from infratest.providers._scripted import answering
from infratest.providers.base import HostSpec
from infratest.providers.simulator import Simulator
from infratest.providers.simulator.clock import VirtualClock
from infratest.providers.simulator.world import DELETED, per_kind, per_name, per_tick
from infratest.stack.declared import StackFile
from infratest.stack.open import open_hosts
from infratest.store.directory import StateDir

Verb = Callable[[Lifecycle], object]


class Place:
    """A stack on the simulated cloud; `options` are the cloud's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[float, str, str, str]] = []

    def life(self, *names: str, state: str = "state", **options: object) -> Lifecycle:
        stack = StackFile(
            name="shop",
            path=self.folder / "stack.yaml",
            folder=self.folder,
            provider="simulator",
            provider_options={"world": "world", **options},
            hosts=tuple(HostSpec(name=name) for name in names or ("db", "web")),
        )
        life = Lifecycle(stack, StateDir(self.folder / state), progress=lambda *told: self.tell(life, *told))
        return life

    def tell(self, life: Lifecycle, name: str, phase: str, words: str) -> None:
        self.told.append((life.clock.time(), name, phase, words))

    def when(self, name: str, phase: str) -> float:
        return next(time for time, who, what, _ in self.told if (who, what) == (name, phase))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def provider(life: Lifecycle) -> Simulator:
    assert isinstance(life.provider, Simulator)
    return life.provider


def there(life: Lifecycle) -> dict[str, str]:
    """Id -> name of all that exists, by the cloud's own word."""
    with provider(life).cloud.world.open(changes=False) as contents:
        return {id: one.name for id, one in contents.items.items() if one.state != DELETED}


def vanish(life: Lifecycle, name: str) -> None:
    """Have somebody else remove a server."""
    with provider(life).cloud.world.open() as contents:
        for id, one in list(contents.items.items()):
            if one.name == name and one.kind == "host":
                del contents.items[id]


# Listings that lag


def test_what_a_listing_does_not_show_yet_is_waited_for_and_made_once(place: Place) -> None:
    life = place.life(lag="40s")
    up(life)
    assert sorted(there(life).values()) == ["db", "shop", "web"]
    assert set(life.journal.live()) == set(there(life))


@pytest.mark.parametrize("seed", range(5))
def test_a_host_that_a_listing_forgets_for_a_while_is_not_made_again_nor_forgotten(place: Place, seed: int) -> None:
    up(place.life(seed=seed, lag="30s"))
    place.life().clock.sleep(60.0)
    for _ in range(3):
        life = place.life(seed=seed, lag="30s", forget=["60 %"])
        before = there(life)
        assert [host.state for host in status(life).hosts] == [RUNNING, RUNNING]
        assert halt(life, ["web"]) == ["web"]
        assert [host.state for host in up(life)] == [RUNNING, RUNNING]
        assert set(life.journal.live()) == set(before)
        assert there(life) == before


@pytest.mark.parametrize("seed", range(5))
def test_a_check_looks_again_for_a_host_that_a_listing_forgets(place: Place, seed: int) -> None:
    """The listing forgets it for a part of that time; one that is gone is told as that."""
    up(place.life(seed=seed, lag="30s"))
    place.life().clock.sleep(60.0)
    for _ in range(3):
        life = place.life(seed=seed, lag="30s", forget=["60 %"])
        assert [host.state for host in open_hosts(life.stack, life.state, Deadline(30.0))] == [RUNNING, RUNNING]
    vanish(life, "web")
    assert [host.state for host in open_hosts(life.stack, life.state, Deadline(30.0))] == [RUNNING, GONE]


def test_a_host_that_a_listing_forgets_is_not_said_to_be_gone_for_want_of_time(place: Place) -> None:
    up(place.life(lag="300s"))
    life = place.life(lag="300s", forget=["db"])
    life.clock.sleep(900.0)
    words = r"whether db exists is not known: a listing contradicts .* may be 5 min old; try again with more time"
    with pytest.raises(ProviderError, match=words):
        life.now(life.stack.hosts, life.limit(1.0))
    assert [host.state for host in life.now(life.stack.hosts, life.limit(600.0))] == [RUNNING, RUNNING]


@pytest.mark.parametrize("verb", [reap, halt])
def test_what_another_account_does_not_list_is_neither_removed_nor_forgotten(place: Place, verb: Verb) -> None:
    """Credentials of another account, at the same cloud: by its word nothing is there, for however long."""
    life = place.life()
    up(life)
    before, held = there(life), set(life.journal.live())
    world = place.folder / "world"
    world.rename(place.folder / "account")
    verb(place.life())
    world.unlink(missing_ok=True)
    (place.folder / "account").rename(world)
    assert there(life) == before
    assert set(life.journal.live()) == held
    assert [host.state for host in place.life().hosts()] == [RUNNING, RUNNING]


def test_destroy_forgets_what_somebody_else_removed(place: Place) -> None:
    life = place.life()
    up(life)
    vanish(life, "web")
    destroy(place.life(), ["web"])
    assert sorted(one.name for one in life.journal.live().values()) == ["db", "shop"]
    vanish(life, "db")
    destroy(place.life())
    assert life.journal.live() == there(life) == {}


def test_what_was_removed_and_is_listed_still_is_made_anew(place: Place) -> None:
    life = place.life(lag="30s")
    up(life)
    before = there(life)
    destroy(life)
    up(place.life(lag="30s"))
    assert sorted(there(life).values()) == ["db", "shop", "web"]
    assert not before.keys() & there(life).keys()


def test_an_undo_removes_what_no_listing_shows_yet(place: Place) -> None:
    life = place.life(lag="60s", refuse=["create web"])
    with pytest.raises(ProviderError, match=r"undone: .*host db"):
        up(life)
    assert there(life) == {}


def test_an_undo_without_time_to_wait_says_what_is_not_known(place: Place) -> None:
    life = place.life(lag="600s", refuse=["create web"])
    with pytest.raises(
        ProviderError, match=r"not undone: whether host web comes to exist is not known yet\nrun `infratest r"
    ):
        up(life)
    assert there(life) == {}


def test_what_an_operation_that_died_had_asked_for_is_waited_for(place: Place) -> None:
    life = place.life(lag="30s")
    with life.state.lock():
        operation = life.journal.begin("up", "shop", "")
        for request in [one for together in life.provider.requests(life.stack.hosts, life.lease()) for one in together]:
            operation.asked(request.kind, request.name)
            provider(life).cloud.create(request.kind, request.name, request.lease.labels(), "t")
    dead = place.life(lag="30s")
    assert sorted(one.resource.name for one in find(dead)) == ["db", "shop", "web"]
    assert reap(dead).left == ()
    assert there(dead) == {}
    assert dead.journal.records() == []


def test_anothers_of_the_same_name_is_no_answer_to_what_an_operation_that_died_had_asked_for(place: Place) -> None:
    up(place.life(state="others"))
    place.life().clock.sleep(60.0)
    others = there(place.life())
    life = place.life(lag="30s")
    with life.state.lock():
        operation = life.journal.begin("up", "shop", "")
        for request in [one for together in life.provider.requests(life.stack.hosts, life.lease()) for one in together]:
            operation.asked(request.kind, request.name)
            provider(life).cloud.create(request.kind, request.name, request.lease.labels(), "t")
    assert reap(place.life(lag="30s")).left == ()
    assert there(place.life()) == others


def test_nothing_is_waited_for_where_listings_do_not_lag(place: Place) -> None:
    life = place.life("db", latency="0s", pending="0s", boot="0s", removing="0s", refuse=["first create db"])
    with pytest.raises(ProviderError):
        up(life)
    began = life.clock.time()
    up(place.life("db", latency="0s", pending="0s", boot="0s"))
    assert life.clock.time() - began < 1.0


def test_where_a_listing_is_wrong_for_longer_than_it_may_be_the_first_is_removed_before_a_second_is_made(
    place: Place,
) -> None:
    up(place.life())
    life = place.life(lag="3000s", forget=["web"])
    life.provider.settles = 0.0
    with pytest.raises(ProviderError, match=r"web: gone before it had answered"):
        up(life)
    calls = [one.call for one in provider(life).cloud.world.calls() if one.name == "web" and one.answer == "ok"]
    assert [call for call in calls if call in ("create", "destroy")] == ["create", "destroy", "create", "destroy"]
    assert sorted(there(life).values()) == ["db", "shop"]


def test_a_booting_host_is_not_given_up_because_two_listings_far_apart_forgot_it(place: Place) -> None:
    """Two answers lie twenty seconds apart, and listings lag for five: in between it may have been listed."""
    clock = VirtualClock(0.0)
    forgot: list[float] = []

    def look(specs: Sequence[HostSpec]) -> list[Host]:
        clock.sleep(20.0 if len(forgot) == 1 else 0.2)
        forgot.append(clock.monotonic())
        state = GONE if len(forgot) < 4 else RUNNING
        return [Host(name=one.name, state=state, transport="fake", options=answering({})) for one in specs]

    waiting = Waiting(
        [Awaited(spec=HostSpec(name="db"), limit=Deadline(60.0, clock.monotonic))],
        look=look, settles=5.0, ready=None, jobs=1, failed=Stop(), clock=clock,
        say=lambda *words: None, answered=lambda one, host: None, refused=lambda host, limit: False,
        last_words=lambda name: "",
    )  # fmt: skip
    assert [(one.error, one.ended) for one in waiting.all()] == [(None, True)]


def test_a_host_that_knows_a_former_key_is_given_time_for_several_logins() -> None:
    """One with each former key, one with the present one, one that takes the others away: a slow host has them all."""
    clock, had = VirtualClock(0.0), list[float]()

    def look(specs: Sequence[HostSpec]) -> list[Host]:
        clock.sleep(0.2)
        options = answering({}) if had else {"fail": {"open": "access-refused"}}
        return [Host(name=one.name, state=RUNNING, transport="fake", options=options) for one in specs]

    def follow(host: Host, limit: Deadline) -> bool:
        had.append(limit.left)
        return True

    waiting = Waiting(
        [Awaited(spec=HostSpec(name="db"), limit=Deadline(600.0, clock.monotonic))],
        look=look, settles=5.0, ready=None, jobs=1, failed=Stop(), clock=clock,
        say=lambda *words: None, answered=lambda one, host: None, refused=follow, last_words=lambda name: "",
    )  # fmt: skip
    assert [(one.error, one.ended) for one in waiting.all()] == [(None, True)]
    assert had[0] > 10 * ATTEMPT


# Lost replies, zombies, 429


def test_lost_replies_make_nothing_twice(place: Place) -> None:
    life = place.life(lag="20s", lose=["first", "30 %"], throttle=["20 %"], unavailable=["10 %"])
    up(life)
    assert sorted(there(life).values()) == ["db", "shop", "web"]
    destroy(life)
    assert there(life) == {}


def test_a_zombie_is_removed_once_more(place: Place) -> None:
    life = place.life(zombie=["db"])
    up(life)
    destroy(life)
    assert there(life) == {}


# Servers that fail


def test_a_server_that_somebody_removed_is_made_anew_and_held_once(place: Place) -> None:
    life = place.life(lag="10s")
    up(life)
    vanish(life, "web")
    up(place.life(lag="10s"))
    assert sorted(there(life).values()) == ["db", "shop", "web"]
    assert set(life.journal.live()) == set(there(life))


def test_an_error_state_fails_its_host_within_a_tick_with_the_clouds_reason(place: Place) -> None:
    life = place.life(error=["web"], pending="30s", boot="300s", latency="0s")
    with pytest.raises(ProviderError, match=r"web: its provider gave it up: no valid host was found"):
        up(life)
    made = place.when("web", "made")
    assert place.when("web", "removing") - made <= 30.0 + 2.0
    assert there(life) == {}


def test_a_server_that_never_runs_is_late_by_the_deadline(place: Place) -> None:
    life = place.life(pending="3000s")
    with pytest.raises(ProviderError, match=r"its provider has not brought it to run within 1[78].. s"):
        up(life)
    assert there(life) == {}


def test_a_live_host_that_its_provider_gave_up_is_not_made_anew_by_itself(place: Place) -> None:
    life = place.life()
    up(life)
    with provider(life).cloud.world.open() as contents:
        broken = next(one for one in contents.items.values() if one.name == "web")
        broken.state, broken.reason = "error", "the machine under it broke"
    before = there(life)
    with pytest.raises(
        ProviderError, match=r"given up by its provider: web \(the machine under it broke\); `infratest de"
    ):
        up(place.life())
    assert there(life) == before
    assert [host.state for host in status(life).hosts] == [RUNNING, FAILED]
    destroy(place.life(), ["web"])
    assert [host.state for host in up(place.life())] == [RUNNING, RUNNING]
    vanish(life, "db")
    assert [host.state for host in place.life().hosts()] == [GONE, RUNNING]


# Waiting in one place


@pytest.mark.parametrize("count", [1, 10, 100])
def test_waiting_holds_no_worker_and_asks_once_a_tick(place: Place, count: int) -> None:
    names = [f"web-{number}" for number in range(1, count + 1)]
    life = place.life(*names, latency="300ms", pending="5s", boot="10s")
    began = life.clock.time()
    up(life)
    took = life.clock.time() - began
    assert took <= 25.0
    calls = provider(life).cloud.world.calls()
    assert per_kind(calls)["create"] == count + 1
    assert len(calls) - count <= 3 * count + took / 0.5 + 12
    assert per_kind(calls)["list"] <= 14  # whatever the number of hosts
    assert per_tick(calls, "list", 0.25) == 1
    assert max(made for name, made in per_name(calls).items() if name) == 1
    ready = [place.when(name, "ready") for name in names]
    answers = [place.when(name, "made") - 0.3 + 15.0 for name in names]
    assert max(saw - due for saw, due in zip(ready, answers, strict=True)) <= 2.0 + 0.3 + 0.1
