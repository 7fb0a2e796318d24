"""The installed programs in processes of their own that begin with their modules imported: for tests that run many.

What a program does, says and returns is the same, and a start costs a tenth: a process that has imported what such
programs import (`fork_server`) is forked for each, and reads the installed script from its first line. Tests of what a
start itself is (imports, prices, signals, a closed stream, the list of processes) start the installed program.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import marshal
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.worlds.fork_server import IGNORABLE, MARK, Start
from tests.worlds.nodes import processes

#: What the interpreter reads as it starts: a program that is to have its own is started as any program is.
AT_START = ("PYTHON", "LC_", "LANG", "LD_", "COVERAGE")
BIN = Path(sys.executable).parent
#: Program -> the modules that it finds imported.
PRELOADED = {"infratest": "infratest", "check_infratest": "infratest", "behave": "infratest", "pytest": "pytest"}
#: This process's own: a process forked for it is told from those of others by this.
OURS = uuid4().hex
#: What the servers have read as they started.
STARTED = {name: value for name, value in os.environ.items() if name.startswith(AT_START)}


def run(
    words: Sequence[object],
    *,
    program: str | Path = "infratest",
    module: bool = False,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] | None = None,
    input: str = "",
    text: bool = True,
    timeout: float = 240,
) -> subprocess.CompletedProcess[Any]:
    """Run a program with some words to its end, as `subprocess.run` with capture_output would.

    Args:
        words: what follows the program's name. program: an installed one, a script in Python by its path, or, with
        module, a module as `python -m` starts it.
        env: the whole environment; None for that of the tests. input: for its standard input. text: or bytes.
        timeout: seconds.
    Raises:
        subprocess.TimeoutExpired: it took longer, and was killed.
    """
    asked, environment = [str(word) for word in words], dict(os.environ if env is None else env)
    command = [str(program) if module else str(BIN / program), *asked]
    with contextlib.ExitStack() as stack:
        given = stack.enter_context(tempfile.TemporaryFile())
        given.write(input.encode())
        given.seek(0)
        if _at_start(environment) != STARTED:
            started = [sys.executable, *["-m"][: int(module)], *command]
            return subprocess.run(
                started, cwd=cwd, env=environment, stdin=given, capture_output=True, text=text, timeout=timeout
            )
        ignored = [int(number) for number in IGNORABLE if signal.getsignal(number) == signal.SIG_IGN]
        start = Start(command, str(Path(cwd or ".").absolute()), environment, _mask(), ignored)
        (out, out_there), (err, err_there) = os.pipe(), os.pipe()
        stack.callback(os.close, out)
        stack.callback(os.close, err)
        connection = stack.enter_context(socket.socket(socket.AF_UNIX))
        try:
            _connected(
                connection, PRELOADED.get(str(program), "infratest"), start, [given.fileno(), out_there, err_there]
            )
        finally:
            os.close(out_there)
            os.close(err_there)
        status, *said = _communicated(connection, out, err, timeout, command)
    return subprocess.CompletedProcess(command, status, *(map(_text, said) if text else said))


@cache
def programs() -> Path:
    """Return a folder for the beginning of a PATH: by their names there, the programs begin as they do by `run`.

    What a shell starts so takes its signals, and ends as it does.
    """
    folder = Path(tempfile.mkdtemp(prefix="forked-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "started").write_bytes(marshal.dumps((AT_START, STARTED)))
    client = Path(__file__).with_name("fork_client.py").read_text(encoding="utf-8")
    for program, preload in PRELOADED.items():
        path = folder / program
        path.write_text(f"#!{sys.executable} -ISE\n{client}\n\nmain()\n", encoding="utf-8")
        path.chmod(0o755)
        (folder / f"server-{program}").symlink_to(_server(preload))
    return folder


def left() -> list[str]:
    """Return the command lines of processes that were forked here, execute nothing of their own and have not ended."""
    found, servers = [], {server.pid for server in _servers}
    for pid, environment in processes.told("environ"):
        if pid not in servers and f"{MARK}={OURS}".encode() in environment:
            with contextlib.suppress(OSError):
                found.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


_starting = threading.Lock()
_servers: list[subprocess.Popen[bytes]] = []


def _server(preload: str) -> str:
    """Return the address of a server, which is started once and ends with this process."""
    with _starting:
        return _started(preload)


@cache
def _started(preload: str) -> str:
    folder = tempfile.mkdtemp(prefix="forked-")
    address = f"{folder}/s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        number = listener.fileno()
        program = [sys.executable, str(Path(__file__).with_name("fork_server.py")), preload, str(number)]
        others = {name: value for name, value in os.environ.items() if not name.startswith(AT_START)}
        environment = others | STARTED | {MARK: OURS}
        server = subprocess.Popen(
            program, cwd="/", env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[number]
        )
    _servers.append(server)

    def end() -> None:
        server.communicate()
        Path(address).unlink()
        Path(folder).rmdir()

    atexit.register(end)
    return address


def _connected(connection: socket.socket, preload: str, start: Start, streams: Sequence[int]) -> None:
    with tempfile.TemporaryFile() as request:
        request.write(marshal.dumps(tuple(start)))
        request.flush()
        connection.connect(_server(preload))
        socket.send_fds(connection, [b"\0"], [request.fileno(), *streams])


def _communicated(
    connection: socket.socket, out: int, err: int, timeout: float, command: Sequence[str]
) -> tuple[int, bytes, bytes]:
    """Return the status of a process, and what it wrote before all that have its streams had closed them."""
    read, until = {out: b"", err: b"", connection.fileno(): b""}, time.monotonic() + timeout
    with selectors.DefaultSelector() as ready:
        for number in read:
            ready.register(number, selectors.EVENT_READ)
        while ready.get_map():
            found = ready.select(max(0, until - time.monotonic()))
            if not found:  # the server kills it, as the connection is closed
                raise subprocess.TimeoutExpired(command, timeout, read[out], read[err])
            for key, _ in found:
                more = os.read(key.fd, 65536)
                read[key.fd] += more
                if not more:
                    ready.unregister(key.fd)
    _, status = map(int, read[connection.fileno()].split())
    return status, read[out], read[err]


def _text(data: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()


def _at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


def _mask() -> int:
    """Return the umask, which is only told as another is set: other threads make files."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("Umask:"))
    return int(line.split()[1], 8)
