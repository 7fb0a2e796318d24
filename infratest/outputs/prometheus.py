"""A report as metrics of Prometheus, in its text format 0.0.4: for the textfile collector of a node exporter.

Loaded by name for `--format prometheus:PATH.prom`. A scenario on a host is one series, known by host, feature and
scenario. Source: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infratest import rfc3339
from infratest.cleaning import clean
from infratest.model import Report, Result
from infratest.outputs._numbers import BLOCKED, IN_WORDS, NUMBERS
from infratest.outputs.base import Output

#: Characters of a label's value.
LONGEST = 500

#: Labels, and the number.
Sample = tuple[dict[str, str], float]


class Prometheus(Output):
    """One gauge for each scenario on each host, one for each number that its sentences look at, and when that was."""

    def render(self, report: Report) -> str:
        """Return the metrics, ending in a line break."""
        place = {"stack": report.stack, "env": report.env}
        lines = _metric("infratest_scenario_state", f"How a scenario is on a host: {IN_WORDS}.", _states(report, place))
        lines += _metric(
            "infratest_scenario_value", "A number that a sentence looked at, in base units.", _values(report, place)
        )
        for name, help, value in (
            ("infratest_run_state", f"How the run is: {IN_WORDS}.", float(NUMBERS[report.state])),
            ("infratest_run_problem", "1 where nothing could be run.", float(bool(report.problem))),
            ("infratest_run_timestamp_seconds", "When the run began.", _moment(report)),
            ("infratest_run_duration_seconds", "How long the run took.", report.duration),
        ):
            if value is not None:
                lines += _metric(name, help, [(place, value)])
        return "".join(lines)


def _metric(name: str, help: str, samples: Iterable[Sample]) -> list[str]:
    """Return a metric with its samples, of which two with the same labels would make the whole file unreadable."""
    lines = {_labels(labels): value for labels, value in reversed(list(samples))}
    written = [f"{name}{{{labels}}} {_number(value)}\n" for labels, value in reversed(lines.items())]
    return [f"# HELP {name} {help}\n", f"# TYPE {name} gauge\n", *written] if written else []


def _number(value: float) -> str:
    """Return the shortest text that is read back as the same number; Go reads Python's `inf` and `nan` too."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(value)


def _states(report: Report, place: dict[str, str]) -> Iterator[Sample]:
    for result in report.results:
        blocked = result.blocked_by is not None
        yield place | _of(result), float(BLOCKED if blocked else NUMBERS[result.state])


def _values(report: Report, place: dict[str, str]) -> Iterator[Sample]:
    for result in report.results:
        for step in result.steps:
            for seen in step.observations:
                if seen.value is not None:
                    yield place | _of(result) | {"name": seen.name, "unit": seen.unit}, seen.value


def _of(result: Result) -> dict[str, str]:
    key = result.id.removesuffix(f"@{result.host}")
    return {"host": result.host, "feature": result.feature, "scenario": key.rpartition("#")[2]}


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    text = clean(value, LONGEST).encode("utf-8", "replace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _moment(report: Report) -> float | None:
    try:
        return rfc3339.seconds(report.started)
    except ValueError:
        return None
