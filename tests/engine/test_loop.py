"""The engine's loop on this machine: every cycle sees what is so, and what a cycle does is counted, in calls."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.collect.asked import InTurn
from infratest.collect.here import Here
from infratest.deadline import Deadline
from infratest.engine.checking import Checking
from infratest.engine.results import with_needs
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session


class Once:
    """A collector that asks this machine once and answers the same from then on: what else a cycle does is counted."""

    def __init__(self, host):
        self.here, self.facts = Here(host), None

    def collect(self, needs, deadline):
        if self.facts is None:
            self.facts = self.here.collect(needs, deadline)
        return self.facts

    def trips(self, places):
        return InTurn(self.collect)


class Loop:
    """A plan on this machine, made once, and its cycles."""

    def __init__(self, sentences, collector=Here):
        with open("loop.feature", "w", encoding="utf-8") as file:
            file.write("Feature: loop\n")
            file.writelines(f"  Scenario: n {n}\n    Then {each}\n" for n, each in enumerate(sentences))
        request = Request(features=("loop.feature",), face="check")
        self.plan = prepare(Session(host=("local",)), request).plan
        (host,) = self.plan.hosts
        self.checking = Checking(self.plan.hosts, collector(host), Deadline(60))

    def cycle(self):
        """Return the results of one cycle."""
        return with_needs(self.checking.check(self.plan.tasks), self.plan.tasks)

    def calls(self):
        """Return how many calls of functions one cycle takes."""
        counted = 0
        gc.collect()  # what other tests left must not be finalized while calls are counted

        def count(frame, event, argument):
            nonlocal counted
            counted += event in ("call", "c_call")

        gc.disable()
        sys.setprofile(count)
        try:
            self.cycle()
        finally:
            sys.setprofile(None)
            gc.enable()
        return counted


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sentences(number):
    made = (
        lambda n: f'the file "/etc/passwd{n}" does not exist',
        lambda n: f'the file "/etc/passwd" contains "root:x:0:{n % 1}"',
        lambda n: f'the user "nobody-{n}" does not exist',
        lambda n: f'the process "no-such-{n}" is not running',
        lambda n: f'port {n + 1}/udp is not listening at "192.0.2.1"',
        lambda n: 'the mount "/" exists',
        lambda n: 'the package "dpkg" is installed',
        lambda n: "the load is less than 100000",
    )
    return [made[n % len(made)](n) for n in range(number)]


#: In a process of its own: what other tests have loaded into this one is called too.
COUNTED = """
from tests.engine.test_loop import Loop, Once, sentences
for number in (40, 80):
    loop = Loop(sentences(number), Once)
    assert [result.reason for result in loop.cycle() if result.state != "ok"] == []
    calls = loop.calls()
    assert loop.calls() == calls
    print(calls)
"""


def test_a_check_more_is_few_calls_more(folder):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    # Without this machine's network: every socket that listens on it costs a question about a port some calls.
    alone = ["unshare", "--net", sys.executable, "-c", COUNTED]
    counted = subprocess.check_output(alone, text=True, env=environment, timeout=120)
    fewer, more = map(int, counted.split())
    assert 0 < more - fewer <= 40 * 64, counted


def test_each_cycle_sees_what_is_so(folder):
    watched = folder / "watched"
    watched.write_text("begun\n")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        loop = Loop([
            f'the file "{watched}" contains "begun"',
            f'port {port} is listening at "127.0.0.1"',
            'the process "infratest-loop-1" is running',
            f'the file "{watched}" has mode "0600"',
        ])  # fmt: skip
        # It tells by a line that it runs: a child's `exec` is told before it has its new name and command line.
        program = folder / "infratest-loop-1"
        program.symlink_to("/bin/sh")

        def states():
            return [result.state for result in loop.cycle()]

        watched.chmod(0o644)
        assert states() == ["ok", "critical", "critical", "critical"]
        listener.listen()
        started = subprocess.Popen([program, "-c", "echo; read line"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            assert started.stdout.readline() == b"\n"
            watched.chmod(0o600)
            watched.write_text("ended\n")
            assert states() == ["critical", "ok", "ok", "ok"]
        finally:
            started.communicate()
        watched.write_text("begun\n")
        assert states() == ["ok", "ok", "critical", "ok"]
    assert states() == ["ok", "critical", "critical", "ok"]


class Noting(Here):
    """A collector that notes whether cycles of objects are looked for while it collects."""

    def __init__(self, host):
        super().__init__(host)
        self.noted = []

    def collect(self, needs, deadline):
        self.noted.append(gc.isenabled())
        return super().collect(needs, deadline)


@pytest.mark.parametrize("before", [True, False])
def test_no_cycles_of_objects_are_looked_for_in_a_round(folder, before):
    loop = Loop(['the file "/etc/passwd" exists', 'the file "/nosuch" does not exist'], Noting)
    enabled = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        assert [outcome.state for outcome in loop.cycle()] == ["ok", "ok"]
        after = gc.isenabled()
    finally:
        (gc.enable if enabled else gc.disable)()
    assert loop.checking.collector.noted == [False]
    assert after is before
