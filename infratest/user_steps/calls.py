"""How a step function of a user's own is called: once, or again and again for `within` and `for`; and what is refused.

behave takes whatever a function returns for success. A generator has then not even begun, and False was meant as a no.
"""

from __future__ import annotations

import copy
import inspect
import re
import time
from collections.abc import Callable
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import FeatureError, InfratestError
from infratest.gherkin.patterns import MEASURED
from infratest.gherkin.sentence import CHECK
from infratest.plan.tasks import OtherStep
from infratest.units import duration, human
from infratest.user_steps.load import UsersSteps
from infratest.values import numbered, values_in

TAIL = re.compile(rf"(?P<text>.+?)(?: within (?P<within>{MEASURED})| for (?P<during>{MEASURED}))")
PAUSE = 0.2  # seconds between two calls of a step that is asked again


def kind(users: UsersSteps, step_type: str, text: str) -> str:
    """Return what a text is by these steps: CHECK, ACT or empty; one that is asked again may end in `within` or `for`.

    A step may want a number where the text still holds a value, such as {param.visitors}: any number stands for it.

    Raises:
        FeatureError: two steps match it, or it changes something and is to be repeated.
    """
    return _kind(users, step_type, text) or (_kind(users, step_type, numbered(text)) if values_in(text) else "")


def _kind(users: UsersSteps, step_type: str, text: str) -> str:
    found = users.kind(step_type, text)
    if not found and (tail := TAIL.fullmatch(text)):
        plain = tail["text"]
        found = users.kind(step_type, plain)
        if found and found != CHECK:
            raise FeatureError(
                f"'{text}': `within` and `for` ask again, and your step '{plain}' may change something: declare it "
                "with @infratest.checks if it only looks"
            )
    return found


def called(users: UsersSteps, step: Any, deadline: Deadline) -> Any:
    """Return behave's match of a step, its function called as its text says; None where no function matches.

    Args:
        deadline: of the run.
    """
    match = users.match(step.step_type, step.name)
    tail = None if match else TAIL.fullmatch(step.name)
    if tail:
        match = users.match(step.step_type, tail["text"])
    if match is None or not callable(match.func):
        return match
    made, function = copy.copy(match), _answering(match.func)
    made.func = function
    if tail and tail["within"]:
        made.func = _until_it_holds(function, duration(tail["within"]), deadline)
    elif tail:
        made.func = _throughout(function, duration(tail["during"]), deadline)
    return made


def put_in(step: Any, planned: OtherStep) -> None:
    """Give behave's step its text and what stands below it as they were planned: with their values."""
    from behave.model import Table, Text

    step.name = planned.text
    if step.table is not None:
        cells, width = planned.below, len(step.table.headings)
        headings, *rows = (list(cells[at : at + width]) for at in range(0, len(cells), width))
        step.table = Table(headings, rows, step.table.line)
    elif step.text is not None:
        step.text = Text(planned.below[0], step.text.content_type, step.text.line)


def _answering(function: Callable[..., Any]) -> Callable[..., None]:
    """Return the function, with what it returns looked at."""

    def call(*arguments: Any, **named: Any) -> None:
        value = function(*arguments, **named)
        if value is False:
            raise InfratestError(
                "it returned False, which behave takes for success: let a step fail by `assert`, or return nothing"
            )
        if inspect.isgenerator(value) or inspect.isasyncgen(value) or inspect.isawaitable(value):
            if inspect.iscoroutine(value):
                value.close()
            raise InfratestError(
                f"it returned a {type(value).__name__} that nobody runs: do its work in the step itself"
            )

    call.__name__ = getattr(function, "__name__", "step")
    return call


def _until_it_holds(function: Callable[..., None], seconds: float, deadline: Deadline) -> Callable[..., None]:
    """Return what calls a function again until it raises no AssertionError, for so many seconds."""

    def call(*arguments: Any, **named: Any) -> None:
        end, started = Deadline(seconds), time.monotonic()
        while True:
            last = end.passed
            try:
                function(*arguments, **named)
                return
            except AssertionError as error:
                if last:
                    took = human(time.monotonic() - started, "s")
                    raise AssertionError(f"{error} (asked for {took}, within {human(seconds, 's')})") from error
                _refuse_late(deadline)
            time.sleep(min(PAUSE, max(0.01, end.left), deadline.left))

    return call


def _throughout(function: Callable[..., None], seconds: float, deadline: Deadline) -> Callable[..., None]:
    """Return what calls a function again and again for so many seconds; the first AssertionError ends it."""

    def call(*arguments: Any, **named: Any) -> None:
        end = Deadline(seconds)
        while True:
            last = end.passed
            function(*arguments, **named)
            if last:
                return
            _refuse_late(deadline)
            time.sleep(min(PAUSE, max(0.01, end.left), deadline.left))

    return call


def _refuse_late(deadline: Deadline) -> None:
    if deadline.passed:
        raise InfratestError(
            f"our own deadline of {human(deadline.seconds, 's')} passed before it could be known; "
            "give it more with --timeout"
        )
