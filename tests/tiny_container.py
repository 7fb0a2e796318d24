"""A real container with a POSIX shell and little else, made from this machine's own programs: no image is downloaded.

`running_container()` needs a usable engine (docker, or what INFRATEST_TEST_ENGINE names) and fails without one.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Iterator

ENGINE = os.environ.get("INFRATEST_TEST_ENGINE", "docker")
PROGRAMS = "dash cat chmod mv rm head sleep printf grep stat id wc mktemp ls mkdir true env".split()


def engine(*arguments: str, stdin: bytes = b"") -> str:
    """Run the engine; fail with its own words."""
    done = subprocess.run([ENGINE, *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"{ENGINE} {' '.join(arguments)}: {done.stderr.decode()} (is DOCKER_HOST set?)"
    return done.stdout.decode().strip()


def _root() -> bytes:
    """Return a root file system as a tar: the programs, what they link to, and the folders they expect."""
    files = {}
    for name in PROGRAMS:
        path = shutil.which(name)
        assert path, f"{name} is not on this machine"
        files["bin/sh" if name == "dash" else f"bin/{name}"] = path
        linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for word in linked.split():
            if word.startswith("/"):
                files[word.lstrip("/")] = word
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "tmp", "proc", "etc", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        for name, path in files.items():
            entry = tarfile.TarInfo(name)
            with open(path, "rb") as file:
                entry.mode, entry.size = 0o755, os.fstat(file.fileno()).st_size
                tar.addfile(entry, file)
    return packed.getvalue()


@contextlib.contextmanager
def running_container() -> Iterator[str]:
    """Start a container that sleeps; yield its name; remove it and its image."""
    name = f"infratest-transport-{uuid.uuid4().hex[:8]}"
    image = engine("import", "-", stdin=_root())
    try:
        engine("run", "-d", "--init", "--network", "none", "--name", name, "--label", "infratest.test=transport", image,
               "/bin/sleep", "3600")  # fmt: skip
        yield name
    finally:
        subprocess.run([ENGINE, "rm", "-f", name], capture_output=True, check=False)
        subprocess.run([ENGINE, "rmi", "-f", image], capture_output=True, check=False)
