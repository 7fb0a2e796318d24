"""The order in which hosts come up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import StackFileError
from infratest.providers.base import HostSpec
from infratest.stack.graph import rounds


def host(name, *after, where=""):
    return HostSpec(name=name, after=after, where=where)


def named(found):
    return [[spec.name for spec in one] for one in found]


def test_hosts_without_after_come_up_at_once():
    assert named(rounds([host("b"), host("a"), host("c")])) == [["b", "a", "c"]]
    assert rounds([]) == []


def test_each_round_waits_for_the_one_before():
    specs = [host("lb", "web-1", "web-2"), host("db"), host("web-1", "db"), host("web-2", "db"), host("log")]
    assert named(rounds(specs)) == [["db", "log"], ["web-1", "web-2"], ["lb"]]


def test_a_host_is_as_late_as_the_latest_it_is_after():
    assert named(rounds([host("a"), host("b", "a"), host("c", "a", "b")])) == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize(
    "specs, shown",
    [
        ([host("a", "b"), host("b", "a")], "a -> b -> a"),
        ([host("b", "a"), host("a", "b")], "b -> a -> b"),
        ([host("a", "a")], "a -> a"),
        ([host("x", "a"), host("a", "c"), host("b", "a"), host("c", "b")], "a -> c -> b -> a"),
    ],
)
def test_a_cycle_is_shown_in_the_direction_of_after(specs, shown):
    with pytest.raises(StackFileError, match=f": the hosts wait for each other: {shown}; take one name out"):
        rounds(specs)


def test_a_cycle_names_the_line():
    with pytest.raises(StackFileError, match=r"^stack\.yaml:3: hosts\.a\.after: "):
        rounds([host("a", "a", where="stack.yaml:3")])


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(StackFileError, match=r"^s:2: hosts\.web\.after: unknown host 'bd': did you mean 'db'\?"):
        rounds([host("db"), host("web", "bd", where="s:2")])


def test_hosts_that_were_not_selected_are_not_waited_for():
    assert named(rounds([host("web", "db"), host("lb", "web")], others=["db"])) == [["web"], ["lb"]]


@given(st.integers(1, 12), st.data())
def test_every_host_once_and_after_all_it_names(count, data):
    """Graphs without a cycle by construction: a host is after hosts of lower numbers alone, declared in any order."""
    specs = [
        host(str(number), *data.draw(st.sets(st.sampled_from([str(lower) for lower in range(number)]))))
        if number
        else host("0")
        for number in range(count)
    ]
    found = rounds(data.draw(st.permutations(specs)))
    at = {spec.name: number for number, one in enumerate(found) for spec in one}
    assert sorted(at, key=int) == [spec.name for spec in specs]
    assert sum(len(one) for one in found) == count
    for spec in specs:
        # Not a round too late either: the round after the latest that it waits for.
        assert at[spec.name] == max((at[name] + 1 for name in spec.after), default=0)


@given(st.integers(1, 8), st.integers(0, 4))
def test_every_cycle_is_found_and_shown_whole(length, others):
    ring = [host(f"r{number}", f"r{(number + 1) % length}") for number in range(length)]
    tail = [host(f"t{number}", "r0") for number in range(others)]
    with pytest.raises(StackFileError) as raised:
        rounds([*tail, *ring])
    shown = " -> ".join([*(f"r{number}" for number in range(length)), "r0"])
    assert f": {shown};" in str(raised.value)
