"""A recipe's root file system, made by debootstrap; and what a recipe brings into an image in the making."""

from __future__ import annotations

import io
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images.cache import cache_folder
from infratest.images.recipe import Recipe
from infratest.images.sources import Sources
from infratest.local_program import call
from infratest.quoting import quoted
from infratest.tarfiles import tarfile

log = logging.getLogger(__name__)

#: Where the recipe's folder is while an image is made; gone from the image.
INSIDE = "infratest-build"

#: With mounts and processes of its own, which end with it, and it ends with us: nothing stays mounted or running.
ALONE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def debootstrap_missing() -> str:
    """Return why debootstrap cannot be used on this machine; empty where it can."""
    if sys.platform != "linux":
        return "it works on Linux only"
    if os.geteuid() != 0:
        return "it must be root"
    absent = [
        program for program in ("debootstrap", "setpriv", "unshare", "chroot", "tar") if not shutil.which(program)
    ]
    return f"{', '.join(absent)} not installed (apt-get install debootstrap)" if absent else ""


@contextmanager
def bootstrapped(recipe: Recipe, sources: Sources, deadline: Deadline) -> Iterator[Path]:
    """Make the recipe's root file system; yield it as a tar archive, which is gone afterwards. Under the build lock.

    Raises:
        ProviderError: debootstrap or the recipe's `setup.sh` failed, with its last words.
    """
    with root_folder(recipe, sources, deadline) as root:
        archive = root.with_name("root.tar")
        run(["tar", "-C", str(root), "--numeric-owner", "-cf", str(archive), "."], sources, deadline)
        yield archive


@contextmanager
def root_folder(recipe: Recipe, sources: Sources, deadline: Deadline) -> Iterator[Path]:
    """Make the recipe's root file system; yield it as a folder, in a folder of its own where more may be made, which
    is gone afterwards. Under the build lock. Raises as `bootstrapped`."""
    for stale in cache_folder().glob("build-*"):  # of a build that was killed: ours is the only one, by the lock
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=cache_folder()) as folder:
        root = Path(folder, "root")
        run([*ALONE, *_debootstrap(recipe, sources, root)], sources, deadline)
        with tarfile.open(fileobj=io.BytesIO(packed(recipe, sources, ()))) as held:
            held.extractall(root, filter="data")
        run_inside(root, ["sh", f"/{INSIDE}/setup.sh"], sources, deadline)
        yield root


def run_inside(root: Path, command: list[str], sources: Sources, deadline: Deadline) -> None:
    """Run a program in a root file system, with /proc there; raises as `run` does."""
    inside = 'mount -t proc proc "$1/proc" && exec chroot "$@"'
    run([*ALONE, "sh", "-c", inside, "sh", str(root), *command], sources, deadline)


def _debootstrap(recipe: Recipe, sources: Sources, root: Path) -> list[str]:
    """Return the command: the suite's signature is always verified."""
    words = ["debootstrap", "--variant=minbase", "--force-check-gpg", f"--include={','.join(recipe.packages)}"]
    if recipe.components:
        words.append(f"--components={','.join(recipe.components)}")
    if recipe.keyring in recipe.files:
        keyring = root.with_name("keyring.gpg")
        keyring.write_bytes(recipe.files[recipe.keyring])
        words.append(f"--keyring={keyring}")
    elif recipe.keyring:
        words.append(f"--keyring={recipe.keyring}")
    words += [recipe.suite, str(root)]
    if sources.mirror or recipe.script:
        words.append(sources.mirror)
    return [*words, recipe.script] if recipe.script else words


def run(command: list[str], sources: Sources, deadline: Deadline) -> None:
    """Run a program that makes an image.

    Raises:
        ProviderError: it failed; with the program's last words.
    """
    status, out, err = call(command, deadline, environment={"PATH": PATH, **sources.environment})
    log.debug("%s: %s", command[0], out)
    if status != 0:
        words = " ".join((err.strip() or out.strip()).splitlines()[-5:])
        raise ProviderError(f"{command[0]} failed while an image was built from {sources.mirror}: {words}")


def packed(recipe: Recipe, sources: Sources, packages: tuple[str, ...]) -> bytes:
    """Return the recipe's folder as a tar archive with the folder INSIDE at its root; beside the recipe's own files,
    this machine's package sources and the lists that `setup.sh` reads."""
    lists = f"packages={quoted(' '.join(packages))}\nmasked={quoted(' '.join(recipe.masked))}\n"
    held = {name: content for name, content in recipe.files.items() if "/" not in name}
    held |= {"sources.list": sources.lists.encode(), "apt.conf": sources.settings.encode(), "lists": lists.encode()}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in held.items():
            entry = tarfile.TarInfo(f"{INSIDE}/{name}")
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()
