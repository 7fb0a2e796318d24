"""What is wrong with heal rules taken together: rungs that nobody reaches, what forbids itself, rules that fight. Pure.

Asked by `infratest heal lint`. Each rule may be right for itself; what is looked at is what can be told without a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from infratest.errors import unknown
from infratest.heal.ladder import rungs
from infratest.heal.rules import matches, named
from infratest.hosts import Host
from infratest.stack.declared import HealRule
from infratest.units import counted, human

#: What brings something about, and what does away with it, in commands that people write.
_BRINGS, _TAKES = ("start", "restart", "reload", "enable", "unmask", "touch"), ("stop", "kill", "disable", "mask", "rm")
_COMMANDS = (
    re.compile(r"\bsystemctl\s+(?:--?\S+\s+)*(?P<verb>[a-z]+)\s+(?:--?\S+\s+)*(?P<what>[\w@.:/-]+)"),
    re.compile(r"\bservice\s+(?P<what>[\w@.-]+)\s+(?P<verb>[a-z]+)"),
    re.compile(r"\b(?P<verb>touch|rm)\s+(?:-\S+\s+)*(?P<what>/?[\w@.:/-]+)"),
)
_OF_SERVICE = ("restart-service", "reload-service")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One scenario on one host, as it could turn red.

    Args:
        where: its file and line. id: of its result. tags: without their `@`. claims: what it says that holds, by
        anything that is equal for equal claims, and whether it says it with *not*.
    """

    where: str
    name: str
    host: str
    tags: tuple[str, ...]
    claims: tuple[tuple[Any, bool], ...] = ()
    id: str = ""


def contradictions(rules: Sequence[HealRule], hosts: Mapping[str, Host], cases: Sequence[Case]) -> list[str]:
    """Return what is wrong, a message each, in the order of the rules.

    Args:
        hosts: of the stack, by name. cases: all that there can be.
    Raises:
        UserError: a tag expression cannot be read, or a `@heal:` tag names no rule.
    """
    healed = {rule.name: [case for case in cases if rule in healers(rules, rule.when_state, case)] for rule in rules}
    found = [words for rule in rules for words in _alone(rule, rules, hosts, cases, healed[rule.name])]
    for one, other in combinations(rules, 2):
        found += _fights(one, other, healed)
    for rule in rules:
        found += _denies(rule, rule, healed[rule.name], healed[rule.name])
    return list(dict.fromkeys(found))


def _alone(
    rule: HealRule, rules: Sequence[HealRule], hosts: Mapping[str, Host], cases: Sequence[Case], mine: Sequence[Case]
) -> Iterator[str]:
    at = f"{rule.where or 'heal'}: rule {rule.name}"
    fits = [case for case in cases if _fits(rule, case)]
    if fits and not mine:
        before = dict.fromkeys(one.name for case in fits for one in _before(rule, rules, case))
        yield (
            f"{at}: do: no rung is ever reached: all {counted(len(fits), 'result')} that it is for are healed by "
            f"{' and '.join(before)}, before it; put it first, or narrow the `when` there"
        )
    ladder = rungs(rule)
    for number, (remedy, _) in enumerate(ladder):
        if number >= rule.tries:
            yield (
                f"{at}: do[{number}]: {remedy} is not reached within {human(rule.per, 's')}: the budget is used up "
                f"after {rule.tries} {'try' if rule.tries == 1 else 'tries'}; allow {len(ladder)}, or shorten the "
                "ladder"
            )
    settle = rule.settle(len(ladder) - 1, 0.0) if ladder else 0.0
    if rule.tries and rule.tries * settle >= rule.per:
        yield (
            f"{at}: budget: is never used up: do[{len(ladder) - 1}] has {human(settle, 's')} to take effect, and "
            f"{rule.tries} times that is no less than {human(rule.per, 's')}; take a `per` of more than "
            f"{human(rule.tries * settle, 's')}, or fewer tries"
        )
    if rule.keep is not None:
        yield from _kept(at, rule.keep, hosts, [case.host for case in mine] or list(hosts))


def _kept(at: str, keep: tuple[int, str], hosts: Mapping[str, Host], concerned: Sequence[str]) -> Iterator[str]:
    least, group = keep
    members = [name for name, host in hosts.items() if group in host.groups]
    if not members:
        groups = dict.fromkeys(one for host in hosts.values() for one in host.groups)
        yield f"{at}: keep.of: every rung is forbidden: {unknown('group', group, list(groups))}"
        return
    most = max((len([name for name in members if name != host]) for host in concerned), default=len(members))
    if least > most:
        yield (
            f"{at}: keep.hosts: every rung is forbidden: {least} others of group {group} must stay well, and there are "
            f"{most}"
        )


def _fights(one: HealRule, other: HealRule, healed: Mapping[str, Sequence[Case]]) -> Iterator[str]:
    """Say where two rules undo each other: by what they do, or by what they are to bring about."""
    mine, theirs = healed[one.name], healed[other.name]
    if {case.host for case in mine} & {case.host for case in theirs}:
        for number, what, brings in _deeds(one):
            for against, same, also in _deeds(other):
                if same == what and also != brings:
                    yield (
                        f"{other.where or 'heal'}: rule {other.name}: do[{against}]: undoes do[{number}] of rule "
                        f"{one.name}: {what} is {_word(also)} here and {_word(brings)} there; let one rule have both"
                    )
    yield from _denies(one, other, mine, theirs)


def _denies(one: HealRule, other: HealRule, mine: Sequence[Case], theirs: Sequence[Case]) -> Iterator[str]:
    """Say where what one rule is to bring about is what the other one heals."""
    for number, case in enumerate(mine):
        said = dict(case.claims)
        for against in theirs[number + 1 :] if one is other else theirs:
            if against.host == case.host and any(said.get(claim, no) is not no for claim, no in against.claims):
                yield (
                    f"{other.where or 'heal'}: rule {other.name}: when: heals {against.name!r} ({against.where}), "
                    f"which denies {case.name!r} ({case.where}) of rule {one.name}: each heal turns the other red"
                )


def _word(brings: bool) -> str:
    return "started or made" if brings else "stopped or removed"


def _deeds(rule: HealRule) -> Iterator[tuple[int, str, bool]]:
    """Yield what each rung is known to do: the rung, to what, and whether it brings it about."""
    for number, (remedy, argument) in enumerate(rule.do):
        texts = [argument] if isinstance(argument, str) else list(_texts(argument))
        if remedy in _OF_SERVICE:
            unit = argument.get("unit") if isinstance(argument, Mapping) else argument
            yield number, str(unit).removesuffix(".service"), True
            continue
        for match in (match for text in texts for command in _COMMANDS for match in command.finditer(text)):
            if match["verb"] in _BRINGS or match["verb"] in _TAKES:
                yield number, match["what"].removesuffix(".service"), match["verb"] in _BRINGS


def _texts(argument: Any) -> Iterator[str]:
    values = argument.values() if isinstance(argument, Mapping) else argument if isinstance(argument, list) else ()
    yield from (value for value in values if isinstance(value, str))


def _fits(rule: HealRule, case: Case) -> bool:
    return f"heal:{rule.name}" in case.tags or matches(rule, case.tags)


def healers(rules: Sequence[HealRule], state: str, case: Case) -> list[HealRule]:
    """Return the rules that may heal a case in a state, as `rules.rule_for` has it of a result: the reason chooses.

    The reason is not known before there is a result, so that all are among them but those that another one forestalls.
    """
    chosen = named(case.tags, rules, case.where)
    candidates = rules if chosen is None else (chosen,)
    fitting = [rule for rule in candidates if rule.when_state == state and _fits(rule, case)]
    return [rule for rule in fitting if not _before(rule, rules, case)]


def _before(rule: HealRule, rules: Sequence[HealRule], case: Case) -> list[HealRule]:
    """Return which rule is sure to take a case from another one, whatever its reason is; none where that may heal it.

    A reason that holds the text of one rule holds each part of that text, too: what the earlier rule asks for.
    """
    chosen = named(case.tags, rules, case.where)
    if chosen is not None:
        return [] if chosen is rule else [chosen]
    earlier = rules[: rules.index(rule)]
    taking = (one for one in earlier if one.when_state == rule.when_state and _fits(one, case))
    return [one for one in taking if one.when_reason in rule.when_reason][:1]
