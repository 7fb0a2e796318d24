"""The fact `package-list`: the installed packages whose names a shell pattern fits. Argument: the pattern.

dpkg and rpm are asked with the patterns, so that little is carried; of apk and pacman all packages come. Which of them
a pattern fits is decided here, alike for all of them.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._package_manager import MANAGER
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

#: Of more packages than this, the first are named.
NAMED = 5

_IN_PATTERNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._@*?[]!")

SNIPPET = (
    MANAGER
    + r"""
case $manager in
  dpkg)
    dpkg-query -W -f 'package ${db:Status-Status} ${Package} ${Version}\n' -- "$@" 2>/dev/null
    [ $? -le 1 ] || { echo 'dpkg-query failed' >&2; exit 1; }
    ;;
  rpm)
    rpm --dbpath "$rpm" -qa --qf 'package installed %{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n' "$@" 2>&1 ||
      exit 1
    [ -n "$(rpm --dbpath "$rpm" -qa --qf + 2>/dev/null)" ] || { echo "$rpm holds no package at all" >&2; exit 1; }
    ;;
  apk) cat /lib/apk/db/installed /usr/lib/apk/db/installed 2>/dev/null | grep '^[PV]:' ;;
  pacman) pacman -Q 2>&1 | sed -e 's/^/package installed /' ;;
esac
echo end
"""
)


class PackageList(Record):
    """Installed packages of a pattern: name and version of each, by name."""

    manager: str
    packages: tuple[tuple[str, str], ...] = ()

    def in_words(self) -> str:
        more = f" and {len(self.packages) - NAMED} more" if len(self.packages) > NAMED else ""
        return ", ".join(f"{name} {version}" for name, version in self.packages[:NAMED]) + more or "none"


def package_pattern(text: str) -> str:
    """Return a pattern of names of packages as it is.

    Raises:
        UserError: no package can have a name that it fits.
    """
    if not text or not set(text) <= _IN_PATTERNS or text[0] == "-":
        raise UserError(
            f"{text!r} is no pattern of packages' names: letters, digits, + - . _ @ and * ? [a-z] are allowed"
        )
    return text


class PackageListFact(LooksForEach):
    """Packages by pattern."""

    def snippet(self) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        from infratest.globs import fits

        rows = lines(self.readable(answer).out)
        if len(rows) < 2 or rows[0] not in ("dpkg", "rpm", "apk", "pacman") or rows[-1] != "end":
            raise FactError(f"the answer about packages is not understood: {cited(answer.out, 80)}")
        packages = sorted(set((_of_apk if rows[0] == "apk" else _listed)(rows[1:-1])))
        return {
            argument: PackageList(rows[0], tuple(one for one in packages if fits(argument[0], one[0])))
            for argument in arguments
        }


def _listed(rows: list[str]) -> Iterator[tuple[str, str]]:
    for row in rows:
        fields = row.split(" ")
        if row.startswith("warning:"):
            continue
        if fields[0] != "package" or len(fields) != 4:
            raise FactError(f"the answer about packages is not understood: {cited(row, 200)}")
        if fields[1] == "installed" and fields[2] != "gpg-pubkey":  # keys that rpm keeps as if they were packages
            yield fields[2], fields[3]


def _of_apk(rows: list[str]) -> Iterator[tuple[str, str]]:
    name = ""
    for row in rows:
        if row.startswith("P:"):
            name = row[2:]
        elif row.startswith("V:") and name:
            yield name, row[2:]
        else:
            raise FactError(f"the answer about packages is not understood: {cited(row, 80)}")
