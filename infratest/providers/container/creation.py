"""How a container is made of an image, by what is in it: the engine's arguments, and the files it gets before its
first start. Called by the container provider."""

from __future__ import annotations

import io
import re
import shlex
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.providers import _ssh_keys
from infratest.providers.base import HostSpec
from infratest.providers.container.engine import Engine
from infratest.providers.container.image import Ready
from infratest.providers.container.inside import EXEC, OURS, Contents, Manner, manner
from infratest.quoting import command_line

#: The label of a host that is reached by its engine alone; one without it has an SSH server.
WAY_LABEL = "infratest.transport"

#: Where the first process of a machine lies whose image is not of a recipe. A path without links in any image.
INIT = "etc/infratest/init"

#: What systemctl says of a system that has come up, in whatever state.
BOOTED = ("running", "degraded", "maintenance", "stopping")
LOOK_AGAIN = 0.2  # seconds

#: What useradd takes without arguing.
USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")

#: What POSIX calls the name of a variable.
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

#: What a shell that waits for nothing is ended by at once: as first process it takes no other signal.
KILL = "SIGKILL"


@dataclass(frozen=True, kw_only=True)
class Way:
    """Which way a host is made: of which image, and how that one is run."""

    ready: Ready
    contents: Contents
    how: Manner

    @property
    def foreign(self) -> bool:
        """Whether it is a machine of somebody else's image, which our first process must be put into."""
        return self.how.machine and self.contents is not OURS


def way(ready: Ready, contents: Contents, spec: HostSpec) -> Way:
    """Return which way a host is made.

    Raises:
        UserError: it asks for a transport that its image cannot have, or has nothing to run.
    """
    where = f"{spec.where or spec.name}: hosts.{spec.name}"
    image = spec.option("image")
    try:
        how = manner(contents, command_of(spec))
    except ProviderError as error:
        raise UserError(f"{where}.image: {image}: {error}") from None
    if how.transport == EXEC and spec.transport not in ("", EXEC):
        raise UserError(f"{where}.transport: {spec.transport}: image {image} {how.words}; leave the transport out")
    return Way(ready=ready, contents=contents, how=how)


def command_of(spec: HostSpec) -> tuple[str, ...]:
    """Return the command that a host says for itself, in words. Raises UserError: its quotes do not close."""
    given = spec.option("command")
    try:
        return tuple(shlex.split(given)) if isinstance(given, str) else tuple(given)
    except ValueError as error:
        where = f"{spec.where or spec.name}: hosts.{spec.name}.command"
        raise UserError(f"{where}: {given!r} cannot be taken apart into words: {error}") from None


def environment_of(spec: HostSpec) -> bytes:
    """Return the variables of a host as a file for `--env-file`, which has no quotes: a value is the rest of its line.

    Raises:
        UserError: a name that no variable can have, or a value that is no text of one line.
    """
    lines = []
    for name, value in (spec.option("environment") or {}).items():
        where = f"{spec.where or spec.name}: hosts.{spec.name}.environment.{clean(str(name), 80)}"
        if not VARIABLE.fullmatch(str(name)):
            raise UserError(f"{where}: no variable is called so: write letters, digits and _, no digit first")
        if not isinstance(value, str):
            raise UserError(f"{where}: found {value!r}, allowed is text: write it in quotes")
        if {"\n", "\r", "\0"} & {*value}:
            raise UserError(f"{where}: its value has more than one line, which an engine cannot be given")
        lines.append(f"{name}={value}\n")
    return "".join(lines).encode()


def user_of(spec: HostSpec, user: str) -> str:
    """Return who logs in; any other than root is made at the first start, with sudo without a password."""
    if not USER.fullmatch(user):
        raise UserError(
            f"{spec.where or spec.name}: user {user!r} is no user of a Linux host: write small letters, digits, _ and -"
        )
    return user


def label_options(labels: Mapping[str, str]) -> list[str]:
    """Return the options that put labels on what is made."""
    return [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]


def options(engine: Engine, chosen: Way) -> list[str]:
    """Return the options of `create` that how a host is run asks for."""
    how = chosen.how
    if how.machine:
        words = [*engine.system_options(), "--stop-signal", chosen.ready.stop_signal]
        return [*words, "--entrypoint", f"/{INIT}"] if chosen.foreign else words
    words = engine.limit_options()
    return [*words, "--interactive", "--stop-signal", KILL] if how.waits else words


def is_quiet_machine(found: Mapping[str, Any]) -> bool:
    """Whether a container, as its engine describes it, is a machine without an SSH server."""
    labels = found["Config"].get("Labels") or {}
    return found.get("Path") == f"/{INIT}" and labels.get(WAY_LABEL) == EXEC


def ended(found: Mapping[str, Any]) -> str:
    """Return how the first process of a container, as its engine describes it, has ended; empty where it has not."""
    state = found["State"]
    if str(state.get("Status")) not in ("exited", "stopped", "dead"):
        return ""
    command = command_line([str(found.get("Path", "")), *map(str, found.get("Args") or ())])
    why = "; it was out of memory" if state.get("OOMKilled") else ""
    return f"the first process ({clean(command, 200)}) has ended with status {state.get('ExitCode')}{why}\n"


def await_systemd(engine: Engine, identity: str, deadline: Deadline) -> None:
    """Wait until systemd has started what it starts: an engine runs commands in a machine that has hardly begun.

    Raises:
        ProviderError: it has not before the deadline.
    """
    while True:
        _, out, err = engine.answer(["exec", identity, "systemctl", "is-system-running"], deadline)
        if out.strip() in BOOTED:
            return
        running = [found["State"]["Running"] for found in engine.inspect([identity], deadline)]
        if deadline.passed or not any(running):
            raise ProviderError(f"systemd has not come up: it says {clean(out or err) or 'nothing'}")
        time.sleep(LOOK_AGAIN)


def handed_over(host_key: _ssh_keys.KeyPair, user: str, user_key: str, chosen: Way) -> bytes:
    """Return what a machine gets before its first start, as a tar archive: its own SSH key and who may log in."""
    given = {
        "etc/infratest/user": (f"{user}\n".encode(), 0o644),
        "etc/infratest/authorized_keys": (f"{user_key}\n".encode(), 0o600),
    }
    if chosen.how.transport != EXEC:
        given["etc/ssh/ssh_host_ed25519_key"] = (host_key.private, 0o600)
        given["etc/ssh/ssh_host_ed25519_key.pub"] = (f"{host_key.public}\n".encode(), 0o644)
    if chosen.foreign:
        given[INIT] = ((files("infratest.fixtures") / "images" / "debian-12" / "init").read_bytes(), 0o755)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        folder = tarfile.TarInfo("etc/infratest")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(folder)
        for name, (data, mode) in given.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()
