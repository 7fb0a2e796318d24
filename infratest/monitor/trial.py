"""A real message to one receiver, or result to one sender, to see whether it arrives; what it opens is closed again.

Called by `infratest monitor tell NAME --test` and `send NAME --test`, by itself and not by the running monitor: what
that is handed by its environment (secrets, a proxy) may differ from what this call has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest.alerting.ledger import PROBLEM, RECOVERY, Notice
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UnknownName, unknown
from infratest.model import Observation, Result, StepResult
from infratest.monitor.post import SECONDS
from infratest.plan.tasks import NO_HOST
from infratest.receivers.base import Item, Message, Receiver, Refused, opened
from infratest.senders import base
from infratest.stack.monitor import ReceiverEntry, SenderEntry
from infratest.states import OK, WARNING
from infratest.store.database.ledger import DELIVERED, LOST, REFUSED
from infratest.store.events import RESULT, Event, series

#: The id that a message is about which is a test.
ID = "monitor#test@-"
WORDS = "this is a test message, asked for by {user}: nothing is wrong"
OVER = "the test is over"
#: What a result says that is a test, and the service of other tools that it is about.
TEST, CANARY = "this is a test: nothing was looked at", "infratest-canary"


@dataclass(frozen=True)
class Test:
    """What a message that is no alarm says. id: what it is about. scenario: in words. words: what it says."""

    id: str
    scenario: str
    words: str


@dataclass(frozen=True)
class Tried:
    """What became of a test message.

    Args:
        outcome: as of a notice. whom: the receiver. reason: why it did not arrive; of one that did, whom of those
        behind the receiver it did not reach.
    """

    outcome: str
    whom: str
    reason: str = ""


def asked_for_by(user: str) -> Test:
    """Return what a message says that somebody asked for."""
    return Test(ID, "test of this receiver", WORDS.format(user=user))


def tried(
    receivers: Mapping[str, ReceiverEntry], name: str, folder: Path, place: tuple[str, str], test: Test, now: float
) -> Tried:
    """Send a test message.

    Args:
        receivers: of the stack file. folder: of that. place: stack and environment. test: what it says. now: seconds
        since the epoch.
    Raises:
        UnknownName: no receiver has that name. UserError: it lacks what it needs on this machine.
    """
    entry = receivers.get(name)
    if entry is None:
        raise UnknownName(unknown("receiver", name, sorted(receivers)))
    receiver = opened({entry.kind: entry.options}, entry.where, folder)
    receiver.foresee()
    problem = f"{test.id}/{round(now * 1000)}"
    notice = Notice(name, test.id, problem, now, 1, PROBLEM, WARNING, reason=test.words)
    notices = [notice]
    if receiver.keyed:  # it keeps problems open
        notices.append(Notice(name, test.id, problem, now, 2, RECOVERY, OK, reason=OVER))
    missed = ""
    for each in notices:
        item = Item(notice=each, scenario=test.scenario, since=now)
        outcome, reason = _sent(receiver, Message(stack=place[0], env=place[1], sent=now, items=(item,)))
        if outcome != DELIVERED:
            return Tried(outcome, receiver.describe(), reason)
        missed = missed or reason
    return Tried(DELIVERED, receiver.describe(), missed)


def sent(senders: Sequence[SenderEntry], name: str, folder: Path, place: tuple[str, str], now: float) -> Tried:
    """Send a test result, which is ok, and a number.

    Args:
        senders: of the stack file. folder: of that. place: stack and environment. now: seconds since the epoch.
    Raises:
        UnknownName: no sender has that name. UserError: it lacks what it needs on this machine.
    """
    entry = next((each for each in senders if each.name == name), None)
    if entry is None:
        raise UnknownName(unknown("sender", name, [each.name for each in senders]))
    sender = base.opened(entry.kind, entry.options, entry.where, folder, entry.shared)
    sender.foresee()
    try:
        handed = sender.send([_seen(*place, now)], Deadline(SECONDS))
    except (InfratestError, OSError) as error:
        return Tried(LOST, sender.describe(), str(error))
    if handed.left or not handed.done:
        return Tried(REFUSED, sender.describe(), handed.why)
    return Tried(DELIVERED, sender.describe())


def _seen(stack: str, env: str, now: float) -> base.Seen:
    """Return a result that holds, of the service by which `monitor up` proves that a tool sees what turns red."""
    step = StepResult("the monitor sends", 0, OK, "", (Observation("value", 1.0),))
    result = Result(ID, "", "test of this sender", 0, NO_HOST, OK, TEST, steps=(step,))
    state, labels = series(stack, env, result, "state")
    value, of_value = series(stack, env, result, "value")
    events = (
        Event(now, state, OK, "", {**labels, "kind": RESULT}),
        Event(now, value, 1.0, "", of_value),
    )
    own = f"infratest-{stack}-{env}" if env else f"infratest-{stack}"
    return base.Seen(now, stack, env, events, result, base.Service(own, CANARY, (result,)))


def _sent(receiver: Receiver, message: Message) -> tuple[str, str]:
    try:
        return DELIVERED, receiver.deliver_once(message, Deadline(SECONDS))
    except Refused as error:
        return REFUSED, str(error)
    except (InfratestError, OSError) as error:
        return LOST, str(error)
