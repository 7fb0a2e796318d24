"""A real message to one receiver, to see whether it arrives: what it opens there is closed again behind it.

Called by `infratest monitor tell NAME --test`, by itself and not by the running monitor: what that is handed by its
environment (secrets, a proxy) may differ from what this call has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infratest.alerting.ledger import PROBLEM, RECOVERY, Notice
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UnknownName, unknown
from infratest.monitor.post import SECONDS
from infratest.receivers.base import Item, Message, Receiver, Refused, opened
from infratest.stack.monitor import ReceiverEntry
from infratest.states import OK, WARNING
from infratest.store.database.ledger import DELIVERED, LOST, REFUSED

#: The id that a message is about which is a test.
ID = "monitor#test@-"
WORDS = "this is a test message, asked for by {user}: nothing is wrong"
OVER = "the test is over"


@dataclass(frozen=True)
class Tried:
    """What became of a test message. outcome: as of a notice. whom: the receiver. reason: why it did not arrive."""

    outcome: str
    whom: str
    reason: str = ""


def tried(
    receivers: Mapping[str, ReceiverEntry], name: str, folder: Path, place: tuple[str, str], user: str, now: float
) -> Tried:
    """Send a test message.

    Args:
        receivers: of the stack file. folder: of that. place: stack and environment. now: seconds since the epoch.
    Raises:
        UnknownName: no receiver has that name. UserError: it lacks what it needs on this machine.
    """
    entry = receivers.get(name)
    if entry is None:
        raise UnknownName(unknown("receiver", name, sorted(receivers)))
    receiver = opened({entry.kind: entry.options}, entry.where, folder)
    receiver.foresee()
    problem = f"{ID}/{round(now * 1000)}"
    notice = Notice(name, ID, problem, now, 1, PROBLEM, WARNING, reason=WORDS.format(user=user))
    notices = [notice]
    if receiver.keyed:  # it keeps problems open
        notices.append(Notice(name, ID, problem, now, 2, RECOVERY, OK, reason=OVER))
    for each in notices:
        item = Item(notice=each, scenario="test of this receiver", since=now)
        outcome, reason = _sent(receiver, Message(stack=place[0], env=place[1], sent=now, items=(item,)))
        if outcome != DELIVERED:
            return Tried(outcome, receiver.describe(), reason)
    return Tried(DELIVERED, receiver.describe())


def _sent(receiver: Receiver, message: Message) -> tuple[str, str]:
    try:
        receiver.deliver(message, Deadline(SECONDS))
    except Refused as error:
        return REFUSED, str(error)
    except (InfratestError, OSError) as error:
        return LOST, str(error)
    return DELIVERED, ""
