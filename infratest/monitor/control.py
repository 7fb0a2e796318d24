"""Asking a running monitor: a socket in the state directory, one JSON object a line each way, for its own user alone.

The folder is private to its user (0700), and so is the socket; who asks is told by the kernel (SO_PEERCRED) and not by
a word in the question. The socket is reached through the open folder, so that a long path is no matter: a socket's own
may have 107 bytes.
"""

from __future__ import annotations

import json
import os
import pwd
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from infratest.errors import InfratestError, StateError, UserError

NAME = "monitor.sock"
#: Bytes of one question, and of one answer.
LARGEST = 16 * 2**20
#: Seconds for a question to arrive, and for its answer.
SECONDS = 10.0

#: Answers a question of a user: JSON in, JSON out. Raises InfratestError.
Answers = Callable[[dict[str, Any], str], Any]


class Control:
    """The listening end. Serves each connection in a thread of its own; `answers` sees to it that one thread knows."""

    def __init__(self, folder: Path, answers: Answers) -> None:
        self._folder, self._answers = folder, answers
        self._listening = _listening(folder)
        Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Listen no more, and take the socket away."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # closing alone leaves the thread that accepts where it is
        self._listening.close()
        with suppress(OSError):
            (self._folder / NAME).unlink()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            Thread(target=self._serve, args=(connection,), name="asked", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError, RecursionError):
            connection.settimeout(SECONDS)
            question = json.loads(_line(connection))
            if not isinstance(question, dict):
                return
            try:
                answer = {"answer": self._answers(question, _user(connection))}
            except InfratestError as error:
                answer = {"error": str(error)}
            connection.sendall(json.dumps(answer).encode() + b"\n")


def ask(folder: Path, question: dict[str, Any], seconds: float = SECONDS) -> Any:
    """Ask the monitor that runs on a state directory.

    Raises:
        NoMonitor: none runs there. UserError: what it answers is an error. StateError: it does not answer.
    """
    with _reached(folder) as path, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NoMonitor(f"no monitor runs on {folder}") from None
        except OSError as error:
            raise StateError(f"monitor: {folder / NAME}: {error.strerror or error}") from error
        try:
            connection.sendall(json.dumps(question).encode() + b"\n")
            answer = json.loads(_line(connection))
        except (OSError, ValueError) as error:
            raise StateError(f"monitor: the one that runs on {folder} did not answer: {error}") from error
    if "error" in answer:
        raise UserError(answer["error"])
    return answer["answer"]


class NoMonitor(StateError):
    """None runs on that state directory."""


def _listening(folder: Path) -> socket.socket:
    """Return a socket that listens, in place of one that a killed monitor left. Raises StateError."""
    with _reached(folder) as path:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(FileNotFoundError):
                (folder / NAME).unlink()
            before = os.umask(0o177)
            try:
                made.bind(path)
            finally:
                os.umask(before)
            made.listen(64)
        except OSError as error:
            made.close()
            raise StateError(f"monitor: {folder / NAME}: {error.strerror or error}") from error
    return made


@contextmanager
def _reached(folder: Path) -> Iterator[str]:
    """Give a short path of the socket, through the open folder."""
    try:
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NoMonitor(f"no monitor runs on {folder}: there is no such folder") from None
    except OSError as error:
        raise StateError(f"monitor: {folder}: {error.strerror}") from error
    try:
        yield f"/proc/self/fd/{handle}/{NAME}"
    finally:
        os.close(handle)


def _line(connection: socket.socket) -> bytes:
    """Return one line. Raises ValueError: it is longer than LARGEST, or ends in the middle."""
    parts, size = [], 0
    while True:
        part = connection.recv(65536)
        size += len(part)
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)
        if not part or size > LARGEST:
            raise ValueError("it was cut" if not part else f"it is longer than {LARGEST} bytes")


def _user(connection: socket.socket) -> str:
    """Return who asks, by the kernel's word."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return login(uid)


def login(uid: int) -> str:
    """Return the name of a user's login, else its number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
