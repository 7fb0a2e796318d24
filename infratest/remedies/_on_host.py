"""A shell command of a remedy, run on the host: what every remedy over a connection does the same way."""

from __future__ import annotations

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import HealError, TransportError
from infratest.remedies.base import Outcome, Surroundings


def run_shell(command: str, what: str, surroundings: Surroundings, deadline: Deadline) -> Outcome:
    """Run a command by `sh -c`, as root where the host says sudo, and return what it said.

    Args:
        what: the remedy in a few words, for the message.
    Raises:
        HealError: no way to the host, no answer in time, or an exit status other than 0.
    """
    host, transport = surroundings.host, surroundings.transport
    if transport is None:
        raise HealError(f"{what}: there is no connection to {host.name}")
    try:
        result = transport.run(["sh", "-c", command], deadline, sudo=host.sudo)
    except TransportError as error:
        raise HealError(f"{what} on {host.name}: {error}") from error
    words = clean(decoded(result.stderr or result.stdout), 500)
    if result.exit != 0:
        raise HealError(f"{what} on {host.name}: exit {result.exit}: {words or 'it said nothing'}; ran: {command}")
    return Outcome(words=words or "done", command=command)
