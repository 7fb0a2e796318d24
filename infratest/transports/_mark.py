"""A mark in the environment of a command, by which everything it has started on its host is found and killed.

Called by the transports whose connection does not end what runs at its other end: closing an SSH channel or a
`docker exec` leaves the command alive. Linux shows each process's environment in /proc to its own user and to root.
"""

from __future__ import annotations

from collections.abc import Sequence

#: The environment variable that holds the mark.
NAME = "INFRATEST_COMMAND"

#: Seconds that the killing may take, after the deadline.
LAST_WAIT = 5.0

#: $1 is the signal, $2 `NAME=mark`. sh's own `kill` spawns nothing; the shell that runs this does not carry the mark.
KILL = """for e in /proc/[0-9]*/environ; do
    grep -q "$2" "$e" && p=${e%/environ} && kill "-$1" "${p#/proc/}"
done 2>/dev/null"""


def kill_command(mark: str, command: Sequence[str]) -> list[str]:
    """Return the command that kills what a marked command has started.

    sudo empties the environment, so under it only sudo itself carries the mark; it hands TERM on, as it must be root.
    """
    if command and command[0] == "sudo":
        return ["sudo", "-n", "--", "sh", "-c", KILL, "sh", "TERM", f"{NAME}={mark}"]
    return ["sh", "-c", KILL, "sh", "KILL", f"{NAME}={mark}"]
