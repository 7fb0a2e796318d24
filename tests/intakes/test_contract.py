"""The contract of an intake: the same questions to each, over real sockets, by whoever sends what it should not.

Whatever comes is kept as what it says, or refused and counted by its reason; and who sends well behind it is heard.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from infratest.intakes._arrivals import Arrivals
from infratest.outsiders import names
from infratest.testing.waiting import wait_until
from tests.intakes.listening import LONG, Listening, listening

DAY = 86400.0
#: What a flood is of, and how many there is room for.
MANY, ROOM = 200, 50


@dataclass(frozen=True)
class Way:
    """One way in, and how it is spoken to.

    Args:
        send: sends bytes, and closes. says: what says that a name has a value, at a time where the format has one; a
        name is of bytes. some: the same of several names at once. key: what the key of a name begins with. large: what
        is more than may be. reasons: why it refuses what is cut, too large, not UTF-8, and of a clock far ahead; None
        where it cannot be told by its format.
    """

    kind: str
    send: Callable[[Listening, bytes], None]
    some: Callable[[list[bytes], float], bytes]
    large: Callable[[], bytes]
    cut: Callable[[bytes], bytes]
    reasons: tuple[str, str, str, str | None]
    key: str = ""

    def says(self, name: bytes, at: float | None = None) -> bytes:
        return self.some([name], time.time() if at is None else at)


def by_tcp(here: Listening, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
        except OSError:
            pass  # it was closed before all was read: too much


def by_udp(here: Listening, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(data, ("127.0.0.1", here.port))


def posted(path: str, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), size, body)


def text(name: bytes) -> bytes:
    """Return a name as JSON has it, its bytes as they are where they are no text."""
    return json.dumps(name.decode("utf-8", "surrogateescape"), ensure_ascii=False).encode("utf-8", "surrogateescape")


def events(those: list[bytes], at: float) -> bytes:
    listed = b", ".join(b'{"key": %s, "value": 1, "time": %r}' % (text(name), at) for name in those)
    return posted("/in/events", b"[" + listed.replace(b"'", b"") + b"]")


def alerts(those: list[bytes], at: float) -> bytes:
    begun = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)).encode()
    listed = b", ".join(
        b'{"status": "firing", "labels": {"alertname": %s, "by": %s}, "fingerprint": "f1", "startsAt": "%s"}'
        % (text(name), text(name), begun)
        for name in those
    )
    return posted("/in/alertmanager", b'{"version": "4", "alerts": [' + listed + b"]}")


def exported(those: list[bytes], at: float) -> bytes:
    """Return gauges by OTLP, written here by hand: no library writes a name that is no text."""
    point = field(1, b"\x19" + struct.pack("<Q", int(at * 1e9)) + b"\x21" + struct.pack("<d", 1))
    metrics = b"".join(field(2, field(1, name) + field(5, point)) for name in those)
    body = field(1, field(2, metrics))
    return posted("/in/otlp/v1/metrics", body).replace(b"Host", b"Content-Type: application/x-protobuf\r\nHost")


def field(number: int, data: bytes) -> bytes:
    size = len(data)
    return bytes((number << 3 | 2, size & 127 | 128, size >> 7 & 127 | 128, size >> 14)) + data


def lines(those: list[bytes], at: float) -> bytes:
    return b"".join(b"%s 1 %d\n" % (name, at) for name in those)


def counters(those: list[bytes], at: float) -> bytes:
    return b"\n".join(b"%s:1|g" % name for name in those)


def packets(those: list[bytes], at: float) -> bytes:
    return b"".join(packet(name, at) for name in those)


def packet(name: bytes, at: float) -> bytes:
    form, fields = ">hxxIIh64s128s4096sxx", (int(at), 1, b"web-1", name, b"said: " + name)
    return struct.pack(form, 3, zlib.crc32(struct.pack(form, 3, 0, *fields)), *fields)


def half(said: bytes) -> bytes:
    return said[: len(said) - 5]


def value_off(said: bytes) -> bytes:
    return said.rpartition(b"|")[0]


NO, LARGE, UTF8, TIME = "not understood", "too large", "not UTF-8", "time too far off"
HTTP_LARGE = posted("/in/events", b"", length=2**21)
WAYS = {
    "http": Way("http", by_tcp, events, lambda: HTTP_LARGE + b" " * 2**21, half, (NO, LARGE, UTF8, TIME)),
    "alertmanager": Way(
        "http", by_tcp, alerts, lambda: HTTP_LARGE + b" " * 2**21, half, (NO, LARGE, UTF8, None), "alertmanager."
    ),
    "otlp": Way("http", by_tcp, exported, lambda: HTTP_LARGE + b" " * 2**21, half, (NO, LARGE, NO, TIME)),
    "graphite": Way("graphite", by_tcp, lines, lambda: b"x" * 100_000, half, (NO, LARGE, UTF8, TIME)),
    "statsd": Way(
        "statsd", by_udp, counters, lambda: b"x" * 60_000 + b":1|g", value_off, (NO, "key too long", UTF8, None)
    ),
    # A packet has one size: what is larger is another packet, and one that nobody has signed.
    "nsca": Way(
        "nsca", by_tcp, packets, lambda: b"\xa5" * 4304, half, (NO, "no token that is known", UTF8, TIME), "nsca.web-1."
    ),
}  # fmt: skip


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


@contextmanager
def opened(way: Way, arrivals: Arrivals | None = None) -> Iterator[Listening]:
    # What StatsD adds up is flushed as it closes: no test waits for that.
    with listening(way.kind, {"every": "1h"} if way.kind == "statsd" else {}, arrivals=arrivals) as here:
        yield here


def taken(way: Way, here: Listening, count: int) -> dict[str, float | str]:
    """Return what came, once so many did or were refused."""
    if way.kind == "statsd":
        here.intake.close()
    assert wait_until(lambda: here.arrivals.taken.total() + here.arrivals.refusals.total() >= count, LONG), here.numbers
    here.take()
    return {key.removesuffix(".f1"): value for key, value in here.numbers.items()}


def after(way: Way, *sent: bytes, count: int = 2) -> Listening:
    """Return what came of bytes, and of one that is good behind them."""
    with opened(way) as here:
        for each in (*sent, way.says(b"fine")):
            way.send(here, each)
        assert taken(way, here, count)[f"{way.key}fine"] == 1.0
        return here


def test_every_intake_is_asked():
    assert {way.kind for way in WAYS.values()} == set(names("intake"))


def test_what_is_good_is_kept_as_it_says(way: Way):
    here = after(way, way.says(b"shop"), way.some([b"a", b"b"], time.time()), count=4)
    assert {key.removesuffix(".f1") for key in here.numbers} == {
        f"{way.key}{name}" for name in ("fine", "shop", "a", "b")
    }
    assert set(here.numbers.values()) == {1.0}
    assert not here.arrivals.refusals
    for event in here.events:
        assert abs(event.time - time.time()) < LONG * 2
        assert (event.labels["kind"], event.labels["from"]) == ("metric", way.kind)


@pytest.mark.parametrize("question", ["cut", "large", "not UTF-8"])
def test_what_is_none_is_refused_by_its_reason_and_costs_no_other(way: Way, question: str):
    sent = {"cut": way.cut(way.says(b"shop")), "large": way.large(), "not UTF-8": way.says(b"sh\xffop")}
    here = after(way, sent[question])
    assert here.arrivals.refusals == {(way.kind, way.reasons[[*sent].index(question)]): 1}
    assert len(here.events) == 1, "of what is cut or too large nothing is kept"


def test_a_clock_far_ahead_moves_nothing(way: Way):
    here = after(way, way.says(b"shop", time.time() + 2 * DAY))
    if way.reasons[3] is not None:
        assert here.arrivals.refusals == {(way.kind, way.reasons[3]): 1}
    assert all(event.time < time.time() + DAY for event in here.events)
    assert len(here.events) == (1 if way.reasons[3] else 2)


@pytest.mark.parametrize(
    "name", [b"sh\x1b[2Jop", b"sh\x07\x7fop", "sh\u202eop".encode(), "sh\u0085op".encode(), b"../../sh/op", b"sh;op=1"]
)
def test_characters_that_steer_are_in_no_key_and_no_label(way: Way, name: bytes):
    here = after(way, way.says(name))
    assert not here.arrivals.refusals
    assert len(here.events) == 2
    for event in here.events:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", event.key), event.key
        assert not any(part in (".", "..", "") for part in event.key.split("."))
        for label, value in event.labels.items():
            assert (label + value).isprintable(), value


def test_a_flood_finds_no_more_room_than_there_is(way: Way):
    with opened(way, Arrivals(most=ROOM)) as here:
        way.send(here, way.some([b"n%d" % each for each in range(MANY)], time.time()))
        found = taken(way, here, MANY)
        assert len(found) == ROOM
        assert here.arrivals.refusals == {(way.kind, "no room"): MANY - ROOM}


def test_a_flood_of_names_begins_no_more_series_than_may(way: Way, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("infratest.intakes._arrivals.NEW_SERIES", ROOM)
    with opened(way, Arrivals(known=[f"{way.key}known{'.f1' if 'alert' in way.key else ''}"])) as here:
        way.send(here, way.some([b"n%d" % each for each in range(MANY)] + [b"known"], time.time()))
        found = taken(way, here, MANY + 1)
        assert len(found) == ROOM + 1
        assert f"{way.key}known" in found, "what is known already is heard"
        assert here.arrivals.refusals == {(way.kind, "too many new series"): MANY - ROOM}
