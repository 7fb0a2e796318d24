"""The shells that a host may have as `sh`, for the tests that run our scripts under each of them."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

#: Name -> the shell's argument list, and whether busybox's own programs come first in PATH, as on Alpine.
SHELLS = {
    "dash": (["dash"], False),
    "bash": (["bash", "--posix"], False),
    "mksh": (["mksh"], False),
    "busybox": (["busybox", "sh"], True),
}


@cache
def busybox_programs() -> Path:
    """Return a folder with a link to busybox for each of its programs."""
    folder = Path(mkdtemp(prefix="busybox-"))
    atexit.register(shutil.rmtree, folder)
    busybox = shutil.which("busybox")
    assert busybox, "busybox is needed: apt-get install busybox mksh"
    for name in subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split():
        (folder / name).symlink_to(busybox)
    return folder


def shell(name: str) -> tuple[list[str], str]:
    """Return a shell's argument list, its program as a path, and the PATH that it has."""
    words, bare = SHELLS[name]
    program = shutil.which(words[0])
    assert program, f"{words[0]} is needed: apt-get install busybox mksh"
    path = f"{busybox_programs()}:{os.environ['PATH']}" if bare else os.environ["PATH"]
    return [program, *words[1:]], path
