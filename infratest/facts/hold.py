"""The fact `hold`: what the package manager is told not to upgrade, in its own words. It has no argument.

dpkg keeps a hold with the package itself (the fact `package` has it). rpm: the lists of dnf's or yum's plugin
versionlock, where it is there and enabled. apk: what /etc/apk/world holds down to a version. pacman: IgnorePkg and
IgnoreGroup, as `pacman-conf` reads them.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._package_manager import MANAGER
from infratest.facts._shell import lines
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What apk's world says of a package that stays what it is: apk-world(5).
KEEPS = ("=", "<", "~")

SNIPPET = (
    MANAGER
    + r"""
case $manager in
  rpm)
    for place in /etc/dnf/plugins /etc/yum/pluginconf.d; do
      [ -e "$place/versionlock.conf" ] && [ -e "$place/versionlock.list" ] || continue
      grep -q -i '^ *enabled *= *\(0\|no\|false\|off\)' "$place/versionlock.conf"
      case $? in 0) continue ;; 1) ;; *) exit 1 ;; esac
      sed -e 's/^/lock /' "$place/versionlock.list" || exit 1
      echo # its last line may have no end
    done
    for place in /etc/dnf/versionlock.toml /etc/zypp/locks; do
      [ -s "$place" ] || continue
      sed -n -e 's/^ *name *= *"\(.*\)"/lock \1/p' -e 's/^solvable_name: /lock /p' "$place" || exit 1
      echo
    done
    ;;
  apk)
    [ ! -e /etc/apk/world ] || sed -e 's/^/lock /' /etc/apk/world || exit 1
    echo
    ;;
  pacman)
    command -v pacman-conf >/dev/null 2>&1 || { echo 'pacman-conf is not installed on this host' >&2; exit NO_TOOL; }
    names=$(pacman-conf IgnorePkg) || exit 1
    groups=$(pacman-conf IgnoreGroup) || exit 1
    [ -z "$groups" ] || names="$names $(pacman -Qqg $groups 2>/dev/null)"
    set -f
    for name in $names; do echo "lock $name"; done
    ;;
esac
echo end
"""
).replace("NO_TOOL", str(NO_TOOL))


class Holds(Record):
    """What is held: patterns of names, with a version where the list has one."""

    manager: str
    patterns: tuple[str, ...] = ()

    def in_words(self) -> str:
        return f"{', '.join(self.patterns) or 'nothing'} ({self.manager})"

    def of(self, name: str) -> str:
        """Return the pattern that holds a package, empty where none does."""
        from infratest.globs import fits

        for pattern in self.patterns:
            if any(fits(one, name) for one in names_of(pattern, self.manager)):
                return pattern
        return ""


def names_of(pattern: str, manager: str) -> tuple[str, ...]:
    """Return the names that a line of a list may mean.

    Of rpm's, `NAME`, or with a version as `NAME-EPOCH:VERSION-RELEASE.ARCHITECTURE` (dnf-versionlock(8)); a line with
    `!` before it excludes that version only. Of apk's, a name and what its version must be.
    """
    if manager == "apk":
        cut = min((pattern.find(sign) for sign in "=<>~" if sign in pattern), default=len(pattern))
        return (pattern[:cut],) if pattern[cut : cut + 1] in KEEPS else ()
    if manager != "rpm":
        return (pattern,)
    if pattern.startswith("!"):
        return ()
    name, dash, release = pattern.rpartition("-")
    before, _, version = name.rpartition("-")
    if (
        dash
        and before
        and (version[:1].isdigit() or version[:1] == "*")
        and (release[:1].isdigit() or release[:1] == "*")
    ):
        return (before,)
    return (pattern, name) if dash and release[:1].isdigit() else (pattern,)


class HoldFact(Fact):
    """What is not to be upgraded."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) < 2 or rows[0] not in ("dpkg", "rpm", "apk", "pacman") or rows[-1] != "end":
            raise FactError(f"the answer about holds is not understood: {cited(answer.out, 80)}")
        if strange := [row for row in rows[1:-1] if row and not row.startswith("lock ")]:
            raise FactError(f"the answer about holds is not understood: {cited(strange[0], 80)}")
        words = [row.removeprefix("lock ").strip() for row in rows[1:-1]]
        found = Holds(rows[0], tuple(word for word in words if word and not word.startswith("#")))
        return dict.fromkeys(arguments, found)
