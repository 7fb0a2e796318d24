"""What the Monitoring Plugins guidelines ask of a check: performance data, alert ranges, and what `-w` and `-c` make.

    'label'=value[unit];[warning];[critical];[minimum];[maximum]        [@]start:end

Called by the Nagios output, by the check program, and by whoever merges observations of one label.
Pure, and on the plugin program's path. Graphers on RRD tell labels apart by their first 19 characters, and break when
the set of labels changes: a label is made from its observation alone, and one that was not reached has the value `U`.
"""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.states import CRITICAL, EXIT, OK, UNKNOWN, WARNING, worst
from infratest.units import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from infratest.model import Observation, Report, Result

INFINITY = float("inf")

#: The critical range where `-c` is not given: one failed scenario alerts.
DEFAULT_CRITICAL = "0"

#: Characters that need no quotes around a label.
BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/%-")
LABEL_LIMIT = 100
#: Labels of the run's own numbers, which are always there.
OF_THE_RUN = ("scenarios", "failed", "unknown", "skipped", "blocked", "waived", "healed", "tries", "time")
#: Characters that no label can hold -> what is written for them.
INSTEAD = {"=": "%3D", "'": "%27", "|": "%7C", ";": "%3B"}


class Range:
    """An alert range: alerts outside `start:end`, with `@` inside; both ends belong to what is between them.

    Args:
        text: `10` is `0:10`; `10:` has no end, `~:10` no start; an empty start is 0.
    Raises:
        UserError: not a range, or its start is after its end.
    """

    __slots__ = ("text", "inside", "start", "end")

    def __init__(self, text: str) -> None:
        self.text = text
        self.inside = text.startswith("@")
        start, colon, end = text.removeprefix("@").partition(":")
        if not colon:
            start, end = "", start
        if not colon and not end:
            raise UserError(f"range {text!r} is empty; write 10, 10:, ~:10, 10:20 or @10:20")
        self.start = -INFINITY if start == "~" else _end(start, 0.0, text)
        self.end = _end(end, INFINITY, text)
        if self.start > self.end:
            raise UserError(f"range {text!r}: its start {start} is after its end {end}; write the lower number first")

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Range({self.text!r})"

    def alerts(self, value: float) -> bool:
        """Whether a monitoring system alerts on the number; what is not a number always alerts."""
        return value != value or (self.start <= value <= self.end) == self.inside

    def contains(self, value: float) -> bool:
        """Whether the number is one that does not alert."""
        return not self.alerts(value)

    def covers(self, other: Range) -> bool:
        """Whether this range alerts on every number on which the other one does: it is as strict or stricter."""
        if self.inside and other.inside:
            return self.start <= other.start and other.end <= self.end
        if not self.inside and not other.inside:
            return other.start <= self.start and self.end <= other.end
        if other.inside:
            return other.end < self.start or self.end < other.start
        # The other alerts below its start and above its end, without limit: this one must reach as far.
        below = other.start == -INFINITY or (self.start == -INFINITY and other.start <= self.end)
        above = other.end == INFINITY or (self.end == INFINITY and self.start <= other.end)
        return below and above


def _end(text: str, missing: float, whole: str) -> float:
    """Return one end of a range; only digits, a sign and a point, as perfdata has them."""
    if not text:
        return missing
    digits = text[1:] if text[0] in "+-" else text
    if digits.isascii() and digits.replace(".", "", 1).isdigit():
        return float(text)
    raise UserError(f"range {whole!r}: {text!r} is not a number; write 10, 10:, ~:10, 10:20 or @10:20")


def stricter(one: str, other: str, value: float | None = None) -> str:
    """Return the range that alerts on more; of two that cannot be compared the one that alerts on the value."""
    if not one or not other:
        return one or other
    first, second = Range(one), Range(other)
    if first.covers(second):
        return one
    if second.covers(first):
        return other
    return other if value is not None and second.alerts(value) and not first.alerts(value) else one


def observations(results: Iterable[Result], hosts: bool) -> list[Observation]:
    """Return every observation of the results once, in their order, its name being its label.

    Args:
        hosts: the label begins with the host's name, because the run has more than one.
    """
    found: dict[str, Observation] = {}
    labelled: dict[str, str] = {}
    for result in results:
        for step in result.steps:
            for observation in step.observations:
                text = f"{result.host}:{observation.name}" if hosts and result.host != "-" else observation.name
                name = label(text)
                if labelled.setdefault(name, text) != text:  # `a%3Db` beside `a=b`
                    name = _told_apart(name, text)
                found[name] = _merged(found[name], observation) if name in found else observation.changed(name=name)
    return list(found.values())


def _merged(first: Observation, second: Observation) -> Observation:
    """Return one observation for two of one label: what was reached, with the stricter ranges."""
    value = second.value if first.value is None else first.value
    merged: Observation = first.changed(
        value=value,
        warning=stricter(first.warning, second.warning, value),
        critical=stricter(first.critical, second.critical, value),
    )
    return merged


def names_hosts(report: Report) -> bool:
    """Whether a run has more than one host, so that its labels name them."""
    return len({result.host for result in report.results if result.host != "-"}) > 1


def label(text: str) -> str:
    """Return text that may be a label: one line, without what the guidelines ban (`=`, `'`) or a reader splits at.

    What differs stays different, since of two observations with one label only one is seen: what cannot stand there is
    written as in a URL, and what is cut leaves a checksum. A label's own label is itself.
    """
    name = text
    for character, stands_for in INSTEAD.items():
        name = name.replace(character, stands_for)
    if len(name) > LABEL_LIMIT:
        name = _told_apart(name, text)
    return clean(name, LABEL_LIMIT) or "_"


def _told_apart(name: str, text: str) -> str:
    """Return a label with a checksum of the text that it stands for."""
    return f"{name[: LABEL_LIMIT - 12]}... {_checksum(text):08x}"


def _checksum(text: str) -> int:
    """Return 32 bits of FNV-1a; the modules that have better ones cost the plugin program more than they are worth."""
    found = 0x811C9DC5
    for byte in text.encode("utf-8", "replace"):
        found = (found ^ byte) * 0x01000193 & 0xFFFFFFFF
    return found


def metric(observation: Observation) -> str:
    """Return one metric; its label in quotes where it holds more than letters, digits and `_.:/%-`."""
    name = label(observation.name)
    if not all(character in BARE for character in name):
        name = f"'{name}'"
    value = observation.value
    number = "U" if value is None else plain(value) + observation.unit
    low, high = (("" if end is None else plain(end)) for end in (observation.minimum, observation.maximum))
    return f"{name}={number};{observation.warning};{observation.critical};{low};{high}".rstrip(";")


def unknown_line(words: str) -> str:
    """Return the line of a check that could not even begin, as on wrong use."""
    return f"INFRATEST UNKNOWN - {clean('; '.join(words.splitlines()), 450).replace('|', '/')}"


def apply_failed_ranges(report: Report, warning: Range | None, critical: Range | None) -> tuple[str, int]:
    """Return the state and exit status of a report under the ranges of `-w` and `-c`.

    Without either it is the report's own. With one, the failed (critical) scenarios are judged by their number alone,
    and the worst of these lines is the answer:

    | what is so                                                          | state    |
    | ------------------------------------------------------------------- | -------- |
    | the critical range alerts (without `-c`: one failed scenario)       | critical |
    | a scenario is unknown, or a problem stood before them all           | unknown  |
    | the critical range lets a failure pass, and scenarios are blocked   | unknown  |
    | a waived scenario blocks others                                     | unknown  |
    | nothing was judged (no scenario, or nothing but skipped, blocked or waived) | unknown  |
    | the warning range alerts, or a scenario is in warning               | warning  |
    | scenarios are ok, or failed and both ranges let them pass           | ok       |

    The third line: a host that is down is one failure with all its other scenarios blocked by it. A range that
    lets the one pass has not seen the others.
    """
    if warning is None and critical is None:
        return report.state, report.exit
    counts = report.counts
    failed = counts[CRITICAL]
    states = []
    if critical.alerts(failed) if critical is not None else failed > 0:
        states.append(CRITICAL)
    let_pass = failed > 0 and CRITICAL not in states
    behind_waived = any(result.blocked_by in report.waived for result in report.results)
    if counts[UNKNOWN] or report.problem or (let_pass and counts["blocked"]) or behind_waived:
        states.append(UNKNOWN)
    if counts[WARNING] or (warning is not None and warning.alerts(failed)):
        states.append(WARNING)
    if counts[OK] or failed:
        states.append(OK)
    state = worst(states) if counts[OK] + counts[WARNING] + failed else worst([*states, UNKNOWN])
    return state, EXIT[state]
