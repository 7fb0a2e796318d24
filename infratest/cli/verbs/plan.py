"""`infratest plan`: shows what a run would ask, of whom, by which commands. Touches no host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click

from infratest import outsiders
from infratest.check import CONTROLLER
from infratest.cleaning import clean
from infratest.cli import _components
from infratest.cli._lifecycle import looking, say
from infratest.cli._verb import WRITING, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.collect.asked import asks
from infratest.deadline import Deadline
from infratest.errors import InfratestError, NoFeature, ProviderError, StateError, UserError
from infratest.facts.base import Argument, Need
from infratest.hosts import ABSENT, Host
from infratest.lifecycle import components, cost, made_from
from infratest.lifecycle.cost import Bill
from infratest.plan.tasks import ActStep, CheckStep, Plan, Task, needs_of
from infratest.project.prepare import Request, prepare, stack_hosts
from infratest.project.session import Session
from infratest.providers._choices import Chooses
from infratest.stack.open import component_values, hosts_unasked, open_provider, refuse_another, unmade_hosts
from infratest.store.journal import Journal
from infratest.units import counted

#: Facts that are a user's own: a command, the steps of a session; and what is said of each.
OWN = {"command": " of yours", "root-command": " of yours, as root", "page": "s of one session"}

#: Seconds for what a cloud has to offer.
LOOK = 60.0


VERB = Verb(WRITING, 3)


@click.command("plan", cls=VerbCommand, short_help="Show what would run and what it would ask; touches nothing.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text or json.")
@with_session()
def command(session: Session, features: tuple[str, ...], tags: tuple[str, ...], scenario: str | None, form: str) -> int:
    """Show what would run and which commands it would ask.

    Each scenario with the hosts it runs on; for each host the facts that are needed and of what, all of which go over
    in one trip. The hosts are asked nothing. Their provider is asked where they are, once any was made; where it cannot
    be asked this is told, and the plan goes by the stack file. `-v` shows the shell text that asks, too.

    On a cloud, the hosts that are not there yet come first: which image and which size they would get, and what an hour
    of each and of all would cost, where prices are known. For that the cloud is asked what it has.

    Where there is no feature yet, the hosts and components are shown before that is told.

    Exit status: 0 shown, 1 the provider could not be asked, 2 wrong use, or a host that could not be made.
    """
    request = Request(features=features, tags=tags, scenario=scenario)
    hosts, status = _hosts(session)
    bill = None
    if hosts and not status and _chooses(session):
        bill, status = _bill(session, hosts)
    if bill is not None and form == "text":
        click.echo("\n".join(["hosts to be made", *(f"  {clean(line, 1000)}" for line in cost.lines(bill)), ""]))
    beside = components.shown(looking(session)) if session.stack.components else []
    try:
        made = prepare(session, request, hosts).plan
    except NoFeature:
        if form == "text" and not features:  # there is a stack all the same
            click.echo("\n".join([*_listed(session, hosts), *map(_components.line, beside)]))
        raise
    if form == "json":
        document = _document(made) | _beside(session, beside) | (_priced(bill) if bill is not None else {})
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for one in beside:
            click.echo(_components.line(one))
        click.echo(_text(made, session.verbosity))
    return status


def _hosts(session: Session) -> tuple[list[Host], int]:
    """Return the hosts, and the exit status: their provider is asked only where there may be any."""
    unmade = unmade_hosts(session.stack, session.state)
    if unmade is not None:
        return unmade, 0
    try:
        return stack_hosts(session), 0
    except ProviderError as error:
        provider = open_provider(session.stack, session.state)
        if provider.declared:
            raise
        with suppress(StateError):
            refuse_another(session.stack, session.state, provider, Journal(session.state).records())
        say(f"where the hosts are is not known: {error}; what is shown goes by the stack file alone")
        return hosts_unasked(session.stack, session.state), 1


def _listed(session: Session, hosts: Sequence[Host]) -> list[str]:
    """Return a line for each host that is asked for, of a stack of which there is nothing else to say yet."""
    chosen = set(session.selected([host.name for host in hosts]))
    would_be = {spec.name: made_from.declared(spec) for spec in session.stack.hosts}
    lines = []
    for host in hosts:
        of = would_be.get(host.name, "") if host.state in ABSENT else ""
        lines += [f"host {host.name}: {host.state}" + (f"; {clean(of, 1000)}" if of else "")] * (host.name in chosen)
    return lines


def _chooses(session: Session) -> bool:
    return issubclass(outsiders.get("provider", session.stack.provider), Chooses)


def _bill(session: Session, hosts: Sequence[Host]) -> tuple[Bill | None, int]:
    """Return what the hosts would be made of that are not there, and the exit status; what is not known is told."""
    absent = {host.name for host in hosts if host.state in ABSENT}
    chosen = absent.intersection(session.selected([host.name for host in hosts]))
    specs = [spec for spec in session.stack.hosts if spec.name in chosen]
    try:
        provider = open_provider(session.stack, session.state)
        bill = cost.bill(provider, specs, session.deadline or Deadline(LOOK))
    except InfratestError as error:
        say(f"what hosts would be made of is not known: {error}")
        return None, 2 if isinstance(error, UserError) else 1
    return bill, 2 if bill is not None and any(one.problem for one in bill.choices) else 0


def _priced(bill: Bill) -> dict[str, Any]:
    return {"hosts": [asdict(one) for one in bill.choices], "hourly": bill.hourly, "prices": bill.prices}


def _beside(session: Session, found: Sequence[components.Shown]) -> dict[str, Any]:
    values = component_values(session.stack, session.state)
    return {"components": [_components.as_dict(one, values) for one in found]} if found else {}


def _text(plan: Plan, verbosity: int) -> str:
    lines: list[str] = []
    title = ""
    for task in plan.tasks:
        if task.scenario.feature != title:
            title = task.scenario.feature
            lines += [title]
        words = task.problem or (f"skipped: {task.skip}" if task.skip else _does(task))
        lines.append(f"  {task.id.partition('#')[2]}: {words}")
    for location, needs in _needs(plan).items():
        trip = "" if location == CONTROLLER else f" {counted(len(needs), 'fact')} in one trip"
        lines += ["", f"{location}{_way(plan.hosts.get(location))}:{trip}"]
        snippets = dict(_snippets(location, needs)) if verbosity else {}
        for fact, arguments in needs.items():
            groups = [[each] for each in arguments] if fact in OWN else [arguments]
            lines += [f"  {fact}{OWN.get(fact, '')}{_list(fact, each)}" for each in groups]
            if fact in snippets:
                lines += [f"    {line}" for line in snippets[fact].splitlines()]
    return "\n".join(lines)


def _way(host: Host | None) -> str:
    """Return how a host is reached, where that is not by its address alone."""
    about = host.options if host is not None else {}
    reached, jump = str(about.get("address") or ""), str(about.get("jump") or "")
    at = f" at {clean(reached, 200)}" if host is not None and reached not in ("", host.address) else ""
    return f"{at} through {clean(jump, 200)}" if jump else at


def _list(fact: str, arguments: Sequence[Argument]) -> str:
    """Return what a fact is asked of: paths, names, commands; a text that is looked for stands in quotes behind."""
    shown = [" ".join([first, *(f'"{each}"' for each in others if each)]) for first, *others in filter(None, arguments)]
    if fact == "page":
        return f": {clean('; '.join(map(outsiders.get('fact', fact)().described, arguments)), 1000)}"
    return f": {', '.join(clean(each, 200) for each in shown)}" if shown else ""


def _does(task: Task) -> str:
    checks = sum(isinstance(step, CheckStep) for step in task.steps)
    acts = [step for step in task.steps if isinstance(step, ActStep)]
    words = counted(checks, "check")
    if acts:
        words += ", acts: " + "; ".join(f"{step.line.text} on {', '.join(h for h, _ in step.targets)}" for step in acts)
    return words


def _needs(plan: Plan) -> dict[str, dict[str, list[Argument]]]:
    """Return what is asked where: location -> fact -> arguments, those of scenarios that act too."""
    steps = [step for task in plan.tasks if not task.skip for step in task.steps if isinstance(step, CheckStep)]
    asked: dict[str, dict[str, list[Argument]]] = {}
    for location, needs in needs_of(steps).items():
        for need in needs:
            asked.setdefault(location, {}).setdefault(need.fact, []).append(need.argument)
    return asked


def _snippets(location: str, needs: Mapping[str, Sequence[Argument]]) -> list[tuple[str, str]]:
    """Return the shell text that asks for each fact; on this machine itself none is needed."""
    if location == CONTROLLER:
        return []
    needed = [Need(fact, argument) for fact, arguments in needs.items() for argument in arguments]
    return [(ask.name, ask.snippet) for ask in asks(needed)]


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
            location: [
                {"fact": fact, "arguments": [list(argument) for argument in arguments], "command": snippets.get(fact)}
                for fact, arguments in needs.items()
            ]
            for location, needs in _needs(plan).items()
            for snippets in [dict(_snippets(location, needs))]
        },
    }
