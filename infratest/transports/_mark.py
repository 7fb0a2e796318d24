"""A mark in the environment of a command, by which everything it has started on its host is found and killed.

Called by the transports whose connection does not end what runs at its other end: closing an SSH channel or a
`docker exec` leaves the command alive. Linux shows each process's environment in /proc to its own user.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: The environment variable that holds the mark.
NAME = "INFRATEST_COMMAND"

#: Seconds that the killing may take, after the deadline.
LAST_WAIT = 2.0

#: Becomes the command, so that one that is not there is 127 with the shell's words everywhere. Under sudo the marked
#: shell stays: sudo's own environment can be read by nobody, and it takes the mark from what it starts.
RUN = 'case $1 in sudo) "$@"; exit $?;; esac; exec "$@"'

#: Prints the marker ($1) on both streams, carries it in the environment, then becomes the command.
BEGIN = f'export {NAME}="$1"; shift; echo "${NAME}"; echo "${NAME}" >&2; {RUN}'

#: The same for a client that cannot tell the status 0 from no status at all: the shell stays and says the marker and
#: the status on the standard error once the command has ended. Its own words (that a signal ended the command) are no
#: words of the command and go nowhere.
TELL = (
    f'export {NAME}="$1"; shift; echo "${NAME}"; echo "${NAME}" >&2; exec 3>&2 2>/dev/null; '
    f'(exec "$@") 2>&3 3>&-; s=$?; echo "${NAME} $s" >&3; exit $s'
)

#: $1 is a pattern of the mark that does not match itself, so that what runs this is not found by its own arguments.
#: sh's own `kill` spawns nothing. The shell that tells the status has the mark among its arguments. That they are gone
#: is waited for (a moment): dropbear closes a fresh channel when a process of an earlier one ends.
KILL = """for e in /proc/[0-9]*/environ; do
    p=${e%/environ}
    grep -q "$1" "$e" "$p/cmdline" && kill -KILL "${p#/proc/}"
done 2>/dev/null
n=0
while [ $n -lt 20 ] && grep -qs "$1" /proc/[0-9]*/cmdline; do n=$((n + 1)); sleep 0.05; done"""

#: The same where root's processes are among them: the process group of the marked shell (the third field after the
#: name in stat), which has the mark among its arguments or in its environment.
KILL_GROUP = """for e in /proc/[0-9]*/environ; do
    p=${e%/environ}
    grep -q "$1" "$e" "$p/cmdline" && read -r s <"$p/stat" && set -- "$1" ${s##*) } && [ "$4" -gt 1 ] &&
        sudo -n -- sh -c 'kill -KILL "-$1"' sh "$4"
done 2>/dev/null"""


def kill_command(mark: str, command: Sequence[str]) -> list[str]:
    """Return the command that kills what a marked command has started."""
    script = KILL_GROUP if command and command[0] == "sudo" else KILL
    return ["sh", "-c", script, "sh", f"[{mark[0]}]{mark[1:]}"]
