"""The values that travel between the stages: observations, results, the report. No I/O, no logic but counting.

Made by the engine, read by outputs, events, heal and the monitor. Texts are masked as they are made, so that nothing
behind them can show a secret. Plain classes with slots: these modules are on the plugin program's path, where
dataclasses, typing and re are too dear (each costs more than the check itself).
"""

from __future__ import annotations

from infratest.cleaning import masked
from infratest.states import CRITICAL, EXIT, OK, SKIPPED, UNKNOWN, WARNING, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

SCHEMA = 1


class Value:
    """A value with named slots: compared and shown by them, never changed after it is made."""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        # Of the texts alone: equal values must have equal hashes, and 1 == 1.0, and maps may differ in order.
        values = (getattr(self, name) for name in self.__slots__)
        return hash((type(self).__name__, *(value for value in values if isinstance(value, str))))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({inside})"

    def changed(self, **changes: Any) -> Any:
        """Return a copy with these slots changed."""
        return type(self)(**{name: getattr(self, name) for name in self.__slots__} | changes)


class Observation(Value):
    """A number (or none, where it was not reached) that a sentence looked at.

    Args:
        name: subject and property, as `disk / used`; the label of perfdata and of metrics.
        value: in base units (seconds, bytes, percent, or a count); None where it was not reached, or is no number.
        unit: `s`, `B`, `%` or empty.
        warning, critical: the alert ranges in the notation of the Monitoring Plugins guidelines, or empty.
        minimum, maximum: the least and greatest possible value, or None.
    """

    __slots__ = ("name", "value", "unit", "warning", "critical", "minimum", "maximum")

    def __init__(
        self,
        name: str,
        value: float | None,
        unit: str = "",
        warning: str = "",
        critical: str = "",
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> None:
        self.name = masked(name)
        # Neither perfdata nor JSON can write infinity or NaN.
        self.value = value if value is not None and value - value == 0 else None
        self.unit = unit
        self.warning = warning
        self.critical = critical
        self.minimum = minimum
        self.maximum = maximum

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


class Evidence(Value):
    """What a fact's command answered, bounded, cleaned and masked.

    Args:
        fact: the fact's name. command: what was asked. exit: its status, or None where none arrived.
        output: its own words. seconds: how long it took.
    """

    __slots__ = ("fact", "command", "exit", "output", "seconds")

    def __init__(self, fact: str, command: str, exit: int | None, output: str, seconds: float) -> None:
        self.fact = fact
        self.command = masked(command)
        self.exit = exit
        self.output = masked(output)
        self.seconds = seconds

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        return cls(**{name: data[name] for name in cls.__slots__})


class StepResult(Value):
    """One sentence, judged. `reason` says what was expected and what was seen, and is empty where it holds."""

    __slots__ = ("text", "line", "state", "reason", "observations", "evidence")

    def __init__(
        self,
        text: str,
        line: int,
        state: str,
        reason: str = "",
        observations: Sequence[Observation] = (),
        evidence: Sequence[Evidence] = (),
    ) -> None:
        self.text = masked(text)
        self.line = line
        self.state = state
        self.reason = masked(reason)
        self.observations = tuple(observations)
        self.evidence = tuple(evidence)

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


class Result(Value):
    """One scenario on one host.

    Args:
        id: `<feature path>#<scenario slug>[/row]@<host>`. host: its name, or `-` for none.
        state: ok, warning, critical, unknown or skipped. reason: of the worst step, in one line.
        blocked_by: the id of the result that stands in the way (state is then unknown), or None.
        since: seconds since the epoch when this state began, or None where no history is kept.
        runbook: from the tag `@runbook:`, or None.
    """

    __slots__ = (
        "id", "feature", "scenario", "line", "host", "groups", "labels", "tags", "state", "reason",
        "blocked_by", "since", "steps", "attempts", "duration",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        feature: str,
        scenario: str,
        line: int,
        host: str,
        state: str,
        reason: str = "",
        groups: Sequence[str] = (),
        labels: Mapping[str, str] | None = None,
        tags: Sequence[str] = (),
        blocked_by: str | None = None,
        since: float | None = None,
        steps: Sequence[StepResult] = (),
        attempts: int = 1,
        duration: float = 0.0,
    ) -> None:
        self.id = id
        self.feature = feature
        self.scenario = scenario
        self.line = line
        self.host = host
        self.groups = tuple(groups)
        self.labels = {name: masked(value) for name, value in (labels or {}).items()}
        self.tags = tuple(tags)
        self.state = state
        self.reason = masked(reason)
        self.blocked_by = blocked_by
        self.since = since
        self.steps = tuple(steps)
        self.attempts = attempts
        self.duration = duration

    @property
    def runbook(self) -> str | None:
        for tag in self.tags:
            if tag.startswith("runbook:"):
                return tag[len("runbook:") :]
        return None

    def as_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        data["groups"] = list(self.groups)
        data["labels"] = dict(self.labels)
        data["tags"] = list(self.tags)
        data["steps"] = [step.as_dict() for step in self.steps]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        fields = {name: data[name] for name in cls.__slots__}
        fields["state"] = _known(data["state"])
        fields["steps"] = [StepResult.from_dict(step) for step in data["steps"]]
        return cls(**fields)


def _known(state: str) -> str:
    """Return the state; a word that is none would be counted nowhere, and so could be green. Raises KeyError."""
    if state not in EXIT:
        raise KeyError(f"state {state!r}")
    return state


class Cost(Value):
    """What a run cost the network and the hosts: counts, not times."""

    __slots__ = ("logins", "round_trips", "commands")

    def __init__(self, logins: int = 0, round_trips: int = 0, commands: int = 0) -> None:
        self.logins = logins
        self.round_trips = round_trips
        self.commands = commands

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.logins + other.logins, self.round_trips + other.round_trips, self.commands + other.commands)

    def taken(self) -> Cost:
        """Return what was counted so far, and count from zero."""
        counted = self + Cost()
        self.logins = self.round_trips = self.commands = 0
        return counted

    def as_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.__slots__}


class Report(Value):
    """A whole run: the results in a stable order, and what follows from them, counted here and nowhere else.

    Args:
        stack, env: names; env is empty where the stack has no environments. started: RFC 3339 UTC.
        notes: what a reader must know that is no result, as `healed: restart-service nginx, was CRITICAL`.
        problem: why there is nothing to judge (an error before the first result), or empty.
        healed, tries: results that this run has healed, and remedies that it has applied.
    """

    __slots__ = (
        "stack", "env", "production", "started", "duration", "results", "cost", "notes", "problem", "healed", "tries",
    )  # fmt: skip

    def __init__(
        self,
        stack: str,
        env: str,
        started: str,
        duration: float,
        results: Sequence[Result],
        production: bool = False,
        cost: Cost | None = None,
        notes: Sequence[str] = (),
        problem: str = "",
        healed: int = 0,
        tries: int = 0,
    ) -> None:
        self.stack = stack
        self.env = env
        self.production = production
        self.started = started
        self.duration = duration
        self.results = tuple(results)
        self.cost = cost or Cost()
        self.notes = tuple(masked(note) for note in notes)
        self.problem = masked(problem)
        self.healed = healed
        self.tries = tries

    @property
    def state(self) -> str:
        """The worst state of the results that nothing blocks; unknown where a problem stood before them all."""
        states = [result.state for result in self.results if result.blocked_by is None]
        return worst([*states, UNKNOWN] if self.problem else states)

    @property
    def exit(self) -> int:
        return EXIT[self.state]

    @property
    def counts(self) -> dict[str, int]:
        """How many results are in each state; a blocked one is counted as blocked only."""
        counts = dict.fromkeys((OK, WARNING, CRITICAL, UNKNOWN, SKIPPED, "blocked"), 0)
        for result in self.results:
            counts["blocked" if result.blocked_by is not None else result.state] += 1
        return counts

    def as_dict(self, version: str) -> dict[str, Any]:
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
    """Return what is not ok, the worst first, blocked ones last, otherwise in the order given."""
    order = {CRITICAL: 0, UNKNOWN: 1, WARNING: 2, SKIPPED: 4}
    found = [result for result in results if result.state != OK]
    return sorted(found, key=lambda result: 3 if result.blocked_by is not None else order[result.state])
