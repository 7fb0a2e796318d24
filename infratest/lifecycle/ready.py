"""When a host is ready: a command over its transport answers, then its `ready:` sentences hold. For the lifecycle.

What can pass by itself while a machine boots is tried again: no route, refused, a connection that is lost, a login
that is refused for the first seconds. What cannot (a changed host key, a host that stopped by itself) ends it at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from infratest.deadline import Deadline
from infratest.errors import AccessRefused, HostKeyRefused, InfratestError, ProviderError, TransportError, Unreachable
from infratest.hosts import RUNNING, Host
from infratest.stack.open import open_transport

#: Runs sentences on a host; returns nothing where they hold, else what does not, and why.
Ready = Callable[[Host, tuple[str, ...], Deadline], str]
#: Returns the host as its provider sees it now.
Look = Callable[[], Host]

ATTEMPT = 10.0  # seconds for one login and command
FIRST_PAUSE, LAST_PAUSE = 0.1, 1.0  # seconds between two attempts
LOOK_EVERY = 2.0  # seconds between two questions to the provider
LOGIN_REFUSED = 10.0  # seconds: a booting host refuses logins until it is up, a wrong key for ever


def await_ready(
    look: Look,
    sentences: tuple[str, ...],
    ready: Ready | None,
    deadline: Deadline,
    say: Callable[[str], None],
    answered: Callable[[Host], None] | None = None,
) -> Host:
    """Wait until a host is ready and return it.

    Args:
        answered: called once it answers, before its sentences are asked.
    Raises:
        Unreachable, TransportError: it did not answer before the deadline, or shut us out.
        ProviderError: it stopped by itself, or a `ready:` sentence did not come to hold.
    """
    say("waiting for an answer")
    host = _answering(look, deadline)
    if answered is not None:
        answered(host)
    if not sentences:
        return host
    if ready is None:
        raise ProviderError(f"{host.name}: has `ready:` sentences, and whoever called has nothing to run them with")
    say("checking `ready:`")
    pause = FIRST_PAUSE
    while reason := ready(host, sentences, deadline):
        if deadline.passed:
            raise ProviderError(f"{host.name}: `ready:` did not come to hold: {reason}; look with `infratest ssh`")
        time.sleep(min(pause, deadline.left))
        pause = min(pause * 2, LAST_PAUSE)
    return host


def _answering(look: Look, deadline: Deadline) -> Host:
    host, looked = look(), time.monotonic()
    began, pause = time.monotonic(), FIRST_PAUSE
    while True:
        if host.state != RUNNING:
            raise ProviderError(f"{host.name}: {host.state} before it had answered; its provider's log may say why")
        try:
            _ask(host, deadline.at_most(ATTEMPT))
            return host
        except HostKeyRefused:
            raise
        except AccessRefused:
            if time.monotonic() - began > LOGIN_REFUSED:
                raise
            problem: InfratestError = AccessRefused(f"{host.name}: login refused")
        except TransportError as error:
            problem = error
        if deadline.left <= pause:
            raise Unreachable(
                f"{host.name}: no command was answered within {time.monotonic() - began:.0f} s: {problem}"
            )
        time.sleep(pause)
        pause = min(pause * 2, LAST_PAUSE)
        if time.monotonic() - looked > LOOK_EVERY:
            host, looked = look(), time.monotonic()


def _ask(host: Host, deadline: Deadline) -> None:
    transport = open_transport(host)
    try:
        transport.open(deadline)
        result = transport.run(["true"], deadline)
    finally:
        transport.close()
    if result.exit != 0:
        raise TransportError(f"{host.name}: `true` ended with exit {result.exit}")
