"""A service's newest results as a check program would say them: the same line, the same performance data.

For tools that are sent what a check has found; `check_infratest -s` of that service answers the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from infratest.exports.base import object_name
from infratest.plugins import builtin
from infratest.senders.base import Seen, Service
from infratest.states import EXIT, OK


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Args:
        status: as a check program ends: 0 to 3. words: one line, without `|`. numbers: performance data, one each.
    """

    status: int
    words: str
    numbers: tuple[str, ...]

    @property
    def up(self) -> bool:
        """Whether a host is, of whose way in this says something."""
        return self.status == EXIT[OK]


def checked(seen: Seen, service: Service) -> Checked:
    """Return what a check of a service would say now."""
    output = builtin("output", "nagios")(None)
    first = str(output.render(service.report(seen.stack, seen.env))).partition("\n")[0]
    words, _, numbers = first.partition(" | ")
    return Checked(EXIT[service.state], words, tuple(_split(numbers)))


def names(service: Service, tool: str, forbidden: str) -> tuple[str, str]:
    """Return host and service as a tool's objects are called. Raises UserError: it can have none of that name."""
    host = object_name(service.host, tool, forbidden)
    return host, object_name(service.name, tool, forbidden) if service.name else ""


def _split(numbers: str) -> list[str]:
    """Return performance data one by one: a label in quotes may hold blanks, and no quote."""
    found, quoted = [""], False
    for one in numbers:
        quoted ^= one == "'"
        if one == " " and not quoted:
            found.append("")
        else:
            found[-1] += one
    return [each for each in found if each]
