"""Passwords and their times, set by chpasswd, passwd, chage and usermod; what is right is written by hand, and held
against what passwd -S says of each."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, quoted

SET_UP = r"""
make() {
  useradd -M -s /bin/sh "$1"
  chage -m -1 -M -1 -W -1 -d -1 "$1"
}
for name in pw-yes pw-sha pw-md5 pw-locked pw-new pw-star pw-empty pw-junk \
  pw-aged pw-never pw-soon pw-must pw-gone pw-later; do
  make $name
done
for name in pw-yes pw-locked pw-aged pw-never pw-soon pw-must pw-gone pw-later; do
  echo "$name:correct horse" | chpasswd -c YESCRYPT
done
echo 'pw-sha:correct horse' | chpasswd -c SHA512
echo 'pw-md5:correct horse' | chpasswd -c MD5
passwd -q -l pw-locked
usermod -p '*' pw-star
passwd -q -d pw-empty
usermod -p nonsense pw-junk
day=$(($(date +%s) / 86400))
chage -d $((day - 30)) -m 1 -M 90 -W 7 -I 14 pw-aged
chage -d $((day - 30)) -m 0 -M 99999 pw-never
chage -d $((day - 30)) -M 20 pw-soon
chage -d 0 -M 90 pw-must
chage -E $((day - 2)) pw-gone
chage -E $((day + 5)) pw-later
"""


class Account(NamedTuple):
    """What is right: how its password is, by what it is hashed, and its times in days (None: not set)."""

    stored: str
    method: str = ""
    age: int | None = 0
    left: int | None = None
    least: int | None = None
    most: int | None = None
    warned: int | None = None
    inactive: int | None = None
    expires: int | None = None


ACCOUNTS = {
    "pw-yes": Account("P", "yescrypt"),
    "pw-sha": Account("P", "sha512crypt"),
    "pw-md5": Account("P", "md5crypt"),
    "pw-locked": Account("L", "yescrypt"),
    "pw-new": Account("L", age=None),
    "pw-star": Account("L"),
    "pw-empty": Account("NP", age=None),
    "pw-junk": Account("none"),
    "pw-aged": Account("P", "yescrypt", 30, 60, 1, 90, 7, 14),
    "pw-never": Account("P", "yescrypt", 30, None, 0, 99999),
    "pw-soon": Account("P", "yescrypt", 30, -10, None, 20),
    "pw-must": Account("P", "yescrypt", None, 0, None, 90),
    "pw-gone": Account("P", "yescrypt", expires=-2),
    "pw-later": Account("P", "yescrypt", expires=5),
}


def objects(place: Path) -> int:
    """Make the accounts; return the day, which must not have changed when they are looked at."""
    subprocess.run(["sh", "-eu"], input=SET_UP, text=True, check=True, stdout=subprocess.DEVNULL, stderr=2)
    for name, account in ACCOUNTS.items():
        words = ["passwd", "-S", name]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        assert told[1] == ("P" if account.stored == "none" else account.stored), told
    return int(time.time()) // 86400


def questions(objects: int) -> Iterator[Question]:
    """Ask all sentences; who is not root reads no shadow."""
    yield from _of("pw-nosuch", None)
    for name, account in ACCOUNTS.items():
        yield from _of(name, account)
    lists = "no user has an empty password", "a user has an empty password"
    yield from both(*lists, False, "pw-empty is there", UNKNOWN)


def _of(name: str, account: Account | None) -> Iterator[Question]:
    user, password = f"the user {quoted(name)}", f"the password of {quoted(name)}"
    stored = account.stored if account else ""
    about = f"{name}: {account}"

    def truth(right: bool | str) -> bool | str:
        return right if account else ABSENT

    def ask(claim: str, negation: str, right: bool | str) -> Iterator[Question]:
        return both(claim, negation, truth(right), about, UNKNOWN)

    has = ABSENT if stored == "NP" else stored == "P"
    yield from ask(f"{user} has a password", f"{user} does not have a password", has)
    yield from ask(f"{user} has an empty password", f"{user} does not have an empty password", stored == "NP")
    locked = ABSENT if stored == "none" else stored == "L"
    yield from ask(f"{password} is locked", f"{password} is not locked", locked)
    for method, names in (("yescrypt", "YESCRYPT"), ("sha512crypt", "SHA512"), ("md5crypt", "md5crypt")):
        is_so = account.method == method if account and account.method else ABSENT
        forms = f"{password} is hashed with {quoted(names)}", f"{password} is not hashed with {quoted(names)}"
        yield from ask(*forms, is_so)
    expires = account.expires if account else None
    yield from ask(
        f"the account of {quoted(name)} is expired", f"the account of {quoted(name)} is not expired",
        expires is not None and expires <= 0,
    )  # fmt: skip
    spans = {
        f"{password} was changed {{}} ago": account and account.age,
        f"{password} expires in {{}}": account and account.left,
        f"{password} has a minimum age of {{}}": account and account.least,
        f"{password} has a maximum age of {{}}": account and account.most,
        f"{password} has a warning time of {{}}": account and account.warned,
        f"{password} has an inactive time of {{}}": account and account.inactive,
        f"the account of {quoted(name)} expires in {{}}": account and account.expires,
    }
    for sentence, days in spans.items():
        if days is not None and days < 0:  # a bound is never below zero
            yield Question(sentence.replace("{}", "less than 1 day"), "ok", about, UNKNOWN)
            yield Question(sentence.replace("{}", "at least 0 days"), "critical", about, UNKNOWN)
        else:
            yield from bounds(sentence, ABSENT if days is None else days, about, " days", unprivileged=UNKNOWN)
