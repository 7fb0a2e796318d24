"""Questions about mounted file systems."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.facts.base import Need
from infratest.found import Mount
from infratest.names import absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

MOUNTS = Need("mount")


class MountExists(Check):
    """Whether a file system is mounted on just this path."""

    #: True in the classes that look at a property of the mount.
    of_property: ClassVar[bool] = False

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (MOUNTS,)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        mount: Mount | None = facts[MOUNTS].get(absolute(self.path))
        if mount is None:
            return Seen(holds=False, saw=f'the mount "{self.path}" does not exist', absent=self.of_property)
        return self.look(mount)

    def look(self, mount: Mount) -> Seen:
        """Return what is seen in a mount that exists."""
        return Seen(holds=True, saw=f'the mount "{self.path}" exists ({mount.device}, {mount.type})')


class MountType(MountExists):
    """Whether the file system on this path is of this type."""

    of_property = True

    type: str

    def look(self, mount: Mount) -> Seen:
        return Seen(holds=mount.type == self.type, saw=f'the mount "{self.path}" is of type "{mount.type}"')


class MountDevice(MountExists):
    """Whether the file system on this path comes from this device."""

    of_property = True

    device: str

    def look(self, mount: Mount) -> Seen:
        return Seen(holds=mount.device == self.device, saw=f'the mount "{self.path}" is from "{mount.device}"')


class MountOption(MountExists):
    """Whether the file system on this path is mounted with this option."""

    of_property = True

    option: str

    def look(self, mount: Mount) -> Seen:
        options = ",".join(mount.options)
        return Seen(holds=self.option in mount.options, saw=f'the mount "{self.path}" has the options {options}')
