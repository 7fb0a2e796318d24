"""StatsD: what packets add up to, by hand; and over a real socket, with what the kernel had to throw away."""

from __future__ import annotations

import socket
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infratest.errors import UserError
from infratest.intakes import _statsd_tally
from infratest.intakes._admission import REASONS
from infratest.intakes._statsd_tally import Tally
from infratest.intakes.base import opened
from infratest.intakes.statsd import dropped
from tests.intakes.listening import LONG, listening

WHERE = "stack.yaml:9: monitor.listen.statsd"


def added(*packets: bytes, seconds: float = 10.0) -> dict[str, float]:
    tally = Tally()
    for packet in packets:
        tally.take(packet)
    assert not tally.refusals
    return {name.decode() + behind: number for name, behind, number, _ in tally.flushed(seconds)}


def test_a_counter_is_how_often_a_second_and_how_many():
    assert added(b"x:3|c", b"x:4|c", b"x:1|c|@0.1") == {"x": 1.7, "x.count": 17.0}
    assert added(b"x:-2|c\nx:5|c\n", b"y:0.5|c") == {"x": 0.3, "x.count": 3.0, "y": 0.05, "y.count": 0.5}


def test_a_gauge_is_what_was_said_last_and_can_change_by_so_much():
    assert added(b"x:3|g", b"x:+4|g", b"x:-1.5|g") == {"x": 5.5}
    tally = Tally()
    tally.take(b"x:3|g")
    assert [*tally.flushed(10)] == [(b"x", "", 3.0, "")]
    assert [*tally.flushed(10)] == [], "who is silent has no value"
    tally.take(b"x:+1|g")
    assert [*tally.flushed(10)] == [(b"x", "", 4.0, "")]


def test_a_timer_has_its_figures_in_seconds():
    packets = [b"x:%d|ms" % number for number in range(10, 101, 10)]
    assert added(*packets) == {"x": 0.055, "x.lower": 0.01, "x.upper": 0.1, "x.upper_90": 0.09, "x.count": 10.0}
    assert added(b"x:500|ms|@0.5")["x.count"] == 2.0


def test_a_set_is_how_many_different_ones():
    assert added(b"x:ada|s\nx:bob|s\nx:ada|s") == {"x": 2.0}


@pytest.mark.parametrize(
    "packet, reason",
    [
        (b"x:nan|c", "no finite number"), (b"x:inf|g", "no finite number"), (b"x:1e999|ms", "no finite number"),
        (b"x:1|q", "not understood"), (b"x|c", "not understood"), (b":1|c", "not understood"),
        (b"x:1|c|#team:web", "not understood"), (b"x:1|c|@0", "not understood"), (b"x:1|c|@2", "not understood"),
        (b"x:1:2|c", "not understood"), (b"x:|c", "not understood"), (b"x:|s", "not understood"),
        (b"x" * 10_000 + b":1|c", "key too long"), (b"\0\xff", "not understood"),
    ],
)  # fmt: skip
def test_what_is_no_metric_is_counted_by_its_reason(packet, reason):
    tally = Tally()
    tally.take(packet)
    tally.take(b"fine:1|c")
    assert tally.refusals == {reason: 1}
    assert [name for name, *_ in tally.flushed(10)] == [b"fine", b"fine"]


@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.from_regex(rb"[a-c\n]{0,3}:[0-9.+-]{1,4}\|(c|g|ms|s)", fullmatch=True))
    )
)
def test_whatever_comes_every_number_is_finite(packets):
    tally = Tally()
    for packet in packets:
        tally.take(packet)
    assert set(tally.refusals) <= set(REASONS)
    for name, _, number, unit in tally.flushed(1.0):
        assert number - number == 0
        assert b"\n" not in name
        assert unit in ("", "s")


@pytest.mark.parametrize(
    ("packets", "numbers"),
    [
        ((b"x:1e308|c", b"x:1e308|c"), {"x": 1e307, "x.count": 1e308}),
        ((b"x:5|c", b"x:1e300|c|@0.000000001"), {"x": 0.5, "x.count": 5.0}),
        ((b"x:1e308|g", b"x:+1e308|g", b"x:-1e307|g"), {"x": 9e307}),
        ((b"x:1e308|ms", b"x:1e308|ms"),
         {"x": 1e305, "x.lower": 1e305, "x.upper": 1e305, "x.upper_90": 1e305, "x.count": 1.0}),
    ],
)  # fmt: skip
def test_what_would_make_a_sum_infinite_is_refused(packets, numbers):
    tally = Tally()
    for packet in packets:
        tally.take(packet)
    assert {(name + behind.encode()).decode(): number for name, behind, number, _ in tally.flushed(10)} == numbers
    assert tally.refusals == {"no finite number": 1}


def test_all_that_one_flush_remembers_has_a_bound(monkeypatch):
    monkeypatch.setattr(_statsd_tally, "MOST_OF_ALL", 5)
    monkeypatch.setattr(_statsd_tally, "MOST_NAMES", 4)
    tally = Tally()
    for value in range(1, 5):
        tally.take(b"a:%d|ms\nb:%d|s" % (value, value))
    tally.take(b"c:9|ms\nd:1|g\ne:1|g\nb:1|s")
    assert len(tally.times[b"a"].values) + len(tally.sets[b"b"]) == 5
    assert tally.refusals == {"too many new series": 3}, "two members, and a name"
    made = {(name + behind.encode()).decode(): number for name, behind, number, _ in tally.flushed(10)}
    assert (made["a.count"], made["a.upper"], made["c.upper_90"], made["b"]) == (4.0, 0.004, 0.009, 2.0)
    tally.take(b"b:1|s")
    assert [*tally.flushed(10)] == [(b"b", "", 1.0, "")], "the next flush has room again"


def test_packets_of_python_and_of_nc_come_over_a_real_socket():
    with listening("statsd", {"every": "1s"}) as here:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            for packet in (b"shop.orders:3|c\nshop.orders:4|c", b"b\xff:1|c", b"shop.stock:7|g"):
                sending.sendto(packet, ("127.0.0.1", here.port))
        said = subprocess.run(
            ["nc", "-u", "-w1", "127.0.0.1", str(here.port)], input=b"from nc:5|g\n", timeout=LONG, check=False
        )
        assert said.returncode == 0
        here.until(lambda it: {"shop.orders.count", "from_nc", "shop.stock"} <= it.numbers.keys())
        assert here.numbers["shop.orders.count"] == 7.0
        assert (here.numbers["shop.stock"], here.numbers["from_nc"]) == (7.0, 5.0)
        here.until(lambda it: bool(it.arrivals.refusals))
        assert here.arrivals.refusals == {("statsd", "not UTF-8"): 1}


def test_what_the_kernel_throws_away_is_counted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as small, socket.socket(type=socket.SOCK_DGRAM) as sending:
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        small.bind(("127.0.0.1", 0))
        assert dropped(small) == 0
        for _ in range(200):
            sending.sendto(b"x" * 500, small.getsockname())
        kept = 0
        small.setblocking(False)
        try:
            while small.recv(1000):
                kept += 1
        except BlockingIOError:
            pass
        assert kept < 200
        assert dropped(small) == 200 - kept


def test_loss_is_a_number_among_the_refusals():
    with listening("statsd", {"every": "1h"}) as here:
        intake = here.intake
        intake._lost = -5  # type: ignore[attr-defined] # as if five were lost since
        intake.close()
        assert here.arrivals.refusals == {("statsd", "lost by the kernel"): 5}


def test_what_came_until_the_end_is_not_lost():
    with listening("statsd", {"every": "1h"}) as here:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(b"x:3|g", ("127.0.0.1", here.port))
        here.intake.close()
        here.take()
        assert here.numbers == {"x": 3.0}


def test_beyond_loopback_only_with_a_word_of_the_users():
    with pytest.raises(UserError, match=r"^stack.yaml:9: monitor.listen.statsd: address: 192.0.2.1 is beyond loopback"):
        opened("statsd", "192.0.2.1:8125", WHERE, folder=None)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="beyond loopback"):
        opened("statsd", "0.0.0.0:8125", WHERE, folder=None)  # type: ignore[arg-type]
    assert opened("statsd", {"address": "0.0.0.0:8125", "plain": True}, WHERE, folder=None).host == "0.0.0.0"  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["8125", "127.0.0.1", "127.0.0.1:65536", "::1:8125", ":8125", "a b:1", ""])
def test_an_address_that_is_none(address):
    with pytest.raises(UserError, match="HOST:PORT"):
        opened("statsd", {"address": address}, WHERE, folder=None)  # type: ignore[arg-type]
