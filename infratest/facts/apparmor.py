"""The fact `apparmor`: the profiles that AppArmor has loaded, with their modes. It has no argument: all are told.

/sys/kernel/security/apparmor/profiles has a line for each, `NAME (MODE)`, which root alone may read; aa-status(8) reads
the same.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import PUT, lines
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Apparmor(Record):
    """Loaded profiles: name and mode (enforce, complain, kill) of each; none where the kernel has no AppArmor."""

    profiles: tuple[tuple[str, str], ...] = ()

    def in_words(self) -> str:
        return f"{len(self.profiles)} profiles: {', '.join(f'{name} ({mode})' for name, mode in self.profiles)}"


PLACE = "/sys/kernel/security/apparmor/profiles"
HIDDEN = "the kernel has AppArmor, and its profiles may not be read here: ask as root, on the machine itself"

SNIPPET = (
    r"""
if [ -e PLACE ]; then
  [ -r PLACE ] || { echo 'HIDDEN' >&2; exit NO_TOOL; }
  while IFS= read -r line; do
    put "|$line
"
  done <PLACE || { echo 'HIDDEN' >&2; exit NO_TOOL; }
elif [ -e /sys/module/apparmor ]; then
  line=
  read -r line </sys/module/apparmor/parameters/enabled
  [ "$line" = N ] || { echo 'HIDDEN' >&2; exit NO_TOOL; }
elif [ ! -d /sys/module/kernel ]; then
  echo '/sys/module is not there on this host: is /sys mounted?' >&2
  exit NO_TOOL
fi
echo done
""".replace("PLACE", PLACE)
    .replace("HIDDEN", HIDDEN)
    .replace("NO_TOOL", str(NO_TOOL))
)


class ApparmorFact(Fact):
    """AppArmor's profiles."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done":
            raise FactError(f"the answer about AppArmor is not understood: {cited(answer.out, 80)}")
        profiles = []
        for row in rows:
            name, mark, mode = row.removeprefix("|").rpartition(" (")
            if not row.startswith("|") or not mark or not mode.endswith(")"):
                raise FactError(f"{PLACE} holds a line that is not understood: {cited(row, 120)}")
            profiles.append((name, mode.removesuffix(")")))
        return dict.fromkeys(arguments, Apparmor(tuple(profiles)))
