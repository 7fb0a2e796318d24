"""What a command writes, kept within a bound, from the marker on that says that the command itself has begun.

Called by the transports of this folder for both output streams, and for naming the command in their messages; pure.
"""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.quoting import command_line
from infratest.transports.base import OUTPUT_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Bytes of what came before the marker that are kept, for the words of an error.
NOISE_LIMIT = 4096


class Kept:
    """One output stream: the first `limit` bytes are kept, the rest is counted as cut off and dropped.

    Args:
        marker: bytes that the stream begins with; what a login shell's profile printed before them is no output of
            the command. Empty where nothing can come before.
        on_data: called with each piece behind the marker, also beyond the limit.
    """

    def __init__(
        self, marker: bytes = b"", limit: int = OUTPUT_LIMIT, on_data: Callable[[bytes], None] | None = None
    ) -> None:
        self.truncated = False
        self.begun = not marker
        self._marker = marker
        self._limit = limit
        self._noise = bytearray()
        self._tail = b""
        self._data = bytearray()
        self._on_data = on_data

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if not self.begun:
            data = self._after_marker(data)
        if data and self._on_data is not None:
            self._on_data(data)
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


class MarkedStream(Kept):
    """A stream that also holds, after the command's end, the marker and its status (`_mark.TELL`).

    `status` is None until they came; they are no part of the data.
    """

    def __init__(self, marker: str, limit: int = OUTPUT_LIMIT) -> None:
        super().__init__(marker.encode("ascii") + b"\n", limit)
        self.status: int | None = None
        self._last = marker.encode("ascii") + b" "
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        if not self.begun:
            data = self._after_marker(data)
        text = self._held + data
        self._held = b""
        at = text.find(self._last) if self.status is None else -1
        if at >= 0:
            told, ended, after = text[at + len(self._last) :].partition(b"\n")
            if ended and told.isdigit():
                self.status = int(told)
                text = text[:at] + after
            elif not ended:
                text, self._held = text[:at], text[at:]
        elif self.status is None:
            # The marker may come in two pieces.
            keep = min(len(text), len(self._last) - 1)
            text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        super().feed(text)

    @property
    def data(self) -> bytes:
        """What is kept of the command's own output, with what may have been the beginning of the marker."""
        return (bytes(self._data) + self._held)[: self._limit]
