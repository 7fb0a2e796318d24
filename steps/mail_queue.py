"""What can be said of a mail server's queue: how much waits in it, and for how long. Of Postfix, on the host itself."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.mail_queue import MailQueue

QUEUE: Need[MailQueue] = Need("mail-queue")


@check("the mail queue has {bound:count} message[s]", example="the mail queue has at most 100 messages, warning 20")
class MailQueueLength(Check):
    """How many messages wait in Postfix' queue, in all of its parts: also those on hold, and those just taken in."""

    def needs(self) -> tuple[Need, ...]:
        return (QUEUE,)

    def observe(self, facts: FactValues) -> Seen:
        queue = facts[QUEUE]
        return Seen(holds=True, saw=f"the mail queue has {queue.in_words()}", number=queue.total)

    def measure(self) -> Measure:
        return Measure(label="mail queue", minimum=0)


@check(
    "the mail queue has {bound:count} message[s] deferred",
    example="the mail queue has at most 20 messages deferred",
)
class MailQueueDeferred(Check):
    """How many messages Postfix could not deliver as yet, and tries again."""

    def needs(self) -> tuple[Need, ...]:
        return (QUEUE,)

    def observe(self, facts: FactValues) -> Seen:
        queue = facts[QUEUE]
        return Seen(True, f"the mail queue has {queue.in_words()}", number=dict(queue.counts).get("deferred", 0))

    def measure(self) -> Measure:
        return Measure(label="mail queue deferred", minimum=0)


@check(
    "the oldest message in the mail queue is {bound:time} old",
    example="the oldest message in the mail queue is less than 4 h old",
)
class MailQueueAge(Check):
    """How long the first of the messages has waited, by the host's own clock; 0 where none waits."""

    def needs(self) -> tuple[Need, ...]:
        return (QUEUE,)

    def observe(self, facts: FactValues) -> Seen:
        queue = facts[QUEUE]
        if queue.oldest is None:
            return Seen(holds=True, saw="the mail queue has no message", number=0)
        age = queue.now - queue.oldest
        words = f"the oldest message in the mail queue is {human(age, 's')} old, of {queue.in_words()}"
        return Seen(holds=True, saw=words, number=age)

    def measure(self) -> Measure:
        return Measure(label="mail queue oldest", unit="s", minimum=0)
