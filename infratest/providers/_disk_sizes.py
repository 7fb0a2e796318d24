"""The sizes of a host's further disks, as its `disks:` says them. For providers that make empty disks."""

from __future__ import annotations

from collections.abc import Sequence

from infratest.errors import UserError
from infratest.units import human, quantity

#: Bytes of a disk: VirtualBox makes none smaller, qemu-img no larger qcow2 of the usual clusters (a little above).
LEAST, MOST = 1 << 20, 1 << 50


def sizes(said: Sequence[str], where: str, most: int | None = None) -> tuple[int, ...]:
    """Return the sizes in bytes.

    Args:
        where: the key, for messages. most: how many disks a host can have, None for no limit.
    Raises:
        UserError: there are too many, or one has a size that no disk can have.
    """
    if most is not None and len(said) > most:
        raise UserError(f"{where}: {len(said)} of them; a host can have {most}")
    found = []
    for text in said:
        size = quantity(text, "size", where)
        if not LEAST <= size <= MOST:
            limits = f"{human(LEAST, 'B')} to {human(MOST, 'B')}"
            raise UserError(f"{where}: {text}: a disk has a size of {limits}")
        found.append(int(size))
    return tuple(found)
