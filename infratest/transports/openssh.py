"""The transport by the system's own `ssh`: for what only that can do (ProxyCommand, hardware keys, its own policies).

Loaded by name for hosts with `transport: openssh`. One master process a host and run logs in and serves every command
over a socket in a private folder of this run; it ends with the run, by its process id. `ssh` reads the user's
ssh_config itself, wherever the options say nothing else. It offers the post-quantum key exchange that it prefers, which
costs a quarter of a second of processor time a login where `kex` does not name another.

What a host sees is what the `ssh` transport by libssh2 gives it: the marker first, and last the status on the standard
error (`_mark.TELL`), because `ssh` exits 255 for a failure of its own and for a command's 255 alike.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import AccessRefused, DeadlineExceeded, HostKeyRefused, TransportError, Unreachable
from infratest.hosts import Host
from infratest.options import build
from infratest.paths import path_of
from infratest.process_tree import reap, signals_held
from infratest.quoting import command_line
from infratest.transports import _mark
from infratest.transports._program import NOT_FOUND, Ended, Program
from infratest.transports._streams import Kept, MarkedStream
from infratest.transports.base import OUTPUT_LIMIT, CommandResult, Transport, require_address
from infratest.transports.ssh import errors
from infratest.transports.ssh.command import through, trusting
from infratest.transports.ssh.config import Destination, look_up
from infratest.transports.ssh.script import typed

READY = b"infratest-ready\n"

#: Bytes of a stream that are read beyond the bound: the noise of a profile, and the status at the end.
BEYOND = 4 * 2**20

#: Seconds that the master has to end once it is told to.
LAST_WAIT = 2.0

#: Seconds that `ssh -G` has to say what leads to a host that was not reached.
ASKING = 5.0

#: What `ssh` says where a jump host was reached and the host behind it was not.
BEHIND = "stdio forwarding failed"

#: Settings of the master that its jump hosts need too.
FOR_JUMPS_TOO = ("BatchMode", "ConnectTimeout", "KexAlgorithms")

#: `ssh` exits so when it failed itself, or the command exited so.
SSH_FAILED = 255

#: Words of `ssh` in lower case -> what they mean. The first that is found counts.
MEANINGS = (
    (("host key verification failed", "host identification has changed", "host key is known for"), HostKeyRefused),
    (("permission denied", "too many authentication failures"), AccessRefused),
    (("could not resolve hostname",), TransportError),
    (
        (
            "connection refused",
            "no route to host",
            "network is unreachable",
            "timed out",
            "kex_exchange_identification: connection closed",
            "kex_exchange_identification: read: connection reset",
        ),
        Unreachable,
    ),
)


@dataclass(frozen=True)
class Options:
    """Options of the openssh transport; what is left out comes from ssh_config, read by ssh itself."""

    program: str = field(default="ssh", metadata={"description": "the ssh to run: a name or a path"})
    address: str = field(default="", metadata={"description": "name or address to connect to"})
    port: int | None = field(default=None, metadata={"description": "TCP port of sshd"})
    user: str = field(default="", metadata={"description": "login name"})
    key: str = field(default="", metadata={"description": "path of the private key; then no other is tried"})
    known_hosts: str = field(default="", metadata={"description": "path of the only known_hosts file to trust"})
    host_key_alias: str = field(default="", metadata={"description": "name of the host in known_hosts"})
    jump: str = field(default="", metadata={"description": "jump hosts: [user@]host[:port], comma between, or none"})
    config: str = field(default="", metadata={"description": "path of the ssh_config to read instead, or none"})
    agent: bool = field(default=True, metadata={"description": "use the keys of the SSH agent"})
    pin: bool = field(default=False, metadata={"description": "pin an unknown host key at first use"})
    kex: str = field(
        default="", metadata={"description": "key exchanges to offer, as KexAlgorithms; default ssh's own"}
    )
    connect_timeout: float = field(
        default=10.0, metadata={"dimension": "time", "description": "longest wait for TCP and the first word"}
    )


class Openssh(Transport):
    """Runs commands on a host by the system's ssh."""

    keeps = True

    @classmethod
    def elsewhere(cls, options: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return them without pinning (`ssh` says why); None where the program is not the usual one."""
        return dict(options) | {"pin": False} if options.get("program", "ssh") == "ssh" else None

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._options = build(Options, host.options, f"transport openssh of host {host.name}")
        published = host.endpoints.get(22)
        options = self._options
        self._address = options.address or (published[0] if published else host.address) or host.name
        self._port = options.port or (published[1] if published and not options.address else None)
        port = f" port {self._port}" if self._port else ""
        user = f", user {options.user}" if options.user else ""
        self._where = f"host {host.name} ({self._address}{port}{user})"
        self._folder = ""
        self._master: subprocess.Popen[bytes] | None = None
        self._running: Program | None = None

    def open(self, deadline: Deadline) -> None:
        """Start the master and wait until it is logged in."""
        require_address(self.host, self._options.address)
        self._folder = tempfile.mkdtemp(prefix="infratest-")  # 0700; in /tmp, because a socket's path must be short
        words = Kept()
        try:
            with signals_held():
                self._master = self._started(deadline)
            if not self._ready(self._master, words, deadline):
                raise DeadlineExceeded(f"{self._where}: ssh did not log in within {deadline.seconds:.3g} s")
            if self._master.poll() is not None:
                raise self._refused(decoded(words.data))
        except BaseException:
            self.close()
            raise
        self.cost.logins += 1

    def _started(self, deadline: Deadline) -> subprocess.Popen[bytes]:
        command = [self._options.program, *self._arguments(deadline), "--", self._address]
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, "SHELL": "/bin/sh"},  # what LocalCommand is run by
            )
        except (OSError, ValueError) as error:
            raise TransportError(
                f"{self._where}: {command[0]} cannot be started ({error}); install it with: "
                "apt-get install openssh-client, or use the transport ssh"
            ) from error

    def _arguments(self, deadline: Deadline) -> list[str]:
        options = self._options
        patience = max(1, ceil(min(options.connect_timeout, deadline.left)))
        given = {
            "ControlMaster": "yes",
            "ControlPath": self._socket,
            "ControlPersist": "no",
            "PermitLocalCommand": "yes",
            "LocalCommand": f"echo {READY.decode().strip()}",
            "BatchMode": "yes",
            "ConnectTimeout": str(patience),
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "ClearAllForwardings": "yes",
            "HostKeyAlias": options.host_key_alias,
            "KexAlgorithms": options.kex,
            "Port": str(self._port or ""),
            "User": options.user,
        }
        words = trusting(
            config=options.config,
            key=options.key,
            known_hosts=options.known_hosts,
            agent=options.agent,
            pin=options.pin,
        )
        common = [*words, *_settings({name: given.pop(name) for name in FOR_JUMPS_TOO})]
        return ["-N", "-T", *common, *through(options.jump, common, options.program), *_settings(given)]

    @property
    def _socket(self) -> str:
        return f"{self._folder}/master"

    def _ready(self, master: subprocess.Popen[bytes], words: Kept, deadline: Deadline) -> bool:
        """Return False when the deadline came before the master was ready, or had ended."""
        out, err = master.stdout, master.stderr
        if out is None or err is None:
            return False
        said = b""
        poll = select.poll()
        poll.register(out, select.POLLIN)
        poll.register(err, select.POLLIN)
        while READY not in said:
            if not (events := poll.poll(deadline.left * 1000)):
                return False
            for number, _ in events:
                data = os.read(number, 4096)
                if number == out.fileno():
                    said += data
                else:
                    words.feed(data)
                if not data:
                    poll.unregister(number)
                    if number == err.fileno():
                        with suppress(subprocess.TimeoutExpired):
                            master.wait(deadline.left)
                        return master.returncode is not None
        return True

    def _refused(self, said: str) -> TransportError:
        words, lower = clean(" ".join(said.split()), 400), said.lower()
        kind = next((kind for signs, kind in MEANINGS if any(sign in lower for sign in signs)), TransportError)
        way = self._through() if kind is Unreachable and BEHIND not in lower else ""
        if way:
            return TransportError(
                f"{self._where} could not be logged in to through {way}: {words} (a jump host, or the command in its "
                "place: whether the host behind it is up is not known)"
            )
        trouble = "cannot be reached" if kind is Unreachable else "could not be logged in to"
        return kind(f"{self._where} {trouble} by {self._options.program}: {words or 'it ended without a word'}")

    def _through(self) -> str:
        """Return what leads to the host, by the stack or by ssh_config; nothing where it is connected to directly."""
        options = self._options
        if options.jump or options.config.lower() == "none":
            return "" if options.jump.lower() == "none" else options.jump
        try:
            config = str(path_of(Path(), options.config).absolute()) if options.config else ""
            said = look_up(Destination(self._address, options.user, self._port, config), "", Deadline(ASKING))
        except TransportError as error:
            return f"ssh_config, which cannot be read ({error})"
        return next((said[way][0] for way in ("proxyjump", "proxycommand") if way in said), "")

    def execute(self, command: Sequence[str], stdin: bytes, deadline: Deadline) -> CommandResult:
        """Run an argument list on a channel of the master's; at the deadline what it has started is killed."""
        mark = os.urandom(8).hex()
        ended, out, err = self._run(mark, command, stdin, deadline)
        if ended.cut and err.status is None:
            if out.begun:
                with suppress(TransportError):
                    self._run(os.urandom(8).hex(), _mark.kill_command(mark, command), b"", Deadline(_mark.LAST_WAIT))
            raise errors.late(self._where, command, deadline, out)
        status = self._status(ended, err)
        if status is None:
            words = clean(decoded(err.noise), 200)
            if out.begun or not self._alive():
                raise errors.lost(self._where, command, out, words)
            raise errors.no_command(self._where, words)
        if not out.begun:
            raise errors.shell_refused(self._where, status, out, err)
        return CommandResult(
            exit=status,
            stdout=out.data,
            stderr=err.data,
            seconds=ended.result.seconds,
            truncated=out.truncated or err.truncated or ended.cut,
        )

    def run_typed(self, line: str, deadline: Deadline, sudo: bool = False) -> CommandResult:
        """Run a line by the user's login shell, as `ssh HOST LINE` does."""
        if sudo:
            return super().run_typed(line, deadline, sudo)
        return self.run(typed(line), deadline)

    def _status(self, ended: Ended, err: MarkedStream) -> int | None:
        """Return the command's status, or None where ssh itself failed."""
        if err.status is not None:
            return err.status
        failed = ended.result.exit == SSH_FAILED or ended.result.exit == 128 + signal.SIGKILL or not self._alive()
        return None if failed else ended.result.exit

    def _run(
        self, mark: str, command: Sequence[str], stdin: bytes, deadline: Deadline
    ) -> tuple[Ended, Kept, MarkedStream]:
        if self._master is None:
            raise TransportError(f"{self.host.name}: the transport is not open; call open() before execute()")
        try:
            line = command_line(["sh", "-c", _mark.TELL, "sh", mark, *command])
        except ValueError as error:
            raise TransportError(f"{self.host.name}: {error}") from error
        self.cost.commands += 1
        self.cost.round_trips += 1
        # Without its master it would connect anew, past all that was verified: the proxy that fails forbids that.
        flags = ["-F", "none", "-S", self._socket, "-o", "ProxyCommand=false", "-o", "BatchMode=yes", "-T"]
        out, err = Kept(mark.encode("ascii") + b"\n", on_data=self.on_output), MarkedStream(mark)
        program = Program(
            [self._options.program, *flags, "--", self._address, line],
            stdin,
            limit=OUTPUT_LIMIT + BEYOND,
            on_output=out.feed,
        )
        self._running = program
        try:
            ended = program.run(deadline)
        finally:
            self._running = None
        if ended.result.exit == NOT_FOUND and not ended.result.stdout and not self._alive():
            raise TransportError(f"{self._where}: {self._options.program} is not there any more")
        err.feed(ended.result.stderr)
        return ended, out, err

    def _alive(self) -> bool:
        return self._master is not None and self._master.poll() is None

    def close(self) -> None:
        """End the master, and with it the connection and what runs over it."""
        master, self._master = self._master, None
        if self._running is not None:
            self._running.kill()
        if master is not None:
            master.terminate()
            try:
                master.wait(LAST_WAIT)
            except subprocess.TimeoutExpired:
                master.kill()
                reap(master)
            for stream in (master.stdout, master.stderr):
                if stream is not None:
                    stream.close()
        folder, self._folder = self._folder, ""
        if folder and Path(folder).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _settings(values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() if value for word in ("-o", f"{name}={value}")]
