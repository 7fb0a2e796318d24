"""The fact `user-unit`: a unit of a user's own systemd. Arguments: the user's name, the unit's full name.

That systemd (`user@UID.service`) is asked at its socket below /run/user/UID, as the user: root becomes the user for it
by setpriv, which opens no session and so starts nothing; `systemctl -M USER@` and su would. Others may not look. Where
no manager of the user runs, none of its units does; what would be started with it is read from files, without it.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts import _systemctl, _systemd
from infratest.facts._accounts import entry_name
from infratest.facts._shell import ONE_LINE, lines, number, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SHOWN = ("Id", "LoadState", "LoadError", "ActiveState", "SubState")

#: How systemctl says that a unit has no file; since systemd 254 it is the last.
WITHOUT = ("No such file or directory", "not-found")


class UserUnit(Record):
    """A unit of a user's systemd, in its own words.

    Args:
        user: whether there is such a user. manager: whether the user's systemd runs; without it, `load` is empty.
        lingers: whether it is started at boot, without a login. file: the word of `systemctl --user is-enabled`, empty
        where the unit has no file; enabled: whether that ended with 0. problem: why it could not be looked at.
    """

    user: bool
    manager: bool = False
    lingers: bool = False
    load: str = ""
    active: str = "inactive"
    sub: str = "dead"
    error: str = ""
    file: str = ""
    enabled: bool = False
    problem: str = ""

    def in_words(self) -> str:
        if self.problem or not self.user:
            return self.problem or "there is no such user"
        if not self.manager:
            words = f"no systemd of the user runs, lingering is {'on' if self.lingers else 'off'}"
        else:
            words = f"{self.load}, {self.active} ({self.sub})"
        return f"{words}; {self.file or 'no unit file'}, {'enabled' if self.enabled else 'not enabled'}"


# For each two words, the user and the unit: `none`, or `error WORDS`, or `manager LINGERS` and lines of systemctl
# behind a bar, or `stopped LINGERS`; then `file STATUS WORDS`. A dot ends each.
SNIPPET = r"""
me=$(id -u)
as_user() {
  if [ "$me" = "$uid" ]; then
    env XDG_RUNTIME_DIR="$run" "$@"
  else
    setpriv --reuid="$uid" --regid="$gid" --clear-groups --inh-caps=-all env -i PATH="$PATH" LC_ALL=C TZ=UTC \
      HOME="$home" XDG_RUNTIME_DIR="$run" "$@"
  fi
}
error() {
  one_line "$1"
  printf 'error %s\n' "$line"
}
look() {
  if ! uid=$(id -u "$1" 2>&1); then
    case $uid in
    *[Nn]'o such user'* | *'unknown user'*) echo none ;;
    *) error "id: $uid" ;;
    esac
    return
  fi
  gid=$(id -g "$1") home=$(getent passwd "$1" | cut -d : -f 6) run=/run/user/$uid
  if [ "$me" != 0 ] && [ "$me" != "$uid" ]; then
    error "permission denied: units of a user are told to that user and to root alone"
    return
  fi
  if [ "$me" = 0 ] && [ "$uid" != 0 ] && ! command -v setpriv >/dev/null 2>&1; then
    error "setpriv (of util-linux), by which root asks as the user, is not installed on this host"
    return
  fi
  lingers=no
  [ -e "/var/lib/systemd/linger/$1" ] && lingers=yes
  offline=1
  if [ -S "$run/systemd/private" ]; then
    if ! block=$(as_user systemctl --user --no-pager --all show -p SHOWN -- "$2" 2>&1); then
      error "$block"
      return
    fi
    echo "manager $lingers"
    printf '%s\n' "$block" | sed 's/^/|/'
    offline=0
  else
    echo "stopped $lingers"
  fi
  words=$(as_user env SYSTEMD_OFFLINE=$offline systemctl --user is-enabled -- "$2" 2>&1)
  status=$?
  one_line "${words##*"$nl"}"
  printf 'file %s %s\n' "$status" "$line"
}
while [ $# -gt 0 ]; do
  look "$1" "$2"
  echo .
  shift 2
done
""".replace("SHOWN", ",".join(SHOWN))


class UserUnitFact(LooksForEach):
    """Units of users."""

    def snippet(self) -> str:
        return _systemd.SNIPPET + ONE_LINE + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        user, unit = argument
        return entry_name(user), _systemd.full_name((unit,))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        parts: list[list[str]] = [[]]
        for row in lines(self.readable(answer).out):
            if row == ".":
                parts.append([])
            else:
                parts[-1].append(row)
        if len(parts) != len(arguments) + 1 or parts[-1]:
            raise FactError(f"{len(arguments)} units were asked about, and {len(parts) - 1} answers arrived")
        return {argument: _unit(part) for argument, part in zip(arguments, parts[:-1], strict=True)}


def _unit(rows: Sequence[str]) -> UserUnit:
    first = rows[0] if rows else ""
    kind, _, words = first.partition(" ")
    if first == "none":
        return UserUnit(user=False)
    if kind == "error":
        return UserUnit(user=True, problem=unescaped(words))
    if kind not in ("manager", "stopped") or words not in ("yes", "no") or not rows[-1].startswith("file "):
        raise FactError(f"the answer about a user's unit is not understood: {cited(first, 80)}")
    state, enabled = _file(rows[-1].removeprefix("file "))
    if kind == "stopped":
        return UserUnit(True, lingers=words == "yes", file=state, enabled=enabled)
    shown = _systemctl.blocks([row.removeprefix("|") for row in rows[1:-1]], SHOWN)
    if len(shown) != 1:
        raise FactError(f"systemctl was asked for one unit and showed {len(shown)}")
    load, active, sub = (_systemctl.only(shown[0], key) for key in ("LoadState", "ActiveState", "SubState"))
    return UserUnit(True, True, words == "yes", load, active, sub, _systemctl.error_words(shown[0]), state, enabled)


def _file(words: str) -> tuple[str, bool]:
    """Return the word of `systemctl is-enabled` and whether it means that the unit is enabled."""
    status, _, word = words.partition(" ")
    ended, word = number(status, "an exit status"), unescaped(word)
    if ended != 0 and word.endswith(WITHOUT):
        return "", False
    if not word or " " in word:
        raise FactError(f"systemctl --user is-enabled could not tell: {beginning(word, 200) or f'exit {ended}'}")
    return word, ended == 0
