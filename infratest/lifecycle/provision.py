"""Provisioning: the `provision:` list of each host, in order, on hosts that are up. Called by the verb and by heals.

`shell` sends a script and runs it as root; `file` puts a file, unless it is there with the same content and mode.
Hosts that come `after` others are provisioned after them, those of one round in parallel. What a script printed is kept
in the state directory, as `logs/provision-<host>.log`.

A script's environment, so that one host can be told of the others:

    INFRATEST_STACK, INFRATEST_ENV, INFRATEST_HOST, INFRATEST_ADDRESS    the stack, and this host in it
    INFRATEST_ADDRESS_<HOST>    each host's address; the name in capitals, with _ for all but letters and digits
    INFRATEST_HOSTS             a line a host: name, address, groups with commas between
    INFRATEST_PARAM_<NAME>      each parameter, its name likewise
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import InfratestError, NotInThisVersion, ProviderError, UserError
from infratest.hosts import RUNNING, Host
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.stopping import OUTPUT, Progress, Stop, StoppableDeadline, each, failing
from infratest.providers.base import HostSpec
from infratest.quoting import quoted
from infratest.stack import graph
from infratest.stack.declared import StackFile
from infratest.stack.open import open_transport
from infratest.stack.secret_sources import LONGEST
from infratest.store.directory import StateDir
from infratest.transports.base import Transport

LAST_LINES = 15  # of a script that failed, in the message
LONGEST_LINE = 4000  # bytes of a line that is shown at once
DEFAULT_MODE = "0644"

#: The script comes by standard input and runs from a file, so that what it starts cannot read the rest of it. The file
#: has no name any more when the script begins: a script that is killed leaves none behind. Before it, up to a line that
#: no value can hold, come the variables: a command line is read by everyone who may list the host's processes.
RUN = """exec 2>&1; umask 077; e= nl='
'
while IFS= read -r line; do [ "$line" = "$END" ] && break; e=$e$line$nl; done
eval "$e"; unset e nl line END
f=$(mktemp) || exit 1
cat >"$f" && exec 3<"$f" || { rm -f "$f"; exit 1; }
rm -f "$f"; umask 022
"$@" /proc/self/fd/3 </dev/null
"""


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
    for spec in specs:
        _check(spec, stack.folder)
    with lifecycle.changing("provision") as deadline:
        everyone = lifecycle.hosts()
        _all_up([host for host in everyone if host.name in chosen])
        for together in graph.rounds(specs, known):
            busy = [spec for spec in together if spec.provision]
            failed = Stop(lifecycle.stop)
            limit = StoppableDeadline(deadline, failed)

            def one(spec: HostSpec) -> None:
                host = next(host for host in everyone if host.name == spec.name)
                _provision_host(lifecycle, spec, host, everyone, limit)  # noqa: B023

            done = each(busy, failing(one, failed), jobs=lifecycle.jobs, stop=failed)
            lifecycle.all_well(done, failed.reason)
    return [spec.name for spec in specs if spec.provision]


def _all_up(hosts: Sequence[Host]) -> None:
    down = [f"{host.name} ({host.state})" for host in hosts if host.state != RUNNING]
    if down:
        raise ProviderError(f"not up: {', '.join(down)}; run `infratest up` first")


def _check(spec: HostSpec, folder: Path) -> None:
    """Refuse what cannot be provisioned before the first host is touched."""
    for item in spec.provision:
        for kind, value in item.items():
            if kind not in ("shell", "file"):
                raise NotInThisVersion(
                    f"{spec.where}: provision {kind!r}: not in this version; there are shell and file"
                )
            path = folder / (value if kind == "shell" else value["from"])
            if not path.is_file():
                raise UserError(f"{spec.where}: provision of {spec.name}: {kind} {path}: no such file")


def _provision_host(
    lifecycle: Lifecycle, spec: HostSpec, host: Host, everyone: Sequence[Host], deadline: Deadline
) -> None:
    stack = lifecycle.stack
    transport = open_transport(host)
    log: list[str] = []
    try:
        lifecycle.progress(spec.name, "connecting", "")
        transport.open(deadline.at_most(60.0))
        sudo = transport.run(["id", "-u"], deadline).stdout.strip() != b"0"
        for item in spec.provision:
            for kind, value in item.items():
                if kind == "file":
                    _file(transport, stack.folder, value, deadline, sudo, lifecycle, log)
                else:
                    lifecycle.progress(spec.name, "running", str(value))
                    environment = environment_of(stack, host, everyone)
                    transport.on_output = _Lines(spec.name, lifecycle.progress).feed
                    try:
                        _shell(transport, stack.folder / value, environment, deadline, sudo, log)
                    finally:
                        transport.on_output = None
    finally:
        transport.close()
        _keep(lifecycle.state, spec.name, log)
    lifecycle.progress(spec.name, "provisioned", f"log: {log_path(lifecycle.state, spec.name)}")


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
            indent = " " * (len(text) - len(text.lstrip(" ")))
            self._progress(self._host, OUTPUT, indent + clean(text, LONGEST_LINE))


def log_path(state: StateDir, host: str) -> Path:
    """Return where what a host's provisioners printed is kept."""
    return state.path / "logs" / f"provision-{host}.log"


def environment_of(stack: StackFile, host: Host, everyone: Sequence[Host]) -> dict[str, str]:
    """Return the environment of a script on a host, as the module says."""
    found = {
        "INFRATEST_STACK": stack.name,
        "INFRATEST_ENV": stack.env,
        "INFRATEST_HOST": host.name,
        "INFRATEST_ADDRESS": host.address,
        "INFRATEST_HOSTS": "\n".join(f"{one.name} {one.address} {','.join(one.groups)}" for one in everyone),
    }
    found |= {f"INFRATEST_ADDRESS_{_variable(one.name)}": one.address for one in everyone}
    return found | {f"INFRATEST_PARAM_{_variable(name)}": _text(value) for name, value in stack.parameters.items()}


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _shell(
    transport: Transport, path: Path, environment: Mapping[str, str], deadline: Deadline, sudo: bool, log: list[str]
) -> None:
    script, end = _bytes(path), f"end of variables {os.urandom(12).hex()}"
    exports = "".join(f"export {name}={quoted(value)}\n" for name, value in environment.items())
    command = ["sh", "-c", f"END={quoted(end)}\n{RUN}", "sh", *_interpreter(script)]
    result = transport.run(command, deadline, f"{exports}{end}\n".encode("utf-8", "surrogateescape") + script, sudo)
    output = clean(decoded(result.stdout + result.stderr), limit=1_000_000, lines=True)
    log.append(f"$ {path.name} (exit {result.exit}, {result.seconds:.1f} s)\n{output}\n")
    if result.exit != 0:
        last = "\n".join(f"  | {line}" for line in output.splitlines()[-LAST_LINES:])
        name = transport.host.name
        raise ProviderError(f"{name}: {path} ended with exit {result.exit}; its last lines:\n{last or '  | (nothing)'}")


def _interpreter(script: bytes) -> list[str]:
    """The words of its `#!` line, as a kernel would read it; sh without one."""
    first = decoded(script.split(b"\n", 1)[0][:200])
    words = first[2:].strip().split(maxsplit=1) if first.startswith("#!") else []
    return words or ["sh"]


def _file(
    transport: Transport,
    folder: Path,
    wanted: Mapping[str, Any],
    deadline: Deadline,
    sudo: bool,
    lifecycle: Lifecycle,
    log: list[str],
) -> None:
    data, target, mode = _bytes(folder / wanted["from"]), wanted["to"], str(wanted.get("mode", DEFAULT_MODE))
    look = ["sh", "-c", 'sha256sum <"$1" && stat -c %a "$1"', "sh", target]
    words = decoded(transport.run(look, deadline, sudo=sudo).stdout).split()
    same = len(words) == 3 and words[0] == hashlib.sha256(data).hexdigest() and int(words[2], 8) == int(mode, 8)
    lifecycle.progress(transport.host.name, "file is there" if same else "file put", target)
    if not same:
        transport.put(data, target, mode, deadline, sudo)
    log.append(f"file {target}: {'was there' if same else 'put'}\n")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def _keep(state: StateDir, name: str, log: Sequence[str]) -> None:
    """Keep what was printed; that it cannot be kept must not hide why the script failed."""
    try:
        state.write(f"logs/provision-{name}.log", "".join(log))
    except InfratestError:
        return
