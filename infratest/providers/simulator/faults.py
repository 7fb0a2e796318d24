"""When a fault strikes: how a stack file writes it, and how it is drawn, the same each time from the same seed.

A fault of calls is `[first] [CHANCE %] [CALL [NAME]]`, as `5 %`, `create`, `20% list`, `first create web-1`, `create
web-*`; one of servers is without the call, as `10 %`, `web-2`, `first web-*`. Without a chance it always strikes;
`first` is only the first such call, or server, of each name.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from infratest.errors import UserError, unknown

CALLS = (
    "create", "destroy", "look", "list", "halt", "start", "suspend", "reboot", "snapshot", "console", "fit",
)  # fmt: skip
SERVER = "server"  # what stands for the call in a fault of servers
_WRITTEN = re.compile(r"(?P<first>first\b)?\s*(?:(?P<chance>[0-9]+(?:\.[0-9]+)?)\s*%)?\s*(?P<rest>\S.*)?")


@dataclass(frozen=True)
class Fault:
    """One entry. An empty call or name is any; `first`: only the first such call about each name."""

    first: bool
    chance: float
    call: str
    name: str

    def concerns(self, call: str, name: str, nth: int) -> bool:
        """Return whether this call may be struck, the nth of its kind about this name."""
        same = self.call in ("", call) and (not self.name or fnmatchcase(name, self.name))
        return same and (nth == 1 or not self.first)


def of_calls(option: str, entries: Sequence[str]) -> list[Fault]:
    """Return the faults of an option. Raises UserError: one that cannot be read, or of a call that there is not."""
    return [_fault(option, entry, "[CALL [NAME]]") for entry in entries]


def of_servers(option: str, entries: Sequence[str]) -> list[Fault]:
    """Return the faults of an option that strike servers, whatever is called. Raises UserError, as `of_calls`."""
    return [_fault(option, entry, "[NAME]") for entry in entries]


def _fault(option: str, entry: str, form: str) -> Fault:
    match = _WRITTEN.fullmatch(entry.strip())
    words = (match["rest"] or "").split() if match else []
    if form == "[NAME]":
        words = [SERVER, *words]
    if match is None or not entry.strip() or len(words) > 2:
        raise UserError(f"provider simulator: {option}: {entry!r} is not [first] [CHANCE %] {form}")
    call, name = (*words, "", "")[:2]
    if call not in ("", SERVER, *CALLS):
        raise UserError(f"provider simulator: {option}: {unknown('call', call, CALLS)}")
    chance = float(match["chance"]) / 100 if match["chance"] else 1.0
    if chance > 1.0:
        raise UserError(f"provider simulator: {option}: {entry!r}: a chance is from 0 to 100 %")
    return Fault(first=bool(match["first"]), chance=chance, call=call, name=name)


def strikes(faults: Sequence[Fault], draw: random.Random, call: str, name: str, nth: int) -> bool:
    """Return whether one of these strikes a call, or a server.

    Args:
        draw: of this call alone. nth: how many calls of this kind about this name there were, with this one.
    """
    chances = [draw.random() for _ in faults]
    return any(
        fault.concerns(call, name, nth) and chance < fault.chance for fault, chance in zip(faults, chances, strict=True)
    )
