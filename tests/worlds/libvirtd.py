"""libvirt's own daemons on this machine: used where they run, else started for the tests and ended after them.

There can be one libvirtd on a machine, whatever its sockets are called.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.libvirt.connection import SYSTEM, Daemon

#: Runs a daemon, and takes leave of every process that the daemon leaves behind (prctl(2): 36 is
#: PR_SET_CHILD_SUBREAPER). libvirtd starts QEMU anew for each question what it can, and waits until nobody has to take
#: leave of it any more, for which the first process of a container may take seconds.
KEEPER = """
import ctypes, os, signal, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
daemon = subprocess.Popen(sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: daemon.terminate())
while os.wait()[0] != daemon.pid:
    pass
"""

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def answers() -> str:
    """Return why the daemon does not answer, empty where it does."""
    try:
        Daemon(SYSTEM).ask("looking for tests", lambda connection: connection.getLibVersion(), Deadline(10))
    except ProviderError as error:
        return str(error)
    return ""


@contextmanager
def libvirtd() -> Iterator[None]:
    """Have the daemon of this machine running."""
    if not answers():
        yield
        return
    started = []
    try:
        for name in ("virtlogd", "libvirtd"):
            program = shutil.which(name, path=PATH)
            assert program, f"{name} is not installed: apt-get install libvirt-daemon-system"
            words = [sys.executable, "-c", KEEPER, program]
            started.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        end = time.monotonic() + 60
        while reason := answers():
            assert time.monotonic() < end, reason
            time.sleep(0.2)
        yield
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
