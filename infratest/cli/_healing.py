"""The words of `infratest heal`: list, show, approve, deny, trust, undo, backtest, lint. Called by that verb."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.heal import proposals, signing
from infratest.heal.people import who
from infratest.heal.proposals import Approval, Proposal
from infratest.project import trusting
from infratest.project.session import Session
from infratest.stack.declared import HealRule
from infratest.stack.parameters import ALL
from infratest.units import counted, human

LIST, SHOW, APPROVE, DENY, TRUST, LINT, UNDO = "list", "show", "approve", "deny", "trust", "lint", "undo"
BACKTEST = "backtest"


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What stands behind the word: an id or a rule, and the options."""

    name: str | None
    comment: str
    key: str | None
    grant: str | None
    new_key: bool
    accept: bool
    since: str | None
    rule: str | None
    format: str | None


def _list(session: Session, said: Wording) -> int:
    """Show what waits, and what was answered, the newest first."""
    now = time.time()
    found = proposals.every(session.state, session.stack.place) if session.state.exists else []
    for one in found:
        click.echo(f"{one.id}  {_state(one, now)}  {_what(one)}")
    if not found:
        click.echo("nothing was proposed")
    return 0


def _show(session: Session, said: Wording) -> int:
    one = proposals.named(session.state, session.stack.place, _wanted(said, SHOW))
    click.echo(f"proposal {one.id}: {_state(one, time.time())}")
    click.echo(f"  what: {_what(one)}")
    for name in ("result", "state", "reason", "act", "try", "approvers"):
        click.echo(f"  {name}: {clean(str(one.reason if name == 'reason' else one.says.get(name)), 500)}")
    click.echo(f"  undo: {_undo_of(session, one)}")
    for approval in one.approvals:
        click.echo(
            f"  approved by {_by(session, approval)} at {_moment(approval.time)}: {clean(approval.comment, 500)}"
        )
    for gate in one.gates:
        click.echo(f"  [{'passes' if gate.get('passed') else 'closed'}] {gate.get('name')}: {gate.get('reason')}")
    click.echo(f"  digest: {one.digest}")
    return 0


def _approve(session: Session, said: Wording) -> int:
    id, keys = _wanted(said, APPROVE), session.stack.trusted_keys
    key = signing.load(Path(said.key), session.stack.folder) if said.key else None
    if key is not None and key.public not in keys.values():
        raise UserError(f"the key {key.public} is none of the stack's `heal: trusted-keys:`")
    rule = _rule(session, proposals.named(session.state, session.stack.place, id))
    approval = Approval(by=who(), time=time.time(), comment=clean(said.comment, 500))
    needed = max(1, rule.approvers)
    one, people = proposals.approve(
        session.state, session.stack.place, id, approval, key, needed, frozenset(keys.values())
    )
    if len(people) < needed:
        click.echo(f"approved by {' and '.join(people)}: {len(people)} of {needed} people; {_what(one)} waits")
    else:
        limit = human(proposals.EXPIRY, "s")
        click.echo(f"approved by {' and '.join(people)}: the next check that heals does {_what(one)}, within {limit}")
    return 0


def _deny(session: Session, said: Wording) -> int:
    id = _wanted(said, DENY)
    if not said.comment:
        raise click.UsageError("heal deny: say why, as --comment 'it is being rebuilt'")
    one = proposals.named(session.state, session.stack.place, id)
    if one.waits(time.time()):
        # First: where it cannot be written down, there is no denial on record that cost nothing.
        trusting.lose(
            session, _rule(session, one), f"proposal {one.id} was denied by {who()}: {clean(said.comment, 500)}"
        )
    one = proposals.deny(session.state, session.stack.place, id, who(), said.comment, time.time())
    click.echo(f"{one.answer}; it rests until {one.says.get('result')} is well again")
    return 0


def _trust(session: Session, said: Wording) -> int:
    if said.new_key:
        path = Path(said.key) if said.key else signing.default_path()
        if path.resolve().is_relative_to(session.stack.folder.resolve()):
            raise UserError(
                f"key {path}: the project {session.stack.folder} is no place for it; name another with --key"
            )
        click.echo(f"{signing.make(path).public}")
        click.echo(f"the private key is in {path}; name the public one in `heal: trusted-keys:`", err=True)
        return 0
    if said.accept:
        trusting.accept(session)
        click.echo("the ledger counts as it stands")
    if said.grant is not None:
        rule = trusting.rule_named(session, _wanted(said, TRUST, "a rule"))
        key = signing.load(Path(said.key) if said.key else signing.default_path(), session.stack.folder)
        trusting.grant(session, rule, said.grant, clean(said.comment, 500), key)
    rules = session.stack.heal if said.name is None else (trusting.rule_named(session, said.name),)
    for rule in rules:
        click.echo(trusting.in_force(session, rule))
    return 0


def _lint(session: Session, said: Wording) -> int:
    """Tell what is wrong with the rules, with each other and with the stack; asks no host."""
    from infratest.project.rule_lint import lint_rules

    if said.name is not None:
        raise click.UsageError(f"heal lint: takes no {said.name!r}: it looks at all rules, with each other")
    session.made_up = ALL
    number, problems = lint_rules(session)
    for words in problems:
        click.echo(words)
    found = counted(len(problems), "mistake") if problems else "no mistakes found"
    click.echo(f"{counted(number, 'rule')}: {found}", err=True)
    return 1 if problems else 0


def _undo(session: Session, said: Wording) -> int:
    """Undo a heal; without an id show those on record, the newest first."""
    from infratest.project.undoing import tries, undo_heal

    if said.name is not None:
        by = f"{who()}: {clean(said.comment, 500)}" if said.comment else who()
        click.echo(f"undone: {undo_heal(session, said.name, by)}")
        return 0
    found = list(tries(session)) if session.state.exists else []
    for one in found:
        click.echo(f"{one.id}  {_moment(one.time)}  {clean(f'{one.remedy} for {one.result}', 300)}: undo {one.undo}")
    if not found:
        click.echo("nothing was healed")
    return 0


def _backtest(session: Session, said: Wording) -> int:
    """Say what the rules would have done of what failed in a time that is over."""
    from infratest.cli._heal_backtest import backtest

    if said.name is not None:
        raise click.UsageError(f"heal backtest: takes no {said.name!r}; one rule alone is --rule NAME")
    session.made_up = ALL
    return backtest(session, said.since, said.rule, said.format or "text")


#: Each word, and what it does.
WORDS: dict[str, Callable[[Session, Wording], int]] = {
    LIST: _list, SHOW: _show, APPROVE: _approve, DENY: _deny, TRUST: _trust, LINT: _lint, UNDO: _undo,
    BACKTEST: _backtest,
}  # fmt: skip


#: The options that each word reads; one that it does not would be passed over.
READS = {
    APPROVE: ("comment", "key"),
    DENY: ("comment",),
    UNDO: ("comment",),
    TRUST: ("comment", "key", "grant", "new_key", "accept"),
    BACKTEST: ("since", "rule", "format"),
}


def refuse_idle(word: str, what: str, options: Mapping[str, Any]) -> None:
    """Refuse an option that this word does not read; without a word (a report, pause) none is. Raises UsageError."""
    for name, value in options.items():
        if value and name not in READS.get(word, ()):
            words = ", ".join(one for one, read in READS.items() if name in read)
            raise click.UsageError(f"heal {what}: --{name.replace('_', '-')} is for heal {words}; leave it out")


def _wanted(said: Wording, word: str, what: str = "the id of a proposal, which `infratest heal list` shows") -> str:
    if said.name is None:
        raise click.UsageError(f"heal {word}: name {what}")
    return said.name


def _rule(session: Session, one: Proposal) -> HealRule:
    return trusting.rule_named(session, str(one.says.get("rule")))


def _undo_of(session: Session, one: Proposal) -> str:
    """Return what undoing a proposed act would be, by the rule as it is now."""
    from infratest.heal.ladder import remedies
    from infratest.heal.undoing import undo_words

    made = [each for each in remedies(_rule(session, one)) if each.describe() == one.says.get("remedy")]
    return undo_words(made[0]) if made else "the rule has changed since"


def _what(one: Proposal) -> str:
    says = one.says
    return clean(f"{says.get('remedy')} on {says.get('host')} (rule {says.get('rule')}: {one.reason})", 300)


def _state(one: Proposal, now: float) -> str:
    if one.state != proposals.WAITING:
        return f"{one.state}{' ' + one.answer if one.answer else ''}"
    if not one.waits(now):
        return "expired"
    return f"{'approved' if one.approvals else 'waiting'}, {human(one.expires - now, 's')} left"


def _by(session: Session, approval: Approval) -> str:
    name = next((name for name, key in session.stack.trusted_keys.items() if key == approval.key), "")
    return approval.by + (f" with the key of {name}" if name else "")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
