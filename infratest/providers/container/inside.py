"""What an image holds, and how a host of it is therefore run. Looked at by create.py; the choice itself is pure.

An image that holds systemd and begins with it is run as a machine, as the images of our recipes are; any other runs
its own command, so that what is tested is the service that it is made for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers.container.engine import Engine
from infratest.quoting import command_line

SSH, EXEC = "ssh", "container"

#: How images that are machines begin.
INITS = ("init", "systemd", "infratest-init")

SHELLS = ("sh", "bash", "dash", "ash", "zsh", "fish")

SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
SHELL = ("/bin/sh",)
#: What `systemctl enable` makes for an SSH server: the units of Debian and of the others.
SSH_SERVER = tuple(f"/etc/systemd/system/multi-user.target.wants/{unit}.service" for unit in ("ssh", "sshd"))


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is in an image.

    Args:
        entrypoint, command: as the image says itself. systemd, sh: are there. ssh: a server that systemd starts.
    """

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    systemd: bool = False
    ssh: bool = False
    sh: bool = False


#: Of the images of our recipes.
OURS = Contents(systemd=True, ssh=True, sh=True, command=("/sbin/infratest-init",))


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a host of an image is run.

    Args:
        machine: systemd is its first process. transport: its own way in. words: all this in words, with its reason.
        command: what the engine is told to run; empty for the image's own. waits: it reads its standard input, which is
        held open, so that it does not end. sh: whether commands can be run in it.
    """

    machine: bool
    transport: str
    words: str
    command: tuple[str, ...] = ()
    waits: bool = False
    sh: bool = True


def manner(contents: Contents, command: tuple[str, ...] = ()) -> Manner:
    """Return how a host of an image is run.

    Args:
        command: the host's own, in place of the image's.
    Raises:
        ProviderError: it has nothing to run.
    """
    words = (*contents.entrypoint, *(command or contents.command))
    if not words and not contents.sh:
        raise ProviderError("it has no command of its own and no sh: say which program runs with `command:`")
    begins = PurePosixPath(words[0]).name in INITS if words else False
    only_shell = not words or (len(words) == 1 and PurePosixPath(words[0]).name in SHELLS)
    if contents.systemd and contents.sh and (begins or (only_shell and not command)):
        if contents.ssh:
            return Manner(machine=True, transport=SSH, words="runs systemd and an SSH server")
        return Manner(
            machine=True,
            transport=EXEC,
            words="runs systemd, which starts no SSH server (neither ssh.service nor sshd.service is enabled): "
            "commands go by the engine, transport container",
        )
    runs = command_line(words) if words else "sh"
    why = "begins with no init system" if contents.systemd else "has no systemd"
    return Manner(
        machine=False,
        transport=EXEC,
        words=f"{why}, so its own command runs ({runs}); commands go by the engine, transport container"
        if contents.sh
        else f"has no sh, so its own command runs ({runs}) and no other can: what is asked on it is unknown",
        command=command or (() if words else ("/bin/sh",)),
        waits=not words or PurePosixPath(words[-1]).name in SHELLS,
        sh=contents.sh,
    )


def look(engine: Engine, image: str, container: str, deadline: Deadline) -> Contents:
    """Return what is in an image.

    Args:
        container: one that was made of it, running or not.
    """
    config = json.loads(engine.run(["image", "inspect", "--format", "{{json .Config}}", image], deadline)) or {}

    def holds(paths: tuple[str, ...]) -> bool:
        return any(engine.holds(container, path, deadline) for path in paths)

    systemd = holds(SYSTEMD)
    return Contents(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        systemd=systemd,
        ssh=systemd and holds(SSH_SERVER),
        sh=holds(SHELL),
    )
