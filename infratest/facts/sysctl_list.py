"""The fact `sysctl-list`: every variable of the kernel that can be set, and its value. It has no argument.

Read from /proc/sys, as `sysctl -a` does, but for what cannot be written (counters, names, random numbers), what is
secret, and what nobody may read. Values of several lines are told in one; what others than who asks may read is told by
name. Asked by `coverage` and `drift`.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import PUT, lines, without_any
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Where the kernel shows its variables: proc_sys(5).
FOLDER = "/proc/sys/"

#: Names that are not carried: keys of the kernel's own (Documentation/networking/ip-sysctl.rst).
SECRET = ("stable_secret", "tcp_fastopen_key")

# `FILE:VALUE` for each line of each file, then `- FILE` for each that may not be read by who asks. What cannot be read
# though it may be says so on standard error, which is left: it has no value.
SNIPPET = r"""
[ -d /proc/sys/kernel ] || { echo '/proc/sys is not there' >&2; exit 1; }
rows=$(find /proc/sys -type f -perm -0200 SECRET -exec grep -H '' /dev/null {} + 2>/dev/null)
[ -n "$rows" ] || { echo 'not one variable of /proc/sys could be read' >&2; exit 1; }
put "$rows"
echo
find /proc/sys -type f -perm -0600 SECRET -exec sh -c 'for each; do [ -r "$each" ] || echo "- $each"; done' sh {} + 2>&1
echo .
""".replace("SECRET", " ".join(f"! -name {name}" for name in SECRET))


class SysctlList(Record):
    """Variables of the kernel that can be set.

    Args:
        variables: name, with dots, and value, by name. unread: names of those that only others may read.
    """

    variables: tuple[tuple[str, str], ...]
    unread: tuple[str, ...] = ()

    def in_words(self) -> str:
        return f"{len(self.variables)} variables of the kernel"


class SysctlListFact(Fact):
    """Variables of the kernel, listed."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without_any("find", "grep") + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) < 2 or rows[-1] != ".":
            raise FactError(f"the answer about the kernel's variables is not understood: {answer.out[-80:]!r}")
        found: dict[str, list[str]] = {}
        unread = [_name(row[2:]) for row in rows[:-1] if row.startswith(f"- {FOLDER}")]
        for row in rows[:-1]:
            if row.startswith(f"- {FOLDER}"):
                continue
            path, colon, value = row.partition(":")
            if not colon or not path.startswith(FOLDER):
                raise FactError(f"the answer about the kernel's variables is not understood: {cited(row, 80)}")
            found.setdefault(_name(path), []).extend(value.split())
        variables = tuple([(name, " ".join(found[name])) for name in sorted(found)])
        return dict.fromkeys(arguments, SysctlList(variables, tuple(sorted(unread))))


def _name(path: str) -> str:
    """Return a variable's name: a dot of a folder's own, as of the interface `eth0.5`, is written `/` (sysctl(8))."""
    return path.removeprefix(FOLDER).translate(str.maketrans("./", "/."))
