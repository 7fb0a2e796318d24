"""Each sentence has its own pace: whatever others take, it is asked and judged as it would be alone.

On a clock that jumps from one event to the next: hours pass in no time, and nothing depends on how busy a machine is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.check import CONTROLLER, Check, Seen
from infratest.collect.asked import Facts
from infratest.deadline import Deadline
from infratest.engine.looks import Item
from infratest.engine.settle import settle
from infratest.errors import DeadlineExceeded, Unreachable
from infratest.facts.base import Need
from infratest.gherkin.sentence import Tail
from infratest.gherkin.suite import THEN, Line
from infratest.plan.tasks import CheckStep, Look
from infratest.states import CRITICAL, OK, UNKNOWN

if TYPE_CHECKING:
    from infratest.collect.asked import Batch

#: What stands behind a claim that is asked once.
ONCE = Tail()

#: Longer than any deadline.
HANGS = 1e6


class Timed(int):
    """Whether something is so, by an answer that says how long it took."""

    seconds = 0.0


class Holds(Check):
    """What is so in the world, by its name; evidence is of a fact that there is."""

    name: str
    seconds: float = 0.0

    def needs(self) -> tuple[Need, ...]:
        return (Need("user", (self.name,), self.seconds),)

    def observe(self, facts: object) -> Seen:
        return Seen(bool(facts[self.needed[0]]), f"{self.name} is looked at")  # type: ignore[index]


@dataclass
class Thing:
    """What a sentence is about: asked at a place, in so many seconds; it is not so between two moments.

    `at`: which part of the seconds has passed when it is looked at. `tells`: its answer says how long it took.
    `patience`: seconds that its sentence gives it.
    """

    name: str
    place: str = CONTROLLER
    seconds: float = 0.01
    at: float = 0.0
    outage: tuple[float, float] = (0.0, 0.0)
    tail: Tail = ONCE
    tells: bool = False
    patience: float = 0.0
    begun: list[float] = field(default_factory=list)

    def item(self, deadline: Deadline, *others: Thing) -> Item:
        looks = tuple(Look(one.place, one.place, Holds(one.name, one.patience)) for one in (self, *others))
        return Item(
            CheckStep(Line(THEN, "Then", self.name, 1, None), looks, False, None, self.tail), CRITICAL, deadline
        )


class World:
    """All things, a clock, and who asks: each place one round trip at a time, all places at once."""

    def __init__(self, things: Sequence[Thing]) -> None:
        self.now = 0.0
        self.things = {thing.name: thing for thing in things}
        self.under_way: list[tuple[float, Batch, Facts, float]] = []
        self.down: set[str] = set()

    def trips(self, places: int) -> World:
        return self

    def begin(self, batch: Batch, needs: Iterable[Need], deadline: Deadline) -> None:
        assert all(batch != other for _, other, _, _ in self.under_way), "two round trips at once"
        facts, now, end = Facts(), self.now, self.now + deadline.left
        if batch in self.down:
            facts.blocked[str(batch)] = Unreachable(f"{batch} cannot be reached")
            needs = ()
        for need in needs:
            thing = self.things[need.argument[0]]
            thing.begun.append(self.now)
            looked, now = now + thing.at * thing.seconds, now + thing.seconds
            held = Timed(not thing.outage[0] <= looked < thing.outage[1])
            held.seconds = thing.seconds if thing.tells else 0.0
            place = batch if isinstance(batch, str) else CONTROLLER
            facts.at(place)[need] = held if now <= end else DeadlineExceeded("our own deadline passed")
        self.under_way.append((min(now, end), batch, facts, self.now))

    def ended(self, seconds: float | None) -> tuple[Batch, Facts, float] | None:
        following = min(self.under_way, key=lambda one: one[0], default=None)
        if following is None or (seconds is not None and self.now + seconds < following[0]):
            assert seconds is not None, "it waits for nobody, for ever"
            self.now += seconds
            return None
        self.under_way.remove(following)
        self.now = max(self.now, following[0])
        return following[1:]


@dataclass
class Outcome:
    items: list[Item]
    ends: dict[str, float]

    def state(self, place: int = 0) -> str:
        verdict = self.items[place].verdict
        assert verdict is not None
        return verdict.state

    def reason(self, place: int = 0) -> str:
        verdict = self.items[place].verdict
        assert verdict is not None
        return verdict.reason


def asked(*things: Thing, seconds: float = 100.0, down: Iterable[str] = ()) -> Outcome:
    """Ask the sentences about these things, in a world of their own."""
    world = World(things)
    world.down.update(down)
    deadline, ends = Deadline(seconds, lambda: world.now), {}

    def settled(item: Item) -> None:
        ends[item.step.line.text] = world.now

    for thing in things:
        thing.begun.clear()
    items = [thing.item(deadline) for thing in things]
    settle(items, world, deadline, {}, settled)  # type: ignore[arg-type]
    assert not world.under_way, "somebody is still asked"
    assert all(moment < seconds or moment == 0 for thing in things for moment in thing.begun), "asked after the end"
    return Outcome(items, ends)


def during(seconds: float) -> Tail:
    return Tail(during=seconds)


def within(seconds: float) -> Tail:
    return Tail(within=seconds)


# A false green of once: a round waited for its slowest question, and `for 3 s` beside one of 5 s was looked at twice.
def test_for_is_asked_at_its_own_pace_beside_a_slow_question() -> None:
    thing = Thing("flaps", outage=(0.2, 4.5), tail=during(3))
    outcome = asked(thing, Thing("slow", seconds=5))
    assert (outcome.state(), outcome.state(1)) == (CRITICAL, OK)
    assert outcome.ends["flaps"] < 0.5
    assert outcome.reason() == "flaps is looked at (after 300 ms of the 3 s it must hold)"


def test_within_is_given_up_when_its_own_time_is_over() -> None:
    outcome = asked(Thing("never", outage=(0, 100), tail=within(3)), Thing("hung", seconds=HANGS), seconds=10)
    assert (outcome.state(), outcome.state(1)) == (CRITICAL, UNKNOWN)
    assert 3 <= outcome.ends["never"] < 3.1


def test_within_that_holds_by_a_look_that_came_too_late_is_not_known() -> None:
    """A server that hangs until the 15th second, with 8 for an answer, does not hold within 10."""
    late = Thing("hangs", seconds=8, outage=(0, 15), tail=within(10))
    outcome = asked(late)
    assert [round(moment, 1) for moment in late.begun] == [0, 8.1]
    assert outcome.state() == CRITICAL
    soon = Thing("soon", seconds=8, outage=(0, 8), tail=within(10))
    assert asked(soon).state() == UNKNOWN
    assert "held after 8.1 s by an answer that came after 16.1 s: the answer took too long" in asked(soon).reason()
    for_all_time = Thing("never", seconds=8, outage=(0, 100), tail=within(10))
    assert asked(for_all_time).state() == CRITICAL


# A false green of once: beside a slow command, the second look counted, however late it was.
def test_nobody_is_asked_after_the_end_of_within_whatever_its_host_was_slow_with() -> None:
    for tells in (False, True):
        thing, slow = Thing("starts", "a", outage=(0, 5), tail=within(3), tells=tells), Thing("slow", "a", seconds=5.5)
        outcome = asked(thing, slow)
        assert (outcome.state(), thing.begun) == (UNKNOWN, [0])
        assert "it was not looked at between 0 ms and 5.51 s: what its host was asked beside it" in outcome.reason()
        held = Thing("there", "a", tail=within(3), tells=tells)
        assert asked(held, slow).state() == OK  # it was asked in time, and only the answer beside it was late


def test_an_answer_that_says_it_came_after_the_end_is_not_within_it() -> None:
    for place in (CONTROLLER, "a"):
        late = Thing("late", place, seconds=2, tail=within(1), tells=True)
        outcome = asked(late, Thing("url"))
        assert (outcome.state(), late.begun) == (CRITICAL, [0])
        assert "it holds by an answer that came after 2 s (asked for 2 s, within 1 s)" in outcome.reason()
        assert asked(Thing("soon", place, seconds=2, tail=within(2.5), tells=True), Thing("url")).state() == OK
        begun = Thing("begun", place, seconds=4, outage=(0, 8), tail=within(9), tells=True)
        assert asked(begun, Thing("url")).state() == CRITICAL


def test_within_of_what_hangs_is_over_by_the_answer_that_came_after_its_end() -> None:
    for place in (CONTROLLER, "a"):
        hung = Thing("hung", place, seconds=5, outage=(0, 100), tail=within(3), tells=True)
        outcome = asked(hung, Thing("url"), seconds=9.5)
        assert (outcome.state(), hung.begun, outcome.ends["hung"]) == (CRITICAL, [0], 5)


@given(st.lists(st.sampled_from([0.3, 1.6, 2.4, 5.0]), min_size=1, max_size=3), st.sampled_from([1.0, 3.0, 8.0]))
@settings(max_examples=40)
def test_no_question_begins_after_the_end_of_within(beside: list[float], seconds: float) -> None:
    never = Thing("never", "a", outage=(0, 1000), tail=within(seconds))
    others = [Thing(f"n{at}", "a", took, outage=(0, 1000), tail=within(20)) for at, took in enumerate(beside)]
    outcome = asked(never, *others, Thing("url"), seconds=60)
    assert all(moment <= seconds for moment in never.begun)
    assert outcome.state() in (CRITICAL, UNKNOWN)


def test_a_slow_host_stops_no_other_pace() -> None:
    slow = [Thing("slow", "a", seconds=5), Thing("beside it", "a", tail=within(30))]
    outcome = asked(*slow, Thing("b", "b", outage=(0.2, 4.5), tail=during(3)), Thing("url", tail=during(3)))
    assert [outcome.state(place) for place in range(4)] == [OK, OK, CRITICAL, OK]
    assert 3 <= outcome.ends["url"] < 3.1


def test_for_whose_host_is_slow_at_first_begins_then() -> None:
    """All that is asked once is asked together with its first look: one round trip, which a slow command holds up."""
    slow, thing = Thing("slow", "a", seconds=5), Thing("thing", "a", tail=during(3))
    outcome = asked(slow, thing, Thing("url"))
    assert (outcome.state(1), len(slow.begun)) == (OK, 1)
    assert 8 <= outcome.ends["thing"] < 8.3
    thing.outage = (6, 7)
    assert asked(slow, thing, Thing("url")).state(1) == CRITICAL


def test_for_that_is_not_looked_at_often_enough_is_not_green() -> None:
    outcome = asked(Thing("slow", seconds=3.5, tail=during(10)), Thing("url"))
    assert outcome.state() == UNKNOWN
    assert "for 3.6 s at a stretch it was not" in outcome.reason()
    beside = asked(
        Thing("thing", "a", tail=during(4)), Thing("slow", "a", 4, outage=(0, 50), tail=within(30)), Thing("x")
    )
    assert beside.state() == UNKNOWN


def test_a_sentence_that_gives_more_than_a_round_trip_has_gets_it() -> None:
    slow = Thing("slow", "a", seconds=65, patience=90)
    assert asked(slow, Thing("url"), seconds=600).state() == OK
    assert asked(Thing("slow", "a", seconds=65), Thing("url"), seconds=600).state() == UNKNOWN


def test_for_of_what_answers_slowly_is_looked_at_as_often_as_it_answers() -> None:
    """A page of more than a second is asked again as soon as it is there: two answers' times are not added."""
    for seconds, tail in ((1.2, during(4)), (1.8, during(4)), (2.8, during(6))):
        slow = Thing("slow", seconds=seconds, tail=tail)
        assert asked(slow, Thing("url")).state() == OK
        assert asked(Thing("slow", "a", seconds=seconds, tail=tail), Thing("url")).state() == OK
        slow.outage = (3.0, 3.1 + seconds)
        assert asked(slow, Thing("url")).state() == CRITICAL
    # What stands beside it on a host may have come first one time, and last another.
    beside = asked(Thing("slow", "a", 1.2, tail=during(4)), Thing("too", "a", 1.2, tail=during(4)), Thing("url"))
    assert (beside.state(), beside.state(1)) == (UNKNOWN, UNKNOWN)


def test_for_of_what_hangs_says_for_how_long_it_had_held() -> None:
    hangs = Thing("hangs", seconds=0.01, outage=(2.0, 100), tail=during(3))
    late = Thing("late", seconds=6, outage=(5.9, 100), at=1.0, tail=during(3))
    outcome = asked(hangs, late, seconds=20)
    assert (outcome.state(), outcome.state(1)) == (CRITICAL, CRITICAL)
    assert outcome.reason() == "hangs is looked at (after 2.5 s of the 3 s it must hold)"
    assert outcome.reason(1) == "late is looked at (it must hold for 3 s)"


def test_within_of_what_hangs_and_its_host_was_asked_alone_is_critical() -> None:
    """The time was over and nothing had come: that no time is left to ask once more makes nothing unknown."""
    hung = Thing("hung", "a", seconds=5, outage=(0, 100), tail=within(3))
    assert asked(hung, Thing("url"), seconds=9).state() == CRITICAL
    beside = [hung, Thing("slow", "a", seconds=1), Thing("url")]
    assert asked(*beside, seconds=9).state() == UNKNOWN
    hung.tells = True
    assert asked(*beside, seconds=9).state() == CRITICAL
    quick = Thing("quick", "a", seconds=0.1, outage=(0, 100), tail=within(3), tells=True)
    assert asked(quick, Thing("slow", "a", seconds=7), Thing("url"), seconds=7.15).state() == UNKNOWN


def test_a_failure_that_waited_for_its_own_answer_is_no_failure_of_our_deadline() -> None:
    """It was open until the time was over, and then was no; there was no time left to ask once more."""
    outcome = asked(Thing("silent", seconds=8, outage=(0, 100), tail=within(3)), Thing("url"), seconds=10)
    assert outcome.state() == CRITICAL
    beside = [Thing("slow", "a", 8), Thing("thing", "a", outage=(0, 100), tail=within(3))]
    assert asked(*beside, Thing("url"), seconds=8.005).state(1) == UNKNOWN  # nobody looked at it after the beginning


def test_who_needs_two_places_is_asked_at_both_and_holds_up_none() -> None:
    first, second = Thing("first", "a", tail=during(3)), Thing("second", "b", seconds=2.5)
    alone, world = Thing("alone", "a", tail=during(3)), World([])
    world.things = {thing.name: thing for thing in (first, second, alone)}
    deadline = Deadline(100, lambda: world.now)
    ends: dict[str, float] = {}
    items = [first.item(deadline, second), alone.item(deadline)]
    settle(items, world, deadline, {}, lambda item: ends.update({item.step.line.text: world.now}))  # type: ignore[arg-type]
    assert [item.verdict and item.verdict.state for item in items] == [UNKNOWN, OK]
    assert ends["alone"] < 3.1 < ends["first"]


def test_a_place_that_cannot_be_reached_blocks_its_own_alone() -> None:
    outcome = asked(Thing("there", "a", tail=within(2)), Thing("url", tail=within(2)), down=["a"])
    assert (outcome.state(), outcome.state(1)) == (UNKNOWN, OK)
    assert outcome.items[0].verdict is not None
    assert outcome.items[0].verdict.blocked == "a"


SECONDS = st.sampled_from([0.01, 0.05, 0.3, 0.7, 1.0, 1.6, 2.4, 5.0, 9.0, HANGS])
TAILS = st.one_of(
    st.just(ONCE),
    st.sampled_from([0.5, 1, 3, 5, 8]).map(during),
    st.sampled_from([0.5, 1, 3, 5, 8]).map(within),
)
OUTAGES = st.tuples(st.floats(0, 12), st.floats(0, 12)).map(lambda both: (both[0], sum(both)))


@st.composite
def things(draw: st.DrawFn, *, apart: bool) -> list[Thing]:
    """Things of all kinds; each at a place of its own, or several on one host."""
    made = []
    for number in range(draw(st.integers(2, 6))):
        place = draw(
            st.sampled_from([CONTROLLER, f"host-{number}" if apart else "a", "b" if not apart else CONTROLLER])
        )
        at = draw(st.sampled_from([0.0, 0.5, 1.0]))
        made.append(Thing(f"n{number}", place, draw(SECONDS), at, draw(OUTAGES), draw(TAILS)))
    return made


def most(seconds: float) -> float:
    """Return the seconds of a `for` that nobody may have looked at: two, and three where it lasts for six or more."""
    return 2 if seconds <= 4 else 3 if seconds >= 6 else seconds / 2


@given(things(apart=False), st.sampled_from([10.0, 40.0]))
@settings(max_examples=120)
def test_for_is_never_green_over_a_failure_that_is_longer_than_its_pace(all_: list[Thing], seconds: float) -> None:
    outcome = asked(*all_, Thing("url"), seconds=seconds)
    for place, thing in enumerate(all_):
        if thing.tail.during is not None and outcome.state(place) == OK:
            begin = outcome.items[place].first
            assert begin is not None
            end = begin + thing.tail.during
            failed = min(end, thing.outage[1]) - max(begin, thing.outage[0])
            assert failed <= most(thing.tail.during) + 1e-6
            assert outcome.ends[thing.name] >= end


@given(things(apart=True), st.sampled_from([0.5, 1.0, 3.0]), st.sampled_from([0.01, 0.3, 1.0]))
@settings(max_examples=60)
def test_within_is_critical_at_its_own_time(others: list[Thing], seconds: float, took: float) -> None:
    """Whatever others do; it ends with the look that began when the time was over."""
    never = Thing("never", seconds=took, outage=(0, 1000), tail=within(seconds))
    outcome = asked(never, Thing("hung", "h", HANGS), *others, seconds=12)
    assert outcome.state() == CRITICAL
    assert seconds <= outcome.ends["never"] <= seconds + 2 * took + 0.02


@given(things(apart=False))
@settings(max_examples=60)
def test_nobody_is_asked_more_often_than_its_pace(all_: list[Thing]) -> None:
    """Five times in the first 1.5 seconds, then once a second, and once at the end, of each that is asked along."""
    outcome = asked(*all_, Thing("url"), seconds=20)
    for thing in all_:
        if thing.tail.within is None and thing.tail.during is None:
            assert len(thing.begun) == 1
        else:
            beside = [one for one in all_ if thing.place != CONTROLLER and one.place == thing.place]
            assert len(thing.begun) <= (5 + outcome.ends[thing.name] + 1) + 2 * len(beside)


@given(things(apart=True))
@settings(max_examples=60)
def test_verdicts_are_those_that_each_has_alone(all_: list[Thing]) -> None:
    together = asked(*all_, seconds=15)
    known = [(together.state(place), together.reason(place), len(thing.begun)) for place, thing in enumerate(all_)]
    for thing, expected in zip(all_, known, strict=True):
        alone = asked(thing, Thing("other", "other"), seconds=15)
        assert (alone.state(), alone.reason(), len(thing.begun)) == expected
