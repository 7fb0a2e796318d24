"""The images that the engine keeps for us: listed, built, removed, and made room for. Called by the provider.

An image is ours by its tag: `infratest/NAME:HASH` of a recipe (which its label says too), and the tags of pulled, built
and read images. No other is ever listed or removed.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError
from infratest.images import kept, recipe
from infratest.images.kept import KeptImage, Origin
from infratest.providers.container.building import ARCHIVED, BUILT
from infratest.providers.container.engine import HOST_LABEL, Engine
from infratest.providers.container.pulling import OURS as PULLED
from infratest.providers.container.pulling import name_of

PROVIDER = "container"

RECIPE_LABEL = "infratest.recipe"
OF_RECIPE = re.compile(r"infratest/(?P<name>[^/:]+):[0-9a-f]{12}")


def kept_images(engine: Engine, deadline: Deadline) -> list[KeptImage]:
    """Return the images of ours that the engine has, by name, the newest first."""
    ids = dict.fromkeys(engine.run(["image", "ls", "--no-trunc", "--quiet"], deadline).split())
    if not ids:
        return []
    # One that goes while we look is none; podman and docker answer with those that are there.
    _, out, _ = engine.answer(["image", "inspect", *ids], deadline)
    found = [
        each
        for item in json.loads(out or "[]")
        for tag in item.get("RepoTags") or ()
        if (each := _kept(tag.removeprefix("localhost/"), item)) is not None
    ]
    return sorted(_judged(found), key=lambda each: (each.name, -each.made))


def _kept(tag: str, item: Mapping[str, Any]) -> KeptImage | None:
    """Return what an image is by its tag, None where it is none of ours."""
    labels = (item.get("Config") or {}).get("Labels") or item.get("Labels") or {}
    match = OF_RECIPE.fullmatch(tag)
    if match and RECIPE_LABEL in labels:
        otherwise = Origin(name=match["name"], source=f"recipe {match['name']}")
    elif tag.startswith(PULLED):
        otherwise = Origin(name=name_of(tag), source="its registry")
    elif tag.startswith((BUILT, ARCHIVED)):
        words = "a Dockerfile" if tag.startswith(BUILT) else "an archive"
        otherwise = Origin(name=tag.rpartition("/")[2].partition(":")[0], source=words)
    else:
        return None
    origin, used = kept.noted(tag) or (otherwise, 0.0)
    made = datetime.fromisoformat(re.sub(r"\.\d+", "", str(item["Created"])).replace("Z", "+00:00")).timestamp()
    return KeptImage(
        name=origin.name, id=tag, providers=(PROVIDER,), size=int(item["Size"]), made=max(made, 0.0),
        source=origin.source, used=used,
    )  # fmt: skip


def _judged(images: Iterable[KeptImage]) -> list[KeptImage]:
    """Return the images, those marked that are outdated: of a recipe that is another one now, of a folder or file that
    another image was made from later."""
    groups: dict[tuple[str, str], list[KeptImage]] = defaultdict(list)
    for image in images:
        known = kept.noted(image.id)
        groups[image.id.rpartition(":")[0], known[0].path if known else ""].append(image)
    judged = []
    for (repository, path), group in groups.items():
        if repository.startswith(PULLED):
            judged += group
            continue
        now = _present(repository, path) or max(group, key=lambda each: (each.made, each.used)).id
        judged += [replace(each, outdated=each.id != now) for each in group]
    return judged


def _present(repository: str, path: str) -> str:
    """Return the tag that a recipe's image has now, empty where that is not to be known."""
    name = repository.removeprefix("infratest/")
    try:
        if path and Path(path, recipe.RECIPE).is_file():
            present = recipe.recipe(path, Path("/"))
        elif not path and name in recipe.names():
            present = recipe.recipe(name, Path("/"))
        else:
            return ""
        return present.tag(present.package_sources())
    except InfratestError:
        return ""


def remove_image(engine: Engine, image: KeptImage, deadline: Deadline) -> None:
    """Remove an image; fine if it is gone.

    Raises:
        ProviderError: hosts are made of it, or other containers.
    """
    words = ["ps", "--all", "--filter", f"ancestor={image.id}", "--format", "{{.Names}}"]
    status, out, err = engine.answer(words, deadline)
    if status != 0 and "no such image" not in err.lower():
        raise ProviderError(f"image {image.id}: {engine.kind} cannot say who uses it: {err.strip()}")
    users = [_user(each) for each in engine.inspect(out.split(), deadline)]
    if users:
        raise ProviderError(f"image {image.id} is in use by {', '.join(users)}: destroy that first")
    engine.remove(["image", "rm", image.id], deadline)
    kept.forget(image.id)


def _user(found: Mapping[str, Any]) -> str:
    """Return who a container is, as its engine describes it."""
    labels = found["Config"].get("Labels") or {}
    host, stack = labels.get(HOST_LABEL), labels.get("infratest.stack")
    return f"host {host} of stack {stack}" if host and stack else f"container {str(found['Name']).lstrip('/')}"


def make_room(engine: Engine, deadline: Deadline) -> None:
    """Remove the longest unused images where all of ours take more than they may."""
    most, now = kept.limit(), time.time()
    images = kept_images(engine, deadline)
    for gone in kept.make_room(images, most, lambda each: remove_image(engine, each, deadline), now):
        kept.tell_removed(gone, most, now)
