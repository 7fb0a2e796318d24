"""Images of container hosts from what lies beside the stack file: a folder with a Dockerfile, or a tar archive.

Called by image.py. Each is made once for its content: any byte that changes makes another tag.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import stat
import tempfile
import time
from pathlib import Path
from typing import IO

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.images.cache import cache_folder
from infratest.images.named import Named
from infratest.json_text import loads
from infratest.providers.container.engine import PODMAN, Engine
from infratest.tarfiles import tarfile, why

log = logging.getLogger(__name__)

BUILT, ARCHIVED = "infratest/dockerfile/", "infratest/archive/"

#: Last lines of a build that fails.
LAST_LINES = 12

#: Of an archive of `docker save`, which says in this file what it holds; older and newer ones have these beside it.
MANIFEST = "manifest.json"
#: Bytes of it that are read; that of an image with a hundred layers has some ten thousand.
LONGEST = 1 << 22
SAVED = re.compile(r"manifest\.json|repositories|index\.json|oci-layout|blobs|[0-9a-f]{64}(\.json|\.tar)?")

#: What at least one of is at the top of every root file system.
ROOT = frozenset("bin boot dev etc home lib lib64 opt proc root run sbin srv sys tmp usr var".split())

#: What names an image by itself: left out, so that loading it moves no tag that somebody has.
NAMES = ("repositories", "index.json", "oci-layout")


def built(engine: Engine, image: Named, deadline: Deadline) -> str:
    """Return the tag of the image of a folder with a Dockerfile, which is built if it is not there.

    Raises:
        ProviderError: it cannot be built; with the last lines of what was said.
    """
    tag = f"{BUILT}{_slug(image.path.resolve().name)}:{_digest_of_folder(image.path)}"
    if engine.exists("image", tag, deadline):
        return tag
    log.warning("image %s is not there yet: building it from %s/Dockerfile", image.name, image.path)
    began = time.monotonic()
    status, last = engine.follow(["build", "--force-rm", "--tag", tag, str(image.path)], deadline)
    if status != 0:
        raise ProviderError(
            f"image {image.name} could not be built from {image.path}/Dockerfile by {engine.kind} (status {status}); "
            "its last lines (all of them with -v):\n" + "\n".join(f"  {line}" for line in last[-LAST_LINES:])
        )
    log.warning("image %s built in %.0f s", image.name, time.monotonic() - began)
    return tag


def unpacked(engine: Engine, image: Named, deadline: Deadline) -> str:
    """Return the tag of the image of a tar archive, which is loaded or imported if it is not there.

    Raises:
        UserError: it is no such archive. ProviderError: the engine does not take it.
    """
    with open(image.path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    tag = f"{ARCHIVED}{_slug(image.path.name.partition('.')[0])}:{digest}"
    if engine.exists("image", tag, deadline):
        return tag
    log.warning("image %s is not there yet: reading it from %s", image.name, image.path)
    if not is_saved(image):
        engine.run(["import", str(image.path.resolve()), tag], deadline)
        return tag
    cache_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix="load-", suffix=".tar", dir=cache_folder()) as ours:
        renamed(f"image {image.name}", image.path, f"localhost/{tag}" if engine.kind == PODMAN else tag, ours)
        ours.flush()
        engine.run(["load", "--input", ours.name], deadline)
    return tag


def is_saved(image: Named) -> bool:
    """Tell an archive of `docker save` from a root file system, by the first of its names that says it.

    Raises:
        UserError: it is neither.
    """
    try:
        with tarfile.open(image.path) as archive:
            for member in archive:
                top = member.name.removeprefix("./").partition("/")[0]
                if SAVED.fullmatch(top) or top in ROOT:
                    return top not in ROOT
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UserError(
            f"image {image.name}: {image.path} is no tar archive that can be read ({why(error)}): a host "
            "that is a container is made from a root file system as a tar, or from what `docker save` writes"
        ) from error
    raise UserError(
        f"image {image.name}: {image.path} holds neither a root file system (no etc, usr or bin at its top) nor an "
        f"image of `docker save` (no {MANIFEST})"
    )


def renamed(what: str, path: Path, tag: str, into: IO[bytes]) -> None:
    """Write an archive of `docker save` anew, with the one image in it under a tag of ours.

    Args:
        what: for messages, as `image web`.
    """
    try:
        with tarfile.open(path) as archive, tarfile.open(fileobj=into, mode="w") as ours:
            manifest = archive.extractfile(MANIFEST)
            held = loads(manifest.read(LONGEST)) if manifest else []
            if not isinstance(held, list) or not all(isinstance(one, dict) for one in held):
                raise ValueError(f"its {MANIFEST} is no list of images")
            if len(held) != 1:
                raise UserError(f"{what}: {path} holds {len(held)} images: save the one that hosts are made of")
            text = json.dumps([{**held[0], "RepoTags": [tag]}]).encode()
            for member in archive:
                if member.name == MANIFEST:
                    member.size = len(text)
                    ours.addfile(member, io.BytesIO(text))
                elif member.name not in NAMES:
                    ours.addfile(member, archive.extractfile(member) if member.isreg() else None)
    except KeyError:
        raise UserError(
            f"{what}: {path} has no {MANIFEST}: write it by `docker save`, or by `podman save --format docker-archive`"
        ) from None
    except (OSError, EOFError, ValueError, TypeError, tarfile.TarError) as error:
        raise ProviderError(f"{what}: {path} could not be read: {why(error)}") from error


def _digest_of_folder(folder: Path) -> str:
    """Return a digest of every name, mode and byte below a folder; no link is followed."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        digest.update(f"{path.relative_to(folder)}\0{about.st_mode:o}\0".encode("utf-8", "surrogateescape"))
        if stat.S_ISLNK(about.st_mode):
            digest.update(str(path.readlink()).encode("utf-8", "surrogateescape"))
        elif stat.S_ISREG(about.st_mode):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def _slug(name: str) -> str:
    """Return a name as an engine takes it in a tag."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "image"
