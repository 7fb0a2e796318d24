"""Sentences about listening sockets."""

from __future__ import annotations

from infratest.check import Check
from infratest.checks.sockets import PortListening, socket_check
from infratest.gherkin.sentence import check


@check(
    "port {port:number} is listening",
    negation="port {port:number} is not listening",
    example="port 80 is listening",
)
def port_listening(port: int) -> PortListening:
    """Something listens on this TCP port, at whatever address."""
    return PortListening(port)


@check(
    'port {port:number} is listening at "{address}"',
    negation='port {port:number} is not listening at "{address}"',
    example='port 80 is listening at "127.0.0.1"',
)
def port_listening_at(port: int, address: str) -> PortListening:
    """Whoever connects to this address gets to a TCP listener: one at the address or at a wildcard of its family."""
    return PortListening(port, address=address)


@check(
    'port {port:number} is listening only at "{address}"',
    negation='port {port:number} is not listening only at "{address}"',
    example='port 5432 is listening only at "127.0.0.1"',
)
def port_listening_only_at(port: int, address: str) -> PortListening:
    """The TCP port listens at this address and at no other, wildcards included."""
    return PortListening(port, address=address, only=True)


@check(
    "port {port:number}/{protocol:word} is listening",
    negation="port {port:number}/{protocol:word} is not listening",
    example="port 53/udp is listening",
)
def protocol_port_listening(port: int, protocol: str) -> PortListening:
    """Something listens on this port of tcp or udp, at whatever address."""
    return PortListening(port, protocol)


@check(
    'port {port:number}/{protocol:word} is listening at "{address}"',
    negation='port {port:number}/{protocol:word} is not listening at "{address}"',
    example='port 53/udp is listening at "127.0.0.1"',
)
def protocol_port_listening_at(port: int, protocol: str, address: str) -> PortListening:
    """Whoever sends to this address gets to a listener of tcp or udp."""
    return PortListening(port, protocol, address)


@check(
    'port {port:number}/{protocol:word} is listening only at "{address}"',
    negation='port {port:number}/{protocol:word} is not listening only at "{address}"',
    example='port 53/udp is listening only at "127.0.0.1"',
)
def protocol_port_listening_only_at(port: int, protocol: str, address: str) -> PortListening:
    """The port of tcp or udp listens at this address and at no other, wildcards included."""
    return PortListening(port, protocol, address, only=True)


@check(
    'the socket "{socket}" is listening',
    negation='the socket "{socket}" is not listening',
    example='the socket "unix:/run/docker.sock" is listening',
)
def socket_listening(socket: str) -> Check:
    """A socket written as one word listens: unix:/PATH, tcp://ADDRESS:PORT, udp://PORT."""
    return socket_check(socket)
