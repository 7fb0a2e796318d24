"""Which scenarios of a suite are run: by tags, by slug, by line, and by the face that runs them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from infratest.errors import FeatureError, NothingSelected, UserError, unknown
from infratest.gherkin.sentence import ACT
from infratest.gherkin.suite import Feature, Scenario

#: Faces: `test` leaves @check out, `check` leaves @test out, both leave drills out, and `drill` all others; ANY is of
#: who only wants to know what there is.
TEST, CHECK, DRILL, ANY = "test", "check", "drill", "any"
_OTHER = {TEST: "check", CHECK: "test", DRILL: "", ANY: ""}


def select(
    features: Sequence[Feature],
    lines: Mapping[str, Sequence[int]],
    *,
    tags: Sequence[str] = (),
    slug: str | None = None,
    face: str = TEST,
) -> list[Scenario]:
    """Return the scenarios to run, in order.

    Args:
        lines: feature path -> lines asked for. tags: tag expressions, all of which must hold. slug: of `--scenario`.
    Raises:
        UserError: a tag expression that is none, a slug that is no scenario's. NothingSelected: nothing is left.
    """
    holds = [expression(text) for text in tags]
    every = [scenario for feature in features for scenario in feature.scenarios]
    if slug is not None and all(scenario.slug != slug for scenario in every):
        raise UserError(unknown("scenario", slug, sorted({scenario.slug for scenario in every})))
    chosen = []
    for feature in features:
        asked = _at_lines(feature, lines.get(feature.path, ()))
        for scenario in asked:
            if slug in (None, scenario.slug) and all(check(scenario.tags) for check in holds):
                chosen.append(scenario)
    left = [scenario for scenario in chosen if _OTHER[face] not in scenario.tags and _of_face(scenario, face)]
    if not left:
        words = " ".join([f"--tags {text!r}" for text in tags] + ([f"--scenario {slug}"] if slug else []))
        if chosen and all(scenario.tag(DRILL) for scenario in chosen):
            raise NothingSelected(f"{words or 'the features given'} selects drills alone, which `infratest drill` runs")
        if chosen and face == DRILL:
            raise NothingSelected(
                "no scenario is tagged @drill:RULE, so there is nothing to drill; see `infratest drill --help`"
            )
        if chosen:
            which = f"that {words} selects" if words else "of the features given"
            who = f"all {len(chosen)} scenarios {which} are" if len(chosen) > 1 else f"the one scenario {which} is"
            raise NothingSelected(f"{who} tagged @{_OTHER[face]}, which `{face}` leaves out: nothing to run")
        raise NothingSelected(f"{words or 'the features given'} selects no scenario of {len(every)}: nothing to run")
    return left


def _of_face(scenario: Scenario, face: str) -> bool:
    """Whether a scenario is a drill where drills are run, and none where others are."""
    return face == ANY or bool(scenario.tag(DRILL)) == (face == DRILL)


def expression(text: str) -> Callable[[Sequence[str]], bool]:
    """Return what tells whether tags (without `@`) are as a tag expression says.

    Raises:
        UserError: it is no tag expression.
    """
    from behave.tag_expression import make_tag_expression

    try:
        made: Any = make_tag_expression(text.replace("@", ""))
    except Exception as error:
        why = str(error).partition("\n")[0]
        raise UserError(f"--tags {text!r}: is no tag expression ({why}); write as 'web and not slow'") from error
    return lambda tags: bool(made.check(list(tags)))


def refuse_acting(scenarios: Sequence[Scenario], why: str) -> None:
    """Refuse to run scenarios that change something.

    Args:
        why: it is refused, and what to do about it, in words that follow `and`.
    Raises:
        FeatureError: there are some; it names each with its file and line, on a line of its own.
    """
    acting = [scenario for scenario in scenarios if scenario.acting]
    if acting:
        raise FeatureError("\n".join(f"{item.path}:{item.line}: {_refusal(item, why)}" for item in acting))


def _refusal(scenario: Scenario, why: str) -> str:
    """Return why a scenario is not run: a sentence of ours changes something, or a step may, which does not say."""
    acts = [line for line in scenario.lines if line.match is not None and line.match.sentence.kind == ACT]
    own = [line.text for line in scenario.lines if line.user == ACT]
    if acts or not own:
        return f"{scenario.name!r} changes something, and {why}"
    declared = f"declare your step {own[0]!r} with @infratest.checks if it only looks"
    return f"{scenario.name!r} may change something, and {why}, or {declared}"


def why_skipped(tags: Sequence[str]) -> Callable[[Scenario], str]:
    """Return what tells why a scenario is skipped, given the tag expressions of the run."""
    wip_wanted = any(re.search(r"(?<![\w-])wip(?![\w-])", text) for text in tags)

    def why(scenario: Scenario) -> str:
        reason = scenario.tag("skip")
        if reason:
            return reason.replace("-", " ").replace("_", " ")
        return "work in progress" if "wip" in scenario.tags and not wip_wanted else ""

    return why


def _at_lines(feature: Feature, lines: Sequence[int]) -> list[Scenario]:
    """Return the scenarios that these lines belong to, all without lines: see `places`."""
    if not lines:
        return list(feature.scenarios)
    chosen: set[int] = set()
    for line in lines:
        chosen.update(next(numbers for start, numbers in reversed(feature.places) if start <= line))
    return [scenario for number, scenario in enumerate(feature.scenarios) if number in chosen]
