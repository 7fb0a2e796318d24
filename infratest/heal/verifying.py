"""Heals whose run had no time left to see whether they helped, in `verifying.json`: the next check says so.

While there is such a file, a check that heals reads the audit even where all is well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infratest.errors import StateError
from infratest.heal.records import HealRecord
from infratest.json_text import dumps, loads
from infratest.store.directory import StateDir

FILE = "verifying.json"


def pending(state: StateDir, env: str) -> dict[str, dict[str, Any]]:
    """Return what is to be verified in an environment, by result id; none where the file cannot be read: the counts
    of failures tell as much, only later."""
    try:
        with open(state.file(FILE), encoding="utf-8") as file:
            found = loads(file.read())
        return dict(found.get(env, {}))
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def add(state: StateDir, env: str, record: HealRecord, number: str) -> None:
    """Note a heal that is to be verified."""
    what = {"try": number, "rule": record.rule.name, "remedy": record.remedy, "was": record.before.state}
    _save(state, env, pending(state, env) | {record.before.id: what})


def remove(state: StateDir, env: str, id: str) -> None:
    """Forget one that has been verified, or found not to have helped."""
    _save(state, env, {key: value for key, value in pending(state, env).items() if key != id})


def _save(state: StateDir, env: str, entries: dict[str, dict[str, Any]]) -> None:
    path = state.file(FILE)
    try:
        with open(path, encoding="utf-8") as file:
            document = dict(loads(file.read()))
    except (OSError, ValueError, TypeError):
        document = {}
    document[env] = entries
    if any(document.values()):
        state.write(FILE, dumps(document) + "\n")
        return
    try:
        Path(path).unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(f"state directory: {path} could not be removed: {error.strerror}") from error
