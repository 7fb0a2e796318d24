"""Graphite's lines over a real connection, of `nc` and of a client that is none."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest

from infratest.intakes._admission import Refusal
from infratest.intakes.graphite import line_event
from tests.intakes.listening import LONG, Listening, listening

NOW = 1_796_000_000.0


def send(here: Listening, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
        connection.sendall(data)


def test_a_line_is_key_value_and_time():
    made = line_event(b"shop.orders 3.5 1795999990", NOW)
    assert (made.key, made.value, made.time) == ("shop.orders", 3.5, 1795999990.0)
    assert line_event(b"a 1 -1", NOW).time == NOW
    assert line_event(b"a 1 N", NOW).time == NOW
    assert line_event(b"a;host=web-1 1 N\r", NOW).key == "a_host_web-1"


@pytest.mark.parametrize(
    "line, reason",
    [
        (b"a 1", "not understood"), (b"a b c d", "not understood"), (b"a x 1796000000", "not understood"),
        (b"a nan 1796000000", "no finite number"), (b"a 1 1700000000", "time too far off"),
        (b"a 1 1859000000", "time too far off"), (b"\xff 1 N", "not UTF-8"), (b"k" * 3000 + b" 1 N", "key too long"),
    ],
)  # fmt: skip
def test_what_is_no_line(line, reason):
    with pytest.raises(Refusal, match=reason):
        line_event(line, NOW)


def test_lines_of_nc_arrive():
    with listening("graphite") as here:
        text = f"shop.orders 3 {time.time():.0f}\nshop.stock 4 N\n"
        subprocess.run(["nc", "-N", "127.0.0.1", str(here.port)], input=text.encode(), timeout=LONG, check=True)
        here.until(lambda it: len(it.events) == 2)
        assert here.numbers == {"shop.orders": 3.0, "shop.stock": 4.0}


def test_a_line_that_is_torn_between_two_packets_is_whole_and_one_that_is_cut_is_none():
    with listening("graphite") as here:
        with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
            connection.sendall(b"shop.ord")
            time.sleep(0.1)
            connection.sendall(b"ers 12")
            time.sleep(0.1)
            connection.sendall(b"3 N\nshop.stock 1")
        here.until(lambda it: bool(it.arrivals.refusals))
        assert here.numbers == {"shop.orders": 123.0}
        assert here.arrivals.refusals == {("graphite", "not understood"): 1}


def test_a_line_without_an_end_ends_its_connection_alone():
    with listening("graphite") as here:
        with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
            connection.sendall(b"x" * 100_000)
            connection.settimeout(LONG)
            try:
                assert connection.recv(1) == b""
            except ConnectionError:
                pass  # closed with what was not read
        send(here, b"fine 1 N\n")
        here.until(lambda it: it.numbers == {"fine": 1.0})
        assert here.arrivals.refusals["graphite", "too large"] == 1


def test_who_is_one_too_many_is_counted():
    with listening("graphite") as here:
        here.intake._listener._most = 1  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as first:
            first.sendall(b"one 1 N\n")
            here.until(lambda it: it.numbers == {"one": 1.0})
            with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as second:
                second.settimeout(LONG)
                assert second.recv(1) == b""
        assert here.arrivals.refusals == {("graphite", "too many connections"): 1}
