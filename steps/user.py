"""What can be said of accounts, as the host's name services know them."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen, choices
from infratest.errors import FactError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.group import Group
    from infratest.facts.login_default import LoginDefault
    from infratest.facts.membership import Membership
    from infratest.facts.user import User


class _OfUser(Check):
    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)

    @derived
    def asked(self) -> Need[User | None]:
        return Need("user", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        user = facts[self.asked]
        if user is None:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=self.of_property)
        return self.look(user)

    @abstractmethod
    def look(self, user: User) -> Seen:
        """Return what is seen in an account that exists."""


@check('the user "{name}" exists', negation='the user "{name}" does not exist', example='the user "deploy" exists')
class UserExists(_OfUser):
    """The host's name services know the account."""

    of_property = False

    def look(self, user: User) -> Seen:
        return Seen(holds=True, saw=f'the user "{self.name}" exists (uid {user.uid})')


@check(
    'the user "{name}" has the shell "{shell}"',
    negation='the user "{name}" does not have the shell "{shell}"',
    example='the user "deploy" has the shell "/bin/bash"',
)
class UserShell(_OfUser):
    """The account's login shell."""

    shell: str
    several: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for shell in self.shells:
            single(shell, "shell", f'write has one of the shells "{shell}", or has none of the shells "{shell}"')

    @property
    def shells(self) -> tuple[str, ...]:
        return choices(self.shell) if self.several else (self.shell,)

    def look(self, user: User) -> Seen:
        return Seen(holds=user.shell in self.shells, saw=f'the user "{self.name}" has the shell "{user.shell}"')


@check(
    'the user "{name}" has one of the shells "{shells}"',
    negation='the user "{name}" has none of the shells "{shells}"',
    example='the user "deploy" has one of the shells "/bin/sh, /bin/bash"',
)
def user_shell_among(name: str, shells: str) -> UserShell:
    """The account's login shell is one of these, with commas between them."""
    return UserShell(name, ", ".join(choices(shells)), several=True)


@check(
    'the user "{name}" has the home "{home}"',
    negation='the user "{name}" does not have the home "{home}"',
    example='the user "deploy" has the home "/home/deploy"',
)
class UserHome(_OfUser):
    """The account's home directory."""

    home: str

    def look(self, user: User) -> Seen:
        return Seen(holds=user.home == self.home, saw=f'the user "{self.name}" has the home "{user.home}"')


@check(
    'the user "{name}" has uid {uid:number}',
    negation='the user "{name}" does not have uid {uid:number}',
    example='the user "root" has uid 0',
)
class UserId(_OfUser):
    """The account's user id."""

    uid: int

    def look(self, user: User) -> Seen:
        return Seen(holds=user.uid == self.uid, saw=f'the user "{self.name}" has uid {user.uid}')


@check(
    'the user "{name}" is in the group "{group}"',
    negation='the user "{name}" is not in the group "{group}"',
    example='the user "deploy" is in the group "www-data"',
)
class UserInGroup(Check):
    """The account gets the group when it logs in, as `id` says: it is listed in it, or it is its primary group."""

    name: str
    group: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)
        entry_name(self.group)

    @derived
    def asked(self) -> tuple[Need[User | None], Need[Group | None], Need[Membership | None]]:
        return Need("user", (self.name,)), Need("group", (self.group,)), Need("membership", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return self.asked

    def observe(self, facts: FactValues) -> Seen:
        user, group, membership = (facts[self.asked[0]], facts[self.asked[1]], facts[self.asked[2]])
        if user is None:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=True)
        if group is None:
            return Seen(holds=False, saw=f'the group "{self.group}" does not exist', absent=True)
        if membership is None:
            raise FactError(f'the user "{self.name}" exists, and id does not tell its groups')
        # A group's own line is not all that there is of it: it may be written on several, and its id be another's too.
        inside = group.gid in membership.gids
        members = f"it lists {', '.join(group.members[:10]) or 'no members'}"
        words = f'the user "{self.name}" is {"" if inside else "not "}in the group "{self.group}" ({members})'
        return Seen(holds=inside, saw=words)


@check(
    'the user "{name}" has the comment "{comment}"',
    negation='the user "{name}" does not have the comment "{comment}"',
    example='the user "root" has the comment "root"',
)
class UserComment(_OfUser):
    """The account's comment (its GECOS field), whole; the full name is what stands before its first comma."""

    comment: str

    def look(self, user: User) -> Seen:
        return Seen(holds=user.comment == self.comment, saw=f'the user "{self.name}" has the comment "{user.comment}"')


@check(
    'the user "{name}" has gid {gid:number}',
    negation='the user "{name}" does not have gid {gid:number}',
    example='the user "root" has gid 0',
)
class UserGroupId(_OfUser):
    """The id of the account's primary group."""

    gid: int

    def look(self, user: User) -> Seen:
        return Seen(holds=user.gid == self.gid, saw=f'the user "{self.name}" has gid {user.gid}')


@check(
    'the user "{name}" has the primary group "{group}"',
    negation='the user "{name}" does not have the primary group "{group}"',
    example='the user "deploy" has the primary group "www-data"',
)
class UserPrimaryGroup(_OfUser):
    """The account's primary group, by name."""

    group: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        super().__post_init__()
        entry_name(self.group)

    @derived
    def group_asked(self) -> Need[Group | None]:
        return Need("group", (self.group,))

    def needs(self) -> tuple[Need, ...]:
        return self.asked, self.group_asked

    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        group, user = facts[self.group_asked], facts[self.asked]
        if user is None:
            return seen
        words = f'{seen.saw}; the group "{self.group}" {f"has gid {group.gid}" if group else "does not exist"}'
        return Seen(holds=group is not None and group.gid == user.gid, saw=words, absent=group is None)

    def look(self, user: User) -> Seen:
        return Seen(holds=True, saw=f'the user "{self.name}" has gid {user.gid}')


@check(
    'the user "{name}" is a system user',
    negation='the user "{name}" is not a system user',
    example='the user "www-data" is a system user',
)
class SystemUser(_OfUser):
    """The account's id is below those of people: UID_MIN of the host's /etc/login.defs, 1000 where it is not said."""

    @derived
    def least(self) -> Need[LoginDefault]:
        return Need("login-default", ("UID_MIN",))

    def needs(self) -> tuple[Need, ...]:
        return self.asked, self.least

    def observe(self, facts: FactValues) -> Seen:
        seen, user = super().observe(facts), facts[self.asked]
        if user is None:
            return seen
        least = facts[self.least].number(1000)
        return Seen(holds=user.uid < least, saw=f"{seen.saw}, and those of people begin at {least}")

    def look(self, user: User) -> Seen:
        return Seen(holds=True, saw=f'the user "{self.name}" has uid {user.uid}')


@check(
    'the user "{name}" is in exactly the groups "{groups}"',
    negation='the user "{name}" is not in exactly the groups "{groups}"',
    example='the user "deploy" is in exactly the groups "deploy, www-data"',
)
class UserGroups(Check):
    """The account gets these groups when it logs in and no other, its primary group with them; in any order."""

    name: str
    groups: str

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        entry_name(self.name)
        self.listed  # noqa: B018 - a name that no group can have is refused before anything is asked

    @derived
    def listed(self) -> dict[str, Need[Group | None]]:
        from infratest.facts._accounts import entry_names

        return {name: Need("group", (name,)) for name in entry_names(self.groups)}

    @derived
    def membership(self) -> Need[Membership | None]:
        return Need("membership", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.membership, *self.listed.values())

    def observe(self, facts: FactValues) -> Seen:
        membership = facts[self.membership]
        if membership is None:
            return Seen(holds=False, saw=f'the user "{self.name}" does not exist', absent=True)
        gids, wrong, known = set(membership.gids), [], set()
        for name, need in self.listed.items():
            group = facts[need]
            if group is None or group.gid not in gids:
                wrong.append(f'not in "{name}"{"" if group else ", which does not exist"}')
            if group is not None:
                known.add(group.gid)
        if more := sorted(gids - known):
            wrong.append(f"also in the groups with the ids {', '.join(map(str, more[:10]))}")
        words = "; ".join(wrong) or f"in exactly these {len(known)} groups"
        return Seen(holds=not wrong, saw=f'the user "{self.name}" is {words}')
