"""What can be said of a drill: that a fault turns a scenario red, that a rule heals it, that another holds throughout.

These stand in scenarios tagged `@drill:RULE`, behind their fault, and are looked at by `infratest drill` alone.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Seen
from infratest.errors import UserError
from infratest.facts._drilled import HEALS, HOLDS, TURNS
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts._drilled import Drilled
    from infratest.facts.base import FactValues

#: States that a fault may turn a scenario to; unknown is no red: nobody knows what it would be.
STATES = ("critical", "warning", "ok")


class _Drill(Check):
    viewpoint = CONTROLLER

    @derived
    def drilled(self) -> Need[Drilled]:
        raise NotImplementedError

    def needs(self) -> tuple[Need, ...]:
        return (self.drilled,)

    def observe(self, facts: FactValues) -> Seen:
        seen = facts[self.drilled]
        return Seen(holds=seen.holds, saw=seen.saw)


@check(
    'the scenario "{scenario}" is {state:word}',
    example='the scenario "nginx-answers" is critical',
)
class ScenarioTurns(_Drill):
    """The fault of a drill turns a scenario to that state, on the host that `on` names."""

    scenario: str
    state: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise UserError(f'the scenario "{self.scenario}" is {self.state}: write one of {", ".join(STATES)}')

    @derived
    def drilled(self) -> Need[Drilled]:
        return Need("drill", (TURNS, self.scenario, self.state))


@check(
    'the rule "{rule}" heals "{host}" by "{remedy}"',
    example='the rule "restart-nginx" heals "web-1" by "restart-service"',
)
class RuleHeals(_Drill):
    """The rule heals what the fault of a drill broke on that host, by that remedy of its ladder."""

    rule: str
    host: str
    remedy: str = ""

    @derived
    def drilled(self) -> Need[Drilled]:
        return Need("drill", (HEALS, self.rule, self.host, self.remedy))


@check(
    'the scenario "{scenario}" holds throughout',
    example='the scenario "shop-answers" holds throughout',
)
class ScenarioHolds(_Drill):
    """A scenario was ok at every look, from before the fault of a drill until after the heal."""

    scenario: str

    @derived
    def drilled(self) -> Need[Drilled]:
        return Need("drill", (HOLDS, self.scenario))
