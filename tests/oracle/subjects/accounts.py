"""All accounts and groups of this world, as Python's pwd and grp list them, and login.defs as it is written."""

from __future__ import annotations

import grp
import pwd
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.oracle.questions import ABSENT, Question, both, bounds, quoted

DEFAULTS = """
ORACLE_WORD   first
ORACLE_WORD	"two words"
#ORACLE_OFF   yes
ORACLE_NUMBER 365
ORACLE_OCTAL  022
ORACLE_EMPTY
"""


def objects(place: Path) -> None:
    """Write defaults behind those that are there."""
    path = Path("/etc/login.defs")
    path.write_text(path.read_text() + DEFAULTS)


def questions(objects: None) -> Iterator[Question]:
    """Ask all sentences of all accounts, and of defaults."""
    users, groups = pwd.getpwall(), grp.getgrall()
    for uid in (0, 1, 2001, 4242):
        right = {user.pw_name for user in users if user.pw_uid == uid}
        for listed in {", ".join(sorted(right)), "root", "toor,root", "daemon, root", ""}:
            words = f"the users with uid {uid} are"
            truth = {one.strip() for one in listed.split(",") if one} == right
            yield from both(f"{words} {quoted(listed)}", f"{words} not {quoted(listed)}", truth, f"{uid}: {right}")
    lists: tuple[tuple[str, list[int] | list[str]], ...] = (
        ("users have the same uid", [user.pw_uid for user in users]),
        ("users have the same name", [user.pw_name for user in users]),
        ("groups have the same gid", [group.gr_gid for group in groups]),
        ("groups have the same name", [group.gr_name for group in groups]),
    )
    for words, each in lists:
        unique = max(Counter(each).values()) == 1
        yield from both(f"no two {words}", f"two {words}", unique, words)
    yield from _of_defaults()


def _of_defaults() -> Iterator[Question]:
    texts = {"ORACLE_WORD": "two words", "ORACLE_OFF": None, "ORACLE_EMPTY": None, "ORACLE_NUMBER": "365", "NOPE": None}
    for name, right in texts.items():
        for text in ("first", "two words", "", "365"):
            words = f"the login default {quoted(name)} is"
            truth = ABSENT if right is None else right == text
            yield from both(f"{words} {quoted(text)}", f"{words} not {quoted(text)}", truth, f"{name}: {right}")
    for name, number in (("ORACLE_NUMBER", 365), ("ORACLE_OCTAL", 18), ("NOPE", ABSENT)):
        yield from bounds(f"the login default {quoted(name)} is {{}}", number, f"{name}: {number}")
