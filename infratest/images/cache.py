"""Where images are while they are made, and the one lock for making them. For every provider."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import ProviderError


def cache_folder() -> Path:
    """Return where images in the making and an engine of `./run` live: INFRATEST_CACHE, else the user's cache."""
    given = os.environ.get("INFRATEST_CACHE")
    if given:
        return Path(given).absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "infratest"


@contextmanager
def workplace() -> Iterator[Path]:
    """Have a folder below the cache, on the disk where images are kept; it goes with all that is left in it.

    Raises:
        ProviderError: it cannot be made.
    """
    try:
        cache_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix="box-", dir=cache_folder()))
    except OSError as error:
        raise ProviderError(f"{cache_folder()} cannot be written: {error.strerror}; name another folder with "
                            "INFRATEST_CACHE") from error  # fmt: skip
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def build_lock(deadline: Deadline, name: str = "image") -> Iterator[None]:
    """Hold the one lock for builds of this user; whoever comes second waits, and then finds the image there.

    Args:
        name: of the lock, for what need not wait for a build.
    """
    folder = cache_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ProviderError(
            f"images are built in {folder}, which cannot be written: {error.strerror}; name another folder with "
            "INFRATEST_CACHE"
        ) from error
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if deadline.passed:
                    raise ProviderError("another infratest has been building an image for too long") from None
                time.sleep(0.1)
        yield
    finally:
        os.close(handle)
