"""`webhook: {url: https://hooks.example.org/infratest}`: each message as JSON, by POST, to a program of the user's own.

The body's keys are on the page docs/receivers.md. `Idempotency-Key` (the name is that of the IETF's draft) is the
message's key, `X-Infratest-Signature` the body's HMAC-SHA256 (RFC 2104) in hexadecimal digits, as `sha256=...`.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from infratest import __version__, rfc3339
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.receivers._answer import Answer
from infratest.receivers._http import URL, Posts, SignedIn
from infratest.receivers.base import OF_ENV, Item, Message

#: Of the body; it changes when a program that reads it would have to.
SCHEMA = 1
SIGNATURE = "X-Infratest-Signature"


@dataclass(frozen=True, kw_only=True)
class Options(SignedIn):
    """Where it is sent, and how the other side knows that it is from here."""

    url: str = field(metadata=URL)
    secret: str = field(
        default="",
        metadata={"title": "env:NAME", "pattern": OF_ENV, "description": "As `secret-file`, in the environment."},
    )
    secret_file: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": f"A file that holds the key of {SIGNATURE}."},
    )
    digest: float = field(
        default=0.0,
        metadata={"dimension": "time", "low": 0.0, "description": "Gather notices for so long after one was sent."},
    )


class Webhook(Posts):
    """JSON, posted to a URL."""

    #: By the key that it is sent: whoever reads it there must look at that.
    keyed = True
    at_once = 100

    def hand_over(self, message: Message, deadline: Deadline) -> None:
        body = json.dumps(document(message), ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Idempotency-Key": message.key, **self.bearer()}
        if key := self.secret("secret"):
            headers[SIGNATURE] = f"sha256={hmac.new(key.encode(), body, 'sha256').hexdigest()}"
        self.post(body, headers, deadline)

    def accepted(self, answer: Answer) -> str:
        return ""


def document(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it."""
    return {
        "infratest": __version__,
        "schema": SCHEMA,
        "key": message.key,
        "stack": message.stack,
        "env": message.env,
        "sent": rfc3339.written(message.sent),
        "notices": [_notice(item, message) for item in message.items],
    }


def _notice(item: Item, message: Message) -> dict[str, Any]:
    notice = item.notice
    return {
        "key": message.key_of(item),
        "problem": message.problem_of(item),
        "receiver": clean(notice.receiver),
        "kind": notice.kind,
        "level": notice.level,
        "id": notice.id,
        "host": item.host,
        "scenario": item.scenario,
        "reason": notice.reason,
        "since": item.since,
        "blocked": item.blocked,
        "members": list(notice.members),
        "runbook": item.runbook,
        "evidence": list(item.evidence),
        "by": item.by,
        "comment": item.comment,
    }
