"""The fact `access`: whether an account may read, write or execute a path. Arguments: its absolute path, the account's
name, and `readable`, `writable` or `executable`.

The kernel judges, by mode, groups, ACL and mount: find(1) of GNU asks it (access(2)), run as the account by setpriv(1)
where we are root, so that no session is opened and no password asked; or as we are, where we are that account. The test
of busybox and of uutils goes by the mode alone, so neither is asked.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import COUNT_LINES, NOT_FOUND, ONE_LINE, PUT, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

WAYS = ("readable", "writable", "executable")


class Access(Record):
    """What an account may do with a path.

    Args:
        allowed: whether it may. user: whether there is such an account. there: whether there is such a path.
        problem: why it could not be judged.
    """

    allowed: bool = False
    user: bool = True
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if self.problem:
            return self.problem
        if not self.user:
            return "the user does not exist"
        return ("allowed" if self.allowed else "not allowed") if self.there else "does not exist"


# Lines: `none N`, `error N words` of paths; `nobody N` of accounts; `asked N STATUS words`; `done`. With a mark behind
# what it prints, find that says nothing is told from one that was cut off.
SNIPPET = r"""
all=$#
not_found_paths() {
  n=0
  while [ $n -lt "$all" ]; do
    n=$((n + 3))
    set -- "$@" "$1"
    shift 3
  done
  not_found "$@"
}
not_found_paths "$@"
cd / || exit 1
me=$(id -u) || exit 1
# Each account is looked up once: sets uid (empty where there is none), gid and groups.
known=$nl
account() {
  case $known in
    *"$nl$user:"*) line=${known#*"$nl$user:"} line=${line%%"$nl"*} ;;
    *)
      uid=$(id -u -- "$user" 2>/dev/null) || uid=
      gid= line=
      if [ -n "$uid" ] && [ "$uid" != "$me" ] && [ "$me" = 0 ]; then
        gid=$(id -g -- "$user") line=$(id -G -- "$user")
        swap ' ' ,
      fi
      line=$uid:$gid:$line
      known=$known$user:$line$nl
      ;;
  esac
  uid=${line%%:*} groups=${line##*:} gid=${line#*:} gid=${gid%%:*}
}
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1)) path=$1 user=$2 way=$3
  shift 3
  [ -e "$path" ] || continue
  account
  if [ -z "$uid" ]; then
    echo "nobody $n"
    continue
  elif [ "$uid" = "$me" ]; then
    words=$(find -H "$path" -prune "-$way" -printf y 2>&1)
  elif [ "$me" != 0 ]; then
    put "refused $n we are not root, who alone can ask for another user: set \`sudo: true\` for this host$nl"
    continue
  elif ! command -v setpriv >/dev/null 2>&1; then
    put "refused $n setpriv (util-linux) is not installed on this host$nl"
    continue
  else
    words=$(setpriv --reuid "$uid" --regid "$gid" --groups "$groups" -- \
      find -H "$path" -prune "-$way" -printf y 2>&1)
  fi
  status=$?
  one_line "$words"
  put "asked $n $status $line$nl"
done
echo done
"""


class AccessFact(LooksForEach):
    """What accounts may do with paths."""

    def words(self, argument: Argument) -> tuple[str, ...]:
        path, user, way = argument
        return path, user, way

    def snippet(self) -> str:
        tools = without("find", "find (findutils) is not installed on this host")
        tools += without("stat", "stat (coreutils) is not installed on this host")
        return tools + ONE_LINE + COUNT_LINES + NOT_FOUND + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        values: dict[int, Access] = {}
        for row in rows:
            mark, _, rest = row.partition(" ")
            index, _, words = rest.partition(" ")
            values[number(index, "an index")] = _access(mark, words)
        if end != "done" or sorted(values) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} paths asked for, {len(values)} were answered")
        return {argument: values[index] for index, argument in enumerate(arguments, 1)}


def _access(mark: str, words: str) -> Access:
    if mark == "none":
        return Access(there=False)
    if mark == "nobody":
        return Access(user=False)
    if mark in ("error", "refused"):
        return Access(problem=unescaped(words))
    status, _, text = words.partition(" ")
    if mark != "asked":
        raise FactError(f"the answer about what may be accessed is not understood: {cited(mark, 80)}")
    if (status, text) in (("0", "y"), ("0", "")):
        return Access(text == "y")
    if status == "1" and text.startswith("find: ") and text.endswith(": Permission denied"):
        return Access(False)  # a folder on the way lets the account not through
    first = beginning(unescaped(text).partition("\n")[0], 200) or f"exit {status}"
    return Access(problem=f"find (GNU findutils) was asked, and answers: {first}")
