"""What was on a host before it was provisioned for the first time, kept in the state directory for `coverage`.

`facts/STACK@ENV/before-HOST.json`: one a host, which stays while the host lives. It holds names and modes and no
content (`inventory` says what is left out), and is readable by its user alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from time import time

from infratest.deadline import Deadline
from infratest.errors import InfratestError, StateError
from infratest.hosts import Host
from infratest.learn.inventory import KINDS, Inventory, of_plain, taken
from infratest.model import Place, file_name
from infratest.store.directory import StateDir

SCHEMA = 1
#: Seconds that asking a host may take.
SECONDS = 60.0


@dataclass(frozen=True)
class Baseline:
    """An inventory of a host, and when it was taken.

    Args:
        id: the provider's id of the machine, empty where nobody here made it. time: seconds since the epoch.
    """

    id: str
    time: float
    inventory: Inventory


def record(state: StateDir, place: Place, host: Host, id: str, begun: float, deadline: Deadline) -> None:
    """Keep what is on a host now, unless it is kept since it lives.

    Args:
        id: its provider's, or empty. begun: when it began anew under this id, 0 where it did not.
    Raises:
        InfratestError: it could not be asked, or this could not be kept; what is kept of another machine is gone then.
    """
    kept = read(state, place, host.name)
    if kept is not None and kept.id == id and kept.time >= begun:
        return
    seconds = min(SECONDS, deadline.left / 3)  # a heal has seconds, and most of them are for provisioning
    inventory = taken([host], list(KINDS), 1, deadline.at_most(seconds))[host.name]
    if isinstance(inventory, InfratestError):
        raise inventory
    content = {"schema": SCHEMA, "id": id, "time": round(time(), 3), **asdict(inventory)}
    state.write(_name(place, host.name), json.dumps(content, sort_keys=True) + "\n")


def read(state: StateDir, place: Place, host: str) -> Baseline | None:
    """Return what is kept of a host; None where nothing is, or nothing that this version can read.

    Raises:
        StateError: it is there and cannot be read.
    """
    try:
        with open(state.file(_name(place, host)), encoding="utf-8") as file:
            content = json.load(file)
        if content["schema"] != SCHEMA:
            return None
        return Baseline(str(content["id"]), float(content["time"]), of_plain(content))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StateError(f"state directory: {state.file(_name(place, host))}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _name(place: Place, host: str) -> str:
    return f"facts/{file_name(place)}/before-{host}.json"
