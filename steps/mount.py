"""What can be said of mounted file systems.

The kernel's table holds paths without links. A path that is not in it is followed to where it leads; one that is needs
no look, for that would wait where the server of a network share does not answer.
"""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.facts.base import Need, absolute, single
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.mount import Mount
    from infratest.facts.real_path import RealPath

MOUNTS: Need[Mapping[str, Mount]] = Need("mount")


@check('the mount "{path}" exists', negation='the mount "{path}" does not exist', example='the mount "/data" exists')
class MountExists(Check):
    """A file system is mounted on just this path, links followed."""

    spare = ("real-path",)
    #: True in the classes that look at a property of the mount.
    of_property: ClassVar[bool] = False

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def real(self) -> Need[RealPath]:
        return Need("real-path", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (MOUNTS, self.real)

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.mount import mounted_on

        mount = mounted_on(absolute(self.path), facts)
        if mount is None:
            return Seen(holds=False, saw=f'the mount "{self.path}" does not exist', absent=self.of_property)
        return self.look(mount)

    def look(self, mount: Mount) -> Seen:
        """Return what is seen in a mount that exists."""
        there = "" if mount.path == absolute(self.path) else f" at {mount.path}"
        return Seen(holds=True, saw=f'the mount "{self.path}" exists{there} ({mount.device}, {mount.type})')


@check(
    'the mount "{path}" is of type "{type}"',
    negation='the mount "{path}" is not of type "{type}"',
    example='the mount "/data" is of type "ext4"',
)
class MountType(MountExists):
    """The type of the file system mounted on this path."""

    of_property = True

    type: str

    def __post_init__(self) -> None:
        super().__post_init__()
        single(self.type, "type of a file system")

    def look(self, mount: Mount) -> Seen:
        return Seen(holds=mount.type == self.type, saw=f'the mount "{self.path}" is of type "{mount.type}"')


@check(
    'the mount "{path}" comes from "{device}"',
    negation='the mount "{path}" does not come from "{device}"',
    example='the mount "/data" comes from "/dev/sdb1"',
)
class MountDevice(MountExists):
    """The device (or network share) that is mounted on this path."""

    of_property = True

    device: str

    def look(self, mount: Mount) -> Seen:
        return Seen(holds=mount.device == self.device, saw=f'the mount "{self.path}" is from "{mount.device}"')


@check(
    'the mount "{path}" has the option "{option}"',
    negation='the mount "{path}" does not have the option "{option}"',
    example='the mount "/tmp" has the option "noexec"',
)
class MountOption(MountExists):
    """An option that the file system is mounted with now, as /proc/self/mounts shows it."""

    of_property = True

    option: str

    def __post_init__(self) -> None:
        super().__post_init__()
        single(self.option, "option of a mount")

    def look(self, mount: Mount) -> Seen:
        options = ",".join(mount.options)
        return Seen(holds=self.option in mount.options, saw=f'the mount "{self.path}" has the options {options}')
