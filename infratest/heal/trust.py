"""How much a rule may do by the ledger: the lowest of what was granted and what was lost since. Pure.

Asked by the gate `trust` and told by `infratest heal trust`. Nothing that cannot be read, and nothing that is missing,
ever gives more than its being whole would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infratest.heal.gates import moment
from infratest.heal.ledger import Ledger, lowest
from infratest.stack.declared import AUTO, OBSERVE, PROPOSE


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What is in force by the ledger, why, and what would raise it (empty where nothing is above)."""

    level: str
    why: str
    raised_by: str = ""


def trust(rule: str, env: str, ledger: Ledger, *, otherwise: str, command: Callable[..., str]) -> Trust:
    """Return how much a rule may do in an environment.

    Args:
        otherwise: the level where nobody has said anything of it: PROPOSE, or AUTO for a rule that needs no grant.
        command: returns the command line of these words, as a person has to type it.
    """
    if ledger.broken:
        return Trust(level=OBSERVE, why=f"the ledger does not hold: {ledger.broken}", raised_by="mend or accept it")
    grant = ledger.last_grant(rule, env)
    granted = otherwise if grant is None else grant.level
    losses = ledger.losses(rule, env)
    level = lowest([granted, *(loss.level for loss in losses)])
    again = f"`{command('heal', 'trust', rule, '--grant', 'auto')}` grants it"
    if losses and level != granted:
        last = losses[-1]
        why = f"lost at {moment(last.time)}: {last.why}"
        return Trust(level=level, why=why, raised_by=f"{again} again")
    if grant is None:
        why = "nothing was granted" if otherwise == PROPOSE else "it needs no grant: it has no `proof:`"
        return Trust(level=level, why=why, raised_by="" if level == AUTO else again)
    why = f"granted by {grant.by} at {moment(grant.time)}" + (f": {grant.why}" if grant.why else "")
    return Trust(level=level, why=why, raised_by="" if level == AUTO else again)
