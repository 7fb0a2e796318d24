"""Images that this machine keeps: what is known of each, when it was last used, and which go when they are too many.

Made by whoever keeps them, shown and removed by `infratest box`. Where an image's keeper cannot remember what it was
made from and when it was last asked for, a small file of the cache folder does: its age is that of the last use.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from infratest.errors import ProviderError
from infratest.images.cache import cache_folder
from infratest.json_text import loads
from infratest.units import human, quantity

log = logging.getLogger(__name__)

#: The variable that says how large all kept images of one keeper may be, and what holds without it.
LIMIT, DEFAULT_LIMIT = "INFRATEST_CACHE_SIZE", "20GiB"

#: Seconds after its last use in which an image is never too much: another `up` may just be asking for it.
FRESH = 3600.0


@dataclass(frozen=True, kw_only=True)
class KeptImage:
    """An image that is ready on this machine.

    Args:
        name: by which a stack file asks for it. id: by which its keeper knows it (a tag, a file). providers: that make
        hosts from it. size: bytes. made, used: seconds since the epoch; used is 0 where nobody knows. source: what it
        was made from, in words. outdated: nobody will ask for it again, for what it was made from has changed.
    """

    name: str
    id: str
    providers: tuple[str, ...]
    size: int
    made: float
    source: str
    used: float = 0.0
    outdated: bool = False


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What is remembered of an image: its name, what it was made from in words, and the file or folder, if any."""

    name: str
    source: str
    path: str = ""


def note(identity: str, origin: Origin) -> bool:
    """Remember that an image was asked for now; return whether it is the first time.

    A cache folder that cannot be written is no reason to fail: nothing is remembered then.
    """
    place, text = _place(identity), json.dumps(asdict(origin))
    try:
        known = place.exists()
        if not known or place.read_text("utf-8") != text:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = place.with_name(f".{os.getpid()}.{time.monotonic_ns()}")
            fresh.write_text(text, "utf-8")
            fresh.replace(place)
        else:
            os.utime(place)
        return not known
    except OSError as error:
        log.info("the use of image %s is not remembered: %s", identity, error)
        return False


def noted(identity: str) -> tuple[Origin, float] | None:
    """Return what is remembered of an image and when it was last asked for, None where nothing is."""
    place = _place(identity)
    try:
        return Origin(**loads(place.read_text("utf-8"))), place.stat().st_mtime
    except (OSError, ValueError, TypeError):
        return None


def forget(identity: str) -> None:
    """Forget an image that is removed."""
    with suppress(OSError):
        _place(identity).unlink(missing_ok=True)


def limit() -> int:
    """Return how many bytes a keeper's images may take. Raises UserError: the variable's value is no size."""
    return int(quantity(os.environ.get(LIMIT) or DEFAULT_LIMIT, "size", LIMIT))


def make_room(
    images: Iterable[KeptImage], most: int, remove: Callable[[KeptImage], None], now: float
) -> Iterator[KeptImage]:
    """Remove the longest unused images until the others take no more than this; yield each that was removed.

    Args:
        images: those whose last use nobody here knows are not counted and stay: they may be somebody else's of the same
        engine. most: bytes. remove: raises ProviderError where an image is in use, which then stays. now: seconds since
        the epoch; what was used in the last hour stays.
    """
    oldest = sorted((each for each in images if each.used), key=lambda each: (not each.outdated, each.used))
    total = sum(each.size for each in oldest)
    for each in oldest:
        if total <= most:
            return
        if each.used > now - FRESH:
            continue
        try:
            remove(each)
        except ProviderError as error:
            log.info("image %s stays: %s", each.id, error)
            continue
        total -= each.size
        yield each


def tell_removed(image: KeptImage, most: int, now: float) -> None:
    """Say that an image had to go, and why."""
    words = "outdated" if image.outdated else f"last used {human(now - image.used, 's')} ago"
    log.warning(
        "image %s (%s, %s) is removed: kept images may take %s (%s)",
        image.id, human(image.size, "B"), words, human(most, "B"), LIMIT,
    )  # fmt: skip


def _place(identity: str) -> Path:
    return cache_folder() / "kept" / quote(identity, safe="")
