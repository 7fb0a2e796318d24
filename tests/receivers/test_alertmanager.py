"""A real Alertmanager (Debian's 0.25), with a webhook of its own behind it: what fires, and ends, and by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any
from urllib.request import urlopen

import pytest

from infratest.alerting.ledger import ACK, RECOVERY
from infratest.deadline import Deadline
from infratest.receivers.base import Item, Message, Receiver, Refused, opened
from infratest.states import OK, WARNING
from infratest.testing.receivers import HOSTILE, LONG, WHERE, item, notice
from infratest.testing.waiting import wait_until
from tests.worlds.notice_servers import Endpoint, endpoint
from tests.worlds.tls_servers import free_port, running

pytestmark = pytest.mark.machines  # it is no package of the ordinary run

CONFIGURATION = """
route:
  receiver: there
  group_by: [alertname, instance]
  group_wait: 100ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: there
    webhook_configs: [{{url: "{url}/", send_resolved: true}}]
"""


@dataclass
class Real:
    """A running Alertmanager, and who is told by it."""

    url: str
    behind: Endpoint

    def alerts(self) -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/api/v2/alerts", timeout=LONG) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def firing(self, name: str) -> list[tuple[str, str]]:
        """Name and severity of what fires of a scenario."""
        names = [alert["labels"] for alert in self.alerts() if alert["labels"]["alertname"] == name]
        return sorted((labels["alertname"], labels["severity"]) for labels in names)

    def sent_on(self, name: str) -> list[tuple[str, str]]:
        """State and severity of each alert of a scenario that it told of, in turn."""
        every = [alert for request in list(self.behind.requests) for alert in json.loads(request.body)["alerts"]]
        mine = [alert for alert in every if alert["labels"]["alertname"] == name]
        return [(alert["status"], alert["labels"]["severity"]) for alert in mine]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("alertmanager")
    port = free_port()
    with endpoint() as behind:
        (folder / "am.yml").write_text(CONFIGURATION.format(url=behind.url))
        words = [f"--config.file={folder}/am.yml", f"--storage.path={folder}/data", "--cluster.listen-address="]
        with running("prometheus-alertmanager", *words, f"--web.listen-address=127.0.0.1:{port}", ports=(port,)):
            yield Real(f"http://127.0.0.1:{port}", behind)


def to(real: Real, lease: str = "5 min") -> Receiver:
    return opened({"alertmanager": {"url": real.url, "lease": lease}}, WHERE, Path("/"))


def sent(receiver: Receiver, *items: Item) -> None:
    receiver.deliver(Message(stack="shop", env="prod", sent=time(), items=items), Deadline(LONG))


def one(name: str, **fields: Any) -> Item:
    return item(notice(f"features/x.feature#{name}@web-1", **fields), scenario=name, since=time() - 30)


def test_it_fires_and_ends(real):
    receiver = to(real)
    sent(receiver, one("fires"))
    assert real.firing("fires") == [("fires", "critical")]
    assert wait_until(lambda: real.sent_on("fires") == [("firing", "critical")], LONG)
    sent(receiver, one("fires"))  # the same once more, as after a lost answer or to renew the lease
    sent(receiver, one("fires", kind=ACK, number=2))
    assert real.firing("fires") == [("fires", "critical")]
    sent(receiver, one("fires", kind=RECOVERY, level=OK, number=3))
    assert wait_until(lambda: real.sent_on("fires")[1:] == [("resolved", "critical")], LONG)
    assert real.firing("fires") == []


def test_another_level_takes_the_place_of_the_first_over_a_restart_too(real):
    sent(to(real), one("changes", level=WARNING))
    assert wait_until(lambda: real.sent_on("changes") == [("firing", "warning")], LONG)
    sent(to(real), one("changes", number=2))
    assert real.firing("changes") == [("changes", "critical")]
    assert wait_until(lambda: ("resolved", "warning") in real.sent_on("changes"), LONG)
    assert {state for state, severity in real.sent_on("changes") if severity == "critical"} == {"firing"}


def test_what_is_not_renewed_ends_by_itself(real):
    sent(to(real, "10 s"), one("leased"))
    assert real.firing("leased") == [("leased", "critical")]
    assert wait_until(lambda: real.sent_on("leased")[-1:] == [("resolved", "critical")], LONG)


def test_what_hosts_say_it_takes(real):
    sent(to(real), item(notice(reason=HOSTILE), scenario=HOSTILE, host=HOSTILE, evidence=(HOSTILE,), since=time()))
    assert any("pwned" in alert["annotations"]["description"] for alert in real.alerts())


def test_many_at_once(real):
    sent(to(real), *(one(f"many-{number}") for number in range(250)))
    assert len([alert for alert in real.alerts() if alert["labels"]["alertname"].startswith("many-")]) == 250


def test_what_it_refuses_is_refused(real):
    receiver = opened({"alertmanager": {"url": f"{real.url}/no/such"}}, WHERE, Path("/"))
    with pytest.raises(Refused, match="it answers 404") as caught:
        receiver.deliver(Message(stack="shop", env="prod", sent=time(), items=(one("x"),)), Deadline(LONG))
    assert caught.value.permanent
