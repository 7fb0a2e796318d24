"""A real chronyd for tests: on a free port of 127.0.0.1, from the distribution's package unpacked into a folder.

Its package is not installed: it takes the place of whoever keeps this machine's clock, and this one sets none (-x).
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.facts._sntp import sntp
from infratest.testing.waiting import wait_until
from tests.worlds.debian_package import unpacked


@contextlib.contextmanager
def chronyd(folder: Path, port: int, *settings: str, under: tuple[str, ...] = ()) -> Iterator[None]:
    """Run a server; `under` is a command line that its own is put behind."""
    program = unpacked("chrony") / "usr/sbin/chronyd"
    folder.mkdir()
    lines = (f"port {port}", "bindaddress 127.0.0.1", "allow", "cmdport 0", "bindcmdaddress /", *settings)
    (folder / "chrony.conf").write_text("\n".join((*lines, f"pidfile {folder}/pid", "")))
    words = [*under, str(program), "-x", "-d", "-u", "root", "-f", str(folder / "chrony.conf")]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            assert wait_until(lambda: server.poll() is not None or sntp("127.0.0.1", port, 1.0)[0] == "open")
            assert server.poll() is None, (folder / "log").read_text()
            yield
        finally:
            server.terminate()
            server.wait(20)
