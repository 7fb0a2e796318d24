"""`apprise: env:CHAT_URL`: one of the services that apprise knows, by its URL, which holds the way in.

apprise (extra `notify`) runs in a process of its own: it knows no deadline for the whole, and its modules take as much
memory as the monitor. Without a format it takes text for HTML in some services, so plain text is always said.
It does not tell what was refused from what may have arrived: all that it does not send is `Lost`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from infratest.alerting.ledger import ACK, RECOVERY
from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.local_program import call
from infratest.receivers import _words
from infratest.receivers.base import OF_ENV, Item, Lost, Message, Receiver, Refused
from infratest.states import CRITICAL, OK

PROGRAM = Path(__file__).with_name("_apprise_program.py")
#: Its status where apprise does not know such a URL.
NO_SUCH_URL = 3
#: Notices in one message: chats cut what is long.
MOST = 10


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which service."""

    url: str = field(
        default="",
        metadata={
            "title": "env:NAME", "pattern": OF_ENV, "short": True,
            "description": "An apprise URL, in the environment: it holds the way in.",
        },
    )  # fmt: skip
    url_file: str = field(
        default="",
        metadata={"title": "a path", "source": True, "description": "A file that holds the apprise URL."},
    )
    digest: float = field(
        default=0.0,
        metadata={"dimension": "time", "low": 0.0, "description": "Gather notices for so long after one was sent."},
    )


class Apprise(Receiver):
    """A service that apprise knows."""

    at_once = MOST

    def foresee(self) -> None:
        super().foresee()
        self.needed("url")
        _there()

    def hand_over(self, message: Message, deadline: Deadline) -> None:
        _there()
        asked = {
            "url": self.needed("url"),
            "title": _words.title(message),
            "body": _words.text(message),
            "type": _type(message.items),
        }
        try:
            status, _, said = call(
                [sys.executable, "-P", str(PROGRAM)], deadline, json.dumps(asked).encode(), {"PYTHONUTF8": "1"}
            )
        except ProviderError as error:
            raise Lost(f"{self.describe()}: it did not end in time; it may have arrived") from error
        words = clean(said, 300) or "it says nothing"
        if status == NO_SUCH_URL:
            raise Refused(f"{self.describe()}: apprise knows no such URL: {words}", permanent=True)
        if status != 0:
            raise Lost(f"{self.describe()}: it was not sent, as far as apprise knows: {words}")


def _there() -> None:
    """Raises UserError: apprise is not installed."""
    if find_spec("apprise") is None:
        raise UserError("the library apprise is not installed: pip install 'infratest[notify]'")


def _type(items: tuple[Item, ...]) -> str:
    """Return apprise's word for the worst of them, by which services choose a colour."""
    levels = {OK if item.notice.kind == RECOVERY else item.notice.level for item in items}
    if levels == {OK}:
        return "success"
    if all(item.notice.kind == ACK for item in items):
        return "info"
    return "failure" if CRITICAL in levels else "warning"
