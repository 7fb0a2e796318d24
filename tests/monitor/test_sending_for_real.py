"""A monitor that sends, as its user runs it: what arrives, what is told where it does not, and a test by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intakes.listening import listening
from tests.worlds.monitor_world import World, until, world
from tests.worlds.small_project import run, write
from tests.worlds.tls_servers import free_port

STATE = "shop.-.here.x.there.state"


def with_send(made: World, send: str) -> None:
    stack = (made.folder / "stack.yaml").read_text()
    (made.folder / "stack.yaml").write_text(stack.replace("monitor:\n", f"monitor:\n  send: {send}\n"))


@pytest.mark.timeout(600)
def test_what_is_seen_is_sent_and_what_is_not_taken_is_told(tmp_path: Path):
    port = free_port()
    with world(tmp_path) as made:
        with_send(made, f'[{{graphite: "127.0.0.1:{port}"}}]')
        made.begin()
        until(
            lambda: made.notices() == [("problem", "critical", "monitor#send/graphite@-")],
            "nobody takes it, and somebody knows",
        )
        status, out, _ = made.run("send", "graphite", "--test")
        assert (status, out.startswith(f"graphite: not taken by graphite 127.0.0.1:{port}: ")) == (3, True)
        with listening("graphite", {"address": f"127.0.0.1:{port}"}) as here:
            here.until(lambda it: it.numbers.get(STATE) == 0.0)
            assert "shop.-.here.x.full.disk_used" in here.numbers
            until(lambda: len(made.notices()) > 1, "it is taken again")
            assert made.notices()[1] == ("recovery", "ok", "monitor#send/graphite@-")
            made.there.unlink()
            here.until(lambda it: it.numbers[STATE] == 2.0)
            assert made.run("send", "graphite", "--test")[:2] == (0, f"graphite: taken by graphite 127.0.0.1:{port}\n")
            here.until(lambda it: it.numbers.get("shop.-.-.-.test.value") == 1.0)
    assert "unknown sender" in made.run("send", "grafite", "--test")[2]


@pytest.mark.parametrize("words, status", [(("lint",), 1), (("monitor", "run"), 3)])
def test_what_does_not_say_its_environment_is_not_sent_for_two_of_them(tmp_path: Path, words, status):
    folder = write(tmp_path, {
        "stack.yaml": "stack: shop\nprovider: local\nhosts: {here: {}}\nenvironments: {dev: {}, prod: {}}\n"
        "monitor:\n  send: [nagios-command-file: {path: nagios.cmd}]\n",
        "features/f.feature": 'Feature: f\n  Scenario: s\n    Then the file "/tmp" exists\n',
    })  # fmt: skip
    done = run(folder, "infratest", *words, "--env", "prod")
    assert done.returncode == status, done
    where = "stack.yaml:6: monitor.send[0]: nagios-command-file: dev and prod have this entry"
    assert where in (done.stdout if words == ("lint",) else done.stderr)
