"""What can be said of all accounts and groups that a host lists: who is root, what is there twice."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from infratest.facts.accounts import Accounts
    from infratest.facts.base import FactValues

#: Things that a message names of many.
SHOWN = 10


@check(
    'the users with uid {uid:number} are "{names}"',
    negation='the users with uid {uid:number} are not "{names}"',
    example='the users with uid 0 are "root"',
)
class UsersWithId(Check):
    """These accounts have the id and no other that is listed, in any order; `""` is nobody."""

    uid: int
    names: str

    def __post_init__(self) -> None:
        self.listed  # noqa: B018 - a name that no account can have is refused before anything is asked

    @derived
    def listed(self) -> list[str]:
        from infratest.facts._accounts import entry_names

        return entry_names(self.names)

    @derived
    def asked(self) -> Need[Accounts]:
        return Need("accounts", ("passwd",))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        names = facts[self.asked].of(self.uid)
        shown = ", ".join(names[:SHOWN]) or "nobody"
        return Seen(holds=set(names) == set(self.listed), saw=f"the users with uid {self.uid} are {shown}")


@check(
    "no user has an empty password",
    negation="a user has an empty password",
    example="no user has an empty password",
)
class NoEmptyPassword(Check):
    """No account that is listed has an empty password; who it is asked as must be root."""

    @derived
    def asked(self) -> Need[Accounts]:
        return Need("accounts", ("passwd",))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        accounts = facts[self.asked]
        if not accounts.shadow:
            raise FactError("/etc/shadow: permission denied, only root reads it (sudo: true in the stack file)")
        if not accounts.empty:
            return Seen(holds=True, saw=f"of {len(accounts.names)} users none has an empty password")
        return Seen(holds=False, saw=f"users with an empty password: {', '.join(accounts.empty[:SHOWN])}")


class _Unique(Check):
    database: str
    of: str

    @derived
    def asked(self) -> Need[Accounts]:
        return Need("accounts", (self.database,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        accounts = facts[self.asked]
        owners: dict[str | int, list[str]] = {}
        keys: Iterable[str | int] = accounts.names if self.of == "name" else accounts.ids
        for key, name in zip(keys, accounts.names, strict=True):
            owners.setdefault(key, []).append(name)
        word = {"passwd": "users", "group": "groups"}[self.database]
        twice = [f"{key} ({', '.join(names[:SHOWN])})" for key, names in owners.items() if len(names) > 1]
        if not twice:
            return Seen(holds=True, saw=f"all {len(accounts.names)} {word} have different {self.of}s")
        return Seen(holds=False, saw=f"{word} that share a {self.of}: {', '.join(twice[:SHOWN])}")


@check(
    "no two users have the same uid",
    negation="two users have the same uid",
    example="no two users have the same uid",
)
def unique_uids() -> _Unique:
    """All accounts that are listed have different ids."""
    return _Unique("passwd", "uid")


@check(
    "no two users have the same name",
    negation="two users have the same name",
    example="no two users have the same name",
)
def unique_users() -> _Unique:
    """No name stands twice in the list of accounts."""
    return _Unique("passwd", "name")


@check(
    "no two groups have the same gid",
    negation="two groups have the same gid",
    example="no two groups have the same gid",
)
def unique_gids() -> _Unique:
    """All groups that are listed have different ids."""
    return _Unique("group", "gid")


@check(
    "no two groups have the same name",
    negation="two groups have the same name",
    example="no two groups have the same name",
)
def unique_groups() -> _Unique:
    """No name stands twice in the list of groups."""
    return _Unique("group", "name")
