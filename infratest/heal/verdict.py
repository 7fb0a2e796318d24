"""The verdict on a heal that waits for one, by what a later check sees of it. Pure; asked by `afterwards`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: It has helped; it has not; it has made a neighbour worse; nothing can be said yet.
HELPED, FAILED, WORSE, WAITS = "helped", "failed", "worse", "waits"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What is seen of such a heal.

    Args:
        well: what it was for is. early: it has yet to take effect, by its rule. worse: ids of neighbours that are
        worse; since: since when each is, in seconds since the epoch; stays: that is long enough. unseen: how a
        neighbour is cannot be seen now. rests: people want nothing done there, or what is seen from here cannot be
        relied on. told: it is on record that it has made something worse; begun: and so is an undo of it.
    """

    well: bool
    early: bool = False
    worse: tuple[str, ...] = ()
    since: Mapping[str, float] = field(default_factory=dict)
    stays: bool = False
    unseen: bool = False
    rests: bool = False
    told: bool = False
    begun: bool = False

    @property
    def calm(self) -> bool:
        """Whether all is well, there and beside it: whenever that is seen, and whatever people want."""
        return self.well and not (self.worse or self.unseen)


def verdict(sight: Sight) -> str:
    """Return HELPED, FAILED, WORSE or WAITS. What is on record as worse stays so: what is left to do is done."""
    if sight.begun:
        return WORSE
    if sight.calm and not sight.told:
        return HELPED
    if sight.early or sight.rests:
        return WAITS
    if sight.told:
        return WORSE
    if sight.unseen or (sight.worse and not sight.stays):
        return WAITS
    return WORSE if sight.worse else FAILED
