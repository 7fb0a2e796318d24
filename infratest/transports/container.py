"""The transport into a container by its engine: `docker exec` or `podman exec`.

Loaded by name for hosts of the `container` provider that run no sshd. The container needs a POSIX `sh`. A deadline
kills in the container too: each command carries a mark in its environment, by which all it has started is found.

`cost`: one login at `open` (the look whether the container runs), one round trip a command (one `exec`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import ConnectionLost, DeadlineExceeded, NoShell, TransportError, Unreachable
from infratest.hosts import Host
from infratest.options import build
from infratest.transports import _mark
from infratest.transports._program import NOT_FOUND, Ended, Program
from infratest.transports._streams import shown
from infratest.transports.base import CommandResult, Transport

#: Seconds that a container has to show that it still takes commands.
LAST_WAIT = 5.0

#: How engines begin their own words, which are no words of the command.
ENGINE_WORDS = (b"Error", b"Cannot connect to the Docker daemon", b"OCI runtime", b"error during connect")

#: What they say, in lower case, where the container has no such program: docker's runc, podman's crun.
NO_PROGRAM = ("not found", "no such file")

RUNNING, STOPPED = b"true", b"false"

#: Runs a command that is given an input, and reads what it leaves of it: docker's client takes what it cannot hand on
#: for a failure of its own, and ends with 1. The shell's own words (that a signal ended the command) go nowhere.
FED = (
    'case $1 in sudo) "$@"; s=$?;; *) exec 3>&2 2>/dev/null; (exec "$@") 2>&3 3>&-; s=$?;; esac; '
    "cat >/dev/null; exit $s"
)


@dataclass(frozen=True)
class Options:
    """Options of the container transport."""

    engine: str = field(default="docker", metadata={"description": "the engine's command: docker, podman or a path"})
    container: str = field(
        default="", metadata={"description": "id or name of the container; default the host's address, else its name"}
    )
    user: str = field(default="", metadata={"description": "user in the container; default the image's"})
    host: str = field(default="", metadata={"description": "address of docker's socket, as DOCKER_HOST"})


class Container(Transport):
    """Runs commands in a container of this machine's engine."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._options = build(Options, host.options, f"transport container of host {host.name}")
        self._container = self._options.container or host.address or host.name
        self._open = False
        self._running: Program | None = None

    def open(self, deadline: Deadline) -> None:
        """Look whether the engine answers and the container runs."""
        if not self._is_running(deadline):
            raise Unreachable(
                f"host {self.host.name} cannot be reached: container {self._container} is there and does not run; "
                f"start it with `{self._options.engine} start {self._container}`"
            )
        self._open = True
        self.cost.logins += 1

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list in the container; the deadline kills what it has started there."""
        if not self._open:
            raise TransportError(f"{self.host.name}: the transport is not open; call open() before execute()")
        mark = secrets.token_hex(8)
        user = ("--user", self._options.user) if self._options.user else ()
        self.cost.commands += 1
        self.cost.round_trips += 1
        marked = ["exec", "-i", "-e", f"{_mark.NAME}={mark}", *user, self._container]
        run = FED if stdin else _mark.RUN
        ended = self._engine([*marked, "sh", "-c", run, "sh", *command], stdin, deadline, self.on_output)
        if ended.cut:
            self.cost.commands += 1
            self.cost.round_trips += 1
            killing = _mark.kill_command(mark, list(command))
            self._engine(["exec", *user, self._container, *killing], b"", Deadline(_mark.LAST_WAIT))
            late = DeadlineExceeded(
                f"container {self._container} of host {self.host.name}: no end within {deadline.seconds:.3g} s, "
                f"killed: {shown(command)}; give it more time with --timeout"
            )
            late.partial = ended.result.stdout
            raise late
        self._raise_engine(ended.result, command)
        return ended.result

    def close(self) -> None:
        """End what still runs (it may be called from another thread)."""
        self._open = False
        if self._running is not None:
            self._running.kill()

    def _engine(
        self,
        arguments: Sequence[str],
        stdin: bytes,
        deadline: Deadline,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Ended:
        host = ["--host", self._options.host] if self._options.host else []
        self._running = Program([self._options.engine, *host, *arguments], stdin, on_output=on_output)
        try:
            return self._running.run(deadline)
        except ValueError as error:
            raise TransportError(f"{self.host.name}: {error}") from error
        finally:
            self._running = None

    def _raise_engine(self, result: CommandResult, command: Sequence[str]) -> None:
        """Raise where the engine failed and not the command: it says so in words, or the container is gone."""
        # Docker writes its runtime's words to standard output, its own to standard error.
        said = next((text for text in (result.stderr, result.stdout) if text.startswith(ENGINE_WORDS)), b"")
        killed = result.exit == 128 + 9 or not self._open
        if result.exit == 0 or not (killed or said) or (self._open and self._takes_commands()):
            return
        where, words = f"container {self._container} of host {self.host.name}", clean(decoded(said), 300)
        if words.startswith("OCI runtime") and any(phrase in words.lower() for phrase in NO_PROGRAM):
            raise NoShell(f"{where} cannot run a shell: {words}; the transport needs a POSIX sh in the image")
        if said:
            raise ConnectionLost(f"{where} takes no commands any more: {words}")
        lost = ConnectionLost(f"{where} stopped in the middle of: {shown(command)}")
        lost.partial = result.stdout
        raise lost

    def _takes_commands(self) -> bool:
        """Whether another command runs: an engine still says `running` for a while of a container that has died."""
        self.cost.commands += 1
        self.cost.round_trips += 1
        ended = self._engine(["exec", self._container, "sh", "-c", ":"], b"", Deadline(LAST_WAIT))
        return not ended.cut and ended.result.exit == 0

    def _is_running(self, deadline: Deadline) -> bool:
        ended = self._engine(
            ["inspect", "--type", "container", "-f", "{{.State.Running}}", self._container], b"", deadline
        )
        engine, result = self._options.engine, ended.result
        words = clean(decoded(result.stderr), 300)
        if ended.cut:
            raise DeadlineExceeded(f"{engine} did not answer within {deadline.seconds:.3g} s: is its daemon alive?")
        if result.exit == 0 and result.stdout.strip() in (RUNNING, STOPPED):
            return result.stdout.strip() == RUNNING
        if "no such container" in words.lower():
            raise Unreachable(
                f"host {self.host.name} cannot be reached: there is no container {self._container}; "
                f"`{engine} ps -a` lists what there is"
            )
        if result.exit == NOT_FOUND:
            raise TransportError(f"the container engine {engine!r} is not installed here; `infratest doctor` says how")
        raise TransportError(f"{engine} cannot say whether container {self._container} runs: {words}")
