"""The canary: one real message for each date, to a real SMTP server, from a monitor whose clock is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from infratest.alerting.subject import CANARY
from infratest.monitor.monitor import Monitor
from infratest.monitor.start import started
from infratest.project.prepare import Request
from infratest.project.session import Session
from tests.monitor.test_monitor import HandClock, Shelf
from tests.worlds import small_project
from tests.worlds.monitor_world import until
from tests.worlds.notice_servers import Post, smtp_server

STACK = """\
stack: shop
provider: local
hosts: {{here: {{}}}}
monitor:
  receivers: {{people: {{mail: {{to: [web@example.org, new@example.org], from: infratest@mon-1, server: "{server}"}}}}}}
  tell: []
  alive: {{canary: {{receiver: people, at: "0 18 * * *", zone: Europe/Berlin}}}}
"""
FEATURE = 'Feature: f\n  Scenario: root\n    Then the directory "/" exists\n'
#: The hand clock begins at 17:00 in Berlin.
HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def post() -> Iterator[Post]:
    with smtp_server() as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, post: Post) -> Path:
    return small_project.write(
        tmp_path, {"stack.yaml": STACK.format(server=post.server), "features/x.feature": FEATURE}
    )


class Life:
    """A monitor at work, from its begin to its end."""

    def __init__(self, monitor: Monitor, clock: HandClock) -> None:
        self.monitor, self.clock = monitor, clock

    def after(self, seconds: float) -> None:
        """Have time pass, and what is due then seen, written and sent."""
        self.clock.now += seconds
        for _ in range(3):
            self.monitor.turn(0)
            while self.monitor.busy:
                self.monitor.turn(20)

    def canary(self, state: str) -> str:
        """Wait until the canary is in a state; return why."""

        def seen() -> bool:
            self.monitor.turn(0.05)
            return self.monitor.book.statuses[CANARY].seen == state

        until(seen, f"the canary is {state}")
        return self.monitor.book.statuses[CANARY].reason


@contextmanager
def life(project: Path, clock: HandClock) -> Iterator[Life]:
    session = Session(stack_path=project / "stack.yaml", env=None)
    with started(session, Request(face="check"), clock, "one") as monitor:
        yield Life(monitor, clock)


def test_it_comes_once_for_each_date_and_over_restarts(project: Path, post: Post):
    clock, letters = HandClock(), post.box.letters
    with life(project, clock) as one:
        one.after(0)
        one.after(HOUR - 1)
        assert letters == [], "its hour has not come"
        one.after(2)
        assert one.canary("ok") == ""
        one.after(HOUR)
        (letter,) = letters
        text = " ".join(message_from_bytes(letter.content, policy=policy.default).get_content().split())
        assert "this message comes at 0 18 * * * (Europe/Berlin) as long as the monitor of shop works" in text
    with life(project, clock) as one:
        one.after(1)
        one.after(DAY - 2 * HOUR)
        assert len(letters) == 1, "it is known that it went"
        one.after(HOUR)
        until(lambda: len(letters) == 2, "the second day's")
        one.after(60)
        assert len(letters) == 2


def test_who_does_not_take_it_is_a_problem_and_is_sent_it_again(project: Path, post: Post):
    with life(project, HandClock()) as one:
        one.after(0)
        post.box.verdict = "550 nobody here"
        one.after(HOUR + 1)
        assert one.canary("critical").startswith("people did not take the canary: ")
        assert one.monitor.book.statuses[CANARY].state == "critical", "hard at once"
        assert "nobody here" in one.monitor.book.statuses[CANARY].reason
        post.box.verdict = "250 OK"
        one.after(500)
        assert post.box.letters == []
        one.after(200)
        one.canary("ok")
        assert len(post.box.letters) == 1


@pytest.mark.parametrize("answer", ["550 no such user", "451 greylisted"])
def test_who_takes_it_but_not_for_all_is_a_warning_and_has_it_once(project: Path, post: Post, answer: str):
    post.box.refusals["new@example.org"] = answer
    with life(project, HandClock()) as one:
        one.after(0)
        one.after(HOUR + 1)
        reason = one.canary("warning")
        assert reason.startswith("the canary did not reach all: mail web@example.org and 1 more by ")
        assert reason.endswith(f"all but new@example.org: {answer}")
        one.after(700)
        one.after(700)
        assert [letter.recipients for letter in post.box.letters] == [("web@example.org",)]
        post.box.refusals.clear()
        one.after(DAY - 1400)
        one.canary("ok")


def test_one_that_does_not_work_sends_none(project: Path, post: Post):
    with life(project, HandClock()) as one:
        one.after(0)
        one.monitor.writing.store = Shelf()
        one.monitor.writing.store.full = True
        one.after(HOUR + 1)
        assert one.monitor.unwritten
        assert post.box.letters == [], "silence is the alarm"
