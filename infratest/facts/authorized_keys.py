"""The fact `authorized-keys`: the SSH keys with which a user may log in. Argument: the user's name.

From the files that the host's sshd names for the user (`sshd -T -C user=...`), where it can be asked, else from
sshd's own defaults. With StrictModes sshd reads no file that others than root and the user may write, or whose folders
they may, up to the user's home: sshd_config(5); such a file gives no key, nor does one that the user may not read, for
it is opened as the user. Debian's sshd lets the user's own group write them (its patch user-group-modes). Of a key's
options its expiry time counts, that sshd takes them all, and whether from= is among them; others are left aside.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _sshd_account
from infratest.facts._accounts import entry_name
from infratest.facts._authorized_key import TYPES, Key, judged, parsed, refusal, whence
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Settings of sshd that it prints in a row for each of their values.
EACH = ("allowusers", "denyusers", "allowgroups", "denygroups")

# Beside the rows of `_sshd_account`, for each user: `none`, or `user UID`; `now LOCAL UTC`; `groups NAMES`; `set NAME
# VALUE` of what sshd says; the lines of its RevokedKeys behind a dash, or `revoked PATH` where it is no text; `file
# PATH` of each file that is there, or `unread PATH`, then `mode UID:MODE PATH` of it and of its folders up to the home,
# each with `own` behind it where its group may write it, is the user's own, and this sshd lets it; `reads yes` or `no`;
# and its lines behind a bar. A dot ends each.
SNIPPET = r"""
entry() {
  if command -v getent >/dev/null 2>&1; then getent passwd -- "$1"; return; fi
  while IFS= read -r row; do
    case $row in "$1":*) put "$row"; echo; break ;; esac
  done </etc/passwd
}
path_line() {
  one_line "$2"
  printf '%s %s\n' "$1" "$line"
}
# Whether a group is the user's own: Debian's patch user-group-modes, which knows the option DebianBanner.
own_group() {
  "$sshd" -T -C "user=$user,host=localhost,addr=127.0.0.1" -o DebianBanner=yes >/dev/null 2>&1 || return 1
  rows=$(getent group "$1") || return 1
  members=${rows##*:} count=0
  rows=$(getent passwd) || return 1
  while IFS=: read -r _ _ id group _; do
    [ "$group" = "$1" ] || continue
    [ "$id" = "$uid" ] || return 1
    count=1
  done <<END
$rows
END
  case $members in '') [ "$count" = 1 ] ;; "$user") ;; *) return 1 ;; esac
}
settings() {
  if sshd=$(command -v sshd); then # it wants to be called by its whole path
    "$sshd" -T -C "user=$1,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22" 2>/dev/null && return
    echo 'untold'
  fi
  printf '%s\n' 'strictmodes yes' 'authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2'
}
file() {
  line=$1
  swap %h "$home"
  swap %u "$user"
  swap %U "$uid"
  swap %% %
  path=$line
  case $path in none) return ;; /*) ;; *) path=$home/$path ;; esac
  if ! [ -e "$path" ]; then
    words=$(stat -L -c %a -- "$path" 2>&1)
    case $words in
      *': No such file or directory' | *': Not a directory') ;;
      *) path_line unread "$path" ;;
    esac
    return
  fi
  if ! [ -r "$path" ]; then path_line unread "$path"; return; fi
  real=$(readlink -f -- "$path") top=$(readlink -f -- "$home")
  path_line file "$real"
  at=$real
  while :; do
    path_line "mode $(stat -c %u:%a:%F -- "$at")" "$at"
    case $(stat -c %a -- "$at") in
      *[2367]?) [ -n "$sshd" ] && own_group "$(stat -c %g -- "$at")" && echo own ;;
    esac
    case $at in "$top" | / | '') break ;; esac
    at=${at%/*}
    at=${at:-/}
  done
  [ -f "$real" ] || return
  reads "$real"
  sed 's/^/|/' <"$real"
  echo
}
revoked() {
  [ "$1" != none ] || return
  if ! [ -f "$1" ] || ! [ -r "$1" ] || [ "$(head -c 6 <"$1" | tr -d '\000')" = SSHKRL ]; then
    path_line revoked "$1"
    return
  fi
  sed 's/^/-/' <"$1"
  echo
}
look() {
  row=$(entry "$1")
  if [ -z "$row" ]; then echo none; return; fi
  user=$1 rest=${row#*:*:} home=${row%:*} shell=${row##*:} hash=${row#*:}
  uid=${rest%%:*} home=${home##*:}
  echo "user $uid"
  echo "now $(date +%Y%m%d%H%M%S) $(date -u +%Y%m%d%H%M%S)"
  path_line groups "$(id -Gn -- "$1" 2>/dev/null)"
  account "$1" "${hash%%:*}"
  shell "${shell:-/bin/sh}"
  sshd=$(command -v sshd) || sshd=
  [ -z "$sshd" ] || conf_of_sshd
  said=$(settings "$1")
  files=
  while read -r key value; do
    case $key in
      authorizedkeysfile) files=$value ;;
      untold) echo 'unread the settings of sshd (sshd -T)'; echo 'set untold yes' ;;
      revokedkeys) revoked "$value" ;;
      strictmodes | pubkeyauthentication | authorizedkeyscommand | pubkeyacceptedalgorithms | pubkeyacceptedkeytypes | \
        requiredrsasize | permitrootlogin | usepam | chrootdirectory | \
        authenticationmethods | denyusers | allowusers | denygroups | allowgroups)
        path_line "set $key" "$value" ;;
    esac
  done <<END
$said
END
  set -f
  for each in $files; do file "$each"; done
  set +f
}
for name; do
  look "$name"
  echo .
done
"""


class AuthorizedKeys(Record):
    """The keys of a user.

    Args:
        user: whether there is such a user. keys: of all files that sshd reads, in order, each once. refused: files that
        sshd does not read, and keys that it does not take, and why. unread: files that we could not read. command: by
        which sshd gets more keys. off: whether sshd takes no key at all. unsure: fingerprints of keys, and why it is
        not known whether sshd takes them. barred: why the user gets in by no key. perhaps_barred: why it is not known
        whether.
    """

    user: bool
    keys: tuple[Key, ...] = ()
    refused: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    command: str = ""
    off: bool = False
    unsure: tuple[tuple[str, str], ...] = ()
    barred: str = ""
    perhaps_barred: str = ""
    whence: tuple[tuple[str, str], ...] = ()
    unsettled: str = ""

    def in_words(self) -> str:
        if not self.user:
            return "there is no such user"
        words = f"{len(self.keys)} keys: {', '.join([key.in_words() for key in self.keys[:10]]) or 'none'}"
        for title, each in (("sshd refuses", self.refused), ("could not be read", self.unread)):
            words += f"; {title}: {', '.join(each[:5])}" if each else ""
        words += f"; more by {self.command}" if self.command else ""
        words += f"; not known of {', '.join([' '.join(each) for each in self.unsure[:5]])}" if self.unsure else ""
        words += f"; the user gets in by none: {self.barred}" if self.barred else ""
        words += f"; what holds is not known: {self.unsettled}" if self.unsettled else ""
        return words + ("; sshd takes no keys" if self.off else "")


class AuthorizedKeysFact(LooksForEach):
    """SSH keys of users."""

    encoded = True

    def snippet(self) -> str:
        return (
            without("stat", "stat (coreutils) is not installed on this host")
            + without("readlink", "readlink (coreutils) is not installed on this host")
            + PUT
            + ONE_LINE
            + SNIPPET.replace("look() {", f"{_sshd_account.SNIPPET}look() {{", 1)
        )

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (entry_name(argument[0]),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        parts: list[list[str]] = [[]]
        for row in lines(self.readable(answer).out):
            if row == ".":
                parts.append([])
            else:
                parts[-1].append(row)
        if len(parts) != len(arguments) + 1 or parts[-1]:
            raise FactError(f"keys of {len(arguments)} users were asked for, and {len(parts) - 1} answers arrived")
        return {argument: _keys(argument[0], part) for argument, part in zip(arguments, parts[:-1], strict=True)}


def _keys(user: str, rows: Sequence[str]) -> AuthorizedKeys:
    if rows == ["none"]:
        return AuthorizedKeys(user=False)
    first, _, uid = (rows[0] if rows else "").partition(" ")
    if first != "user" or not uid.isdigit():
        raise FactError(f"the answer about a user's keys is not understood: {rows[:1]}")
    from infratest.facts._sshd_file_modes import readable

    parts = _parts(rows[1:])
    settings = parts.settings
    found = _Found()
    for path, modes, body in parts.files:
        if why := _unread(path, uid, modes, parts):
            found.refused.append(f"{path} ({why})")
            continue
        # Where nobody could be asked to be the user, the modes say it, but for an ACL.
        closed = "" if path in parts.reads or readable(uid, modes) else f"whether the user may read {path} is not known"
        for line in body:
            found.add(line, parts, closed)
    command = settings.get("authorizedkeyscommand", "none")
    account = _sshd_account.of_account(parts.account, settings)
    why, doubt = _sshd_account.barred(user, uid, parts.groups, settings, account)
    return AuthorizedKeys(
        True, tuple(found.keys), tuple(found.refused), tuple(parts.unread), "" if command == "none" else command,
        settings.get("pubkeyauthentication", "yes") == "no",
        tuple([each for each in found.unsure.items() if each[0] not in found.places]), why, doubt,
        tuple([each for each in found.places.items() if each[1]]), _sshd_account.hangs(parts.conf, user),
    )  # fmt: skip


class _Found:
    """What the lines of a user's files come to."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.keys: dict[Key, None] = {}
        self.unsure: dict[str, str] = {}
        #: Of each key's fingerprint, from where alone it is taken.
        self.places: dict[str, str] = {}

    def add(self, line: str, parts: _Parts, closed: str) -> None:
        """Add a line of a file, of which it is not known whether the user may read it (`closed` says so), or is."""
        if (key := parsed(line)) is None:
            return
        why, doubt = _of_line(key, line, parts)
        if why:
            self.refused.append(f"{key.in_words()} ({why})")
        elif doubt or closed:
            self.unsure[key.fingerprint] = doubt or closed
        else:
            self.keys[key] = None
            here, before = whence(line), self.places.get(key.fingerprint)
            self.places[key.fingerprint] = here if before is None else before and here


def _unread(path: str, uid: str, modes: Sequence[str], parts: _Parts) -> str:
    """Return why sshd does not read a file; empty where it does."""
    from infratest.facts._sshd_file_modes import unsafe

    if parts.settings["strictmodes"] != "no" and (why := unsafe(uid, modes)):
        return why
    return "sshd opens it as the user, who may not read it" if parts.reads.get(path) == "no" else ""


class _Parts:
    """What an answer holds: settings of sshd, files with their modes and lines, and what else matters of a user."""

    def __init__(self) -> None:
        self.settings = {"strictmodes": "yes"}
        self.unread: list[str] = []
        self.files: list[tuple[str, list[str], list[str]]] = []
        self.groups: list[str] = []
        #: The host's time, its own and UTC.
        self.now = ("", "")
        self.revoked: list[str] = []
        self.revoked_by = ""
        #: A line among the revoked keys that is none.
        self.not_revoked = ""
        #: Of each file, whether the user may read it.
        self.reads: dict[str, str] = {}
        self.account = {"account": "", "shell": ""}
        self.conf: list[str] = []

    def revoke(self, line: str) -> None:
        """Add a line of the revoked keys."""
        key, text = parsed(line), line.strip()
        if key is not None:
            self.revoked.append(key.fingerprint)
        if text and text[0] != "#" and (key is None or not text.startswith(TYPES)):
            self.not_revoked = self.not_revoked or text


def _of_line(key: Key, line: str, parts: _Parts) -> tuple[str, str]:
    """Return why sshd does not take the key of a line, and why it is not known whether it does; or neither."""
    if why := refusal(key, parts.settings):
        return why, ""
    if key.fingerprint in parts.revoked:
        return "it is in RevokedKeys", ""
    if parts.not_revoked and not parts.not_revoked.startswith(TYPES):
        return f"sshd takes no key at all: {cited(parts.not_revoked, 40)} in its RevokedKeys is no key", ""
    why, doubt = judged(line, *parts.now)
    if not why and not doubt and parts.not_revoked:
        doubt = f"what sshd makes of {cited(parts.not_revoked, 40)} in its RevokedKeys is not known"
    if not why and not doubt and parts.revoked_by:
        doubt = f"whether {parts.revoked_by} (RevokedKeys) holds it could not be looked at"
    return why, doubt


def _parts(rows: Sequence[str]) -> _Parts:
    """Return what the lines of an answer hold. Raises FactError."""
    parts = _Parts()
    for row in rows:
        if row and not _of_file(row, parts) and not _of_user(row, parts):
            raise FactError(f"the answer about a user's keys is not understood: {cited(row, 80)}")
    return parts


def _of_file(row: str, parts: _Parts) -> bool:
    """Whether a line is of a file and its folders; it is kept then."""
    mark, _, words = row.partition(" ")
    if mark == "file":
        parts.files.append((unescaped(words), [], []))
    elif not parts.files:
        return False
    elif mark == "reads":
        parts.reads[parts.files[-1][0]] = words
    elif row[:1] == "|":
        parts.files[-1][2].append(row[1:])
    elif mark == "mode":
        parts.files[-1][1].append(words)
    elif row == "own" and parts.files[-1][1]:
        parts.files[-1][1][-1] = f"own {parts.files[-1][1][-1]}"
    else:
        return False
    return True


def _of_user(row: str, parts: _Parts) -> bool:
    """Whether a line is of the user or of what sshd says; it is kept then."""
    mark, _, words = row.partition(" ")
    if row[:1] == "-":
        parts.revoke(row[1:])
    elif mark == "set":
        name, _, value = words.partition(" ")
        # Of users and groups sshd prints a row for each.
        before = parts.settings.get(name, "") if name in EACH else ""
        parts.settings[name] = f"{before} {unescaped(value)}".lstrip()
    elif mark == "unread":
        parts.unread.append(unescaped(words))
    elif mark == "groups":
        parts.groups = unescaped(words).split()
    elif mark == "now":
        parts.now = (words.partition(" ")[0], words.partition(" ")[2])
    elif mark == "revoked":
        parts.revoked_by = unescaped(words)
    elif mark in parts.account:
        parts.account[mark] = unescaped(words)
    elif mark == "conf":
        parts.conf.append(unescaped(words))
    else:
        return False
    return True
