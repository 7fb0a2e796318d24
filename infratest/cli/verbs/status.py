"""`infratest status`: the hosts as they are, the lease, and what the journal says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from infratest.cleaning import clean, decoded
from infratest.cli import _components, _streams
from infratest.cli._lifecycle import looking
from infratest.cli._verb import LIFE, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import InfratestError
from infratest.hosts import ABSENT, PAUSED, RUNNING, STOPPED, Host
from infratest.lifecycle import budget, components, made_from, provisioned, strays
from infratest.lifecycle.budget import moment
from infratest.lifecycle.made_from import Change
from infratest.lifecycle.removal import short
from infratest.lifecycle.status import Status, status
from infratest.lifecycle.stopping import Stop, each
from infratest.outsiders import get
from infratest.project.session import Session
from infratest.stack.kept_parameters import shown
from infratest.stack.open import component_values, open_transport
from infratest.stack.parameters import MADE_UP, UNASKED
from infratest.store.journal import Journal
from infratest.units import human
from infratest.values import Values

SECONDS = 10.0  # in which all hosts are asked what they run, where --timeout says nothing else
PIPE_WIDTH = 200  # characters of the table where nobody's terminal limits it
DECLARED = "declared"  # a host that nobody was asked about: what it is, its checks find out
STYLES = {RUNNING: "green", STOPPED: "yellow", PAUSED: "yellow", DECLARED: "default"}


VERB = Verb(LIFE, 5)


@click.command("status", cls=VerbCommand, short_help="Show the hosts, the lease and what the journal says.")
@click.option(
    "--os", "with_os", is_flag=True, help="Log in to each host that runs, and show what its /etc/os-release says."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session(made_up=UNASKED)
def command(session: Session, form: str, with_os: bool) -> int:
    """Show the hosts as their provider sees them now, until when the lease lasts, and what the journal says.

    Looks only: takes no lock, writes nothing, and logs in nowhere without --os: a host of provider existing is
    `declared`. The stack's `outputs:` stand under the hosts, with their values as of now.
    `interrupted` names runs that began and have not ended (one of them may be at work just now), `leftovers` what
    `infratest reap` would remove. Hosts that exist and that the stack file no longer names are told, and so are those
    that another state directory of yours made under this stack's name.

    Exit status: 0 shown, 1 the provider could not be asked, 2 wrong use.
    """
    life = looking(session)
    found, stray = status(life), strays.find(life)
    chosen = set(session.selected([host.name for host in found.hosts]))
    hosts = [host for host in found.hosts if host.name in chosen]
    changed, behind = _changed(session, hosts), _behind(session, hosts)
    systems = _systems(session, hosts) if with_os else None
    outputs = list(_outputs(session, found.hosts))
    if form == "json":
        document = _as_dict(session, found, hosts) | {"outputs": {name: value for name, value, _ in outputs}}
        if systems is not None:
            document["os"] = systems
        document |= {"changed": [asdict(one) for one in changed]} | _strays(stray)
        document["provision"] = asdict(behind)
        values = component_values(session.stack, session.state)
        document["components"] = [_components.as_dict(one, values) for one in components.shown(life)]
        document["healing"] = _health(session)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _show(session, found, hosts, systems)
        for one in components.shown(life):
            click.echo(_components.line(one))
        for name, value, problem in outputs:
            click.echo(clean(f"output {name}: {problem if value is None else value}", 1000))
        if session.kept:
            click.echo(clean(f"parameters given to `up` or `provision`: {shown(session.kept)}", 1000))
        for line in (
            *_health(session),
            *made_from.told(changed, session.command),
            *provisioned.lines(behind, session.command("provision")),
            *strays.lines(stray, session.stack, session.command),
        ):
            click.echo(clean(line, 1000))
    return 0


def _strays(found: strays.Strays) -> dict[str, Any]:
    """Return, for machines, what the stack file or this state directory does not lead to."""
    return {
        kind: [{"kind": one.kind, "name": one.name, "id": one.id, "labels": dict(one.labels)} for one in hosts]
        for kind, hosts in (("undeclared", found.undeclared), ("elsewhere", found.elsewhere))
    }


def _health(session: Session) -> list[str]:
    """Return what keeps the heal rules from healing."""
    if not session.stack.heal:
        return []
    from infratest.heal.health import health

    resume = session.command("heal", "resume", of_all=True)
    return health(session.state, session.stack.place, session.stack.heal, time.time(), resume)


def _changed(session: Session, hosts: list[Host]) -> list[Change]:
    """Return what hosts that are there were made from that the stack file says otherwise now."""
    stack, there = session.stack, {host.name for host in hosts if host.state not in ABSENT}
    specs = [spec for spec in stack.hosts if spec.name in there]
    return made_from.changes(Journal(session.state).records(), stack.name, stack.env, specs)


def _outputs(session: Session, hosts: Sequence[Host]) -> Iterator[tuple[str, str | None, str]]:
    """Yield name, value and problem of each of the stack's outputs; what is not up may give none a value."""
    stack = session.stack
    values = Values(hosts, stack.parameters, stack.outputs, components=component_values(stack, session.state))
    for name, text in session.stack.outputs.items():
        try:
            yield name, values.fill(text, where="no value"), ""
        except InfratestError as error:
            yield name, None, str(error)


def _systems(session: Session, hosts: Sequence[Host]) -> dict[str, str]:
    """Return the operating system of each host that runs, as it says itself; why not, where it could not be asked."""
    running = [host for host in hosts if host.state == RUNNING]
    deadline = session.deadline or Deadline(SECONDS)
    done = each(running, lambda host: _system(host, deadline), jobs=session.jobs, stop=Stop())
    return {one.item.name: one.value or f"unknown: {one.error}" for one in done}


def _system(host: Host, deadline: Deadline) -> str:
    transport = open_transport(host)
    try:
        transport.open(deadline)
        # As a shell reads it (os-release(5)); one without the file says what its kernel is.
        script = '. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-$NAME}" || uname -sr'
        return clean(decoded(transport.run(["sh", "-c", script], deadline).stdout).strip(), 200)
    finally:
        transport.close()


def _behind(session: Session, hosts: list[Host]) -> provisioned.Behind:
    """Return which hosts that are there are not provisioned with what is said now.

    Of those whose provisioners take a secret that cannot be read here, nothing is said.
    """
    stack, there = session.stack, {host.name for host in hosts if host.state not in ABSENT}
    specs = [spec for spec in stack.hosts if spec.name in there and MADE_UP not in json.dumps(spec.provision)]
    return provisioned.behind(Journal(session.state).records(), stack.name, stack.env, specs, stack.folder)


def _show(session: Session, found: Status, hosts: list[Host], systems: Mapping[str, str] | None) -> None:
    console = _streams.console(session.colour)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    stack = session.stack
    env = f", environment {stack.env}" if stack.env else ""
    production = ", production" if stack.production else ""
    console.print(Text(f"stack {stack.name}{env}{production}, provider {stack.provider}"))
    titles = ["host", "state", "address", "reached at", "groups", *([] if systems is None else ["os"])]
    table = Table(*titles, box=None, pad_edge=False)
    for host in hosts:
        state = _state(session, host)
        table.add_row(
            Text(host.name), Text(state, STYLES.get(state, "red")), Text(host.address or "-"), Text(_reached(host)),
            Text(", ".join(host.groups) or "-"), *([] if systems is None else [Text(systems.get(host.name, "-"))]),
        )  # fmt: skip
    console.print(table)
    for line in _lines(session, found):
        console.print(Text(clean(line)))


def _state(session: Session, host: Host) -> str:
    """Return what a host is; a provider that hands hosts out as they are declared has asked none but this machine."""
    declared = get("provider", session.stack.provider).declared
    return DECLARED if declared and host.transport != "local" else host.state


def _reached(host: Host) -> str:
    if host.state != RUNNING:
        return "-"
    published = ", ".join(f"{port} at {at}:{there}" for port, (at, there) in sorted(host.endpoints.items()))
    if published or host.transport not in ("ssh", "openssh"):
        return published or host.transport
    at = str(host.options.get("address") or host.address or host.name)
    return f"{at}:{host.options.get('port') or 22} by {host.transport}"


def _lines(session: Session, found: Status) -> list[str]:
    lines, reap = [], session.command("reap")
    if found.expires is not None:
        left = found.expires - time.time()
        removes = f"`{session.command('reap', '--expired')}` removes it"
        words = f"in {human(left, 's')}" if left > 0 else f"{human(-left, 's')} ago: {removes}"
        lines.append(f"lease of {found.owner} ends {moment(found.expires)} ({words})")
    if found.term is not None and found.term.ends is not None:
        destroy = session.command("destroy")
        lines.append(budget.told(found.term.ends, time.time(), session.stack, found.state_id, destroy))
    if found.resources:
        lines.append(f"journal: {len(found.resources)} live: {', '.join(' '.join(one) for one in found.resources)}")
    for one in found.interrupted:
        lines.append(f"interrupted, or at work: {one.verb}, process {one.pid}, begun {moment(one.time)}")
    for left_over in found.leftovers:
        lines.append(f"leftover: {left_over.kind} {left_over.name} ({short(left_over.id)}); `{reap}` removes it")
    lines += found.by_another
    for undo in found.undos:
        lines.append(f"fault on {undo.host} not known to be taken back; `{reap}` runs: {undo.command}")
    return lines or ["journal: nothing was made from this state directory"]


def _as_dict(session: Session, found: Status, hosts: list[Host]) -> dict[str, Any]:
    return {
        "stack": session.stack.name,
        "env": session.stack.env,
        "production": session.stack.production,
        "provider": session.stack.provider,
        "parameters": session.kept,
        "hosts": [
            {
                "name": host.name,
                "state": _state(session, host),
                "address": host.address,
                "routed": host.routed,
                "endpoints": {str(port): list(at) for port, at in host.endpoints.items()},
                "groups": list(host.groups),
                "labels": dict(host.labels),
                "transport": host.transport,
            }
            for host in hosts
        ],
        "owner": found.owner,
        "state_id": found.state_id,
        "expires": found.expires,
        "budget": asdict(found.term) if found.term is not None else None,
        "live": [{"kind": kind, "name": name} for kind, name in found.resources],
        "interrupted": [{"verb": one.verb, "pid": one.pid, "time": one.time} for one in found.interrupted],
        "leftovers": [{"kind": one.kind, "name": one.name, "id": one.id} for one in found.leftovers],
        "by_another_provider": list(found.by_another),
        "undos": [{"host": one.host, "command": one.command} for one in found.undos],
    }
