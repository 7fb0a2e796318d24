"""The random id of a state directory, which the leases of all that is made from it carry.

Read by the store, which makes it, and by every provider, whose hosts are told by it from those of others.
"""

from __future__ import annotations

import os

from infratest.cleaning import clean
from infratest.errors import StateError

NAME = "id"
#: Where a stack's state directory is: beside the stack file, or the system's where that cannot be written.
BESIDE, SYSTEM = ".infratest", "/var/lib/infratest"


def read(folder: str | os.PathLike[str]) -> str:
    """Return the id of a state directory, empty where nothing was ever made from it.

    Raises:
        StateError: there may be one, and it cannot be read: whose the hosts are is then not known.
    """
    path = f"{os.fspath(folder)}/{NAME}"  # no pathlib: a check that starts in milliseconds reads it too
    try:
        with open(path, "rb") as file:
            data = file.read(200)
    except FileNotFoundError:
        return ""
    except OSError as error:
        words = f"state directory: {path} could not be read: {error.strerror}; name another with --state"
        raise StateError(words) from error
    text = data.decode("ascii", "replace").strip()
    if not text or not text.replace("-", "").replace("_", "").isalnum() or not text.isascii():
        raise StateError(
            f"state directory: {path} is damaged ({clean(text, 40)!r}): write into it what its hosts carry at their "
            "provider as their label infratest.state, or name another directory with --state"
        )
    return text


def of_stack(folder: str | os.PathLike[str], state: str | os.PathLike[str]) -> str:
    """Return the id of a stack's state directory, empty where nothing was ever made from it.

    Args:
        folder: of the stack file.
    Raises:
        StateError: as `read`; or what stands may have been made from the directory beside the stack file, which this
        user may not write, so that it is not the stack's: whoever watches would be told that nothing was made.
    """
    found, beside = read(state), f"{os.fspath(folder)}/{BESIDE}"
    if found or not os.fspath(state).startswith(f"{SYSTEM}/") or not os.path.isdir(beside):  # noqa: PTH112 -- as above
        return found
    try:
        os.stat(f"{beside}/{NAME}")  # noqa: PTH116 -- as above
    except FileNotFoundError:
        return found
    except OSError:
        pass  # what is there is not known
    raise StateError(
        f"state directory: the hosts may have been made from {beside}, which this user may not write, and nothing was "
        f"made from {os.fspath(state)}: run it as the first one's owner, or name that with --state if you may read it"
    )
