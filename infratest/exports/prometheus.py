"""`prometheus`: alerting rules over the metrics of `--format prometheus`, and what scrapes them.

One run of `infratest check` writes them to a file in the folder of a node exporter's textfile collector, as the timer
of `export systemd` does; blocked results fire nothing, for what blocks them does. Strings in expressions are quoted as
Go has it; annotations are templates, in which `{{` begins a command. Source: Prometheus' documentation, alerting rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.exports._checker import checked, found, laid_out
from infratest.exports._yaml import document
from infratest.exports.base import Export, Left, Watch, What, Written, number, one_line
from infratest.outputs._numbers import NUMBERS
from infratest.states import CRITICAL, UNKNOWN, WARNING

LEVELS = (CRITICAL, WARNING, UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where the metrics are scraped."""

    target: str = field(
        default="127.0.0.1:9100",
        metadata={
            "pattern": r"^[^\s/]+:[0-9]+$",
            "title": "HOST:PORT",
            "description": "The node exporter whose textfile collector reads the metrics.",
        },
    )
    scrape: bool = field(
        default=True,
        metadata={
            "description": "Whether a scrape configuration is written; not, where that exporter is scraped anyway."
        },
    )


class Prometheus(Export):
    """Rules of Prometheus."""

    summary = "alerting rules and a scrape configuration of Prometheus"

    def write(self, what: What, folder: Path) -> Written:
        rules = [rule for watch in _scenarios(what) for rule in _rules(what, watch)]
        groups = [
            {"name": f"{what.name} monitor", "rules": _of_the_run(what)},
            {"name": f"{what.name} hosts", "rules": _rules(what, _way_in(what), (CRITICAL, UNKNOWN))},
            *([{"name": f"{what.name} scenarios", "rules": rules}] if rules else []),
        ]
        files = {f"{what.name}.rules.yml": document({"groups": groups})}
        if self.options.scrape:
            job = {
                "job_name": what.name,
                "scrape_interval": duration(what.policy.interval),
                "static_configs": [{"targets": [self.options.target]}],
            }
            files[f"{what.name}.scrape.yml"] = document({"scrape_configs": [job]})
        left = [
            Left(watch.id, "it is looked at whenever all are: its @interval is shorter than that of the stack")
            for watch in _scenarios(what)
            if watch.policy.interval < what.policy.interval
        ]
        left += [
            Left(watch.id, "its @needs is no part of a rule: the run itself says what is blocked, which fires nothing")
            for watch in _scenarios(what)
            if watch.needs
        ]
        return Written(
            files,
            left=left,
            next=f"name {folder}/{what.name}.rules.yml by rule_files; `infratest check --format prometheus:FILE` has "
            "to write the metrics into the folder of the textfile collector, as the timer of `export systemd` does",
        )

    def validate(self, files: Mapping[str, str], deadline: Deadline) -> str:
        program = found("promtool", package="prometheus")
        with laid_out(files) as folder:
            rules = [str(folder / name) for name in files if name.endswith(".rules.yml")]
            said = checked([program, "check", "rules", *rules], deadline, folder)
            for name in files:
                if name.endswith(".scrape.yml"):
                    checked([program, "check", "config", "--syntax-only", str(folder / name)], deadline, folder)
        count = re.search(r"(\d+) rules found", said)
        return f"promtool check takes it: {count[1] if count else 'no'} rules"


def duration(seconds: float) -> str:
    """Return a time as Prometheus reads it: whole milliseconds."""
    return f"{max(1, round(seconds * 1000))}ms" if seconds % 1 else f"{number(seconds)}s"


def quoted(text: str) -> str:
    """Return text as a string in an expression. Raises UserError: it holds what no line can."""
    return '"' + one_line(text, "the text of a rule").replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text: str) -> str:
    """Return text as a template that prints it: where `{{` stands, that is printed by a command."""
    return one_line(text, "the text of a rule").replace("{{", '{{ "{{" }}')


def _scenarios(what: What) -> list[Watch]:
    """Return one watch of each scenario: rules are for all hosts."""
    return [*{(watch.feature, watch.slug): watch for watch in reversed(what.watches)}.values()][::-1]


def _way_in(what: What) -> Watch:
    return Watch(
        id="reachable", name="reachable", host="", feature="", slug="reachable", title="reachable", policy=what.policy
    )


def _rules(what: What, watch: Watch, levels: Sequence[str] = LEVELS) -> list[dict[str, Any]]:
    policy = watch.policy
    of = f"scenario={quoted(watch.slug)}"
    if watch.rows:
        of = f"scenario=~{quoted(re.escape(watch.slug) + '(/[0-9]+)?')}"
    feature = f"feature={quoted(watch.feature)}"
    series = f"infratest_scenario_state{{stack={quoted(what.stack)},env={quoted(what.env)},{feature},{of}}}"
    # The metrics are as new as the last run of all.
    interval = max(policy.interval, what.policy.interval)
    lasting = (policy.attempts.failures - 1) * interval
    made = []
    for level in levels:
        rule: dict[str, Any] = {
            "alert": one_line(watch.slug, "the name of a rule"),
            "expr": f"{series} == {NUMBERS[level]}",
        }
        if lasting:
            rule["for"] = duration(lasting)
        if policy.recover > 1:
            rule["keep_firing_for"] = duration((policy.recover - 1) * interval)
        rule["labels"] = {"severity": level}
        annotations = {"summary": f"{literal(watch.title or watch.slug)} is {level} on {{{{ $labels.host }}}}"}
        if watch.runbook:
            annotations["runbook_url"] = literal(watch.runbook)
        made.append(rule | {"annotations": annotations})
    return made


def _of_the_run(what: What) -> list[dict[str, Any]]:
    """Return the rules for what no scenario says: that nothing was run, or could be."""
    of = f"{{stack={quoted(what.stack)},env={quoted(what.env)}}}"
    moment = f"infratest_run_timestamp_seconds{of}"
    patience = number(what.policy.freshness)
    return [
        {
            "alert": "InfratestAbsent",
            "expr": f"absent({moment}) or time() - {moment} > {patience}",
            "for": duration(what.policy.interval),
            "labels": {"severity": CRITICAL},
            "annotations": {"summary": f"nothing was heard of the checks of {literal(what.place)}"},
        },
        {
            "alert": "InfratestProblem",
            "expr": f"infratest_run_problem{of} == 1",
            "labels": {"severity": UNKNOWN},
            "annotations": {"summary": f"the checks of {literal(what.place)} cannot be run"},
        },
    ]
