"""What follows a claim, as a value: on how many hosts, from where, within or for how long. On the plugin's path."""

from __future__ import annotations

from infratest.record import Record

ALL, EXACTLY_ONE, AT_LEAST, NONE = "all", "exactly one", "at least", "no"
DEFAULT_VIEW, HOST_VIEW, CONTROLLER_VIEW, NAMED_VIEW, GROUP_VIEW = "default", "host", "controller", "named", "group"


class Tail(Record):
    """What follows a claim.

    Args:
        quantifier: on how many of the hosts it must hold; `least` is the number for AT_LEAST.
        on: the one host that `on "..."` names, or empty. view, viewpoint: where it looks from, and its name.
        within, during: seconds of `within` and `for`, or None.
    """

    quantifier: str = ALL
    least: int = 0
    on: str = ""
    view: str = DEFAULT_VIEW
    viewpoint: str = ""
    within: float | None = None
    during: float | None = None

    @property
    def across(self) -> bool:
        """Whether it speaks of several hosts at once, so that its scenario runs once for the stack."""
        return self.quantifier != ALL
