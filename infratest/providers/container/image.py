"""Images of container hosts: of recipes (images/recipe.py), registries (pulling.py), folders, archives (building.py).

Called by the container provider. A recipe's image is built once: from a registry image where one can be pulled, by
debootstrap where not. Its tag is the hash of its recipe and of this machine's package sources, which it takes over, so
that what a provisioner installs in a host comes from where this machine's own packages come from.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.images import kept
from infratest.images.cache import build_lock
from infratest.images.kept import KeptImage, Origin
from infratest.images.named import DOCKERFILE, FILE, RECIPE, REGISTRY, Named, named
from infratest.images.recipe import Recipe
from infratest.images.recipe import recipe as recipe_of
from infratest.images.rootfs import INSIDE, bootstrapped, debootstrap_missing, packed
from infratest.images.sources import Sources
from infratest.providers.container.building import built, is_saved, unpacked
from infratest.providers.container.engine import Engine
from infratest.providers.container.inside import OURS, Contents
from infratest.providers.container.keeping import kept_images, make_room
from infratest.providers.container.pulling import pulled, registry_of

log = logging.getLogger(__name__)

#: Seconds for a pull: a registry that cannot be reached answers at once or never.
PULL = 180.0


@dataclass(frozen=True, kw_only=True)
class Ready:
    """An image that the engine has.

    Args:
        contents: what is in it, where that is known without a look. stop_signal: how a machine is told to power off.
    """

    tag: str
    contents: Contents | None = None
    stop_signal: str = "SIGRTMIN+3"


def ready(engine: Engine, image: Named, folder: Path, deadline: Deadline) -> Ready:
    """Return the image that a name stands for, which is built or pulled if it is not there.

    Args:
        folder: the stack file's.
    Raises:
        UserError: it is of a kind that no container is made from. ProviderError: it cannot be had.
    """
    found = _ready(engine, image, folder, deadline)
    if kept.note(found.tag, _origin(image, folder)):
        make_room(engine, deadline)
    return found


def _ready(engine: Engine, image: Named, folder: Path, deadline: Deadline) -> Ready:
    if image.kind == RECIPE:
        wanted = recipe_of(image.name, folder)
        return Ready(tag=ensure(engine, wanted, deadline), contents=OURS, stop_signal=wanted.stop_signal)
    with build_lock(deadline, "engine"):
        if image.kind == REGISTRY:
            return Ready(tag=pulled(engine, image.name, deadline))
        make = built if image.kind == DOCKERFILE else unpacked
        try:
            return Ready(tag=make(engine, image, deadline))
        except OSError as error:
            raise ProviderError(f"image {image.name}: {error.filename}: {error.strerror}") from error


def _origin(image: Named, folder: Path) -> Origin:
    """Return what is remembered of an image: by which name, and from what it was made."""
    path = "" if image.path == folder else str(image.path.resolve())
    source = {
        RECIPE: f"recipe {path or image.name}",
        REGISTRY: f"registry {registry_of(image.name) or 'Docker Hub'}",
        DOCKERFILE: f"{path}/Dockerfile",
        FILE: f"archive {path}",
    }[image.kind]
    return Origin(name=image.name, source=source, path=path)


def kept_image(engine: Engine, name: str, folder: Path, deadline: Deadline) -> KeptImage:
    """Return an image as it is kept, which is built or pulled if it is not there."""
    tag = ready(engine, named(name, folder), folder, deadline).tag
    for each in kept_images(engine, deadline):
        if each.id == tag:
            return each
    raise ProviderError(f"image {name} was built as {tag}, and is gone again: somebody removed it")


def foreseen(image: Named, folder: Path) -> None:
    """Look at what an image is made of, asking nobody. Raises UserError: no container can be made from it."""
    if image.kind == RECIPE:
        recipe_of(image.name, folder)
    elif image.kind == FILE:
        is_saved(image)


def ensure(engine: Engine, wanted: Recipe, deadline: Deadline) -> str:
    """Return the tag of the recipe's image, which is built if it is not there; one build at a time on this machine.

    Raises:
        ProviderError: neither way works; the message holds both reasons.
    """
    sources = wanted.package_sources()
    tag = wanted.tag(sources)
    if engine.exists("image", tag, deadline):
        return tag
    with build_lock(deadline):
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


def _from_registry(engine: Engine, wanted: Recipe, sources: Sources, tag: str, deadline: Deadline) -> None:
    """Run the recipe's set-up in a container of the registry image and keep the result as the image."""
    name = f"infratest-build-{tag.rpartition(':')[2]}"
    engine.remove(["rm", "--force", "--volumes", name], deadline)
    try:
        create = ["create", "--name", name, *engine.limit_options(), wanted.registry, "sh", f"/{INSIDE}/setup.sh"]
        engine.run(create, deadline)
        engine.run(["cp", "-", f"{name}:/"], deadline, packed(wanted, sources, wanted.packages))
        engine.run(["start", "--attach", name], deadline)
        settings = [f"CMD {_exec_form(wanted.command)}", "ENTRYPOINT []", f"LABEL infratest.recipe={wanted.name}"]
        engine.run(["commit", *_changes(settings), name, tag], deadline)
    finally:
        engine.remove(["rm", "--force", "--volumes", name], Deadline(30))


def _from_debootstrap(engine: Engine, wanted: Recipe, sources: Sources, tag: str, deadline: Deadline) -> None:
    with bootstrapped(wanted, sources, deadline) as archive:
        settings = [f"CMD {_exec_form(wanted.command)}", f"LABEL infratest.recipe={wanted.name}"]
        engine.run(["import", *_changes(settings), str(archive), tag], deadline)


def _exec_form(command: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in command) + "]"


def _changes(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--change", setting)]
