"""The fact `ufw`: whether ufw filters packets, its policies and rules. It has no argument.

`ufw status verbose` prints all three: ufw(8). Root alone may ask. A rule is a row of three columns, which blanks part:
what it is to, what becomes of it, and whom it is from; those of IPv6 bear `(v6)`.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What becomes of what a rule is about; behind it stands which way that goes.
ACTIONS = ("ALLOW", "DENY", "REJECT", "LIMIT")
V6 = "(v6)"


class Ufw(Record):
    """What ufw does.

    Args:
        active: whether it does anything. policies: `incoming`, `outgoing`, `routed` and what becomes of each.
        rules: what it is to, the action (`ALLOW IN`) and whom it is from, `Anywhere (v6)` of those of IPv6.
    """

    active: bool
    policies: tuple[tuple[str, str], ...] = ()
    rules: tuple[tuple[str, str, str], ...] = ()

    def in_words(self) -> str:
        if not self.active:
            return "inactive"
        policies = ", ".join(f"{policy} ({way})" for way, policy in self.policies)
        return f"active, {policies}, with {len(self.rules)} rules"


class UfwFact(Fact):
    """What ufw does."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        missing = without("ufw", "ufw is not installed on this host")
        return missing + "ufw status verbose || exit 1\necho done\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        first = rows[0] if rows else ""
        if end != "done" or first not in ("Status: active", "Status: inactive"):
            raise FactError(f"ufw answers what is not understood: {cited(answer.out, 80)}")
        policies: list[tuple[str, str]] = []
        for row in rows:
            if row.startswith("Default: "):
                for part in row.removeprefix("Default: ").split(", "):
                    policy, _, way = part.partition(" (")
                    policies.append((way.removesuffix(")"), policy))
        active = first == "Status: active"
        if active and not policies:
            raise FactError("ufw does not tell its policies")
        begin = next((place for place, row in enumerate(rows) if row.startswith("--")), len(rows))
        rules = [_rule(row) for row in rows[begin + 1 :] if row.strip()]
        return dict.fromkeys(arguments, Ufw(active, tuple(policies), tuple(rules)))


def _rule(row: str) -> tuple[str, str, str]:
    """Return a row's columns. Raises FactError where it has no action that is known."""
    columns = row.partition(" # ")[0]  # a comment may hold anything, an action's name too
    for action in ACTIONS:
        to, mark, rest = columns.partition(f" {action} ")
        if mark:
            way, _, whom = rest.strip().partition(" ")
            whom = _plain(whom).removesuffix(" (log)").removesuffix(" (log-all)")
            return _plain(to.replace(V6, "")), f"{action} {way}", whom
    raise FactError(f"ufw has a rule that is not understood: {cited(row, 120)}")


def _plain(column: str) -> str:
    return " ".join(column.split()).replace(" )", ")")
