"""What can be said of block devices: disks, partitions and what is made of them."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.block_device import BlockDevice


class _OfDevice(Check):
    #: True in the classes that look at a property of the device.
    of_property: ClassVar[bool] = True

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[BlockDevice]:
        return Need("block-device", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the block device {in_quotes(self.path)}"

    def observe(self, facts: FactValues) -> Seen:
        device = facts[self.asked]
        if device.problem:
            raise FactError(f"{self.subject}: {device.problem}")
        if device.kind != "device":
            words = "is no block device" if device.kind else "does not exist"
            return Seen(holds=False, saw=f"{self.subject} {words}", absent=self.of_property)
        return self.look(device)

    @abstractmethod
    def look(self, device: BlockDevice) -> Seen:
        """Return what is seen of a device that is there."""


@check(
    'the block device "{path}" exists',
    negation='the block device "{path}" does not exist',
    example='the block device "/dev/sdb1" exists',
)
class DeviceExists(_OfDevice):
    """A block device is at this path, links followed; anything else at it is none."""

    of_property = False

    def look(self, device: BlockDevice) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists ({device.in_words()})")


@check(
    'the block device "{path}" is of type "{type}"',
    negation='the block device "{path}" is not of type "{type}"',
    example='the block device "/dev/sdb1" is of type "part"',
    unseen="types of LVM, dm-crypt, multipath and arrays, written after sysfs-block of Linux",
)
class DeviceType(_OfDevice):
    """What lsblk calls its type: disk, part, loop, rom, lvm, crypt, mpath, raid1."""

    type: str

    def look(self, device: BlockDevice) -> Seen:
        return Seen(device.type == self.type, f"{self.subject} is of type {in_quotes(device.type)}")


@check(
    'the block device "{path}" is {bound:size} in size',
    example='the block device "/dev/sdb" is at least 100 GiB in size',
)
class DeviceSize(_OfDevice):
    """How large the device is."""

    def look(self, device: BlockDevice) -> Seen:
        return Seen(True, f"{self.subject} is {human(device.size, 'B')} in size", number=device.size)

    def measure(self) -> Measure:
        return Measure(label=f"block device {self.path} size", unit="B", minimum=0)


@check(
    'the block device "{path}" is read-only',
    negation='the block device "{path}" is not read-only',
    example='the block device "/dev/sr0" is read-only',
)
class DeviceReadOnly(_OfDevice):
    """The kernel lets nobody write to the device."""

    def look(self, device: BlockDevice) -> Seen:
        return Seen(device.read_only, f"{self.subject} is {'' if device.read_only else 'not '}read-only")


@check(
    'the block device "{path}" is rotational',
    negation='the block device "{path}" is not rotational',
    example='the block device "/dev/sda" is not rotational',
)
class DeviceRotational(_OfDevice):
    """The device says that it has turning disks; one that is not is a solid state one, or one of a machine's host."""

    def look(self, device: BlockDevice) -> Seen:
        if device.rotational is None:
            raise FactError(f"{self.subject} does not tell whether it is rotational")
        return Seen(device.rotational, f"{self.subject} is {'' if device.rotational else 'not '}rotational")


@check(
    'the block device "{path}" is part of "{holder}"',
    negation='the block device "{path}" is not part of "{holder}"',
    example='the block device "/dev/sdb1" is part of "md0"',
)
class DeviceHolder(_OfDevice):
    """Never seen for real: written after sysfs-block. What is made of the device, by the kernel's name: md0, dm-1."""

    holder: str

    def look(self, device: BlockDevice) -> Seen:
        listed = f"is part of {', '.join(device.holders)}" if device.holders else "is part of nothing"
        return Seen(self.holder in device.holders, f"{self.subject} {listed}")
