"""What somebody who is called at night asks of one result: what failed, what changed, what was tried, what is next.

Called by `infratest runbook`. All of it is from what the last runs have stored; no host is asked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError, unknown
from infratest.heal import proposals
from infratest.heal.audit import BEGUN, FILE, PROCESS, Audit
from infratest.heal.contradictions import Case, healers
from infratest.heal.gates import moment
from infratest.heal.ladder import remedies, rung_due, rungs
from infratest.model import is_of
from infratest.project.drifted import last_green
from infratest.project.outlook import changes
from infratest.project.rule_lint import cases
from infratest.project.session import Session
from infratest.project.trusting import in_force
from infratest.stack.declared import HealRule
from infratest.states import OK, SKIPPED, UNKNOWN, WAIVED
from infratest.store import events, failures, history
from infratest.store.history import Last
from infratest.units import human

#: How many lines there are of what changed, and of what was tried: the newest.
MANY = 12
#: States of which there is nothing to do.
WELL = (OK, SKIPPED, WAIVED)


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """All that is stored, read once."""

    last: Mapping[str, Last]
    events: Sequence[Mapping[str, Any]]
    audit: Sequence[Mapping[str, Any]]
    rows: Mapping[str, failures.Row]


def runbooks(session: Session, name: str) -> list[list[str]]:
    """Return the runbook of each result that a name is for, as lines.

    Args:
        name: SCENARIO or SCENARIO@HOST: the scenario's slug, its id, or that with its feature before it.
    Raises:
        UserError: no such result is stored, or a feature cannot be read. StateError: nor can what is stored.
    """
    state, place = session.state, session.stack.place
    if not state.exists:
        look = session.command("check")
        raise UserError(f"runbook {name}: nothing is stored in {state.path} yet; `{look}` looks first")
    told = (*state.read(events.OLD_FILE), *state.read(events.FILE))
    stored = _Stored(
        last=history.last(state, place),
        events=[one for one in told if is_of(one.get("labels", {}), place)],
        audit=[one for one in state.read(FILE) if is_of(one, place)],
        rows=failures.load(state, place),
    )
    chosen = _chosen(stored.last, name)
    known = {case.id: case for case in cases(session.stack)}
    found = []
    for one in chosen:
        case = known.get(one.id)
        may = [] if case is None else _rules(session.stack.heal, case, one.state)
        links = [tag.removeprefix("runbook:") for tag in (case.tags if case else ()) if tag.startswith("runbook:")]
        found.append([*_lines(session, stored, one, may), *(f"  runbook: {link}" for link in links)])
    return found


def _rules(rules: Sequence[HealRule], case: Case, state: str) -> list[HealRule]:
    """Return the rules that may heal a case in this state; of one that is not known, the one for it were it known."""
    if state == UNKNOWN:
        wanted = dict.fromkeys(rule.when_state for rule in rules)
        return [rule for each in wanted for rule in healers(rules, each, case)][:1]
    return healers(rules, state, case)


def _rule(may: Sequence[HealRule], decided: Sequence[Mapping[str, Any]]) -> HealRule | None:
    """Return which of the rules that may heal a result does; None where none does, or nobody knows yet.

    Args:
        decided: about it in this problem, by the heal audit: the last says by which rule, or at least for which reason.
    """
    if not decided:
        return may[0] if may and not may[0].when_reason else None
    last, before = decided[-1], decided[-1]["before"]
    reasons = [str(one.get("reason")) for one in (before, *before.get("steps", ()))]
    by_name = (rule for rule in may if rule.name == last.get("rule"))
    by_reason = (rule for rule in may if any(rule.when_reason in reason for reason in reasons))
    return next(by_name, None) or next(by_reason, None)


def _chosen(last: Mapping[str, Last], name: str) -> list[Last]:
    """Return the stored results that a name is for, those that are not well where there are such."""
    slug, at, host = name.partition("@")
    found = [one for one in last.values() if (not at or one.host == host) and slug in _names(one.id)]
    if not found:
        names = dict.fromkeys(id.partition("#")[2] for id in last if "#" in id)
        raise UserError(f"runbook: {unknown('result', name, list(names))}")
    return [one for one in found if one.state not in WELL] or found


def _names(id: str) -> tuple[str, ...]:
    scenario = id.rpartition("@")[0]
    slug = scenario.partition("#")[2] or scenario
    return scenario, slug, slug.partition("/")[0]


def _lines(session: Session, stored: _Stored, one: Last, may: Sequence[HealRule]) -> Iterator[str]:
    now = time.time()
    lasts = f"since {moment(one.since)}, for {human(max(0.0, round(now - one.since)), 's')}"
    yield f"{one.id}: {'blocked' if one.blocked else one.state} {lasts}; looked at {moment(one.time)}"
    if one.state in WELL:
        return
    mine = [record for record in stored.audit if record.get("id") == one.id and "before" in record]
    yield from _failed(session, mine)
    row = stored.rows.get(one.id)
    began = min(one.since, one.since if row is None or row.since is None else row.since)
    decided = [record for record in mine if float(record["time"]) >= began]
    # Of what is unknown no reason tells what is wrong, nor which rule it would be for.
    rule = may[0] if may and one.state == UNKNOWN else _rule(may, decided)
    green = last_green(session, one.id)
    title = f"changed since it was green, at {moment(green)}" if green else "changed since it is so"
    yield from _under(title, _changed(session, stored, one, rule, green or one.since))
    yield from _under("tried so far", _tried(stored.audit, one.id, began))
    if rule is None and may and not decided:
        names = " or ".join(each.name for each in may)
        ask = session.command("check", "--heal", "--dry-run")
        yield f"  next: by its reason, which is not stored, it is for the rule {names}, or for none; {ask} tells"
        return
    yield from _next(session, stored, one, rule, mine, began)


def _under(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    yield f"  {title}:" + ("" if found else " nothing is on record")
    yield from (f"    {line}" for line in found[-MANY:])


def _failed(session: Session, mine: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what failed and show the evidence, as the heal audit has kept it last."""
    before = next((one["before"] for one in reversed(mine) if one["before"].get("reason")), None)
    if before is None:
        ask = session.command("check", "--heal")
        yield f"  what failed: only its state is stored; `{ask}` with a rule for it keeps the evidence"
        return
    yield f"  what failed: {clean(before['reason'], 500)}"
    steps = next((one["before"]["steps"] for one in reversed(mine) if one["before"].get("steps")), ())
    for step in steps:
        yield f"    {clean(str(step.get('text')), 300)}"
        for seen in step.get("evidence", ()):
            status = "" if seen.get("exit") is None else f": exit {seen['exit']}"
            yield f"      {clean(str(seen.get('command')), 300)}{status}"
            for line in str(seen.get("output") or "").splitlines()[:MANY]:
                yield f"        {clean(line, 300)}"


def _changed(session: Session, stored: _Stored, one: Last, rule: HealRule | None, green: float) -> Iterator[str]:
    """Say what was done to the host since, what else turned red since, and what people are changing."""
    found = []
    for event in stored.events:
        labels, at = event.get("labels", {}), float(event["time"])
        if at >= green and labels.get("kind") == events.LIFECYCLE and labels.get("host") in (one.host, "-"):
            found.append((at, f"{labels.get('verb')} of {labels.get('host')}: {labels.get('outcome')}"))
    for other in stored.last.values():
        if other.id != one.id and other.since >= green and other.state not in WELL:
            found.append((other.since, f"{other.id} is {'blocked' if other.blocked else other.state} since"))
    yield from (f"{moment(at)}  {words}" for at, words in sorted(found))
    if rule is not None:
        yield from changes(session)(rule, _result(one)).locks


def _result(one: Last) -> Any:
    from infratest.model import Result

    return Result(one.id, "", "", 0, one.host, one.state)


def _tried(audit: Sequence[Mapping[str, Any]], id: str, began: float) -> Iterator[str]:
    """Say of each try in this problem how it ended, or that no end is on record."""
    ends = {one["try"]: one for one in audit if one.get("event") not in (BEGUN, PROCESS) and "try" in one}
    for one in audit:
        if one.get("event") != BEGUN or one.get("id") != id or float(one["time"]) < began:
            continue
        end = ends.get(one["try"])
        said = "no end is on record" if end is None else "helped" if end.get("verified") else "did not help"
        said = "was done, and nobody has looked yet" if end is not None and end.get("verifying") else said
        more = f": {clean(end['error'], 300)}" if end is not None and end.get("error") else ""
        yield f"{moment(float(one['time']))}  rung {one['rung'] + 1}, {one['remedy']}: {said}{more}"


def _next(
    session: Session, stored: _Stored, one: Last, rule: HealRule | None, mine: Sequence[Mapping[str, Any]], began: float
) -> Iterator[str]:
    """Say which rung is next, what holds it up, and the command that lets it act."""
    if rule is None:
        yield "  next: a person; no heal rule is for it"
        return
    tries = Audit(session.state, session.stack.place, time.time(), looking=True).tries
    rung = rung_due(rule, one.host, tries, began)
    yield f"  next: rung {rung + 1} of {len(rungs(rule))}: {remedies(rule)[rung].describe()} on {one.host}"
    yield f"  rule {in_force(session, rule)}"
    for gate in mine[-1]["gates"] if mine else ():
        if not gate.get("passed"):
            at = moment(float(mine[-1]["time"]))
            yield f"  held up, at {at}, by {gate.get('name')}: {clean(gate['reason'], 500)}"
    waits = [
        each
        for each in proposals.every(session.state, session.stack.place)
        if each.says.get("result") == one.id and each.waits(time.time())
    ]
    if waits:
        yield f"  to let it act: {session.command('heal', 'approve', waits[0].id)}"
    else:
        ask = session.command("check", "--heal")
        yield f"  to let it act: nothing waits for approval; {ask} asks all gates again"
