"""The fact `password`: whether an account can log in with a password, and how long. Argument: the account's name.

From shadow(5), which root alone reads, by the host's name services; where passwd(5) has the password, from there.
A hash never leaves the host: the snippet says how a password is stored and by which method of crypt(5), and no more.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._accounts import entry_name
from infratest.facts._shell import PUT, lines, number
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Days in which no password changes: chage(1) calls so many, and more, never.
NEVER = 10000

#: What a hash begins with, and the name of its method: crypt(5).
METHODS = {
    "y": "yescrypt", "gy": "gost-yescrypt", "7": "scrypt", "2": "bcrypt", "2a": "bcrypt", "2b": "bcrypt",
    "2x": "bcrypt", "2y": "bcrypt", "6": "sha512crypt", "5": "sha256crypt", "sha1": "sha1crypt", "md5": "sunmd5",
    "1": "md5crypt", "3": "nt", "bsdi": "bsdicrypt", "des": "descrypt",
}  # fmt: skip

#: How login.defs(5) and pam_unix(8) call some of them.
OTHER_NAMES = {
    "sha512": "sha512crypt", "sha256": "sha256crypt", "md5": "md5crypt", "des": "descrypt", "blowfish": "bcrypt",
    "gost_yescrypt": "gost-yescrypt",
}  # fmt: skip

STORED = ("usable", "locked", "empty", "none")

#: Shell function: sets `mark` to how a password is stored (`elsewhere`: in shadow), and `way` to what its hash begins
#: with. As passwd(1) -S: what begins with `!` or `*` is locked. What is no hash, no password can match: crypt(5).
MARK = r"""
mark() {
  mark=usable way=
  case $1 in
    '') mark=empty; return ;;
    x) mark=elsewhere; return ;;
    '!'* | '*'*) mark=locked ;;
  esac
  case ${1#"${1%%[!!*]*}"} in
    '$'*'$'*) way=${1#*'$'} way=${way%%'$'*} ;;
    _???????????????????) way=bsdi ;;
    *[!./0-9A-Za-z]*) ;;
    ?????????????) way=des ;;
  esac
  case $way in
    '' | *[!0-9a-z]* | ??????*) way=- ;;
  esac
  [ "$mark$way" != usable- ] || mark=none
}
"""

# `now SECONDS`; `passwd NAME:MARK:WAY` of each account, `shadow NAME:MARK:WAY:LAST:...` of each that shadow knows,
# `local NAME` of each in the local file. A directory service may know an account, and not say how its password is.
SNIPPET = r"""
if [ "$(id -u)" != 0 ] && ! [ -r /etc/shadow ]; then
  echo '/etc/shadow: permission denied, only root reads it (sudo: true in the stack file)' >&2
  exit 1
fi
database() {
  if command -v getent >/dev/null 2>&1; then
    rows=$(getent "$@" 2>/dev/null)
    case $? in 0 | 2) return ;; esac
  fi
  rows=
  [ -e "/etc/$1" ] || return
  rows=$(cat "/etc/$1") || exit 1
}
tell() {
  mark "${rest%%:*}"
  put "$1 $name:$mark:$way:${rest#*:}"
  echo
}
each() {
  while IFS= read -r entry; do
    name=${entry%%:*} rest=${entry#*:}
    for one in "$@"; do
      if [ "$one" = "$name" ]; then tell "$kind"; break; fi
    done
  done
}
echo "now $(date +%s)"
for kind in passwd shadow; do
  database $kind -- "$@"
  { put "$rows"; echo; } | each "$@" # a here-document may be a file, and a hash never is in one of ours
done
while IFS= read -r entry; do
  for one in "$@"; do
    [ "$one" != "${entry%%:*}" ] || { put "local $one"; echo; }
  done
done </etc/passwd
echo .
"""


class Password(Record):
    """How an account's password is stored, and its times.

    Args:
        stored: `usable`, `locked` (a `!` or `*` before whatever there is), `empty` (anyone logs in without one), `none`
        (no password can match). method: of its hash, also of a locked one; empty where there is none.
        today: the host's day, as all days since 1970 in UTC. last_change: a day, 0: the password must be changed
        at the next login. least, most, warned, inactive: days. expires: the day from which the account is expired.
        None where nothing is set.
    """

    stored: str
    method: str = ""
    today: int = 0
    last_change: int | None = None
    least: int | None = None
    most: int | None = None
    warned: int | None = None
    inactive: int | None = None
    expires: int | None = None

    def in_words(self) -> str:
        words = f"password {self.stored}{f', hashed with {self.method}' if self.method else ''}"
        for title, day in (("changed", self.last_change), ("account expires", self.expires)):
            words += "" if day is None else f", {title} on day {day} of today's {self.today}"
        spans = (("minimum", self.least), ("maximum", self.most), ("warning", self.warned), ("inactive", self.inactive))
        return words + "".join([f", {title} {days} days" for title, days in spans if days is not None])


class PasswordFact(LooksForEach):
    """Passwords, but never what they are."""

    def snippet(self) -> str:
        return PUT + MARK + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (entry_name(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        first, *rows = lines(self.readable(answer).out) or [""]
        if not first.startswith("now ") or rows[-1:] != ["."]:
            raise FactError(f"the answer about passwords is not understood: {cited(first, 80)}")
        today = number(first[4:], "the host's clock") // 86400
        tables: dict[str, dict[str, list[str]]] = {"passwd": {}, "shadow": {}, "local": {}}
        for row in rows[:-1]:
            kind, _, entry = row.partition(" ")
            if kind not in tables:
                raise FactError(f"the answer about passwords is not understood: {cited(row, 40)}")
            fields = entry.split(":")
            tables[kind].setdefault(fields[0], fields)
        return {argument: _password(argument[0], tables, today) for argument in arguments}


def _password(name: str, tables: Mapping[str, Mapping[str, list[str]]], today: int) -> Password | FactError | None:
    account, shadow = tables["passwd"].get(name), tables["shadow"].get(name)
    if account is None or len(account) < 5 or not account[3].isdigit():  # as the fact `user` has it
        return None
    try:
        if shadow is None:
            if account[1] == "elsewhere" and name not in tables["local"]:
                raise FactError(f'the password of "{name}" is kept by a directory service, which does not show it')
            return Password("none" if account[1] == "elsewhere" else _stored(account), _method(account), today)
        # pam_unix looks into shadow where passwd has an `x`; chage(1) takes the ages from shadow in any case.
        first = shadow if account[1] == "elsewhere" else account
        return Password(_stored(first), _method(first), today, *_days(name, shadow))
    except FactError as error:
        return error


def _stored(fields: Sequence[str]) -> str:
    if len(fields) < 3 or fields[1] not in (*STORED, "elsewhere"):
        raise FactError(f"the answer about passwords is not understood: {cited(':'.join(fields[:3]), 80)}")
    return "none" if fields[1] == "elsewhere" else fields[1]  # an `x` in shadow itself: no password hashes to that


def _method(fields: Sequence[str]) -> str:
    way = fields[2] if len(fields) > 2 else ""
    return METHODS.get(way, "" if way in ("", "-") else f"an unknown method (${way}$)")


def _days(name: str, fields: Sequence[str]) -> list[int | None]:
    if len(fields) != 10:
        raise FactError(f'the entry of "{name}" in shadow has {len(fields) - 1} fields, expected 9')
    days = [number(each, f'a day in the entry of "{name}" in shadow') if each else None for each in fields[3:9]]
    return [None if each is None or each < 0 else each for each in days]
