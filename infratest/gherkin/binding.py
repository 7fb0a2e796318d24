"""A matched sentence with its values put in: the check, act or selection it stands for, its threshold and its tail.

Pure; called by the planner once for each host a sentence is asked of, and by lint for sentences without values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infratest.check import Check, Measure
from infratest.errors import UserError
from infratest.gherkin.phrases import Match, unescaped
from infratest.gherkin.suite import (
    ALL,
    AT_LEAST,
    CHECK,
    CONTROLLER_VIEW,
    DEFAULT_VIEW,
    EXACTLY_ONE,
    GROUP_VIEW,
    HOST_VIEW,
    NAMED_VIEW,
    NONE,
    Tail,
)
from infratest.thresholds import Threshold, threshold
from infratest.units import duration

#: Puts values into a text; the flag asks for shell quoting.
Fill = Callable[[str, bool], str]

#: What a number's name may not hold: perfdata and the keys of events are made of it.
NOT_IN_NAMES = re.compile(r"['\"=;|\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Binding:
    """What a sentence stands for once its values are in; `measure` is the number that it looks at, with its label."""

    built: Any
    threshold: Threshold | None
    tail: Tail
    measure: Measure | None = None


def bind(match: Match, fill: Fill, lasting: Fill | None = None) -> Binding:
    """Put the values into a sentence and build what it stands for.

    Args:
        lasting: as `fill`, with names of hosts where their addresses would stand: for the number's label, by which
        graphs go. Without it, the label is made of what `fill` puts in.
    Raises:
        UserError: an unknown value, a number that is none, a bound that cannot be.
    """
    arguments = _arguments(match, fill)
    built, end = match.sentence.build(**arguments), tail(match, fill)
    measure: Measure | None = built.measure() if match.sentence.kind == CHECK and isinstance(built, Check) else None
    if measure is not None and end.named:
        measure = measure.changed(label=end.named)
    elif measure is not None and lasting is not None:
        named = _arguments(match, lasting)
        measure = measure if named == arguments else match.sentence.build(**named).measure()
    if end.named and measure is None:
        raise UserError(f"{match.text!r}: no number is looked at here that could be named")
    return Binding(built, _threshold(match, fill), end, measure)


def quantified(match: Match) -> str:
    """Return on how many hosts a sentence must hold, before any value is put in."""
    meanings = {"on_exactly": EXACTLY_ONE, "on_least": AT_LEAST, "on_none": NONE}
    return next((meaning for name, meaning in meanings.items() if name in match.groups), ALL)


def tail(match: Match, fill: Fill) -> Tail:
    """Return what follows the claim."""
    groups = match.groups

    def quoted(name: str) -> str:
        return fill(unescaped(groups[name][1:-1]), False) if name in groups else ""

    def seconds(name: str) -> float | None:
        return duration(fill(groups[name], False), name) if name in groups else None

    quantifier = quantified(match)
    view = DEFAULT_VIEW
    for name, meaning in (
        ("from_host", HOST_VIEW),
        ("from_controller", CONTROLLER_VIEW),
        ("from_named", NAMED_VIEW),
        ("from_group", GROUP_VIEW),
    ):
        view = meaning if name in groups else view
    return Tail(
        quantifier=quantifier,
        least=int(groups.get("on_least", 0)),
        on=quoted("on_host"),
        view=view,
        viewpoint=quoted("from_named") or quoted("from_group"),
        within=seconds("within"),
        during=seconds("during"),
        named=_name(quoted("named") or quoted("named_first"), match),
    )


def _name(text: str, match: Match) -> str:
    """Return the name that a sentence gives its number. Raises UserError."""
    given = [name for name in ("named", "named_first") if name in match.groups]
    if len(given) > 1:
        raise UserError(f"{match.text!r}: the number is named twice; leave one name out")
    if given and (not text.strip() or NOT_IN_NAMES.search(text)):
        raise UserError(f"{match.text!r}: {text!r} cannot name a number: write letters, digits, blanks, - and _")
    return text


def _arguments(match: Match, fill: Fill) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    pattern = match.sentence.pattern
    for name in re.findall(r'"\{(\w+)\}"', pattern):
        if name in match.groups:
            arguments[name] = fill(unescaped(match.groups[name]), name in match.sentence.shell)
    for name, kind in re.findall(r"\{(\w+):(word|number)\}", pattern):
        if name in match.groups:
            text = fill(match.groups[name], False)
            arguments[name] = _whole(text, match) if kind == "number" else text
    return arguments


def _whole(text: str, match: Match) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{match.text!r}: {text!r} is not a whole number") from None


def _threshold(match: Match, fill: Fill) -> Threshold | None:
    groups, dimension = match.groups, match.sentence.dimension
    if dimension is None:
        return None
    names: tuple[str, ...]
    if "bound_words" in groups:
        words, names = groups["bound_words"], ("bound_number",)
    elif "bound_low" in groups:
        words, names = "between", ("bound_low", "bound_high")
    else:
        if "warning_low" in groups:
            raise UserError(f"{match.text!r}: a warning value needs a bound before it, as 'in less than 500 ms'")
        return None
    numbers = tuple(fill(groups[name], False) for name in names)
    warning = tuple(fill(groups[name], False) for name in ("warning_low", "warning_high") if name in groups)
    try:
        return threshold(words, numbers, dimension, warning)
    except UserError as error:
        raise UserError(f"{match.text!r}: {error}") from None
