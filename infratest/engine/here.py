"""This machine asked by itself: native readers where a fact has one, one shell for the rest. On the plugin's path.

`look_here` serves the collector of many hosts too, for those that are this machine; `Here` is the whole collector of
a run that is about nothing else.
"""

from __future__ import annotations

import os
from time import monotonic

from infratest.cleaning import clean, decoded
from infratest.engine.asked import SNIPPET_SECONDS, Facts, as_failure, askable, asks
from infratest.engine.script import Question, Script, build, read
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts.base import Answer, LooksHere
from infratest.hosts import RUNNING
from infratest.model import Cost
from infratest.sessions import end_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infratest.deadline import Deadline
    from infratest.engine.asked import Ask
    from infratest.engine.tasks import Plan
    from infratest.facts.base import Need
    from infratest.hosts import Host

#: Bytes of the whole answer that are kept (transports/base.py has the same for other hosts).
OUTPUT_LIMIT = 8 * 2**20

#: Of signal(7), alike on all of Linux; the module `signal` imports `enum`, which costs a third of a check.
SIGPIPE = 13


def is_here(host: Host) -> bool:
    """Whether a host is this machine, asked as who we are."""
    return host.transport == "local" and host.state == RUNNING and not host.sudo


def here_alone(plan: Plan) -> str:
    """Return the host of a plan that is about this machine and nothing else and only looks; else an empty text."""
    if len(plan.hosts) != 1 or not all(is_here(host) for host in plan.hosts.values()):
        return ""
    (name,) = plan.hosts
    for task in plan.tasks:
        if task.acting or task.scenario.own:
            return ""
        for step in task.steps:
            if any(look.location != name for look in getattr(step, "looks", ())):
                return ""
    return name


def look_here(location: str, wanted: Sequence[Ask], facts: Facts) -> list[Ask]:
    """Answer what this machine can be asked natively, and return what a shell must answer."""
    left = []
    for ask in wanted:
        if not isinstance(ask.fact, LooksHere):
            left.append(ask)
            continue
        try:
            values = ask.fact.look_here(ask.arguments)
        except Exception as error:  # noqa: BLE001 - a fact's own bug is unknown, and must not end the others
            facts.failed(location, ask, as_failure(ask.name, error))
            continue
        if values is None:
            left.append(ask)
        else:
            facts.looked(location, ask, values)
    return left


class Here:
    """The collector of this machine alone: in order, in this process, without a thread."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._commands = 0

    @property
    def cost(self) -> Cost:
        """What it cost, counted as by the transport `local`: the first command is a login too."""
        return Cost(min(self._commands, 1), self._commands, self._commands)

    def close(self) -> None:
        """Nothing is held."""

    def collect(self, needs: Mapping[str, Iterable[Need]], deadline: Deadline) -> Facts:
        """Ask everything that is needed here and return what came back by the deadline."""
        facts = Facts()
        for location, wanted in needs.items():
            left = look_here(location, asks(wanted), facts)
            if location != self._host:
                for ask in left:
                    facts.failed(location, ask, FactError(f"{ask.name} cannot be looked at from {location} here"))
            elif left:
                self._shell(location, left, deadline, facts)
        return facts

    def _shell(self, location: str, wanted: Sequence[Ask], deadline: Deadline, facts: Facts) -> None:
        seconds = max(1.0, min(SNIPPET_SECONDS, deadline.left - 1))
        asking = askable(location, wanted, facts)
        script = build([Question(snippet, seconds, ask.fact.alone) for ask, snippet in asking])
        began = monotonic()
        self._commands += 1
        output, words = _run(script, deadline)
        told = clean(decoded(words), 300)
        for (ask, _), answer in zip(asking, read(script, output), strict=True):
            if isinstance(answer, Answer):
                facts.answered(location, ask, answer, monotonic() - began)
            elif deadline.passed:
                facts.failed(location, ask, DeadlineExceeded(f"no answer within {deadline.seconds:.3g} s"))
            else:
                facts.failed(location, ask, type(answer)(f"{answer}{f': {told}' if told else ''}"))


def _run(script: Script, deadline: Deadline) -> tuple[bytes, bytes]:
    """Run a script by sh and return both streams, whatever there was of them at the deadline; nothing outlives it."""
    import select

    stdin_read, stdin_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    pid = os.posix_spawn(
        "/bin/sh", ["sh", "-s", script.nonce], os.environ | {"LC_ALL": "C"},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin_read, 0),
            (os.POSIX_SPAWN_DUP2, out_write, 1),
            (os.POSIX_SPAWN_DUP2, err_write, 2),
        ],
        setsid=True,
        setsigdef=[SIGPIPE],
    )  # fmt: skip
    for handle in (stdin_read, out_write, err_write):
        os.close(handle)
    os.set_blocking(stdin_write, False)
    streams: dict[int, bytearray] = {out_read: bytearray(), err_read: bytearray()}
    unsent, open_streams = memoryview(script.text), {out_read, err_read}
    try:
        while open_streams and not deadline.passed:
            writing = [stdin_write] if unsent else []
            readable, writable, _ = select.select(list(open_streams), writing, [], deadline.left)
            if writable:
                unsent = _send(stdin_write, unsent)
                if not unsent:
                    os.close(stdin_write)
            for handle in readable:
                data = os.read(handle, 65536)
                if not data:
                    open_streams.discard(handle)
                elif len(streams[handle]) < OUTPUT_LIMIT:
                    streams[handle] += data
    finally:
        if open_streams:  # at the deadline, or after Ctrl-C
            end_session(pid)
        for handle in (out_read, err_read, *([stdin_write] if unsent else [])):
            os.close(handle)
        os.waitpid(pid, 0)
    return bytes(streams[out_read]), bytes(streams[err_read])


def _send(handle: int, data: memoryview) -> memoryview:
    try:
        return data[os.write(handle, data) :]
    except BrokenPipeError:
        # The shell has gone without reading all of it; what it printed says why.
        return data[len(data) :]
