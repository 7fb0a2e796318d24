"""`infratest plan`: shows what a run would ask, of whom, by which commands. Touches no host."""

from __future__ import annotations

import json
from typing import Any

import click

from infratest.check import CONTROLLER
from infratest.cli.session import selecting, with_session
from infratest.collect.asked import commands
from infratest.plan.tasks import ActStep, CheckStep, Plan, Task, needs_of
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.units import counted

#: Facts that are a user's own command, and what is said of it.
OWN = {"command": "", "root-command": " (as root)"}


@click.command("plan", short_help="Show what would run and which commands it would ask; touches nothing.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text or json.")
@with_session()
def command(session: Session, features: tuple[str, ...], tags: tuple[str, ...], scenario: str | None, form: str) -> int:
    """Show what would run and which commands it would ask.

    Each scenario with the hosts it runs on; for each host the facts that are needed and the shell text that asks for
    them, all of which go over in one trip. Asks the provider where hosts are, and the hosts nothing. `-v` shows the
    shell text whole.

    Exit status: 0 shown, 1 the provider could not be asked, 2 wrong use.
    """
    request = Request(features=features, tags=tags, scenario=scenario)
    made = prepare(session, request).plan
    if form == "json":
        click.echo(json.dumps(_document(made), indent=2, ensure_ascii=False))
    else:
        click.echo(_text(made, session.verbosity))
    return 0


def _text(plan: Plan, verbosity: int) -> str:
    lines: list[str] = []
    title = ""
    for task in plan.tasks:
        if task.scenario.feature != title:
            title = task.scenario.feature
            lines += [title]
        words = task.problem or (f"skipped: {task.skip}" if task.skip else _does(task))
        lines.append(f"  {task.id.partition('#')[2]}: {words}")
    for location, asks in _asks(plan).items():
        lines += [
            "",
            f"{location}: {counted(len(asks), 'fact')} in one trip" if location != CONTROLLER else f"{location}:",
        ]
        for fact, snippet in asks:
            text = snippet if verbosity else " ".join(snippet.split())[:100]
            lines.append(f"  {fact}: " + text.replace("\n", "\n    "))
        lines += [f"  runs: {words}" for words in _own_commands(plan, location)]
    return "\n".join(lines)


def _does(task: Task) -> str:
    checks = sum(isinstance(step, CheckStep) for step in task.steps)
    acts = [step for step in task.steps if isinstance(step, ActStep)]
    words = counted(checks, "check")
    if acts:
        words += ", acts: " + "; ".join(f"{step.line.text} on {', '.join(h for h, _ in step.targets)}" for step in acts)
    return words


def _own_commands(plan: Plan, location: str) -> list[str]:
    """Return the commands that the user's own sentences run there, whole."""
    needs = plan.needs().get(location, {})
    return [f"{need.argument[0]}{OWN[need.fact]}" for need in needs if need.fact in OWN]


def _asks(plan: Plan) -> dict[str, list[tuple[str, str]]]:
    steps = [step for task in plan.tasks if not task.skip for step in task.steps if isinstance(step, CheckStep)]
    return commands(needs_of(steps), CONTROLLER)


def _document(plan: Plan) -> dict[str, Any]:
    return {
        "tasks": [
            {
                "id": task.id,
                "host": task.host,
                "acting": task.acting,
                "problem": task.problem,
                "skip": task.skip,
                "steps": [step.line.text for step in task.steps],
            }
            for task in plan.tasks
        ],
        "asks": {
            location: [{"fact": fact, "command": snippet} for fact, snippet in asks]
            for location, asks in _asks(plan).items()
        },
    }
