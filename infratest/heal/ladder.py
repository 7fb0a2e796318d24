"""The ladder of a rule: its remedies, made from the stack file's words, and the rung that is due. For the engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infratest import later
from infratest.errors import NotInThisVersion, UserError
from infratest.heal.collecting import wanted
from infratest.heal.gates import Try
from infratest.heal.rules import read_tags
from infratest.outsiders import get
from infratest.remedies.base import Foresees, Remedy
from infratest.stack.declared import HealRule

#: The remedy that ends every ladder.
PAGE = "page"


def rungs(rule: HealRule) -> tuple[tuple[str, Any], ...]:
    """Return what a rule may try, mildest first: its ladder without the `page` at its end."""
    return rule.do[:-1] if rule.do and rule.do[-1][0] == PAGE else rule.do


def page(rule: HealRule) -> Remedy:
    """Return the end of a rule's ladder, whether or not it is written down. Raises UserError: as `remedies`."""
    made: Remedy = get("remedy", PAGE)(rule.do[-1][1] if rungs(rule) != rule.do else {})
    return made


def remedies(rule: HealRule) -> list[Remedy]:
    """Return the rungs of a rule, mildest first, but for the `page` at their end.

    Raises:
        UserError: no rung at all, an unknown remedy, or a value that a remedy cannot use.
        NotInThisVersion: a remedy that is not built yet.
    """
    where = f"{rule.where or 'heal'}: rule {rule.name}"
    if not rule.do:
        raise UserError(f"{where}: do is empty: name at least one remedy, as `do: [{{restart-service: nginx}}]`")
    if not rungs(rule):
        raise UserError(f"{where}: do holds page alone, which mends nothing: `tell:` of `monitor:` tells people")
    made = []
    for name, argument in rungs(rule):
        if name == PAGE:
            raise UserError(f"{where}: page must be the last rung: nothing comes after it")
        if name in later.names("remedy"):
            raise NotInThisVersion(f"{where}: remedy {name}: {later.WORDS}")
        kind = get("remedy", name)
        try:
            remedy: Remedy = kind(argument)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
        made.append(remedy)
    try:
        page(rule)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    return made


def foresee(rule: HealRule, folder: Path) -> None:
    """Look at a rule as it would be looked at when it is needed, and doing nothing.

    Raises:
        UserError: its tags are no expression, or a rung can never be applied.
    """
    read_tags(rule)
    wanted(rule)
    for remedy in remedies(rule):
        try:
            if isinstance(remedy, Foresees):
                remedy.foresee(folder)
        except UserError as error:
            raise UserError(f"{rule.where or 'heal'}: rule {rule.name}: {error}") from error


def rung_due(rule: HealRule, host: str, tries: Sequence[Try], since: float, drilled: bool = False) -> int:
    """Return the index of the rung for the next try: one higher for each try in this problem, then the strongest.

    Args:
        tries: of this environment. since: when the problem began; a verified heal ends it, so the next begins mildly.
        drilled: a drill is under way: outside of one, what drills have tried does not count. What was for something
        that is gone says nothing of others.
    """
    mine = [one for one in tries if one.rule == rule.name and one.host == host and one.time >= since and not one.gone]
    tried = [one for one in mine if drilled or not one.drill]
    return min(len(tried), len(rungs(rule)) - 1)
