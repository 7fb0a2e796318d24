"""The contract of an output: a report made into text, and where it offers that, events sent to where they are kept.

It renders only; states and counts are the report's. On the plugin program's path.
"""

from __future__ import annotations

from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    from infratest.deadline import Deadline
    from infratest.model import Report, Result

    class Event(Protocol):
        """What is sent: `store.events.Event`, as far as an output looks at it."""

        @property
        def time(self) -> float: ...
        @property
        def key(self) -> str: ...
        @property
        def value(self) -> float | str: ...
        @property
        def unit(self) -> str: ...
        @property
        def labels(self) -> Mapping[str, str]: ...
        def as_dict(self) -> dict[str, Any]: ...


class NoOptions(Record):
    """The options of an output that has none."""


class Output:
    """Renders a report.

    Args:
        options: of the class `Options`, by `infratest.options`; its defaults where not given.
        colour: escape sequences may be used (the text goes to a terminal). verbosity: how often `-v` was given.
    """

    #: Its options: a Record or a frozen dataclass whose fields all have defaults, since `--format NAME` gives none.
    Options: type[Any] = NoOptions

    def __init__(self, options: Any = None, *, colour: bool = False, verbosity: int = 0) -> None:
        self.options = self.Options() if options is None else options
        self.colour = colour
        self.verbosity = verbosity

    def render(self, report: Report) -> str:
        """Return the whole text, ending in a line break."""
        raise TypeError(f"{type(self).__name__} does not render")

    def on_result(self, result: Result) -> str:
        """Return what to show at once for a result that has just come in; empty for nothing."""
        return ""


class Sends(Output):
    """An output that can also send events to where they are kept: a time series database, a command file, a webhook.

    What renders nothing for people renders what it would send.
    """

    def send(self, events: Sequence[Event], deadline: Deadline) -> None:
        """Send events, in this order. Without events nothing is sent.

        Events that this does not return for may have arrived or not: whoever calls keeps them and sends them again.

        Args:
            events: with their secrets masked, as they are stored. deadline: of the whole call.
        Raises:
            SendError: the receiver cannot be reached, refused them, or did not take them in time; with its address.
        """
        raise TypeError(f"{type(self).__name__} does not send")
