"""Connections that are handed on from one socket to another, as a router with NAT would: for clouds of the tests."""

from __future__ import annotations

import socket
import threading


def hand_on(near: socket.socket, far: socket.socket) -> None:
    """Have what comes in at one socket go out at the other, both ways, in threads of their own."""
    for one, other in ((near, far), (far, near)):
        threading.Thread(target=_copied, args=(one, other), daemon=True).start()


def _copied(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    finally:
        for each in (one, other):
            ended(each)


def ended(one: socket.socket) -> None:
    """End a socket, and whoever waits at it."""
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()
