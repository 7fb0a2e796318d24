"""The fact `sysctl`: what a variable of the running kernel is. Argument: its name, `vm.swappiness` or `vm/swappiness`.

Read from /proc/sys, as sysctl(8) does, by one grep for all (which is POSIX and says each file's errors by its name).
Where the first of a name's dots and slashes is a dot, dots part the folders and a slash stands for a dot in one
(`net.ipv4.conf.eth0/100.forwarding`); where it is a slash, slashes part them: sysctl.d(5).
"""

from __future__ import annotations

import os

from infratest.cleaning import cited, decoded
from infratest.errors import FactError, UserError
from infratest.facts import _machine
from infratest.facts._shell import lines, number, without
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach, LooksHere
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PLACE = "/proc/sys"
NO_PLACE = f"{PLACE} is not there on this host: is /proc mounted?"

#: What stands for a path that the kernel has no variable at, and for one that holds several.
NONE, FOLDER = "none", "folder"


class Sysctl(Record):
    """A variable of the kernel.

    Args:
        value: its words with one blank between them, those of several lines one after the other; None where the kernel
        has no such variable. problem: why it could not be read.
    """

    value: str | None = None
    problem: str = ""

    def in_words(self) -> str:
        return self.problem or ("is not there" if self.value is None else self.value or "empty")


def path_of(name: str) -> str:
    """Return the file that holds a variable.

    Raises:
        UserError: it can be none's name.
    """
    dot, slash = name.find("."), name.find("/")
    plain = name if slash >= 0 and (dot < 0 or slash < dot) else name.translate(str.maketrans("./", "/."))
    parts = plain.split("/")
    if not name.isprintable() or set(name) & set(" :*?") or any(part in ("", ".", "..") for part in parts):
        raise UserError(
            f'the sysctl "{name}": that is no name of a kernel variable; write it as sysctl -a shows it, vm.swappiness'
        )
    return f"{PLACE}/{plain}"


# Lines: `none N` and `folder N`, then `values` and what grep says of all others: `PATH:line`, `grep: PATH: words`.
SNIPPET = (
    r"""
[ -d PLACE/kernel ] || { echo 'NO_PLACE' >&2; exit NO_TOOL; }
n=0
for path in "$@"; do
  shift
  n=$((n + 1))
  if [ ! -e "$path" ]; then
    echo "none $n"
  elif [ -d "$path" ]; then
    echo "folder $n"
  else
    set -- "$@" "$path"
  fi
done
echo values
[ $# -eq 0 ] || grep '' /dev/null "$@" 2>&1
echo done
""".replace("NO_PLACE", NO_PLACE)
    .replace("PLACE", PLACE)
    .replace("NO_TOOL", str(NO_TOOL))
)


class SysctlFact(LooksForEach, LooksHere):
    """Variables of the running kernel."""

    def snippet(self) -> str:
        return without("grep", "grep is not installed on this host") + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (path_of(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if "values" not in rows or rows[-1] != "done":
            raise FactError(f"the answer about sysctls is not understood: {cited(answer.out, 80)}")
        end = rows.index("values")
        without_value: dict[int, str] = {}
        for row in rows[:end]:
            mark, _, place = row.partition(" ")
            without_value[number(place, "an index")] = mark
        told = _told(rows[end + 1 : -1], {path_of(argument[0]) for argument in arguments})
        found = {}
        for index, argument in enumerate(arguments, 1):
            kind = without_value.get(index, "")
            found[argument] = _without(kind) if kind else _value(told.get(path_of(argument[0]), []))
        return found

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not os.path.isdir(f"{PLACE}/kernel"):
            raise FactError(NO_PLACE)
        return {argument: _here(path_of(argument[0])) for argument in arguments}


def _without(mark: str) -> Sysctl:
    if mark == FOLDER:
        return Sysctl(problem="it is a folder of variables, not one: name one of those in it")
    if mark != NONE:
        raise FactError(f"the answer about sysctls is not understood: {cited(mark, 80)}")
    return Sysctl()


def _told(rows: Sequence[str], paths: set[str]) -> dict[str, list[tuple[str, str]]]:
    """Return what grep said of each path: its lines as ("", line), its errors as ("error", words).

    Raises:
        FactError: it says something of another path, or nothing of one.
    """
    told: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        mark, path, words = "", *_parted(row)
        if row.startswith("grep: "):
            mark, (path, words) = "error", _parted(row.removeprefix("grep: "))
            words = words.removeprefix(" ")
        if path not in paths:
            raise FactError(f"grep says what is not understood: {cited(row, 120)}")
        told.setdefault(path, []).append((mark, words))
    return told


def _parted(row: str) -> tuple[str, str]:
    path, _, words = row.partition(":")
    return path, words


def _value(told: Sequence[tuple[str, str]]) -> Sysctl:
    """Return what a file says. Even an empty value has a line: busybox's grep does not tell that it could not read."""
    if not told:
        return Sysctl(problem="it is there, and nothing could be read of it")
    if problems := [words for mark, words in told if mark]:
        return Sysctl(problem=problems[0] or "grep does not say why it cannot be read")
    return Sysctl(value=" ".join(" ".join(words.split()) for _, words in told if words.strip()))


def _here(path: str) -> Sysctl:
    try:
        text = decoded(_machine.whole(_machine.encoded(path)))
    except IsADirectoryError:
        return _without(FOLDER)
    except OSError as error:
        return Sysctl() if _machine.absent(error) else Sysctl(problem=_machine.why(error))
    return _value([("", row) for row in lines(text)])
