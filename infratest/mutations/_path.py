"""Faults of one path that several subjects share: put aside, put in its place, written into, changed in what it is."""

from __future__ import annotations

from infratest.acts._fault import token
from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct

#: Without these no command runs on a host, its undo neither.
VITAL = frozenset(
    "/ /bin /boot /dev /dev/null /etc /home /lib /lib32 /lib64 /proc /root /run /sbin /sys /usr /usr/bin /usr/lib "
    "/usr/sbin /var /var/lib".split()
)
WOULD_END = "the host would not outlive it"

#: The user and the group that own nothing, by number; and another one, for what is nobody's already.
NOBODY, OTHER = "65534", "1"
#: Permission bits that a file may be given too much of, the likeliest first.
TOO_MUCH = (0o002, 0o020, 0o004, 0o040, 0o001, 0o010, 0o4000, 0o2000)

#: $2: the path, $3: where it is kept meanwhile, on the same file system, so that it is the same one afterwards.
AWAY = 'mv -T -- "$2" "$3"'
BACK = """if [ -e "$3" ] || [ -L "$3" ]; then
  [ -d "$2" ] || rm -f -- "$2"
  mv -T -- "$3" "$2"
fi"""
#: $2: a path at which nothing is. The mark at $1 is there before, so that the undo removes nothing of others'.
FREE = """if [ -e "$2" ] || [ -L "$2" ]; then echo "$2 is there already" >&2; exit 1; fi
: >"$1\""""
REMOVED = '[ ! -e "$1" ] || { rm -rf -- "$2"; rm -f -- "$1"; }'
#: Written into as it stands: a file may be mounted on its place (/etc/hosts of a container), and keeps what it is.
COPIED = '[ -f "$2" ] || { echo "$2 is no regular file" >&2; exit 1; }\ncp -p -- "$2" "$1.part"; mv -- "$1.part" "$1"'
WRITTEN_BACK = '[ ! -e "$1" ] || { cat -- "$1" >"$2"; touch -r "$1" -- "$2"; rm -f -- "$1"; }; rm -f -- "$1.part"'
#: Whose it is and its permission bits, which a change of owner takes bits from.
NOTED = 'stat -L -c "%u:%g %a" -- "$2" >"$1.part"; mv -- "$1.part" "$1"'
AS_NOTED = """if [ -s "$1" ]; then
  read -r owner mode <"$1"
  chown "$owner" -- "$2"
  chmod "$mode" -- "$2"
fi
rm -f -- "$1" "$1.part\""""


def beside(path: str) -> str:
    """Return where a path is kept meanwhile: in the same folder, under a name that no glob of it fits."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.infratest-{token()}-{name}"[: len(folder) + 255]


def away(path: str) -> Act | str:
    """Return what puts whatever is at a path aside."""
    path = path.rstrip("/") or "/"
    if path in VITAL:
        return WOULD_END
    return ScriptAct(f"{path} is put aside", AWAY, BACK, (path, beside(path)))


def made(path: str, directory: bool = False) -> Act:
    """Return what makes an empty file, or a directory, where nothing is."""
    make = 'mkdir -- "$2"' if directory else ': >"$2"'
    return ScriptAct(f"{path} is made", f"{FREE}\n{make}", REMOVED, (path.rstrip("/"),))


def linked(path: str, target: str) -> Act:
    """Return what makes a link of a path, whatever is there put aside."""
    change = f'if [ -e "$2" ] || [ -L "$2" ]; then {AWAY}; else : >"$1"; fi\nln -s -- "$4" "$2"'
    restore = f'if [ -e "$1" ]; then rm -f -- "$2" "$1"; fi\n{BACK}'
    return ScriptAct(f"{path} is made a link to {target}", change, restore, (path, beside(path), target))


def emptied(path: str) -> Act:
    """Return what takes a file's content away."""
    return ScriptAct(f"{path} is emptied", f'{COPIED}\n: >"$2"', WRITTEN_BACK, (path,))


def appended(path: str, text: str) -> Act:
    """Return what adds a line at the end of a file."""
    change = f'{COPIED}\nprintf "\\n%s\\n" "$3" >>"$2"'
    return ScriptAct(f"a line is added to {path}", change, WRITTEN_BACK, (path, text))


def filtered(path: str, program: str, words: str, *arguments: str) -> Act:
    """Return what replaces a file's content by what a line of shell makes of it, given on standard input."""
    return ScriptAct(words, f'{COPIED}\n{program} <"$1" >"$2"', WRITTEN_BACK, (path, *arguments))


def owned(path: str, owner: str) -> Act:
    """Return what gives a path to an owner, or `:group` to a group."""
    return ScriptAct(f"{path} is given to {owner}", f'{NOTED}\nchown -- "$3" "$2"', AS_NOTED, (path, owner))
