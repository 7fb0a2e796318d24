"""A sentence as its author writes it: what answers a need has the type that the need says."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.facts.base import FactValues, Need
from infratest.facts.file import File
from infratest.gherkin.sentence import check
from infratest.record import derived


@check(
    'the file "{path}" is a pipe',
    negation='the file "{path}" is not a pipe',
    example='the file "/run/pipe" is a pipe',
)
class FileIsPipe(Check):
    """There is a named pipe at the path."""

    path: str

    @derived
    def asked(self) -> Need[File]:
        return Need("file", (self.path,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        file = facts[self.asked]
        return Seen(holds=file.kind == "pipe", saw=f'the file "{self.path}" is {file.in_words()}')


def same(one: FileIsPipe) -> FileIsPipe:
    return one.changed(path=FileIsPipe("/run/other").path)
