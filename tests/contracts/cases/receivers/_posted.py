"""What receivers have in common that are told by HTTP: a server, and what it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from infratest.testing.receivers import HANGS, REFUSES, TAKES, TEARS, Case
from tests.worlds.notice_servers import HANG, TEAR, Endpoint, Reply, Request, endpoint
from tests.worlds.tls_servers import free_port


def body(request: Request) -> str:
    """Return what was sent, read as JSON and written without escapes."""
    return json.dumps(json.loads(request.body), ensure_ascii=False)


@contextmanager
def posted(
    given: Callable[[str], Any],
    taken: Reply,
    key: Callable[[str], str],
    text: Callable[[Request], str],
    refused: int = 500,
    **more: Any,
) -> Iterator[Case]:
    """Have a case.

    Args:
        given: kind and options, by the server's URL. taken: the answer by which it takes something.
    """
    with endpoint() as server:
        replies = {TAKES: taken, REFUSES: Reply(refused, b"no"), HANGS: Reply(how=HANG), TEARS: Reply(how=TEAR)}

        def behave(how: str) -> None:
            server.reply = replies[how]

        def received() -> list[str]:
            return [text(request) for request in took(server, replies[TAKES])]

        def took(server: Endpoint, taken: Reply) -> list[Request]:
            return [one for one, reply in zip(server.requests, server.given, strict=True) if reply is taken]

        yield Case(
            given=given(server.url), nobody=given(f"http://127.0.0.1:{free_port()}"), behave=behave, received=received,
            forget=server.forget, key=key, **more,
        )  # fmt: skip
