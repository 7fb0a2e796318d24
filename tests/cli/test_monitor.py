"""`infratest monitor` as its user runs it: a real process, its signals, its death, its successor, and who was told."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.worlds.monitor_world import FULL, THERE, World, until, world


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.mark.timeout(600)
def test_a_life_of_one_problem_over_a_kill(shop: World):
    first = shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    shop.there.unlink()
    until(lambda: shop.state() in ("soft", "critical"), "it is seen")
    until(lambda: shop.state() == "critical", "it is hard")
    until(lambda: shop.notices() == [("problem", "critical", THERE)], "one notice")
    status, out, _ = shop.run("problems")
    assert (status, out.splitlines()[0].partition(" - ")[0]) == (2, "INFRATEST MONITOR CRITICAL")
    assert "  oncall knows it is critical" in out.splitlines()
    first.send_signal(signal.SIGKILL)
    first.wait()
    status, out, _ = shop.run("status")
    assert status == 3, "what a dead monitor knew is not known"
    assert out.startswith("INFRATEST MONITOR UNKNOWN - shop: 1 of ")
    assert "no monitor runs: this is what one knew" in out
    assert " | " not in out, "a graph must not go on"
    assert shop.run("problems")[0] == 3
    second = shop.begin()
    shop.there.touch()
    until(lambda: len(shop.notices()) > 1, "the end of it")
    assert shop.notices() == [("problem", "critical", THERE), ("recovery", "ok", THERE)], "nothing twice"
    assert len(set(shop.keys())) == 2
    begun = monotonic()
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    assert monotonic() - begun < 30  # 5 s are promised; this machine may be busy
    assert not (shop.folder / ".infratest" / "monitor.sock").exists()
    assert shop.run("status")[0] == 3


def test_a_second_one_is_refused_and_names_the_first(shop: World):
    first = shop.begin()
    status, _, err = shop.run("run")
    assert status == 3
    assert f"process {first.pid}" in err
    status, out, _ = shop.run("due")
    assert status == 0
    assert {line.split()[-1] for line in out.splitlines()} >= {THERE, FULL}


def test_once_looks_and_ends_and_counts_on(shop: World):
    assert shop.run("run", "--once")[0] == 0
    shop.there.unlink()
    status, out, _ = shop.run("run", "--once")
    assert (status, "not confirmed: seen critical, failures 1 of 2" in out) == (2, True)
    assert shop.notices() == []
    status, out, _ = shop.run("run", "--once")
    assert (status, f"critical {THERE}:" in out) == (2, True)
    assert shop.notices() == [("problem", "critical", THERE)], "it is handed over before it ends"
    shop.there.touch()
    assert shop.run("run", "--once")[0] == 0
    assert [kind for kind, *_ in shop.notices()] == ["problem", "recovery"]
    assert shop.run("due")[0] == 3


def test_what_cannot_be_read_anew_is_told_and_the_old_is_watched_on(shop: World):
    process = shop.begin()
    feature = shop.folder / "features" / "x.feature"
    whole = feature.read_text()
    feature.write_text("Feature f\n")
    process.send_signal(signal.SIGHUP)
    until(lambda: shop.state("monitor#project@-") == "unknown", "the mistake")
    assert shop.run("status")[0] == 3
    assert THERE in shop.run("due")[1]
    feature.write_text(whole.replace("Scenario: full", "Scenario: fuller"))
    process.send_signal(signal.SIGHUP)
    until(lambda: "fuller" in shop.run("due")[1], "what is written there now")
    until(lambda: shop.run("status")[0] == 0, "it is well")


def test_systemd_hears_that_it_is_ready_alive_and_about_to_end(shop: World, tmp_path: Path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(100)
        process = shop.begin(NOTIFY_SOCKET=path, WATCHDOG_USEC="4000000")
        assert listening.recv(500).startswith(b"READY=1\nSTATUS=watching ")
        assert listening.recv(500) == b"WATCHDOG=1"
        process.send_signal(signal.SIGINT)
        while (word := listening.recv(500)) == b"WATCHDOG=1":
            pass
        assert word == b"STOPPING=1"
    assert process.wait(60) == 0


def test_a_host_that_hangs_holds_up_neither_the_others_nor_the_end(shop: World):
    fifo = shop.folder / "pipe"
    os.mkfifo(fifo)
    feature = shop.folder / "features" / "x.feature"
    hanging = f'  Scenario: hangs\n    Then the command "cat {fifo}" exits 0\n'
    feature.write_text(feature.read_text() + hanging)
    process = shop.begin()
    until(lambda: "hangs" in shop.run("status")[1], "it is not known yet")
    begun = monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(100)
    assert monotonic() - begun < 60


def test_another_environment_has_a_state_of_its_own(shop: World):
    stack = shop.folder / "stack.yaml"
    stack.write_text(stack.read_text() + "environments: {dev: {}, prod: {}}\n")
    status, _, err = shop.run("run", "--once")
    assert (status, "--env" in err) == (3, True)
    assert shop.run("run", "--once", "--env", "dev")[0] == 0
    status, _, err = shop.run("run", "--once", "--env", "prod")
    assert (status, "is of shop/dev, and this is shop/prod" in err) == (3, True)
    assert shop.run("run", "--once", "--env", "prod", "--state", str(shop.folder / "other"))[0] == 0


def test_words_that_are_none_and_those_of_later(shop: World):
    assert "not in this version" in shop.run("backtest")[2]
    status, _, err = shop.run("statsu")
    assert (status, "did you mean 'status'?" in err) == (3, True)
    status, _, err = shop.run("status")
    assert (status, "no monitor has kept anything" in err) == (3, True)
