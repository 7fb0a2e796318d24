"""A rule of `heal:` as a stack file writes it, as a value. Called by `file`, once the schema has taken it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infratest.errors import UserError
from infratest.stack import environments, named, problems
from infratest.stack.declared import LIMITS, LONGEST, HealRule, Proof
from infratest.stack.document import Document, KeyPath, read
from infratest.stack.freeze import Freeze, holds
from infratest.units import duration, quantity

#: Seconds in which the acts on a group are counted, where a rule does not say.
DAY = 86400.0


def heal_rule(document: Document, name: str, faults: problems.Faults) -> HealRule:
    """Return a rule of `heal:` by its name; what is wrong with it is among the faults."""
    rule = {**document.data["heal"].get(named.DEFAULTS, {}), **document.data["heal"][name]}
    key = ("heal", name)
    when, budget = rule.get("when", {}), rule.get("budget", {})
    fields: dict[str, Any] = {}
    for field, held, at in (
        ("when_tags", when, "tags"),
        ("when_state", when, "state"),
        ("when_reason", when, "reason"),
        ("tries", budget, "tries"),
        ("mode", rule, "mode"),
        ("approvals", rule.get("earn", {}), "approvals"),
        ("approvers", rule, "approvers"),
        ("together", rule, "together"),
    ):
        if at in held:
            fields[field] = held[at] if isinstance(getattr(HealRule, field), str) else int(held[at])
    if "confirm" in rule:
        fields |= _confirm((*key, "confirm"), rule["confirm"], faults)
    if "calm" in rule.get("earn", {}):
        with faults.caught():
            fields["calm"] = duration(rule["earn"]["calm"], document.at((*key, "earn", "calm")))
            if not 0 < fields["calm"] <= LONGEST:
                faults.add((*key, "earn", "calm"), LIMITS)
    if "keep" in rule:
        fields["keep"] = (int(rule["keep"]["hosts"]), rule["keep"]["of"])
    if "freeze" in rule:
        own = "freeze" in document.data["heal"][name]
        place = ("heal", name if own else named.DEFAULTS, "freeze")
        fields["freeze"] = tuple(_freezes(document, place, rule["freeze"], faults))
    fields["collect"] = tuple(rule.get("collect", ()))
    fields["neighbours"] = rule.get("neighbours", "")
    if "proof" in rule:
        fields["proof"] = _proof(document, key, rule["proof"], faults)
    fields |= _bounds(document, key, rule, faults)
    do, settles = _rungs(document, (*key, "do"), rule["do"], faults)
    return HealRule(name=name, do=do, settles=settles, where=document.where(key), **fields)


def _bounds(document: Document, key: KeyPath, rule: Mapping[str, Any], faults: problems.Faults) -> dict[str, Any]:
    """Return in how much time the tries are counted, and how much of a group may be sick, where a rule says so."""
    fields: dict[str, Any] = {}
    if "per" in rule.get("budget", {}):
        with faults.caught():
            fields["per"] = duration(rule["budget"]["per"], document.at((*key, "budget", "per")))
            if not 0 < fields["per"] <= LONGEST:
                faults.add((*key, "budget", "per"), LIMITS)
    if "group" in rule.get("budget", {}):
        seconds = DAY
        if "group-per" in rule["budget"]:
            with faults.caught():
                seconds = duration(rule["budget"]["group-per"], document.at((*key, "budget", "group-per")))
                if not 0 < seconds <= LONGEST:
                    faults.add((*key, "budget", "group-per"), LIMITS)
        fields["group"] = (int(rule["budget"]["group"]), seconds)
    elif "group-per" in rule.get("budget", {}):
        faults.add(
            (*key, "budget", "group-per"), "says in how much time `group` acts may be; name how many, as group: 6"
        )
    if "at-most" in rule:
        fields["at_most"] = quantity(rule["at-most"], "percent") / 100
        if fields["at_most"] > 1:
            faults.add((*key, "at-most"), f"{rule['at-most']!r} is more than 100%")
    return fields


def _rungs(
    document: Document, key: KeyPath, said: Sequence[Mapping[str, Any]], faults: problems.Faults
) -> tuple[tuple[tuple[str, Any], ...], tuple[float | None, ...]]:
    """Return the ladder, and how long each rung has to take effect, where one says so."""
    rungs: list[tuple[str, Any]] = []
    settles: list[float | None] = []
    for number, entry in enumerate(said):
        ((remedy, argument),) = entry.items()
        settle = None
        if isinstance(argument, Mapping) and named.SETTLE in argument:
            with faults.caught():
                settle = duration(argument[named.SETTLE], document.at((*key, number, remedy, named.SETTLE)))
            argument = {name: each for name, each in argument.items() if name != named.SETTLE}
        rungs.append((remedy, argument))
        settles.append(settle)
    return tuple(rungs), tuple(settles) if any(each is not None for each in settles) else ()


def _confirm(key: KeyPath, said: Any, faults: problems.Faults) -> dict[str, int]:
    """Return how many failures confirm, in a row or of how many looks."""
    if not isinstance(said, Mapping):
        return {"confirm": int(said)}
    failures, of = int(said["failures"]), int(said["of"])
    if failures > of:
        faults.add(key, f"{failures} failures of {of} looks cannot be; write as {{failures: 2, of: 3}}")
    return {"confirm": failures, "confirm_of": 0 if failures == of else of}


def _freezes(document: Document, key: KeyPath, said: Sequence[Any], faults: problems.Faults) -> Iterator[Freeze]:
    for number, one in enumerate(said):
        at, seconds = (*key, number), 0.0
        if isinstance(one, str):
            try:
                holds(one, 0.0)
            except UserError as error:
                faults.add(at, str(error))
            yield Freeze(window=one)
            continue
        if "provisioned" in one:
            with faults.caught():
                seconds = duration(one["provisioned"], document.at((*at, "provisioned")))
                if not 0 < seconds <= LONGEST:
                    faults.add((*at, "provisioned"), LIMITS)
        yield Freeze(file=one.get("file", ""), provisioned=seconds, drift="drift" in one)


def _proof(document: Document, key: tuple[str, ...], said: Mapping[str, Any], faults: problems.Faults) -> Proof:
    at = (*key, "proof")
    fields: dict[str, Any] = {"drill": said["drill"], "env": said.get("from", "")}
    if fields["env"] and fields["env"] not in environments.names(read(document.path)):
        faults.add((*at, "from"), f"{fields['env']!r} is no environment of this file")
    for field, held, name in (("valid", said, "valid"), ("green_at_most", said.get("figures", {}), "green-at-most")):
        if name in held:
            with faults.caught():
                fields[field] = duration(held[name], document.at(at))
    return Proof(**fields)
