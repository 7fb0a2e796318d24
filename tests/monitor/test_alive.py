"""The dead-man's switch: asked while the monitor works, and not by one that merely lives."""

from __future__ import annotations

import signal
from pathlib import Path
from queue import SimpleQueue
from time import sleep

import pytest

from infratest.alerting.subject import PEER
from infratest.monitor.alive import Pinged, Switch
from infratest.stack.monitor import Alive
from tests.worlds.monitor_world import World, until, world
from tests.worlds.notice_servers import HANG, Reply, endpoint
from tests.worlds.tls_servers import free_port


def test_it_is_asked_as_often_as_is_said():
    came: SimpleQueue[Pinged] = SimpleQueue()
    with endpoint() as there:
        switch, alive = Switch(came.put), Alive(ping=f"{there.url}/a/7f?b=1", every=60.0)
        for now in (0.0, 1.0, 59.0, 60.0, 61.0):
            switch.worked(alive, now)
        assert [came.get(timeout=60) for _ in range(2)] == [Pinged(), Pinged()]
        switch.worked(None, 999.0)  # a reload took the key away
        sleep(0.3)
        assert [(each.method, each.path, each.body) for each in there.requests] == [("GET", "/a/7f?b=1", b"")] * 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=404), "it answers 404"),
        (Reply(status=302), "it answers 302"),
        (Reply(raw=b"hello\r\n\r\n"), "no HTTP"),
    ],
)
def test_what_does_not_take_it_is_named_without_what_may_be_secret(reply, words):
    came: SimpleQueue[Pinged] = SimpleQueue()
    with endpoint() as there:
        there.reply = reply
        Switch(came.put).worked(Alive(ping=f"{there.url}/hush"), 0.0)
        error = came.get(timeout=60).error
    assert words in error
    assert error.startswith(f"http://127.0.0.1:{there.port}: ")
    assert "hush" not in error


def test_one_that_hangs_does_not_silence_the_next():
    came: SimpleQueue[Pinged] = SimpleQueue()
    with endpoint() as there:
        there.replies = [Reply(how=HANG)]
        switch, alive = Switch(came.put), Alive(ping=there.url, every=1.0)
        switch.worked(alive, 0.0)
        until(lambda: there.requests, "the one that hangs")
        switch.worked(alive, 2.0)
        assert came.get(timeout=60) == Pinged()


def test_nobody_there_is_named():
    came: SimpleQueue[Pinged] = SimpleQueue()
    port = free_port()
    Switch(came.put).worked(Alive(ping=f"http://127.0.0.1:{port}/"), 0.0)
    assert came.get(timeout=60).error.startswith(f"127.0.0.1:{port}: Connection refused")


def with_switch(made: World, url: str) -> None:
    stack = (made.folder / "stack.yaml").read_text()
    (made.folder / "stack.yaml").write_text(
        stack.replace("monitor:\n", f'monitor:\n  alive: {{ping: "{url}", every: 1s}}\n')
    )


@pytest.mark.timeout(600)
def test_a_monitor_asks_it_and_says_where_nobody_takes_it(tmp_path: Path):
    with endpoint() as there, world(tmp_path) as made:
        with_switch(made, there.url)
        process = made.begin()
        until(lambda: len(there.requests) > 1, "it is asked")
        there.reply = Reply(status=503)
        until(
            lambda: made.notices() == [("problem", "critical", "monitor#alive@-")],
            "nobody takes it, and somebody knows",
        )
        there.reply = Reply()
        until(lambda: len(made.notices()) > 1, "it is taken again")
        assert made.notices()[1] == ("recovery", "ok", "monitor#alive@-")
        # A process that lives and does not work says nothing.
        process.send_signal(signal.SIGSTOP)
        sleep(2)
        count = len(there.requests)
        sleep(3)
        assert len(there.requests) == count
        process.send_signal(signal.SIGCONT)
        until(lambda: len(there.requests) > count, "it works again")


def test_another_monitor_is_asked_how_it_is_and_one_miss_is_none():
    came: SimpleQueue[Pinged] = SimpleQueue()
    with endpoint() as there:
        switch, alive = Switch(came.put), Alive(peer=f"{there.url}/", every=1.0)
        switch.worked(alive, 0.0)
        assert came.get(timeout=60) == Pinged("", PEER)
        there.reply = Reply(status=503)
        for now in (1.0, 2.0, 3.0):
            switch.worked(alive, now)
            switch.wait(60)
        assert came.get(timeout=60) == Pinged(f"{there.url}: it answers 503", PEER)
        assert came.empty()
        assert {each.path for each in there.requests} == {"/health"}
        there.reply = Reply()
        switch.worked(alive, 4.0)
        assert came.get(timeout=60) == Pinged("", PEER)


@pytest.mark.timeout(600)
def test_a_monitor_tells_of_another_one_that_does_not_work(tmp_path: Path):
    with endpoint() as there, world(tmp_path) as made:
        stack = (made.folder / "stack.yaml").read_text()
        text = stack.replace("monitor:\n", f'monitor:\n  alive: {{peer: "{there.url}", every: 1s}}\n')
        (made.folder / "stack.yaml").write_text(text)
        there.reply = Reply(status=503)
        made.begin()
        until(lambda: made.notices() == [("problem", "critical", PEER)], "the other one does not work")
        there.reply = Reply()
        until(lambda: len(made.notices()) > 1, "it works again")
        assert made.notices()[1] == ("recovery", "ok", PEER)
