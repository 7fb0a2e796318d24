"""apprise's own JSON notification, to a server: all that it sends goes by one such module or another."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.receivers import Case
from tests.contracts.cases.receivers._posted import posted
from tests.worlds.notice_servers import Reply


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    def given(url: str) -> dict[str, object]:
        place = url.removeprefix("http://")
        name = f"INFRATEST_TESTS_CHAT_{place.rpartition(':')[2]}"
        os.environ[name] = f"json://{place}/notify"
        return {"apprise": f"env:{name}"}

    def text(body: bytes) -> str:
        sent = json.loads(body)
        return f"{sent['title']}\n{sent['message']}"

    with posted(given, Reply(200), lambda got: "", lambda one: text(one.body), unsure=True) as made:
        yield made
