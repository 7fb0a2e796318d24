"""Messages to receivers: made of notices and what is known beside them, each receiver's handed over by its own thread.

One that hangs holds up neither a check nor another receiver. Nobody waits for a thread: what became of its message is
called back, and a monitor that ends leaves it: what it had in hand is in doubt then, and written so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

from infratest.alerting.ledger import Notice
from infratest.deadline import Deadline
from infratest.engine.apart import defects_told
from infratest.errors import InfratestError
from infratest.model import Result
from infratest.monitor.book import UNSENT, Book
from infratest.receivers.base import Item, Message, Receiver, Refused
from infratest.states import OK
from infratest.store.database.ledger import DELIVERED, LOST, REFUSED

#: Seconds that handing over one message may take.
SECONDS = 30.0
#: Is told what became of a message.
Done = Callable[[str, str, float], None]
NOT_OURS = "not sent: another monitor may be the one that tells, since the store cannot be written"


def deliver(
    receiver: Receiver,
    message: Message,
    done: Done,
    ours: Callable[[], bool] = lambda: True,
    seconds: float = SECONDS,
) -> Thread:
    """Begin to hand a message over.

    Args:
        done: called once, by another thread, with DELIVERED, REFUSED or LOST, what the receiver said (of one that took
        it, whom of several it did not reach), and for how many seconds it wants to be left alone. ours: asked
        directly before, whether it is this monitor that tells; where it is not, nothing is handed over: UNSENT.
    """
    thread = Thread(target=_deliver, args=(receiver, message, done, ours, seconds), name="tell", daemon=True)
    thread.start()
    return thread


def message(book: Book, notices: Sequence[Notice], stack: str, env: str, now: float) -> Message:
    """Return what a receiver is handed for these notices. now: seconds since the epoch."""
    return Message(stack=stack, env=env, sent=now, items=tuple(_item(book, notice) for notice in notices))


def _item(book: Book, notice: Notice) -> Item:
    subject, status = book.subjects.get(notice.id), book.statuses.get(notice.id)
    result = book.results.get(notice.id)
    ack = status.ack if status is not None else None
    since = None if status is None else (status.opened or status.since).wall
    return Item(
        notice=notice,
        host=subject.host if subject is not None else "-",
        scenario=result.scenario if result is not None else "",
        since=since,
        runbook=_runbook(result, subject.tags if subject is not None else ()),
        evidence=_evidence(result) if notice.level != OK else (),
        by=ack.by if ack is not None else "",
        comment=ack.comment if ack is not None else "",
    )


def _runbook(result: Result | None, tags: Sequence[str]) -> str:
    for tag in (*tags, *(result.tags if result is not None else ())):
        if tag.startswith("runbook:"):
            return tag.removeprefix("runbook:")
    return ""


def _evidence(result: Result | None) -> tuple[str, ...]:
    if result is None:
        return ()
    return tuple(one.output for step in result.steps if step.state != OK for one in step.evidence if one.output)


def _deliver(receiver: Receiver, message: Message, done: Done, ours: Callable[[], bool], seconds: float) -> None:
    if not ours():
        done(UNSENT, NOT_OURS, 0.0)
        return
    try:
        missed = defects_told(receiver.deliver)(message, Deadline(seconds))
    except Refused as error:
        done(REFUSED, str(error), error.after or 0.0)
    except (InfratestError, OSError) as error:
        # It may have arrived, by a defect of ours too: what is not known is told again under the same key.
        done(LOST, str(error), 0.0)
    else:
        done(DELIVERED, missed, 0.0)
