"""The heal audit, `heal.jsonl`: every decision with its gates, and the ledger of tries that the budget is taken from.

A try is on the disk before anything acts, so that a kill in mid-heal counts; its end is a second record with the same
number. A refusal that says the same as the one before it in the same problem is not written again.
"""

from __future__ import annotations

import os
from typing import Any

from infratest.cleaning import clean
from infratest.errors import StateError
from infratest.heal.gates import Try
from infratest.heal.records import REFUSED, WOULD, HealRecord
from infratest.stack.state_dir import StateDir

FILE = "heal.jsonl"
BEGUN = "try"


class Audit:
    """The audit of one environment; use it under the state's lock."""

    def __init__(self, state: StateDir, env: str) -> None:
        self._state = state
        self._env = env
        self._records = [record for record in _whole(state) if record.get("env") == env]
        try:
            _ = self.tries
        except (KeyError, TypeError, ValueError) as error:
            # A try that cannot be read cannot be counted, and the budget would be larger than it is.
            raise StateError(
                f"state directory: {state.file(FILE)} holds a try that cannot be read "
                f"({type(error).__name__}: {clean(str(error), 100)}), so that no budget can be counted; "
                "mend its line, or move the file away to begin with a new budget"
            ) from error

    @property
    def tries(self) -> tuple[Try, ...]:
        """Every try on record, oldest first. Raises KeyError, TypeError or ValueError for one that is damaged."""
        ended = {record.get("try") for record in self._records if record.get("event") != BEGUN}
        return tuple(
            Try(
                rule=record["rule"],
                host=record["host"],
                time=float(record["time"]),
                until=float(record["until"]),
                ended=record["try"] in ended,
            )
            for record in self._records
            if record.get("event") == BEGUN
        )

    def begin(self, record: HealRecord, until: float) -> str:
        """Write a try down before it is made, and return its number.

        Args:
            until: when it must have ended, in seconds since the epoch.
        """
        number = f"{record.time:.6f}-{os.getpid()}-{len(self._records)}"
        data = record.as_dict(self._env) | {"event": BEGUN, "try": number, "until": until}
        for later in ("after", "verified", "duration", "words", "error"):
            del data[later]
        self._write(data)
        return number

    def end(self, record: HealRecord, number: str) -> None:
        """Write how a try ended."""
        self._write(record.as_dict(self._env) | {"try": number})

    def decided(self, record: HealRecord) -> bool:
        """Write a decision that led to no act, unless the last one about this result was the same; return whether."""
        data = record.as_dict(self._env)
        gist = _gist(data)
        if gist is not None and gist == self._last_gist(record):
            return False
        self._write(data)
        return True

    def _last_gist(self, record: HealRecord) -> tuple[Any, ...] | None:
        for earlier in reversed(self._records):
            if earlier.get("id") == record.before.id and earlier.get("rule") == record.rule.name:
                return _gist(earlier)
        return None

    def _write(self, data: dict[str, Any]) -> None:
        self._state.append(FILE, data)
        self._records.append(data)


def _whole(state: StateDir) -> list[dict[str, Any]]:
    try:
        return state.read(FILE, whole=True)
    except StateError as error:
        raise StateError(
            f"{error}; it may have been a try, so that no budget can be counted; mend its line, or take it out"
        ) from error


def _gist(data: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return what makes two refusals the same: which gates refused, in which problem; not the changing words."""
    if data.get("event") not in (REFUSED, WOULD):
        return None
    try:
        closed = tuple(gate["name"] for gate in data["gates"] if not gate["passed"])
        return data["event"], data["rung"], data["problem"], closed
    except (KeyError, TypeError):
        return None  # damaged: the same as nothing, so that the next one is written
