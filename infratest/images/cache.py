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

#: How the folders are called in which boxes are packed and unpacked, and their lock.
WORK = "box"


def cache_folder() -> Path:
    """Return where images in the making and an engine of `./run` live: INFRATEST_CACHE, else the user's cache."""
    given = os.environ.get("INFRATEST_CACHE")
    if given:
        return Path(given).absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "infratest"


@contextmanager
def workplace(deadline: Deadline) -> Iterator[Path]:
    """Have a folder below the cache, on the disk where images are kept; it goes with all that is left in it.

    Whoever is killed leaves its folder behind: the next one removes it, known by that nobody holds it any more.

    Raises:
        ProviderError: it cannot be made.
    """
    with build_lock(deadline, WORK):  # a folder that is made and not held yet would be taken for one left behind
        _remove_left(cache_folder())
        try:
            made = Path(tempfile.mkdtemp(prefix=f"{WORK}-", dir=cache_folder()))
            held = _hold(made)
        except OSError as error:
            raise ProviderError(f"{cache_folder()} cannot be written: {error.strerror}; name another folder with "
                                "INFRATEST_CACHE") from error  # fmt: skip
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(held)


def _hold(folder: Path) -> int:
    """Return a handle that holds a folder for as long as it is open, and this process lives.

    Raises:
        OSError: somebody else holds it, or it is no folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _remove_left(cache: Path) -> None:
    """Remove the folders of those who were killed."""
    for folder in cache.glob(f"{WORK}-*"):
        try:
            held = _hold(folder)
        except OSError:  # somebody is at work in it, or it is no folder of ours
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


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
