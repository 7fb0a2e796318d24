"""What `systemctl show` prints, read: properties, moments, spans of time. For the facts about systemd.

systemctl writes moments in the time zone of who asks, so it is asked in UTC, where every version writes them alike:
`Sun 2026-11-29 02:20:14 UTC` (systemd.time(7)). A property that may be set several times has a line for each.
"""

from __future__ import annotations

from infratest import rfc3339
from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: The values of each property that was shown.
    Block = Mapping[str, Sequence[str]]

#: Shell: the clock that moments are held against, in seconds since the epoch.
NOW = 'TZ=UTC; export TZ\nnow=$(date +%s) || exit 1\necho "now $now"\n'

#: Seconds in what systemctl writes behind a number: FORMAT_TIMESPAN of systemd, systemd.time(7).
SPANS = {
    "y": 31557600.0, "month": 2629800.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3,
    "us": 1e-6,
}  # fmt: skip

#: How systemctl writes that a number or a moment is not there.
UNSET = ("", "[not set]", "n/a")


def clock(row: str) -> int:
    """Return the host's clock out of the line that NOW prints.

    Raises:
        FactError: it is another line.
    """
    word, _, seconds = row.partition(" ")
    if word != "now":
        raise FactError(f"the answer is not understood: it begins with {cited(row, 80)}")
    return number(seconds, "the host's clock")


def blocks(rows: Sequence[str], properties: Sequence[str]) -> list[Block]:
    """Return what was shown of each unit, in order.

    Args:
        properties: all that was asked for. A line that begins with none of them belongs to the value before.
    """
    found: list[dict[str, list[str]]] = [{}]
    last: list[str] | None = None
    for row in rows:
        key, equals, value = row.partition("=")
        if equals and key in properties:
            last = found[-1].setdefault(key, [])
            last.append(value)
        elif row == "":
            found.append({})
            last = None
        elif last is None:
            raise FactError(f"systemctl showed a line that is not understood: {cited(row, 80)}")
        else:
            last[-1] += f"\n{row}"
    return list(found)


def only(block: Block, key: str) -> str:
    """Return the value of a property that every unit has, once.

    Raises:
        FactError: it was not shown, or more than once.
    """
    values = block.get(key, ())
    if len(values) != 1:
        raise FactError(f"systemctl showed {key} {len(values)} times, expected once")
    return values[0]


def error_words(block: Block) -> str:
    """Return why a unit could not be loaded, which is written as the error's name and its words in quotes."""
    return "".join(block.get("LoadError", ())).partition(' "')[2].removesuffix('"')


def moment(text: str) -> float | None:
    """Return a moment in seconds since the epoch, None where there is none.

    Raises:
        FactError: it is no such text.
    """
    if text in UNSET:
        return None
    words = text.split()
    try:
        _, date, time, zone = words
        if zone != "UTC":
            raise ValueError
        return rfc3339.seconds(f"{date}T{time[:8]}.000Z")
    except ValueError:
        raise FactError(f"systemctl showed a moment that is not understood: {cited(text, 80)}") from None


def span(text: str) -> float | None:
    """Return the seconds of a span of time as systemctl writes it, `1min 30s`; None where it is none."""
    total = 0.0
    for word in text.split():
        digits = word.rstrip("abcdefghijklmnopqrstuvwxyz")
        factor = SPANS.get(word[len(digits) :], 0.0 if word == "0" else None)
        try:
            total += float(digits) * factor  # type: ignore[operator]
        except (ValueError, TypeError):
            return None
    return total if text.strip() else None


def shown_rows(out: str) -> tuple[int, list[str]]:
    """Return the host's clock, and the lines behind it."""
    rows = lines(out)
    if not rows:
        raise FactError("the answer is not understood: it is empty")
    return clock(rows[0]), rows[1:]
