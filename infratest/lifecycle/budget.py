"""What a stack may cost and how long it may stand: looked at before `up` makes anything, and kept by the lease.

The time counts from when the first host of the stack was asked for. The journal holds that moment until nothing of the
stack is left, so that neither a kill nor a second `up` begins it anew; a host that is made anew does not either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.lifecycle import timer
from infratest.lifecycle.cost import Bill, bill, money
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.removal import HOST
from infratest.providers.base import HostSpec
from infratest.stack.declared import GUEST, LONGEST, Budget, StackFile
from infratest.store.records import live
from infratest.store.terms import Term
from infratest.units import counted, human

#: Seconds that money must last for at the least: clouds charge no shorter time.
LEAST = 60.0
#: Who ends a stack that nobody ends.
NOBODY = "nobody: `infratest reap --expired` removes it then, `infratest reap --install-timer` has systemd do so"
THEMSELVES = "the hosts themselves: each powers itself off, `infratest reap --expired` removes it"
NOBODY_MAY = "nobody: a production stack is removed by `infratest destroy --yes-production` alone"
HOUR = 3600.0


def begin(life: Lifecycle, specs: Sequence[HostSpec], deadline: Deadline) -> None:
    """Have the journal say until when the stack may stand, and its lease end no later; called before hosts are made.

    Args:
        specs: the hosts that are brought up; those that are there already count as well.
    Raises:
        UserError: the budget does not suffice, is over, or what it would have to limit is not known.
    """
    before, term = life.term(), foreseen(life, specs, deadline)
    if term is not None and term != before:
        life.journal.budget(life.stack.name, life.stack.env, term)
        life.journal.lease(life.stack.name, life.stack.env, life.lease().expires)


def foreseen(life: Lifecycle, specs: Sequence[HostSpec], deadline: Deadline) -> Term | None:
    """Return until when the stack may stand once these hosts are made; None where it has and had no budget.

    Raises:
        UserError: as of `begin`.
    """
    budget, before, now = life.stack.budget, life.term(), life.clock.time()
    if budget is None:
        return Term(since=before.since, ends=None) if before else None
    if life.provider.declared:
        words = f"provider {life.stack.provider} makes no hosts, so that there is nothing to limit"
        raise UserError(f"{budget.where}: budget: {words}")
    if budget.enforce == GUEST and not life.provider.seeded:
        words = f"provider {life.stack.provider} cannot have its hosts power themselves off"
        raise UserError(f"{budget.where}: budget.enforce: {words}; leave it out, and have a timer end them")
    held = [one for one in live(life.journal.records()).values() if one.kind == HOST]
    ours = [one for one in held if (one.stack, one.env) == (life.stack.name, life.stack.env)]
    since = before.since if before else min((one.since for one in ours), default=round(now, 3))
    names = {spec.name for spec in specs} | {one.name for one in ours}
    seconds = _seconds(life, budget, names, deadline)
    term = Term(since=since, ends=None if seconds == math.inf else since + seconds)
    if term.ends is not None and term.ends <= now:
        raise UserError(f"{budget.where}: budget: {over(term.ends, now, life.command('destroy'))}, or raise the budget")
    return term


def over(ends: float, now: float, destroy: str) -> str:
    """Return in words that a budget is over, and what to do.

    Args:
        destroy: the command line that destroys this stack.
    """
    return f"ended {human(now - ends, 's')} ago ({moment(ends)}): nothing is renewed, `{destroy}` removes all"


def ender(stack: StackFile, state: str) -> str:
    """Return in words who ends a stack when its budget is over.

    Args:
        state: the state directory's id.
    """
    if stack.production:
        return NOBODY_MAY
    found = [THEMSELVES] if stack.budget and stack.budget.enforce == GUEST else []
    running = timer.running(stack, state)
    if running:
        found.append(f"the systemd timer {running.unit}, which runs `infratest reap --expired`")
    return ", and ".join(found) or NOBODY


def told(ends: float, now: float, stack: StackFile, state: str, destroy: str) -> str:
    """Return in words when a budget ends, and who ends the stack then.

    Args:
        state: the state directory's id. destroy: the command line that destroys this stack.
    """
    if ends <= now:
        return f"budget {over(ends, now, destroy)}"
    return f"budget ends {moment(ends)} (in {human(ends - now, 's')}), ended by {ender(stack, state)}"


def moment(seconds: float) -> str:
    """Write a moment for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _seconds(life: Lifecycle, budget: Budget, names: set[str], deadline: Deadline) -> float:
    """Return how long these hosts may stand, for ever where they cost nothing. Raises UserError."""
    if not budget.cost:
        return budget.time
    specs = [spec for spec in life.stack.hosts if spec.name in names]
    priced = bill(life.provider, specs, deadline)
    hourly = _hourly(life, budget, priced)
    lasts, seconds = budget.cost / hourly * HOUR if hourly else math.inf, budget.time or LEAST
    if lasts < seconds - 1:  # what suffices exactly, in decimal numbers, is a little more or less in binary ones
        needed = money(hourly * seconds / HOUR, budget.currency)
        hosts, each = counted(len(specs), "host"), money(hourly, budget.currency)
        raise UserError(
            f"{budget.where}: budget: {hosts} cost {each} an hour ({priced.prices if priced else ''}), and "
            f"{human(seconds, 's')} of that {needed}: {money(budget.cost, budget.currency)} last for "
            f"{human(lasts, 's')}; take fewer hosts or smaller sizes, less `time:`, or raise `cost:`"
        )
    return budget.time or (min(lasts, LONGEST) if hourly else lasts)


def _hourly(life: Lifecycle, budget: Budget, priced: Bill | None) -> float:
    """Return what an hour costs, in the budget's currency. Raises UserError: it is not known."""
    either = "leave out `cost:` and limit the `time:` alone"
    if priced is None or not priced.prices:
        words = f"what hosts of provider {life.stack.provider} cost is not known"
        raise UserError(f"{budget.where}: budget.cost: {words}; {either}")
    problems = [one.problem for one in priced.choices if one.problem]
    if problems:
        raise UserError("; ".join(problems))
    if priced.unpriced:
        words = f"what {', '.join(priced.unpriced)} cost is not known ({priced.prices})"
        raise UserError(f"{budget.where}: budget.cost: {words}; name a `size:` that has a price, or {either}")
    others = [currency for currency in priced.hourly if currency != budget.currency]
    if others:
        words = f"the prices that are known are in {', '.join(others)}, not in {budget.currency}"
        raise UserError(f"{budget.where}: budget.cost: {words}; write the amount in {others[0]}")
    return priced.hourly.get(budget.currency, 0.0)
