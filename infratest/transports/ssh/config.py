"""What ssh_config says for one destination: as OpenSSH's own client answers, or read here where that is not installed.

Called by `route` for the host and for each jump host. `ssh -G` is asked (`config_ask`) and its answer kept
with the state of every file that it read, so that the next look at the same destination costs a few stat(2). Without
that client `config_read` reads the files, and refuses what it does not know. On the plugin program's path: the
other two are imported when they are needed.
"""

from __future__ import annotations

import os
from binascii import crc32

from infratest.json_text import loads
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from infratest.deadline import Deadline

    #: Keyword in lower case -> its values, with `~`, tokens and variables replaced.
    Answer = Mapping[str, list[str]]
    Stamp = list[int] | None

FORMAT = 1
CLIENT = "ssh"

#: Letters that may stand in the name of a kept answer's file.
PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789.-_"

#: Answers of this process, by their question: a monitor asks again and again, and may have nowhere to keep a file.
_asked: dict[str, Mapping[str, Any]] = {}


class Destination(Record):
    """One place to log in to, as it would be given to ssh: `ssh -F config -l user -p port alias`.

    Args:
        user, port: what the stack file says, or nothing. config: path of the only ssh_config to read; empty for the
        user's and the system's.
    """

    alias: str
    user: str = ""
    port: int | None = None
    config: str = ""


def look_up(destination: Destination, folder: str, deadline: Deadline) -> Answer:
    """Return what ssh_config says for a destination.

    Args:
        folder: where answers are kept from one run to the next; empty for nowhere.
    Raises:
        TransportError: it cannot be read, or is not understood. DeadlineExceeded: ssh did not answer in time.
    """
    program = client()
    if not program:
        from infratest.transports.ssh import config_read

        return config_read.read(destination)
    question = repr((FORMAT, program, *destination.values(), os.getuid(), os.environ.get("HOME"), os.uname().nodename))
    path = _file(folder, destination, question) if folder else ""
    for kept in (_asked.get(question), _load(path, question) if path else None):
        if kept is not None and all(stamp(name) == was for name, was in kept["stamps"].items()):
            _asked[question] = kept
            return kept["answer"]  # type: ignore[no-any-return]
    from infratest.transports.ssh import config_ask

    answer, stamps = config_ask.ask(program, destination, deadline)
    if stamps is not None:
        _asked[question] = {"question": question, "stamps": stamps, "answer": answer}
        if path:
            config_ask.keep(path, _asked[question])
    return answer


def client() -> str:
    """Return the path of OpenSSH's client, or nothing where there is none in PATH."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, CLIENT)
        if folder and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return ""


def stamp(path: str) -> Stamp:
    """Return what changes when a file or folder does; None where it is not there."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev]


def _file(folder: str, destination: Destination, question: str) -> str:
    """Return where the answer to a question is kept; two questions of one name cost each other no more than that."""
    readable = "".join(letter for letter in destination.alias.lower() if letter in PLAIN)[:60]
    return os.path.join(folder, f"{readable}-{crc32(question.encode('utf-8', 'surrogateescape')):08x}.json")


def _load(path: str, question: str) -> Mapping[str, Any] | None:
    """Return a kept answer, or None where there is none to this question, or where another user could have written it.

    It decides where we log in: root must not take it from a file that an ordinary user may change.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with open(handle, encoding="utf-8") as file:
            info = os.fstat(handle)
            if info.st_uid != os.geteuid() or info.st_mode & 0o022:
                return None
            kept = loads(file.read())
        return kept if kept["question"] == question and kept["stamps"] and kept["answer"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
