"""What a Memcached server says of itself, by its text protocol: doc/protocol.txt of memcached, "Statistics".

The fact `memcached` calls it for the controller, and sends its text, behind that of `_outside`, to hosts that have
python3: Python 3.6 and later, nothing newer.
"""

import _socket
from time import monotonic

from infratest.facts import _outside as out

#: Bytes of an answer that are read: it has some two thousand.
LIMIT = 2**16
#: A server that wants a login says this.
LOCKED = "locked"


@out.in_turn
def memcached(host: str, port: int, seconds: float) -> "tuple[str, float, str]":
    """Ask for the statistics.

    Returns:
        The outcome (`mute` where what answers is no Memcached, `locked` where it wants a login), the seconds it took,
        and words: `name value`, a tab between them, and a dot at the end; or why there are none.
    """
    began = monotonic()
    one, outcome, words = out.connection(host, port, seconds)
    if one is not None:
        try:
            outcome, words = _asked(one, began + seconds)
        except _socket.timeout:
            outcome, words = out.MUTE, f"it lets us in and does not answer within {seconds:g} s"
        except OSError as error:
            outcome, words = out.MUTE, f"it hung up: {(error.strerror or str(error)).lower()}"
        one.close()
    return outcome, monotonic() - began, words


def _asked(one: "_socket.socket", end: float) -> "tuple[str, str]":
    one.settimeout(max(0.05, end - monotonic()))
    one.sendall(b"stats\r\n")
    data = b""
    while not data.endswith(b"END\r\n"):
        other = data.endswith(b"\r\n") and not data.startswith(b"STAT ")
        if other or len(data) > LIMIT:
            break
        one.settimeout(max(0.05, end - monotonic()))
        more = one.recv(2**14)
        if not more:
            return out.MUTE, f"it hung up after {len(data)} bytes of an answer"
        data += more
    rows = data.decode("utf-8", "replace").split("\r\n")
    if rows[0].startswith("CLIENT_ERROR unauthenticated"):
        return LOCKED, "it wants a login, which is not known here"
    if rows[-2:] != ["END", ""] or any(not row.startswith("STAT ") for row in rows[:-2]):
        return out.MUTE, f"it does not speak as Memcached does, but says {rows[0][:80]!r}"
    return out.OPEN, "\t".join([row[5:] for row in rows[:-2]] + ["."])


out.ANSWERS["memcached"] = memcached
