"""What exists after each verb, and after each verb failed, on the fake provider: its world is read, not asked."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, StateError, UserError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.lease import LEASE
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import find, reap
from infratest.lifecycle.status import status
from infratest.lifecycle.stopping import Stop, Stopped
from infratest.lifecycle.up import up
from infratest.providers.base import HostSpec
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir

SPECS = (
    HostSpec(name="db", groups=("data",)),
    HostSpec(name="web-1", groups=("web",), after=("db",)),
    HostSpec(name="web-2", groups=("web",), after=("db",)),
)


class Place:
    """A folder with a stack, its state directory and the fake's world."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = folder / "world"
        self.state = StateDir(folder / "state")
        self.phases: list[tuple[str, str, str]] = []

    def life(self, specs=SPECS, production=False, env="", deadline=None, stop=None, ready=None, state=None, **faults):
        stack = StackFile(
            name="shop",
            path=self.folder / "stack.yaml",
            folder=self.folder,
            env=env,
            provider="fake",
            provider_options={"world": "world", **faults},
            production=production,
            hosts=specs,
        )
        return Lifecycle(
            stack,
            state or self.state,
            deadline=Deadline(deadline) if deadline else None,
            progress=lambda *told: self.phases.append(told),
            stop=stop,
            ready=ready,
            undo_seconds=0.5 if deadline else 60,
        )

    def there(self) -> dict[str, str]:
        """Name -> state of all that exists."""
        ones = [json.loads(path.read_text()) for path in self.world.glob("*.json")]
        return {one["name"]: one["state"] for one in ones}

    def ids(self) -> dict[str, str]:
        ones = [json.loads(path.read_text()) for path in self.world.glob("*.json")]
        return {one["name"]: one["id"] for one in ones}

    def journal(self) -> list[dict]:
        return self.state.read("journal.jsonl")


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


ALL = {"shop": "running", "db": "running", "web-1": "running", "web-2": "running"}


def test_up_makes_everything_and_holds_it_as_live(place):
    hosts = up(place.life())
    assert [(host.name, host.state) for host in hosts] == [(s.name, "running") for s in SPECS]
    assert place.there() == ALL
    assert {one.name for one in place.life().journal.live().values()} == set(ALL)


def test_a_host_is_ready_before_the_one_that_comes_after_it_is_made(place):
    up(place.life())
    moments = [(name, phase) for name, phase, _ in place.phases if phase in ("making", "ready")]
    assert moments.index(("db", "ready")) < moments.index(("web-1", "making"))
    assert moments.index(("db", "ready")) < moments.index(("web-2", "making"))


def test_up_again_leaves_what_runs_alone(place):
    up(place.life())
    before, journal = place.ids(), place.journal()
    up(place.life())
    assert place.ids() == before
    made = [record["id"] for record in place.journal() if record["what"] == "made"]
    assert made == [record["id"] for record in journal if record["what"] == "made"]


def test_up_of_one_host_brings_what_it_comes_after(place):
    up(place.life(), ["web-2"])
    assert place.there() == {"shop": "running", "db": "running", "web-2": "running"}


def test_halt_and_up_keep_the_same_machines(place):
    up(place.life())
    before = place.ids()
    assert halt(place.life(), ["web-1"]) == ["web-1"]
    assert place.there() == ALL | {"web-1": "stopped"}
    up(place.life())
    assert place.there() == ALL
    assert place.ids() == before


def test_a_host_that_vanished_is_made_again(place):
    up(place.life())
    (place.world / f"{place.ids()['web-1']}.json").unlink()
    up(place.life())
    assert place.there() == ALL
    assert set(place.life().journal.live()) == set(place.ids().values())


def test_destroy_leaves_nothing_and_may_be_repeated(place):
    up(place.life())
    assert {one.name for one in destroy(place.life())} == set(ALL)
    assert place.there() == {}
    assert not (place.state.path / "journal.jsonl").exists()
    assert destroy(place.life()) == []


def test_destroy_of_one_host_keeps_the_others_and_their_network(place):
    up(place.life())
    destroy(place.life(), ["web-1"])
    assert place.there() == {"shop": "running", "db": "running", "web-2": "running"}
    destroy(place.life(), ["web-2", "db"])
    assert place.there() == {}


def test_destroy_removes_a_host_that_the_stack_file_no_longer_names(place):
    up(place.life())
    destroy(place.life(specs=SPECS[:1]))
    assert place.there() == {}


def test_production_is_destroyed_only_when_told_so(place):
    up(place.life(production=True))
    with pytest.raises(UserError, match="--yes-production"):
        destroy(place.life(production=True))
    assert place.there() == ALL
    destroy(place.life(production=True), yes_production=True)
    assert place.there() == {}


def test_environments_share_a_state_directory_and_nothing_else(place):
    up(place.life(env="dev"))
    up(place.life(env="qa", specs=SPECS[:1]))
    destroy(place.life(env="qa", specs=SPECS[:1]))
    assert sorted(place.there()) == ["db", "shop-dev", "web-1", "web-2"]
    assert len(place.life(env="dev").journal.live()) == 4


@pytest.mark.parametrize("fault", ["fail", "lose", "hang"])
@pytest.mark.parametrize("call", ["create shop", "create db", "create web-2", "existing", "hosts"])
def test_up_that_fails_leaves_what_was_there_before(place, fault, call):
    up(place.life(specs=SPECS[:0]))
    with pytest.raises(ProviderError, match=call.split()[0]):
        up(place.life(deadline=0.5, **{fault: [call]}))
    if call == "existing":  # the provider cannot be asked what is to be undone
        assert reap(place.life()).left == ()
    assert place.there() == {}
    assert place.life().journal.live() == {}


@pytest.mark.parametrize("fault", ["fail", "lose"])
def test_up_that_fails_says_what_it_undid_and_keeps_older_hosts(place, fault):
    up(place.life(specs=SPECS[:1]))
    with pytest.raises(ProviderError, match=r"web-2(.|\n)*undone: (host web-1, host web-2|host web-2|host web-1|noth)"):
        up(place.life(**{fault: ["create web-2"]}))
    assert place.there() == {"shop": "running", "db": "running"}
    assert {one.name for one in place.life().journal.live().values()} == {"shop", "db"}


def test_what_cannot_be_undone_is_named_and_reaped_later(place):
    with pytest.raises(ProviderError, match=r"not undone: host db(.|\n)*infratest reap"):
        up(place.life(fail=["create web-1", "destroy db"]))
    assert place.there() == {"db": "running"}
    assert [one.resource.name for one in find(place.life())] == ["db"]
    assert [one.resource.name for one in reap(place.life()).removed] == ["db"]
    assert place.there() == {}
    assert place.journal() == []


def test_destroy_goes_on_after_a_failure_and_says_what_is_left(place):
    up(place.life())
    with pytest.raises(ProviderError, match="destroy web-1: refused"):
        destroy(place.life(fail=["destroy web-1"]))
    assert place.there() == {"web-1": "running"}
    destroy(place.life())
    assert place.there() == {}


@pytest.mark.parametrize("verb", ["halt", "start"])
def test_halt_and_start_that_fail_change_nothing_else(place, verb):
    up(place.life())
    if verb == "start":
        halt(place.life(), ["db"])
    before = place.there()
    life = place.life(fail=[f"{verb} db"])
    with pytest.raises(ProviderError, match=f"{verb} db: refused"):
        halt(life) if verb == "halt" else up(life)
    assert place.there()["db"] == before["db"]
    assert len(place.life().journal.live()) == 4


def test_a_signal_in_up_undoes_it(place):
    stop = Stop()
    life = place.life(stop=stop, hang=["create web-1"])
    threading.Timer(0.3, lambda: stop.set("SIGINT")).start()
    with pytest.raises(Stopped, match=r"stopped by SIGINT(.|\n)*undone: ") as caught:
        up(life)
    assert caught.value.status == 130
    assert place.there() == {}
    assert place.journal() == []


def test_a_host_that_never_answers_fails_up(place):
    life = place.life(deadline=1.0, transport={"fail": {"open": "unreachable"}})
    with pytest.raises(ProviderError, match="no command was answered within"):
        up(life)
    assert place.there() == {}


def test_a_changed_host_key_fails_up_at_once(place):
    began = time.monotonic()
    with pytest.raises(ProviderError, match="host-key-refused"):
        up(place.life(transport={"fail": {"open": "host-key-refused"}}))
    assert time.monotonic() - began < 5
    assert place.there() == {}


def test_ready_sentences_are_asked_until_they_hold(place):
    answers = iter(["port 22 is not listening", "port 22 is not listening", ""])
    asked = []

    def ready(host, sentences, deadline):
        asked.append((host.name, sentences))
        return next(answers)

    spec = HostSpec(name="db", ready=("port 22 is listening",))
    up(place.life(specs=(spec,), ready=ready))
    assert asked == [("db", ("port 22 is listening",))] * 3


def test_ready_sentences_that_do_not_come_to_hold_fail_up(place):
    spec = HostSpec(name="db", ready=("port 22 is listening",))
    with pytest.raises(ProviderError, match="did not come to hold: port 22 is not listening"):
        up(place.life(specs=(spec,), ready=lambda *_: "port 22 is not listening", deadline=0.5))
    assert place.there() == {}


def test_the_second_run_gets_one_clear_message(place):
    with place.state.lock(purpose="up of shop"):
        other = StateDir(place.state.path)
        with pytest.raises(StateError, match=r"in use by process \d+ \(up of shop\)"):
            up(place.life(state=other))
    assert place.there() == {}


def test_a_disk_that_fills_up_during_up_leaves_nothing(place):
    """The journal turned into a full device once two records are in it: nothing may be made, or stay, unjournalled."""
    state = Filling(place.folder / "state", after=6)
    with pytest.raises(ProviderError, match="No space left"):
        up(place.life(state=state))
    assert place.there() == {}


class Filling(StateDir):
    """A state directory whose disk is full after so many records."""

    def __init__(self, path: Path, after: int) -> None:
        super().__init__(path)
        self.after = after

    def append(self, name, *records):
        self.after -= 1
        super().append(name if self.after > 0 else "/dev/full", *records)


def test_status_names_hosts_lease_and_leftovers_and_writes_nothing(place):
    now = status(place.life())
    assert [host.state for host in now.hosts] == ["not made"] * 3
    assert (now.expires, now.state_id) == (None, "")
    assert not place.state.path.exists()
    up(place.life())
    now = status(place.life())
    assert [host.state for host in now.hosts] == ["running"] * 3
    assert abs(now.expires - time.time() - LEASE) < 60
    assert len(now.resources) == 4
    assert now.leftovers == now.interrupted == now.undos == ()


def test_up_removes_first_what_a_killed_run_left(place):
    life = place.life()
    up(life)
    killed = life.journal.begin("up", "shop", "")
    request = life.provider.requests([HostSpec(name="web-3")], life.lease())[1][0]
    killed.made(life.provider.create(request, Deadline(5)))
    assert "web-3" in place.there()
    assert [one.verb for one in status(place.life()).interrupted] == ["up"]
    assert [one.name for one in status(place.life()).leftovers] == ["web-3"]
    up(place.life())
    assert place.there() == ALL


def test_unknown_host(place):
    with pytest.raises(UserError, match="did you mean 'web-1'"):
        up(place.life(), ["web1"])
