"""What lets an account in by sshd, or not, whichever key it has: settings, the account itself. For `authorized-keys`.

`sshd -T` says what holds for a user who comes from one place. What a Match block says of another place it does not
tell, so the files themselves are looked at for blocks that hang on it. sshd_config(5); that an account is locked,
expired or has no shell is allowed_user of OpenSSH's auth.c.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Settings that say who gets in by which key, as far as Match may set them.
DECIDING = frozenset((
    "allowgroups", "allowusers", "authenticationmethods", "authorizedkeyscommand", "authorizedkeyscommanduser",
    "authorizedkeysfile", "denygroups", "denyusers", "permitrootlogin", "pubkeyacceptedalgorithms",
    "pubkeyacceptedkeytypes", "pubkeyauthentication", "refuseconnection", "requiredrsasize", "revokedkeys",
))  # fmt: skip

#: Criteria of Match that do not hang on whence and how somebody comes; those of the first row have no value.
BARE = ("all", "canonical", "final", "invalid-user")
OF_USERS = ("user", "group")

# `conf ROW` of each row that decides, and of Match and Include, those of an included file in braces; `account HOW
# EXPIRES TODAY LAST MOST` of what shadow(5) has, in days: when the account ends, its password was changed, and how long
# it is good; `shell HOW PATH`. A hash does not leave the shell.
SNIPPET = r"""
conf() {
  [ -e "$1" ] || return
  if ! [ -r "$1" ]; then path_line unread "$1"; return; fi
  echo 'conf {'
  grep -iE '^[[:space:]]*"?(match|include|DECIDING)[^a-z]' <"$1" | while IFS= read -r row; do
    path_line conf "$row"
    case $row in
      *[Ii][Nn][Cc][Ll][Uu][Dd][Ee]*)
        [ "$2" -lt 16 ] || continue
        line=${row#*[Ii][Nn][Cc][Ll][Uu][Dd][Ee]}
        swap '"' ' '
        swap = ' '
        cd "$place" 2>/dev/null || continue
        for each in $line; do conf "$each" $(($2 + 1)) </dev/null; done
        ;;
    esac
  done
  echo 'conf }'
}
conf_of_sshd() {
  for place in /etc/ssh /usr/etc/ssh; do # the second one is SUSE's
    [ -e "$place/sshd_config" ] || continue
    conf "$place/sshd_config" 0
    return
  done
  path_line unread 'the file of settings of sshd'
}
account() {
  how=untold expires=- last=- most=-
  if [ "$(id -u)" = 0 ] || [ -r /etc/shadow ]; then
    kept=$(getent shadow -- "$1" 2>/dev/null)
    if [ -z "$kept" ] && [ -e /etc/shadow ]; then
      while IFS= read -r row; do
        case $row in "$1":*) kept=$row; break ;; esac
      done </etc/shadow
    fi
    hash=$2
    if [ -n "$kept" ]; then
      hash=${kept#*:} last=${kept#*:*:} most=${kept#*:*:*:*:} expires=${kept#*:*:*:*:*:*:*:}
      hash=${hash%%:*} last=${last%%:*} most=${most%%:*} expires=${expires%%:*}
    fi
    case $hash in '!'*) how=locked ;; *) how=open ;; esac
    case $expires in '' | *[!0-9]*) expires=- ;; esac
    case $last in '' | *[!0-9]*) last=- ;; esac
    case $most in '' | *[!0-9]*) most=- ;; esac
  fi
  echo "account $how $expires $(($(date +%s) / 86400)) $last $most"
}
shell() {
  how=good
  [ -e "$1" ] || how=absent
  if [ "$how" = good ] && ! { [ -f "$1" ] && [ -x "$1" ]; }; then how=odd; fi
  path_line "shell $how" "$1"
}
# Whether the user may read a file: sshd opens it as the user. Not told where nobody can be asked to be the user.
reads() {
  me=$(id -u) said=
  if [ "$me" = "$uid" ]; then echo 'reads yes'; return; fi
  if [ "$me" = 0 ] && command -v setpriv >/dev/null 2>&1; then
    said=$(setpriv --reuid "$uid" --regid "$(id -g -- "$user")" --init-groups -- \
      sh -c 'echo in; : 2>/dev/null <"$1" && echo yes' sh "$1" 2>/dev/null)
  fi
  case $said in
    *yes) echo 'reads yes' ;;
    in) echo 'reads no' ;;
  esac
}
""".replace("DECIDING", "|".join(sorted(DECIDING)))


def hangs(rows: Sequence[str], user: str) -> str:
    """Return why it is not known what sshd is set to for a user, wherever they come from; empty where it is."""
    outer: list[str] = []
    block = ""
    for row in rows:
        key, value = _setting(row)
        if row == "{":
            outer.append(block)
        elif row == "}":
            block = outer.pop() if outer else ""
        elif key == "match":
            block = (outer[-1] if outer else "") or _whence(value, user)
        elif key == "authorizedkeysfile" and _quoted(value):
            return f"its AuthorizedKeysFile {cited(value, 80)} is in quotes, and sshd -T tells it without them"
        elif key in DECIDING and block:
            return f"{block} sets {key}: it hangs on from where"
    return ""


def _setting(row: str) -> tuple[str, str]:
    """Return a row's keyword in small letters, and its value."""
    text = row.strip().removeprefix('"')
    end = next((at for at, character in enumerate(text) if not character.isalnum()), len(text))
    return text[:end].lower(), text[end:].lstrip('"').lstrip(" \t=").strip()


def _quoted(value: str) -> bool:
    """Whether a value holds a blank that does not part it."""
    return "\\" in value or any(" " in each or "\t" in each for each in value.split('"')[1::2])


def _whence(value: str, user: str) -> str:
    """Return the Match whose criteria these are, where it may be about the user and hangs on from where; or nothing."""
    from infratest.globs import fits

    words = value.replace("=", " ").replace('"', " ").split()
    hanging = False
    while words and not words[0].startswith("#"):
        name = words.pop(0).lower()
        if name in BARE:
            continue
        patterns = words.pop(0).split(",") if words else []
        if name == "user" and not any(each.startswith("!") or fits(each, user) for each in patterns):
            return ""
        hanging = hanging or name not in OF_USERS
    return f"Match {beginning(value, 80)}" if hanging else ""


def barred(
    user: str, uid: str, groups: Sequence[str], settings: Mapping[str, str], account: tuple[str, str]
) -> tuple[str, str]:
    """Return why an sshd that is set so lets a user in by no key, and why that is not known; or neither.

    Args:
        account: why the account itself gets in by none, and why that is not known: of `of_account`.

    sshd_config(5): DenyUsers, AllowUsers, DenyGroups, AllowGroups, PermitRootLogin, AuthenticationMethods.
    """
    from infratest.globs import fits

    if account[0]:
        return account
    if uid == "0" and settings.get("permitrootlogin") == "no":
        return "PermitRootLogin is no", ""
    if uid == "0" and settings.get("permitrootlogin") == "forced-commands-only":
        return "", "PermitRootLogin is forced-commands-only: whether a key has such a command is not looked at"
    methods = settings.get("authenticationmethods", "any").split()
    if "any" not in methods and "publickey" not in methods:
        return f"AuthenticationMethods is {' '.join(methods)}, for which one key does not do", ""
    unsure = account[1]
    for name, names, allows in (
        ("DenyUsers", (user,), False), ("AllowUsers", (user,), True), ("DenyGroups", groups, False),
        ("AllowGroups", groups, True),
    ):  # fmt: skip
        patterns = settings.get(name.lower(), "").split()
        if any("@" in each or each.startswith("!") for each in patterns):
            unsure = f"whom {name} {beginning(' '.join(patterns), 80)} is about hangs on from where"
        elif patterns and any(fits(each, one) for each in patterns for one in names) != allows:
            return f"{name} is {beginning(' '.join(patterns), 80)}", ""
    return "", unsure


def of_account(rows: Mapping[str, str], settings: Mapping[str, str]) -> tuple[str, str]:
    """Return why sshd refuses an account, and why that is not known; or neither.

    Args:
        rows: what the rows `account` and `shell` say, each empty where there is none.
    """
    how, _, path = rows["shell"].partition(" ")
    if how in ("absent", "odd") and settings.get("chrootdirectory", "none") == "none":
        return f"its shell {path} {'does not exist' if how == 'absent' else 'is no program'}", ""
    if settings.get("untold"):
        return "", "sshd does not tell what it is set to (sshd -T)"
    if not rows["account"]:
        return "", ""
    state, expires, today, last, most = rows["account"].split(" ")
    pam = settings.get("usepam", "no") == "yes"
    if state == "untold":
        return "", "whether the account is locked or expired is in /etc/shadow, which root alone reads"
    if state == "locked" and not pam:
        return "the account is locked, and sshd does not use PAM", ""
    if expires.isdigit() and int(today) > int(expires):
        why = f"the account has expired: day {expires}, and it is {today}"
        return ("", f"{why}; whether PAM lets it in is not known") if pam else (why, "")
    if pam and last.isdigit() and (last == "0" or (most.isdigit() and int(last) + int(most) < int(today))):
        return "", "the account's password is to be changed; whether PAM lets it in before is not known"
    return "", ""
