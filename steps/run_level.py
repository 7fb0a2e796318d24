"""What can be said of the run levels in which a service is started: of SysV init and of OpenRC."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.run_level import RunLevels


class _OfRunLevels(Check):
    name: str

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - a name that no service can have is refused before anything is asked

    @derived
    def asked(self) -> Need[RunLevels]:
        from infratest.facts.run_level import service_name

        return Need("run-level", (service_name(self.name),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def seen(self, facts: FactValues, holds: bool) -> Seen:
        service = facts[self.asked]
        subject = f'the service "{self.name}"'
        if not service.there:
            return Seen(False, f"{subject} does not exist: {service.system} knows no such service", absent=True)
        levels = f"the run levels {', '.join(service.levels)}" if service.levels else "no run level"
        return Seen(holds, f"{subject} is enabled in {levels}")


@check(
    'the service "{name}" is enabled in the run level "{level}"',
    negation='the service "{name}" is not enabled in the run level "{level}"',
    example='the service "ssh" is enabled in the run level "2"',
)
class InRunLevel(_OfRunLevels):
    """The service is started in this run level: a number or S of SysV init, a name of OpenRC."""

    level: str

    def observe(self, facts: FactValues) -> Seen:
        return self.seen(facts, self.level in facts[self.asked].levels)


@check(
    'the service "{name}" is enabled in exactly the run levels "{levels}"',
    negation='the service "{name}" is not enabled in exactly the run levels "{levels}"',
    example='the service "ssh" is enabled in exactly the run levels "2, 3, 4, 5"',
)
class InRunLevels(_OfRunLevels):
    """The service is started in these run levels and in no other."""

    levels: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not all(self.parts):
            raise UserError(f'the service "{self.name}": run levels are written "2, 3, 4, 5"')

    @property
    def parts(self) -> list[str]:
        return [part.strip() for part in self.levels.split(",")]

    def observe(self, facts: FactValues) -> Seen:
        return self.seen(facts, set(self.parts) == set(facts[self.asked].levels))
