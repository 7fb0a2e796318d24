"""What can be said of what is in a file."""

from __future__ import annotations

from infratest.check import Check, Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.content import Content


@check(
    'the file "{path}" contains "{text}"',
    negation='the file "{path}" does not contain "{text}"',
    example='the file "/etc/nginx/nginx.conf" contains "worker_processes"',
)
class FileContains(Check):
    """The text occurs in the file, as it is written: it is no pattern. All of it is looked at, whatever its size."""

    path: str
    text: str

    def __post_init__(self) -> None:
        absolute(self.path)
        if not self.text:
            raise UserError(f'the file "{self.path}" contains "": every file does; write the text that is meant')
        if "\0" in self.text:
            raise UserError(f'the file "{self.path}" contains a NUL character: such a text cannot be asked for')

    @derived
    def asked(self) -> Need[Content]:
        return Need("content", (absolute(self.path), self.text))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        content = facts[self.asked]
        if content.problem:
            raise FactError(f"{self.path}: {content.problem}")
        if not content.there:
            saw = f'the file "{self.path}" does not exist or is no regular file'
            return Seen(holds=False, saw=saw, absent=True)
        if content.holds:
            where = "" if content.line is None else f" in line {content.line}"
            return Seen(holds=True, saw=f'the file "{self.path}" contains {in_quotes(self.text)}{where}')
        size = "" if content.lines is None else f" ({content.lines} line{'' if content.lines == 1 else 's'})"
        return Seen(holds=False, saw=f'the file "{self.path}" does not contain {in_quotes(self.text)}{size}')
