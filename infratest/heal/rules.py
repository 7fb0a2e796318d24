"""Which rule of `heal:` is for which result: the one its tag `@heal:NAME` names, else the first whose `when` fits.

Called by the heal engine, and by whatever wants to refuse a wrong `@heal:` early. Tag expressions are the ones behave
ships; behave is loaded only when a rule has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infratest.errors import UserError, unknown
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.states import CRITICAL, UNKNOWN, WARNING

PREFIX = "heal:"
#: How the id of a host's way in begins, and the tag by which a rule is for it: no scenario has that result.
WAY, WAY_TAG = "reachable@", "reachable"


def named(tags: Sequence[str], rules: Sequence[HealRule], where: str) -> HealRule | None:
    """Return the rule that `@heal:NAME` names, or None without such a tag.

    Args:
        tags: without their `@`. where: of the scenario, for the message.
    Raises:
        UserError: no rule has that name, or the scenario names two.
    """
    wanted = [tag[len(PREFIX) :] for tag in tags if tag.startswith(PREFIX)]
    if not wanted:
        return None
    if len(set(wanted)) > 1:
        raise UserError(f"{where}: names {len(set(wanted))} heal rules, @heal:{', @heal:'.join(wanted)}; keep one")
    for rule in rules:
        if rule.name == wanted[0]:
            return rule
    known = [rule.name for rule in rules]
    raise UserError(f"{where}: tag @heal:{wanted[0]}: {unknown('heal rule', wanted[0], known)}")


def rule_for(result: Result, rules: Sequence[HealRule]) -> HealRule | None:
    """Return the rule for a failed result, or None.

    An unknown result is given the rule that its tags choose, so that the gates refuse it with a reason on record.

    Raises:
        UserError: see `named`; or a rule's tag expression cannot be read.
    """
    chosen = named(result.tags, rules, f"{result.feature}:{result.line}")
    candidates = rules if chosen is None else (chosen,)
    tags = (*result.tags, WAY_TAG) if result.id.startswith(WAY) else result.tags
    for rule in candidates:
        if not says(result, rule.when_reason):
            continue
        if result.state in (rule.when_state, UNKNOWN) and (chosen is not None or matches(rule, tags)):
            return rule
    return None


def says(result: Result, reason: str) -> bool:
    """Whether a result is for a rule of this reason. Of one that is unknown no reason tells what is wrong."""
    if not reason or result.state == UNKNOWN:
        return True
    return any(reason in said for said in (result.reason, *(step.reason for step in result.steps)))


def same_failure(rule: HealRule, before: Result, after: Result) -> bool:
    """Whether a result fails after an act as it did before: for the rule still, and by no sentence that held.

    What a sentence says of its failure may move, by its numbers and from *refused* to *timed out*.
    """
    new = _failing(after) - _failing(before)
    return after.state == rule.when_state and says(after, rule.when_reason) and not new


def _failing(result: Result) -> set[str]:
    return {step.text for step in result.steps if step.state in (WARNING, CRITICAL)}


def matches(rule: HealRule, tags: Sequence[str]) -> bool:
    """Return whether a rule's tag expression fits; a rule without one is for scenarios that name it.

    Raises:
        UserError: the expression cannot be read.
    """
    return expression(rule, rule.when_tags)(tags)


def read_tags(rule: HealRule) -> None:
    """Read a rule's tag expressions. Raises UserError: one of them cannot be read."""
    for text in (rule.when_tags, rule.neighbours):
        expression(rule, text)


def expression(rule: HealRule, text: str) -> Callable[[Sequence[str]], bool]:
    """Return what tells whether tags (without `@`) are as a tag expression of a rule says; no tags are as an empty one.

    Raises:
        UserError: it cannot be read.
    """
    if not text.strip():
        return lambda tags: False
    from behave.tag_expression import TagExpressionProtocol, make_tag_expression
    from behave.tag_expression.parser import TagExpressionError

    try:
        made = make_tag_expression(text, TagExpressionProtocol.STRICT)
    except TagExpressionError as error:
        words = " ".join(str(error).split())
        raise UserError(
            f"{rule.where or 'heal'}: rule {rule.name}: tags {text!r} is no tag expression: {words}; "
            "write for example '@web and not @slow'"
        ) from error
    return lambda tags: bool(made.evaluate(list(tags)))
