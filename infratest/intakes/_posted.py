"""What is sent by HTTP as JSON, as events: our own form, and Alertmanager's. Pure; called by `http`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from infratest.intakes._admission import (
    IDENTITY,
    LARGE,
    MOST_LABELS,
    NOT_UNDERSTOOD,
    NOT_UTF8,
    Refusal,
    event,
    number_of,
)
from infratest.store.events import Event

KEYS = frozenset(("time", "key", "value", "unit", "labels"))
#: Alerts of one message of Alertmanager's.
MOST_ALERTS = 10_000

#: Events, and how many were refused, by reason.
Posted = tuple[list[Event], Counter[str]]


def events(body: bytes, now: float) -> Posted:
    """Return what a body says: an event as JSON, a list of them, or one a line. Raises Refusal: it is none of these."""
    made: list[Event] = []
    refused: Counter[str] = Counter()
    for one in _objects(body):
        try:
            made.append(_event(one, now))
        except Refusal as refusal:
            refused[refusal.reason] += 1
    return made, refused


def alerts(body: bytes, now: float) -> Posted:
    """Return the alerts of a message of Alertmanager's: 1 of one that fires, 0 of one that is resolved.

    Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, version 4 of the message. What is
    sent again is the same series: its key ends in the alert's fingerprint. Raises Refusal.
    """
    message = _json(body)
    if not isinstance(message, dict) or message.get("version") != "4" or not isinstance(message.get("alerts"), list):
        raise Refusal(NOT_UNDERSTOOD)
    made: list[Event] = []
    refused: Counter[str] = Counter()
    for one in message["alerts"][:MOST_ALERTS]:
        try:
            made.append(_alert(one, now))
        except Refusal as refusal:
            refused[refusal.reason] += 1
    cut = message.get("truncatedAlerts", 0)
    left = len(message["alerts"]) - MOST_ALERTS
    if isinstance(cut, int) and max(cut, 0) + max(left, 0):
        refused[LARGE] += max(cut, 0) + max(left, 0)
    return made, refused


def _event(one: Any, now: float) -> Event:
    if isinstance(one, Refusal):
        raise one
    if not isinstance(one, dict) or not one.keys() <= KEYS or not isinstance(one.get("key"), str):
        raise Refusal(NOT_UNDERSTOOD)
    time, unit, labels = one.get("time"), one.get("unit", ""), one.get("labels") or {}
    if not isinstance(unit, str) or not isinstance(labels, dict):
        raise Refusal(NOT_UNDERSTOOD)
    when = None if time is None else number_of(time)
    return event(one["key"], number_of(one.get("value")), now, time=when, unit=unit, labels=labels)


def _alert(one: Any, now: float) -> Event:
    labels = one.get("labels") if isinstance(one, dict) else None
    if not isinstance(labels, dict) or one.get("status") not in ("firing", "resolved"):
        raise Refusal(NOT_UNDERSTOOD)
    name, print_ = labels.get("alertname"), one.get("fingerprint")
    if not isinstance(name, str) or not isinstance(print_, str) or not print_.isalnum():
        raise Refusal(NOT_UNDERSTOOD)
    mine = {f"alert_{each}" if each in IDENTITY else each: value for each, value in labels.items()}
    few = dict(list(mine.items())[:MOST_LABELS])
    key = f"alertmanager.{name.replace('.', '_')}.{print_}"
    return event(key, float(one["status"] == "firing"), now, labels=few)


def _objects(body: bytes) -> Iterator[Any]:
    """Yield what a body holds; a Refusal in place of a line that is no JSON. Raises Refusal: it is not UTF-8."""
    text = _text(body)
    try:
        whole = _json(body)
    except Refusal:
        if "\n" not in text.strip() or text.lstrip().startswith("["):
            raise
    else:
        yield from whole if isinstance(whole, list) else [whole]
        return
    for line in text.splitlines():
        if line.strip():
            try:
                yield _json(line)
            except Refusal as refusal:
                yield refusal


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(NOT_UTF8) from None


def _json(text: bytes | str) -> Any:
    try:
        return json.loads(text if isinstance(text, str) else _text(text))
    except (ValueError, RecursionError):
        raise Refusal(NOT_UNDERSTOOD) from None
