"""Values of `-D` that `up` and `provision` were given, kept in the state directory: what the hosts were made with.

A stack that was made with `-D version=1.26` is tested, checked and provisioned again with that value, until another -D
changes it or the stack is destroyed. The command line wins; a parameter that the stack file no longer has is passed
over. Called by the session, by `up`, `provision`, `destroy` and `status`.
"""

from __future__ import annotations

from collections.abc import Mapping

from infratest.errors import StateError
from infratest.json_text import dumps, loads
from infratest.model import Place
from infratest.store.directory import StateDir

NAME = "parameters.json"


def kept(state: StateDir, place: Place) -> dict[str, str]:
    """Return the values kept for an environment of a stack, by name.

    Raises:
        StateError: they cannot be read: by other values something else would be judged than what was made.
    """
    found = _all(state).get(place, {})
    return {str(name): str(value) for name, value in found.items()}


def keep(state: StateDir, place: Place, given: Mapping[str, str]) -> None:
    """Keep these values beside those that are kept already. Raises StateError."""
    if given:
        with state.lock_of(NAME):  # others keep theirs in the same file
            everything = _all(state)
            state.write(NAME, dumps(everything | {place: everything.get(place, {}) | dict(given)}) + "\n")


def forget(state: StateDir, place: Place) -> None:
    """Forget what is kept for an environment of a stack. Raises StateError."""
    if place not in _all(state):
        return  # no lock where nothing was ever kept: there may be no directory
    with state.lock_of(NAME):
        state.write(NAME, dumps({name: each for name, each in _all(state).items() if name != place}) + "\n")


def shown(values: Mapping[str, str]) -> str:
    """Return values as people write them."""
    return ", ".join(f"{name}={value}" for name, value in sorted(values.items()))


def _all(state: StateDir) -> dict[str, dict[str, str]]:
    path = state.path / NAME
    try:
        found = loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and all(isinstance(each, dict) for each in found.values()):
            return found
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise StateError(f"state directory: {path} cannot be read: {error.strerror}") from error
    except ValueError:
        pass
    raise StateError(f"state directory: {path} is damaged; remove it, and give the values of -D to `infratest up` anew")
