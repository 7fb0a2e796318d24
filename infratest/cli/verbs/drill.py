"""`infratest drill`: breaks a stack on purpose and sees whether its heal rules mend it; with `--certify` proves it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.heal.certificate import percentile
from infratest.heal.signing import Key
from infratest.model import StepResult
from infratest.plan.tasks import Task
from infratest.project.drill import Outcome, drill, drills, rule_of, settle_between
from infratest.project.execute import SECONDS
from infratest.project.prepare import Prepared
from infratest.project.session import Session
from infratest.states import CRITICAL, EXIT, OK, WARNING, worst
from infratest.units import human

if TYPE_CHECKING:
    from infratest.project.proof import Standing

VERB = Verb(MUST_HOLD, 5, judges=True)


@click.command("drill", cls=VerbCommand, short_help="Break the stack on purpose, and see whether its rules heal it.")
@click.argument("name", metavar="[NAME|RULE]", required=False)
@click.option("--runs", type=click.IntRange(1, 1000), default=1, metavar="N", help="Run each so often (default: 1).")
@click.option("--certify", is_flag=True, help="Sign what was proven, and write it to drills/NAME.json in the project.")
@click.option("--key", metavar="FILE", help="The private key that signs (default: ~/.config/infratest/heal.key).")
@click.option("--yes-production", is_flag=True, help="Yes, break also a stack that is production.")
@with_session()
def command(session: Session, name: str | None, runs: int, certify: bool, key: str | None, yes_production: bool) -> int:
    """Break the stack on purpose, see red, let its rules heal it, and see green again; tell how long each took.

    A drill is a scenario tagged @drill:RULE: a fault after When, then what it must turn red, and what heals it. Without
    a name all of them are run, one after the other. Faults are undone at the end, whatever happens; `infratest reap`
    does it after a crash.

    \b
    @drill:restart-nginx
    Scenario: a killed nginx comes back
      When the process "nginx" is killed on "web-1"
      Then the scenario "nginx-answers" is critical on "web-1" within 30 s
      And the rule "restart-nginx" heals "web-1" by "restart-service" within 60 s
      And the scenario "shop-answers" holds throughout

    Only the drilled rule may act whatever its mode is; every other gate is asked as ever. With --certify the rule is
    proven: `proof: {drill: NAME}` of the rule names it, until the rule, a feature, a provisioner or an image changes,
    or a drill of that name fails.

    Exit status: 0 ok, 1 warning, 2 critical, 3 unknown or wrong use.
    """
    deadline = Deadline(session.timeout or SECONDS["drill"])
    prepared, tasks = drills(session, name, yes_production, deadline)
    signer = _signer(session, key) if certify else None
    states = []
    for task in tasks:
        begun = _standing(session, task) if signer is not None else None
        outcomes = _runs(session, prepared, task, runs, yes_production)
        states += [one.result.state for one in outcomes]
        _figures(task.scenario.slug, outcomes)
        _withdraw(session, task, outcomes)
        if signer is not None and begun is not None:
            _certify(session, task, outcomes, signer, begun)
    return EXIT[worst(states)]


def _runs(session: Session, prepared: Prepared, task: Task, runs: int, yes_production: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for number in range(1, runs + 1):
        if outcomes:
            settle_between(session, outcomes[-1].rule)
            # The hosts may have been made anew, and have other addresses now.
            deadline = Deadline(session.timeout or SECONDS["drill"])
            prepared, tasks = drills(session, task.scenario.slug, yes_production, deadline)
            task = next(one for one in tasks if one.id == task.id)
        outcome = drill(session, prepared, task, Deadline(session.timeout or SECONDS["drill"]))
        outcomes.append(outcome)
        click.echo(f"{task.scenario.slug} {number}/{runs}: {outcome.result.state}: {_times(outcome)}")
        for step in outcome.result.steps:
            if step.state != OK:
                click.echo(f"  {_told(step)}")
        if outcome.result.state != OK:
            break  # what was not mended once is not broken again
    return outcomes


def _told(step: StepResult) -> str:
    return f"[{step.state.upper()}] line {step.line}: {step.text}: {step.reason}"


def _times(outcome: Outcome) -> str:
    red = "never red" if outcome.red is None else f"red after {human(outcome.red, 's')}"
    return f"{red}, " + ("never green" if outcome.green is None else f"green after {human(outcome.green, 's')}")


def _figures(slug: str, outcomes: Sequence[Outcome]) -> None:
    proven = [one for one in outcomes if one.proven]
    words = f"{slug}: {len(proven)} of {len(outcomes)} healed"
    for what, numbers in (("red", [one.red for one in proven]), ("green", [one.green for one in proven])):
        seconds = [one for one in numbers if one is not None]
        if seconds:
            middle, most = (human(percentile(seconds, share), "s") for share in (0.5, 0.95))
            words += f"; {what} after {middle} (p50), {most} (p95)"
    click.echo(words)


def _signer(session: Session, key: str | None) -> Key:
    """Return the key that signs, before anything is broken.

    Raises:
        UserError: there is none, or what would be certified is not what would be drilled.
    """
    from infratest.heal.signing import default_path, load
    from infratest.project.proof import certifiable

    signer = load(Path(key) if key else default_path(), session.stack.folder)
    if session.stack.path == Path():
        raise UserError("--certify: what is proven is of a stack file, and there is none")
    certifiable(session)
    return signer


def _standing(session: Session, task: Task) -> Standing:
    """Return what a certificate would bind, before anything is broken. Raises UserError: some of it cannot be read."""
    from infratest.project.proof import standing

    return standing(session, rule_of(task, session.stack.heal), session.stack.env)


def _withdraw(session: Session, task: Task, outcomes: Sequence[Outcome]) -> None:
    """Take back what an earlier drill has proven, where this one shows the contrary; what was not seen shows none."""
    from infratest.project.proof import withdraw

    if session.stack.path == Path() or not any(one.result.state in (WARNING, CRITICAL) for one in outcomes):
        return
    path = withdraw(session, task.scenario.slug, outcomes[0].rule)
    if path is not None:
        click.echo(f"{task.scenario.slug}: no longer proven: its certificate {path} was removed", err=True)


def _certify(session: Session, task: Task, outcomes: Sequence[Outcome], signer: Key, begun: Standing) -> None:
    from infratest.project.proof import certify

    if not outcomes or not all(one.proven for one in outcomes):
        click.echo(f"{task.scenario.slug}: not certified: not every run was healed", err=True)
        return
    path = certify(session, task.scenario.slug, outcomes, signer, time.time(), begun)
    click.echo(f"{task.scenario.slug}: certified in {path}, signed by {signer.public}")
