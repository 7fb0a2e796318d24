"""Accounts and groups of every kind, written into this world's own passwd and group, held against pwd and grp."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, Question, both, bounds, quoted

MANY = [f"member{number}" for number in range(500)]
PASSWD = """
deploy:x:2001:2001:Deploy,,,:/home/deploy:/bin/bash
depl:x:2002:2001::/home/depl:/bin/sh
noshell:x:2003:2003::/home/noshell:
nohome:x:2004:2003:::/bin/sh
locked:!:2005:2003::/nonexistent:/usr/sbin/nologin
toor:x:0:0:root's other name:/root:/bin/sh
huge:x:4294967294:4294967294::/:/bin/false
2001:x:2010:2010:an account named by a number:/:/bin/sh
two words:x:2011:2011:with a blank:/home/two words:/bin/sh
two blanks:x:2012:2012::/home/two blanks:/usr/bin/my shell
a.b:x:2013:2013::/home/a.b:/bin/sh
DOMAIN\\user:x:2014:2014::/home/DOMAIN/user:/bin/sh
user@example.org:x:2015:2015::/home/user@example.org:/bin/sh
ünï:x:2016:2016:Ünï:/home/ünï:/bin/sh
host$:x:2017:2017::/dev/null:/bin/false
a'b:x:2018:2018::/home/a'b:/bin/sh
q"q:x:2019:2019::/home/q"q:/bin/sh
UPPER:x:2020:2020::/home/UPPER:/bin/sh
1digit:x:2021:2021::/home/1digit:/bin/sh
dup:x:2022:2022::/first:/bin/sh
dup:x:2023:2023::/second:/bin/bash
nogroup2:x:2024:59999::/home/nogroup2:/bin/sh
short:x:2025
few:x:2026:2026
*star:x:2027:2027::/:/bin/sh
#hash:x:2028:2028::/:/bin/sh
+plus:x:2029:2029::/:/bin/sh
[a-z]:x:2030:2030::/:/bin/sh
notnumber:x:abc:2031::/:/bin/sh
many:x:2032:2032::/home/many/:/usr/bin/fish
""".lstrip()
GROUP = f"""
deploy:x:2001:
www:x:3001:deploy,depl,nobody
empty:x:3002:
one:x:3003:deploy
twice:x:3004:deploy,deploy
ghosts:x:3005:nosuch,gone
same:x:3001:dup
deplo:x:3006:deploy2,xdeploy
two words:x:3007:two words,a.b
ünï:x:3008:ünï
3009:x:3010:deploy
many:x:3011:{",".join(MANY)},deploy
dupgroup:x:3012:deploy
dupgroup:x:3013:depl
split:x:3019:deploy
split:x:3019:depl
alias:x:3019:
UPPER:x:3014:UPPER
short:x
blank:x:3015:deploy, depl
trailing:x:3016:deploy,
huge:x:4294967294:huge
host$:x:3017:host$
DOMAIN\\group:x:3018:DOMAIN\\user
""".lstrip()
USERS = (
    "deploy", "depl", "deploy2", "noshell", "nohome", "locked", "toor", "root", "huge", "two words", "two blanks",
    "a.b", "aXb", "DOMAIN\\user", "user@example.org", "ünï", "host$", "a'b", 'q"q', "UPPER", "upper", "1digit", "dup",
    "nogroup2", "short", "few", "#hash", "+plus", "[a-z]", "notnumber", "many", "nosuch", "nobody",
    "daemon", "Root", "root ", " root", "x", "$(id)", "systemd-network", "member7",
)  # fmt: skip
GROUPS = (
    "deploy", "www", "empty", "one", "twice", "ghosts", "same", "deplo", "two words", "ünï", "many", "dupgroup",
    "split", "alias",
    "UPPER", "upper",
    "short", "blank", "trailing", "huge", "host$", "DOMAIN\\group", "nosuch", "root", "sudo", "nogroup", "ww",
    "+plus", "#hash", "$(id)",
)  # fmt: skip


class Objects(NamedTuple):
    """Names to ask about."""

    users: tuple[str, ...]
    groups: tuple[str, ...]


def objects(place: Path) -> Objects:
    """Write the accounts and groups, behind those that are there."""
    for name, lines in (("passwd", PASSWD), ("group", GROUP)):
        path = Path("/etc") / name
        path.write_text(path.read_text() + lines)
    return Objects(USERS, GROUPS)


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of users and of groups."""
    for name in objects.users:
        yield from _of_user(name)
        for group in objects.groups:
            yield from _of_both(name, group)
    for name in objects.groups:
        yield from _of_group(name)


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def _shell(user: pwd.struct_passwd) -> str:
    """Return the login shell: an empty one is /bin/sh, says passwd(5)."""
    return user.pw_shell or "/bin/sh"


def _of_user(name: str) -> Iterator[Question]:
    user, subject = _user(name), f"the user {quoted(name)}"
    about = f"account {name!r}: {user}"
    yield from both(f"{subject} exists", f"{subject} does not exist", user is not None, about)
    shells = {"/bin/sh", "/bin/bash", "/bin/false", "/usr/bin/my shell", "/bin/bash "} | (
        {user.pw_shell} if user else set()
    )
    for shell in sorted(shells - {""}):
        forms = (f"{subject} has the shell {quoted(shell)}", f"{subject} does not have the shell {quoted(shell)}")
        yield from both(*forms, _shell(user) == shell if user else ABSENT, about)
        if shell.strip() == shell:  # blanks beside a comma are none of a value
            many = quoted(f"/no/such/shell, {shell}")
            forms = (f"{subject} has one of the shells {many}", f"{subject} has none of the shells {many}")
            yield from both(*forms, _shell(user) == shell if user else ABSENT, about)
    homes = {"/root", "/home/deploy", f"/home/{name}", "/second"} | ({user.pw_dir} if user else set())
    for home in sorted(homes - {""}):
        forms = (f"{subject} has the home {quoted(home)}", f"{subject} does not have the home {quoted(home)}")
        yield from both(*forms, user.pw_dir == home if user else ABSENT, about)
    for uid in {0, 2001, *({user.pw_uid - 1, user.pw_uid, user.pw_uid + 1} if user else ())} - {-1}:
        forms = (f"{subject} has uid {uid}", f"{subject} does not have uid {uid}")
        yield from both(*forms, user.pw_uid == uid if user else ABSENT, about)
    for gid in {0, 2001, *({user.pw_gid - 1, user.pw_gid, user.pw_gid + 1} if user else ())} - {-1}:
        forms = (f"{subject} has gid {gid}", f"{subject} does not have gid {gid}")
        yield from both(*forms, user.pw_gid == gid if user else ABSENT, about)
    for comment in {"", "root", "Deploy", "Deploy,,,", *({user.pw_gecos} if user else ())}:
        forms = (
            f"{subject} has the comment {quoted(comment)}",
            f"{subject} does not have the comment {quoted(comment)}",
        )
        yield from both(*forms, user.pw_gecos == comment if user else ABSENT, about)
    forms = (f"{subject} is a system user", f"{subject} is not a system user")
    yield from both(*forms, user.pw_uid < 1000 if user else ABSENT, about)  # UID_MIN of Debian's login.defs
    yield from _of_groups(name, user, about)


def _of_groups(name: str, user: pwd.struct_passwd | None, about: str) -> Iterator[Question]:
    """Ask for all groups of an account at once, for one less, and for one more."""
    gids = os.getgrouplist(name, user.pw_gid) if user else []
    by_gid = {
        group.gr_gid: group.gr_name
        for group in grp.getgrall()
        if not group.gr_name.isdigit() and grp.getgrnam(group.gr_name).gr_gid == group.gr_gid
    }
    names = [by_gid.get(gid, "") for gid in dict.fromkeys(gids)]
    lists = {"root, nosuch": False, "deploy, www": set(names) == {"deploy", "www"}}
    if all(names) and len(set(gids)) == len(gids):
        lists |= {
            ", ".join(names): True,
            ", ".join(reversed(names)): True,
            ", ".join([*names, "daemon"]): "daemon" in names,
        }
    for listed, right in lists.items():
        words = f"in exactly the groups {quoted(listed)}"
        claim, negation = f"the user {quoted(name)} is {words}", f"the user {quoted(name)} is not {words}"
        yield from both(claim, negation, right if user else ABSENT, about)


def _of_both(name: str, group_name: str) -> Iterator[Question]:
    user, group = _user(name), _group(group_name)
    inside = bool(user and group and group.gr_gid in os.getgrouplist(name, user.pw_gid))
    forms = (
        f"the user {quoted(name)} is in the group {quoted(group_name)}",
        f"the user {quoted(name)} is not in the group {quoted(group_name)}",
    )
    yield from both(*forms, inside if user and group else ABSENT, f"account {name!r}, group {group_name!r}")
    primary = bool(user and group and group.gr_gid == user.pw_gid)
    forms = (
        f"the user {quoted(name)} has the primary group {quoted(group_name)}",
        f"the user {quoted(name)} does not have the primary group {quoted(group_name)}",
    )
    yield from both(*forms, primary if user and group else ABSENT, f"account {name!r}, group {group_name!r}")


def _of_group(name: str) -> Iterator[Question]:
    group, subject = _group(name), f"the group {quoted(name)}"
    about = f"group {name!r}: {str(group)[:100]}"
    yield from both(f"{subject} exists", f"{subject} does not exist", group is not None, about)
    for gid in sorted({0, 3001, *({group.gr_gid - 1, group.gr_gid, group.gr_gid + 1} if group else ())} - {-1}):
        forms = (f"{subject} has gid {gid}", f"{subject} does not have gid {gid}")
        yield from both(*forms, group.gr_gid == gid if group else ABSENT, about)
    yield from bounds(f"{subject} has {{}} members", len(group.gr_mem) if group else ABSENT, about)
    members = [one for one in group.gr_mem if one == one.strip() and one] if group else []
    for listed in (
        {", ".join(members), "deploy", "deploy, depl", "depl,deploy", ""} if len(members) < 20 else {"deploy"}
    ):
        words = f"exactly the members {quoted(listed)}"
        right = {one.strip() for one in listed.split(",") if one} == set(group.gr_mem) if group else ABSENT
        yield from both(f"{subject} has {words}", f"{subject} does not have {words}", right, about)
