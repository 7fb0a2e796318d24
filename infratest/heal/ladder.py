"""The ladder of a rule: its remedies, made from the stack file's words, and the rung that is due. For the engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infratest import later
from infratest.errors import NotInThisVersion, UserError
from infratest.heal.gates import Try
from infratest.heal.rules import matches
from infratest.outsiders import get
from infratest.remedies.base import Foresees, Remedy
from infratest.stack.declared import HealRule


def remedies(rule: HealRule) -> list[Remedy]:
    """Return the rungs of a rule, mildest first.

    Raises:
        UserError: no rung at all, an unknown remedy, or a value that a remedy cannot use.
        NotInThisVersion: a remedy that is not built yet.
    """
    where = f"{rule.where or 'heal'}: rule {rule.name}"
    if not rule.do:
        raise UserError(f"{where}: do is empty: name at least one remedy, as `do: [{{restart-service: nginx}}]`")
    rungs = []
    for name, argument in rule.do:
        if name in later.names("remedy"):
            raise NotInThisVersion(f"{where}: remedy {name}: {later.WORDS}")
        kind = get("remedy", name)
        try:
            remedy: Remedy = kind(argument)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
        rungs.append(remedy)
    return rungs


def foresee(rule: HealRule, folder: Path) -> None:
    """Look at a rule as it would be looked at when it is needed, and doing nothing.

    Raises:
        UserError: its tags are no expression, or a rung can never be applied.
    """
    matches(rule, ())
    for remedy in remedies(rule):
        try:
            if isinstance(remedy, Foresees):
                remedy.foresee(folder)
        except UserError as error:
            raise UserError(f"{rule.where or 'heal'}: rule {rule.name}: {error}") from error


def rung_due(rule: HealRule, host: str, tries: Sequence[Try], since: float) -> int:
    """Return the index of the rung for the next try: one higher for each try in this problem, then the strongest.

    Args:
        tries: of this environment. since: when the problem began; a verified heal ends it, so the next begins mildly.
    """
    tried = sum(1 for attempt in tries if attempt.rule == rule.name and attempt.host == host and attempt.time >= since)
    return min(tried, len(rule.do) - 1)
