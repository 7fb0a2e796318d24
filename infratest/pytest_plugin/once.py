"""What the workers of pytest-xdist do once for all of them: read a feature, bring a stack up, run the checks.

Without workers it is done in this process and kept here.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Form:
    """How a value is handed to the other workers: as bytes in a file."""

    dumps: Callable[[Any], bytes]
    loads: Callable[[bytes], Any]


#: Texts, numbers, lists and maps.
PLAIN = Form(lambda value: json.dumps(value).encode(), json.loads)


class Shared:
    """Things done once.

    Args:
        folder: that all workers see and nobody else can write, or None where there are no workers.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._values: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Any], form: Form = PLAIN, lock: str = "") -> Any:
        """Return what was made under this name, by whichever worker came first; the others wait for it.

        Args:
            make: returns what the form can hold; called while no other worker makes anything under this lock.
            lock: a name that several values share; their own name without it.
        """
        if name not in self._values:
            with self._lock(lock or name):
                path = self._path(name)
                if path is not None and path.exists():
                    self._values[name] = form.loads(path.read_bytes())
                else:
                    self._values[name] = value = make()
                    self._write(path, value, form)
        return self._values[name]

    def note(self, name: str, value: Any) -> None:
        """Keep a plain value where the controller finds it, whatever becomes of this process."""
        self._values[name] = value
        self._write(self._path(name), value, PLAIN)

    def noted(self, name: str) -> Any:
        """Return a plain value that was noted or made, by any process; None where there is none."""
        path = self._path(name)
        if name not in self._values and path is not None and path.exists():
            self._values[name] = PLAIN.loads(path.read_bytes())
        return self._values.get(name)

    def _path(self, name: str) -> Path | None:
        return self.folder / f"{name}.value" if self.folder else None

    def _write(self, path: Path | None, value: Any, form: Form) -> None:
        if path is not None:
            temporary = path.with_suffix(".new")
            temporary.write_bytes(form.dumps(value))
            temporary.replace(path)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        if self.folder is None:
            yield
            return
        with (self.folder / f"{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
