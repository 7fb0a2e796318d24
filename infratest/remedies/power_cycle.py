"""`power-cycle: {}`: the failing host stopped and started by its provider, whether or not it listens to anybody."""

from __future__ import annotations

from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.hosts import STOPPED
from infratest.model import Result
from infratest.remedies.base import Outcome, Remedy, Surroundings

#: Seconds that one look at a booting host may take, and seconds between two.
LOOK, PAUSE = 10.0, 0.5


class PowerCycle(Remedy):
    """Stop the host, in order where it obeys and by its power where it does not; start it, and wait for its answer.

    It is started only when its provider says that it is stopped: a stop that did nothing is none.
    """

    name = "power-cycle"
    usage = "takes no options, write `power-cycle: {}`"
    on_host = False
    by_provider = True
    seconds = 420.0

    def describe(self) -> str:
        return "power-cycle"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        name, power = surroundings.host.name, surroundings.power
        try:
            power.halt(deadline)
            state = power.state(deadline)
            if state != STOPPED:
                raise HealError(f"it was to stop, and is {state} by its provider's word: not started")
            power.start(deadline)
            self._answering(surroundings, deadline)
        except InfratestError as error:
            raise HealError(f"power-cycle {name}: {error}") from error
        return Outcome(words="it was stopped, started, and answers", command=f"infratest reboot --host {name}")

    @staticmethod
    def _answering(surroundings: Surroundings, deadline: Deadline) -> None:
        """Return when it can be logged in to again. Raises HealError: it cannot, until the deadline."""
        while True:
            try:
                transport = surroundings.connect(deadline.at_most(LOOK))
                try:
                    transport.run(["true"], deadline.at_most(LOOK))
                finally:
                    transport.close()
                return
            except InfratestError as error:
                if deadline.passed:
                    words = f"it was started, and did not end within {deadline.seconds:.3g} s its boot"
                    raise HealError(f"{words}: {error}") from error
            surroundings.power.pause(min(PAUSE, deadline.left))
