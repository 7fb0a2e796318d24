"""The fact `user`: an account by name. Argument: the name. None where the host knows no such account."""

from __future__ import annotations

import pwd

from infratest.facts import _accounts
from infratest.facts._shell import number
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class User(Record):
    """An account, as the host's name services know it."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    comment: str = ""

    def in_words(self) -> str:
        words = f"{self.name}: uid {self.uid}, gid {self.gid}, home {self.home}, shell {self.shell}"
        return f"{words}, comment {self.comment!r}" if self.comment else words


class UserFact(LooksForEach, LooksHere):
    """Accounts."""

    def snippet(self) -> str:
        return _accounts.snippet("passwd")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        found = _accounts.entries(self, answer, 7)
        return {argument: _user(found.get(argument[0])) for argument in arguments}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not _accounts.near("passwd", [argument[0] for argument in arguments]):
            arguments = [argument for argument in arguments if _accounts.near("passwd", argument)]
        return {argument: _here(argument[0]) for argument in arguments}


def _here(name: str) -> User | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    shell = _accounts.text(entry.pw_shell) or "/bin/sh"
    home, comment = _accounts.text(entry.pw_dir), _accounts.text(entry.pw_gecos)
    return User(name=name, uid=entry.pw_uid, gid=entry.pw_gid, home=home, shell=shell, comment=comment)


def _user(entry: list[str] | None) -> User | None:
    if entry is None:
        return None
    name, _, uid, gid, comment, home, shell = entry
    ids = number(uid, "a user id"), number(gid, "a group id")
    # passwd(5): an empty field is /bin/sh.
    return User(name, *ids, home=home, shell=shell or "/bin/sh", comment=comment)
