"""Faults of a mail server's queue: messages that wait in Postfix' own, and go nowhere; they are removed after it.

They are files of Postfix' form, laid into queues from which nothing is taken: of the messages on hold, and of those put
off until a month from now.
"""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import Claim, Fault, ScriptAct, outside

#: Messages that are made at most, and seconds: a queue's time has ten digits.
MOST, LONGEST = 1000, 20 * 365 * 86400

#: $2: the queue's folder, $3: how many, $4: how many seconds ago they came. Records are a letter, a length and so much
#: text: the time, the sender, a recipient, the message (record(5) of Postfix). showq(8) shows what the owner may run.
LAID = """command -v postqueue >/dev/null || { echo "Postfix is not installed" >&2; exit 1; }
cd "$(postconf -h queue_directory)"
owner=$(postconf -h mail_owner)
: >"$1"
[ -d "$2" ] || { mkdir -m 0700 -- "$2"; chown "$owner" -- "$2"; }
time=$(($(date +%s) - $4))
i=0
while [ $i -lt "$3" ]; do
  i=$((i + 1))
  file=$2/1FA0${1##*-}_$i
  printf 'T\\014%s 0S\\023infratest@localhostR\\023infratest@localhostM\\000N\\000N\\007a faultX\\000E\\000' \\
    "$time" >"$file"
  touch -d '+30 days' -- "$file"
  chown "$owner" -- "$file"
  chmod 0700 -- "$file"
done"""
LIFTED = """if [ -e "$1" ]; then
  find "$(postconf -h queue_directory)" -name "1FA0${1##*-}_*" -delete
  rm -f -- "$1"
fi"""
#: Postfix spreads what it has put off over folders by the first letter of an id (postconf(5), hash_queue_names).
HOLD, DEFERRED = "hold", "deferred/1"


def length(claim: Claim) -> Act | str:
    """Lay in more than may be there."""
    return _longer(claim, HOLD)


def deferred(claim: Claim) -> Act | str:
    """Have more put off than may be."""
    return _longer(claim, DEFERRED)


def _longer(claim: Claim, queue: str) -> Act | str:
    number = outside(claim.bound) if claim.bound else None
    if number is None or claim.bound is None or number < claim.bound.top:
        return "what waits in the queue is not taken out of it"
    if number > MOST:
        return f"up to {MOST} messages are in the bound"
    return laid(f"{number:.0f} messages more wait in the queue", queue, int(number), 0)


def age(claim: Claim) -> Act | str:
    """Lay in one that came too long ago."""
    number = outside(claim.bound) if claim.bound else None
    if number is None or claim.bound is None or not claim.bound.top < number < LONGEST:
        return "what waits in the queue is not taken out of it"
    return laid(f"a message waits in the queue since {number:.0f} s", HOLD, 1, int(number))


def laid(words: str, queue: str, count: int, seconds: int) -> Act:
    """Return what lays messages into a queue."""
    return ScriptAct(words, LAID, LIFTED, (queue, str(count), str(seconds)))


FAULTS: dict[str, Fault] = {"MailQueueLength": length, "MailQueueDeferred": deferred, "MailQueueAge": age}
