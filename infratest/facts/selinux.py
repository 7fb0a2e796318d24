"""The fact `selinux`: the mode that SELinux is in now. It has no argument.

/sys/fs/selinux/enforce has it, as getenforce(8) reads it. A kernel that has SELinux at work lists its file system in
/proc/filesystems; where that is so and nothing is mounted, as in a container, the mode is not known.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class Selinux(Record):
    """SELinux: `enforcing`, `permissive` or `disabled`."""

    mode: str

    def in_words(self) -> str:
        return self.mode


SNIPPET = r"""
if [ -e /sys/fs/selinux/enforce ]; then
  line= # the file has no line's end, for which read ends with 1
  read -r line </sys/fs/selinux/enforce
  echo "enforce $line"
elif [ -r /proc/filesystems ]; then
  while read -r first second; do
    case $first$second in
    *selinuxfs) echo hidden ;;
    esac
  done </proc/filesystems
  echo none
fi
"""
MODES = {"enforce 1": "enforcing", "enforce 0": "permissive", "none": "disabled"}


class SelinuxFact(Fact):
    """SELinux's mode."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[:1] == ["hidden"]:
            raise FactError("the kernel has SELinux, and /sys/fs/selinux is not mounted here: ask the machine itself")
        if len(rows) != 1 or rows[0] not in MODES:
            raise FactError(f"the answer about SELinux is not understood: {cited(answer.out, 80)}")
        return dict.fromkeys(arguments, Selinux(MODES[rows[0]]))
