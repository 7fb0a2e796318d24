"""A message in words for people: one line, and a text. Called by receivers that show it to them as it stands."""

from __future__ import annotations

from collections import Counter
from time import gmtime, strftime

from infratest.alerting.ledger import ACK, RECOVERY, REMINDER, Notice
from infratest.cleaning import clean
from infratest.quoting import quoted
from infratest.receivers.base import Item, Message
from infratest.states import OK

#: The last second that a year of four digits has.
LAST_SECOND = 253402300799.0


def title(message: Message, longest: int = 150) -> str:
    """Return a message in one line: `CRITICAL: nginx answers on web-1 (shop/prod), and 39 more blocked by it`."""
    if len(message.items) == 1:
        (item,) = message.items
        whole = f"{level(item)}: {subject(item)} ({message.place}){_and_more(item)}"
    else:
        counts = Counter(level(item) for item in message.items)
        whole = f"{message.place}: {', '.join(f'{count} {word}' for word, count in counts.items())}"
    return clean(whole, longest)


def text(message: Message) -> str:
    """Return a message as plain text of several lines, all of what it holds."""
    return "\n\n".join(_text(item, message) for item in message.items) + "\n"


def level(item: Item) -> str:
    """Return how it is, in capital letters, by what kind of notice it is."""
    notice = item.notice
    if notice.kind == ACK:
        return f"ACKNOWLEDGED {notice.level.upper()}"
    if notice.kind == REMINDER:
        return f"STILL {notice.level.upper()}"
    return "OK AGAIN" if notice.kind == RECOVERY or notice.level == OK else notice.level.upper()


def subject(item: Item) -> str:
    """Return what it is about: `nginx answers on web-1`."""
    return item.scenario if item.host in ("", "-") else f"{item.scenario} on {item.host}"


def summary(item: Item) -> str:
    """Return what it is about and why, on one line."""
    return f"{subject(item)}: {item.notice.reason}" if item.notice.reason else subject(item)


def when(seconds: float) -> str:
    """Return a time as people read it, in UTC."""
    return strftime("%Y-%m-%d %H:%M:%S UTC", gmtime(min(max(0.0, seconds), LAST_SECOND)))


def commands(item: Item, message: Message) -> tuple[str, ...]:
    """Return what may be typed about it, as it stands: why it is so, and that somebody has it."""
    id = quoted(item.notice.id) + (f" --env {quoted(message.env)}" if message.env else "")
    explain, ack = f"infratest monitor explain {id}", f"infratest monitor ack {id} --comment 'I have it'"
    return (explain,) if item.notice.level == OK or item.notice.kind == ACK else (explain, ack)


def _and_more(item: Item) -> str:
    return f", and {item.blocked} more blocked by it" if item.blocked else ""


def _text(item: Item, message: Message) -> str:
    notice = item.notice
    since = f"\nsince {when(item.since)}" if item.since is not None else ""
    environment = f", environment {message.env}" if message.env else ""
    parts = [f"{level(item)}: {subject(item)}\nstack {message.stack}{environment}{since}"]
    if notice.kind == ACK and item.by:
        parts.append(f"acknowledged by {item.by}: {item.comment}".rstrip(": "))
    parts += [notice.reason] * bool(notice.reason)
    if item.blocked:
        parts.append("\n".join((f"and {item.blocked} more blocked by it:", *_members(notice, item.unshown))))
    # What a host says stands behind a mark, so that no line of it looks like one of ours.
    parts += ["\n".join(f"  | {line}" for line in each.split("\n")) for each in item.evidence if each]
    parts += [f"runbook: {item.runbook}"] * bool(item.runbook)
    return "\n\n".join([*parts, "\n".join(commands(item, message))])


def _members(notice: Notice, unshown: int) -> list[str]:
    return [f"  {each}" for each in notice.members] + [f"  ... {unshown} more"] * bool(unshown)
