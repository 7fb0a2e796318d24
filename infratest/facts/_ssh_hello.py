"""What an SSH server says before any key: its version, and the algorithms that it offers.

The fact `ssh-server` calls it for the controller, and sends its text, behind that of `_outside`, to hosts that have
python3: Python 3.6 and later, nothing newer. The server's part of the key exchange's first message is all that is
read: RFC 4253, 4.2 (versions), 6 (packets) and 7.1 (SSH_MSG_KEXINIT).
"""

from time import monotonic

from infratest.facts._outside import ANSWERS, FAILED, MUTE, OPEN, TEXT, connection, in_turn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

OURS = b"SSH-2.0-infratest\r\n"

#: Bytes of a line and of a packet that every SSH takes (RFC 4253, 4.2 and 6.1); lines that may precede the version.
LINE, PACKET, LINES = 255, 35000, 50

KEXINIT, COOKIE = 20, 16
#: Of the ten lists of names: key exchange, host keys, and those that each direction has of its own.
BOTH_WAYS = ((0,), (1,), (2, 3), (4, 5), (6, 7))


class Odd(Exception):
    """What is said is not SSH 2."""


@in_turn
def ssh_hello(host: str, port: int, seconds: float) -> "tuple[str, float, str]":
    """Connect and read what a server says first.

    Returns:
        The outcome (`mute` where it lets us in and speaks no SSH 2), the seconds it took, and lines: its version, its
        key exchanges, kinds of host keys, ciphers, MACs and compressions, with commas between them; or words.
    """
    began = monotonic()
    one, outcome, words = connection(host, port, seconds)
    if one is None:
        return outcome, monotonic() - began, words
    try:
        one.settimeout(max(0.05, began + seconds - monotonic()))
        one.sendall(OURS)
        version, rest = _version(one, began + seconds)
        words = "\n".join([version, *_lists(_packet(one, rest, began + seconds))])
        outcome = OPEN if len(words) < TEXT else FAILED
        words = words if outcome == OPEN else "it offers more than is read"
    except Odd as error:
        outcome, words = MUTE, f"it lets us in and {error}"
    except OSError as error:
        outcome, words = MUTE, f"it lets us in and then: {error.strerror or error}"
    finally:
        one.close()
    return outcome, monotonic() - began, words


def _more(one: "_socket.socket", end: float) -> bytes:
    """Return what comes next. Raises Odd where nothing more does."""
    left = end - monotonic()
    if left <= 0:
        raise Odd("does not say all that SSH begins with in time")
    one.settimeout(left)
    data = one.recv(PACKET)
    if not data:
        raise Odd("hangs up before it has said what SSH begins with")
    return data


def _version(one: "_socket.socket", end: float) -> "tuple[str, bytes]":
    """Return the version and the bytes behind it. Raises Odd."""
    data = b""
    for _ in range(LINES):
        while b"\n" not in data:
            if len(data) > LINE:
                raise Odd(f"speaks no SSH: {_plain(data[:80])}")
            data += _more(one, end)
        line, _, data = data.partition(b"\n")
        if line.startswith((b"SSH-2.0-", b"SSH-1.99-")):
            return _plain(line.rstrip(b"\r")[:LINE]), data
        if line.startswith(b"SSH-"):
            raise Odd(f"speaks {_plain(line.rstrip()[:80])}, which is not SSH 2")
    raise Odd("speaks no SSH")


def _packet(one: "_socket.socket", data: bytes, end: float) -> bytes:
    """Return the payload of the first packet. Raises Odd."""
    while len(data) < 5:
        data += _more(one, end)
    size, padding = int.from_bytes(data[:4], "big"), data[4]
    if not padding < size <= PACKET:
        raise Odd(f"begins with a packet of {size} bytes")
    while len(data) < 4 + size:
        data += _more(one, end)
    return data[5 : 4 + size - padding]


def _lists(payload: bytes) -> "list[str]":
    """Return the lists of names, of both directions together. Raises Odd."""
    if payload[:1] != bytes([KEXINIT]):
        raise Odd("does not begin with a key exchange")
    at, found = 1 + COOKIE, []
    for _ in range(10):
        size = int.from_bytes(payload[at : at + 4], "big")
        names = payload[at + 4 : at + 4 + size]
        if len(payload) < at + 4 or len(names) != size or any(not 32 < byte < 127 for byte in names):
            raise Odd("has a key exchange that is not understood")
        found.append([name for name in names.decode("ascii").split(",") if name])
        at += 4 + size
    return [",".join(dict.fromkeys(name for place in places for name in found[place])) for places in BOTH_WAYS]


def _plain(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in data)


ANSWERS["ssh"] = ssh_hello
