"""What can be said of groups, as the host's name services know them."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.group import Group


class _OfGroup(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)

    @derived
    def asked(self) -> Need[Group | None]:
        return Need("group", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)


@check('the group "{name}" exists', negation='the group "{name}" does not exist', example='the group "www" exists')
class GroupExists(_OfGroup):
    """The host's name services know the group."""

    def observe(self, facts: FactValues) -> Seen:
        group = facts[self.asked]
        words = "does not exist" if group is None else f"exists (gid {group.gid})"
        return Seen(holds=group is not None, saw=f'the group "{self.name}" {words}')


@check(
    'the group "{name}" has gid {gid:number}',
    negation='the group "{name}" does not have gid {gid:number}',
    example='the group "root" has gid 0',
)
class GroupId(_OfGroup):
    """The group's id."""

    gid: int

    def observe(self, facts: FactValues) -> Seen:
        group = facts[self.asked]
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.name}" does not exist', absent=True)
        return Seen(holds=group.gid == self.gid, saw=f'the group "{self.name}" has gid {group.gid}')


@check('the group "{name}" has {bound:count} members', example='the group "sudo" has at most 2 members')
class GroupMembers(_OfGroup):
    """How many accounts are listed in the group."""

    def observe(self, facts: FactValues) -> Seen:
        group = facts[self.asked]
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.name}" does not exist', absent=True)
        listed = ", ".join(group.members[:10])
        words = f'the group "{self.name}" has {len(group.members)} members{f": {listed}" if listed else ""}'
        return Seen(holds=True, saw=words, number=len(group.members))

    def measure(self) -> Measure:
        return Measure(label=f"group {self.name} members", minimum=0)
