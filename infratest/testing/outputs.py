"""What every output must do with any report: text that ends in a line break, bounded, masked, and safe to show.

`REPORTS` are the reports that the suite asks about; an output of your own may be looked at with them, too. An output
that sends passes a second suite, `SendsContract`, with a receiver of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any, Protocol

import pytest

from infratest.cleaning import keep_secret
from infratest.deadline import Deadline
from infratest.errors import SendError
from infratest.model import Cost, Evidence, Observation, Report, Result, StepResult
from infratest.options import fields
from infratest.outputs.base import Output, Sends
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WARNING
from infratest.store.events import Event
from infratest.testing.waiting import wait_until

STARTED = "2026-01-31T12:00:00Z"
#: Moves a cursor, forges a line, ends markup: what a host may answer.
HOSTILE = (
    "\x1b[2J\x07pwned\r\nOK - fine | a=1;2;3 <script>alert(1)</script> ]]> ::error::x %0A \u202e\u2028 \ufeff\ud83d"
)
#: Seconds that nothing a healthy receiver does may take, on a busy machine.
LONG = 20.0
SECRET = "open-sesame-48213"  # noqa: S105 - made up, to be looked for


def result(state: str, host: str = "web-1", reason: str = "", text: str = "port 80 is listening") -> Result:
    """Return a scenario that ended so, with one sentence, a number and evidence."""
    evidence = [Evidence("socket", "ss -Hltn", 0, reason or "LISTEN 0 128 0.0.0.0:80", 0.004)]
    observation = Observation("disk / used", 71.0, "%", "80", "90", 0, 100)
    step = StepResult(text, 7, state, reason, [observation], evidence)
    return Result(
        f"features/web.feature#{state}@{host}", "features/web.feature", f"it is {state}", 5, host, state, reason,
        groups=("web",), tags=("web", "runbook:https://wiki.example/nginx"), steps=[step], duration=0.02,
    )  # fmt: skip


def report(*results: Result, **fields: Any) -> Report:
    """Return a report of these results."""
    return Report("shop", "prod", STARTED, 0.041, results, True, Cost(1, 1, 1), **fields)


def blocked(by: str) -> Result:
    """Return a scenario that another result blocks."""
    unknown: Result = result(UNKNOWN, "web-2", "blocked").changed(blocked_by=by)
    return unknown


REPORTS = {
    "nothing": report(),
    "problem": report(problem="features/web.feature:7: no such sentence"),
    "ok": report(result(OK), result(OK, "web-2")),
    "every-state": report(
        result(OK), result(WARNING, reason="81 % full"), result(CRITICAL, reason="nothing listens on port 80"),
        result(UNKNOWN, reason="permission denied"), result(SKIPPED, reason="work in progress"),
        blocked("reachable@web-2"),
    ),
    "alike": report(*(result(CRITICAL, f"web-{number}", "nothing listens") for number in range(40))),
    "healed": report(result(OK), notes=("healed: restart-service nginx, was CRITICAL",)),
    "hostile": report(result(CRITICAL, HOSTILE, HOSTILE, HOSTILE), problem=HOSTILE, notes=(HOSTILE,)),
    "long": report(*(result(CRITICAL, f"web-{number}", "x" * 50_000) for number in range(3))),
    "secret": report(
        result(CRITICAL, reason=f"the password is {SECRET}", text=f"log in with {SECRET}"), notes=(SECRET,)
    ),
}  # fmt: skip


class OutputContract:
    """The suite. A fixture `output` is asked for: an Output, made with its options."""

    def test_its_options_have_words_and_none_must_be_given(self, output: Output) -> None:
        for key, field in fields(output.Options).items():
            assert field.description, key
            assert not field.required, key
        assert type(output)().options == output.Options()

    @pytest.mark.parametrize("name", REPORTS)
    def test_it_is_text_that_ends_in_one_line_break(self, output: Output, name: str) -> None:
        text = output.render(REPORTS[name])
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert text.encode("utf-8")

    @pytest.mark.parametrize("name", REPORTS)
    def test_the_same_report_is_the_same_text_and_stays_as_it_is(self, output: Output, name: str) -> None:
        before = REPORTS[name].as_dict("x")
        assert output.render(REPORTS[name]) == output.render(REPORTS[name])
        assert REPORTS[name].as_dict("x") == before

    def test_nothing_moves_a_cursor_or_forges_a_line(self, output: Output) -> None:
        text = output.render(REPORTS["hostile"])
        assert [each for each in text if each < " " and each != "\n"] == []  # C0 controls of ECMA-48
        assert not any(line.startswith("::error::x") for line in text.splitlines())

    def test_a_secret_is_masked(self, output: Output) -> None:
        keep_secret(SECRET)
        assert SECRET not in output.render(REPORTS["secret"])

    def test_what_is_said_of_each_result_as_it_comes_ends_in_a_line_break(self, output: Output) -> None:
        for each in REPORTS["every-state"].results:
            text = output.on_result(each)
            assert text == "" or text.endswith("\n")


#: Events as a check, a metric and a heal make them; the last one's label is as a host may have it.
EVENTS = (
    Event(1767225600.0, "shop.prod.web-1.web.nginx_answers.state", "ok", labels={"host": "web-1", "kind": "result"}),
    Event(1767225600.0, "shop.prod.web-1.disk", 71.25, "%", labels={"host": "web-1", "kind": "metric"}),
    Event(1767225660.5, "shop.prod.web-1.heal", "tried", labels={"kind": "heal", "reason": "a;b\nc|d"}),
)


class Receiver(Protocol):
    """What events are sent to in a test: as its users run it, or a listener on port 0 that reads the same format."""

    def received(self) -> Sequence[tuple[float, str, float | str]]:
        """Return time, key and value of each event that has come so far, in order."""

    def stop(self) -> None:
        """Go away: nobody answers at its address any more."""


class SendsContract:
    """The suite of outputs that send. Fixtures are asked for: `output`, made with options that lead to `receiver`."""

    def test_events_arrive_in_order_as_they_are(self, output: Sends, receiver: Receiver) -> None:
        output.send(EVENTS, Deadline(LONG))
        assert wait_until(lambda: len(receiver.received()) == len(EVENTS), LONG)
        assert list(receiver.received()) == [(event.time, event.key, event.value) for event in EVENTS]

    def test_it_can_be_asked_again(self, output: Sends, receiver: Receiver) -> None:
        output.send(EVENTS[:1], Deadline(LONG))
        output.send(EVENTS[1:], Deadline(LONG))
        assert wait_until(lambda: len(receiver.received()) == len(EVENTS), LONG)

    def test_without_events_nothing_is_sent(self, output: Sends, receiver: Receiver) -> None:
        output.send((), Deadline(LONG))
        output.send(EVENTS[:1], Deadline(LONG))
        assert wait_until(lambda: len(receiver.received()) == 1, LONG)

    def test_a_receiver_that_is_not_there_is_an_error_in_time(self, output: Sends, receiver: Receiver) -> None:
        receiver.stop()
        begun = monotonic()
        with pytest.raises(SendError):
            output.send(EVENTS, Deadline(1.0))
        assert monotonic() - begun < LONG

    def test_a_deadline_that_has_passed_is_an_error(self, output: Sends, receiver: Receiver) -> None:
        with pytest.raises(SendError):
            output.send(EVENTS, Deadline(0.0))
        assert receiver.received() == []
