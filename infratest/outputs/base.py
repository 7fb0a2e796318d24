"""The contract of an output: a report made into text. It renders only; states and counts are the report's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.model import Report, Result


class Output:
    """Renders a report.

    Args:
        colour: escape sequences may be used (the text goes to a terminal). verbosity: how often `-v` was given.
    """

    def __init__(self, colour: bool = False, verbosity: int = 0) -> None:
        self.colour = colour
        self.verbosity = verbosity

    def render(self, report: Report) -> str:
        """Return the whole text, ending in a line break."""
        raise TypeError(f"{type(self).__name__} does not render")

    def on_result(self, result: Result) -> str:
        """Return what to show at once for a result that has just come in; empty for nothing."""
        return ""
