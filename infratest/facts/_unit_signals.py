"""What systemd says by itself on the system bus: that a unit's properties have changed. For a monitor that waits.

Source: org.freedesktop.systemd1(5): `Subscribe` of the manager has it send them; and the D-Bus Specification, "Message
Bus Message Routing", for the rule by which the bus hands them on.
"""

from __future__ import annotations

import _socket

from infratest.facts.service.system_bus import (
    ADDRESS,
    DESTINATION,
    INTERFACE,
    MEMBER,
    PATH,
    SIGNATURE,
    UNITS,
    Bus,
    aligned,
    body_of,
    field,
    header,
    label,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["ADDRESS", "Signals", "label"]

SIGNAL = 4
#: Seconds that it may take to be let in.
PATIENCE = 5.0
RULE = (
    "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',"
    f"member='PropertiesChanged',path_namespace='{UNITS}'"
)
ADD_MATCH = (
    aligned(field(INTERFACE, b"s", "org.freedesktop.DBus"), 8)
    + aligned(field(MEMBER, b"s", "AddMatch"), 8)
    + aligned(field(DESTINATION, b"s", "org.freedesktop.DBus"), 8)
    + aligned(bytes((SIGNATURE, 1)) + b"g\0\1s\0", 8)
    + field(PATH, b"o", "/org/freedesktop/DBus")
)
SUBSCRIBE = (
    aligned(field(INTERFACE, b"s", "org.freedesktop.systemd1.Manager"), 8)
    + aligned(field(MEMBER, b"s", "Subscribe"), 8)
    + aligned(field(DESTINATION, b"s", "org.freedesktop.systemd1"), 8)
    + field(PATH, b"o", "/org/freedesktop/systemd1")
)


class Signals:
    """A connection on which systemd says what has changed.

    Raises:
        OSError: there is no such bus, or it does not let us in.
    """

    def __init__(self, address: str = ADDRESS) -> None:
        self._channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        try:
            self._channel.settimeout(PATIENCE)
            try:
                self._channel.connect(address)
            except OSError as error:
                raise OSError(error.errno, f"there is no system bus at {address}: {error.strerror}") from None
            self._bus = Bus(self._channel)
            self._bus.ask([(ADD_MATCH, body_of(RULE)), (SUBSCRIBE, b"")])
            self._channel.settimeout(None)
        except BaseException:
            self._channel.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._channel.close()

    def next(self) -> str:
        """Return the label of the next unit that has changed, waiting for it. Raises OSError: the connection ended."""
        prefix = f"{UNITS}/"
        while True:
            kind, head, _, order = self._bus.next()
            if kind == SIGNAL:
                path = header(head, order).get(PATH, "")
                if path.startswith(prefix):
                    return path.removeprefix(prefix)

    def end(self) -> None:
        """Have who waits for a signal wait no longer; may be called by another thread."""
        try:
            self._channel.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
