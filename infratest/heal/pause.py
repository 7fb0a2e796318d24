"""The kill switch: while a stack is paused nothing is healed. `infratest heal pause 2h` and `infratest heal resume`.

It is taken without the state's lock, so that it works while a heal runs; the gates look at it again before every act.
It is of one state directory: who heals from another one goes on. Root pauses another user's as that user.
"""

from __future__ import annotations

import json
import time

from infratest.errors import StateError
from infratest.store.as_owner import as_owner
from infratest.store.directory import StateDir, owner

FILE = "pause.json"


def pause(state: StateDir, seconds: float, now: float | None = None) -> float:
    """Heal nothing for so many seconds from now on; return the end, in seconds since the epoch. Raises StateError."""
    begin, by = time.time() if now is None else now, owner()
    with as_owner(state):
        state.write(FILE, json.dumps({"until": begin + seconds, "since": begin, "by": by}) + "\n")
    return begin + seconds


def resume(state: StateDir) -> bool:
    """Allow healing again; return whether it was paused.

    Raises:
        StateError: the pause could not be removed.
    """
    path = state.path / FILE
    try:
        with as_owner(state):
            path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StateError(f"state directory: {path} could not be removed: {error.strerror}") from error
    return True


def paused_until(state: StateDir, now: float, resume: str = "infratest heal resume") -> float | None:
    """Return the end of the pause that holds now, or None.

    Args:
        resume: the command that ends it, for the message.
    Raises:
        StateError: there is a pause that cannot be read: then nobody may assume that healing is allowed.
    """
    path = state.path / FILE
    try:
        until = float(json.loads(path.read_text(encoding="utf-8"))["until"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StateError(f"state directory: {path} could not be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError):
        raise StateError(f"state directory: {path} is not readable; `{resume}` removes it") from None
    return until if until > now else None
