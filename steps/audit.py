"""What can be said of the kernel's auditing."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.audit import Audit
    from infratest.facts.base import FactValues

AUDIT: Need[Audit] = Need("audit")


@check("auditing is enabled", negation="auditing is not enabled", example="auditing is enabled")
class AuditEnabled(Check):
    """The kernel writes audit records, as `auditctl -s` says; rules may be there that it does not go by."""

    def needs(self) -> tuple[Need, ...]:
        return (AUDIT,)

    def observe(self, facts: FactValues) -> Seen:
        return Seen(holds=facts[AUDIT].enabled, saw=f"auditing is {facts[AUDIT].in_words()}")


@check(
    'auditing has the rule "{rule}"',
    negation='auditing does not have the rule "{rule}"',
    example='auditing has the rule "-w /etc/passwd -p wa -k identity"',
)
class AuditRule(Check):
    """The kernel has this rule, as `auditctl -l` writes it; `-k x` is `-F key=x`, and `-S a -S b` is `-S a,b`."""

    rule: str

    def __post_init__(self) -> None:
        if not self.rule.startswith("-"):
            raise UserError(f'the audit rule "{self.rule}": expected one as "-w /etc/passwd -p wa -k identity"')

    def needs(self) -> tuple[Need, ...]:
        return (AUDIT,)

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.audit import rule_words

        rules, asked = facts[AUDIT].rules, rule_words(self.rule)
        holds = any(rule_words(rule) == asked for rule in rules)
        near = [rule for rule in rules if len(asked) > 1 and asked[1] in rule_words(rule)]
        shown = f"; of {in_quotes(asked[1])}: {'; '.join(near[:5])}" if near and not holds else ""
        words = f"auditing {'has' if holds else 'does not have'} this rule, of {len(rules)}{shown}"
        return Seen(holds=holds, saw=words)


@check("auditing has {bound:count} rules", example="auditing has at least 1 rules")
class AuditRules(Check):
    """How many rules the kernel audits by."""

    def needs(self) -> tuple[Need, ...]:
        return (AUDIT,)

    def observe(self, facts: FactValues) -> Seen:
        rules = facts[AUDIT].rules
        return Seen(holds=True, saw=f"auditing has {len(rules)} rules", number=len(rules))

    def measure(self) -> Measure:
        return Measure(label="audit rules", minimum=0)
