"""What can be said of programs under supervisord."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.supervisor import Programs

PROGRAMS: Need[Programs] = Need("supervisor")

RUNNING = "RUNNING"


@check(
    'the supervisor program "{name}" is running',
    negation='the supervisor program "{name}" is not running',
    example='the supervisor program "worker" is running',
)
class ProgramRunning(Check):
    """Every process of the program, or of the group, runs under supervisord; one process is named `group:process`.

    It is not running where none of them does; where some run, neither is met.
    """

    name: str

    def __post_init__(self) -> None:
        if not self.name or any(character.isspace() for character in self.name):
            raise UserError(f"{self.name!r} is not the name of a supervisor program: it has no blanks")

    def needs(self) -> tuple[Need, ...]:
        return (PROGRAMS,)

    def observe(self, facts: FactValues) -> Seen:
        programs, subject = facts[PROGRAMS].named(self.name), f'the supervisor program "{self.name}"'
        if not programs:
            return Seen(holds=False, saw=f"{subject} does not exist: supervisord has none of that name")
        others = [one for one in programs if one.state != RUNNING]
        if not others:
            more = f" ({len(programs)} processes)" if len(programs) > 1 else f" ({programs[0].description})"
            return Seen(holds=True, saw=f"{subject} is running{more}")
        first = others[0]
        of = f"{len(others)} of {len(programs)} processes are not running: " if len(programs) > 1 else ""
        words = f"{subject}: {of}{first.name} is {first.state} ({first.description})"
        return Seen(holds=False, saw=words, absent=len(others) < len(programs))
