"""Files of a host read for many questions in one snippet: small ones are carried to us, larger ones searched there.

Shared by the facts about what is in a file. Small files are carried whole, all of them by one `head`, as bytes; what is
larger, or tells no size (/proc), is searched on the host where a question can be put to the programs there. Where it
cannot (a secret, which whoever lists processes would read; a pattern that grep may read otherwise), a file of up to
WHOLE bytes is carried all the same.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._shell import (
    BYTES,
    COUNT_LINES,
    NOT_FOUND,
    ONE_LINE,
    lines,
    number,
    plain_bytes,
    unescaped,
    without,
)
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

#: Bytes of a file that is carried, of one that cannot be searched, and of all that are carried together.
LIMIT, WHOLE, TOGETHER = 2**16, 2**20, 2**20

#: First bytes of a text of two or four bytes a character (UTF-16, UTF-32): The Unicode Standard, chapter 23.8.
WIDE = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
NOT_UTF8 = "its byte order mark says that it is UTF-16 or UTF-32, and only UTF-8 is looked into; save it as that"

#: KiB of memory that grep may take on a host.
MEMORY = 2**18

# The parameters of one question: the path, and three words that say how the fact's own function `search` asks for it;
# the first of them is empty where it cannot be searched. What has a name as in `$never` is not carried.
#
# Lines: `none N`, `other N`, `error N words`; `carried WAY N N ...`, `bytes HOW`, the bytes and `.`; `in N M` where the
# question N is about the file that was carried for M, else what `search N` prints, `empty N` or `large N SIZE`; `done`
# at the very end. head names each file before its content by a way that no content can know: the path behind a random
# number of this run, spelt in slashes and dots. Where it cannot read one of them to its end, all are searched.
SNIPPET = r"""
all=0
while [ $# -gt 0 ]; do
  all=$((all + 1))
  eval "path_$all=\$1 how_$all=\$2 what_$all=\$3 more_$all=\$4 first_$all= carried_$all= size_$all="
  shift 4
done
i=0
while [ $i -lt $all ]; do
  i=$((i + 1))
  eval "set -- \"\$@\" \"\$path_$i\""
done
not_found "$@"
way() {
  { read -r digits </proc/sys/kernel/random/uuid; } 2>/dev/null ||
    digits=$(od -A n -t x1 -N 16 /dev/urandom | tr -d ' \n')
  [ -n "$digits" ] || { echo 'neither /proc/sys/kernel/random/uuid nor /dev/urandom can be read' >&2; exit NO_TOOL; }
  way=
  while [ -n "$digits" ]; do
    case $digits in [0-3]*) way=$way/ ;; [4-7]*) way=$way/. ;; [89ab]*) way=$way//. ;; *) way=$way/./ ;; esac
    digits=${digits#?}
  done
}
something() {
  case $( { head -c 1 -- "$1" || echo unread; } 2>/dev/null | wc -c) in *[1-9]* | '') ;; *) false ;; esac
}
i=0 last= first= places=
for path in "$@"; do
  shift
  i=$((i + 1))
  eval "how=\$how_$i limit_$i=LIMIT"
  if [ "$path" = "$last" ]; then
    eval "first_$i=\$first"
    [ -n "$how" ] || eval "limit_$first=WHOLE"
  elif [ -f "$path" ] && [ -r "$path" ]; then
    set -- "$@" "$path"
    last=$path first=$i places="$places $i"
    eval "first_$i=\$i"
    [ -n "$how" ] || eval "limit_$i=WHOLE"
  elif [ -f "$path" ]; then
    echo "error $i Permission denied"
  elif [ -e "$path" ]; then
    echo "other $i"
  fi
done
sizes=
[ $# -eq 0 ] || sizes=$(stat -L -c %s -- "$@")$nl
count_lines "$sizes"
[ $count -eq $# ] || sizes=
carried= left=TOGETHER
[ $# -eq 0 ] || way
for i in $places; do
  path=$1 size=${sizes%%"$nl"*} sizes=${sizes#*"$nl"}
  shift
  eval "limit=\$limit_$i size_$i=\$size"
  case $path in ${never-}) limit=0 ;; esac
  if [ "${size:-0}" -gt 0 ] && [ "$size" -le "$limit" ] && [ "$size" -le $left ]; then
    left=$((left - size)) carried="$carried $i"
    set -- "$@" "$way$path"
    eval "carried_$i=yes"
  fi
done
status=0
if [ -n "$carried" ]; then
  echo "carried $way$carried"
  exec 4>&1
  status=$( { { head -v -c MORE -- "$@" 2>/dev/null; echo $? >&3; } | bytes >&4; } 3>&1 )
  echo .
fi
i=0
while [ $i -lt $all ]; do
  i=$((i + 1))
  eval "first=\$first_$i"
  [ -n "$first" ] || continue
  eval "carried=\$carried_$first how=\$how_$i size=\$size_$first"
  if [ -n "$carried" ] && [ "$status" = 0 ]; then
    echo "in $i $first"
  elif [ -n "$how" ]; then
    search $i
  else
    eval "path=\$path_$i"
    if [ "${size:-0}" -gt 0 ] || something "$path"; then echo "large $i ${size:-0}"; else echo "empty $i"; fi
  fi
done
echo "done"
""".replace("NO_TOOL", str(NO_TOOL)).replace("TOGETHER", str(TOGETHER))
SNIPPET = SNIPPET.replace("WHOLE", str(WHOLE)).replace("LIMIT", str(LIMIT))
SNIPPET = SNIPPET.replace("MORE", str(WHOLE + 1))


class ReadsFiles(LooksForEach):
    """A fact about what is in files. A look natively is its own business."""

    encoded = True
    #: Programs that its search needs, and the shell function `search`, which is given the number of a question.
    programs: ClassVar[tuple[str, ...]] = ()
    searching: ClassVar[str]

    def snippet(self) -> str:
        tools = "".join(without(tool, f"{tool} is not installed on this host") for tool in (*self.programs, "stat"))
        search = self.searching.replace("MEMORY", str(MEMORY))
        return tools + ONE_LINE + COUNT_LINES + NOT_FOUND + BYTES + search + SNIPPET

    @abstractmethod
    def within(self, data: bytes, argument: Argument) -> Any:
        """Return what is so in a file that was carried; one of more than WHOLE bytes is cut."""

    @abstractmethod
    def absent(self) -> Any:
        """Return the value where there is no regular file."""

    @abstractmethod
    def unknown(self, problem: str) -> Any:
        """Return the value where nobody can know."""

    @abstractmethod
    def large(self, size: int, argument: Argument) -> Any:
        """Return the value where a file can neither be carried nor searched; its size, 0 where it tells none."""

    @abstractmethod
    def searched(self, mark: str, words: str) -> Any:
        """Return the value that `search` printed, None where these are not its words."""

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[-1:] != ["done"]:
            raise FactError(f"the answer about files' contents is not understood: {cited(answer.out, 80)}")
        answered: dict[int, Any] = {}
        carried: dict[int, bytes] = {}
        left = iter(rows[:-1])
        for row in left:
            mark, _, rest = row.partition(" ")
            if mark == "carried":
                carried = _carried(rest, plain_bytes(left), arguments)
                continue
            index, _, words = rest.partition(" ")
            place = number(index, "an index")
            if not 0 < place <= len(arguments):
                raise FactError(f"the answer about files' contents is not understood: {cited(row, 80)}")
            if mark == "in":
                data = carried.get(number(words, "an index"))
                if data is None:
                    raise FactError("the answer about files' contents names a file that it does not hold")
                answered[place] = self.within(data, arguments[place - 1])
            elif mark == "large" and len(arguments) > 1 and 0 < number(words, "a size") <= WHOLE:
                continue  # there was no room for it beside the others: it is asked for alone
            else:
                answered[place] = self._told(mark, unescaped(words), arguments[place - 1])
        return {argument: answered[place] for place, argument in enumerate(arguments, 1) if place in answered}

    def _told(self, mark: str, words: str, argument: Argument) -> Any:
        if mark in ("none", "other"):
            return self.absent()
        if mark == "unread":
            return self.unknown("it cannot be read to its end")
        if mark == "error":
            return self.unknown(words)
        if mark == "empty":
            return self.within(b"", argument)
        if mark == "large":
            return self.large(number(words, "a size"), argument)
        value = self.searched(mark, words)
        if value is None:
            raise FactError(f"the answer about files' contents is not understood: {cited(mark, 80)}")
        return value


def _carried(row: str, data: bytes, arguments: Sequence[Argument]) -> dict[int, bytes]:
    """Return the files that head printed, by the index of the first question about each."""
    way, *indexes = row.split(" ")
    places = [number(index, "an index") for index in indexes]
    if not all(0 < place <= len(arguments) for place in places):
        raise FactError(f"the answer about files' contents is not understood: {cited(row, 80)}")
    heads = [_machine.encoded(f"==> {way}{arguments[place - 1][0]} <==\n") for place in places]
    files: dict[int, bytes] = {}
    for place, head, following in zip(places, heads, [*heads[1:], b""], strict=True):
        if not data.startswith(head):
            raise FactError(f"head did not print {arguments[place - 1][0]!r} where it was expected")
        end = data.find(b"\n" + following, len(head)) if following else len(data)
        files[place], data = data[len(head) : end], data[end + 1 :]
    return files
