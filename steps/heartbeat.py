"""What can be said of a heartbeat: a job of others that the monitor has to hear of, as `heartbeats:` declares it.

Asked of the monitor's store in the state directory. Where no monitor runs on it, where none of that name is watched,
and until it is due for the first time, nothing is known.
"""

from __future__ import annotations

from infratest.check import CONTROLLER, Check, Seen
from infratest.errors import FactError
from infratest.facts.base import Need, single
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.states import CRITICAL, OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.heartbeat import Heartbeat


@check(
    'the heartbeat "{name}" is on time',
    negation='the heartbeat "{name}" is not on time',
    example='the heartbeat "backup" is on time',
)
class HeartbeatOnTime(Check):
    """The job was heard of when it was due, and ended well."""

    viewpoint = CONTROLLER

    name: str
    state_directory: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        single(self.name, "heartbeat")

    @property
    def of_store(self) -> bool:
        return True

    def in_store(self, state_directory: str, place: str) -> Check:
        return self.changed(state_directory=state_directory, place=place)

    @derived
    def asked(self) -> Need[Heartbeat]:
        return Need("heartbeat", (self.state_directory, self.place, self.name))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        heartbeat = facts[self.asked]
        if heartbeat.state not in (OK, CRITICAL):
            raise FactError(f'the heartbeat "{self.name}": {heartbeat.reason}')
        words = "is on time" if heartbeat.state == OK else "is not on time"
        return Seen(heartbeat.state == OK, f'the heartbeat "{self.name}" {words}: {heartbeat.reason}')
