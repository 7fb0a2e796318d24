"""The random id of a state directory, which the leases of all that is made from it carry.

Read by the store, which makes it, and by every provider, whose hosts are told by it from those of others.
"""

from __future__ import annotations

import os

from infratest.cleaning import clean
from infratest.errors import StateError

NAME = "id"


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
