"""Asking the monitor of a state directory over its socket, importing next to nothing: for checks, and sentences of it.

One JSON object a line each way. `infratest.monitor.control` is the other end, and the words of people ask by that. On
the plugin program's path.
"""

from __future__ import annotations

import _socket
import os
import sys
from time import monotonic

from infratest.json_text import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = "monitor.sock"
#: Bytes of an answer.
LARGEST = 16 * 2**20
#: Of `struct ucred`: pid, uid, gid.
CREDENTIALS = 12


class Silence(Exception):
    """The monitor has no answer; the text is why."""


class Nobody(Silence):
    """No monitor runs there, or it hangs."""


def asked(folder: str, question: dict[str, Any], seconds: float) -> Any:
    """Ask the monitor of a state directory, and return its answer. Raises Nobody, and Silence for whatever else."""
    try:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Nobody(f"no monitor runs on {folder}: there is no such folder") from None
    except OSError as error:
        raise Silence(f"{folder}: {error.strerror}") from None
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(seconds)
        # Through the open folder: a path of a socket may have 107 bytes, and that of a state directory more.
        connection.connect(f"/proc/self/fd/{handle}/{NAME}")
        _refuse_foreign(connection, os.fstat(handle).st_uid)
        connection.sendall(dumps(question).encode("utf-8", "surrogatepass") + b"\n")
        answer = loads(_line(connection, seconds))
    except (FileNotFoundError, ConnectionRefusedError):
        raise Nobody(f"no monitor runs on {folder}") from None
    except TimeoutError:
        raise Nobody(f"the monitor of {folder} did not answer in {seconds:g} s") from None
    except (OSError, ValueError) as error:
        raise Silence(f"the monitor of {folder} did not answer: {error}") from None
    finally:
        connection.close()
        os.close(handle)
    if not isinstance(answer, dict) or "answer" not in answer:
        why = answer.get("error") if isinstance(answer, dict) else None
        raise Silence(f"the monitor of {folder} has no answer: {why or 'another version runs there'}")
    return answer["answer"]["answer"]


def _refuse_foreign(connection: _socket.socket, owner: int) -> None:
    """Raise Silence where who listens there is neither root, nor we, nor whose the folder is."""
    peer = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, CREDENTIALS)
    uid = int.from_bytes(peer[4:8], sys.byteorder)
    if uid not in (0, os.getuid(), owner):
        raise Silence(f"user {uid} listens there, whose the state directory is not")


def _line(connection: _socket.socket, seconds: float) -> bytes:
    """Return one line, within so many seconds. Raises OSError, and ValueError where it is cut, or too long."""
    end, size = monotonic() + seconds, 0
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        connection.settimeout(max(0.001, end - monotonic()))
        part = connection.recv(65536)
        size += len(part)
        if not part or size > LARGEST:
            raise ValueError("its answer was cut" if not part else f"its answer is longer than {LARGEST} bytes")
        parts.append(part)
    return b"".join(parts)
