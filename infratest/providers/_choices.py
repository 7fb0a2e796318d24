"""What a provider would make hosts of, where it chooses among what somebody offers: a cloud's images and sizes.

The protocol of providers that can tell it, for `plan` and for the budget of `up`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from infratest.deadline import Deadline
from infratest.providers.base import HostSpec


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a host would be made of, of what its provider has now.

    Args:
        image, image_id, size: as the provider names them, empty where it has none that fits. cpus, memory, disk: of the
        size, the last two in bytes; 0 where that is not known. price: of one hour in `currency`, None where it is not
        known. reached: by which of its addresses, and through which host, in words. problem: why the host cannot be
        made, empty where it can.
    """

    host: str
    image: str = ""
    image_id: str = ""
    size: str = ""
    cpus: int = 0
    memory: int = 0
    disk: int = 0
    price: float | None = None
    currency: str = ""
    reached: str = ""
    problem: str = ""


@runtime_checkable
class Chooses(Protocol):
    """A provider that chooses images and sizes of those that somebody offers, and may know what these cost."""

    def choose(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Choice]:
        """Return what the hosts would be made of now, in this order; asks, makes nothing.

        Raises:
            ProviderError: it could not be asked. UserError: it cannot make hosts such as these at all.
        """
        ...

    def prices(self) -> str:
        """Return whose prices they are, and of when, in words; empty where none are known at all."""
        ...
