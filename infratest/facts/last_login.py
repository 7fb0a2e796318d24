"""The fact `last-login`: when an account logged in last. Argument: its name.

/var/log/lastlog has it, at the place of the account's id: lastlog(8). A record there is a time (4 bytes on x86, 8 on
arm64), a line of 32 bytes and a host of 256: bits/utmp.h of the GNU C library. Hosts that keep it elsewhere (Debian 13
by lastlog2, musl) are unknown.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, number, without_any
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class LastLogin(Record):
    """When an account logged in last.

    Args:
        user: whether there is such an account. age: seconds since then, by the host's clock; None where it never did.
    """

    user: bool = True
    age: int | None = None

    def in_words(self) -> str:
        from infratest.units import human

        if not self.user:
            return "the user does not exist"
        return "has never logged in" if self.age is None else f"last logged in {human(self.age, 's')} ago"


# Lines: `now SECONDS`; `nobody N`, `never N`, `at N SECONDS`; `done`. Behind the end of the file nobody has a record.
SNIPPET = r"""
file=/var/log/lastlog
case $(uname -m) in
  x86_64 | i?86) size=4 ;;
  aarch64) size=8 ;;
  *) echo "lastlog of the processor $(uname -m) is not known" >&2; exit NO_TOOL ;;
esac
[ -e $file ] || {
  echo "$file is not there: this host keeps no last logins, or keeps them elsewhere" >&2
  exit NO_TOOL
}
[ -r $file ] || { echo "$file may not be read: Permission denied" >&2; exit 1; }
echo "now $(date +%s)"
n=0
for user in "$@"; do
  n=$((n + 1))
  uid=$(id -u -- "$user" 2>/dev/null) || { echo "nobody $n"; continue; }
  at=$(od -A n -t "d$size" -j "$((uid * (size + 288)))" -N "$size" $file 2>/dev/null)
  case $at in
    *[1-9]*) echo "at $n" $at ;;
    *) echo "never $n" ;;
  esac
done
echo done
""".replace("NO_TOOL", str(NO_TOOL))


class LastLoginFact(LooksForEach):
    """Last logins."""

    def snippet(self) -> str:
        return without_any("id", "od", "date") + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = [row.split() for row in lines(self.readable(answer).out)]
        if rows[-1:] != [["done"]] or len(rows[0]) != 2 or rows[0][0] != "now":
            raise FactError(f"the answer about last logins is not understood: {cited(answer.out, 80)}")
        now, values = number(rows[0][1], "the time"), {}
        for row in rows[1:-1]:
            index = number(row[1] if len(row) > 1 else "", "an index")
            if row[0] == "at" and len(row) == 3:
                values[index] = LastLogin(age=now - number(row[2], "a time"))
            elif row[0] in ("never", "nobody") and len(row) == 2:
                values[index] = LastLogin(user=row[0] == "never")
            else:
                raise FactError(f"the answer about last logins is not understood: {cited(' '.join(row), 80)}")
        if sorted(values) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} last logins asked for, {len(values)} were answered")
        return {argument: values[index] for index, argument in enumerate(arguments, 1)}
