"""`power-cycle: {}`: the failing host stopped and started by its provider, whether or not it listens to anybody."""

from __future__ import annotations

from contextlib import suppress
from typing import NoReturn

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
#: Seconds for the start where we are told to end, and in which a provider must say what state a host is in.
LAST, ASK = 30.0, 20.0


class PowerCycle(Remedy):
    """Stop the host, in order where it obeys and by its power where it does not; start it, and wait for its answer.

    It is done only where its provider says that it is stopped: a stop that did nothing is none. What was to stop and
    did not in time is started all the same where it stops late: nobody else would. So is what
    may have stopped, where its provider does not say.
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
        halting = deadline.sooner(min(START, deadline.left / 2))
        try:
            self._halt(power, halting, deadline)
            state, problem = self._state(power, halting, deadline)
            if not state:
                self._started_again(power, deadline, f"whether it has stopped is not known: {problem}")
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

    def _halt(self, power: Power, halting: Deadline, deadline: Deadline) -> None:
        """Stop it. Raises HealError: it could not be; it was seen to that it runs again."""
        try:
            power.halt(halting)
        except UserError:  # it cannot: nothing was asked for
            raise
        except InfratestError as error:
            late = deadline.at_most(LATE if halting.passed else 0.0)
            while (state := self._state(power, late if halting.passed else halting, deadline)[0]) == RUNNING:
                if late.passed:
                    raise HealError(f"{error}; it runs still") from error
                power.pause(min(PAUSE, late.left))
            words = str(error) if state else f"{error}; what it is now is not known"
            self._started_again(power, deadline, words)

    @staticmethod
    def _state(power: Power, asking: Deadline, deadline: Deadline) -> tuple[str, str]:
        """Return what it is by its provider's word; nothing, and why, where that cannot be had however often one asks.

        Args:
            asking: until when it is asked again: what comes after that is for the start.
        """
        while True:
            try:
                return power.state(deadline.at_most(ASK)), ""
            except InfratestError as error:
                if asking.passed:
                    return "", str(error)
            with suppress(InfratestError):
                power.pause(min(PAUSE, asking.left))

    @staticmethod
    def _started_again(power: Power, deadline: Deadline, why: str) -> NoReturn:
        """Start what may have stopped, and say so. Raises HealError, in any case: that was no cycle."""
        try:
            power.start(deadline)
        except InfratestError as problem:
            raise HealError(f"{why}; and it could not be started again: {problem}") from problem
        raise HealError(f"{why}; it was started again")

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
