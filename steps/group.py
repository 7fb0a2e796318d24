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


@check(
    'the group "{name}" has exactly the members "{members}"',
    negation='the group "{name}" does not have exactly the members "{members}"',
    example='the group "sudo" has exactly the members "deploy, ops"',
)
class GroupMemberNames(_OfGroup):
    """These accounts are listed in the group and no other, in any order; `""` is nobody."""

    members: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.listed  # noqa: B018 - a name that no account can have is refused before anything is asked

    @derived
    def listed(self) -> list[str]:
        from infratest.facts._accounts import entry_names

        return entry_names(self.members)

    def observe(self, facts: FactValues) -> Seen:
        group = facts[self.asked]
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.name}" does not exist', absent=True)
        there = set(group.members)
        more, lacking = sorted(there - set(self.listed)), sorted(set(self.listed) - there)
        words = f"has {len(there)} members: {', '.join(sorted(there)[:10])}" if there else "has no members"
        for title, names in (("not asked for", more), ("not among them", lacking)):
            words += f"; {title}: {', '.join(names[:10])}" if names else ""
        return Seen(holds=not more and not lacking, saw=f'the group "{self.name}" {words}')
