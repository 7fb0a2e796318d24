"""The fact `ntp-server`: real chronyds, and what is no NTP, from the controller and from a host."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading

import pytest

from infratest.deadline import Deadline
from infratest.errors import FactError
from infratest.facts import _outside, _sntp, _ssh_hello
from infratest.facts.base import Answer
from infratest.facts.ntp_server import NtpServerFact
from tests.worlds.chronyd import chronyd


def free_ports(count):
    with contextlib.ExitStack() as held:
        ones = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for one in ones:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in ones]


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """Servers: one that has the time, one that has none, two whose clocks are 100 s wrong; and none."""
    folder = tmp_path_factory.mktemp("chrony")
    right, lost, ahead, behind, nobody = free_ports(5)
    with (
        chronyd(folder / "right", right, "local stratum 3"),
        chronyd(folder / "lost", lost),
        chronyd(folder / "ahead", ahead, "local stratum 1", wrong="+100s"),
        chronyd(folder / "behind", behind, "local stratum 15", wrong="-100s"),
    ):
        yield right, lost, ahead, behind, nobody


def looked(*arguments):
    return NtpServerFact().look(list(arguments), Deadline(60), lambda *place: place)


def asked(*arguments):
    fact = NtpServerFact()
    done = subprocess.run(["sh", "-c", fact.ask(list(arguments))], capture_output=True, text=True, timeout=60)
    return fact.read(Answer(done.returncode, done.stdout, done.stderr), list(arguments))


BOTH = pytest.mark.parametrize("ask", [looked, asked], ids=["from the controller", "from a host"])


@BOTH
def test_servers_say_what_time_it_is_and_how_far_they_are_from_a_clock(ports, ask):
    right, lost, ahead, behind, nobody = ask(*((f"127.0.0.1:{port}",) for port in ports)).values()
    assert [(one.stratum, one.synchronised) for one in (right, ahead, behind)] == [(3, True), (1, True), (15, True)]
    # One clock, seen twice: only how long a loaded machine takes between two looks at it is between them.
    assert abs(right.offset) < 5
    assert 95 < ahead.offset < 105
    assert -105 < behind.offset < -95
    assert (lost.synchronised, lost.refused) == (False, "")
    assert nobody.refused == "it is not reachable: connection refused"


@BOTH
def test_who_answers_something_else_has_no_time(ask):
    said = {
        "short": lambda data: b"hello",
        "a client's": lambda data: data,
        "another's answer": lambda data: b"\x24\x03" + 46 * b"\1",
        "a kiss of death": lambda data: b"\x24\0\0\0" + 8 * b"\0" + b"RATE" + 8 * b"\0" + data[40:48] + 16 * b"\0",
    }
    servers = {name: socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for name in said}
    for name, one in servers.items():
        one.bind(("127.0.0.1", 0))
        threading.Thread(target=_answer, args=(one, said[name]), daemon=True).start()
    values = ask(*((f"127.0.0.1:{one.getsockname()[1]}",) for one in servers.values()))
    for one in servers.values():
        one.sendto(b"end", one.getsockname())
    words = dict(zip(said, (value.refused for value in values.values()), strict=True))
    assert "5 bytes, as 68656c6c6f" in words["short"]
    assert "48 bytes, as 23" in words["a client's"]
    assert "no answer within" in words["another's answer"]
    assert "it does not want to be asked: RATE" in words["a kiss of death"]


def _answer(server, deed):
    with server:
        while (data := server.recvfrom(1000)) and data[0] != b"end":
            server.sendto(deed(data[0]), data[1])


def test_an_era_of_ntp_ends_and_time_goes_on():
    """In February 2036 its seconds begin anew: RFC 5905, 6."""
    end = 2**32 - _sntp.SINCE_1900
    assert _sntp._nearer(2**32 - 1.0, end - 0.5) == end - 1
    assert _sntp._nearer(1.0, end - 0.5) == end + 1
    assert _sntp._nearer(1.0, end + 2.0) == end + 1


def test_a_published_port_has_no_ntp_behind_it():
    value = NtpServerFact().look([("db:123",)], Deadline(5), lambda host, port: ("127.0.0.1", 40000))["db:123",]
    assert isinstance(value, FactError)
    assert "published for TCP alone" in str(value)


@pytest.mark.parametrize("module", [_sntp, _ssh_hello])
def test_what_goes_on_where_another_ends_takes_none_of_its_names(module):
    """On a host both are one program."""
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    assert own
    assert not own & {name for name in vars(_outside) if not name.startswith("__")}
