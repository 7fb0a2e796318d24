"""The fact `pip-check`: which requirements of the packages in a virtual environment are not met. Argument: its folder.

`pip check` of that environment itself says so, run with the rights of who logs in: it is code out of that folder.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SNIPPET = r"""
n=0
for folder in "$@"; do
  n=$((n + 1))
  if [ -x "$folder/bin/python" ]; then
    told=$("$folder/bin/python" -I -m pip --disable-pip-version-check check 2>&1 </dev/null)
    echo "environment $n $?"
    printf '%s\n' "$told" | sed -e 's/^/|/'
    continue
  fi
  words=$(stat -L -c %a -- "$folder/bin/python" 2>&1)
  case $words in
    *': No such file or directory' | *': Not a directory') echo "environment $n none" ;;
    *) echo "environment $n denied" ;;
  esac
done
echo end
"""

#: What pip prints where all is well.
WELL = "No broken requirements found."


class PipCheck(Record):
    """What `pip check` says of a virtual environment; `there`: whether there is one."""

    broken: tuple[str, ...] = ()
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        return self.problem or "; ".join(self.broken) or ("nothing is broken" if self.there else "no environment")


class PipCheckFact(LooksForEach):
    """Requirements that are not met."""

    unprivileged = True

    def snippet(self) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        parts: list[tuple[str, list[str]]] = []
        for row in rows[:-1]:
            if row.startswith("environment ") and row.count(" ") == 2:
                _, at, status = row.split(" ")
                parts.append((status, []))
                if number(at, "the number of an environment") != len(parts):
                    break
            elif row.startswith("|") and parts:
                parts[-1][1].append(row[1:])
            else:
                break
        else:
            if rows[-1:] == ["end"] and len(parts) == len(arguments):
                return {argument: _read(*part) for argument, part in zip(arguments, parts, strict=True)}
        raise FactError(f"the answer of pip check is not understood: {cited(answer.out, 80)}")


def _read(status: str, text: list[str]) -> PipCheck:
    if status == "none":
        return PipCheck(there=False)
    text = [row for row in text if row.strip()]
    if status == "0" and WELL in text:
        return PipCheck()
    # pip writes `NAME VERSION requires OTHER, which is not installed.`, or `has requirement X, but you have Y`, or `is
    # not supported on this platform`.
    told = (" requires ", " has requirement ", " is not supported on this platform")
    broken = tuple(row for row in text if any(word in row for word in told))
    if status == "1" and broken:
        return PipCheck(broken=broken)
    words = "Permission denied" if status == "denied" else (text[-1:] or [f"it ended with {status}"])[0]
    return PipCheck(problem=f"pip check could not look: {beginning(words, 200)}")
