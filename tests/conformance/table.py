"""The one table, written by hand: what a folder of features is, and what each face must make of it."""

from __future__ import annotations

from dataclasses import dataclass, field

STACK = "stack: one\nprovider: local\nhosts:\n  here: {}\n"
FAR = "stack: one\nprovider: existing\nhosts:\n  far: {address: 127.0.0.1, port: 1, user: nobody}\n"
OWN = "from behave import then\n@then('port {n} is listening')\ndef _(context, n): pass\n"


def scenario(name: str, *steps: str, tags: str = "") -> str:
    lines = [f"  {tags}"] * bool(tags) + [f"  Scenario: {name}", *(f"    Then {step}" for step in steps)]
    return "\n".join(lines) + "\n"


HOLDS = scenario("holds", 'the command "true" exits 0')
BREAKS = scenario("breaks", 'the command "false" exits 0')
MILD = scenario("mild", 'the command "false" exits 0', tags="@warning")
LATER = scenario("later", 'the command "true" exits 0', tags="@skip:not-yet")
NOBODY_KNOWS = scenario("nobody knows", "nobody knows this")
NO_SUCH_GROUP = '  Scenario: no such group\n    Given the hosts in group "nobody"\n    Then port 1 is listening\n'


@dataclass(frozen=True, kw_only=True)
class Case:
    """A folder of features and its row of the table.

    Args:
        state: of the report. exits: of `infratest test`, `check_infratest`, pytest and behave.
        pytest: how many items passed, failed, were errors, were skipped, warned. words: more of the command line.
    """

    feature: str
    state: str
    exits: tuple[int, int, int, int]
    pytest: dict[str, int] = field(default_factory=dict)
    stack: str = STACK
    steps: str = ""
    words: dict[str, list[str]] = field(default_factory=dict)


#: INTERFACES.md's table of faces and DESIGN.md's table of states. pytest's exits: 0 all passed, 1 some failed or were
#: errors, or all were skipped, 2 interrupted by an error of collection, 5 nothing selected.
TABLE = {
    "green": Case(feature=HOLDS, state="ok", exits=(0, 0, 0, 0), pytest={"passed": 1}),
    "red": Case(feature=HOLDS + BREAKS, state="critical", exits=(2, 2, 1, 1), pytest={"passed": 1, "failed": 1}),
    "warning": Case(
        feature=HOLDS + MILD, state="warning", exits=(1, 1, 0, 0), pytest={"passed": 2, "warning": 1}
    ),
    "unknown": Case(
        feature=HOLDS + NO_SUCH_GROUP, state="unknown", exits=(3, 3, 1, 1), pytest={"passed": 1, "error": 1}
    ),
    "skipped beside ok": Case(
        feature=HOLDS + LATER, state="ok", exits=(0, 0, 0, 0), pytest={"passed": 1, "skipped": 1}
    ),
    "skipped alone": Case(feature=LATER, state="unknown", exits=(3, 3, 1, 1), pytest={"skipped": 1}),
    "undefined": Case(
        feature=HOLDS + NOBODY_KNOWS, state="unknown", exits=(3, 3, 1, 1), pytest={"passed": 1, "error": 1}
    ),
    "worst of all": Case(
        feature=HOLDS + NOBODY_KNOWS + MILD + BREAKS + LATER, state="critical", exits=(2, 2, 1, 1),
        pytest={"passed": 2, "error": 1, "failed": 1, "skipped": 1, "warning": 1},
    ),
    "empty": Case(feature="", state="unknown", exits=(3, 3, 2, 1), pytest={"error": 1}),
    "no scenario": Case(feature="  Nothing here.\n", state="unknown", exits=(3, 3, 2, 1), pytest={"error": 1}),
    "no steps": Case(feature="  Scenario: empty\n", state="unknown", exits=(3, 3, 2, 1), pytest={"error": 1}),
    "misspelt keyword": Case(
        feature='  Scenario: misspelt\n    Givn the command "true" exits 0\n    Then the command "true" exits 0\n',
        state="unknown", exits=(3, 3, 2, 1), pytest={"error": 1},
    ),
    "outline without rows": Case(
        feature="  Scenario Outline: none\n    Then port <n> is listening\n", state="unknown", exits=(3, 3, 2, 1),
        pytest={"error": 1},
    ),
    "ambiguous": Case(
        feature=scenario("two", "port 1 is listening"), state="unknown", exits=(3, 3, 1, 1), pytest={"error": 1},
        steps=OWN,
    ),
    "blocked": Case(
        feature=HOLDS + BREAKS, state="critical", exits=(2, 2, 1, 1), pytest={"error": 2}, stack=FAR
    ),
    "nothing selected": Case(
        feature=HOLDS, state="unknown", exits=(3, 3, 5, 1), pytest={"deselected": 1},
        words={"test": ["--tags", "nobody"], "check": ["--tags", "nobody"], "pytest": ["-m", "nobody"],
               "behave": ["--tags", "nobody"]},
    ),
}  # fmt: skip
FACES = ("test", "check", "pytest", "behave")
