"""What features say, as values: scenarios, their lines, and what each line says. Made by `parse`, planned next.

On the plugin program's path.
"""

from __future__ import annotations

from infratest.gherkin.sentence import ACT
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.gherkin.patterns import Match

GIVEN, WHEN, THEN = "given", "when", "then"


class Line(Record):
    """One step: its keyword's kind (given, when or then; `And` takes the one before), its text, what it says.

    `match` is None for a text that is no sentence of ours; `user` then tells whether it is one of the user's own: ACT,
    CHECK where it is declared to only look, or empty. `problem` says why it cannot be used as it stands, else empty.
    `below` are the text or the cells of the table under a step of the user's own: values may stand there too.
    `condition`: it is a checking sentence behind `Given where`; where it does not hold, its scenario is skipped.
    `handed`: a step of the user's own handed it over, with values in it already.
    """

    kind: str
    keyword: str
    text: str
    number: int
    match: Match | None
    user: str = ""
    problem: str = ""
    below: tuple[str, ...] = ()
    condition: bool = False
    handed: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Whatever may hold values."""
        return (self.text, *self.below)


class Scenario(Record):
    """One scenario, or one row of an outline.

    Args:
        feature: the feature's path as ids name it. feature_name: its title. row: of an outline, from 1; else None.
        tags: its own and those of what it stands in, without `@`, each once.
    """

    feature: str
    feature_name: str
    name: str
    line: int
    tags: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    row: int | None = None
    path: str = ""  # of the file, as messages name it
    source: object = None  # behave's own scenario, for users' steps

    @derived
    def slug(self) -> str:
        named = self.tag("id")
        return named if named else slug(self.name)

    @derived
    def key(self) -> str:
        """The id without its host: `<feature>#<slug>[/row]`."""
        return f"{self.feature}#{self.slug}" + (f"/{self.row}" if self.row is not None else "")

    def id(self, host: str) -> str:
        return f"{self.key}@{host}"

    def tag(self, name: str) -> str:
        """Return what stands behind `@name:`, or an empty text."""
        values = self._valued.get(name)
        return values[0] if values else ""

    def values_of(self, name: str) -> tuple[str, ...]:
        """Return what stands behind each `@name:`."""
        return self._valued.get(name, ())

    @derived
    def _valued(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for tag in self.tags:
            name, colon, value = tag.partition(":")
            if colon:
                found[name] = (*found.get(name, ()), value)
        return found

    @derived
    def attempts(self) -> tuple[int, int] | None:
        """How many failures of how many looks `@attempts:` asks for, None where it does not stand."""
        failures, _, looks = self.tag("attempts").partition("/")
        return (int(failures), int(looks or failures)) if failures else None

    @derived
    def severity(self) -> str:
        """`warning` where the scenario is tagged so and not critical too, else `critical`."""
        return "warning" if "warning" in self.tags and "critical" not in self.tags else "critical"

    @derived
    def acting(self) -> bool:
        """Whether it holds a sentence that changes something, ours or a user's own."""
        return any(
            line.user == ACT or (line.match is not None and line.match.sentence.kind == ACT) for line in self.lines
        )

    @derived
    def own(self) -> bool:
        """Whether it holds a step of the user's own."""
        return any(line.user for line in self.lines)


class Feature(Record):
    """One feature file: its path as ids name it and as messages do, its title, its scenarios in order.

    `places` says from which line on which of the scenarios are meant by `FEATURE:LINE`, as numbers in that order.
    """

    path: str
    file: str
    name: str
    scenarios: tuple[Scenario, ...] = ()
    tags: tuple[str, ...] = ()
    places: tuple[tuple[int, tuple[int, ...]], ...] = ()


def slug(name: str) -> str:
    """Return a scenario's name as ids hold it: lower case, letters and digits of any script, the rest hyphens."""
    kept = "".join(character if character.isalnum() else " " for character in name.lower())
    return "-".join(kept.split())


def all_scenarios(features: Sequence[Feature]) -> list[Scenario]:
    return [scenario for feature in features for scenario in feature.scenarios]
