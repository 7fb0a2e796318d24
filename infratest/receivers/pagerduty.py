"""`pagerduty: {key-file: pd.key}`: an event for each notice, by PagerDuty's Events API v2.

A problem's events have one `dedup_key`, so that PagerDuty closes what it opened, and shows what it is sent twice once.
Source: https://developer.pagerduty.com/docs/events-api-v2/overview/ (fields, lengths, answers).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from infratest import rfc3339
from infratest.alerting.ledger import ACK, RECOVERY, UNSTABLE
from infratest.deadline import Deadline
from infratest.receivers._answer import Answer
from infratest.receivers._http import URL, Posts, Web
from infratest.receivers._words import LAST_SECOND, commands, level, summary
from infratest.receivers.base import OF_ENV, Item, Message
from infratest.states import CRITICAL, UNKNOWN, WARNING

#: Where events go, unless the account is in the EU: https://events.eu.pagerduty.com/v2/enqueue.
ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
#: Characters of a summary.
LONGEST_SUMMARY = 1024
#: Our levels by PagerDuty's words.
SEVERITIES = {CRITICAL: "critical", UNKNOWN: "error", WARNING: "warning", UNSTABLE: "warning"}


@dataclass(frozen=True, kw_only=True)
class Options(Web):
    """The service that an incident is opened at."""

    key: str = field(
        default="",
        metadata={"title": "env:NAME", "pattern": OF_ENV, "description": "As `key-file`, in the environment."},
    )
    key_file: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "A file that holds the integration key."},
    )
    url: str = field(default=ENQUEUE, metadata={**URL, "description": "The Events API, where it is another one."})


class Pagerduty(Posts):
    """An incident of PagerDuty for each problem."""

    keyed = True

    def foresee(self) -> None:
        super().foresee()
        self.needed("key")

    def hand_over(self, message: Message, deadline: Deadline) -> None:
        (item,) = message.items
        event = {"routing_key": self.needed("key"), **_event(item, message)}
        self.post(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace"), {}, deadline)

    def accepted(self, answer: Answer) -> str:
        # Of the 200s it uses one alone; another one is of what stands between, as a sign-in page of the network.
        try:
            taken = answer.status == 202 and json.loads(answer.body)["status"] == "success"
        except (ValueError, KeyError, TypeError, RecursionError):
            taken = False
        return "" if taken else "not 202 with the status success, as PagerDuty does"


def _event(item: Item, message: Message) -> dict[str, Any]:
    notice = item.notice
    action = {RECOVERY: "resolve", ACK: "acknowledge"}.get(notice.kind, "trigger")
    details = {
        "id": notice.id, "reason": notice.reason, "blocked": item.blocked, "members": list(notice.members),
        "evidence": list(item.evidence), "commands": list(commands(item, message)), "by": item.by,
        "comment": item.comment,
    }  # fmt: skip
    payload: dict[str, Any] = {
        "summary": f"{level(item)}: {summary(item)}"[:LONGEST_SUMMARY],
        "source": message.place if item.host in ("", "-") else item.host,
        "severity": SEVERITIES.get(notice.level, "info"),
        "component": item.scenario,
        "group": message.place,
        "class": notice.kind,
        "custom_details": {name: value for name, value in details.items() if value},
    }
    if item.since is not None and 0 <= item.since <= LAST_SECOND:
        payload["timestamp"] = rfc3339.written(item.since)
    return {
        "event_action": action,
        "dedup_key": message.problem_of(item),
        "client": "infratest",
        "payload": payload,
        "links": [{"href": item.runbook, "text": "runbook"}] * item.runbook.startswith(("https://", "http://")),
    }
