"""No secret is in what goes to a worker, nor in what comes back: a worker reads them itself, and masks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from infratest.model import Report
from infratest.spread.portion import written_host
from tests.spread.conftest import Processes, host, values

PASSWORD, TOKEN = 'hunter2\'s "own" pass', "tok-5f1e77aa"
STACK = """\
stack: t
provider: local
parameters:
  pw: {{type: string, secret: true, from: {{file: {file}}}}}
  token: {{type: string, secret: true, from: {{env: TOKEN}}}}
"""
FEATURE = """\
Feature: f
  Scenario: with it
    Then the command "echo {{param.pw}}" exits 0
  Scenario: with the token
    Then the command "echo {{param.token}}" exits 0
  Scenario: shows it
    Then the command "cat {file}; echo {{{{tok}}}}; false" exits 0
  Scenario: shows the token
    Then the command "cat {token}" prints "something else"
"""


def test_none_goes_over_the_wire(ran: Callable[..., Report], tmp_path: Path, monkeypatch):
    file, token = tmp_path / "pw", tmp_path / "token"
    file.write_text(PASSWORD + "\n")
    token.write_text(TOKEN)
    monkeypatch.setenv("TOKEN", TOKEN)
    engine = Processes(TOKEN=TOKEN, PATH="/usr/bin:/bin")
    secrets = {"pw": {"file": str(file)}, "token": {"env": "TOKEN"}}
    report = ran(
        FEATURE.format(file=file, token=token), [host("a")], engine, stack=STACK.format(file=file), secrets=secrets
    )
    states = {result.scenario: result.state for result in report.results}
    assert states == {"with it": "ok", "with the token": "ok", "shows it": "critical", "shows the token": "critical"}
    (portion,), (said,) = engine.portions, engine.said
    assert [task[0][2] for task in json.loads(portion)["tasks"]] == ["shows it", "shows the token"]
    for text in (*values(portion), *values(said), portion, said):
        for secret in (PASSWORD, TOKEN, "hunter2"):
            assert secret not in text
    assert "********" in said
    assert json.loads(portion)["secrets"] == secrets


def test_a_worker_that_cannot_read_one_asks_nothing(ran: Callable[..., Report], tmp_path: Path):
    engine = Processes(PATH="/usr/bin:/bin")
    record = tmp_path / "record"
    asked = host("a", options={"otherwise": "run", "record": str(record)})
    text = 'Feature: f\n  Scenario: s\n    Then the user "root" exists\n'
    report = ran(text, [asked], engine, secrets={"token": {"env": "TOKEN_OF_NOBODY"}})
    assert report.results[0].state == "unknown"
    words = "its worker could not ask it: secret token: the environment variable TOKEN_OF_NOBODY is not set"
    assert report.results[0].reason.startswith(words)
    assert not record.exists()


def test_a_host_with_a_secret_in_it_stays(tmp_path: Path):
    from infratest.cleaning import Secret

    Secret(TOKEN)
    assert written_host(host("a")) is not None
    assert written_host(host("a", labels={"key": TOKEN})) is None
    assert written_host(host("a", options={"answers": {f"echo {TOKEN}": {}}})) is None
    assert written_host(host("a", options={"answers": {"x": {"stdout": f"a {TOKEN} b"}}})) is None


def test_what_is_this_machines_own_of_the_way_is_left_out():
    way = {"address": "192.0.2.1", "user": "u", "key": "/k", "pin": True, "answers": "/state/cache/ssh"}
    seen = {}
    for transport in ("ssh", "openssh"):
        options = way if transport == "ssh" else {name: way[name] for name in way if name != "answers"}
        value = written_host(host("a", transport=transport, address="192.0.2.1", options=options))
        seen[transport] = dict(value[7]["map"])
    expected = {"address": "192.0.2.1", "user": "u", "key": "/k", "pin": False}
    assert seen == {"ssh": expected, "openssh": expected}
    own = {"program": "/opt/my-ssh", "address": "192.0.2.1"}
    assert written_host(host("a", transport="openssh", address="192.0.2.1", options=own)) is None
    assert written_host(host("a", transport="container", options={})) is None
