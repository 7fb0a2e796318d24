"""A matched sentence with its values put in: the check, act or selection it stands for, its threshold and its tail.

Pure; called by the planner once for each host a sentence is asked of, and by lint for sentences without values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infratest.check import Check, Measure
from infratest.cleaning import without_declared
from infratest.errors import SecretInFeature, UserError
from infratest.gherkin.nearest import denies
from infratest.gherkin.patterns import Fill, Match
from infratest.gherkin.sentence import AGGREGATES, APART, AT_LEAST, AT_MOST, CHECK, TOTAL, Tail
from infratest.quoting import unescaped
from infratest.thresholds import Threshold

#: What stands for a parameter in a text as written.
PARAMETER = re.compile(r"(\{param\.[\w.-]+\})")


@dataclass(frozen=True)
class Binding:
    """What a sentence stands for once its values are in; `measure` is the number that it looks at, with its label."""

    built: Any
    threshold: Threshold | None
    tail: Tail
    measure: Measure | None = None


def bind(match: Match, fill: Fill, lasting: Fill | None = None, *, handed: bool = False) -> Binding:
    """Put the values into a sentence and build what it stands for.

    Args:
        lasting: as `fill`, with names of hosts where their addresses would stand: for the number's label, by which
        graphs go. Without it, the label is made of what `fill` puts in. handed: a step of the user's own has put values
        into the text already, so a secret in it may be the stack file's.
    Raises:
        UserError: an unknown value, a number that is none, a bound that cannot be.
    """
    fit = ("on_all", "on_group") if match.sentence.compares == APART else ()
    others = [name for name in match.groups if name.startswith(("on_", "over")) and name not in fit]
    if match.sentence.compares and others:
        raise UserError(f"'{match.text}': it is said of all hosts that Given chooses; leave out the `on` at its end")
    arguments = match.arguments(fill)
    built = match.sentence.build(**arguments) if handed else _built(match, arguments, fill)
    tail = match.tail(fill)
    measure: Measure | None = built.measure() if match.sentence.kind == CHECK and isinstance(built, Check) else None
    if measure is not None and tail.named:
        measure = measure.changed(label=tail.named)
    elif measure is not None and lasting is not None:
        named = match.arguments(lasting)
        measure = measure if named == arguments else match.sentence.build(**named).measure()
    if tail.named and measure is None:
        raise UserError(f"'{match.text}': no number is looked at here that could be named")
    binding = Binding(built, match.threshold(fill), tail, measure)
    _refuse_empty(match, binding)
    return binding


def _built(match: Match, arguments: Mapping[str, str | int], fill: Fill) -> Any:
    """Return what a sentence stands for.

    Whoever takes a password knows by its value that it comes from the stack file. One that stands in the feature and
    is equal has that value, too, so the sentence is tried with another in its place.

    Raises:
        SecretInFeature: a password stands in the feature.
    """
    if not any(_without_secrets(text) != text for text in map(unescaped, match.groups.values())):
        return match.sentence.build(**arguments)
    try:
        match.sentence.build(**match.arguments(lambda text, shell: fill(_without_secrets(text), shell)))
    except SecretInFeature:
        raise
    except UserError:
        pass  # what else is wrong with it is told of the sentence as it is
    built = match.sentence.build(**arguments)
    return built.holding_secret() if hasattr(built, "holding_secret") else built


def _without_secrets(text: str) -> str:
    """Return a text as written with each secret in it replaced; a parameter's name may be equal to one."""
    return "".join(part if PARAMETER.fullmatch(part) else without_declared(part) for part in PARAMETER.split(text))


def _refuse_empty(match: Match, binding: Binding) -> None:
    """Refuse a number of hosts that says nothing, and what cannot be made of numbers. Raises UserError."""
    tail, text = binding.tail, match.text
    if tail.quantifier == AT_LEAST and not tail.count:
        hosts = "0 % of the" if tail.share else "0"
        raise UserError(f"'{text}': on at least {hosts} hosts it always holds; write 1 or more")
    if "on_any" in match.groups and denies(text):
        # One reads `is not running on any host` as "on none"; it would hold as soon as it is so on one of them.
        raise UserError(
            f"'{text}': not ... on any host may be none of them or one that is enough; write `on all hosts` where it"
            " must be so of each, or `on at least 1 host`"
        )
    if tail.quantifier == AT_MOST and tail.share and tail.count == 100:
        raise UserError(f"'{text}': on at most 100 % of the hosts it always holds; write less")
    if tail.quantifier not in AGGREGATES:
        return
    if binding.measure is None or binding.threshold is None or match.negated:
        raise UserError(f"'{text}': {tail.quantifier} needs a number and its bound, as 'is less than 90 % full'")
    if tail.quantifier == TOTAL and binding.measure.unit == "%":
        raise UserError(f"'{text}': percentages of hosts do not add up; write: on average over")
