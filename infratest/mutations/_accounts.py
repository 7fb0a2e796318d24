"""Faults of accounts: the host's own files of them with another content for a while, all four as they were after it."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct
from infratest.quoting import quoted

#: The four files as they are. Should nobody undo it, since infratest or the machine it runs on has died, the host does
#: so by itself: a host on which root is nobody any more lets nobody in.
SAVED = """mkdir -p -m 0700 -- "$1"
for file in passwd group shadow gshadow; do
  [ ! -e "/etc/$file" ] || cp -p -- "/etc/$file" "$1/$file"
done
: >"$1/whole"
setsid sh -c 'sleep 300; "$@"' sh sh -c "$RESTORE" sh "$1" </dev/null >/dev/null 2>&1 &
"""
RESTORE = """[ -e "$1/whole" ] || { rm -rf -- "$1"; exit 0; }
for file in passwd group shadow gshadow; do
  [ ! -e "$1/$file" ] || { cp -p -- "$1/$file" "/etc/$file.infratest" && mv -- "/etc/$file.infratest" "/etc/$file"; }
done
rm -rf -- "$1\""""
#: $2: passwd or group, $3: an awk program's text, $4: the entry's name, $5: a value.
EDITED = """awk -F: -v OFS=: -v name="$4" -v value="$5" "$3" "$1/$2" >"$1/new"
! cmp -s -- "$1/new" "$1/$2" || { echo "/etc/$2 has no such entry: it is another name service's" >&2; exit 1; }
cat -- "$1/new" >"/etc/$2\""""

#: Fields of passwd(5) and group(5), from 1.
UID, GID, COMMENT, HOME, SHELL = 3, 4, 5, 6, 7
GROUP_GID, MEMBERS = 3, 4


def edited(file: str, program: str, words: str, name: str, value: str = "") -> Act:
    """Return what changes /etc/passwd or /etc/group by an awk program that knows `name` and `value`."""
    return replaced(words, EDITED, file, program, name, value)


def replaced(words: str, change: str, *arguments: str) -> Act:
    """Return what changes the files by lines of shell, which find them as they were in the folder `$1`."""
    return ScriptAct(words, f"RESTORE={quoted(RESTORE)}\n{SAVED}{change}", RESTORE, arguments)


def removed(file: str, name: str) -> Act:
    """Return what takes an entry away."""
    return edited(file, "$1 != name", f"{name} is taken out of /etc/{file}", name)


def added(file: str, name: str) -> Act:
    """Return what adds an entry, of an id that few have."""
    row = {
        "passwd": 'name, "x", 61998, 61998, "", "/nonexistent", "/usr/sbin/nologin"',
        "group": 'name, "x", 61998, ""',
    }
    return edited(file, f"{{ print }} END {{ print {row[file]} }}", f"{name} is put into /etc/{file}", name)


def changed(file: str, name: str, field: int, value: str) -> Act:
    """Return what gives one field of an entry another value."""
    program = f"$1 == name {{ ${field} = value }} {{ print }}"
    return edited(file, program, f"field {field} of {name} in /etc/{file} is made {value!r}", name, value)
