"""Starts a plugin so many times, one by one, as a scheduler does that spawns: python spawn.py COUNT PROGRAM ..."""

from __future__ import annotations

import os
import sys


def main(count: int, command: list[str]) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    for _ in range(count):
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
