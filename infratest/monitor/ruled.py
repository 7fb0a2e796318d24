"""What of all that is watched there is a heal rule for, and how many looks at it count. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infratest.alerting.subject import Subject
from infratest.errors import UserError
from infratest.heal.rules import WAY, WAY_TAG, expression, named
from infratest.stack.declared import OBSERVE, HealRule


@dataclass(frozen=True)
class Ruled:
    """What there is a rule for.

    Args:
        looks: by id, how many of the newest looks its rules go by: 1, or as many as the widest `of` says. acting: ids
        of those of which a rule does more than observe. wrong: rules that cannot be read, and tags that name none, in
        words: what they are about is healed by no rule.
    """

    looks: Mapping[str, int] = field(default_factory=dict)
    acting: Collection[str] = frozenset()
    wrong: tuple[str, ...] = ()


def ruled(rules: Sequence[HealRule], subjects: Iterable[Subject]) -> Ruled:
    """Return for which subjects there is a rule, in whatever state they are: scenarios, and the ways in of hosts.

    How the monitor itself is, its receivers and heartbeats are healed by nobody, whatever a rule's expression says.
    """
    fits: list[tuple[HealRule, Callable[[Sequence[str]], bool]]] = []
    looks, acting, wrong = {}, set[str](), list[str]()
    for rule in rules:
        try:
            fits.append((rule, expression(rule, rule.when_tags)))
        except UserError as error:
            wrong.append(str(error))
    for subject in subjects:
        way = subject.id.startswith(WAY)
        if not way and not subject.looked_at:
            continue
        tags = (*subject.tags, WAY_TAG) if way else subject.tags
        try:
            chosen = named(subject.tags, rules, subject.id.rpartition("@")[0])
        except UserError as error:
            wrong.append(str(error))
            continue
        mine = [rule for rule, fit in fits if rule is chosen or fit(tags)]
        if mine:
            looks[subject.id] = max(max(1, rule.confirm_of) for rule in mine)
            if any(rule.mode != OBSERVE for rule in mine):
                acting.add(subject.id)
    return Ruled(looks, acting, tuple(dict.fromkeys(wrong)))
