"""The engine's own loop on this machine: a hundred checks a cycle, each cycle reading the machine anew.

    python loop.py CYCLES FEATURE FILE PORT     prints one JSON object

Every tenth cycle FILE gets other bytes of the same length and somebody begins or ceases to listen on PORT; FEATURE says
in its last two scenarios what is first so of them. A verdict that is not of the moment is a change missed.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

from held import Held, cpu

from infratest.project.session import Session

FIRST, OTHER = "begun\n", "ended\n"
EVERY = 10


class World:
    """What is changed under the checks: a file's content and a listener."""

    def __init__(self, path: Path, port: int) -> None:
        self._path, self._port = path, port
        # Bound at every address and never listening: nobody else on this machine comes by the port meanwhile.
        self._kept = self._bound("")
        self._listening: socket.socket | None = None
        self.as_said = False
        self.change()

    def change(self) -> None:
        """Change both to what they were not."""
        self.as_said = not self.as_said
        self._path.write_text(FIRST if self.as_said else OTHER)
        if self._listening:
            self._listening.close()
            self._listening = None
        else:
            self._listening = self._bound("127.0.0.1")
            self._listening.listen()

    def _bound(self, address: str) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, self._port))
        return made


def main(cycles: int, feature: str, path: str, port: int) -> None:
    world = World(Path(path), port)
    held = Held(Session(host=("local",)), (feature,), 1)
    missed = changes = 0
    spent = 0.0
    held.cycle()
    held.timed.spent = 0.0
    began = time.monotonic()
    for number in range(1, cycles + 1):
        if number % EVERY == 0:
            world.change()
            changes += 2
        used = cpu()
        results = held.cycle()
        spent += cpu() - used
        *others, file, listener = results
        wrong = [each for each in others if each.state != "ok"]
        if wrong:
            sys.exit(f"{wrong[0].id}: {wrong[0].state}: {wrong[0].reason}")
        expected = "ok" if world.as_said else "critical"
        missed += (file.state != expected) + (listener.state != expected)
    print(json.dumps({
        "wall": time.monotonic() - began, "cpu": spent, "collecting": held.timed.spent, "missed": missed,
        "changes": changes,
    }))  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
