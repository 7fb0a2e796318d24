"""What the steps of cucumber-nagios are made of: how one is declared, what a scenario has said so far, how it asks.

Called by the files that hold the steps (`pack`, `browsing`). STEPS are those there are, LATER those that nothing here
asks yet, which are unknown when they are reached: to make one of them a step, a function with `@step` and its row is
all there is to do. `row` is its name on the page of what other tools ask (docs/peers/cucumber-nagios.toml).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import infratest
from infratest.errors import InfratestError, UserError
from infratest.importers._ruby_pattern import as_re2
from infratest.regular_expression import compiled

Function = Callable[..., None]
#: What of a pattern may match across the ends of lines, where a dot does, too.
_ACROSS = re.compile(r"\\[AzZnrsSWD]|\[\^|(?<!\\)\.")


def _fits(*values: str) -> str:
    """Take all values of a step."""
    return ""


class Step(NamedTuple):
    """A step: what it looks like, its function, its row; `why` of one that is not there yet.

    `unfit`: returns why nothing here asks it with these values, empty where something does.
    """

    pattern: str
    function: Function
    row: str
    why: str = ""
    unfit: Callable[..., str] = _fits


@dataclass
class About:
    """What a scenario's steps have said so far: page, login, name, host, command, broker, queue, and when it began.

    `fetched`: whether the page is one whose headers were fetched, beside the session.
    """

    url: str = ""
    fetched: bool = False
    login: str = ""
    name: str = ""
    host: str = ""
    pinged: str = ""
    command: str = ""
    broker: str = ""
    queue: str = ""
    began: float | None = None


STEPS: list[Step] = []
LATER: list[Step] = []


def step(pattern: str, row: str, unfit: Callable[..., str] = _fits) -> Callable[[Function], Function]:
    """Declare a step that only looks. `unfit`: as of Step."""

    def declare(function: Function) -> Function:
        STEPS.append(Step(pattern, infratest.checks(function), row, unfit=unfit))
        return function

    return declare


def later(pattern: str, row: str, why: str) -> None:
    """Name a step that nothing asks yet: it is unknown when it is reached."""

    def function(context: Any, *values: str) -> None:
        raise InfratestError(why)

    LATER.append(Step(pattern, infratest.checks(function), row, why))


def about(context: Any) -> About:
    """Return what the scenario has said so far."""
    if "cucumber_nagios" not in context:
        context.cucumber_nagios = About()
    kept: About = context.cucumber_nagios
    return kept


def ask(context: Any, sentence: str) -> None:
    """Have a sentence of ours hold."""
    context.execute_steps(f"Then {sentence}")


def needed(value: str, words: str) -> str:
    """Return what an earlier step has said. Raises InfratestError where none has."""
    if not value:
        raise InfratestError(f"no step before this one says {words}")
    return value


def plain(text: str) -> str | None:
    r"""Return the text that a pattern of Ruby's means, where it means one: `\.` is a dot; None for a real pattern."""
    if re.search(r"\\[A-Za-z0-9]|(?<!\\)[*+?()|\[\]{}^$]", text):
        return None
    return re.sub(r"\\(.)", r"\1", text)


def ruby_pattern(text: str) -> str:
    """Return a pattern of Ruby's as RE2 reads it. Raises UserError: it has what RE2 has not."""
    read = as_re2(text)
    compiled(read)
    return read


def unread(*values: str) -> str:
    """Return why the last value is no pattern here; empty where it is one, or a text."""
    if plain(values[-1]) is None:
        try:
            ruby_pattern(values[-1])
        except UserError as error:
            return str(error)
    return ""


def unread_or_across(*values: str) -> str:
    """Return why no line can be denied for the last value: it is no pattern, or may match several lines together."""
    why = unread(*values)
    if not why and plain(values[-1]) is None and _ACROSS.search(values[-1]):
        why = "its pattern may match across lines, and one line is looked at here: that none does would not be the same"
    return why
