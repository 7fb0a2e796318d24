"""What can be said of LVM: volume groups and logical volumes."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import UserError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check
from infratest.units import human, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.lvm import Group, Lvm, Volume

LVM: Need[Lvm] = Need("lvm")


class _OfGroup(Check):
    """One volume group."""

    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        single(self.name, "name of a volume group")

    def needs(self) -> tuple[Need, ...]:
        return (LVM,)

    def observe(self, facts: FactValues) -> Seen:
        for group in facts[LVM].groups:
            if group.name == self.name:
                return self.look(group)
        words = f"there is no volume group {in_quotes(self.name)} ({facts[LVM].in_words()})"
        return Seen(holds=False, saw=words, absent=self.of_property)

    @abstractmethod
    def look(self, group: Group) -> Seen:
        """Return what is seen of a group that is there."""


@check(
    'the volume group "{name}" exists',
    negation='the volume group "{name}" does not exist',
    example='the volume group "vg0" exists',
)
class GroupExists(_OfGroup):
    """LVM knows a volume group of this name."""

    of_property = False

    def look(self, group: Group) -> Seen:
        return Seen(holds=True, saw=f"the volume group {in_quotes(group.name)} of {human(group.size, 'B')} exists")


@check(
    'the volume group "{name}" is complete',
    negation='the volume group "{name}" is not complete',
    example='the volume group "vg0" is complete',
)
class GroupComplete(_OfGroup):
    """None of its physical volumes is missing."""

    def look(self, group: Group) -> Seen:
        words = f"the volume group {in_quotes(group.name)} misses {group.missing} physical volumes"
        return Seen(holds=not group.missing, saw=words)


@check('the volume group "{name}" has {bound:size} free', example='the volume group "vg0" has at least 10 GiB free')
class GroupFree(_OfGroup):
    """How much of it no logical volume has."""

    def look(self, group: Group) -> Seen:
        sizes = f"{human(group.free, 'B')} free of {human(group.size, 'B')}"
        return Seen(holds=True, saw=f"the volume group {in_quotes(group.name)} has {sizes}", number=group.free)

    def measure(self) -> Measure:
        return Measure(label=f"volume group {self.name} free", unit="B", minimum=0)


class _OfVolume(Check):
    """One logical volume, as `group/volume`."""

    of_property: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        group, slash, volume = self.name.removeprefix("/dev/").partition("/")
        if not group or not slash or not volume or "/" in volume:
            raise UserError(f'the logical volume "{self.name}": expected its group and its name, as "vg0/data"')

    def needs(self) -> tuple[Need, ...]:
        return (LVM,)

    def observe(self, facts: FactValues) -> Seen:
        for volume in facts[LVM].volumes:
            if f"{volume.group}/{volume.name}" == self.name.removeprefix("/dev/"):
                return self.look(volume)
        words = f"there is no logical volume {in_quotes(self.name)} ({facts[LVM].in_words()})"
        return Seen(holds=False, saw=words, absent=self.of_property)

    @abstractmethod
    def look(self, volume: Volume) -> Seen:
        """Return what is seen of a volume that is there."""


@check(
    'the logical volume "{name}" exists',
    negation='the logical volume "{name}" does not exist',
    example='the logical volume "vg0/data" exists',
)
class VolumeExists(_OfVolume):
    """LVM knows a logical volume of this name in this group."""

    of_property = False

    def look(self, volume: Volume) -> Seen:
        return Seen(holds=True, saw=f"the logical volume {in_quotes(self.name)} of {human(volume.size, 'B')} exists")


@check(
    'the logical volume "{name}" is active',
    negation='the logical volume "{name}" is not active',
    example='the logical volume "vg0/data" is active',
)
class VolumeActive(_OfVolume):
    """There is a device of it, and LVM finds nothing wrong with it."""

    def look(self, volume: Volume) -> Seen:
        health = f", and {volume.health}" if volume.health else ""
        words = f"the logical volume {in_quotes(self.name)} is {'' if volume.active else 'not '}active{health}"
        return Seen(holds=volume.active and not volume.health, saw=words)


@check(
    'the logical volume "{name}" is {bound:size} in size',
    example='the logical volume "vg0/data" is at least 1 GiB in size',
)
class VolumeSize(_OfVolume):
    """Its size."""

    def look(self, volume: Volume) -> Seen:
        words = f"the logical volume {in_quotes(self.name)} is {human(volume.size, 'B')} in size"
        return Seen(holds=True, saw=words, number=volume.size)

    def measure(self) -> Measure:
        return Measure(label=f"logical volume {self.name} size", unit="B", minimum=0)


@check(
    'the logical volume "{name}" is {bound:percent} full',
    example='the logical volume "vg0/pool" is less than 80 % full, warning 70 %',
)
class VolumeFull(_OfVolume):
    """How full a thin pool, a thin volume or a snapshot is; others are given all of their room at once."""

    def look(self, volume: Volume) -> Seen:
        if volume.used is None:
            words = f"the logical volume {in_quotes(self.name)} is no thin pool, thin volume or snapshot"
            return Seen(holds=False, saw=words, absent=True)
        words = f"the logical volume {in_quotes(self.name)} is {share(volume.used)} % full"
        return Seen(holds=True, saw=words, number=volume.used)

    def measure(self) -> Measure:
        return Measure(label=f"logical volume {self.name} full", unit="%", minimum=0, maximum=100)
