"""Whether people are at work where something was healed, so that what is seen there says nothing of the heal.

Between what a run works with (`ways`) and what it does (`acts`).
"""

from __future__ import annotations

from dataclasses import dataclass

from infratest.errors import StateError
from infratest.heal import verifying
from infratest.heal.means import NotKnown
from infratest.heal.neighbours import Beside
from infratest.heal.pause import paused_until
from infratest.heal.ways import Ways
from infratest.model import Result

#: How what was done is found not to have helped, while people are at work there.
IT_WAS_RED, BESIDE_WAS_WORSE = "it was red", "what is beside it was worse"


@dataclass(frozen=True)
class Rest:
    """Why a verdict waits. people: since they are at work there, in words; empty where that is not known."""

    people: str = ""


class Resting(Ways):
    """One run of the engine, as it asks what people want."""

    def _rests(self, result: Result, beside: Beside) -> Rest | None:
        """Return why what is not well says nothing now, or nothing may be done about it; None where neither is so.

        Who is at work may cause it. An undo is an act: it waits for what any other one waits for, and so does what a
        verdict would cost the rule.
        """
        means = self._means
        try:
            if paused_until(self._state, means.clock(), means.resume) is not None:
                return Rest("heals were paused")
        except StateError:  # whether there is a pause nobody can say
            return Rest()
        about = () if means.drilled else (result, *beside.seen)
        wanted = [why for each in about if (why := means.suppressed(each))]
        if any(not isinstance(why, NotKnown) for why in wanted):
            return Rest("people were at work there")
        return Rest() if wanted or not means.witness()[0] else None

    def _rests_as(self, number: str, rest: Rest | None, how: str) -> bool:
        """Note of a try that its verdict waits, and how it was found where people are at work; return whether so."""
        if rest is not None:
            red = f"{how} while {rest.people}" if rest.people else ""
            verifying.change(self._state, self._report.place, number, rests=self._means.clock(), red=red)
        return rest is not None
