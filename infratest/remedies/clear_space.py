"""`clear-space: {below: [/srv/shop/cache], older-than: 7 days}`: old files below listed directories removed.

Regular files alone, last changed before that age. No link is followed, none on the way to a listed directory either,
and no other file system is entered. What belongs to the system cannot be listed: that is told when the stack file is
read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.errors import HealError, UserError
from infratest.remedies._on_host import OnHost, There
from infratest.units import human

#: An absolute path of two names or more, each of them plain, that is not the system's own: its programs,
#: configuration and devices, what packages and logins are kept in, and a login's home as a whole. /tmp may be.
CLEARABLE = (
    r"^(?!/(?:bin|boot|dev|etc|lib|lib32|lib64|libx32|proc|run|sbin|sys|usr)(?:/|$))"
    r"(?!/home/[^/]+/?$|/var/lib/?$|/var/lib/(?:apt|dpkg|rpm|pacman|systemd)(?:/|$))"
    r"(?!/var/spool/?$|/var/spool/(?:cron|mail)(?:/|$))"
    r"(?!.*/\.(?:\.|ssh|gnupg)?(?:/|$))(?!.*//)"
    r"(?:/tmp|/[^/\x00-\x1f\x7f]+(?:/[^/\x00-\x1f\x7f]+)+)/?$"
)
EACH = (
    "an absolute path such as /srv/shop/cache, at least two names deep and none of the system's own (/etc, /usr, "
    "/var/lib/dpkg, a home and the like)"
)
#: $1: age in minutes, then the directories. All are looked at before anything is removed. Within one, the shell stands
#: in it and finds from `.`, so that nobody can put a link in its way meanwhile; find itself removes, by its own handle
#: of each directory. A part of the same file system that is mounted below (a bind mount) is no other one to find: it is
#: looked for in mountinfo(5), which writes a blank as \\040. Prints files and bytes of each.
CLEAR = r"""age=$1 found=0
shift
stand() {
  cd -P -- "$1" 2>/dev/null || return 1
  [ "$(pwd -P)" = "$1" ] || { echo "$1: is behind a link, $(pwd -P): nothing was removed" >&2; exit 65; }
}
for d; do
  ( stand "$d"
    case $? in 0) ;; 1) [ ! -e "$d" ] && exit 1; echo "$d: cannot be entered: nothing was removed" >&2; exit 65 ;; esac
    here=$(stat -c %d .)
    while read -r _ _ _ _ at _; do
      at=$(printf %b "$at")
      case $at in "$d"/*)
        [ "$(stat -c %d -- "$at" 2>/dev/null)" != "$here" ] ||
          { echo "$d: another part of its file system is mounted at $at: nothing was removed" >&2; exit 65; } ;;
      esac
    done </proc/self/mountinfo )
  case $? in 0) found=1 ;; 1) ;; *) exit 65 ;; esac
done
[ $found = 1 ] || { echo "the directories were not found" >&2; exit 66; }
for d; do
  ( stand "$d" || exit 0
    find . -xdev -type f -mmin "+$age" -links 1 -exec stat -c '%b %B' {} + |
      awk '{n++; s += $1 * $2} END {printf "%.0f %.0f\n", n, s}'
    exec find . -xdev -type f -mmin "+$age" -delete ) || exit
done"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may go."""

    below: tuple[str, ...] = field(
        metadata={"description": "the directories below which files may go", "pattern": CLEARABLE, "each": EACH}
    )
    older_than: float = field(
        metadata={"description": "files last changed before this time may go", "dimension": "time", "low": 60.0}
    )


class ClearSpace(OnHost):
    """Remove old files below listed directories, and say how many bytes that freed. What is gone is gone."""

    name = "clear-space"
    Options = Options
    usage = "expected a map, as `clear-space: {below: [/srv/shop/cache], older-than: 7 days}`"
    seconds = 300.0
    no_undo = "what was removed is gone"

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        below = self.options.below
        wrong = [one for one in below if not isinstance(one, str) or not re.match(CLEARABLE, one)]
        if wrong or not below:
            raise UserError(f"clear-space: below: {wrong[0] if wrong else []!r}: expected {EACH}")

    def describe(self) -> str:
        return f"clear-space below {clean(', '.join(self.options.below), 80)}"

    def act(self, there: There) -> str:
        minutes = max(1, int(self.options.older_than // 60))
        folders = [one.rstrip("/") for one in dict.fromkeys(self.options.below)]
        # What lies below another one would be counted twice.
        folders = [one for one in folders if not any(one.startswith(f"{other}/") for other in folders)]
        shown = f"find {' '.join(folders)} -xdev -type f -mmin +{minutes} -delete"
        printed = there.done(["sh", "-c", CLEAR, "sh", str(minutes), *folders], shown)
        try:
            counted = [tuple(map(int, line.split())) for line in printed.splitlines()]
            files, size = (sum(each) for each in zip(*counted, strict=True))
        except ValueError:
            raise HealError(f"what was freed cannot be read from {clean(printed, 100)!r}") from None
        return f"freed {size} bytes ({human(size, 'B')}) in {files} files older than {human(minutes * 60, 's')}"
