"""One shell of this machine, for what no native reader answers. Called by here.py, which imports it only then.

On the plugin program's path where it is needed: nothing here imports a thread or `subprocess`.
"""

from __future__ import annotations

import os
from time import monotonic

from infratest.cleaning import clean, decoded
from infratest.collect.asked import questions
from infratest.collect.script import Script, build, read
from infratest.errors import DeadlineExceeded, InfratestError
from infratest.process_tree import end_session, signals_held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.collect.asked import Ask, Facts
    from infratest.deadline import Deadline

#: Bytes of the whole answer that are kept (transports/base.py has the same for other hosts).
OUTPUT_LIMIT = 8 * 2**20

#: Of signal(7), alike on all of Linux; the module `signal` imports `enum`, which costs a third of a check.
SIGPIPE = 13


def ask_shell(location: str, wanted: Sequence[Ask], deadline: Deadline, facts: Facts) -> None:
    """Ask all of these by one script, and put what came back by the deadline into the table of facts."""
    asking = questions(location, wanted, facts, deadline.left)
    script = build([question for _, question in asking])
    began = monotonic()
    output, words = _run(script, deadline)
    said = clean(decoded(words), 300)

    def why(error: InfratestError) -> InfratestError:
        if deadline.passed:
            return DeadlineExceeded(f"no answer within {deadline.seconds:.3g} s")
        return type(error)(f"{error}{f': {said}' if said else ''}")

    between = (began, monotonic())
    for (asked, _), answer in zip(asking, read(script, output), strict=True):
        facts.received(location, asked, answer, monotonic() - began, why, between)


def _run(script: Script, deadline: Deadline) -> tuple[bytes, bytes]:
    """Run a script by sh and return both streams, whatever there was of them at the deadline; nothing outlives it."""
    import select

    stdin_read, stdin_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    streams: dict[int, bytearray] = {out_read: bytearray(), err_read: bytearray()}
    unsent, open_streams = memoryview(script.text), {out_read, err_read}
    pid = 0
    try:
        with signals_held():
            pid = _started(script.nonce, stdin_read, out_write, err_write)
        for handle in (stdin_read, out_write, err_write):
            os.close(handle)
        os.set_blocking(stdin_write, False)
        while open_streams and not deadline.passed:
            writing = [stdin_write] if unsent else []
            readable, writable, _ = select.select(list(open_streams), writing, [], deadline.left)
            if writable:
                unsent = _send(stdin_write, unsent)
                if not unsent:
                    os.close(stdin_write)
            for handle in readable:
                data = os.read(handle, 65536)
                if not data:
                    open_streams.discard(handle)
                elif len(streams[handle]) < OUTPUT_LIMIT:
                    streams[handle] += data
    finally:
        _let_go(pid, bool(open_streams), (out_read, err_read, *([stdin_write] if unsent else [])))
    return bytes(streams[out_read]), bytes(streams[err_read])


def _started(nonce: str, stdin: int, stdout: int, stderr: int) -> int:
    """Start the shell in a session of its own and return its pid."""
    return os.posix_spawn(
        "/bin/sh", ["sh", "-s", nonce], os.environ | {"LC_ALL": "C"},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, stdout, 1),
            (os.POSIX_SPAWN_DUP2, stderr, 2),
        ],
        setsid=True,
        setsigdef=[SIGPIPE],
    )  # fmt: skip


def _let_go(pid: int, early: bool, handles: Sequence[int]) -> None:
    """Close what the shell was talked to by, and wait for it; where it is `early` all of its session is killed."""
    if early and pid:  # at the deadline, or after Ctrl-C
        end_session(pid)
    for handle in handles:
        os.close(handle)
    if pid:
        os.waitpid(pid, 0)


def _send(handle: int, data: memoryview) -> memoryview:
    try:
        return data[os.write(handle, data) :]
    except BrokenPipeError:
        # The shell has gone without reading all of it; what it printed says why.
        return data[len(data) :]
