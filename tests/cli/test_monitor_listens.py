"""`infratest monitor run` that listens, as its user runs it: real clients, Prometheus, Alertmanager, a taken port."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.monitor.test_listening import Ports, curl, kept
from tests.worlds.monitor_world import World, until, world
from tests.worlds.small_project import run

METRICS = """\
Feature: m
  Scenario: orders
    Then the metric "shop.orders" over the last 5 min is more than 10
  Scenario: stock
    Then the highest of the metric "shop.stock" over the last 5 min is exactly 7
"""


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def shop(tmp_path: Path, ports: Ports) -> Iterator[World]:
    with world(tmp_path) as made:
        stack = tmp_path / "stack.yaml"
        stack.write_text(
            stack.read_text() + f"  listen: {{statsd: {{address: '127.0.0.1:{ports.statsd}', every: 1s}}, "
            f"graphite: '127.0.0.1:{ports.graphite}', http: '127.0.0.1:{ports.http}'}}\n"
        )
        (tmp_path / "features" / "m.feature").write_text(METRICS)
        yield made


@pytest.mark.timeout(600)
def test_what_is_sent_is_what_sentences_see(shop: World, ports: Ports):
    process = shop.begin()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"shop.stock:7|g", ("127.0.0.1", ports.statsd))
    subprocess.run(["nc", "-N", "127.0.0.1", str(ports.graphite)], input=b"shop.orders 25 N\n", timeout=60, check=True)
    assert json.loads(curl("-d", '{"key": "shop.orders", "value": 35}', f"{ports.url}/in/events"))["taken"] == 1
    assert json.loads(curl("-X", "POST", f"{ports.url}/in/heartbeat/backup"))["signal"] == "ok"

    def states() -> dict[str, str]:
        done = run(shop.folder, "infratest", "check", "features/m.feature", "--format", "json")
        return {each["scenario"]: each["state"] for each in json.loads(done.stdout)["results"]}

    until(lambda: states() == {"orders": "ok", "stock": "ok"}, "what was sent is there")
    ids = ("features/m.feature#orders@-", "features/m.feature#stock@-")
    until(lambda: [shop.state(id) for id in ids] == ["ok", "ok"], "the monitor itself sees it")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_an_address_that_is_taken_is_one_message(shop: World, ports: Ports):
    with socket.create_server(("127.0.0.1", ports.graphite)):
        status, out, err = shop.run("run", "--once")
    assert status == 3
    assert f"graphite: 127.0.0.1:{ports.graphite} cannot be listened on: Address already in use" in out + err
    assert len((out + err).strip().splitlines()) == 1


PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - {{job_name: infratest, static_configs: [{{targets: ["127.0.0.1:{http}"]}}]}}
  - {{job_name: hosts, http_sd_configs: [{{url: "http://127.0.0.1:{http}/sd/{http}", refresh_interval: 1s}}]}}
"""
RULES = """\
groups:
  - name: infratest
    rules:
      - {alert: Red, expr: 'infratest_result_state{scenario="there", job="infratest"} == 2', labels: {env: prod}}
"""
ALERTMANAGER = """\
route: {{receiver: back, group_wait: 0s, group_interval: 1s}}
receivers: [{{name: back, webhook_configs: [{{url: "http://127.0.0.1:{http}/in/alertmanager"}}]}}]
"""


@pytest.mark.machines
@pytest.mark.timeout(600)
def test_prometheus_scrapes_it_and_alertmanager_posts_back(shop: World, ports: Ports, tmp_path: Path):
    folder = tmp_path / "prometheus"
    folder.mkdir()
    other = Ports()
    names = {"http": ports.http, "alertmanager": other.http}
    (folder / "prometheus.yml").write_text(PROMETHEUS.format(**names))
    (folder / "rules.yml").write_text(RULES)
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.format(**names))
    shop.begin()
    programs = (
        ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
         f"--web.listen-address=127.0.0.1:{other.graphite}"],
        ["prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=amdata",
         f"--web.listen-address=127.0.0.1:{other.http}", "--cluster.listen-address="],
    )  # fmt: skip
    running = []
    try:
        for words in programs:
            log = (folder / f"{words[0]}.log").open("wb")
            running.append(subprocess.Popen(words, cwd=folder, stdout=log, stderr=log))
            log.close()

        def asked(query: str) -> list[Any]:
            done = subprocess.run(
                ["curl", "-sS", "--noproxy", "*", "-G", "--data-urlencode", f"query={query}",
                 f"http://127.0.0.1:{other.graphite}/api/v1/query"],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            return list(json.loads(done.stdout)["data"]["result"]) if done.stdout.startswith("{") else []

        until(lambda: asked('infratest_result_state{scenario="full"} == 0'), "it is scraped, and ok")
        until(lambda: asked('up{job="hosts", stack="shop", host="here"} == 1'), "it is told the hosts")
        shop.there.unlink()
        until(lambda: asked('infratest_result_state{scenario="there"} == 2'), "it is seen there")

        def fired() -> bool:
            return 'infratest_intake_events_total{stack="shop",env="",intake="http"}' in curl(f"{ports.url}/metrics")

        until(fired, "the alert comes back")
    finally:
        for process in running:
            process.terminate()
            process.wait()
    ((key, value),) = [each for each in kept(shop.folder).items() if each[0].startswith("alertmanager.")]
    assert (key.rpartition(".")[0], value) == ("alertmanager.Red", 1.0)
