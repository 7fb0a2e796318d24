"""A program of the user's own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.receivers import Case
from tests.contracts.cases.receivers._posted import posted
from tests.worlds.notice_servers import Reply, Request


def text(request: Request) -> str:
    """The header, and behind it the body as JSON has it."""
    return f"{request.headers['Idempotency-Key']}\n{json.loads(request.body)}"


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    def given(url: str) -> dict[str, object]:
        return {"webhook": {"url": f"{url}/hook"}}

    with posted(given, Reply(204), lambda got: got.split("\n")[0], text) as made:
        yield made
