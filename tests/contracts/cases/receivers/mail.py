"""aiosmtpd: a real SMTP server."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

from infratest.testing.receivers import HANGS, REFUSES, TEARS, Case
from tests.worlds.notice_servers import HANG, TEAR, smtp_server
from tests.worlds.tls_servers import free_port


def text(content: bytes) -> str:
    """Headers as they are meant, and the body."""
    read = message_from_bytes(content, policy=policy.default)
    return "\n".join([*(f"{name}: {value}" for name, value in read.items()), "", read.get_content()])


def key(got: str) -> str:
    return next(line for line in got.split("\n") if line.startswith("Message-ID: "))


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with smtp_server() as post:

        def behave(what: str) -> None:
            post.box.how = {HANGS: HANG, TEARS: TEAR}.get(what, "")
            post.box.verdict = "451 not now" if what == REFUSES else "250 OK"

        given = {"mail": {"to": "web@example.org", "from": "infratest@mon-1", "server": post.server}}
        nobody = {"mail": {**given["mail"], "server": f"127.0.0.1:{free_port()}"}}
        yield Case(
            given=given, nobody=nobody, behave=behave, forget=post.box.letters.clear, key=key,
            received=lambda: [text(letter.content) for letter in post.box.letters],
        )  # fmt: skip
