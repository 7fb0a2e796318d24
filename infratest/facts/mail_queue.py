"""The fact `mail-queue`: what waits in a mail server's queue, as Postfix' postqueue(1) `-j` tells. It has no argument.

A line of JSON for each message begins with its queue, its id and when it came (Postfix 3.1 and later). They are counted
on the host: a queue may hold a hundred thousand. Other servers' queues are not known.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import lines, number
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: The queues of Postfix in which messages wait (showq(8)).
QUEUES = ("maildrop", "hold", "incoming", "active", "deferred", "corrupt")


class MailQueue(Record):
    """What waits.

    Args:
        now: the host's clock, in seconds since the epoch. counts: queue and number of its messages, of those that hold
        some. oldest: when the first of all came; None of an empty queue.
    """

    now: int
    counts: tuple[tuple[str, int], ...] = ()
    oldest: int | None = None

    @property
    def total(self) -> int:
        """How many messages wait in all."""
        return sum([count for _, count in self.counts])

    def in_words(self) -> str:
        each = ", ".join(f"{count} {name}" for name, count in self.counts)
        return f"{self.total} message{'' if self.total == 1 else 's'} ({each})" if each else "no message"


# Lines: `now SECONDS`, `queue NAME COUNT FIRST` for each, `words N WORDS` of lines that are no message, `end STATUS`.
SNIPPET = r"""
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
command -v postqueue >/dev/null 2>&1 || { echo 'postqueue is not installed on this host' >&2; exit NO_TOOL; }
date +'now %s'
{ LC_ALL=C postqueue -j 2>&1; echo "end $?"; } | LC_ALL=C awk '
  /^[{]"queue_name": "[a-z]+", "queue_id": "[0-9A-Za-z_]+", "arrival_time": [0-9]+, / {
    split($0, part, "\"")
    name = part[4]
    match($0, /"arrival_time": [0-9]+/)
    time = substr($0, RSTART + 16, RLENGTH - 16) + 0
    if (!(name in count) || time < first[name]) first[name] = time
    count[name]++
    next
  }
  /^postqueue: warning: Mail system is down -- accessing queue directly/ { next }
  /^end [0-9]+$/ { status = $2; next }
  { other++; if (length(words) < 300) words = words " " substr($0, 1, 300) }
  END {
    for (name in count) printf "queue %s %d %.0f\n", name, count[name], first[name]
    printf "words %d%s\n", other, words
    print "end", status
  }'
""".replace("NO_TOOL", str(NO_TOOL))


class MailQueueFact(Fact):
    """Queues of mail servers."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = [row.split(" ", 3) for row in lines(self.readable(answer).out)]
        if len(rows) < 3 or rows[0][0] != "now" or rows[-2][0] != "words" or rows[-1][0] != "end":
            raise FactError(f"the answer about the mail queue is not understood: {cited(answer.out, 80)}")
        others, words = rows[-2][1], " ".join(rows[-2][2:])
        if rows[-1][1:] != ["0"] or others != "0":
            raise FactError(
                f"postqueue does not tell what is in the mail queue: {beginning(words, 300) or rows[-1][1:]}"
            )
        queues = [_queue(row) for row in rows[1:-2]]
        counts = tuple(sorted((name, count) for name, count, _ in queues))
        oldest = min((first for _, _, first in queues), default=None)
        return dict.fromkeys(arguments, MailQueue(number(rows[0][1], "a time"), counts, oldest))


def _queue(row: Sequence[str]) -> tuple[str, int, int]:
    if len(row) != 4 or row[0] != "queue" or row[1] not in QUEUES:
        raise FactError(
            f"the answer about the mail queue has a line that is not understood: {cited(' '.join(row), 120)}"
        )
    return row[1], number(row[2], "a count of messages"), number(row[3], "a time")
