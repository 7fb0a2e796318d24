"""The fact `authorized-keys`: the SSH keys with which a user may log in. Argument: the user's name.

From the files that the host's sshd names for the user (`sshd -T -C user=...`), where it can be asked, else from
sshd's own defaults. With StrictModes sshd reads no file that others than root and the user may write, or whose folders
they may, up to the user's home: sshd_config(5); such a file gives no key. Options of a key are left aside.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._accounts import entry_name
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What a key's type begins with: sshd(8), AUTHORIZED_KEYS FILE FORMAT.
TYPES = ("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-")

# For each user: `none`, or `user UID`; `set NAME VALUE` of what sshd says; `file PATH` of each file that is there, or
# `unread PATH`, then `mode UID:MODE PATH` of it and of its folders up to the home, and its lines behind a bar. A dot
# ends each.
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
settings() {
  if sshd=$(command -v sshd); then # it wants to be called by its whole path
    "$sshd" -T -C "user=$1,host=localhost,addr=127.0.0.1" 2>/dev/null && return
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
    case $at in "$top" | / | '') break ;; esac
    at=${at%/*}
    at=${at:-/}
  done
  [ -f "$real" ] || return
  sed 's/^/|/' <"$real"
  echo
}
look() {
  row=$(entry "$1")
  if [ -z "$row" ]; then echo none; return; fi
  user=$1 rest=${row#*:*:} home=${row%:*}
  uid=${rest%%:*} home=${home##*:}
  echo "user $uid"
  said=$(settings "$1")
  files=
  while read -r key value; do
    case $key in
      authorizedkeysfile) files=$value ;;
      untold) echo 'unread the settings of sshd (sshd -T)' ;;
      strictmodes | pubkeyauthentication | authorizedkeyscommand) path_line "set $key" "$value" ;;
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


class Key(Record):
    """A key: its type and body as they are written, and its fingerprint as ssh-keygen -l shows it."""

    kind: str
    body: str
    fingerprint: str

    def in_words(self) -> str:
        return f"{self.kind} {self.fingerprint}"


class AuthorizedKeys(Record):
    """The keys of a user.

    Args:
        user: whether there is such a user. keys: of all files that sshd reads, in order, each once. refused: files that
        sshd does not read, and why. unread: files that we could not read. command: by which sshd gets more keys.
        off: whether sshd takes no key at all.
    """

    user: bool
    keys: tuple[Key, ...] = ()
    refused: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    command: str = ""
    off: bool = False

    def in_words(self) -> str:
        if not self.user:
            return "there is no such user"
        words = f"{len(self.keys)} keys: {', '.join([key.in_words() for key in self.keys[:10]]) or 'none'}"
        for title, each in (("sshd refuses", self.refused), ("could not be read", self.unread)):
            words += f"; {title}: {', '.join(each[:5])}" if each else ""
        words += f"; more by {self.command}" if self.command else ""
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
            + SNIPPET
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
        return {argument: _keys(part) for argument, part in zip(arguments, parts[:-1], strict=True)}


def _keys(rows: Sequence[str]) -> AuthorizedKeys:
    if rows == ["none"]:
        return AuthorizedKeys(user=False)
    first, _, uid = (rows[0] if rows else "").partition(" ")
    if first != "user" or not uid.isdigit():
        raise FactError(f"the answer about a user's keys is not understood: {rows[:1]}")
    settings, unread, files = _marked(rows[1:])
    refused: list[str] = []
    keys: list[Key] = []
    for path, modes, body in files:
        if settings["strictmodes"] != "no" and (why := _refusal(uid, modes)):
            refused.append(f"{path} ({why})")
        else:
            keys += [each for line in body if (each := parsed(line)) is not None]
    command = settings.get("authorizedkeyscommand", "none")
    return AuthorizedKeys(
        True, tuple(dict.fromkeys(keys)), tuple(refused), tuple(unread), "" if command == "none" else command,
        settings.get("pubkeyauthentication", "yes") == "no",
    )  # fmt: skip


def _marked(rows: Sequence[str]) -> tuple[dict[str, str], list[str], list[tuple[str, list[str], list[str]]]]:
    """Return sshd's settings, paths that could not be read, and of each file its path, the modes and its lines."""
    settings, unread = {"strictmodes": "yes"}, []
    files: list[tuple[str, list[str], list[str]]] = []
    for row in rows:
        mark, _, words = row.partition(" ")
        if row[:1] == "|" and files:
            files[-1][2].append(row[1:])
        elif mark == "set":
            key, _, value = words.partition(" ")
            settings[key] = unescaped(value)
        elif mark == "file":
            files.append((unescaped(words), [], []))
        elif mark == "mode" and files:
            files[-1][1].append(words)
        elif mark == "unread":
            unread.append(unescaped(words))
        elif row:
            raise FactError(f"the answer about a user's keys is not understood: {cited(row, 80)}")
    return settings, unread, files


def _refusal(uid: str, modes: Sequence[str]) -> str:
    """Return why sshd does not read a file whose own mode and those of its folders are so: safe_path of OpenSSH."""
    if not modes:
        raise FactError("the answer about a user's keys is not understood: a file has no mode")
    for at, row in enumerate(modes):
        status, _, path = row.partition(" /")
        owner, _, rest = status.partition(":")
        mode, _, kind = rest.partition(":")
        try:
            bits = int(mode, 8)
        except ValueError:
            raise FactError(f"the answer about a user's keys is not understood: {cited(row, 80)}") from None
        path = f"/{unescaped(path)}"
        if at == 0 and not kind.startswith("regular"):
            return f"it is a {kind}"
        if owner not in ("0", uid):
            return f"{path} belongs to uid {owner}"
        if bits & 0o022:
            return f"others may write {path}: mode {bits:04o}"
    return ""


def parsed(text: str) -> Key | None:
    """Return the key of a line of an authorized_keys file; None of a comment, and of a certificate authority."""
    from binascii import Error, a2b_base64, b2a_base64
    from hashlib import sha256

    options, rest = _parted(text.strip())
    kind, _, rest = rest.partition(" ")
    body = rest.strip().partition(" ")[0]
    if not kind.startswith(TYPES) or "cert-authority" in options.lower().split(","):
        return None
    try:
        data = a2b_base64(body.encode("ascii", "replace"), strict_mode=True)
    except Error:
        return None
    if data[4 : 4 + int.from_bytes(data[:4], "big")] != kind.encode():
        return None
    return Key(kind, body, "SHA256:" + b2a_base64(sha256(data).digest()).decode().strip().rstrip("="))


def _parted(text: str) -> tuple[str, str]:
    """Return the options before a key, and the rest: options end at the first blank that is not in quotes."""
    text = text.replace("\t", " ")
    if text.startswith((*TYPES, "#")):
        return "", text
    quoted = False
    for at, character in enumerate(text):
        if character == '"' and text[at - 1 : at] != "\\":
            quoted = not quoted
        elif character == " " and not quoted:
            return text[:at], text[at:].lstrip()
    return text, ""
