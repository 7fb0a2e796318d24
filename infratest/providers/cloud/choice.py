"""Which image and which size a host gets, of what a cloud has: by what is wanted, never by what comes first. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from difflib import get_close_matches

from infratest.errors import UserError
from infratest.providers.cloud.drivers.base import Image, Size
from infratest.units import human

#: What a host gets that says nothing: enough for a Debian with a service or two.
CPUS, MEMORY = 1, 2**30
#: Names that are shown of many.
SHOWN = 8
#: What a name is followed by where a distribution's builds have longer ones: debian-12-genericcloud-amd64-20260101.
BUILD = r"(?![0-9])"


def newest(images: Sequence[Image], wanted: str) -> Image | None:
    """Return the newest image whose id or name is the one wanted, else whose name matches it as a pattern.

    Args:
        wanted: an id, a name, or a name with `*` and `?` in it.
    """
    exact = [image for image in images if wanted in (image.id, image.name)]
    matching = exact or [image for image in images if fnmatch.fnmatchcase(image.name, wanted)] or list(images)
    return max(matching, key=lambda image: (image.made, image.name), default=None)


def means(pattern: str, name: str) -> bool:
    """Return whether an image may be the one that is meant: `debian-12` is "Debian 12" as well, and its builds."""
    if fnmatch.fnmatchcase(name, pattern):
        return True
    return re.match(re.escape(pattern.lower()) + BUILD, plain(name)) is not None


def plain(name: str) -> str:
    """Return a name as short names are written."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower())


def no_image(where: str, wanted: str, known: Sequence[str], owner: str) -> UserError:
    """Return the error for an image that is not there, with the nearest names."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(wanted, names, n=SHOWN, cutoff=0.4) or names[:SHOWN]
    of = f" of owner {owner}" if owner else ""
    has = f"the nearest are {', '.join(near)}" if near else "it has none that may be used here"
    return UserError(f"{where}: image {wanted!r}{of}: the cloud has no such image; {has}")


def cheapest(sizes: Sequence[Size], cpus: int, memory: int, architecture: str = "") -> Size | None:
    """Return the cheapest size that has at least so much; where no price is known, the smallest.

    Args:
        memory: bytes. architecture: of the image, empty where it is not known.
    """
    fits = [
        size
        for size in sizes
        if (size.cpus or 1) >= cpus
        and size.memory >= memory
        and (not architecture or not size.architecture or size.architecture == architecture)
    ]
    priced = [size for size in fits if size.price is not None]
    return min(priced or fits, key=_dear, default=None)


def _dear(size: Size) -> tuple[float, int, int, int, str]:
    return size.price or 0.0, size.memory, size.cpus or 1, size.disk, size.id


def named(sizes: Sequence[Size], wanted: str, where: str, architecture: str = "") -> Size:
    """Return the size of a name or id.

    Args:
        architecture: of the image, empty where it is not known.
    Raises:
        UserError: there is none, with the nearest; or it cannot run the image.
    """
    for size in sizes:
        if wanted in (size.id, size.name):
            if architecture and size.architecture and size.architecture != architecture:
                words = f"is of {size.architecture}, and the image of {architecture}: take another of the two"
                raise UserError(f"{where}: size {wanted!r} {words}")
            return size
    names = [size.name for size in sizes]
    near = get_close_matches(wanted, names, n=SHOWN, cutoff=0.5) or names[:SHOWN]
    raise UserError(f"{where}: size {wanted!r}: the cloud has no such size; the nearest are {', '.join(near)}")


def no_size(where: str, cpus: int, memory: int, sizes: Sequence[Size]) -> UserError:
    """Return the error for a size that no server can have, with the largest there is."""
    largest = max(sizes, key=lambda size: (size.memory, size.cpus or 1), default=None)
    has = f"its largest, {largest.name}, has {told(largest)}" if largest else "it has none at all"
    words = f"{cpus} CPU{'s' if cpus > 1 else ''} and {human(memory, 'B')}"
    return UserError(f"{where}: no size of the cloud has {words}; {has}")


def told(size: Size) -> str:
    """Return what a size has, and what it costs where that is known, in words."""
    cpus = f"{size.cpus} CPU{'s' if size.cpus != 1 else ''}, " if size.cpus else ""
    price = f", {size.price:g} {size.currency} an hour" if size.price is not None else ""
    return f"{cpus}{human(size.memory, 'B')}{price}"
