"""The fact `drill`: what a drill has seen so far. Arguments: TURNS, a scenario and a state; HEALS, a rule, a host and a
remedy; or HOLDS and a scenario.

It is kept by the drill itself, line by line: looked at in another run, nothing is known.
"""

from __future__ import annotations

from infratest.facts._drilled import KeptByDrill


class DrillFact(KeptByDrill):
    """What the drill that runs has kept of it; by itself it asks nobody."""
