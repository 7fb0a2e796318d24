"""Images of container hosts, from recipes: folders with `recipe.toml`, `setup.sh` and `init` (fixtures/images/).

Called by the container provider. An image is built once: from a registry image where one can be pulled, by debootstrap
where not. Its tag is the hash of its recipe and of this machine's package sources, which it takes over, so that what a
provisioner installs in a host comes from where this machine's own packages come from.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import logging
import os
import shutil
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UnknownName, UserError, unknown
from infratest.providers.container.apt_sources import Sources
from infratest.providers.container.engine import Engine, cache_folder, call
from infratest.quoting import quoted

log = logging.getLogger(__name__)

RECIPE = "recipe.toml"

#: Where the recipe's folder is while an image is made; gone from the image.
INSIDE = "infratest-build"

#: With mounts and processes of its own, which end with it, and it ends with us: nothing stays mounted or running.
ALONE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")

#: Seconds for a pull: a registry that cannot be reached answers at once or never.
PULL = 180.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image is made of; the keys of `recipe.toml`."""

    name: str
    folder: Path
    suite: str
    mirror: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    registry: str = ""
    stop_signal: str = "SIGRTMIN+3"
    masked: tuple[str, ...] = ()

    def tag(self, sources: Sources) -> str:
        """Return the image's name: it changes with any byte of the recipe and with the package sources."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.folder)}\0{len(content)}\0".encode() + content)
        digest.update(f"{sources.lists}\0{sources.settings}".encode())
        return f"infratest/{self.name}:{digest.hexdigest()[:12]}"


def names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.parent.name for path in _shipped().glob(f"*/{RECIPE}"))


def recipe(name: str, folder: Path) -> Recipe:
    """Return the recipe of this name: one of ours, or a folder with a `recipe.toml` beside the stack file.

    Raises:
        UnknownName: neither. UserError: its `recipe.toml` cannot be used.
    """
    ours = _shipped() / name
    beside = folder / name
    place = ours if "/" not in name and (ours / RECIPE).is_file() else beside
    if not (place / RECIPE).is_file():
        raise UnknownName(unknown("image", name, names()) + f"; and there is no {beside / RECIPE}")
    try:
        data: dict[str, Any] = tomllib.loads((place / RECIPE).read_text(encoding="utf-8"))
        return Recipe(
            name=place.resolve().name.lower(),
            folder=place,
            suite=data["suite"],
            mirror=data["mirror"],
            packages=tuple(data["packages"]),
            command=tuple(data["command"]),
            registry=data.get("registry", ""),
            stop_signal=data.get("stop-signal", "SIGRTMIN+3"),
            masked=tuple(data.get("masked", ())),
        )
    except KeyError as error:
        raise UserError(f"{place / RECIPE}: {error.args[0]} is missing") from error
    except (OSError, UnicodeDecodeError, TypeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{place / RECIPE} cannot be used: {error}") from error


def ensure(engine: Engine, wanted: Recipe, deadline: Deadline) -> str:
    """Return the tag of the recipe's image, which is built if it is not there; one build at a time on this machine.

    Raises:
        ProviderError: neither way works; the message holds both reasons.
    """
    sources = Sources.of_this_machine(wanted.suite, wanted.mirror)
    tag = wanted.tag(sources)
    if engine.exists("image", tag, deadline):
        return tag
    with _build_lock(deadline):
        if not engine.exists("image", tag, deadline):
            began = time.monotonic()
            log.warning("image %s is not there yet: building it, which takes one to three minutes, once", tag)
            _build(engine, wanted, sources, tag, deadline)
            log.warning("image %s built in %.0f s", tag, time.monotonic() - began)
    return tag


def _build(engine: Engine, wanted: Recipe, sources: Sources, tag: str, deadline: Deadline) -> None:
    refused = "the recipe names no registry image"
    if wanted.registry:
        try:
            if not engine.exists("image", wanted.registry, deadline):
                engine.run(["pull", wanted.registry], deadline.at_most(PULL))
        except ProviderError as error:
            refused = str(error)
        else:
            _from_registry(engine, wanted, sources, tag, deadline)
            return
    missing = debootstrap_missing()
    if missing:
        raise ProviderError(f"image {tag} cannot be built: {refused}; and not by debootstrap: {missing}")
    log.info("no registry image (%s): building %s by debootstrap from %s", refused, tag, sources.mirror)
    _from_debootstrap(engine, wanted, sources, tag, deadline)


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


def _from_registry(engine: Engine, wanted: Recipe, sources: Sources, tag: str, deadline: Deadline) -> None:
    """Run the recipe's set-up in a container of the registry image and keep the result as the image."""
    name = f"infratest-build-{tag.rpartition(':')[2]}"
    engine.remove(["rm", "--force", "--volumes", name], deadline)
    try:
        create = ["create", "--name", name, *engine.limit_options(), wanted.registry, "sh", f"/{INSIDE}/setup.sh"]
        engine.run(create, deadline)
        engine.run(["cp", "-", f"{name}:/"], deadline, _packed(wanted, sources, wanted.packages))
        engine.run(["start", "--attach", name], deadline)
        settings = [f"CMD {_exec_form(wanted.command)}", "ENTRYPOINT []", f"LABEL infratest.recipe={wanted.name}"]
        engine.run(["commit", *_changes(settings), name, tag], deadline)
    finally:
        engine.remove(["rm", "--force", "--volumes", name], Deadline(30))


def _from_debootstrap(engine: Engine, wanted: Recipe, sources: Sources, tag: str, deadline: Deadline) -> None:
    for stale in cache_folder().glob("build-*"):  # of a build that was killed: ours is the only one, by the lock
        shutil.rmtree(stale, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=cache_folder()) as folder:
        root, archive = Path(folder, "root"), Path(folder, "root.tar")
        include = f"--include={','.join(wanted.packages)}"
        bootstrap = ["debootstrap", "--variant=minbase", include, wanted.suite, str(root)]
        bootstrap += [sources.mirror] if sources.mirror else []
        _do([*ALONE, *bootstrap], sources, deadline)
        with tarfile.open(fileobj=io.BytesIO(_packed(wanted, sources, ()))) as packed:
            packed.extractall(root, filter="data")
        _do([*ALONE, "chroot", str(root), "sh", f"/{INSIDE}/setup.sh"], sources, deadline)
        _do(["tar", "-C", str(root), "--numeric-owner", "-cf", str(archive), "."], sources, deadline)
        settings = [f"CMD {_exec_form(wanted.command)}", f"LABEL infratest.recipe={wanted.name}"]
        engine.run(["import", *_changes(settings), str(archive), tag], deadline)


def _do(command: list[str], sources: Sources, deadline: Deadline) -> None:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **sources.environment}
    status, out, err = call(command, deadline, environment=environment)
    log.debug("%s: %s", command[0], out)
    if status != 0:
        words = " ".join((err.strip() or out.strip()).splitlines()[-5:])
        raise ProviderError(f"{command[0]} failed while an image was built from {sources.mirror}: {words}")


def _packed(wanted: Recipe, sources: Sources, packages: tuple[str, ...]) -> bytes:
    """The recipe's folder as a tar archive with the folder INSIDE at its root; beside the recipe's own files, this
    machine's package sources and the lists that `setup.sh` reads."""
    lists = f"packages={quoted(' '.join(packages))}\nmasked={quoted(' '.join(wanted.masked))}\n"
    held = {path.name: path.read_bytes() for path in sorted(wanted.folder.iterdir()) if path.is_file()}
    held |= {"sources.list": sources.lists.encode(), "apt.conf": sources.settings.encode(), "lists": lists.encode()}
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in held.items():
            entry = tarfile.TarInfo(f"{INSIDE}/{name}")
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def _exec_form(command: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in command) + "]"


def _changes(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--change", setting)]


@contextmanager
def _build_lock(deadline: Deadline) -> Iterator[None]:
    """Hold the one lock for builds of this user; whoever comes second waits, and then finds the image there."""
    folder = cache_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / "image.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
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


def _shipped() -> Path:
    return Path(str(files("infratest.fixtures"))) / "images"
