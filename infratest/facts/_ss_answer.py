"""Whether ss (iproute2) of a host has spoken: for the facts about sockets, which ask it."""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError


def told_by_ss(rows: list[str]) -> list[str]:
    """Return the lines of an answer of ss, which begins with `ss` and headings; without any, /proc/net has none either.

    Raises:
        FactError: it says nothing, or names none where there are some, or where nobody knows.
    """
    if len(rows) < 2 or not rows[1].startswith(("Netid", "State")):
        said = f"says {cited(rows[1], 80)}" if len(rows) > 1 and rows[1] else "says nothing, not even its headings"
        raise FactError(f"ss of this host {said}: what listens is not known")
    told = [row for row in rows[2:] if row]
    if told[:1] == ["proc"] and len(told) == 1:
        return []
    if not told or told[0] == "proc":
        words = f"/proc/net has {len(told) - 1}" if told else "/proc/net cannot be read"
        raise FactError(f"ss of this host names no socket, and {words}: what listens is not known")
    return told
