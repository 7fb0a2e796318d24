r"""The fact `journal`: lines of systemd's journal. Arguments: a unit's full name, or nothing for all; the window, as
seconds or `boot`; the least priority, or nothing; a pattern of RE2, or nothing for every line.

A line is one of a message, without the time and the names before it. Lines are counted on the host, by grep, where the
pattern is one that it reads as RE2 does; else they are carried here, up to LIMIT. That no line is there is known only
where the journal is whole: journald runs, all files of the system's journal may be read (journalctl shows others their
own messages and ends with 0), and it begins before the window. One that begins later is whole as well where nothing has
been taken off it, which the sequence number of its first entry says: 1, as long as nothing was rotated away.
"""

from __future__ import annotations

from infratest.cleaning import cited, decoded, masked_line
from infratest.errors import FactError
from infratest.facts import _systemctl, _systemd
from infratest.facts._shell import BYTES, number, plain_bytes, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

#: The windows that begin with this boot, and with a last run of which nobody knows when it was: that asks as the boot.
BOOT, RUN = "boot", "run"

#: syslog(3): priorities, the worst first, as journalctl -p takes them.
PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")

#: Bytes of lines that are carried here for a pattern that grep does not read alike.
LIMIT = 2**18
#: Lines that are shown, and bytes of each.
SHOWN, LENGTH = 3, 300

#: When a file was changed of which that is not known: seconds since the epoch, after whatever window.
NEVER = 2**40

#: How a pattern is looked for: every line, carried here; or an option of grep.
EVERY, CARRIED = "-", "+"

PERSISTENT = "/var/log/journal/"


class Journal(Record):
    """Lines of the journal in a window.

    Args:
        lines: how many match; shown: the first of them. there: whether systemd knows the unit, or it has lines.
        problem: why there may be others that cannot be seen; empty where all that there were are known.
    """

    lines: int
    shown: tuple[str, ...] = ()
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        from infratest.units import counted

        if not self.there:
            return "systemd knows no such unit, and the journal has nothing of it"
        words = "\n".join([counted(self.lines, "line"), *self.shown])
        return f"{words}\n{self.problem}" if self.problem else words


# Four words for each: the unit, the window, the priority, and how the pattern is looked for, which is an option of
# grep, a blank and the pattern. Lines: `journald STATE`, `up SECONDS`, `unread PATH`, `damaged MTIME PATH`, `header`
# and what journalctl says of its files behind a bar; then for each `seen`, the first lines and their number or the
# bytes, a dot, `status N`, and `unit STATE` with the namespace of its journal behind it. A unit is asked about by its
# own name: journalctl goes by the one that stands in each line, and knows no alias.
SNIPPET = (
    _systemctl.NOW
    + r"""
printf 'journald %s\n' "$(systemctl is-active systemd-journald.service)"
up=0
read -r up rest </proc/uptime || exit 1
echo "up ${up%%.*}"
for file in /var/log/journal/*/system*.journal /run/log/journal/*/system*.journal; do
  [ ! -e "$file" ] || [ -r "$file" ] || printf 'unread %s\n' "$file"
done
shown=$(journalctl --no-pager -q --header 2>&1)
printf '%s\n' "$shown" | sed -n -e '/ignoring file/{
s/^Journal file \(.*\.journal~*\) .*/\1/
p
}' | while read -r file; do
  printf 'damaged %s %s\n' "$(stat -c %Y -- "$file" 2>/dev/null || echo NEVER)" "$file"
done
echo header
printf '%s\n' "$shown" | sed -n \
  -e 's/^File path:/|&/p' -e 's/^Head sequential number:/|&/p' -e 's/^Head realtime timestamp:/|&/p'
journal() {
  set -- "$unit" "$window" "$priority"
  case $2 in
  boot) set -- "$1" -b "$3" ;;
  *) set -- "$1" "--since=@$((now - $2))" "$3" ;;
  esac
  journalctl --no-pager -q -a -o cat ${1:+"--unit=$1"} "$2" ${3:+"--priority=$3"}
  status=$?
  echo "$status" >&3
}
counted() { sed -n -e '1,SHOWNp' -e '$=' | cut -b 1-LENGTH | sed -e 's/^/|/'; }
one_meaning() { tr -d '\200-\277' | tr '\000\200-\377' '\001'; }
look() {
  case $how in
  -) journal | counted ;;
  +) journal | head -c $((LIMIT + 1)) | bytes ;;
  *) journal | one_meaning | grep -a "${how%% *}" -e "${how#* }" | counted ;;
  esac
}
while [ $# -gt 0 ]; do
  unit=$1 window=$2 priority=$3 how=$4
  shift 4
  state= space=
  if [ -n "$unit" ]; then
    shown=$(systemctl show --no-pager -p Id -p LoadState -p LogNamespace -- "$unit") || exit 1
    while IFS='=' read -r key value; do
      case $key in
      Id) unit=$value ;;
      LoadState) state=$value ;;
      LogNamespace) space=$value ;;
      esac
    done <<END
$shown
END
  fi
  echo seen
  { status=$(look 3>&1 >&4); } 4>&1
  echo .
  echo "status $status"
  echo "unit $state${space:+ $space}"
done
"""
)
for _name, _number in (("SHOWN", SHOWN), ("LENGTH", LENGTH), ("LIMIT", LIMIT), ("NEVER", NEVER)):
    SNIPPET = SNIPPET.replace(_name, str(_number))


class JournalFact(LooksForEach):
    """The journal of systemd."""

    def snippet(self) -> str:
        lacking = without("journalctl", "journalctl is not installed on this host: there is no journal to look at")
        return _systemd.SNIPPET + lacking + BYTES + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        unit, window, priority, pattern = argument
        if (window not in (BOOT, RUN) and not window.isdecimal()) or priority not in ("", *PRIORITIES):
            raise FactError(f"no journal can be asked for the window {window!r} and the priority {priority!r}")
        since = BOOT if window == RUN else window
        return (_systemd.full_name((unit,)) if unit else "", since, priority, _how(pattern))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        now, rows = _systemctl.shown_rows(self.readable(answer).out)
        whole, rest = _Whole(now, rows), iter(rows)
        for row in rest:
            if row == "seen":
                break
        else:
            raise FactError("the answer about the journal is not understood: a part of it is missing")
        found = {}
        for place, argument in enumerate(arguments):
            if place and next(rest, "") != "seen":
                raise FactError(f"the journal was asked {len(arguments)} questions and answered {place}")
            found[argument] = _journal(rest, argument, whole)
        return found


def _how(pattern: str) -> str:
    """Return how a pattern is looked for on the host, as one word."""
    if not pattern:
        return EVERY
    from infratest.regular_expression import as_grep

    grep = as_grep(pattern)
    return CARRIED if grep is None else f"{grep.option} {grep.pattern}"


def _journal(rest: Iterator[str], argument: Argument, whole: _Whole) -> Journal:
    _, window, _, pattern = argument
    if _how(pattern) == CARRIED:
        data = plain_bytes(rest)
        count, shown = _matching(data[:LIMIT], pattern)
        much = f"the lines in this window are more than the {LIMIT // 1024} KiB that are looked at for such a pattern"
        problem = much if len(data) > LIMIT else ""
    else:
        count, shown, problem = *_counted(rest), ""
    status, state = next(rest, ""), next(rest, "")
    if not status.startswith("status ") or not state.startswith("unit "):
        raise FactError(f"the answer about the journal is not understood: {cited(status, 80)}")
    ended = status.removeprefix("status ")
    state, _, space = state.removeprefix("unit ").partition(" ")
    if space:
        problem = f"its lines are in the journal of the namespace {space}, at which nobody looks"
    problem = problem or whole.problem(window)
    # journalctl ends by a broken pipe where more was there than is carried, and with 1 where it may read nothing.
    if ended != "0" and not problem:
        raise FactError(f"journalctl ended with {ended or 'no status'}")
    return Journal(count, shown, state != "not-found" or count > 0, problem)


def _counted(rest: Iterator[str]) -> tuple[int, tuple[str, ...]]:
    shown: list[str] = []
    for row in rest:
        if row == ".":
            break
        if not row.startswith("|"):
            raise FactError(f"the answer about the journal is not understood: {cited(row, 80)}")
        shown.append(row[1:])
    else:
        raise FactError("the answer about the journal is not understood: it ends within a part")
    if not shown:
        return 0, ()
    count = number(shown.pop(), "the number of lines")
    if len(shown) != min(count, SHOWN):
        raise FactError(f"the answer about the journal is not understood: {len(shown)} of {count} lines are shown")
    return count, tuple(shown)


def _matching(data: bytes, pattern: str) -> tuple[int, tuple[str, ...]]:
    """Return how many lines of a text match, and the first of them."""
    from infratest.regular_expression import characters, compiled

    regex, count = compiled(pattern), 0
    shown: list[str] = []
    rows = data.split(b"\n")[: -1 if data.endswith(b"\n") else None]
    for at, line in enumerate(rows):
        if regex.search(characters(line)) is not None:
            count += 1
            if len(shown) < SHOWN:
                shown.append(decoded(masked_line(rows, at).encode()[:LENGTH]))
    return count, tuple(shown)


class _Whole:
    """Whether the journal is whole: what the snippet says of journald and of the journal's files."""

    def __init__(self, now: int, rows: Sequence[str]) -> None:
        parts: dict[str, list[str]] = {"journald": [], "up": [], "unread": [], "damaged": []}
        self._files: list[tuple[float, int, bool]] = []
        header = False
        for row in rows:
            if row == "seen":
                break
            key, _, words = row.partition(" ")
            if header and row.startswith("|"):
                self._header(row[1:])
            elif row == "header":
                header = True
            elif key in parts:
                parts[key].append(words)
            else:
                raise FactError(f"the answer about the journal is not understood: {cited(row, 80)}")
        if not header or len(parts["journald"]) != 1 or len(parts["up"]) != 1:
            raise FactError("the answer about the journal is not understood: a part of it is missing")
        self._journald, self._unread = parts["journald"][0], parts["unread"]
        self._damaged = [row.partition(" ") for row in parts["damaged"]]
        self._now, self._booted = now, now - number(parts["up"][0], "the time since the boot")

    def _header(self, row: str) -> None:
        """Take a line of `journalctl --header`: of a file its path comes first, then the number, then the moment."""
        key, _, words = row.partition(": ")
        if key == "File path":
            self._path = words
            self._first = 0
        elif key == "Head sequential number":
            self._first = number(words.partition(" ")[0], "a sequence number")
        elif key == "Head realtime timestamp" and self._path.rpartition("/")[2].startswith("system"):
            moment = _systemctl.moment(words.partition(" (")[0])
            if moment is not None:
                self._files.append((moment, self._first, self._path.startswith(PERSISTENT)))

    def problem(self, window: str) -> str:
        """Return why lines of a window may not be seen; empty where all are."""
        if self._journald != "active":
            return f"systemd-journald is {self._journald or 'not known'}: what happens now comes into no journal"
        if self._unread:
            return f"permission denied: {self._unread[0]}; ask as root, or as a member of the group systemd-journal"
        if not self._files:
            return (
                "no journal is kept here, or none may be read: ask as root, or as a member of the group systemd-journal"
            )
        start = self._booted if window in (BOOT, RUN) else self._now - int(window)
        for changed, _, path in self._damaged:
            if number(changed, "the time of a change") >= start:
                return f"journalctl cannot read a file of the journal that may hold more: {path}"
        begins, first, persistent = min(self._files)
        if begins <= start or (first == 1 and (persistent or start >= self._booted)):
            return ""
        from infratest.units import human

        rotated = "its older entries were taken away" if first > 1 else "what was before the boot was not kept"
        return f"the journal begins {human(self._now - begins, 's')} ago, later than the window: {rotated}"
