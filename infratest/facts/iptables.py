"""The fact `iptables`: the chains and rules of one table. Argument: `iptables` or `ip6tables`, and the table's name.

As `-S` prints them, which is how iptables would be told of them again: iptables(8). Root alone may look. The program
may be of the old kind or a front of nftables; where there are tables of both it warns, and no absence is believed.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError, UserError
from infratest.facts._shell import ONE_LINE, PUT, lines, number, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach, single
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

PROGRAMS = ("iptables", "ip6tables")
#: What the programs say where a table is not there, which the kernel would make when a rule is put into it.
NO_TABLE = ("does not exist", "Table does not exist")
#: What the front of nftables warns of where the old kind has tables, too.
BOTH = "tables present"


class Table(Record):
    """One table.

    Args:
        chains: each chain's name and policy, empty for one of one's own. rules: each rule's chain, and its text as
        iptables prints it. there: whether the kernel knows such a table. warning: what the program warned of.
        problem: why it could not be looked at.
    """

    chains: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    there: bool = True
    warning: str = ""
    problem: str = ""

    def in_words(self) -> str:
        if self.problem or not self.there:
            return self.problem or "no such table"
        chains = ", ".join(f"{name} ({policy})" if policy else name for name, policy in self.chains)
        return f"{len(self.rules)} rules in the chains {chains}"


#: Tables that Linux has, and the bytes of a chain's name: iptables(8), XT_FUNCTION_MAXNAMELEN of linux/netfilter.
TABLES = ("filter", "nat", "mangle", "raw", "security")
NAME_BYTES = 28


def chain_name(name: str) -> str:
    """Return the name of a chain. Raises UserError where iptables makes none of that name."""
    single(name, "name of a chain")
    if len(name.encode()) > NAME_BYTES or name[0] in "-!" or not name.isprintable() or any(map(str.isspace, name)):
        words = f"a name has at most {NAME_BYTES} characters, no blank, and begins with neither - nor !"
        raise UserError(f'the iptables chain "{name}": {words}')
    return name


def table_name(name: str) -> str:
    """Return the name of a table. Raises UserError where it can be none's."""
    if name not in TABLES:
        raise UserError(f'the iptables table "{name}": it is one of filter, nat, mangle, raw, security')
    return name


def parts_of(rule: str) -> list[str]:
    """Return the words of a rule, without the match that its protocol brings by itself (`-p tcp -m tcp`).

    Words are parted by blanks; in double quotes blanks are text, and a backslash makes a quote text. So iptables-save
    writes comments.
    """
    words: list[str] = []
    word, within, begun = "", False, False
    characters = iter(rule)
    for character in characters:
        if character == "\\" and within:
            word += next(characters, "")
        elif character == '"':
            within, begun = not within, True
        elif character.isspace() and not within:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    if begun:
        words.append(word)
    protocol = next((words[place + 1] for place, each in enumerate(words[:-1]) if each == "-p"), "")
    for place in range(len(words) - 1):
        if protocol and words[place : place + 2] == ["-m", protocol]:
            return words[:place] + words[place + 2 :]
    return words


# A part for each: `exit N STATUS`, then what the program said, behind a bar.
SNIPPET = r"""
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  if command -v "$1" >/dev/null 2>&1; then
    words=$("$1" -w 5 -t "$2" -S 2>&1)
    status=$?
  else
    words="$1 is not installed on this host" status=127
  fi
  one_line "$words"
  put "exit $n $status $line$nl"
  shift 2
done
echo done
"""


class IptablesFact(LooksForEach):
    """Tables of iptables."""

    def snippet(self) -> str:
        return ONE_LINE + PUT + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        program, table = argument
        if program not in PROGRAMS:
            raise UserError(f"{program!r} is not one of {', '.join(PROGRAMS)}")
        return program, table_name(table)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        found: dict[int, Table] = {}
        for row in rows:
            mark, index, status, text = (*row.split(" ", 3), "", "")[:4]
            if mark != "exit":
                raise FactError(f"the answer about iptables is not understood: {cited(row, 80)}")
            found[number(index, "an index")] = _table(number(status, "an exit status"), unescaped(text))
        if end != "done" or sorted(found) != list(range(1, len(arguments) + 1)):
            raise FactError(f"of {len(arguments)} tables asked for, {len(found)} were answered")
        return {argument: found[index] for index, argument in enumerate(arguments, 1)}


def _table(status: int, text: str) -> Table:
    rows = lines(text)
    words = [row for row in rows if row[:3] not in ("-P ", "-N ", "-A ")]
    if status:
        if any(part in text for part in NO_TABLE) and "ermission" not in text:
            return Table(there=False)
        return Table(problem=beginning(" ".join(words), 300) or f"it ends with {status} and says nothing")
    chains, rules = [], []
    for row in rows:
        mark, _, rest = row.partition(" ")
        name, _, rest = rest.partition(" ")
        if mark == "-A":
            rules.append((name, rest))
        elif mark in ("-P", "-N"):
            chains.append((name, rest if mark == "-P" else ""))
    if not chains:
        return Table(problem=f"it prints no chains: {cited(text, 120)}")
    return Table(tuple(chains), tuple(rules), warning=next((row for row in words if BOTH in row), ""))
