"""Sentences about sockets: what no single case shows."""

from __future__ import annotations

import pytest
from infratest.steps.socket import PortListening, UnixListening, socket_check

from infratest.facts.base import Need
from infratest.facts.socket import Listener, Listeners

SOCKETS, UNIX, PROCESSES = Need("socket"), Need("unix-socket"), Need("process")


def tcp(address, port=80, only6=None, kind="tcp"):
    return Listener(kind=kind, address=address, port=port, family=6 if ":" in address else 4, only6=only6)


def test_what_listens_instead_is_named_and_bounded():
    seen = PortListening(80).observe({SOCKETS: Listeners((tcp("0.0.0.0", 5432), tcp("0.0.0.0", 22), tcp("::", 22)))})
    assert seen.saw == "port 80 is not listening; listening are 22, 5432"
    many = Listeners(tcp("0.0.0.0", port) for port in range(1000, 1100))
    assert PortListening(80).observe({SOCKETS: many}).saw.endswith("1008, 1009 and 90 more")
    nothing = {SOCKETS: Listeners()}
    assert PortListening(53, "udp").observe(nothing).saw == "port 53/udp is not listening; listening are none"


@pytest.mark.parametrize(
    "text, check",
    [
        ("unix:/run/x.sock", UnixListening("/run/x.sock")),
        ("unix:///run/x.sock", UnixListening("/run/x.sock")),
        ("tcp://80", PortListening(80)),
        ("tcp://127.0.0.1:80", PortListening(80, "tcp", "127.0.0.1")),
        ("tcp://:::80", PortListening(80, "tcp", "::")),
        ("tcp://[::1]:80", PortListening(80, "tcp", "::1")),
        ("udp://0.0.0.0:53", PortListening(53, "udp", "0.0.0.0")),
    ],
)
def test_a_socket_in_one_word(text, check):
    assert socket_check(text) == check
