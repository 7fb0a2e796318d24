"""What every remedy must do: act twice without harm, say what it would do, fail in words, keep its deadline."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError, UserError
from infratest.hosts import Host
from infratest.model import Result, StepResult
from infratest.remedies.base import Outcome, Remedy, Surroundings
from infratest.states import CRITICAL
from infratest.transports.base import Transport

#: Seconds that a remedy with a deadline of a fraction of one may really take, on a busy machine.
LONG = 20.0

#: What failed, for the suite: one scenario on one host.
RESULT = Result(
    "features/web.feature#nginx-answers@web-1", "features/web.feature", "nginx answers", 7, "web-1", CRITICAL,
    "port 80 is not listening", groups=("web",), tags=("web",),
    steps=[StepResult("port 80 is listening", 9, CRITICAL, "port 80 is not listening")],
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one remedy is tried: values as they stand behind its name in a stack file.

    Args:
        works, fails, slow: a value with which it can be done, cannot (with `no room` or `not found` in its words), and
        does not end by itself; None where there is no such value. refused: values that
        nobody can mean. programs: scripts for PATH, by name, that stand where a host's own would.
        around: changes the surroundings for `works`, `fails` and `slow`, where a value alone cannot bring them about.
    """

    works: Any
    fails: Any = None
    slow: Any = None
    refused: Sequence[Any] = ()
    programs: Mapping[str, str] = field(default_factory=dict)
    around: Mapping[str, Callable[[Surroundings], Surroundings]] = field(default_factory=dict)


def surroundings(folder: Path, transport: Transport | None = None, **environment: str) -> Surroundings:
    """Return surroundings in a folder: the host web-1, provisioned without complaint.

    Args:
        environment: the variables of a hook.
    """
    return Surroundings(
        host=Host(name="web-1", groups=("web",), transport="local"),
        transport=transport,
        folder=folder,
        provision=lambda name, deadline: f"provisioned {name}",
        environment=environment,
    )


class RemedyContract:
    """The suite. Fixtures are asked for: `name`, the word in a ladder; `remedy`, the class; `case`, its Case;
    `around`, surroundings with an open transport to this machine, in a folder that is the current one."""

    def test_its_options_are_typed_and_have_words(self, remedy: type[Remedy]) -> None:
        assert dataclasses.is_dataclass(remedy.Options)
        for each in dataclasses.fields(remedy.Options):
            assert each.metadata.get("description"), each.name

    def test_it_knows_its_own_name(self, name: str, remedy: type[Remedy]) -> None:
        assert remedy.name == name

    def test_doing_it_twice_is_safe(self, remedy: type[Remedy], case: Case, around: Surroundings) -> None:
        made, around = remedy(case.works), case.around.get("works", _same)(around)
        first, second = _applied(made, around), _applied(made, around)
        assert first == second
        assert first.words
        assert first.command

    def test_it_says_what_it_would_do(self, name: str, remedy: type[Remedy], case: Case) -> None:
        words = remedy(case.works).describe()
        assert words.startswith(name)
        assert words.isprintable()

    def test_a_failure_is_a_heal_error_with_the_words(
        self, name: str, remedy: type[Remedy], case: Case, around: Surroundings
    ) -> None:
        with pytest.raises(HealError, match=r"no room|not found") as caught:
            _applied(remedy(case.fails), case.around.get("fails", _same)(around))
        assert name in str(caught.value)

    def test_the_deadline_ends_it(self, remedy: type[Remedy], case: Case, around: Surroundings) -> None:
        if case.slow is None and "slow" not in case.around:
            return  # it takes no time that a value could lengthen
        begun = monotonic()
        with pytest.raises(HealError, match="end within"):
            _applied(remedy(case.slow), case.around.get("slow", _same)(around), 0.3)
        assert monotonic() - begun < LONG

    def test_on_the_host_without_a_way_to_it_says_so(
        self, remedy: type[Remedy], case: Case, around: Surroundings
    ) -> None:
        made, around = remedy(case.works), case.around.get("works", _same)(around)
        if not made.on_host:
            assert _applied(made, replace(around, transport=None)).words
            return
        with pytest.raises(HealError, match="no connection to web-1"):
            _applied(made, replace(around, transport=None))

    def test_a_value_it_cannot_use_is_refused_when_it_is_made(
        self, name: str, remedy: type[Remedy], case: Case
    ) -> None:
        for value in case.refused:
            with pytest.raises(UserError, match=name):
                remedy(value)


def _same(around: Surroundings) -> Surroundings:
    return around


def _applied(remedy: Remedy, around: Surroundings, seconds: float = LONG) -> Outcome:
    return remedy.apply(RESULT, around, Deadline(seconds))
