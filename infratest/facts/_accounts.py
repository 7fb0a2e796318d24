"""How the facts `user` and `group` ask for entries by name, and read them: passwd(5) and group(5) lines.

Natively they are asked of the C library's name services, as getent asks, but only where these answer by themselves:
a directory service (LDAP, NIS, SSSD) may take longer than a look may, so what it is needed for is left to the snippet.
"""

from __future__ import annotations

import os
import sys

from infratest.cleaning import cited, decoded
from infratest.errors import FactError, UserError
from infratest.facts import _machine
from infratest.facts._shell import PUT, lines
from infratest.facts.base import Answer, Fact, single

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Where sssd listens; without it the source `sss` says at once that it is not there.
SSSD = "/var/lib/sss/pipes/nss"

#: Sources of nsswitch.conf(5) that this machine answers by itself.
NEAR = frozenset(("files", "systemd", "altfiles", "db", "mymachines", "myhostname"))

#: What getent says in place of such an entry, and ends with 0 (putpwent(3): EINVAL).
UNPRINTABLE = "error writing"

# getent(1) knows every source of the host's name services; without it (busybox) the local file is read, by the shell
# alone. getent ends with 2 where one of the names is not known, and takes a number for an id; reading compares names.
# A `.` ends the answer, for no line at all means that nobody has such a name.
SNIPPET = r"""
if command -v getent >/dev/null 2>&1; then
  getent DATABASE -- "$@"
  status=$?
  [ "$status" -eq 0 ] || [ "$status" -eq 2 ] || exit 1
else
  while IFS= read -r entry; do
    for name; do
      case $entry in
        "$name":*) put "$entry"; echo ;;
      esac
    done
  done </etc/DATABASE
fi
echo .
exit 0
"""


def entry_name(name: str) -> str:
    """Return the name of an account or a group as it is.

    Raises:
        UserError: no entry of passwd or group can have that name, or getent would take it for an id or an option.
    """
    if not name or name.isdigit() or name.startswith("-") or not name.isprintable() or ":" in name:
        raise UserError(f"{name!r} is not the name of a user or group: letters first, no colon, not a number")
    return single(name, "name of a user or group")


def entry_names(text: str) -> list[str]:
    """Return the names in a list as a sentence has it, `a, b`, each once; none in an empty one. Raises UserError."""
    return list(dict.fromkeys(entry_name(name.strip()) for name in text.split(","))) if text.strip() else []


def snippet(database: str) -> str:
    """Return the snippet for `passwd` or `group`."""
    return PUT + SNIPPET.replace("DATABASE", database)


def entries(fact: Fact, answer: Answer, fields: int) -> dict[str, list[str]]:
    """Return the fields of each entry by its name; lines without an id (`+::::::` of NIS) are none.

    Of several entries of one name the first counts, as for the C library, and its last field holds all that is left of
    the line, with any colon.
    """
    *rows, end = lines(fact.readable(answer).out) or [""]
    if UNPRINTABLE in answer.err:
        raise FactError(
            f"getent knows an entry and cannot print it, for a field of it holds a colon: {cited(answer.err, 80)}"
        )
    if end != ".":
        raise FactError(f"the answer about users or groups is not understood: {cited(answer.out, 80)}")
    found: dict[str, list[str]] = {}
    for row in rows:
        parts = row.split(":", fields - 1)
        if len(parts) == fields and parts[2].isdigit():
            found.setdefault(parts[0], parts)
    return found


class Distant(Exception):
    """A number's name is known to a directory service alone."""


class Numbers:
    """Names of user and group ids, each looked for once; `UNKNOWN` where there is none, as stat(1) says."""

    def __init__(self) -> None:
        self._local: dict[str, dict[str, str]] = {}
        self._users: dict[int, str] = {}
        self._groups: dict[int, str] = {}

    def user(self, uid: int) -> str:
        """Raises Distant."""
        if uid not in self._users:
            self._users[uid] = self._known("passwd", uid) or _by_services("passwd", uid)
        return self._users[uid]

    def group(self, gid: int) -> str:
        """Raises Distant."""
        if gid not in self._groups:
            self._groups[gid] = self._known("group", gid) or _by_services("group", gid)
        return self._groups[gid]

    def _known(self, database: str, number: int) -> str:
        """Return the name that the local file has for an id, or nothing; the file is read once."""
        if database not in self._local:
            self._local[database] = _by_local_file(database, {"passwd": 7, "group": 4}[database])
        return self._local[database].get(str(number), "")


def _by_local_file(database: str, fields: int) -> dict[str, str]:
    """Return the names of the local file by their ids; none where the C library would look elsewhere first.

    So the owners of most files cost no module of C and no question to a daemon, though a name is seldom asked for.
    """
    try:
        if sources(database, decoded(_machine.whole("/etc/nsswitch.conf")))[0] != "files":
            return {}
        rows = decoded(_machine.whole(f"/etc/{database}")).split("\n")
    except OSError:
        return {}
    found: dict[str, str] = {}
    for row in rows:
        parts = row.split(":")
        if row and len(parts) != fields:
            return {}  # how such a line is read is the C library's affair
        if parts[0][:1] not in ("", "+", "-"):
            found.setdefault(parts[2], parts[0])  # the first of several, as the C library does
    return found


def _by_services(database: str, number: int) -> str:
    """Return the name that the C library's name services have for an id, `UNKNOWN` for none. Raises Distant."""
    if not near(database, [str(number)], column=2):
        raise Distant
    try:
        if database == "passwd":
            import pwd

            return text(pwd.getpwuid(number).pw_name)
        import grp

        return text(grp.getgrgid(number).gr_name)
    except KeyError:
        return "UNKNOWN"


def near(database: str, wanted: Iterable[str], column: int = 0) -> bool:
    """Whether `passwd` or `group` is answered for these without another machine.

    It is where no source is distant, and for what the local file knows where that comes first. What getent might take
    for an option, or the C library for another name than was written, is not near.
    """
    names = set(wanted)
    if sys.getfilesystemencoding() != "utf-8" and not all(name.isascii() for name in names):
        return False
    if any(name.startswith("-") for name in names):
        return False
    try:
        found = sources(database, decoded(_machine.whole("/etc/nsswitch.conf")))
        if not os.path.exists(SSSD):
            found = [one for one in found if one != "sss"]
        if NEAR.issuperset(found):
            return True
        rows = decoded(_machine.whole(f"/etc/{database}")).split("\n")
    except FileNotFoundError:
        return True  # no such file (musl): the C library knows local files alone
    except OSError:
        return False
    return answered(found, names, [row.split(":") for row in rows], column)


def answered(found: Sequence[str], names: set[str], rows: Iterable[Sequence[str]], column: int) -> bool:
    """Whether these sources answer for all the names without another machine, given the local file's rows."""
    if NEAR.issuperset(found):
        return True
    return found[0] == "files" and names <= {fields[column] for fields in rows if len(fields) > column}


def sources(database: str, text: str) -> list[str]:
    """Return where the C library looks, in order, as nsswitch.conf(5) says; `files` where it says nothing."""
    for row in text.split("\n"):
        name, colon, rest = row.partition("#")[0].partition(":")
        if colon and name.strip() == database:
            outside = "".join(part.rpartition("]")[2] + " " for part in rest.split("["))
            return outside.split() or ["files"]
    return ["files"]


def text(name: str) -> str:
    """Return what the C library gave as UTF-8 text, as answers are read."""
    return name if name.isascii() else decoded(os.fsencode(name))
