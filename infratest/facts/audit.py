"""The fact `audit`: whether the kernel audits, and by which rules. It has no argument.

`auditctl -s` and `auditctl -l` print it: auditctl(8). Root alone may ask; a container has none of its own.
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

NO_RULES = "No rules"
#: `enabled` of auditctl -s: 2 is enabled and locked until the next boot.
STATES = {"0": False, "1": True, "2": True}
#: How an id that is not set is written: unset, -1, and as the kernel has it.
UNSET = ("=unset", "=-1", "=4294967295")


class Audit(Record):
    """What the kernel audits.

    Args:
        enabled: whether it does. rules: each as auditctl writes it.
    """

    enabled: bool
    rules: tuple[str, ...] = ()

    def in_words(self) -> str:
        return f"{'enabled' if self.enabled else 'not enabled'}, with {len(self.rules)} rules"


def rule_words(rule: str) -> tuple[str, ...]:
    """Return the words of a rule alike for its writings: `-k x` is `-F key=x`, `-S a -S b` is `-S a,b`."""
    words: list[str] = []
    left = rule.split()
    while left:
        word = left.pop(0)
        value = left.pop(0) if word in ("-k", "-S", "-F") and left else ""
        if word == "-k":
            words += ["-F", f"key={value}"]
        elif word == "-S" and words[-2:-1] == ["-S"]:
            words[-1] += f",{value}"
        else:
            for each in UNSET[1:]:
                value = value.removesuffix(each) + UNSET[0] if value.endswith(each) else value
            words += [word, value] if value else [word]
    return tuple(words)


class AuditFact(Fact):
    """What the kernel audits."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        missing = without("auditctl", "auditctl (auditd) is not installed on this host")
        return missing + "auditctl -s || exit 1\necho rules\nauditctl -l || exit 1\necho done\n"

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done" or "rules" not in rows:
            raise FactError(f"auditctl answers what is not understood: {cited(answer.out, 80)}")
        place = rows.index("rules")
        status = dict(row.split(" ", 1) for row in rows[:place] if " " in row)
        if status.get("enabled") not in STATES:
            raise FactError("auditctl does not tell whether auditing is enabled")
        rules = rows[place + 1 :]
        if not rules or (rules != [NO_RULES] and not all(rule.startswith("-") for rule in rules)):
            raise FactError(f"auditctl tells rules that are not understood: {cited((rules or [''])[0], 80)}")
        kept = () if rules == [NO_RULES] else tuple(rules)
        return dict.fromkeys(arguments, Audit(STATES[status["enabled"]], kept))
