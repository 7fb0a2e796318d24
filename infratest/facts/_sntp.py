"""What an NTP server says of the time, as a client of the simple protocol asks: RFC 5905, 14.

The fact `ntp-server` calls it for the controller, and sends its text, behind that of `_outside`, to hosts that have
python3: Python 3.6 and later, nothing newer.
"""

import _socket
from time import monotonic, time

from infratest.facts import _outside as out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Seconds from NTP's first day, 1900, to ours; its seconds begin anew after this many (RFC 5905, 6).
SINCE_1900, ERA = 2208988800, 2**32

#: How often is asked, for datagrams get lost; the answer that was quickest there and back counts (RFC 5905, 10).
SAMPLES = 4

#: Bytes of an answer, and its mode, which its first byte ends with: RFC 5905, 7.3.
PACKET, SERVER = 48, 4


def sntp(host: str, port: int, seconds: float) -> "tuple[str, float, str]":
    """Ask for the time.

    Returns:
        The outcome (`mute` where what answers is no NTP), the seconds it took, and words: leap indicator, stratum,
        seconds that the server's clock is ahead of ours, and those of a way there and back; or why there are none.
    """
    began = monotonic()
    try:
        places = out._places("udp", host, port, "")
    except OSError as error:
        outcome, words = out._unresolved(error)
        return outcome, monotonic() - began, words
    seen: dict[str, str] = {}
    for left, place in zip(range(len(places), 0, -1), places):  # noqa: B905
        outcome, words = _place(place, max(0.2, (began + seconds - monotonic()) / left))
        if outcome == out.OPEN:
            return outcome, monotonic() - began, words
        seen.setdefault(outcome, words)
    outcome = next(each for each in out.WEIGHT if each in seen)
    return outcome, monotonic() - began, seen[outcome]


def _place(place: "Any", seconds: float) -> "tuple[str, str]":
    """Return the best of some answers of one place, with its words."""
    one, outcome, words = out._connected(place, "", seconds)
    if one is None:
        return outcome, words
    answers = []
    outcome, words = out.SILENT, f"no answer within {seconds:.2g} s"
    end = monotonic() + seconds
    for left in range(SAMPLES, 0, -1):
        try:
            answers.append(_sample(one, max(0.05, (end - monotonic()) / left)))
        except _socket.timeout:
            continue
        except OSError as error:
            outcome, words = out._refusal(error, place, seconds)
            break
        except ValueError as error:
            outcome, words = out.MUTE, f"what answers is no NTP: {error}"
    one.close()
    if not answers:
        return outcome, words
    leap, stratum, ahead, delay = min(answers, key=lambda answer: answer[3])
    return out.OPEN, f"{leap} {stratum} {ahead:.6f} {delay:.6f}"


def _sample(one: "_socket.socket", seconds: float) -> "tuple[int, int, float, float]":
    """Return leap indicator, stratum, offset and delay of an answer: RFC 5905, 8. Raises ValueError, OSError."""
    import os

    cookie = os.urandom(8)  # for our time: it comes back as it was sent, and tells nobody what our clock says
    end = monotonic() + seconds
    one.send(b"\x23" + 39 * b"\0" + cookie)
    sent, went = time(), monotonic()
    while True:
        one.settimeout(max(0.01, end - monotonic()))
        data = one.recv(1024)
        took = monotonic() - went
        if len(data) < PACKET or data[0] & 7 != SERVER:
            raise ValueError(f"{len(data)} bytes, as {data[:8].hex()}")
        if data[24:32] == cookie:
            break
        if monotonic() > end:
            raise ValueError("it does not answer what was asked")
    if data[1] == 0 and data[12:16].isalpha():  # RFC 5905, 7.4: a kiss of death says why in four letters
        raise ValueError(f"it does not want to be asked: {data[12:16].decode('latin-1')}")
    received, transmitted = _stamp(data[32:40]), _stamp(data[40:48])
    middle = (_nearer(received, sent) + _nearer(transmitted, sent)) / 2
    return data[0] >> 6, data[1] or 16, middle - (sent + took / 2), max(0.0, took - (transmitted - received) % ERA)


def _stamp(data: bytes) -> float:
    return int.from_bytes(data, "big") / 2**32


def _nearer(stamp: float, ours: float) -> float:
    """Return a time of NTP as one of ours, in the era in which it is nearest: RFC 5905, 6."""
    seconds = stamp - SINCE_1900
    return seconds + ERA * round((ours - seconds) / ERA)


out.ANSWERS["ntp"] = sntp
