"""A server that answers as PagerDuty's documentation says: PagerDuty itself cannot be had."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.testing.receivers import Case
from tests.contracts.cases.receivers._posted import body, posted
from tests.worlds.notice_servers import Reply

TAKEN = Reply(202, b'{"status":"success","message":"Event processed","dedup_key":"x"}')


@contextmanager
def case(folder: Path) -> Iterator[Case]:
    os.environ["INFRATEST_TESTS_PD_KEY"] = "R0123456789abcdef0123456789abcde"

    def given(url: str) -> dict[str, object]:
        return {"pagerduty": {"key": "env:INFRATEST_TESTS_PD_KEY", "url": f"{url}/v2/enqueue"}}

    with posted(given, TAKEN, lambda got: str(json.loads(got)["dedup_key"]), body) as made:
        yield made
