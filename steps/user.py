"""What can be said of accounts, as the host's name services know them."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.group import Group
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

    def look(self, user: User) -> Seen:
        return Seen(holds=user.shell == self.shell, saw=f'the user "{self.name}" has the shell "{user.shell}"')


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
            return Seen(holds=False, saw=f'the group "{self.group}" does not exist')
        if membership is None:
            raise FactError(f'the user "{self.name}" exists, and id does not tell its groups')
        # A group's own line is not all that there is of it: it may be written on several, and its id be another's too.
        inside = group.gid in membership.gids
        members = f"listed in it: {', '.join(group.members[:10]) or 'nobody'}"
        words = f'the user "{self.name}" is {"" if inside else "not "}in the group "{self.group}" ({members})'
        return Seen(holds=inside, saw=words)
