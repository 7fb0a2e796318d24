"""The fact `name`: what a name stands for, as programs there resolve it (/etc/hosts, DNS, whatever nsswitch.conf has).
Argument: the name.

By the C library's getaddrinfo, which alone knows a name that is not there from name servers that do not answer: from
the controller, and from a host that has python3. getent says of both just that it has nothing, so its answer counts
where it has something, and where /etc/hosts alone is asked: by the GNU C library, whose nsswitch.conf(5) then has
`hosts: files` (a last line without its end is none to it), and with no cache (nscd) in between.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError, UserError
from infratest.facts import _outside
from infratest.facts._outside import NAMELESS, OPEN, UNRESOLVED
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts.base import Connect


class Resolution(Record):
    """The addresses that a name stands for, in order; none where there is no such name, and `words` is why."""

    addresses: tuple[str, ...]
    words: str = ""

    def in_words(self) -> str:
        return ", ".join(self.addresses) or self.words


_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


def name_of(text: str) -> str:
    """Return a name as it is asked for: in ASCII, without the dot at its end.

    Raises:
        UserError: it is no name of DNS (RFC 1035, 2.3.1; underscores as in `_sip._tcp`).
    """
    try:
        name = (text if text.isascii() else text.encode("idna").decode("ascii")).removesuffix(".")
    except UnicodeError:
        name = ""
    if not name or len(name) > 253 or not set(name) <= _NAME or name.startswith("-") or ".." in name:
        raise UserError(f'the name "{text}": expected a name as shop.example')
    return name


GETENT = r"""
if ! command -v getent >/dev/null 2>&1; then
  echo 'neither python3 nor getent is installed on this host' >&2
  exit NO_TOOL
fi
files_alone() {
  [ -r /etc/hosts ] && [ -r /etc/nsswitch.conf ] && [ ! -e /run/nscd/socket ] && [ ! -e /var/run/nscd/socket ] || return
  case $(getent --version 2>/dev/null) in *GLIBC*|*'GNU libc'*) ;; *) return 1 ;; esac
  services=
  while read -r row; do
    case $row in hosts:*) services="$services ${row#hosts:}" ;; esac
  done </etc/nsswitch.conf
  set -- $services
  [ "$*" = files ]
}
echo getent
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  words=$(getent ahosts "$2" 2>&1 </dev/null)
  status=$?
  if [ $status = 2 ] && files_alone; then
    getent hosts "$2" >/dev/null 2>&1 </dev/null
    [ $? = 2 ] && status=none
  fi
  one_line "$words"
  printf '%s ended %s %s\n' "$n" "$status" "$line"
  shift 4
done
""".replace("NO_TOOL", str(NO_TOOL))

#: Why there is no such name, where getent's word for it counts.
NOT_IN_FILE = "/etc/hosts has no such name, and nothing else is asked there"


class NameFact(LooksForEach, LooksFromController):
    """Names, resolved."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        from infratest.facts._outside_there import by_python

        return by_python(8, GETENT)

    def words(self, argument: Argument) -> tuple[str, ...]:
        return ("name", name_of(argument[0]), "0", "")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.facts._outside_there import rows

        tool, answers = rows(self.readable(answer))
        found = {}
        for index, argument in enumerate(arguments, 1):
            if index in answers:
                outcome, second, words = answers[index]
                told = outcome if tool == "python3" else ""
                found[argument] = _resolution(argument[0], told, words) if told else _by_getent(second, words)
        return found

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        found = {}
        for argument in arguments:
            outcome, _, words = _outside.resolve(name_of(argument[0]))
            found[argument] = _resolution(argument[0], outcome, words)
        return found


def _resolution(name: str, outcome: str, words: str) -> Resolution | FactError:
    if outcome == OPEN and words:
        return Resolution(tuple(words.split(" ")))
    if outcome == NAMELESS:
        return Resolution((), words)
    if outcome == UNRESOLVED:
        return FactError(f"the name {name} could not be looked up: {words}")
    raise FactError(f"the answer is not understood: {cited(outcome, 80)} is no outcome")


def _by_getent(status: str, words: str) -> Resolution | FactError:
    addresses = {row.split(" ")[0].partition("%")[0] for row in words.split("\n") if row}
    if status == "0" and addresses and all(set(one) <= set("0123456789abcdef.:") for one in addresses):
        return Resolution(tuple(sorted(addresses)))
    if status == "none" and not words:
        return Resolution((), NOT_IN_FILE)
    if status == "2":
        return FactError(
            "getent has nothing, and does not say whether there is no such name or no name server answers: python3 "
            "on this host would"
        )
    return FactError(f"getent could not look: exit {beginning(status, 20)}: {beginning(words, 200)}")
