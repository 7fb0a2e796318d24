"""What a stack may cost and how long it may stand, on the fake provider and a clock that the test sets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import ClassVar

import pytest

from infratest.clock import Clock
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.lifecycle.budget import begin, ender, foreseen, moment
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.halt import halt
from infratest.lifecycle.lease import LEASE, renew
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.status import status
from infratest.lifecycle.up import up
from infratest.providers._choices import Choice
from infratest.providers.base import HostSpec
from infratest.providers.fake import Fake
from infratest.stack.declared import Budget, StackFile
from infratest.stack.file import load
from infratest.stack.open import open_provider
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.terms import Term

HOUR = 3600
SPECS = (HostSpec(name="db"), HostSpec(name="web-1"), HostSpec(name="web-2"))


class SetClock(Clock):
    """The machine's clock, but for the hour."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Shop:
    """A provider whose hosts have prices: it is the fake one beside that. An hour of a host is 0.10 USD."""

    @staticmethod
    def priced(provider: Fake, prices: dict[str, float | None], currency: str = "USD") -> Fake:
        class Priced(Fake):
            def choose(self, specs, deadline):
                found = [(spec.name, prices.get(spec.name, 0.10)) for spec in specs]
                return [Choice(host=name, size="small", price=price, currency=currency) for name, price in found]

            def prices(self):
                return "as the shop knows it"

        return Priced(provider.options, provider.context)


class World:
    def __init__(self, folder) -> None:
        self.folder, self.clock = folder, SetClock()
        self.state = StateDir(folder / "state")
        self.prices: dict[str, float | None] | None = None
        self.currency = "USD"

    def life(self, budget: Budget | None = None, specs=SPECS, **faults) -> Lifecycle:
        stack = StackFile(
            name="shop", path=self.folder / "stack.yaml", folder=self.folder, provider="fake",
            provider_options={"world": "world", **faults}, hosts=specs,
            budget=replace(budget, where="stack.yaml:2") if budget else None,
        )  # fmt: skip
        provider = open_provider(stack, self.state)
        assert isinstance(provider, Fake)
        if self.prices is not None:
            provider = Shop.priced(provider, self.prices, self.currency)
        provider.clock = self.clock
        return Lifecycle(stack, self.state, provider=provider, deadline=Deadline(60))

    def names(self) -> set[str]:
        return {json.loads(path.read_text())["name"] for path in (self.folder / "world").glob("*.json")}

    def labels(self) -> list[int]:
        labels = [json.loads(path.read_text())["labels"] for path in (self.folder / "world").glob("*.json")]
        return [int(each["infratest.expires"]) for each in labels]

    def term(self) -> Term:
        found = self.life().term()
        assert found is not None
        return found

    def lease(self) -> int:
        found = status(self.life()).expires
        assert found is not None
        return found


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("INFRATEST_OWNER", "me@here")
    return World(tmp_path)


TWO_HOURS = Budget(time=2 * HOUR)


def refusal(world: World, budget: Budget, **more) -> str:
    with pytest.raises(UserError) as caught:
        up(world.life(budget, **more))
    return str(caught.value)


class TestTime:
    def test_the_lease_ends_with_it_and_so_do_the_labels_of_all_that_is_made(self, world):
        now = world.clock.time()
        up(world.life(TWO_HOURS))
        term = world.term()
        assert now <= term.since + 0.001
        assert term.ends == term.since + 2 * HOUR
        assert world.lease() == int(term.ends)
        assert world.labels() == [int(term.ends)] * 4

    def test_no_verb_and_no_check_renews_the_lease_beyond_it(self, world):
        up(world.life(TWO_HOURS))
        end = world.lease()
        world.clock.ahead = HOUR
        halt(world.life(TWO_HOURS))
        renew(world.state, "shop", "")
        assert world.lease() == end
        leases = [record for record in Journal(world.state).records() if record["what"] == "lease"]
        renew(world.state, "shop", "")
        assert [record for record in Journal(world.state).records() if record["what"] == "lease"] == leases

    def test_a_second_up_and_hosts_made_anew_do_not_begin_it_anew(self, world):
        up(world.life(TWO_HOURS))
        term = world.term()
        world.clock.ahead = HOUR
        destroy(world.life(TWO_HOURS), ["db", "web-1"])
        up(world.life(TWO_HOURS))
        assert world.term() == term
        assert set(world.labels()) == {int(term.ends or 0)}

    def test_after_its_end_up_makes_and_renews_nothing_until_it_is_raised(self, world):
        up(world.life(TWO_HOURS))
        destroy(world.life(TWO_HOURS), ["db"])
        end = world.lease()
        world.clock.ahead = 2 * HOUR + 600
        words = refusal(world, TWO_HOURS)
        assert words.startswith("up of shop: stack.yaml:2: budget: ended 10 min ago (20")
        remove = world.life(TWO_HOURS).command("destroy")
        assert f"nothing is renewed, `{remove}` removes all, or raise the budget\nnothing had been made" in words
        assert world.lease() == end
        assert "db" not in world.names()
        up(world.life(Budget(time=5 * HOUR)))
        assert world.lease() == end + 3 * HOUR
        assert "db" in world.names()

    def test_after_its_end_reap_expired_removes_the_stack_and_a_new_one_begins_anew(self, world):
        up(world.life(TWO_HOURS))
        world.clock.ahead = 2 * HOUR - 60
        assert reap(world.life(TWO_HOURS), expired=True).removed == ()
        world.clock.ahead = 2 * HOUR + 60
        assert len(reap(world.life(TWO_HOURS), expired=True).removed) == 4
        assert world.names() == set()
        assert not (world.state.path / "journal.jsonl").exists()
        up(world.life(TWO_HOURS))
        assert world.lease() == int(world.term().since + 2 * HOUR)

    def test_one_that_comes_later_counts_from_the_first_host_and_ends_what_has_a_longer_lease(self, world):
        up(world.life())
        assert world.labels()[0] > world.clock.time() + LEASE - 60
        world.clock.ahead = HOUR
        up(world.life(TWO_HOURS))
        assert world.lease() < world.clock.time() + HOUR + 1
        world.clock.ahead = 2 * HOUR + 60
        assert len(reap(world.life(TWO_HOURS), expired=True).removed) == 4

    def test_without_the_budget_the_lease_is_as_long_as_ever(self, world):
        up(world.life(TWO_HOURS))
        since = world.term().since
        up(world.life())
        assert world.term() == Term(since=since, ends=None)
        assert world.lease() > world.clock.time() + LEASE - 60

    def test_what_up_undoes_leaves_no_budget_behind(self, world):
        with pytest.raises(ProviderError):
            up(world.life(TWO_HOURS, fail=("create web-2",)))
        assert world.names() == set()
        assert not (world.state.path / "journal.jsonl").exists()

    def test_a_run_that_was_killed_has_begun_it(self, world):
        """As a kill -9 leaves it: the operation has no end, what it made is there."""
        life = world.life(TWO_HOURS)
        operation = life.journal.begin("up", "shop", "")
        begin(life, SPECS, Deadline(10))
        (network,), *_ = life.provider.requests(SPECS, life.lease())
        operation.asked(network.kind, network.name)
        operation.made(life.provider.create(network, Deadline(10)))
        term = world.term()
        world.clock.ahead = HOUR
        up(world.life(TWO_HOURS))
        assert world.term() == term


class TestCost:
    @pytest.fixture(autouse=True)
    def prices(self, world):
        world.prices = {}

    def test_what_suffices_for_the_time(self, world):
        up(world.life(Budget(cost=0.60, currency="USD", time=2 * HOUR)))
        term = world.term()
        assert term.ends == term.since + 2 * HOUR

    def test_what_does_not_is_refused_with_the_numbers_before_anything_is_made(self, world):
        words = refusal(world, Budget(cost=0.50, currency="USD", time=2 * HOUR))
        assert words == (
            "up of shop: stack.yaml:2: budget: 3 hosts cost 0.30 USD an hour (as the shop knows it), and 2 h of that "
            "0.60 USD: 0.50 USD last for 100 min; take fewer hosts or smaller sizes, less `time:`, or raise `cost:`\n"
            "nothing had been made"
        )
        assert world.names() == set()

    def test_without_a_time_it_lasts_as_long_as_it_lasts(self, world):
        up(world.life(Budget(cost=0.50, currency="USD")))
        term = world.term()
        assert term.ends == pytest.approx(term.since + 6000)

    def test_money_without_end_lasts_for_a_hundred_years_whose_end_can_be_written(self, world):
        up(world.life(Budget(cost=1e15, currency="USD")))
        assert moment(world.term().ends) > "2126"

    def test_for_less_than_a_minute_it_is_none(self, world):
        assert "last for 36 s; take fewer hosts" in refusal(world, Budget(cost=0.003, currency="USD"))

    def test_hosts_that_are_there_count_and_others_do_not(self, world):
        budget = Budget(cost=0.40, currency="USD", time=2 * HOUR)
        up(world.life(budget), ["db"])
        up(world.life(budget), ["web-1"])
        with pytest.raises(UserError, match=r"budget: 3 hosts cost 0\.30 USD an hour"):
            up(world.life(budget), ["web-2"])
        assert world.names() == {"shop", "db", "web-1"}

    def test_a_price_that_is_not_known_is_not_nothing(self, world):
        world.prices = {"db": None}
        words = refusal(world, Budget(cost=5, currency="USD", time=HOUR))
        assert "budget.cost: what db cost is not known (as the shop knows it); name a `size:` that has a price" in words
        assert world.names() == set()

    def test_prices_in_another_currency(self, world):
        world.currency = "EUR"
        words = refusal(world, Budget(cost=5, currency="USD"))
        assert "budget.cost: the prices that are known are in EUR, not in USD; write the amount in EUR" in words

    def test_hosts_that_cost_nothing_have_no_end(self, world):
        world.prices = {spec.name: 0.0 for spec in SPECS}
        up(world.life(Budget(cost=5, currency="USD")))
        assert world.term().ends is None

    def test_a_dry_run_says_the_same_and_writes_nothing(self, world):
        found = foreseen(world.life(Budget(cost=0.60, currency="USD")), SPECS, Deadline(10))
        assert found is not None
        assert found.ends == pytest.approx(found.since + 2 * HOUR)
        assert not world.state.exists


def test_a_provider_without_prices_limits_time_alone(world):
    words = refusal(world, Budget(cost=5, currency="USD", time=HOUR))
    assert "stack.yaml:2: budget.cost: what hosts of provider fake cost is not known; leave out `cost:`" in words
    up(world.life(Budget(time=HOUR)))


def test_hosts_that_cannot_power_themselves_off_are_refused_by_name(world):
    words = refusal(world, Budget(time=HOUR, enforce="guest"))
    assert "stack.yaml:2: budget.enforce: provider fake cannot have its hosts power themselves off; leave it" in words
    assert world.names() == set()


def test_hosts_that_can_are_told_when_and_it_is_no_label(world):
    class PowersOff(Fake):
        seeded = True
        told: ClassVar[set[int]] = set()

        def create(self, request, deadline):
            self.told.add(request.lease.off_at)
            assert "infratest.off_at" not in request.lease.labels()
            return super().create(request, deadline)

    # It is asked what its boot came to, by a script that says nothing where there is no cloud-init.
    life = world.life(Budget(time=HOUR, enforce="guest"), transport={"answers": {"sh *": {}}})
    provider = PowersOff(life.provider.options, life.provider.context)
    up(Lifecycle(life.stack, life.state, provider=provider))
    assert {int(world.term().ends or 0)} == PowersOff.told
    assert ender(life.stack, world.state.id).startswith("the hosts themselves: each powers itself off")


def test_where_nothing_is_made_there_is_nothing_to_limit(tmp_path):
    stack = StackFile(
        name="shop", path=tmp_path / "stack.yaml", folder=tmp_path, provider="existing", hosts=SPECS, budget=TWO_HOURS
    )
    with pytest.raises(UserError, match="budget: provider existing makes no hosts, so that there is nothing to limit"):
        up(Lifecycle(stack, StateDir(tmp_path / "state")))


def test_the_stack_file_says_it_and_an_environment_another(tmp_path):
    path = tmp_path / "stack.yaml"
    path.write_text(
        "stack: shop\nprovider: fake\nparameters: {most: {type: string, default: 0.50 USD}}\n"
        'budget: {cost: "{param.most}", time: 2h}\nhosts: {db: {}}\n'
        "environments: {dev: {}, ci: {budget: {time: 30 min}}, free: {budget: null}}\n"
    )
    where = f"{path}:4"
    assert load(path).budget == Budget(cost=0.5, currency="USD", time=7200, where=where)
    other = load(path, "ci").budget
    assert other is not None
    assert (other.cost, other.time) == (0.5, 1800)
    assert load(path, "free").budget is None
