"""Gates about what lies outside of the host: whether it is us who see badly, and whether one cause is behind several.

A host that is mended while its whole zone is away, or while nothing can be seen from here, is a host that was well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from infratest.heal.gates.situation import Situation, Stored, is_sick, known, listed
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.units import human

#: So many hosts make a moment: of two, the one often only shows what the other does to it.
MOMENT_OF = 3


def witness(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    return situation.witness


def fence(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    return situation.fence or (True, "the rung that is due makes no other host in its place")


def seen(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    """Refuse while others are yet to be looked at: how they were before says nothing of what turned red with it."""
    if situation.unseen:
        return False, f"others were not looked at since it failed: {listed([*situation.unseen])}"
    return True, "nobody is waited for"


def one_cause(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    """Refuse where more than half of what turned red together shares something, over more than one group."""
    turned = _turned(rule, result, situation)
    if len(turned) < 2:
        return True, "nothing else turned red with it"
    for what, hosts in _shared(turned, situation):
        groups = [set(situation.hosts[name].groups or ("",)) for name in hosts]
        if 2 * len(hosts) > len(turned) and not set.intersection(*groups):
            within = human(situation.limits.together, "s")
            over = ", ".join(sorted(group or "none" for group in set.union(*groups)))
            return False, (
                f"one cause: {len(hosts)} of {len(turned)} hosts that turned red within {within} share {what} "
                f"({listed(sorted(hosts))}), over the groups {over}: it is one problem"
            )
    return True, f"{len(turned)} hosts turned red together, and share nothing over more than one group"


def _turned(rule: HealRule, result: Result, situation: Situation) -> dict[str, list[Stored]]:
    """Return the hosts that are sick and became so when this result did, each with what shows it.

    What this very result blocks is not counted: to heal it is what would help.
    """
    mine = situation.history.get(result.id)
    began = situation.row.since if mine is None or mine.since is None else mine.since
    began = situation.looked if began is None else began
    found: dict[str, list[Stored]] = {}
    for host, every in known(situation.hosts, situation).items():
        for one in every:
            since = began if one is mine else one.time if one.since is None else one.since
            together = abs(since - began) <= situation.limits.together
            if together and is_sick(one, rule.when_state) and one.blocked != result.id:
                found.setdefault(host, []).append(one)
    return found


def _shared(turned: Mapping[str, list[Stored]], situation: Situation) -> Iterator[tuple[str, Collection[str]]]:
    """Yield what several of these hosts share, and which."""
    sharing: dict[str, set[str]] = {}
    for name, every in turned.items():
        blockers = {one.blocked for one in every if isinstance(one.blocked, str) and one.blocked}
        for words in (*(f"blocked by {id}" for id in sorted(blockers)), *_traits(name, situation)):
            sharing.setdefault(words, set()).add(name)
    everyone = [set(_traits(name, situation)) for name in situation.hosts]
    common = set.intersection(*everyone) if everyone else set()  # what all have tells none from another
    yield from ((words, hosts) for words, hosts in sharing.items() if words not in common and len(hosts) > 1)
    together = _at_one_moment(turned, situation.limits.moment)
    if len(together) >= MOMENT_OF:
        yield "a moment", together


def _traits(name: str, situation: Situation) -> list[str]:
    labels = situation.hosts[name].labels
    traits = situation.traits.get(name, {})
    return [*(f"label {key}={labels[key]}" for key in labels), *(f"{key} {traits[key]}" for key in traits)]


def _at_one_moment(turned: Mapping[str, list[Stored]], moment: float) -> list[str]:
    """Return the most hosts that turned red within so many seconds of each other."""
    began = sorted((min(one.time if one.since is None else one.since for one in of), n) for n, of in turned.items())
    best: list[str] = []
    for first, _ in began:
        near = [name for at, name in began if first <= at <= first + moment]
        best = max(best, near, key=len)
    return best
