"""A real chronyd for tests: on a free port of 127.0.0.1, from the distribution's package unpacked into a folder.

Its package is not installed: it takes the place of whoever keeps this machine's clock, and this one sets none (-x).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infratest.facts._sntp import sntp
from infratest.testing.waiting import wait_until
from tests.worlds.debian_package import unpacked
from tests.worlds.tls_servers import WITH_US


@contextlib.contextmanager
def chronyd(folder: Path, port: int, *settings: str, wrong: str = "") -> Iterator[None]:
    """Run a server.

    Args:
        wrong: how far its clock is moved, as `+100s`. By faketime's library, for its program goes between it and us.
    """
    program = unpacked("chrony") / "usr/sbin/chronyd"
    folder.mkdir()
    lines = (f"port {port}", "bindaddress 127.0.0.1", "allow", "cmdport 0", "bindcmdaddress /", *settings)
    (folder / "chrony.conf").write_text("\n".join((*lines, f"pidfile {folder}/pid", "")))
    words = [*WITH_US, str(program), "-x", "-d", "-u", "root", "-f", str(folder / "chrony.conf")]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | _moved(wrong)
        )
        try:
            assert wait_until(lambda: server.poll() is not None or sntp("127.0.0.1", port, 1.0)[0] == "open")
            assert server.poll() is None, (folder / "log").read_text()
            yield
        finally:
            server.terminate()
            server.wait(20)


def _moved(wrong: str) -> dict[str, str]:
    if not wrong:
        return {}
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert library, "faketime is needed: apt-get install faketime"
    return {"LD_PRELOAD": str(library), "FAKETIME": wrong}
