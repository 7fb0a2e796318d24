"""The values that travel between the stages: observations, results, the report. No I/O, no logic but counting.

Made by the engine, read by outputs, events, heal and the monitor. Texts are masked as they are made, so that nothing
behind them can show a secret. On the plugin program's path.
"""

from __future__ import annotations

from infratest import __version__
from infratest.cleaning import masked
from infratest.record import Record
from infratest.states import CRITICAL, EXIT, OK, SKIPPED, UNKNOWN, WAIVED, WARNING, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, NewType

    #: An environment of a stack, as `place_of` makes it: no other text is taken for one.
    Place = NewType("Place", str)
else:
    Place = str

SCHEMA = 1

#: What the reason of a sentence begins with that was not looked at, since one before it stopped its scenario.
NOT_JUDGED = "not judged: "
#: What stands for itself in a file that is named after a place.
PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789.-_"
#: Of a step of a session behind which nothing is judged.
UNDONE = "could not be done"

#: The keys of a result in a report, in the order that its readers know.
RESULT_KEYS = (
    "id", "feature", "scenario", "line", "host", "groups", "labels", "tags", "state", "reason",
    "blocked_by", "since", "steps", "attempts", "duration",
)  # fmt: skip


class Observation(Record):
    """A number (or none, where it was not reached) that a sentence looked at.

    Args:
        name: subject and property, as `disk / used`; the label of perfdata and of metrics.
        value: in base units (seconds, bytes, percent, or a count); None where it was not reached, or is no number.
        unit: `s`, `B`, `%` or empty.
        warning, critical: the alert ranges in the notation of the Monitoring Plugins guidelines, or empty.
        minimum, maximum: the least and greatest possible value, or None.
    """

    name: str
    value: float | None
    unit: str = ""
    warning: str = ""
    critical: str = ""
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        own = self.__dict__
        own["name"] = masked(self.name)
        # Neither perfdata nor JSON can write infinity or NaN.
        if self.value is not None and self.value - self.value != 0:
            own["value"] = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "warning": self.warning,
            "critical": self.critical,
            "range": [self.minimum, self.maximum],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Observation:
        low, high = data.get("range") or (None, None)
        return cls(data["name"], data["value"], data["unit"], data["warning"], data["critical"], low, high)


class Evidence(Record):
    """What a fact's command answered, bounded, cleaned and masked.

    Args:
        fact: the fact's name. command: what was asked. exit: its status, or None where none arrived.
        output: its own words. seconds: how long it took.
    """

    fact: str
    command: str
    exit: int | None
    output: str
    seconds: float

    def __post_init__(self) -> None:
        own = self.__dict__
        own["command"] = masked(self.command)
        own["output"] = masked(self.output)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        return cls(**{name: data[name] for name in cls._fields})


class StepResult(Record):
    """One sentence, judged. `reason` says what was expected and what was seen.

    It is empty where it holds, but for a sentence about several hosts, which says on which of them.
    """

    text: str
    line: int
    state: str
    reason: str = ""
    observations: Sequence[Observation] = ()
    evidence: Sequence[Evidence] = ()

    def __post_init__(self) -> None:
        own = self.__dict__
        own["text"] = masked(self.text)
        own["reason"] = masked(self.reason)
        own["observations"] = tuple(self.observations)
        own["evidence"] = tuple(self.evidence)

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "line": self.line,
            "state": self.state,
            "reason": self.reason,
            "observations": [observation.as_dict() for observation in self.observations],
            "evidence": [evidence.as_dict() for evidence in self.evidence],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StepResult:
        return cls(
            data["text"],
            data["line"],
            _known(data["state"]),
            data["reason"],
            [Observation.from_dict(item) for item in data["observations"]],
            [Evidence.from_dict(item) for item in data["evidence"]],
        )


class Result(Record):
    """One scenario on one host.

    Args:
        id: `<feature path>#<scenario slug>[/row]@<host>`. host: its name, or `-` for none.
        state: ok, warning, critical, unknown, waived or skipped. reason: of the worst step, in one line.
        blocked_by: the id of the result that stands in the way (state is then unknown), or None.
        since: seconds since the epoch when this state began, or None where no history is kept.
        runbook: from the tag `@runbook:`, or None.
    """

    id: str
    feature: str
    scenario: str
    line: int
    host: str
    state: str
    reason: str = ""
    groups: Sequence[str] = ()
    labels: Mapping[str, str] = {}
    tags: Sequence[str] = ()
    blocked_by: str | None = None
    since: float | None = None
    steps: Sequence[StepResult] = ()
    attempts: int = 1
    duration: float = 0.0

    def __post_init__(self) -> None:
        own = self.__dict__
        own["reason"] = masked(self.reason)
        own["groups"] = tuple(self.groups)
        own["labels"] = {name: masked(value) for name, value in self.labels.items()}
        own["tags"] = tuple(self.tags)
        own["steps"] = tuple(self.steps)

    def __hash__(self) -> int:
        return hash((self.id, self.state))  # labels are a map, which has no hash

    @property
    def runbook(self) -> str | None:
        for tag in self.tags:
            if tag.startswith("runbook:"):
                return tag[len("runbook:") :]
        return None

    def as_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {name: getattr(self, name) for name in RESULT_KEYS}
        data["groups"] = list(self.groups)
        data["labels"] = dict(self.labels)
        data["tags"] = list(self.tags)
        data["steps"] = [step.as_dict() for step in self.steps]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        fields = {name: data[name] for name in RESULT_KEYS}
        fields["state"] = _known(data["state"])
        fields["steps"] = [StepResult.from_dict(step) for step in data["steps"]]
        return cls(**fields)


def _known(state: str) -> str:
    """Return the state; a word that is none would be counted nowhere, and so could be green. Raises KeyError."""
    if state not in EXIT:
        raise KeyError(f"state {state!r}")
    return state


class Cost:
    """What a run cost the network and the hosts: counts, not times. They go up while it runs, so it is no record."""

    __slots__ = ("logins", "round_trips", "commands")

    def __init__(self, logins: int = 0, round_trips: int = 0, commands: int = 0) -> None:
        self.logins = logins
        self.round_trips = round_trips
        self.commands = commands

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.logins + other.logins, self.round_trips + other.round_trips, self.commands + other.commands)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cost) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Cost({self.logins}, {self.round_trips}, {self.commands})"

    def taken(self) -> Cost:
        """Return what was counted so far, and count from zero."""
        counted = self + Cost()
        self.logins = self.round_trips = self.commands = 0
        return counted

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


def place_of(stack: str, env: str) -> Place:
    """Return one environment of one stack as one word, `shop/prod`; `shop` where it has no environments.

    By it whatever a state directory keeps is kept apart: no name has a slash, so that no two places are the same word.
    """
    return Place(f"{stack}/{env}" if env else stack)


def file_name(place: Place) -> str:
    """Return a place as file names have it, as `shop@prod`: two have never the same, whatever a disk makes of capitals.

    Percent-encoded (RFC 3986) is what is neither a lower-case letter nor a digit, dot, hyphen or underscore.
    """
    letters = [chr(one) if one in PLAIN else f"%{one:02x}" for one in place.encode("utf-8", "surrogatepass")]
    return "".join(letters).replace("%2f", "@")


def is_of(record: Mapping[str, Any], place: Place) -> bool:
    """Whether a record of a file that environments share, or the labels of an event, are of this place."""
    return place_of(str(record.get("stack", "")), str(record.get("env", ""))) == place


class Report(Record):
    """A whole run: the results in a stable order, and what follows from them, counted here and nowhere else.

    Args:
        stack, env: names; env is empty where the stack has no environments. started: RFC 3339 UTC.
        notes: what a reader must know that is no result, as `healed: restart-service nginx, was CRITICAL`.
        problem: why there is nothing to judge (an error before the first result), or empty.
        trends: what of it is kept from run to run: id of a result, name of its number, host, label.
        ways: how the way into each host was that was asked, told by itself; of `results` only what stands in the way.
        healed, tries: results that this run has healed, and remedies that it has applied.
    """

    stack: str
    env: str
    started: str
    duration: float
    results: Sequence[Result]
    production: bool = False
    cost: Cost = Cost()
    notes: Sequence[str] = ()
    problem: str = ""
    healed: int = 0
    tries: int = 0
    trends: Sequence[tuple[str, str, str, str]] = ()
    ways: Sequence[Result] = ()

    def __post_init__(self) -> None:
        own = self.__dict__
        own["results"] = tuple(self.results)
        own["cost"] = self.cost + Cost()  # as it is now, whoever counts on
        own["notes"] = tuple(masked(note) for note in self.notes)
        own["problem"] = masked(self.problem)

    def __hash__(self) -> int:
        return hash((self.stack, self.started, self.results))  # a count has no hash

    @property
    def place(self) -> Place:
        """The environment of the stack that it is of, as `place_of` has it."""
        return place_of(self.stack, self.env)

    @property
    def state(self) -> str:
        """The worst state of the results that nothing blocks; unknown where a problem stood before them all.

        What a waived result blocks counts, as unknown: the failure is accepted, and not that nobody looked behind it.
        """
        accepted = self.waived
        states = [one.state for one in self.results if one.blocked_by is None or one.blocked_by in accepted]
        return worst([*states, UNKNOWN] if self.problem else states)

    @property
    def waived(self) -> frozenset[str]:
        """The ids of the waived results."""
        return frozenset([result.id for result in self.results if result.state == WAIVED])

    @property
    def exit(self) -> int:
        return EXIT[self.state]

    @property
    def counts(self) -> dict[str, int]:
        """How many results are in each state; a blocked one is counted as blocked only."""
        counts = dict.fromkeys((OK, WARNING, CRITICAL, UNKNOWN, SKIPPED, "blocked", WAIVED), 0)
        for result in self.results:
            counts["blocked" if result.blocked_by is not None else result.state] += 1
        return counts

    def as_dict(self, version: str = __version__) -> dict[str, Any]:
        """Return the report of INTERFACES.md, ready for JSON."""
        return {
            "infratest": version,
            "schema": SCHEMA,
            "stack": self.stack,
            "env": self.env,
            "production": self.production,
            "started": self.started,
            "duration": self.duration,
            "state": self.state,
            "exit": self.exit,
            "counts": self.counts,
            "results": [result.as_dict() for result in self.results],
            "cost": self.cost.as_dict(),
            "notes": list(self.notes),
            "problem": self.problem,
            **({"healed": self.healed, "tries": self.tries} if self.tries or self.healed else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """Read back what `as_dict` wrote. Raises KeyError or TypeError where it is not such a report."""
        return cls(
            data["stack"],
            data["env"],
            data["started"],
            data["duration"],
            [Result.from_dict(item) for item in data["results"]],
            data["production"],
            Cost(**data["cost"]),
            data.get("notes", ()),
            data.get("problem", ""),
            data.get("healed", 0),
            data.get("tries", 0),
        )


def worst_first(results: Iterable[Result]) -> list[Result]:
    """Return what is not ok, the worst first; blocked, waived and skipped ones last, otherwise in the order given."""
    order = {CRITICAL: 0, UNKNOWN: 1, WARNING: 2, WAIVED: 4, SKIPPED: 5}
    found = [result for result in results if result.state != OK]
    return sorted(found, key=lambda result: 3 if result.blocked_by is not None else order[result.state])
