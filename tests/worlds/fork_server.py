"""The process that `forked` forks: a program in its own right, which has imported what others import at their start.

    python fork_server.py PRELOAD LISTENER      until its standard input is closed

Whoever connects sends four file descriptors: a file with the start as marshal writes it, and the three streams of the
process that is to be. What comes back are lines: its id, and how it ended, as `subprocess` has it. Where the connection
is closed before, the process is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import marshal
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

#: In the environment that the kernel shows of this process, and of each that was forked from it and executes nothing.
MARK = "INFRATEST_TEST_FORKED"
#: Signals that whoever starts a program may have it not hear of.
IGNORABLE = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
#: Of these every module is imported, but for those that begin with `_`.
PACKAGES = (
    "cli.verbs", "acts", "collect", "components", "facts", "heal", "inventories", "lifecycle", "outputs", "providers",
    "provisioners", "remedies", "store", "transports", "transports.ssh",
)  # fmt: skip


class Start(NamedTuple):
    """What a process is to be.

    Args:
        words: the program's path, or the name of a module for `python -m`, and what follows. mask: of files it makes.
        ignored: those of IGNORABLE that it is not to hear of.
    """

    words: list[str]
    folder: str
    environment: dict[str, str]
    mask: int
    ignored: list[int]


def of_infratest() -> None:
    """Every verb and sentence, what carries them out, behave with our Runner, and what plugins there are.

    A module that a program imports and that is not here costs that program's time, and is imported all the same.
    """
    import behave.__main__

    from infratest import behave_runner, check_infratest, outsiders
    from infratest.cli import main
    from infratest.gherkin.vocabulary import vocabulary
    from infratest.plugins import KINDS

    for package in PACKAGES:
        _below(importlib.import_module(f"infratest.{package}"))
    with contextlib.suppress(SystemExit), contextlib.suppress(ImportError):
        vocabulary().match("")
    for kind in KINDS:
        outsiders.names(kind)
    assert all((main, behave, behave_runner, check_infratest))


def of_pytest() -> None:
    """Every plugin that pytest finds, imported as pytest does it, their asserts rewritten; and what ours imports."""
    from importlib.metadata import entry_points

    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    config = get_config()
    hook = install_importhook(config)
    config._mark_plugins_for_rewrite(hook, False)
    for plugin in entry_points(group="pytest11"):
        hook.mark_rewrite(plugin.module)
        importlib.import_module(plugin.module)
    import pdb

    import hypothesis  # its plugin does as it ends, and asks until then whether a test has
    import testinfra.modules

    from infratest import pytest_plugin

    _below(pytest_plugin)
    _below(testinfra.modules)
    of_infratest()
    sys.meta_path.remove(hook)
    Hidden(hypothesis).hide(type(hook))
    assert pdb


class Hidden:
    """A package that is not there for those who look, and is as it was for the first that imports it.

    Args:
        package: imported, as are some of its modules.
    """

    def __init__(self, package: ModuleType) -> None:
        self._spec = package.__spec__
        begins = f"{package.__name__}."
        self._modules = {n: sys.modules[n] for n in [*sys.modules] if n == package.__name__ or n.startswith(begins)}

    def hide(self, finder: type[Any]) -> None:
        """Take the package out of what is imported; a finder, of which there is none yet, will find it first."""
        general, name = finder.find_spec, self._spec.name

        def find_spec(itself: Any, asked: str, *more: Any) -> ModuleSpec | None:
            return ModuleSpec(asked, self) if asked == name and self._modules else general(itself, asked, *more)

        finder.find_spec = find_spec
        for each in self._modules:
            del sys.modules[each]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec
        sys.modules.update(self._modules)
        self._modules = {}


def _below(package: ModuleType) -> None:
    for module in pkgutil.iter_modules(package.__path__):
        if module.name[0] == "_":  # some run elsewhere, with libraries that are not here
            continue
        with contextlib.suppress(ImportError):  # of a library that is not here
            importlib.import_module(f"{package.__name__}.{module.name}")


def asked(listener: socket.socket) -> tuple[Start, list[int]]:
    """Fork for each that connects. Return in the forked process: what it is to be, and its streams.

    Raises:
        SystemExit: in this process, once its standard input is closed.
    """
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        ready.register(0, selectors.EVENT_READ)
        running = Running(ready)
        while True:
            for key, _ in ready.select():
                if key.fileobj == 0:
                    raise SystemExit
                if key.data:
                    running.end(key.data, killed=key.fileobj is key.data)
                    continue
                client, _ = listener.accept()
                _, handed, _, _ = socket.recv_fds(client, 1, 4)
                if not handed:  # it was killed before it could say what it wants
                    client.close()
                elif pid := os.fork():
                    for number in handed:
                        os.close(number)
                    running.add(client, pid)
                else:
                    for mine in (running, client, listener):
                        mine.close()
                    with open(handed[0], "rb") as file:
                        file.seek(0)
                        return Start(*marshal.load(file)), handed[1:]


class Running:
    """The processes that run: who asked for each, and the descriptor by which its end is seen."""

    def __init__(self, ready: selectors.BaseSelector) -> None:
        self._ready = ready
        self._of: dict[socket.socket, tuple[int, int]] = {}

    def add(self, client: socket.socket, pid: int) -> None:
        """Tell who asked for a process its id, and see its end and theirs."""
        _tell(client, pid)
        watch = os.pidfd_open(pid)
        self._of[client] = pid, watch
        for each in (client, watch):
            self._ready.register(each, selectors.EVENT_READ, client)

    def end(self, client: socket.socket, killed: bool) -> None:
        """Tell who asked for a process how it ended. Args: killed: it is to, for they have gone."""
        if client not in self._of:  # both were seen at once
            return
        pid, watch = self._of.pop(client)
        if killed:
            os.kill(pid, signal.SIGKILL)
        _tell(client, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        for each in (client, watch):
            self._ready.unregister(each)
        client.close()
        os.close(watch)

    def close(self) -> None:
        """Forget all, in a process that was forked."""
        for client, (_, watch) in self._of.items():
            client.close()
            os.close(watch)


def _tell(client: socket.socket, number: int) -> None:
    with contextlib.suppress(ConnectionError):  # it may wait no longer
        client.sendall(b"%d\n" % number)


def be(start: Start, streams: list[int], path: list[str]) -> None:
    """Be a program from its first line on, with its own streams, environment and folder."""
    os.chdir(start.folder)
    os.umask(start.mask)
    os.environ.clear()
    os.environ.update(start.environment)
    time.tzset()
    tempfile.tempdir = None  # which is asked of the environment once
    for number in IGNORABLE:
        normal = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in start.ignored else normal)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = map(_stream, (sys.stdin, sys.stdout, sys.stderr), range(3))
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.argv = start.words
    program = start.words[0]
    if os.sep in program:
        sys.path[:] = [str(Path(program).parent), *path]
        runpy.run_path(program, run_name="__main__")
    else:
        sys.path[:] = [str(Path.cwd()), *path]
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def _stream(like: Any, number: int) -> io.TextIOWrapper:
    """Return a standard stream as Python opens it at its start, where one of its own is like this."""
    raw = io.FileIO(number, "wb" if number else "rb", closefd=False)
    at_once = bool(number) and like.write_through  # PYTHONUNBUFFERED
    buffer: Any = raw if at_once else io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    lines = not at_once and (number == 2 or raw.isatty())
    newline = "\n" if number else None
    return io.TextIOWrapper(buffer, like.encoding, like.errors, newline, line_buffering=lines, write_through=at_once)


def ended(code: object) -> int:
    """Return the status of a program that says this as it exits."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def main() -> None:
    """Import, and fork until it is time to end."""
    path = sys.path[1:]
    sys.path[0] = str(
        Path(sys.executable).parent
    )  # not this file's folder: an installed program's, and what is kept by it
    listener = socket.socket(fileno=int(sys.argv[2]))
    select.select([listener, 0], [], [])  # what nobody asks for is not imported
    {"infratest": of_infratest, "pytest": of_pytest}[sys.argv[1]]()
    gc.collect()
    gc.freeze()  # a forked process need not go through what was imported here to find what it can forget
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    start, streams = asked(listener)
    status = 0
    try:
        be(start, streams, path)
    except SystemExit as end:
        status = ended(end.code)
    except BaseException as error:  # noqa: BLE001 - as Python does at the end of a program
        own = error.__traceback__
        while own and own.tb_frame.f_code.co_filename in (__file__, runpy.__spec__.origin, "<frozen runpy>"):
            own = own.tb_next
        sys.excepthook(type(error), error.with_traceback(own), own)
        status = -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    # Taking down all that was imported costs more than many a command. What is left open and not flushed is lost.
    os._exit(status)


if __name__ == "__main__":
    main()
