"""A server that answers as Alertmanager does; the real one is asked in tests/receivers/test_alertmanager.py."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.receivers import Case
from tests.contracts.cases.receivers._posted import body, posted
from tests.worlds.notice_servers import Reply


def key(got: str) -> str:
    return json.dumps([alert["labels"] for alert in json.loads(got)])


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    with posted(lambda url: {"alertmanager": {"url": url}}, Reply(200), key, body) as made:
        yield made
