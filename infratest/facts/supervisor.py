"""The fact `supervisor`: the programs of supervisord (supervisord.org) and their states. It has no argument.

One `supervisorctl status`, by the configuration that it finds itself. It ends with 0 or 3 where it has answered, and
with others where supervisord cannot be asked: then nothing is known of its programs.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts._shell import lines, without
from infratest.facts.base import Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: States of a process: "Process States" of supervisor's manual on subprocesses.
STATES = ("STOPPED", "STARTING", "RUNNING", "BACKOFF", "STOPPING", "EXITED", "FATAL", "UNKNOWN")
#: The last line.
END = "end of programs"

SNIPPET = f"""
words=$(supervisorctl status 2>&1 </dev/null)
case $? in
0 | 3) printf '%s\\n' "$words" ;;
*)
  printf 'supervisorctl cannot ask supervisord: %s\\n' "$words" >&2
  exit 1 ;;
esac
echo '{END}'
"""


class Program(Record):
    """A process of supervisord's: its name, with its group's and a colon where that is another; what is said of it."""

    name: str
    state: str
    description: str = ""

    def in_words(self) -> str:
        return f"{self.name}: {self.state} {self.description}".rstrip()


class Programs(tuple[Program, ...]):
    """All processes of supervisord's."""

    __slots__ = ()

    def named(self, name: str) -> list[Program]:
        """Return the process of this name, or all those of the program or group of this name."""
        return [one for one in self if one.name == name or one.name.startswith(f"{name}:")]

    def in_words(self) -> str:
        return "\n".join(one.in_words() for one in self) or "supervisord has no program"


class SupervisorFact(Fact):
    """Programs under supervisord."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("supervisorctl", "supervisorctl is not installed on this host: no supervisor is known") + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if not rows or rows.pop() != END:
            raise FactError("the answer of supervisorctl is not understood: its end is missing")
        programs = Programs(_program(row) for row in rows if row)
        return dict.fromkeys(arguments, programs)


def _program(row: str) -> Program:
    name, _, rest = row.partition(" ")
    state, _, description = rest.strip().partition(" ")
    if not name or state not in STATES:
        raise FactError(f"supervisorctl says {cited(row, 80)}, which is not understood")
    return Program(name, state, description.strip())
