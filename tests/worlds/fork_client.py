"""What stands in PATH for a program that is to be forked: see `forked.programs`, which writes this with a first line.

Beside it are the server's socket, and what of the environment the server has read at its start. Where the program is
to have another one, or a stream is closed, it is started as it is installed. It imports as little as can be.
"""

# Without pathlib, which costs more than all the rest:
# ruff: noqa: PTH109, PTH118, PTH120

import os
import sys
from _signal import SIG_DFL, SIG_IGN, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, getsignal, signal
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket
from marshal import dumps, loads

#: Whoever starts a program may have it not hear of these.
IGNORABLE = (SIGINT, SIGQUIT, SIGHUP)
FORWARDED = (SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGUSR1, SIGUSR2)


def main() -> None:
    folder, name = os.path.split(sys.argv[0])
    program = os.path.join(os.path.dirname(sys.executable), name)
    environment = dict(os.environ)
    with open(os.path.join(folder, "started"), "rb") as file:
        begins, read = loads(file.read())
    if {key: value for key, value in environment.items() if key.startswith(begins)} != read or not _open():
        os.execv(program, [program, *sys.argv[1:]])
    mask = os.umask(0)
    os.umask(mask)
    ignored = [number for number in IGNORABLE if getsignal(number) == SIG_IGN]
    request = os.memfd_create("start")
    os.write(request, dumps(([program, *sys.argv[1:]], os.getcwd(), environment, mask, ignored)))
    connection = socket(AF_UNIX, SOCK_STREAM)
    connection.connect(os.path.join(folder, f"server-{name}"))
    rights = b"".join(number.to_bytes(4, sys.byteorder) for number in (request, 0, 1, 2))
    connection.sendmsg([b"\0"], [(SOL_SOCKET, SCM_RIGHTS, rights)])
    answers = open(connection.fileno(), "rb", closefd=False)  # noqa: SIM115 - for good
    pid = int(answers.readline())
    for number in FORWARDED:
        if number not in ignored:
            signal(number, lambda number, _: os.kill(pid, number))
    status = int(answers.readline())
    if status < 0:
        if -status in FORWARDED:
            signal(-status, SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _open() -> bool:
    try:
        return all(os.fstat(number) for number in range(3))
    except OSError:
        return False
