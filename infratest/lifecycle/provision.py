"""Provisioning: the `provision:` list of each host, in order, on hosts that are up. Called by the verb and by heals.

What each entry does is its provisioner's business. Hosts that come `after` others are provisioned after them, those of
one round in parallel. What was printed is kept in the state directory, as `logs/<stack>@<env>/provision-<host>.log`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import InfratestError, ProviderError, UserError
from infratest.hosts import RUNNING, Host
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.provisioned import begun, digest, digests, live_ids
from infratest.lifecycle.stopping import OUTPUT, Progress, Stop, StoppableDeadline, failing
from infratest.model import Place, file_name
from infratest.providers.base import HostSpec
from infratest.provisioners.base import Provisioner, Target, provisioners
from infratest.stack import graph
from infratest.stack.declared import StackFile
from infratest.stack.open import open_transport
from infratest.stack.script_names import PARAMETER, addresses, variable
from infratest.stack.secret_sources import LONGEST
from infratest.store.directory import StateDir

LONGEST_LINE = 4000  # bytes of a line that is shown at once


def provision(lifecycle: Lifecycle, names: Sequence[str] | None = None) -> list[str]:
    """Provision hosts, all without names; return the names of those that had something to be done.

    Raises:
        UserError: a script or file that is not there. ProviderError: a host that is not up, or a script that failed;
        the message holds its last lines.
    """
    stack = lifecycle.stack
    known = {spec.name for spec in stack.hosts}
    hosts = lifecycle.hosts(names)
    chosen = {host.name: host for host in hosts}
    specs = [spec for spec in stack.hosts if spec.name in chosen]
    work = {spec.name: _provisioners(spec, stack.folder) for spec in specs}
    with lifecycle.changing("provision") as deadline:
        everyone = lifecycle.hosts()
        records = lifecycle.journal.records()
        ids, last = live_ids(records, stack.name, stack.env), digests(records)
        _all_up([host for host in everyone if host.name in chosen])
        for together in graph.rounds(specs, known):
            busy = [spec for spec in together if spec.provision]
            failed = Stop(lifecycle.stop)
            limit = StoppableDeadline(deadline, failed)

            def one(spec: HostSpec) -> None:
                host = next(host for host in everyone if host.name == spec.name)
                before = digest(work[spec.name])
                id = ids.get(spec.name, "")
                if id not in last:
                    _record(lifecycle, host, id, begun(records, id), limit)  # noqa: B023
                _provision_host(lifecycle, work[spec.name], host, everyone, limit)  # noqa: B023
                if spec.name in ids:  # a host that nobody here made has no life in the journal
                    lifecycle.journal.provisioned(ids[spec.name], spec.name, before)

            done = lifecycle.each(busy, failing(one, failed), failed)
            lifecycle.all_well(done, failed.reason)
    return [spec.name for spec in specs if spec.provision]


def _record(lifecycle: Lifecycle, host: Host, id: str, begun: float, deadline: Deadline) -> None:
    """Have it kept what is on a host that was never provisioned; that this fails is no reason not to provision it."""
    if lifecycle.recorder is None:
        return
    try:
        lifecycle.recorder(host, id, begun, deadline)
    except InfratestError as error:
        lifecycle.progress(host.name, "not recorded", f"what is on it before it is provisioned: {error}")


def _all_up(hosts: Sequence[Host]) -> None:
    down = [f"{host.name} ({host.state})" for host in hosts if host.state != RUNNING]
    if down:
        raise ProviderError(f"not up: {', '.join(down)}; run `infratest up` first")


def _provisioners(spec: HostSpec, folder: Path) -> list[Provisioner]:
    """Return a host's provisioners, having refused what cannot be done before the first host is touched."""
    found = provisioners(spec.provision, folder, spec.where)
    for provisioner in found:
        for path in provisioner.sources():
            if not path.exists():
                words = f"{provisioner.describe()}: {path}: no such file"
                raise UserError(f"{spec.where}: provision of {spec.name}: {words}")
    return found


def _provision_host(
    lifecycle: Lifecycle, work: Sequence[Provisioner], host: Host, everyone: Sequence[Host], deadline: Deadline
) -> None:
    transport = open_transport(host)
    log: list[str] = []
    try:
        lifecycle.progress(host.name, "connecting", "")
        transport.open(deadline.at_most(60.0))
        target = Target(
            transport=transport,
            sudo=transport.run(["id", "-u"], deadline).stdout.strip() != b"0",
            environment=environment_of(lifecycle.stack, host, everyone),
            progress=partial(lifecycle.progress, host.name),
            output=lambda: _Lines(host.name, lifecycle.progress).feed,
            log=log.append,
        )
        for provisioner in work:
            provisioner.apply(target, deadline)
    finally:
        transport.close()
        _keep(lifecycle.state, lifecycle.stack.place, host.name, log)
    lifecycle.progress(host.name, "provisioned", f"log: {log_path(lifecycle.state, lifecycle.stack.place, host.name)}")


class _Lines:
    """Tells each line of a script's output as it comes, as the phase OUTPUT of its host."""

    def __init__(self, host: str, progress: Progress) -> None:
        self._host = host
        self._progress = progress
        self._rest = b""
        self._told = False  # of a line that has no end yet

    def feed(self, data: bytes) -> None:
        """Take the next bytes; of a line that does not end the beginning is told, and the rest passed over."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line)
            self._told = False
        # The beginning is told when so much has come that no secret in it can be cut, and so shown unmasked.
        if len(self._rest) > LONGEST_LINE + LONGEST:
            self._tell(self._rest)
            self._told, self._rest = True, b""

    def _tell(self, line: bytes) -> None:
        text = decoded(line)
        if not self._told:
            self._progress(self._host, OUTPUT, clean(text, LONGEST_LINE, lines=True))


def log_path(state: StateDir, place: Place, host: str) -> Path:
    """Return where what a host's provisioners printed is kept."""
    return state.path / _log(place, host)


def _log(place: Place, host: str) -> str:
    return f"logs/{file_name(place)}/provision-{host}.log"


def environment_of(stack: StackFile, host: Host, everyone: Sequence[Host]) -> dict[str, str]:
    """Return what a script on a host is told of the stack, as `provisioners/shell.py` lists it.

    None of these is a variable of an option: `check_infratest` in a script is about the host that it runs on.
    """
    found = {
        "INFRATEST_STACK_NAME": stack.name,
        "INFRATEST_ENV_NAME": stack.env,
        "INFRATEST_HOST_NAME": host.name,
        "INFRATEST_ADDRESS": host.address,
        "INFRATEST_HOSTS": "\n".join(f"{one.name} {one.address} {','.join(one.groups)}" for one in everyone),
    }
    found |= addresses(everyone, {spec.name for spec in stack.hosts if not spec.listed})
    return found | {variable(PARAMETER, name): _text(value) for name, value in stack.parameters.items()}


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _keep(state: StateDir, place: Place, name: str, log: Sequence[str]) -> None:
    """Keep what was printed; that it cannot be kept must not hide why the script failed."""
    try:
        state.write(_log(place, name), "".join(log))
    except InfratestError:
        return
