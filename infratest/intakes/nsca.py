"""`nsca: {address: "127.0.0.1:5667", password-file: nsca.pw}`: results that `send_nsca` sends, as to Nagios.

A result is a number: `nsca.HOST.SERVICE` (of a host `nsca.HOST`), 0 ok, 1 warning, 2 critical, 3 unknown, with what it
said as a label. Source: nsca 2.10.2, include/common.h, for both forms of a packet, and src/utils.c for the XOR. Who
connects is sent 128 bytes of chance and a time, by which packets are made unlike; method 1 goes over them with the
password, too, and keeps nothing secret: it is for loopback. Others (mcrypt) are not taken.
"""

from __future__ import annotations

import os
import socket
import zlib
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from struct import Struct
from time import time
from typing import Any

from infratest.cleaning import keep_secret
from infratest.errors import UserError
from infratest.intakes._admission import CONNECTIONS, NOT_UNDERSTOOD, NOT_UTF8, TIME, TOKEN, Refusal, event
from infratest.intakes._listener import Listener
from infratest.intakes.base import ADDRESS, PLAIN, House, Intake
from infratest.store.events import Event, part

#: What a connection begins with: chance, and seconds since the epoch.
_HELLO = Struct(">128sI")
#: Version, CRC-32, time, state, host, service and output, of 4 KB since 2.9, and of 512 bytes before.
_LONG, _SHORT = Struct(">hxxIIh64s128s4096sxx"), Struct(">hxxIIh64s128s512sxx")
VERSION, STATES = 3, (0, 1, 2, 3)
#: Seconds by which the time of a packet may differ: nsca's own default of `max_packet_age`.
AGE = 30


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where results come to."""

    address: str = field(metadata=ADDRESS)
    password_file: str = field(
        default="",
        metadata={
            "title": "a path", "source": True,
            "description": "A file of the password: method 1 of send_nsca.cfg with it, method 0 without.",
        },
    )  # fmt: skip
    plain: bool = field(default=False, metadata=PLAIN)


class Nsca(Intake):
    """Passive results by NSCA."""

    def __init__(self, options: Any, folder: Path) -> None:
        super().__init__(options, folder)
        self._listener: Listener | None = None
        self._password = _password(self.path(options.password_file)) if options.password_file else None

    def open(self, house: House) -> None:
        self._listener = Listener(
            lambda connection: self._serve(connection, house), lambda: house.arrivals.refuse(self.word, CONNECTIONS)
        )
        try:
            self.port = self._listener.open(self.host, self.port, self.word)
        except OSError as error:
            raise self.taken_already(error) from error

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _serve(self, connection: socket.socket, house: House) -> None:
        began, chance = int(time()), os.urandom(128)
        connection.sendall(_HELLO.pack(chance, began))
        data = b""
        while part_ := connection.recv(16_384):
            data += part_
            while len(data) >= _LONG.size:
                self._take(data[: _LONG.size], chance, house)
                data = data[_LONG.size :]
        if len(data) == _SHORT.size:  # a client of before 2.9, which says one thing
            self._take(data, chance, house)
        elif data:
            house.arrivals.refuse(self.word, NOT_UNDERSTOOD)

    def _take(self, packet: bytes, chance: bytes, house: House) -> None:
        try:
            made = result(packet if self._password is None else unmixed(packet, chance, self._password), time())
        except Refusal as refusal:
            house.arrivals.refuse(self.word, refusal.reason)
        else:
            house.arrivals.offer(self.word, [made])


def unmixed(packet: bytes, chance: bytes, password: bytes) -> bytes:
    """Return a packet without what method 1 went over it with."""
    mixed = bytes(one ^ other for one, other in zip(packet, cycle(chance), strict=False))
    return bytes(one ^ other for one, other in zip(mixed, cycle(password), strict=False)) if password else mixed


def result(packet: bytes, now: float) -> Event:
    """Return what a packet says. Raises Refusal."""
    form = _LONG if len(packet) == _LONG.size else _SHORT
    version, checksum, at, state, *texts = form.unpack(packet)
    if version != VERSION or checksum != zlib.crc32(packet[:4] + bytes(4) + packet[8:]):
        # By another password, or another method, it is as unlike.
        raise Refusal(TOKEN)
    if abs(now - at) > AGE:
        raise Refusal(TIME)
    try:
        host, service, output = (text.partition(b"\0")[0].decode("utf-8") for text in texts)
    except UnicodeDecodeError:
        raise Refusal(NOT_UTF8) from None
    if state not in STATES or not host.strip():
        raise Refusal(NOT_UNDERSTOOD)
    key = ".".join(["nsca", *(part(each) for each in (host, service) if each)])
    return event(key, float(state), now, labels={"host": host, "service": service, "output": output})


def _password(path: Path) -> bytes:
    try:
        text = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UserError(f"password-file: {path} cannot be read: {error.strerror}") from None
    keep_secret(text.decode("utf-8", "replace"))
    return text
