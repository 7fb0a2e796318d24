"""The verdict on a heal that waits for one, by what a later check sees of it. Pure; asked by `afterwards`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: It has helped; it has not; it has made a neighbour worse; nobody will ever know; nothing can be said yet.
HELPED, FAILED, WORSE, UNKNOWABLE, WAITS = "helped", "failed", "worse", "unknowable", "waits"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What is seen of such a heal.

    Args:
        well: what it was for is. early: it has yet to take effect, by its rule. worse: ids of neighbours that are
        worse; since: since when each is, in seconds since the epoch; stays: that is long enough. unseen: how a
        neighbour is cannot be seen now. rests: nothing may be done there, or what is seen cannot be relied on; people:
        since they are at work there, in words. red: it, or what is beside it, was found red while they were.
    """

    well: bool
    early: bool = False
    worse: tuple[str, ...] = ()
    since: Mapping[str, float] = field(default_factory=dict)
    stays: bool = False
    unseen: bool = False
    rests: bool = False
    people: str = ""
    red: bool = False

    @property
    def calm(self) -> bool:
        """Whether all is well, there and beside it."""
        return self.well and not (self.worse or self.unseen)


def verdict(sight: Sight) -> str:
    """Return HELPED, FAILED, WORSE, UNKNOWABLE or WAITS.

    What is well while people are at work, or was red while they were, they may have mended.
    """
    if sight.calm:
        return UNKNOWABLE if sight.red or sight.people else HELPED
    if sight.early or sight.rests or sight.unseen or (sight.worse and not sight.stays):
        return WAITS
    return WORSE if sight.worse else FAILED
