"""Several monitors on one PostgreSQL, as their users run them: one works, another takes over, nobody is told twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.worlds import servers
from tests.worlds.monitor_world import THERE, World, until, world


def on_postgresql(made: World, port: int) -> World:
    stack = (made.folder / "stack.yaml").read_text()
    store = f"  store: {{url: 'postgresql://admin@127.0.0.1:{port}/postgres', password-file: mon.pw}}\n"
    (made.folder / "stack.yaml").write_text(stack.replace("monitor:\n", f"monitor:\n{store}"))
    (made.folder / "mon.pw").write_text(f"{servers.PASSWORD}\n")
    return made


@pytest.mark.timeout(600)
def test_another_monitor_takes_over_and_tells_nobody_twice(tmp_path: Path):
    west, east = tmp_path / "west", tmp_path / "east"
    west.mkdir()
    east.mkdir()
    with servers.postgresql() as port, world(west) as one, world(east) as other:
        on_postgresql(one, port)
        on_postgresql(other, port)
        for name in ("stack.yaml", "features/x.feature"):  # the same project, and the same receiver
            (east / name).write_text((west / name).read_text())
        first = one.begin()
        second = other.begin_waiting(f"infratest: shop: process {first.pid} on ")
        one.there.unlink()
        until(lambda: one.notices() == [("problem", "critical", THERE)], "one notice")
        # What was under way when it is killed would be told again, under the same key.
        until(lambda: "oncall knows it is critical" in one.run("problems")[1], "that it arrived is kept")
        first.send_signal(signal.SIGKILL)
        first.wait()
        until(other.live, "the other one works")
        assert second.poll() is None
        until(lambda: other.state() == "critical", "what the first one knew")
        one.there.touch()
        until(lambda: len(one.notices()) > 1, "the end of it")
        assert one.notices() == [("problem", "critical", THERE), ("recovery", "ok", THERE)]
        # The first one comes again, and waits.
        third = one.begin_waiting(f"infratest: shop: process {second.pid} on ")
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
        until(one.live, "the first machine works again")
        third.send_signal(signal.SIGTERM)
        assert third.wait(60) == 0
        for made in (one, other):
            assert servers.PASSWORD not in made.log


def test_a_store_that_is_not_there_is_named(tmp_path: Path):
    with world(tmp_path) as made:
        on_postgresql(made, 1)
        status, _, err = made.run("run")
        assert status == 3
        assert "store: postgresql://admin@127.0.0.1:1/postgres (shop): PostgreSQL says connection failed" in err
        (tmp_path / "mon.pw").unlink()
        status, _, err = made.run("run")
        assert status == 3
        assert "stack.yaml:5: monitor.store.url: password-file: " in err
        assert "mon.pw could not be read" in err
