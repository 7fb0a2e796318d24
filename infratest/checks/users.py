"""Questions about accounts and groups, as the host's name services know them."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.found import Group, User

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


class _OfUser(Check):
    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        entry_name(self.name)

    def needs(self) -> tuple[Need, ...]:
        return (Need("user", (self.name,)),)

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        user: User | None = facts[Need("user", (self.name,))]
        if user is None:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=self.of_property)
        return self.look(user)

    @abstractmethod
    def look(self, user: User) -> Seen:
        """Return what is seen in an account that exists."""


class UserExists(_OfUser):
    """Whether the host knows the account."""

    of_property = False

    def look(self, user: User) -> Seen:
        return Seen(holds=True, saw=f'the user "{self.name}" exists (uid {user.uid})')


class UserShell(_OfUser):
    """Whether the account's login shell is this one."""

    shell: str

    def look(self, user: User) -> Seen:
        return Seen(holds=user.shell == self.shell, saw=f'the user "{self.name}" has the shell "{user.shell}"')


class UserHome(_OfUser):
    """Whether the account's home directory is this one."""

    home: str

    def look(self, user: User) -> Seen:
        return Seen(holds=user.home == self.home, saw=f'the user "{self.name}" has the home "{user.home}"')


class UserId(_OfUser):
    """Whether the account's user id is this one."""

    uid: int

    def look(self, user: User) -> Seen:
        return Seen(holds=user.uid == self.uid, saw=f'the user "{self.name}" has uid {user.uid}')


class UserInGroup(Check):
    """Whether the account is in the group: by being listed in it, or by its primary group."""

    name: str
    group: str

    def __post_init__(self) -> None:
        entry_name(self.name)
        entry_name(self.group)

    def needs(self) -> tuple[Need, ...]:
        return (Need("user", (self.name,)), Need("group", (self.group,)))

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        user: User | None = facts[self.needed[0]]
        group: Group | None = facts[self.needed[1]]
        if user is None:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=True)
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.group}" does not exist')
        inside = user.gid == group.gid or user.name in group.members
        members = f"listed in it: {', '.join(group.members[:10]) or 'nobody'}"
        words = f'the user "{self.name}" is {"" if inside else "not "}in the group "{self.group}" ({members})'
        return Seen(holds=inside, saw=words)


class _OfGroup(Check):
    name: str

    def __post_init__(self) -> None:
        entry_name(self.name)

    def needs(self) -> tuple[Need, ...]:
        return (Need("group", (self.name,)),)

    def group(self, facts: Mapping[Need, Any]) -> Group | None:
        found: Group | None = facts[self.needed[0]]
        return found


class GroupExists(_OfGroup):
    """Whether the host knows the group."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        group = self.group(facts)
        words = "does not exist" if group is None else f"exists (gid {group.gid})"
        return Seen(holds=group is not None, saw=f'the group "{self.name}" {words}')


class GroupId(_OfGroup):
    """Whether the group's id is this one."""

    gid: int

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        group = self.group(facts)
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.name}" does not exist', absent=True)
        return Seen(holds=group.gid == self.gid, saw=f'the group "{self.name}" has gid {group.gid}')


class GroupMembers(_OfGroup):
    """How many accounts are listed in the group (those that have it as their primary group are not listed)."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        group = self.group(facts)
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.name}" does not exist', absent=True)
        listed = ", ".join(group.members[:10])
        words = f'the group "{self.name}" has {len(group.members)} members{f": {listed}" if listed else ""}'
        return Seen(holds=True, saw=words, number=len(group.members))

    def measure(self) -> Measure:
        return Measure(label=f"group {self.name} members", minimum=0)


def entry_name(name: str) -> str:
    """Return the name of an account or a group as it is.

    Raises:
        UserError: no entry of passwd or group can have that name, or getent would take it for an id or an option.
    """
    if not name or name.isdigit() or name.startswith("-") or not name.isprintable() or ":" in name:
        raise UserError(f"{name!r} is not the name of a user or group: letters first, no colon, not a number")
    return name
