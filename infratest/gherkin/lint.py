"""What Gherkin would swallow and a reader would believe is checked: refused, by `infratest lint` and before every run.

Pure; called by the parser with behave's model and with ours. A problem is a line number and words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from infratest.errors import UserError
from infratest.gherkin.binding import bind
from infratest.gherkin.later import later
from infratest.gherkin.suite import ACT, GIVEN, SETUP, WHEN, Feature, Scenario, all_scenarios
from infratest.registry import unknown

Problem = tuple[int, str]

#: Tags that mean something, INTERFACES.md. The second tuple is named there and not in this version.
PLAIN_TAGS = ("warning", "critical", "check", "test", "wip")
VALUED_TAGS = ("id", "heal", "needs", "attempts", "timeout", "runbook", "skip")
LATER_TAGS = ("interval",)

#: behave's names of the keywords that open a block and of those that open a step, as its i18n table has them.
BLOCKS = ("feature", "background", "rule", "scenario", "scenario_outline", "examples")
STEPS = ("given", "when", "then", "and", "but")


def structure(parsed: Any, text: str = "", says: Callable[[str], bool] = lambda text: False) -> list[Problem]:
    """Return what is wrong with behave's model of a feature before any sentence is looked at.

    Args:
        text: of the file, to name the line of what behave took for description. says: whether a text is a sentence.
    """
    source = [line.strip() for line in text.splitlines()]
    problems: list[Problem] = []
    for item in [parsed, *_blocks(parsed)]:
        if hasattr(item, "run_items"):
            problems += _described(item, parsed.language, source, says)
            continue
        problems += _swallowed(item, parsed.language, source)
        if hasattr(item, "examples"):
            if not item.steps:
                problems.append((item.line, f"scenario outline {item.name!r} has no steps: it would check nothing"))
            if not item.examples or any(not example.table or not example.table.rows for example in item.examples):
                problems.append((item.line, f"scenario outline {item.name!r} has no rows: it would never run"))
            problems += _columns(item)
        elif hasattr(item, "effective_tags") and not item.steps and not item.description:
            problems.append((item.line, f"scenario {item.name!r} has no steps: it would check nothing"))
    if not any(True for _ in parsed.walk_scenarios()) and not problems:
        problems.append((parsed.line, f"feature {parsed.name!r} has no scenarios: it would check nothing"))
    return problems + _left_over(source)


def _left_over(source: Sequence[str]) -> list[Problem]:
    """Return the tags that end a file: the scenario that they were meant for is not there any more."""
    said = [(number, line) for number, line in enumerate(source, 1) if line[:1] not in ("", "#")]
    last, words = said[-1] if said else (0, "")
    return [(last, f"{words!r} tags nothing: no scenario follows")] if words.startswith("@") else []


def _blocks(parsed: Any) -> Iterable[Any]:
    if parsed.background is not None:
        yield parsed.background
    for item in parsed.run_items:
        yield item
        if hasattr(item, "run_items"):
            yield from _blocks(item)


def _columns(outline: Any) -> list[Problem]:
    """Return columns that nothing takes a value from, where the outline takes one from a column that there is not."""
    texts = [outline.name, *map(str, outline.tags), *(step.name for step in outline.steps)]
    texts += [str(step.text or "") for step in outline.steps]
    texts += [cell for step in outline.steps if step.table for row in step.table.rows for cell in row.cells]
    taken = {name for text in texts for name in re.findall(r"<([^<>\n]+)>", text)}
    problems = []
    for example in outline.examples:
        known = list(example.table.headings) if example.table else []
        unused, missing = [name for name in known if name not in taken], sorted(taken - set(known))
        if unused and missing:
            words = f"column {unused[0]!r} is used nowhere, and <{missing[0]}> is no column but text"
            problems.append((example.line, f"{words}; columns are {', '.join(known)}"))
    return problems


def _described(item: Any, language: str, source: Sequence[str], says: Callable[[str], bool]) -> list[Problem]:
    """Return the lines of a feature's or rule's description that were meant as scenarios or steps."""
    return [
        (_line_of(line, item.line, source), f"{line!r} reads like a keyword and is only text{hint}")
        for line in item.description
        if (hint := _block_hint(line, language)) or _is_step(line, language) or says(_after_keyword(line, language))
    ]


def _swallowed(item: Any, language: str, source: Sequence[str]) -> list[Problem]:
    if not item.description:
        return []
    text = item.description[0].strip()
    hint = keyword_hint(text, language) or "; put a comment behind '#', or a keyword before it"
    words = f"{item.keyword} {item.name!r}: {text!r} stands before the first step and would be ignored{hint}"
    return [(_line_of(text, item.line, source), words)]


def _line_of(text: str, after: int, source: Sequence[str]) -> int:
    """Return the number of the line that says this, else of its block."""
    return next((number for number, line in enumerate(source[after:], after + 1) if line == text.strip()), after)


def keyword_hint(text: str, language: str = "en") -> str:
    """Return `; did you mean ...?` for a line that begins like a misspelt keyword, else an empty text."""
    if text.strip().partition(":")[0] in [word.strip() for word in _words(BLOCKS + STEPS, language)]:
        return "; it cannot stand here, or nothing follows it"
    hint = _block_hint(text, language)
    first = text.strip().split(" ", 1)[0]
    near = get_close_matches(first.capitalize(), [word.strip() for word in _words(STEPS, language)], n=1, cutoff=0.6)
    return hint or (f"; did you mean {near[0]!r}?" if near else "")


def _block_hint(text: str, language: str) -> str:
    colon = re.match(r"\w[\w ]{0,24}:", text.strip())
    known = [f"{word}:" for word in _words(BLOCKS, language)]
    near = get_close_matches(colon[0].title(), known, n=1, cutoff=0.82) if colon else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _is_step(text: str, language: str) -> bool:
    """Whether a line of description begins as a step does. `And`, `But` and `*` begin lines of prose and lists too."""
    return text.strip().startswith(tuple(_words(("given", "when", "then"), language)))


def _after_keyword(text: str, language: str) -> str:
    """Return what stands behind `And`, `But` or `*`, which begin lines of prose and lists too; else an empty text."""
    words = (*_words(("and", "but"), language), "* ")
    return next((text.strip()[len(word) :] for word in words if text.strip().startswith(word)), "")


def _words(kinds: Sequence[str], language: str) -> list[str]:
    """Return the keywords of these kinds in English and in another language; a step's end in a blank."""
    from behave.i18n import languages

    table = [languages["en"], languages.get(language, {})]
    return [word for each in table for kind in kinds for word in each.get(kind, ()) if word != "* "]


def scenarios(feature: Feature) -> list[Problem]:
    """Return what is wrong with the scenarios of a feature once their sentences are known."""
    problems: list[Problem] = []
    seen: dict[str, Scenario] = {}
    for scenario in feature.scenarios:
        if not scenario.slug:
            problems.append((scenario.line, "a scenario needs a name: it is its id"))
        other = seen.setdefault(scenario.key, scenario)
        if other is not scenario:
            problems.append(
                (scenario.line, f"scenario {scenario.name!r} has the same id as the one in line {other.line}: "
                 f"{scenario.slug!r}; rename it or give it @id:NAME")
            )  # fmt: skip
        problems += [(scenario.line, words) for words in _tags(scenario)]
        problems += _order(scenario)
    return problems


def _tags(scenario: Scenario) -> list[str]:
    problems = []
    if {"check", "test"} <= set(scenario.tags):
        problems.append("@check and @test: only as monitor and only as test, it would never run; keep one of them")
    for tag in scenario.tags:
        name, colon, value = tag.partition(":")
        if not colon:
            continue
        if name in LATER_TAGS:
            problems.append(f"@{tag}: not in this version")
        elif name not in VALUED_TAGS:
            near = get_close_matches(name, VALUED_TAGS, n=1, cutoff=0.5)
            hint = f"did you mean @{near[0]}:? " if near else ""
            problems.append(f"unknown tag @{tag}: {hint}known are {', '.join(f'@{known}:' for known in VALUED_TAGS)}")
        elif not value:
            problems.append(f"@{tag} needs something behind the colon")
        elif name == "attempts" and (not value.isdigit() or not 1 <= int(value) <= 100):
            problems.append(f"@{tag}: attempts is a whole number from 1 to 100")
        elif name == "attempts" and (scenario.acting or scenario.own):
            problems.append(f"@{tag}: what changes something, or holds steps of your own, is run once; leave it out")
        elif name == "timeout" and not re.fullmatch(r"\d+(\.\d+)?(ms|s|min|h)", value):
            problems.append(f"@{tag}: timeout is a time with its unit, as @timeout:10s")
    return problems


def _order(scenario: Scenario) -> list[Problem]:
    problems = []
    for line in scenario.lines:
        kind = line.match.sentence.kind if line.match else None
        if kind == ACT and line.kind != WHEN:
            problems.append((line.number, f"{line.text!r} changes something: it may only follow When"))
        elif kind == SETUP and line.kind != GIVEN:
            problems.append((line.number, f"{line.text!r} selects hosts: it may only follow Given"))
        elif kind is not None and kind != ACT and line.kind == WHEN:
            problems.append(
                (line.number, f"{line.text!r} changes nothing: write Then, or Given for what must hold before")
            )
    return problems


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
    """Return each `@heal:` that names none of the stack's rules; of a stack without any, nothing is said."""
    named = [(scenario, name) for scenario in all_scenarios(features) for name in scenario.values_of("heal")]
    return [
        f"{scenario.path}:{scenario.line}: @heal:{name}: {unknown('heal rule', name, sorted(rules))}"
        for scenario, name in named
        if rules and name not in rules
    ]


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
    """Return sentences that are undefined, and those without values in braces that cannot be built."""
    from infratest.gherkin.vocabulary import vocabulary

    problems: list[Problem] = []
    for scenario in feature.scenarios:
        for line in scenario.lines:
            if line.match is None and not line.user:
                near = vocabulary().nearest(line.text)
                undefined = f"undefined: {line.text!r}" + (f"; did you mean: {near}" if near else "")
                named = later(line.text)
                problems.append((line.number, f"{line.text!r}: {named}" if named else undefined))
            elif line.match is not None and "{" not in line.text:
                try:
                    bind(line.match, lambda text, shell: text)
                except UserError as error:
                    problems.append((line.number, str(error)))
    return sorted(set(problems))
