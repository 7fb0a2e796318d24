"""The fact `systemd`: the system as its systemd sees it: its state, failed units, default target, the boot's time.

It has no argument. What `systemctl is-system-running`, `systemctl --failed`, `systemctl get-default` and
`systemd-analyze time` say.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _systemctl, _systemd
from infratest.facts._shell import lines, number
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What `systemctl is-system-running` says: systemctl(1).
STATES = ("initializing", "starting", "running", "degraded", "maintenance", "stopping")

#: How systemd-analyze says that the boot goes on.
NOT_FINISHED = "Bootup is not yet finished"


class System(Record):
    """The system as systemd sees it.

    Args:
        failed: units that are failed. target: what it boots into. boot: seconds that the boot took, None while it
        goes on; problem: why that could not be said.
    """

    state: str
    failed: tuple[str, ...]
    target: str
    boot: float | None = None
    problem: str = ""

    def in_words(self) -> str:
        took = "not finished" if self.boot is None else f"{self.boot:g} s"
        failed = f"failed: {', '.join(self.failed)}" if self.failed else "no failed unit"
        return f"{self.state}, {failed}, default target {self.target}, boot: {self.problem or took}"


# Lines: `state WORD`, `failed UNIT`, `count N`, `target UNIT`, `boot WORDS`.
SNIPPET = r"""
echo "state $(systemctl is-system-running)"
failed=$(systemctl list-units --state=failed --all --full --plain --no-legend --no-pager) || exit 1
count=0
while read -r unit rest; do
  [ -n "$unit" ] || continue
  count=$((count + 1))
  printf 'failed %s\n' "$unit"
done <<END
$failed
END
echo "count $count"
target=$(systemctl get-default) || target=
printf 'target %s\n' "$target"
boot=$(systemd-analyze time 2>&1)
printf 'boot %s\n' "${boot%%"
"*}"
"""


class SystemdFact(Fact):
    """systemd's own state."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return _systemd.SNIPPET + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        parts: dict[str, list[str]] = {"state": [], "failed": [], "count": [], "target": [], "boot": []}
        for row in lines(self.readable(answer).out):
            key, _, words = row.partition(" ")
            if key not in parts:
                raise FactError(f"the answer about systemd is not understood: {cited(row, 80)}")
            parts[key].append(words)
        if any(len(parts[key]) != 1 for key in ("state", "count", "target", "boot")):
            raise FactError("the answer about systemd is not understood: a part of it is missing")
        (state,), (count,), (target,), (boot,) = (parts[key] for key in ("state", "count", "target", "boot"))
        if state not in STATES:
            raise FactError(f"systemctl is-system-running says {cited(state, 80)}, which is not known here")
        if number(count, "the count of failed units") != len(parts["failed"]):
            raise FactError(f"systemctl listed {count} failed units, and {len(parts['failed'])} arrived")
        seconds, problem = _boot(boot)
        return dict.fromkeys(arguments, System(state, tuple(parts["failed"]), target, seconds, problem))


def _boot(words: str) -> tuple[float | None, str]:
    """Return how long the boot took, out of `Startup finished in 2s (kernel) + 3s (userspace) = 5s`; or why not."""
    if words.startswith(NOT_FINISHED):
        return None, ""
    parts, equals, total = words.partition(" = ")
    if not equals:  # in a container there is one part alone
        total = parts.removeprefix("Startup finished in ").partition(" (")[0]
    seconds = _systemctl.span(total)
    if seconds is None or not words.startswith("Startup finished in "):
        return None, f"systemd-analyze says {cited(words, 200)}"
    return seconds, ""
