"""An image that this machine keeps. A value, made by whoever keeps it, shown and removed by `infratest box`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KeptImage:
    """An image that is ready on this machine.

    Args:
        name: by which a stack file asks for it. id: by which its keeper knows it (a tag, a file). providers: that make
        hosts from it. size: bytes. made: seconds since the epoch. source: what it was made from, in words.
    """

    name: str
    id: str
    providers: tuple[str, ...]
    size: int
    made: float
    source: str
