"""`power-cycle: {}`: the failing host stopped and started by its provider, whether or not it listens to anybody."""

from __future__ import annotations

from contextlib import suppress

from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError, UserError
from infratest.hosts import RUNNING, STOPPED
from infratest.model import Result
from infratest.remedies.base import Outcome, Power, Remedy, Surroundings

#: Seconds that one look at a booting host may take, and seconds between two.
LOOK, PAUSE = 10.0, 0.5
#: Seconds that are kept for the start, of those that there are at most the half; and in which what was to stop in time
#: and did not may stop all the same.
START, LATE = 180.0, 20.0
#: Seconds for the start where we are told to end.
LAST = 30.0


class PowerCycle(Remedy):
    """Stop the host, in order where it obeys and by its power where it does not; start it, and wait for its answer.

    It is done only where its provider says that it is stopped: a stop that did nothing is none. What was to stop and
    did not in time is started all the same where it stops late: nobody else would.
    """

    name = "power-cycle"
    usage = "takes no options, write `power-cycle: {}`"
    on_host = False
    by_provider = True
    seconds = 420.0
    least = 180.0

    def describe(self) -> str:
        return "power-cycle"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        name, power = surroundings.host.name, surroundings.power
        try:
            self._halt(power, deadline)
            state = power.state(deadline)
            if state != STOPPED:
                raise HealError(f"it was to stop, and is {state} by its provider's word: not started")
            power.start(deadline)
            self._answering(surroundings, deadline)
        except KeyboardInterrupt:
            # Who ends us here would leave it stopped.
            with suppress(InfratestError):
                power.start(deadline.at_most(LAST))
            raise
        except InfratestError as error:
            raise HealError(f"power-cycle {name}: {error}") from error
        return Outcome(words="it was stopped, started, and answers", command=f"infratest reboot --host {name}")

    @staticmethod
    def _halt(power: Power, deadline: Deadline) -> None:
        """Stop it. Raises HealError: it could not be; it was seen to that it runs again."""
        halting = deadline.sooner(min(START, deadline.left / 2))
        try:
            power.halt(halting)
        except UserError:  # it cannot: nothing was asked for
            raise
        except InfratestError as error:
            late = deadline.at_most(LATE if halting.passed else 0.0)
            try:
                while power.state(deadline) == RUNNING:
                    if late.passed:
                        raise HealError(f"{error}; it runs still") from error
                    power.pause(min(PAUSE, late.left))
                power.start(deadline)
            except HealError:
                raise
            except InfratestError as problem:
                raise HealError(f"{error}; and it could not be started again: {problem}") from error
            raise HealError(f"{error}; it was started again") from error

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
