"""`alertmanager: {url: http://127.0.0.1:9093}`: alerts of Prometheus' Alertmanager, by its API v2.

An alert ends by itself when its lease does: `endsAt` is that far off, and the monitor hands an open problem over again
before. So a monitor that is dead has its alerts end there, and Alertmanager says so. An alert is known by its labels,
and routes look at `severity`: each notice fires the alert of its level, and ends those of levels that it had before.
Source: https://github.com/prometheus/alertmanager/blob/v0.25.0/api/v2/openapi.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest import rfc3339
from infratest.alerting.ledger import UNSTABLE
from infratest.deadline import Deadline
from infratest.receivers._answer import Answer
from infratest.receivers._http import URL, Posts, SignedIn
from infratest.receivers._words import commands, subject
from infratest.receivers.base import Item, Message
from infratest.states import CRITICAL, UNKNOWN, WARNING

PATH = "/api/v2/alerts"
LEVELS = frozenset((CRITICAL, UNKNOWN, WARNING, UNSTABLE))
#: Problems whose levels are remembered.
MOST_PROBLEMS = 10_000


@dataclass(frozen=True, kw_only=True)
class Options(SignedIn):
    """Which Alertmanager, and how long an alert lasts by itself."""

    url: str = field(metadata={**URL, "description": f"Where it is; {PATH} is put behind that."})
    lease: float = field(
        default=300.0,
        metadata={
            "dimension": "time",
            "low": 10.0,
            "description": "An alert ends so long after it was last sent; 5 minutes without it.",
        },
    )


class Alertmanager(Posts):
    """An alert of Alertmanager for each problem."""

    keyed = True
    at_once = 100

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__(options, folder)
        #: The levels of which a problem may have an alert there.
        self._levels: dict[str, frozenset[str]] = {}

    def hand_over(self, message: Message, deadline: Deadline) -> None:
        before = {message.problem_of(item): self._before(item, message) for item in message.items}
        alerts = [alert for item in message.items for alert in self._alerts(item, message, before)]
        for item in message.items:  # before it is sent: it may arrive without our knowing
            self._remember(message.problem_of(item), before[message.problem_of(item)] | {item.notice.level})
        self.post(json.dumps(alerts, ensure_ascii=False).encode("utf-8", "replace"), self.bearer(), deadline, PATH)
        for item in message.items:
            self._remember(message.problem_of(item), frozenset((item.notice.level,)))

    def accepted(self, answer: Answer) -> str:
        body = answer.body.strip()
        return "" if answer.status == 200 and body in (b"", b"{}") else "more than nothing, which Alertmanager does not"

    def _before(self, item: Item, message: Message) -> frozenset[str]:
        """Return the levels of which a problem may have an alert: all, where that was before this process.

        To end one that never was is harmless, but Alertmanager tells it beside those that were.
        """
        first = item.notice.number == 1 and item.notice.level in LEVELS
        return self._levels.get(message.problem_of(item), frozenset() if first else LEVELS) & LEVELS

    def _remember(self, problem: str, levels: frozenset[str]) -> None:
        self._levels.pop(problem, None)
        if levels & LEVELS:
            self._levels[problem] = levels
        while len(self._levels) > MOST_PROBLEMS:
            del self._levels[next(iter(self._levels))]

    def _alerts(self, item: Item, message: Message, before: Mapping[str, frozenset[str]]) -> list[dict[str, Any]]:
        """Return what fires, where anything does, and what is over."""
        begun = min(item.since if item.since is not None else message.sent, message.sent)
        now = {item.notice.level} & LEVELS
        return [
            {
                "labels": _labels(item, message, level),
                "annotations": _annotations(item, message),
                "startsAt": rfc3339.written(begun),
                "endsAt": rfc3339.written(message.sent + self.lease * (level in now)),
            }
            for level in sorted(before[message.problem_of(item)] | now)
        ]


def _labels(item: Item, message: Message, severity: str) -> dict[str, str]:
    """Return by what an alert is known: what stays over all notices of a problem."""
    labels = {
        "alertname": item.scenario, "instance": item.host, "severity": severity, "stack": message.stack,
        "env": message.env, "id": item.notice.id, "problem": message.problem_of(item),
    }  # fmt: skip
    return {name: value for name, value in labels.items() if value}


def _annotations(item: Item, message: Message) -> dict[str, str]:
    notice = item.notice
    more = f"\nand {item.blocked} more blocked by it" if item.blocked else ""
    annotations = {
        "summary": subject(item), "description": notice.reason + more, "runbook_url": item.runbook,
        "evidence": "\n\n".join(item.evidence), "acknowledged_by": item.by, "comment": item.comment,
        "commands": "\n".join(commands(item, message)),
    }  # fmt: skip
    return {name: value for name, value in annotations.items() if value}
