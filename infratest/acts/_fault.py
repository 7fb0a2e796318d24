"""What faults share: a name of their own on the host, what a host has for itself, and work that goes on behind them.

A host may be a container on the machine that infratest runs on: its clock, its kernel, and without limits its memory,
its processors and the engine's disk are that machine's own. A fault in what is shared would be one in the machine of
whoever tests, so it is refused. The kernel tells: a boot id is one kernel's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infratest.acts.base import Access, succeeded
from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ActError
from infratest.facts.base import Answer, Argument, Fact
from infratest.facts.process import Processes, unsure
from infratest.facts.process.names import Process
from infratest.plugins import builtin

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
#: Providers whose hosts have a kernel of their own, for messages.
OWN_KERNEL = "a virtual machine has its own (provider: qemu, libvirt, virtualbox, cloud)"
#: Where a fault keeps what its undo needs: gone with the boot, as what it was about is.
KEPT = "/run/infratest-"
#: The same of what outlives a boot: on a disk.
KEPT_ON_DISK = "/var/lib/infratest-"

#: $1: the kept process id of a session; $2: the shell's text that it runs, $3 ...: its arguments.
BACKGROUND = """pid=$1 text=$2
shift 2
command -v setsid >/dev/null || { echo 'setsid is not installed on this host' >&2; exit 1; }
setsid sh -c 'echo $$ >"$0"; text=$1; shift; eval "$text"' "$pid" "$text" "$@" </dev/null >/dev/null 2>&1 &
i=0
until [ -s "$pid" ]; do
  [ $i -lt 100 ] || { echo "nothing can be kept in $pid" >&2; exit 1; }
  i=$((i + 1))
  sleep 0.05
done"""
#: Ends that session, all of it; fine where it has ended.
END = """[ -f "$1" ] || exit 0
pid=$(cat "$1") && [ "$pid" -gt 1 ] || exit
[ ! -d "/proc/$pid" ] || kill -s KILL -- "-$pid" || exit
rm -f -- "$1\""""

#: The same of several.
END_EACH = f"""failed=0
for one; do
  (
    set -- "$one"
    {END}
  ) || failed=1
done
exit $failed"""


def token() -> str:
    """Return what tells this fault's files and rules from all others'."""
    return secrets.token_hex(4)


def shares_kernel(access: Access, deadline: Deadline) -> bool:
    """Whether the host's kernel is the one that infratest runs on. Raises ActError: the host does not tell."""
    theirs = line(access, ["cat", str(BOOT_ID)], deadline)
    return theirs == BOOT_ID.read_text("ascii").strip()


def refuse_shared_kernel(access: Access, deadline: Deadline, what: str) -> None:
    """Raise ActError where the host has no kernel of its own."""
    if shares_kernel(access, deadline):
        raise ActError(
            f"{what} of {access.host} is that of the machine infratest runs on, of one kernel: it is left alone; "
            f"{OWN_KERNEL}"
        )


def refuse_shared_network(access: Access, deadline: Deadline) -> None:
    """Raise ActError where the host has no network of its own."""
    if shares_kernel(access, deadline):
        ours = str(Path("/proc/self/ns/net").readlink())
        if line(access, ["readlink", "/proc/self/ns/net"], deadline) == ours:
            raise ActError(
                f"the network of {access.host} is that of the machine infratest runs on: it is left alone; a container "
                f"has its own (provider: container), and {OWN_KERNEL}"
            )


def line(access: Access, command: Sequence[str], deadline: Deadline) -> str:
    """Return the one line that a command prints. Raises ActError: it fails, or prints nothing."""
    result = access.run(command, deadline)
    succeeded(result, " ".join(command))
    text = decoded(result.stdout).strip()
    if not text or "\n" in text:
        raise ActError(f"{' '.join(command)}: one line was expected, it printed {clean(text, 200) or 'nothing'!r}")
    return text


def looked(access: Access, deadline: Deadline, name: str, argument: Argument = ()) -> Any:
    """Return a fact of the host as it is now. Raises ActError, FactError: it cannot be read."""
    fact: Fact = builtin("fact", name)()
    result = access.run(["env", "LC_ALL=C", "sh", "-c", fact.ask([argument])], deadline)
    answer = Answer(result.exit, decoded(result.stdout), decoded(result.stderr), result.truncated)
    return fact.read(answer, [argument])[argument]


def begin(access: Access, deadline: Deadline, id: str, text: str, *arguments: str) -> None:
    """Have a shell go on with a text on the host, in a session of its own that `ending(id)` ends."""
    command = ["sh", "-c", BACKGROUND, "sh", f"{KEPT}{id}.pid", text, *arguments]
    succeeded(access.run(command, deadline), "sh")


def ending(*ids: str) -> tuple[str, ...]:
    """Return the command that ends what `begin` began, of each id."""
    return ("sh", "-c", END if len(ids) == 1 else END_EACH, "sh", *[f"{KEPT}{id}.pid" for id in ids])


def pids(access: Access, deadline: Deadline, name: str, done: str) -> list[str]:
    """Return the ids of the processes of a name. Raises ActError: there are none, or it is not certain which."""
    processes: Processes = looked(access, deadline, "process")
    if perhaps := processes.perhaps(name):
        raise ActError(f"{unsure(name, perhaps)}; nothing was {done}")
    named: list[Process] = processes.named(name)
    if not named:
        raise ActError(f"no process is named {name!r}: nothing was {done}")
    return [str(process.pid) for process in named]
