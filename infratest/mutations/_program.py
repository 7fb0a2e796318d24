"""A program that answers something else for a while; what the faults of commands do."""

from __future__ import annotations

import shlex

from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct
from infratest.quoting import quoted

#: What infratest itself, a shell or the undo works with: another program in its place would break more than is meant.
OURS = frozenset(
    """awk base64 basename bash busybox cat chgrp chmod chown cksum cmp cp cut dash date dd df dirname env expr find
    getent grep head id kill ln ls mawk mkdir mktemp mv nohup od perl ps readlink rm rmdir sed seq setsid sh sleep sort
    ssh sshd stat sudo tail tar tee timeout touch tr true uname uniq wc which xargs""".split()
)
#: What makes more of a command than a program with its arguments (sh(1)).
SHELL = frozenset("|&;<>()$`\\*?[]{}~#!\n")

#: $2: the program's name, $3: the text of the one in its place.
REPLACED = """path=$(command -v -- "$2") || { echo "$2 is not installed" >&2; exit 1; }
case $path in /*) ;; *) echo "$2 is the shell's own" >&2; exit 1 ;; esac
[ ! -L "$path" ] || { echo "$path is a link: what it leads to may be other programs, too" >&2; exit 1; }
printf '%s\\n' "$path" >"$1.part"; mv -- "$1.part" "$1"
kept=${path%/*}/.infratest-${path##*/}
mv -- "$path" "$kept"
printf '%s\\n' "$3" >"$path"
chmod 0755 "$path\""""
AS_BEFORE = """if [ -s "$1" ]; then
  read -r path <"$1"
  kept=${path%/*}/.infratest-${path##*/}
  [ ! -e "$kept" ] || mv -f -- "$kept" "$path"
fi
rm -f -- "$1" "$1.part\""""


def answers(command: str, out: str = "", status: int = 0, err: str = "", seconds: float = 0) -> Act | str:
    """Return what has the program of a command print and end as said, or why that cannot be."""
    program = _program(command)
    if not program:
        return "more than one program, or the shell itself, answers the command"
    if program in OURS:
        return f"{program} is what infratest works with, too"
    lines = ["#!/bin/sh", f"sleep {seconds:.3f}" if seconds else ""]
    lines += [f"printf '%s\\n' {quoted(out)}" if out else "", f"printf '%s\\n' {quoted(err)} >&2" if err else ""]
    text = "\n".join([*filter(None, lines), f"exit {status}"])
    said = f"prints {out!r} and " if out else f"prints {err!r} to standard error and " if err else ""
    return ScriptAct(f"{program} {said}ends with {status}", REPLACED, AS_BEFORE, (program, text))


def _program(command: str) -> str:
    """Return the program of a command that is one program with its arguments, else an empty text."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    plain = words and "=" not in words[0] and "/" not in words[0] and not words[0].startswith("-")
    return words[0] if plain and not SHELL & set(command) else ""
