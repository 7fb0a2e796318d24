"""What the workers of pytest-xdist do once for all of them: bring a stack up, run the checking scenarios.

Without workers it is done in this process and kept here.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Shared:
    """Things done once.

    Args:
        folder: that all workers see and nobody else can write, or None where there are no workers.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._done: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what was made under this name, by whichever worker came first; the others wait for it.

        Args:
            make: returns what JSON can hold; called while no other worker is at anything of this name.
        """
        if name not in self._done:
            with self._lock(name):
                path = self.folder / f"{name}.json" if self.folder else None
                if path is not None and path.exists():
                    self._done[name] = json.loads(path.read_text("utf-8"))
                else:
                    self._done[name] = made = make()
                    self._write(path, made)
        return self._done[name]

    def note(self, name: str, value: Any) -> None:
        """Keep a value where the controller finds it, whatever becomes of this process."""
        self._done[name] = value
        self._write(self.folder / f"{name}.json" if self.folder else None, value)

    def noted(self, name: str) -> Any:
        """Return a value that was noted or made, by any process; None where there is none."""
        path = self.folder / f"{name}.json" if self.folder else None
        if name not in self._done and path is not None and path.exists():
            self._done[name] = json.loads(path.read_text("utf-8"))
        return self._done.get(name)

    def _write(self, path: Path | None, value: Any) -> None:
        if path is not None:
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(value), encoding="utf-8")
            temporary.replace(path)

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        if self.folder is None:
            yield
            return
        with (self.folder / f"{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
