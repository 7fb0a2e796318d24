"""Pieces of shell that several facts' snippets share, and the reading of lines they print.

A snippet prints lines that begin with its own marks; what comes from the host is put at a line's end, with `\\` and
line breaks escaped by the shell function `one_line`, or behind a `|` on each of its lines. NULs never appear.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts.base import NO_TOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Shell function: sets `line` to its argument with backslashes and line breaks escaped. Spawns nothing.
ONE_LINE = r"""nl='
'
swap() {
  rest=$line line=
  while :; do
    case $rest in
      *"$1"*) line=$line${rest%%"$1"*}$2 rest=${rest#*"$1"} ;;
      *) break ;;
    esac
  done
  line=$line$rest
}
one_line() {
  line=$1
  swap '\' '\\'
  swap "$nl" '\n'
}
"""

#: Shell function: prints its argument as it is, however long. Spawns nothing: mksh has no printf of its own, and the
#: kernel limits what a program gets as an argument.
PUT = r"""
case ${KSH_VERSION-} in
*MIRBSD* | *LEGACY*) put() { print -rn -- "$1"; } ;;
*) put() { printf %s "$1"; } ;;
esac
"""

#: Shell function, after ONE_LINE: sets `count` to the line breaks in its argument. Spawns nothing.
COUNT_LINES = r"""
count_lines() {
  count=0 rest=$1
  while :; do
    case $rest in
      *"$nl"*) rest=${rest#*"$nl"} count=$((count + 1)) ;;
      *) break ;;
    esac
  done
}
"""

#: Shell function, after ONE_LINE and COUNT_LINES: for each of its paths that the shell does not find, prints `none N`,
#: or `error N words` where it cannot know, behind `$mark` where that is set. One `stat` for all of them says at least a
#: line of each, in their order; if it says more (busybox writes a path's own line breaks), each is asked alone. The
#: words are the C library's, in the C locale, alike in GNU's and busybox's stat.
NOT_FOUND = r"""
lost() {
  case $2 in
    *': No such file or directory' | *': Not a directory') echo "${mark-}none $1" ;;
    *) one_line "$2"; printf '%serror %s %s\n' "${mark-}" "$1" "$line" ;;
  esac
}
not_found() {
  n=0 places=
  for path in "$@"; do
    shift
    n=$((n + 1))
    [ -e "$path" ] && continue
    places="$places $n"
    set -- "$@" "$path"
  done
  [ $# -gt 0 ] || return 0
  words=$(stat -L -c %a -- "$@" 2>&1)$nl
  count_lines "$words"
  together=$(($# == count))
  for n in $places; do
    [ "$together" -eq 1 ] || words=$(stat -L -c %a -- "$1" 2>&1)
    lost "$n" "${words%%"$nl"*}"
    words=${words#*"$nl"}
    shift
  done
}
"""


#: Shell function: prints its standard input so that every byte of it arrives, behind a line that says how: by base64
#: (coreutils, busybox, toybox), else in hexadecimal by od, which is POSIX and twice as long.
BYTES = r"""
bytes() {
  if command -v base64 >/dev/null 2>&1; then echo 'bytes base64'; base64; else echo 'bytes hex'; od -A n -v -t x1; fi
}
"""


def plain_bytes(rows: Iterator[str]) -> bytes:
    """Return what `bytes` was given, out of the lines from its first on; the line behind its last is a dot.

    Raises:
        FactError: they are not what `bytes` prints.
    """
    from binascii import a2b_base64  # a look at this machine carries nothing

    how, written = next(rows, ""), []
    for row in rows:
        if row == ".":
            break
        written.append(row)
    else:
        raise FactError("the answer is not understood: it ends within the bytes that it carries")
    try:
        if how == "bytes base64":
            return a2b_base64("".join(written))
        if how == "bytes hex":
            return bytes.fromhex("".join(written))
    except ValueError as error:
        raise FactError(f"the answer is not understood: {error}") from None
    raise FactError(f"the answer is not understood: bytes come as {cited(how, 80)}")


def without_any(*tools: str) -> str:
    """Return shell that gives up where the host lacks one of these tools, and names it."""
    return (
        f"for tool in {' '.join(tools)}; do command -v $tool >/dev/null 2>&1 || "
        f'{{ echo "$tool is not installed on this host" >&2; exit {NO_TOOL}; }}; done\n'
    )


def without(tool: str, message: str) -> str:
    """Return shell that gives up with these words where the host has no such tool."""
    from infratest.quoting import quoted

    return f"command -v {quoted(tool)} >/dev/null 2>&1 || {{ echo {quoted(message)} >&2; exit {NO_TOOL}; }}\n"


#: Shell, after which `$limit COMMAND` is ended after SECONDS where the host has what ends it; and with which statuses
#: coreutils' and busybox' do that.
LIMIT = """
limit=
command -v timeout >/dev/null 2>&1 && limit='timeout SECONDS'
"""
ENDED = (124, 143)


def side_by_side(words: int, at_once: int) -> str:
    """Return shell that calls `one N WORD ...` for each `words` positional parameters, N from 1: so many at a time.

    Each prints its own answer before it passes on those behind it. It finds all words from its own on, and standard
    input that it must not read. The next ones begin when those before have ended, or after a second: who hangs keeps
    nobody waiting for longer.
    """
    own = words + 1
    named = " ".join([f'"${{{place}}}"' for place in range(1, own)])
    return f"""{PUT}
together() {{
  more=$(($1 - 1))
  shift
  if [ $more -eq 0 ] || [ $# -le {own} ]; then
    one "$@"
  else
    {{ shift {own}; together $more "$@"; }} | {{ one "$@"; cat; }}
  fi
}}
all() {{
  if [ $# -le {own * at_once} ]; then
    together {at_once} "$@"
    return
  fi
  {{
    {{
      (exec </dev/null 2>/dev/null 3>&- 9>&-; sleep 1; echo) &
      together {at_once} "$@" >&3
      echo ended
    }} | {{
      read -r said
      shift {own * at_once}
      behind=$(exec 3>&-; all "$@")
      while [ "$said" != ended ] && read -r said; do :; done
      put "$behind"
      echo
    }}
  }} 3>&1
}}
n=0 count=$(($# / {words}))
while [ $n -lt $count ]; do
  n=$((n + 1))
  set -- "$@" $n {named}
  shift {words}
done
all "$@"
"""


def unescaped(text: str) -> str:
    """Return what `one_line` was given."""
    if "\\" not in text:
        return text
    parts = text.split("\\\\")
    return "\\".join(part.replace("\\n", "\n") for part in parts)


def lines(text: str) -> list[str]:
    """Return lines as the shell ends them: by line feed alone (`splitlines` also cuts at ten other characters)."""
    found = text.split("\n")
    return found[:-1] if found[-1] == "" else found


def number(text: str, what: str) -> int:
    """Return a whole number out of an answer.

    Raises:
        FactError: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise FactError(f"the answer is not understood: {what} is {cited(text, 80)}, expected a whole number") from None
