"""What is open at a receiver that forgets is said again in time, and no oftener; what is over is not."""

from __future__ import annotations

from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, Route
from infratest.alerting.policy import Attempts, Policy
from infratest.alerting.subject import Subject
from infratest.model import Result
from infratest.monitor.book import Book
from infratest.monitor.leases import Leases
from infratest.monitor.memory import Memory

ONE = Subject("a@web", "web", policy=Policy(attempts=Attempts(1, 1), flap=None))


def at(seconds: float) -> Moment:
    return Moment(1000.0 + seconds, 1_764_432_000.0 + seconds)


def told(book: Book, now: float) -> None:
    book.settle(at(now))
    for message in book.messages((), at(now)):
        book.attempt(message, at(now))
        book.outcome(message, "delivered", "", at(now))


def looked(book: Book, state: str, now: float) -> None:
    book.look(Result(ONE.id, "f", "s", 1, "web", state, "no answer"), at(now))
    told(book, now)


def test_what_is_open_is_said_again_by_a_third_of_its_lease():
    book = Book(Memory(), [Route(lambda subject, state: True, ("am", "mail"))], [Receiver("am", lease=180.0),
                Receiver("mail")])  # fmt: skip
    book.watch([ONE], at(0))
    leases = Leases()
    looked(book, "critical", 10)
    assert leases.due(book, (), at(69)) == []
    assert leases.due(book, ("am",), at(70)) == [], "one that is busy is not handed another"
    ((notice,),) = leases.due(book, (), at(70))
    assert (notice.receiver, notice.kind, notice.level, notice.reason) == ("am", "problem", "critical", "no answer")
    assert notice.key == f"{notice.problem}/am/1010000000.1", "it is the one that was told"
    assert leases.due(book, (), at(129)) == []
    assert len(leases.due(book, (), at(130))) == 1
    looked(book, "ok", 140)
    assert leases.due(book, (), at(400)) == []
    looked(book, "critical", 401)
    assert leases.due(book, (), at(402)) == [], "a new problem has a time of its own"
    assert len(Leases().due(book, (), at(461))) == 1, "a restart knows no less"
