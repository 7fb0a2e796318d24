"""What a command writes, kept within a bound, from the marker on that says that the command itself has begun.

Called by the transports of this folder for both output streams, and for naming the command in their messages; pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.cleaning import clean
from infratest.quoting import command_line
from infratest.transports.base import OUTPUT_LIMIT

#: Bytes of what came before the marker that are kept, for the words of an error.
NOISE_LIMIT = 4096


class Kept:
    """One output stream: the first `limit` bytes are kept, the rest is counted as cut off and dropped.

    Args:
        marker: bytes that the stream begins with; what a login shell's profile printed before them is no output of
            the command. Empty where nothing can come before.
    """

    def __init__(self, marker: bytes = b"", limit: int = OUTPUT_LIMIT) -> None:
        self.truncated = False
        self.begun = not marker
        self._marker = marker
        self._limit = limit
        self._noise = bytearray()
        self._tail = b""
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if not self.begun:
            data = self._after_marker(data)
        room = self._limit - len(self._data)
        self._data += data[:room]
        self.truncated = self.truncated or len(data) > room

    def _after_marker(self, data: bytes) -> bytes:
        # The marker may come in two pieces, so as many bytes as it could have begun in are looked at again.
        text = self._tail + data
        before, found, after = text.partition(self._marker)
        fresh = before if found else text
        self._noise += fresh[len(self._tail) :][: NOISE_LIMIT - len(self._noise)]
        if found:
            self.begun = True
            return after
        self._tail = text[max(0, len(text) - len(self._marker) + 1) :]
        return b""

    @property
    def data(self) -> bytes:
        """What is kept of the command's own output."""
        return bytes(self._data)

    @property
    def noise(self) -> bytes:
        """The first bytes of what came before the marker: a banner, a profile's words, a refusal of the shell."""
        return bytes(self._noise)


def shown(command: Sequence[str]) -> str:
    """Return a command for a message: one line, bounded, secrets masked."""
    return clean(command_line([*command]), 200)
