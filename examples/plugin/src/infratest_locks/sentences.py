"""What can be said of lock files."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues


@check(
    'the lock file "{path}" is stale',
    negation='the lock file "{path}" is not stale',
    example='the lock file "/run/backup.lock" is not stale',
)
class LockIsStale(Check):
    """A lock file whose process does not run any more; one that is not there is not stale."""

    path: str

    def __post_init__(self) -> None:
        absolute(self.path)

    def needs(self) -> tuple[Need, ...]:
        return (Need("lock-file", (absolute(self.path),)),)

    def observe(self, facts: FactValues) -> Seen:
        lock = facts[self.needed[0]]
        if lock is None:
            return Seen(holds=False, saw=f'there is no lock file "{self.path}"')
        if lock.pid is None:
            raise FactError(f'the lock file "{self.path}" holds no process id: whether it is stale cannot be told')
        return Seen(holds=not lock.runs, saw=f'the lock file "{self.path}" is {lock.in_words()}')
