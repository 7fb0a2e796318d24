"""A real vsftpd, whose folder says what is right, and a port where nobody is; nobody logs in but `anonymous`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, CRITICAL, OK, UNKNOWN, Question, both, bounds
from tests.worlds import tls_servers
from tests.worlds.file_server import files

VIEWPOINTS = ("", " from the host", " from the controller")
#: Path -> its size; None for what is no file; UNKNOWN where who asks may not look.
FILES = {
    "pub/data.tar": 1000, "pub/.dot": 1, "closed/x": 1, "pub/dir": None, "pub/nosuch": None, "nosuch/a/b": None,
    "closed/y": UNKNOWN, "barred/x": UNKNOWN,
}  # fmt: skip


class Objects(NamedTuple):
    """Ports, and what keeps the server alive."""

    port: int
    down: int
    alive: ExitStack


def objects(place: Path) -> Objects:
    """Start the server, with files of two hours ago."""
    made, alive = tls_servers.authority(place), ExitStack()
    folder = place / "files"
    folder.mkdir()
    one = alive.enter_context(files(made, folder, time.time() - 7200))
    return Objects(one.port, tls_servers.free_port(), alive)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of servers of files, from each viewpoint."""
    for view in VIEWPOINTS:
        for port, there in ((objects.port, True), (objects.down, False)):
            url = f"ftp://127.0.0.1:{port}"
            start = f'the file server "{url}"'
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, "a server")
            claims = (f"{start} accepts the login{view}", f"{start} does not accept the login{view}")
            yield from both(*claims, True if there else ABSENT, "a server")
            for bound, soon in (("less than 60 s", True), ("more than 60 s", False)):
                yield Question(f"{start} answers in {bound}{view}", OK if there and soon else CRITICAL, "a server")
            for path, size in FILES.items():
                yield from _file(f'the remote file "{url}/{path}"', size if there else ABSENT, view, path)


def _file(start: str, size: int | str | None, view: str, path: str) -> Iterator[Question]:
    truth = size is not None if not isinstance(size, str) else size
    yield from both(f"{start} exists{view}", f"{start} does not exist{view}", truth, path)
    if not view:
        yield from bounds(f"{start} is {{}} in size", ABSENT if size is None else size, path, " B")
    for bound, right in (("less than 3 h", OK), ("more than 3 h", CRITICAL), ("more than 1 h", OK)):
        right = right if isinstance(size, int) else UNKNOWN if size == UNKNOWN else CRITICAL
        yield Question(f"{start} was changed {bound} ago{view}", right, path)
