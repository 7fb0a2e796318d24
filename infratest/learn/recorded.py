"""What was on the hosts of a run, kept in a file by `test --record`, for `drift` to compare with.

One file a run: the hosts' inventories (names, modes and sums, no content; `inventory` says what is left out), readable
by its user alone, values that the stack file says are secret masked. The newest one is in the state directory too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import Any

from infratest.cleaning import masked
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.hosts import Host
from infratest.learn.inventory import KINDS, Inventory, of_plain, taken
from infratest.model import Place, file_name, place_of
from infratest.store.directory import StateDir

SCHEMA = 1
#: Seconds that asking the hosts may take.
SECONDS = 120.0


@dataclass(frozen=True)
class Recorded:
    """What was on hosts.

    Args:
        stack, env: whose run it was. time: seconds since the epoch. hosts: by name; one that could not be asked is
        unknown, and its inventory's empty kind says why.
    """

    stack: str
    env: str
    time: float
    hosts: Mapping[str, Inventory]


def take(stack: str, env: str, hosts: Sequence[Host], jobs: int, deadline: Deadline) -> Recorded:
    """Ask the hosts what is on them now."""
    seen = taken(hosts, list(KINDS), jobs, deadline.at_most(SECONDS)) if hosts else {}
    return Recorded(stack, env, round(time(), 3), {name: _inventory(one) for name, one in seen.items()})


def _inventory(seen: Inventory | InfratestError) -> Inventory:
    if isinstance(seen, InfratestError):
        return Inventory(unknown={"": masked(str(seen))})
    return Inventory(_plain(seen.kinds), _plain(seen.unknown), _plain(seen.unseen))


def _plain(value: Any) -> Any:
    """Return a value with what is secret in it masked."""
    if isinstance(value, Mapping):
        return {masked(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return masked(value) if isinstance(value, str) else value


def text_of(recorded: Recorded) -> str:
    """Return what is kept of it."""
    return json.dumps({"schema": SCHEMA, **asdict(recorded)}, sort_keys=True) + "\n"


def write(recorded: Recorded, path: Path) -> None:
    """Keep it in a file that its user alone may read; one that is there is replaced whole. Raises UserError."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text_of(recorded))
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UserError(
            f"--record {path}: it cannot be written: {error.strerror}; name a file in a folder of yours"
        ) from error


def keep(recorded: Recorded, state: StateDir) -> None:
    """Keep it as the newest one of its environment. Raises StateError."""
    state.write(newest(place_of(recorded.stack, recorded.env)), text_of(recorded))


def newest(place: Place) -> str:
    """Return where in the state directory the newest one of an environment of a stack is."""
    return f"facts/{file_name(place)}/recorded.json"


def read(path: Path) -> Recorded:
    """Return what was recorded. Raises UserError: it is not there, or is no record of a run."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise UserError(f"{path}: recorded by another version of infratest; record a run anew: `test --record`")
        hosts = {str(name): of_plain(one) for name, one in content["hosts"].items()}
        return Recorded(str(content["stack"]), str(content["env"]), float(content["time"]), hosts)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; `infratest test --record {path}` records a run") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is no record of a run, or is damaged; `infratest test --record` writes one") from error
