"""What a provider says of its hosts by itself: one has begun, ended, was frozen or removed."""

from __future__ import annotations

from collections.abc import Callable

from infratest.deadline import Deadline
from infratest.monitor.hints.base import Hint
from infratest.providers.base import Announcements, Announces

#: Seconds that it may take until its provider is heard.
SECONDS = 30.0


class OfProvider:
    """Gives a hint for each host that the provider says something of."""

    def __init__(self, provider: Announces) -> None:
        self._provider = provider
        self._heard: Announcements | None = None
        self._ended = False

    def run(self, told: Callable[[Hint], None]) -> None:
        """Give hints until it is ended. Raises ProviderError: the provider says nothing any more."""
        with self._provider.announcements(Deadline(SECONDS)) as heard:
            self._heard = heard
            if self._ended:
                return
            for host in heard:
                told(Hint(host))

    def end(self) -> None:
        """Have it give no more."""
        self._ended = True
        if self._heard is not None:
            self._heard.end()
