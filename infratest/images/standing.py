"""What stands on a disk that is kept: machines whose own disks are overlays, and need it for as long as they are there.

Each is a link in the disk's folder, to the folder of the machine, made before anything of the machine is written; it
counts until that folder is gone. So the keeper of disks need not know providers, and what one provider or user makes
is not taken away by another one.
"""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)

STANDING = "standing"


def add(disk_folder: Path, name: str, machine: Path) -> None:
    """Remember that a machine stands on a disk.

    A cache folder that cannot be written is no reason to fail: whoever can write it has to know who uses it.

    Args:
        name: of the host, for messages. machine: its folder, whose name is no other machine's.
    """
    try:
        place = disk_folder / STANDING
        place.mkdir(mode=0o700, exist_ok=True)
        (place / f"{name}@{machine.name}").symlink_to(machine.absolute())
    except OSError as error:
        log.info("that %s stands on %s is not remembered: %s", name, disk_folder, error)


def names(disk_folder: Path) -> list[str]:
    """Return the hosts that stand on a disk; links of those that are gone are removed."""
    found = []
    try:
        links = list((disk_folder / STANDING).iterdir())
    except FileNotFoundError:
        return []
    for link in links:
        try:
            link.stat()
        except FileNotFoundError:
            link.unlink(missing_ok=True)
            continue
        except OSError:  # another user's, and not to be looked at: it may be there
            log.info("whether %s is there cannot be told", link.readlink())
        found.append(link.name.rpartition("@")[0])
    return sorted(found)
