"""`prometheus`: alerting rules over the metrics of `--format prometheus`, and what scrapes them.

One run of `infratest check` writes them to a file in the folder of a node exporter's textfile collector, as the timer
of `export systemd` does; blocked results fire nothing, for what blocks them does. Strings in expressions are quoted as
Go has it; annotations are templates, in which `{{` begins a command. Source: Prometheus' documentation, alerting rules.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._http import Api
from infratest.exports._machine import Machine
from infratest.exports._yaml import document
from infratest.exports.base import Export, Left, Live, Watch, What, Written, number, one_line
from infratest.outputs._numbers import NUMBERS
from infratest.states import CRITICAL, OK, UNKNOWN, WARNING

#: The worst first, as each rule asks what those before it have fired; and which states each is for: of a scenario that
#: is now bad and now worse the worse one never lasts, and the milder one does.
LEVELS = (CRITICAL, UNKNOWN, WARNING)
STATES = {
    CRITICAL: f"== {NUMBERS[CRITICAL]}",
    UNKNOWN: f">= {NUMBERS[CRITICAL]} <= {NUMBERS[UNKNOWN]}",
    WARNING: f">= {NUMBERS[WARNING]} <= {NUMBERS[UNKNOWN]}",
}
IN_WORDS = {CRITICAL: "critical", UNKNOWN: "unknown or critical", WARNING: "warning or worse"}
#: The alert of the canary.
CANARY = "InfratestCanary"


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
    config: str = field(
        default="/etc/prometheus/prometheus.yml", metadata={"description": "Its configuration, for `monitor up`."}
    )
    url: str = field(
        default="http://127.0.0.1:9090", metadata={"description": "Prometheus, as `monitor up` reaches it."}
    )
    ca: str = field(default="", metadata={"source": True, "description": "A file of the authority of its certificate."})
    reload: str = field(
        default="",
        metadata={"description": "The command that reloads it, no shell; without it, by HTTP, where that is enabled."},
    )
    metrics: str = field(
        default="/var/lib/prometheus/node-exporter",
        metadata={"description": "The folder of the textfile collector, where `monitor up` puts its canary."},
    )
    scrape: bool = field(
        default=True,
        metadata={
            "description": "Whether a scrape configuration is written; not, where that exporter is scraped anyway."
        },
    )


class Prometheus(Export, Live):
    """Rules of Prometheus."""

    summary = "alerting rules and a scrape configuration of Prometheus"

    def write(self, what: What, folder: Path) -> Written:
        rules = [rule for watch in _scenarios(what) for rule in _rules(what, watch)]
        groups = [
            {"name": f"{what.name} monitor", "rules": _of_the_run(what)},
            {"name": f"{what.name} hosts", "rules": _rules(what, _way_in(what), (CRITICAL, UNKNOWN))},
            *([{"name": f"{what.name} scenarios", "rules": rules}] if rules else []),
            *([{"name": f"{what.name} canary", "interval": "5s", "rules": [_canary(what)]}] if what.canary else []),
        ]
        files = {f"{what.name}.rules.yml": self.heading(what) + document({"groups": groups})}
        if self.options.scrape:
            job = {
                "job_name": what.name,
                "scrape_interval": duration(what.policy.interval),
                "static_configs": [{"targets": [self.options.target]}],
            }
            files[f"{what.name}.scrape.yml"] = self.heading(what) + document({"scrape_configs": [job]})
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

    def verify(self, machine: Machine, deadline: Deadline) -> None:
        program = machine.found("promtool", package="prometheus")
        machine.done([program, "check", "config", self.options.config], deadline)

    def reload(self, machine: Machine, deadline: Deadline) -> None:
        if self.options.reload:
            machine.done(shlex.split(self.options.reload), deadline)
            return
        status, _ = self._api.ask("POST", "/-/reload", deadline, accept=(200, 403))
        if status == 403:
            raise InfratestError(
                f"{self.options.url} is not reloaded by HTTP (it runs without --web.enable-lifecycle): say what does "
                "it, as -o reload='systemctl reload prometheus'"
            )

    def turn(self, what: What, folder: Path, red: bool, machine: Machine, deadline: Deadline) -> None:
        place = f'stack="{what.stack}",env="{what.env}"'
        text = f"# TYPE infratest_canary gauge\ninfratest_canary{{{place}}} {int(red)}\n"
        machine.put(text, self.beside(what)[0], deadline)

    def beside(self, what: What) -> list[str]:
        return [f"{self.options.metrics}/{what.name}-canary.prom"]

    def sees(self, what: What, machine: Machine, deadline: Deadline) -> str:
        """Red is that the alert fires; green, that it does not and the canary was scraped so."""
        of = f"stack={quoted(what.stack)},env={quoted(what.env)}"
        if self._query(f'ALERTS{{alertname="{CANARY}",alertstate="firing",{of}}}', deadline):
            return CRITICAL
        rules = self._query(f"infratest_canary{{{of}}} == 0", deadline)
        return OK if rules and self._knows(what, deadline) else ""

    def _knows(self, what: What, deadline: Deadline) -> bool:
        """Whether the rule is one that it evaluates."""
        path = f"/api/v1/rules?type=alert&rule_name[]={CANARY}"
        _, answer = self._api.ask("GET", path, deadline)
        try:
            rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
            wanted = f'stack="{what.stack}"', f'env="{what.env}"'
            return any(rule["name"] == CANARY and all(each in rule["query"] for each in wanted) for rule in rules)
        except (LookupError, TypeError):
            raise InfratestError(f"{self.options.url} says nothing that is understood of its rules") from None

    def _query(self, expression: str, deadline: Deadline) -> bool:
        _, answer = self._api.ask("GET", f"/api/v1/query?query={quote(expression, safe='')}", deadline)
        try:
            return bool(answer["data"]["result"])
        except (LookupError, TypeError):
            raise InfratestError(f"{self.options.url} says nothing that is understood of {expression}") from None

    @property
    def _api(self) -> Api:
        return Api(self.options.url, self.options.ca)

    def validate(self, files: Mapping[str, str], machine: Machine, deadline: Deadline) -> str:
        program = machine.found("promtool", package="prometheus")
        with machine.laid_out(files, deadline) as folder:
            rules = [f"{folder}/{name}" for name in files if name.endswith(".rules.yml")]
            said = machine.done([program, "check", "rules", *rules], deadline, folder)
            for name in files:
                if name.endswith(".scrape.yml"):
                    machine.done([program, "check", "config", "--syntax-only", f"{folder}/{name}"], deadline, folder)
        count = re.search(r"(\d+) rules found", said)
        return f"promtool check takes it: {count[1] if count else 'no'} rules"


def _series(what: What) -> str:
    return f"infratest_canary{{stack={quoted(what.stack)},env={quoted(what.env)}}}"


def _canary(what: What) -> dict[str, Any]:
    """Return the rule that fires while the canary is red: nobody need be told of it."""
    summary = f"the canary of {literal(what.place)} is red: `infratest monitor up` proves that it is seen"
    return {
        "alert": CANARY,
        "expr": f"{_series(what)} == 1",
        "labels": {"severity": "none"},
        "annotations": {"summary": summary},
    }


def duration(seconds: float) -> str:
    """Return a time as Prometheus reads it: whole milliseconds."""
    return f"{max(1, round(seconds * 1000))}ms" if seconds % 1 else f"{number(seconds)}s"


def quoted(text: str) -> str:
    """Return text as a string in an expression. Raises UserError: it holds what no line can."""
    return '"' + one_line(text, "the text of a rule").replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(text: str) -> str:
    """Return text as a template that prints it: where `{{` stands, that is printed by a command."""
    return one_line(text, "the text of a rule").replace("{{", '{{ "{{" }}')


def _alert(slug: str) -> str:
    """Return the name of a rule, which is no template. Raises UserError: it can have none."""
    if not slug:
        raise UserError("Prometheus has no alert without a name: give the scenario an @id:NAME, its own has no letter")
    return one_line(slug, "the name of a rule")


def _scenarios(what: What) -> list[Watch]:
    """Return one watch of each scenario: rules are for all hosts."""
    return [*{(watch.feature, watch.slug): watch for watch in reversed(what.watches)}.values()][::-1]


def _way_in(what: What) -> Watch:
    return Watch(
        id="reachable", name="reachable", host="", feature="", file="", slug="reachable", title="reachable",
        policy=what.policy,
    )  # fmt: skip


def _rules(what: What, watch: Watch, levels: Sequence[str] = LEVELS) -> list[dict[str, Any]]:
    policy = watch.policy
    of = f"scenario={quoted(watch.slug)}"
    if watch.rows:
        of = f"scenario=~{quoted(re.escape(watch.slug) + '(/[0-9]+)?')}"
    feature = f"feature={quoted(watch.feature)}"
    place = f"stack={quoted(what.stack)},env={quoted(what.env)},{feature},{of}"
    # The metrics are as new as the last run of all.
    interval = max(policy.interval, what.policy.interval)
    lasting = (policy.attempts.failures - 1) * interval
    made: list[dict[str, Any]] = []
    for at, level in enumerate(levels):
        expression = f"infratest_scenario_state{{{place}}} {STATES[level]}"
        if worse := "|".join(levels[:at]):
            fired = f'alertname={quoted(watch.slug)},alertstate="firing",severity=~"{worse}",{place}'
            expression += f" unless ignoring(alertname, alertstate, severity) ALERTS{{{fired}}}"
        rule: dict[str, Any] = {"alert": _alert(watch.slug), "expr": expression}
        if lasting:
            rule["for"] = duration(lasting)
        if policy.recover > 1:
            rule["keep_firing_for"] = duration((policy.recover - 1) * interval)
        rule["labels"] = {"severity": level}
        annotations = {
            "summary": f"{literal(watch.title or watch.slug)} is {IN_WORDS[level]} on {{{{ $labels.host }}}}"
        }
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
