r"""A script's way into a command line, and into a shell that stays for the next: texts alone, pure.

Called by the transport `ssh` and by the client that keeps such a shell. What goes to the login shell is escaped, so
that sh, csh and fish read it alike; it goes in the environment of the shell instead of its arguments, because a
collection asks for the arguments of all processes, of its own too.

The shell that stays gets one line a run on its standard input. It runs the script, a function of it, in a subshell, so
that what a run changes (variables, folder, traps, umask) ends with it. Around the run it says the marker on both
streams: before it begins (whoever started the shell has said so for the first), and with the status once it has ended.
"""

from __future__ import annotations

from functools import lru_cache

from infratest.quoting import command_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes of a script, written for a command line, up to which it goes with the command (libssh2 sends 35 000 in all).
SCRIPT_LIMIT = 30_500

#: What some login shell reads otherwise inside single quotes (sh, csh, fish) -> how `printf %b` writes it. A backslash
#: before another character than itself or a quote is one to all of them.
ESCAPES = str.maketrans({"\\": r"\0134", "\n": r"\n", "'": r"\0047", "!": r"\0041"})

#: The environment variable that holds a script.
SCRIPT = "INFRATEST_SCRIPT"

RUN = f'eval "unset {SCRIPT}; $(printf %b "${SCRIPT}")"'

#: The shell that stays. No line break and no backslash may stand here: the login shell reads it.
STAY = (
    'keep() { eval "$(printf %b "$1")"; }; '
    'run() { script "$@" </dev/null; s=$?; echo "$m $s"; echo "$m $s" >&2; }; '
    'again() { echo "$m"; echo "$m" >&2; run "$@"; }; '
    f'm=$1; shift; keep "${SCRIPT}"; unset {SCRIPT}; run "$@"; while IFS= read -r line; do eval "$line"; done'
)

#: A line by the login shell that sshd names. Bash counts shells: asked as the first one, it reads what it reads then.
TYPED = 'unset SHLVL; exec "${SHELL:-/bin/sh}" -c "$(printf %b "$1")"'


@lru_cache(maxsize=64)
def escaped(text: bytes, function: bool = False) -> str | None:
    """Return a script for `printf %b`; None where it does not fit into a command line.

    Args:
        function: as the function `script` of the shell that stays.
    """
    whole = b"script() (\n" + text + b"\n)" if function else text
    script = whole.decode("utf-8", "surrogateescape").translate(ESCAPES)
    return None if "\0" in script or len(script.encode("utf-8", "surrogateescape")) > SCRIPT_LIMIT else script


def once(script: str, arguments: Sequence[str], environment: Sequence[str]) -> list[str]:
    """Return the command that runs an escaped script, behind the `env` that it is to run in."""
    return [*environment, f"{SCRIPT}={script}", "sh", "-c", RUN, "sh", *arguments]


def typed(line: str) -> list[str]:
    """Return the command that has the login shell run a line, every character of it as it is."""
    return ["sh", "-c", TYPED, "sh", line.translate(ESCAPES)]


def staying(marker: str, arguments: Sequence[str], environment: Sequence[str] = ()) -> list[str]:
    """Return the command that starts the shell that stays, and runs first the escaped script in its environment."""
    return ["env", "LC_ALL=C", *environment, "sh", "-c", STAY, "sh", marker, *arguments]


def request(function: str, arguments: Sequence[str]) -> bytes:
    """Return the line that has the shell run its script again, or another one where `function` is not empty."""
    line = command_line(["again", *arguments])
    return (f"keep '{function}'; {line}\n" if function else f"{line}\n").encode("utf-8", "surrogateescape")
