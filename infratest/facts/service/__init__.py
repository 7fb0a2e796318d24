"""The fact `service`: the state of systemd units. Argument: a unit's name; without a suffix, `.service` is meant.

One `systemctl show` for all units; on this machine what it asks, over the system bus. All this is what systemd has in
its memory: what it will do at the next boot is in its files, and a fact of its own (`unit-file`). Services of OpenRC,
SysV init and runit are told in the same words; on a host of another init system, it says which one is there.
"""

from __future__ import annotations

from infratest.cleaning import beginning
from infratest.errors import FactError
from infratest.facts import _init, _systemd
from infratest.facts._shell import ONE_LINE, lines, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach, LooksHere
from infratest.facts.service import system_bus
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Unit(Record):
    """A systemd unit as it is in systemd's memory, in systemd's own words.

    Args:
        error: why its file could not be loaded. next: whether a timer has a next moment; None for what is no timer.
        system: the init system; of another one than systemd, the states are in systemd's words all the same.
    """

    id: str
    load: str
    active: str
    sub: str
    error: str = ""
    next: bool | None = None
    system: str = _init.SYSTEMD

    def in_words(self) -> str:
        words = f"{self.id}: {self.load}, {self.active} ({self.sub})"
        if self.next is not None:
            words += ", with a next moment" if self.next else ", without a next moment"
        return f"{words}: {self.error}" if self.error else words


SHOW = f"""systemctl show --no-pager -p {",".join(system_bus.PROPERTIES + system_bus.OF_TIMERS)} -- "$@" """

# Of another init system, a block like systemctl's for each.
SNIPPET = r"""
if [ "$system" = systemd ]; then
  SHOW
  exit
fi
blank=
for unit; do
  printf %s "$blank"
  blank=$nl
  case $unit in
  *.service) state "${unit%.service}" ;;
  *) problem="units of this kind are known on systemd alone, and this host has $system" ;;
  esac
  one_line "$problem"
  printf 'Id=%s\nSystem=%s\n' "$unit" "$system"
  if [ -n "$line" ]; then printf 'Problem=%s\n' "$line"
  else printf 'LoadState=%s\nActiveState=%s\nSubState=%s\n' "$load" "$active" "$sub"
  fi
done
""".replace("SHOW", SHOW)

#: How systemctl and the bus say that a timer has no next moment: USEC_INFINITY, 0, nothing.
NEVER = ("", "0", "n/a", "infinity", str(2**64 - 1))


class ServiceFact(LooksForEach, LooksHere):
    """Units of systemd."""

    def snippet(self) -> str:
        return _init.SNIPPET + ONE_LINE + _init.OTHERS + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        return (_systemd.full_name(argument),)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        blocks: list[dict[str, str]] = [{}]
        for row in lines(self.readable(answer).out):
            key, _, value = row.partition("=")
            if row == "":
                blocks.append({})
            else:
                blocks[-1][key] = value
        if len(blocks) != len(arguments):
            raise FactError(f"systemctl was asked for {len(arguments)} units and showed {len(blocks)}")
        for block in blocks:
            # Written as the error's name and its words in quotes.
            block["LoadError"] = block.get("LoadError", "").partition(' "')[2].removesuffix('"')
        return {argument: _unit_or_problem(block) for argument, block in zip(arguments, blocks, strict=True)}

    def look_here(self, arguments: Sequence[Argument]) -> Mapping[Argument, Any] | None:
        if not _init.is_systemd() or not _systemd.bus_is_near():
            return None
        try:
            return dict(zip(arguments, units_of(arguments), strict=True))
        except OSError:
            return None


def units_of(arguments: Sequence[Argument], root: str = "") -> list[Unit]:
    """Return the units of the systemd whose files are under `root`.

    Raises:
        OSError: the system bus does not answer for all of them.
    """
    names = [_systemd.full_name(argument) for argument in arguments]
    return [_unit(block) for block in system_bus.units(names, root + system_bus.ADDRESS)]


def _unit_or_problem(block: Mapping[str, str]) -> Unit | FactError:
    """Return a unit out of a snippet's answer; of one that could not be looked at, why."""
    problem = block.get("Problem", "")
    return FactError(f"{block.get('Id', '')}: {beginning(unescaped(problem), 400)}") if problem else _unit(block)


def _unit(block: Mapping[str, str]) -> Unit:
    moments = [block[key] for key in system_bus.OF_TIMERS if key in block]
    try:
        return Unit(
            id=block["Id"],
            load=block["LoadState"],
            active=block["ActiveState"],
            sub=block["SubState"],
            error=block.get("LoadError", ""),
            next=any(moment not in NEVER for moment in moments) if moments else None,
            system=block.get("System", _init.SYSTEMD),
        )
    except KeyError as error:
        raise FactError(f"systemctl did not show {error.args[0]}: {block}") from None
