"""What Gherkin would swallow and a reader would believe is checked: refused, by `infratest lint` and before every run.

Pure; called by the parser with behave's model and with ours. A problem is a line number and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import partial

from infratest import later
from infratest.check import LOOK, STEP
from infratest.errors import UserError, unknown
from infratest.gherkin.binding import bind
from infratest.gherkin.reference import Problem
from infratest.gherkin.select import expression
from infratest.gherkin.sentence import ACT, ALL, SETUP
from infratest.gherkin.suite import GIVEN, WHEN, Feature, Line, Scenario, all_scenarios
from infratest.spelling import slip_of
from infratest.units import duration
from infratest.values import holds_braces, misspelt, values_in

#: Tags that mean something.
PLAIN_TAGS = ("warning", "critical", "check", "test", "wip")
VALUED_TAGS = ("id", "heal", "drill", "needs", "attempts", "interval", "timeout", "runbook", "skip")
#: How a tag with a value is written, for those that are often written without one.
VALUED_EXAMPLES = {
    "skip": "reason-in-words", "id": "NAME", "needs": "NAME", "heal": "NAME", "drill": "RULE", "timeout": "10s",
    "interval": "60s", "attempts": "3",
}  # fmt: skip
#: Tags of which a scenario has one.
ONCE = ("id", "drill", "attempts", "interval", "timeout", "runbook", "skip")


def scenarios(feature: Feature) -> list[Problem]:
    """Return what is wrong with the scenarios of a feature once their sentences are known."""
    problems: list[Problem] = []
    seen: dict[str, Scenario] = {}
    for scenario in feature.scenarios:
        other = seen.setdefault(scenario.key, scenario)
        if other is not scenario:
            problems.append(
                (scenario.line, f"scenario {scenario.name!r} has the same id as the one in line {other.line}: "
                 f"{scenario.slug!r}; rename it or give it @id:NAME")
            )  # fmt: skip
        problems += [(scenario.line, words) for words in _tags(scenario)]
        problems += [
            (scenario.line, f"{each} is not replaced in a scenario's name; write what it stands for")
            for each in values_in(scenario.name)
        ]
        problems += _order(scenario) + _conditions(scenario) + drills(scenario)
    return problems


def _tags(scenario: Scenario) -> list[str]:
    problems = []
    if {"check", "test"} <= set(scenario.tags):
        problems.append("@check and @test: only as monitor and only as test, it would never run; keep one of them")
    for tag in scenario.tags:
        name, colon, value = tag.partition(":")
        words = _valued_tag(scenario, tag, name, value) if colon else _plain_tag(tag)
        problems += [words] if words else []
        problems += [f"@{tag}: {each} is not replaced in a tag; write what it stands for" for each in values_in(tag)]
    return problems


def _plain_tag(tag: str) -> str:
    """Return what is wrong with a tag without a value: any word may be one, but not one that is nearly one of ours."""
    if not tag:
        return "a tag without a name: write it right behind the @"
    if tag in (*VALUED_TAGS, *later.names("tag", VALUED_TAGS)):
        return f"@{tag} says nothing by itself: write @{tag}:{VALUED_EXAMPLES.get(tag, '...')}"
    near = slip_of(tag, PLAIN_TAGS, strict=True)
    return f"@{tag}: did you mean @{near}? a tag of your own must differ by more" if near else ""


def _valued_tag(scenario: Scenario, tag: str, name: str, value: str) -> str:
    if name in later.names("tag", VALUED_TAGS):
        return f"@{tag}: not in this version"
    if name not in VALUED_TAGS:
        near = get_close_matches(name, VALUED_TAGS, n=1, cutoff=0.5)
        hint = f"did you mean @{near[0]}:? " if near else ""
        return f"unknown tag @{tag}: {hint}known are {', '.join(f'@{known}:' for known in VALUED_TAGS)}"
    if not value:
        return f"@{tag} needs something behind the colon"
    if name in ("attempts", "interval"):
        words = _attempts(value) if name == "attempts" else _interval(value)
        if words:
            return f"@{tag}: {words}"
        if scenario.acting or scenario.own:
            return f"@{tag}: what changes something, or holds steps of your own, is run once; leave it out"
    if name == "timeout" and not re.fullmatch(r"\d+(\.\d+)?(ms|s|min|h)", value):
        return f"@{tag}: timeout is a time with its unit, as @timeout:10s"
    if name in ONCE and len(scenario.values_of(name)) > 1:
        return f"@{tag}: @{name}: stands {len(scenario.values_of(name))} times, and one would be used; keep one"
    return ""


def _attempts(value: str) -> str:
    """Return what is wrong with the value of `@attempts:`, empty where nothing is."""
    failures, slash, looks = value.partition("/")
    if not all(re.fullmatch(r"[0-9]{1,3}", each) and 1 <= int(each) <= 100 for each in (failures, looks or "1")):
        return "attempts is a whole number from 1 to 100, or two, as @attempts:3/5"
    if slash and (not looks or int(failures) > int(looks)):
        return f"{failures} failures of {looks or 'no'} looks cannot be; write as @attempts:3/5"
    return ""


def _interval(value: str) -> str:
    """Return what is wrong with the value of `@interval:`, empty where nothing is."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?(ms|s|min|h|d)", value):
        return "interval is a time with its unit, as @interval:60s"
    return "" if duration(value) > 0 else "an interval must be more than zero"


def _order(scenario: Scenario) -> list[Problem]:
    problems = []
    for line in scenario.lines:
        kind = line.match.sentence.kind if line.match else None
        if kind == ACT and line.kind != WHEN:
            problems.append((line.number, f"'{line.text}' changes something: it may only follow When"))
        elif kind == SETUP and line.kind != GIVEN:
            problems.append((line.number, f"'{line.text}' selects hosts: it may only follow Given"))
        elif line.match is not None and line.match.sentence.session == STEP:
            if line.kind != WHEN:
                problems.append((line.number, f"'{line.text}' is a step of a session: it may only follow When"))
        elif line.match is not None and line.match.sentence.session == LOOK and line.kind == GIVEN:
            problems.append((line.number, f"'{line.text}' is about a page that steps lead to: write Then behind them"))
        elif kind is not None and kind != ACT and line.kind == WHEN:
            problems.append(
                (line.number, f"'{line.text}' changes nothing: write Then, or Given for what must hold before")
            )
    return problems


def drills(scenario: Scenario) -> list[Problem]:
    """Return what keeps a drill from being one, and what can be said in a drill alone."""
    of_drills = [line for line in scenario.lines if line.match is not None and line.match.sentence.module == "drill"]
    if not scenario.tag("drill"):
        return [(line.number, f"'{line.text}' is of a drill: tag the scenario @drill:RULE") for line in of_drills]
    begin = f"the drill {scenario.name!r}"
    if scenario.own:
        return [(scenario.line, f"{begin} holds steps of your own: not in this version")]
    if not scenario.acting:
        return [(scenario.line, f"{begin} has no fault, so it proves nothing: break something after When, as "
                 'When the process "nginx" is killed on "web-1"')]  # fmt: skip
    rule, said = scenario.tag("drill"), [line.match.groups.get("rule") for line in of_drills if line.match is not None]
    if rule not in said:
        return [(scenario.line, f'{begin} does not say what heals it: write Then the rule "{rule}" heals "web-1" by '
                 '"restart-service" within 60 s')]  # fmt: skip
    return []


def _conditions(scenario: Scenario) -> list[Problem]:
    """Return the conditions of a scenario that runs once for all of its hosts, where there is no host to leave out."""
    words = ""
    if scenario.acting:
        words = "changes something"
    elif scenario.own:
        words = "holds steps of your own"
    elif any(line.match is not None and line.match.quantifier != ALL for line in scenario.lines):
        words = "speaks of several hosts at once"
    return [
        (line.number, f"'{line.text}': a scenario that {words} runs once; choose its hosts by name, group or label")
        for line in scenario.lines
        if words and line.condition and not line.problem
    ]


def needs(features: Sequence[Feature], others: Callable[[], Iterable[Feature]] = tuple) -> list[str]:
    """Return each `@needs:` that names no scenario, or that goes in a circle, with its file and line.

    Args:
        others: more features of the project, read only where these do not hold a name.
    """
    scenarios = all_scenarios(features)
    wanting = [(scenario, name) for scenario in scenarios for name in scenario.values_of("needs")]
    known = {scenario.slug for scenario in scenarios}
    if any(name not in known for _, name in wanting):
        known |= {scenario.slug for scenario in all_scenarios(tuple(others()))}
    problems = []
    for scenario, name in wanting:
        if name not in known:
            problems.append(
                f"{scenario.path}:{scenario.line}: @needs:{name}: {unknown('scenario', name, sorted(known))}"
            )
    return problems + _circles(scenarios)


def heals(features: Sequence[Feature], rules: Sequence[str]) -> list[str]:
    """Return each `@heal:` and `@drill:` that names none of the stack's rules; nothing of a stack without any."""
    named = [
        (scenario, tag, name)
        for scenario in all_scenarios(features)
        for tag in ("heal", "drill")
        for name in scenario.values_of(tag)
    ]
    return [
        f"{scenario.path}:{scenario.line}: @{tag}:{name}: {unknown('heal rule', name, sorted(rules))}"
        for scenario, tag, name in named
        if rules and name not in rules
    ]


def idle_rules(features: Sequence[Feature], rules: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return each heal rule that no scenario is for: it would never act, and nobody miss it.

    Args:
        features: all of the project. rules: name, tag expression (empty: `@heal:NAME` points at it), and file:line.
    """
    scenarios = all_scenarios(features)
    problems = []
    for name, tags, where in rules:
        try:
            holds = expression(tags) if tags else partial(_points_at, name)
        except UserError:  # told by the look at the rule itself
            continue
        if not any(holds(scenario.tags) for scenario in scenarios):
            what = f"its tags {tags!r} select none of {len(scenarios)}" if tags else f"none is tagged @heal:{name}"
            problems.append(f"{where}: rule {name}: no scenario is healed by it: {what}; tag one, or remove the rule")
    return problems


def _points_at(rule: str, tags: Sequence[str]) -> bool:
    return f"heal:{rule}" in tags


def _circles(scenarios: Sequence[Scenario]) -> list[str]:
    """Return scenarios that need each other, of one feature: each would be blocked by the other, and none be red."""
    named = {(scenario.feature, scenario.slug): scenario for scenario in scenarios}
    found = []
    for key, scenario in named.items():
        reached, new = set[tuple[str, str]](), [key]
        while new:
            more = [(at[0], name) for at in new for name in named[at].values_of("needs")]
            new = [at for at in dict.fromkeys(more) if at in named and at not in reached]
            reached.update(new)
        if key in reached:
            found.append(f"{scenario.path}:{scenario.line}: @needs: goes in a circle from {scenario.slug!r} to itself")
    return found


def binding(feature: Feature) -> list[Problem]:
    """Return scenarios that check nothing, and sentences that are undefined or cannot be built (`sentences`)."""
    idle = [
        (scenario.line, f"scenario {scenario.name!r} {_does(scenario)} and checks nothing: add a Then")
        for scenario in feature.scenarios
        if scenario.lines and all(_chooses(line) or _acts(line) for line in scenario.lines)
    ]
    return sorted({*idle, *sentences(feature)})


def _does(scenario: Scenario) -> str:
    return "changes something" if any(map(_acts, scenario.lines)) else "selects hosts"


def _chooses(line: Line) -> bool:
    """Whether a line says where to look, and looks at nothing."""
    return line.match is not None and (line.condition or line.match.sentence.kind == SETUP)


def _acts(line: Line) -> bool:
    """Whether a line changes something: that it could be done says nothing of what came of it. What a user's own step
    looks at is not known."""
    return line.match is not None and line.match.sentence.kind == ACT


def sentences(feature: Feature) -> list[Problem]:
    """Return what is wrong with each line by itself: it cannot be used, is undefined, or cannot be built."""
    from infratest.gherkin.hints import NO_HINT, hint
    from infratest.gherkin.vocabulary import vocabulary

    problems: list[Problem] = []
    for scenario in feature.scenarios:
        for line in scenario.lines:
            if line.problem:
                problems.append((line.number, line.problem))
                continue
            # What no stack can give is told without one; a stack's own names are held against it by the planner.
            values = [each for text in line.texts for each in values_in(text)]
            slips = [misspelt(each, doubled=line.match is not None) for each in values]
            problems += [(line.number, words) for words in slips if words]
            if line.match is None and not line.user:
                told = hint(line.text, line.kind, vocabulary())
                undefined = f"undefined: '{line.text}'; {told or NO_HINT}"
                named = later.sentence(line.text)
                problems.append((line.number, f"'{line.text}': {named}" if named else undefined))
            elif line.match is not None and not holds_braces(line.text):
                try:
                    bind(line.match, lambda text, shell: text)
                except UserError as error:
                    problems.append((line.number, str(error)))
    return sorted(set(problems))
