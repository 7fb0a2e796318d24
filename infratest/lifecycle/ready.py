"""When hosts are ready: a command over the transport answers, then the `ready:` sentences hold. For the lifecycle.

All that come up together are waited for in one place: one question to the provider a tick tells how all of them are,
and an attempt to log in takes a worker only while it lasts, so that a hundred boots take no longer than one. What can
pass by itself while a machine boots is tried again: no route, refused, a connection that is lost, a login that is
refused for the first seconds. What cannot (a changed host key, a host that stopped by itself or that its provider gave
up) ends it at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from infratest.clock import Clock
from infratest.deadline import Deadline
from infratest.errors import (
    AccessRefused,
    HostKeyRefused,
    InfratestError,
    NoShell,
    ProviderError,
    TransportError,
    Unreachable,
)
from infratest.hosts import DOWN, FAILED, RUNNING, STARTING, Host
from infratest.lifecycle import first_boot
from infratest.lifecycle.login_key import ATTEMPT
from infratest.lifecycle.stopping import GRACE, TICK, Done, Stop, too_late
from infratest.providers._settling import Settling
from infratest.providers.base import HostSpec
from infratest.stack.open import open_transport

log = logging.getLogger(__name__)

#: Runs sentences on a host; returns nothing where they hold, else what does not, and why.
Ready = Callable[[Host, tuple[str, ...], Deadline], str]
#: Returns hosts as their provider sees them now.
Look = Callable[[Sequence[HostSpec]], list[Host]]
#: Told of a host by its name: a phase, and more words.
Say = Callable[[str, str, str], None]

FIRST_PAUSE, LAST_PAUSE = 0.1, 1.0  # seconds between two attempts
FIRST_LOOK, LAST_LOOK = 0.5, 2.0  # seconds between two questions to the provider: the tick, which grows
LOGIN_REFUSED = 10.0  # seconds: a booting host refuses logins until it is up, a wrong key for ever


@dataclass(kw_only=True, eq=False)
class Awaited:
    """A host that is waited for.

    Args:
        limit: when it is late. before: what to say once it is ready. host: as its provider saw it last.
    """

    spec: HostSpec
    limit: Deadline
    before: str = ""
    host: Host | None = None
    pause: float = FIRST_PAUSE
    due: float = 0.0  # of its next attempt
    down: Settling | None = None  # while its provider says that it is
    refused_since: float | None = None
    answered: bool = False
    ready: bool = False
    problem: str = ""  # of its last attempt, in words
    error: InfratestError | None = None  # of its last attempt, where it cannot pass by itself
    done: Done[HostSpec, None] = field(init=False)

    def __post_init__(self) -> None:
        self.done = Done(item=self.spec)

    def end(self, error: InfratestError | None = None) -> None:
        self.done.error, self.done.ended = error, True


class Waiting:
    """Hosts that are waited for together.

    Args:
        look: asks the provider. settles: seconds for which its word that a host is down may be an old one. ready: runs
        `ready:` sentences. failed: set by the first host that fails, so that the others are no longer waited for.
        answered: called once a host answers, before its sentences are asked. refused: called when a host refuses the
        login; returns whether it let us in by another key, and lets in the stack's own now. last_words: returns what
        to say below the error of a host that does not come up. seeded: cloud-init may read on it what it is told at its
        first boot. insists: a host is not ready where that failed.
    """

    def __init__(
        self,
        hosts: Sequence[Awaited],
        *,
        look: Look,
        settles: float,
        ready: Ready | None,
        jobs: int,
        failed: Stop,
        clock: Clock,
        say: Say,
        answered: Callable[[Awaited, Host], None],
        refused: Callable[[Host, Deadline], bool],
        last_words: Callable[[str], str],
        seeded: bool = False,
        insists: bool = False,
    ) -> None:
        self._hosts = hosts
        self._look = look
        self._settles = settles
        self._ready = ready
        self._jobs = jobs
        self._failed = failed
        self._clock = clock
        self._say = say
        self._answered = answered
        self._refused = refused
        self._last_words = last_words
        self._seeded = seeded
        self._insists = insists
        self._began = clock.monotonic()
        self._workers = clock.workers()
        self._busy: set[int] = set()

    def all(self) -> list[Done[HostSpec, None]]:
        """Wait until all are ready, or one of them never will be, and return what came of each.

        Errors of hosts: Unreachable, TransportError: it did not answer before its limit, or shut us out.
        ProviderError: it is down, or a `ready:` sentence did not come to hold.
        """
        for one in self._hosts:
            self._say(one.spec.name, "waiting", "waiting for an answer")
        tick = FIRST_LOOK
        while (left := self._left()) and not self._failed.is_set:
            asked = self._clock.monotonic()
            hosts = self._look([one.spec for one in left])
            # A tick is from question to question, whatever an answer takes; a slow provider is still left in peace.
            next_look = max(asked + tick, self._clock.monotonic() + FIRST_LOOK)
            for one, host in zip(left, hosts, strict=True):
                self._see(one, host, asked)
            while not self._failed.is_set and self._left() and self._clock.monotonic() < next_look:
                self._begin()
                self._collect(next_look)
            tick = min(tick * 2, LAST_LOOK)
        self._end()
        return [one.done for one in self._hosts]

    def _left(self) -> list[Awaited]:
        return [one for one in self._hosts if not one.done.ended]

    def _see(self, one: Awaited, host: Host, asked: float) -> None:
        """Take down how its provider sees a host, and give up one that cannot come up any more.

        Args:
            asked: when, by the clock's `monotonic`.
        """
        if host != one.host:  # it runs now, or is elsewhere: what was tried before says little
            one.due, one.pause = self._clock.monotonic(), FIRST_PAUSE
        one.host = host
        if host.state not in DOWN:
            one.down = None
        elif host.state == FAILED:
            self._fail(one, ProviderError(f"{host.name}: its provider gave it up: {host.reason or 'no reason given'}"))
        else:
            one.down = one.down or Settling(self._settles)
            if one.down.said(asked, self._clock.monotonic()):
                words = f" ({host.reason})" if host.reason else ""
                words = f"{host.name}: {host.state}{words} before it had answered; its provider's log may say why"
                self._fail(one, ProviderError(words))
        if host.state == STARTING and one.limit.passed:
            words = f"its provider has not brought it to run within {self._waited()}"
            why = f": {host.reason}" if host.reason else ""
            self._fail(one, Unreachable(f"{host.name}: {words}{why}"))

    def _begin(self) -> None:
        """Begin the attempts that are due, as many as there are workers for."""
        now = self._clock.monotonic()
        for number, one in enumerate(self._hosts):
            due = not one.done.ended and number not in self._busy and one.due <= now
            if due and one.host is not None and one.host.state == RUNNING and len(self._busy) < self._jobs:
                self._busy.add(number)
                self._workers.begin(number, partial(self._attempt, one, one.host))

    def _collect(self, until: float) -> None:
        """Wait for an attempt that ends, and see what came of it; no longer than to the next one that is due."""
        now = self._clock.monotonic()
        idle = [one for number, one in enumerate(self._hosts) if number not in self._busy and not one.done.ended]
        dues = [one.due for one in idle if one.host is not None and one.host.state == RUNNING]
        wait = min([TICK, until - now, *(due - now for due in dues if due > now)])
        number = self._workers.ended(max(0.0, wait))
        if number is None:
            return
        self._busy.discard(number)
        one = self._hosts[number]
        if one.error is not None:
            self._fail(one, one.error)
        elif one.ready:
            one.end()
            self._say(one.spec.name, "ready", one.before)
        elif self._failed.is_set:
            return  # its time was cut, it is not late
        elif one.limit.left <= one.pause:
            self._fail(one, self._late(one))
        else:
            one.due = self._clock.monotonic() + one.pause
            one.pause = min(one.pause * 2, LAST_PAUSE)

    def _attempt(self, one: Awaited, host: Host) -> None:
        """Try once, in a thread."""
        one.error = InfratestError(
            f"{host.name}: ended by a defect in infratest or in a plugin; see its traceback above"
        )
        try:
            if not one.answered:
                with suppress(NoShell):  # it runs: no command will ever answer
                    self._judge_boot(host, _ask(host, one.limit, boots=self._seeded and not one.before))
                self._answered(one, host)
                one.answered, one.pause = True, FIRST_PAUSE
                if one.spec.ready:
                    self._say(host.name, "waiting", "checking `ready:`")
            one.problem = self._unready(one, host)
            one.ready, one.error = not one.problem, None
        except AccessRefused as refused:
            self._shut_out(one, host, refused)
        except TransportError as problem:
            one.problem = str(problem)
            one.error = problem if isinstance(problem, HostKeyRefused) else None
        except InfratestError as problem:
            one.error = problem
        except OSError as problem:
            one.error = InfratestError(f"{host.name}: {problem}")

    def _judge_boot(self, host: Host, problems: Sequence[str]) -> None:
        """Tell what cloud-init says of a host. Raises ProviderError: it is not what it was to be, and that matters."""
        if not problems:
            return
        words = f"{host.name}: cloud-init says: {'; '.join(problems)}"
        if self._insists:
            raise ProviderError(f"{words}; so it may not power itself off, as `budget: {{enforce: guest}}` asks")
        log.warning("%s; what its user data ask for may not be so: see `cloud-init status --long` there", words)

    def _shut_out(self, one: Awaited, host: Host, refused: AccessRefused) -> None:
        """See what a refused login means: a host that comes back as it was before may know a former key alone."""
        one.problem, one.error = f"{host.name}: login refused", None
        with suppress(InfratestError):  # it is tried again
            if self._refused(host, one.limit):
                self._say(host.name, "waiting", "knew a former key of the stack, and has the present one now")
                one.refused_since = None
                return
        now = self._clock.monotonic()
        one.refused_since = now if one.refused_since is None else one.refused_since
        one.error = refused if now - one.refused_since > LOGIN_REFUSED else None

    def _unready(self, one: Awaited, host: Host) -> str:
        if not one.spec.ready:
            return ""
        if self._ready is None:
            raise ProviderError(f"{host.name}: has `ready:` sentences, and whoever called has nothing to run them with")
        return self._ready(host, one.spec.ready, one.limit)

    def _late(self, one: Awaited) -> InfratestError:
        name = one.spec.name
        if one.answered:
            return ProviderError(f"{name}: `ready:` did not come to hold: {one.problem}; look with `infratest ssh`")
        return Unreachable(f"{name}: no command was answered within {self._waited()}: {one.problem}")

    def _waited(self) -> str:
        return f"{self._clock.monotonic() - self._began:.0f} s"

    def _fail(self, one: Awaited, error: InfratestError) -> None:
        if one.done.ended:
            return
        if isinstance(error, HostKeyRefused) and not one.before:
            words = "A host that was made just now shows another key where its first boot did not read its user data"
            error = HostKeyRefused(f"{error}. {words}")
        if isinstance(error, ProviderError | TransportError):
            error = type(error)(f"{error}{self._last_words(one.spec.name)}")
        one.end(error)
        self._failed.set(str(error))

    def _end(self) -> None:
        """Let what is in hand end; it was told to stop. What is not ready then says why, as far as that is known."""
        causes = [self._so_far(one) for one in self._hosts]  # an attempt that is cut off says that alone
        unready = self._left()
        cut = self._clock.monotonic() + GRACE
        while self._busy and self._clock.monotonic() < cut:
            ended = self._workers.ended(TICK)
            if ended is not None:
                self._busy.discard(ended)
        for number, one in enumerate(self._hosts):
            if number in self._busy:
                one.done.error = too_late(one.spec.name, GRACE)
            elif one in unready:
                one.done.error = InfratestError(causes[number])

    def _so_far(self, one: Awaited) -> str:
        """Return in words that a host is not ready, and what its last attempt came to."""
        name, host = one.spec.name, one.host
        if host is None or host.state != RUNNING:
            return f"{name}: not running yet after {self._waited()}"
        at = f"{host.options.get('address') or host.address or name} port {host.options.get('port') or 22}"
        where = f" at {at}" if host.transport in ("ssh", "openssh") else ""
        return f"{name}: not ready after {self._waited()}: {one.problem or f'no answer yet{where}'}"


def _ask(host: Host, limit: Deadline, boots: bool) -> list[str]:
    """Have a host answer a command, and return what went wrong with its boot.

    Args:
        boots: it was started just now, so that cloud-init may have something to say, and need its time for that.
    """
    seconds = int(min(first_boot.SECONDS, limit.left / 2)) if boots else 0
    whole = limit.at_most(ATTEMPT + seconds)
    transport = open_transport(host)
    try:
        transport.open(whole.at_most(ATTEMPT))
        result = transport.run(first_boot.question(seconds) if boots else ["true"], whole)
    finally:
        transport.close()
    if result.exit != 0:
        raise TransportError(f"{host.name}: its first command ended with exit {result.exit}")
    return first_boot.problems(result.stdout.decode("utf-8", "replace"))
