"""Gates about the others of the host's groups: not too many are sick, and enough stay well."""

from __future__ import annotations

from math import floor as rounded_down
from math import inf

from infratest.heal.gates.situation import Situation, is_sick, known, listed
from infratest.model import Result
from infratest.stack.declared import HealRule
from infratest.units import human


def blast_radius(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    host = situation.hosts.get(result.host)
    if host is None:
        return False, f"no group: {result.host} is no host of the stack"
    words = []
    for group in host.groups or ("",):
        passed, reason = _share(rule, group, situation)
        if not passed:
            return False, reason
        words.append(reason)
    return True, "; ".join(words)


def _share(rule: HealRule, group: str, situation: Situation) -> tuple[bool, str]:
    """Judge one group; the empty name is the whole stack, for a host that is in no group."""
    members = sorted(name for name, host in situation.hosts.items() if not group or group in host.groups)
    what = f"group {group}" if group else "the stack"
    fresh = known(members, situation)
    silent = [name for name in members if not fresh[name]]
    if silent:
        age = human(situation.limits.stored_age, "s")
        than = f"younger than {age}" if situation.acted == -inf else "since the rung before"
        return False, f"{what}: no stored result {than} of {listed(silent)}: check the whole group"
    sick = [name for name in members if any(is_sick(stored, rule.when_state) for stored in fresh[name])]
    allowed = max(1, rounded_down(rule.at_most * len(members) + 1e-9))
    words = f"{what}: {len(sick)} of {len(members)} sick ({listed(sick)}), at most {allowed} may be"
    return len(sick) <= allowed, words


def floor(rule: HealRule, result: Result, situation: Situation) -> tuple[bool, str]:
    """Count the hosts of the group that are known to be well; the one that is healed is not among them."""
    if rule.keep is None:
        return True, "no `keep:`"
    least, group = rule.keep
    members = [n for n, host in situation.hosts.items() if group in host.groups and n != result.host]
    seen = known(members, situation)
    well = [n for n in members if seen[n] and not any(is_sick(one, rule.when_state) for one in seen[n])]
    words = f"{len(well)} other hosts of group {group} are known to be well, {least} must stay"
    return len(well) >= least, words
