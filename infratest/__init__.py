"""infratest: one Gherkin feature as test, gate, monitor and heal trigger of an infrastructure stack."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    Step = TypeVar("Step")

#: What `checks` sets on a function; read when the steps are loaded (user_steps/load.py).
LOOKS_ONLY = "__infratest_checks__"


def checks(function: Step) -> Step:
    """Declare that a behave step of the user's own only looks; above or below behave's decorator."""
    setattr(function, LOOKS_ONLY, True)
    return function
