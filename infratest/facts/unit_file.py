"""The fact `unit-file`: whether systemd starts a unit at boot, by its files. Argument: as of `service`, or a template.

As `systemctl is-enabled` answers, which reads the files anew, and not what systemd has in its memory since it last did;
on this machine systemd is asked over the system bus for the same. One systemctl for all units; each alone where one of
them has no file or is a System V script, for which a program of the distribution is asked: then lines come in another
order. Where a word of systemctl's is not known here, its exit status decides. On OpenRC a service is enabled in any run
level, on SysV init in one of 2 to 5 or S, on runit where it is among the services and has no file `down`.
"""

from __future__ import annotations

import os

from infratest.errors import FactError
from infratest.facts import _init, _systemd
from infratest.facts._shell import COUNT_LINES, ONE_LINE, lines, number, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.facts.service import system_bus
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class UnitFile(Record):
    """What the files of a systemd unit say of the next boot, as `systemctl is-enabled` answers.

    Args:
        state: its word, empty where the unit has no file. enabled: whether it ends with 0. problem: why it could not
        tell, in its own words; everything else is then unknown. system: the init system whose files these are.
    """

    state: str
    enabled: bool
    problem: str = ""
    system: str = _init.SYSTEMD

    def in_words(self) -> str:
        return f"{self.state or 'no unit file'}, {'enabled' if self.enabled else 'not enabled'}"


#: Words with which `systemctl is-enabled` ends with 0, and others with which it does not: systemctl(1).
ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")
NOT_ENABLED = ("disabled", "masked", "masked-runtime", "linked", "linked-runtime")

#: What systemctl says of a unit without a file; since systemd 254 it says NOT_FOUND.
WITHOUT, NOBODY = "Failed to get unit file state for ", ": No such file or directory"
NOT_FOUND = "not-found"

#: Words for a service of another init system, and what they mean.
OTHERS = {"enabled": "enabled", "disabled": "disabled", "none": ""}

# A line for each unit: the exit status of systemctl, and the last line that it said; or one of OTHERS and the init
# system.
SNIPPET = r"""
if [ "$system" != systemd ]; then
  for unit; do
    case $unit in
    *.service)
      boots "${unit%.service}"
      echo "${boot:-none} $system" ;;
    *) echo "1 units of this kind are known on systemd alone, and this host has $system" ;;
    esac
  done
  exit 0
fi
alone() {
  words=$(systemctl is-enabled -- "$1" 2>&1)
  status=$?
  one_line "${words##*"$nl"}"
  printf '%s %s\n' "$status" "$line"
}
words=$(systemctl is-enabled -- "$@" 2>&1)$nl
count_lines "$words"
case $words in
*' '*) count=0 ;;
esac
together=$(($# == count))
for unit; do
  word=${words%%"$nl"*}
  words=${words#*"$nl"}
  [ "$together" -eq 1 ] || word=
  case $word in
  ENABLED) echo "0 $word" ;;
  NOT_ENABLED) echo "1 $word" ;;
  *) (alone "$unit") ;;
  esac
done
exit 0
""".replace("NOT_ENABLED", " | ".join(NOT_ENABLED)).replace("ENABLED", " | ".join(ENABLED))


class UnitFileFact(LooksForEach, LooksHere):
    """Units by their files."""

    def snippet(self) -> str:
        return _init.SNIPPET + ONE_LINE + COUNT_LINES + _init.OTHERS + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (_systemd.full_name(argument),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if len(rows) != len(arguments):
            raise FactError(f"systemctl was asked for {len(arguments)} units and answered for {len(rows)}")
        return {argument: _unit_file(row) for argument, row in zip(arguments, rows, strict=True)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not _init.is_systemd() or not _systemd.bus_is_near():
            return None
        try:
            files = unit_files_of(arguments)
        except OSError:
            return None
        return None if files is None else dict(zip(arguments, files, strict=True))


def unit_files_of(arguments: Sequence[Argument], root: str = "") -> list[UnitFile] | None:
    """Return what the systemd whose files are under `root` says; None where systemctl must be asked after all.

    Raises:
        OSError: the system bus does not answer for all of them.
    """
    names = [_systemd.full_name(argument) for argument in arguments]
    files = []
    for name, state in zip(names, system_bus.file_states(names, root + system_bus.ADDRESS), strict=True):
        script = state == "generated" and os.path.exists(f"{root}/etc/init.d/{name.removesuffix('.service')}")
        if script or state not in ENABLED + NOT_ENABLED:
            return None
        files.append(UnitFile(state, state in ENABLED))
    return files


def _unit_file(row: str) -> UnitFile:
    status, _, words = row.partition(" ")
    if status in OTHERS:
        return UnitFile(OTHERS[status], status == "enabled", system=words)
    ended, words = number(status, "an exit status"), unescaped(words)
    if words == NOT_FOUND or (words.startswith(WITHOUT) and words.endswith(NOBODY)):
        return UnitFile("", enabled=False)
    if not words or " " in words:
        return UnitFile("", enabled=False, problem=words or f"systemctl is-enabled said nothing (exit {ended})")
    return UnitFile(words, enabled=ended == 0)
