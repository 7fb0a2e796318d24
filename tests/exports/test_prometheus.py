"""What the export writes for Prometheus, read by its own promtool: rules, and what templates make of our texts."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.alerting.policy import Attempts, Policy
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports._yaml import document
from infratest.exports.base import What, Written
from infratest.exports.json_sd import JsonSd
from infratest.exports.json_sd import Options as Port
from infratest.exports.prometheus import Options, Prometheus
from infratest.hosts import Host
from infratest.testing.exports import HOSTILE, watch, what
from tests.worlds.monitoring_tools import LONG, program_of

FOLDER = Path("/etc/prometheus/infratest")
RULES = "infratest-shop-prod.rules.yml"


def written(stack: What, **options: Any) -> Written:
    return Prometheus(Options(**options)).write(stack, FOLDER)


def rules(made: Written) -> list[dict[str, Any]]:
    groups = yaml.safe_load(made.files[RULES])["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_rules_of_a_scenario():
    policy = Policy(120, 15, Attempts(3, 3), recover=2)
    found = [rule for rule in rules(written(what(watch(policy=policy)))) if rule["alert"] == "nginx-answers"]
    of = 'stack="shop",env="prod",feature="features/web.feature",scenario="nginx-answers"'
    assert found[0] == {
        "alert": "nginx-answers",
        "expr": f"infratest_scenario_state{{{of}}} == 2",
        "for": "240s",
        "keep_firing_for": "120s",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "nginx answers is critical on {{ $labels.host }}"},
    }
    assert [rule["labels"]["severity"] for rule in found] == ["critical", "unknown", "warning"]
    assert [rule["for"] for rule in found] == ["240s"] * 3


#: How a scenario is, a minute each; which severity fires from which minute on, up to the next.
LASTING = [
    ("2x9", [(0, ""), (2, "critical")]),
    ("3x9", [(0, ""), (2, "unknown")]),
    ("1x9", [(0, ""), (2, "warning")]),
    ("2 1 2 1 2 1 2 1 2 1", [(0, ""), (2, "warning")]),
    ("2 3 2 3 2 3 2 3 2 3", [(0, ""), (2, "unknown")]),
    ("1 3 2 1 3 2 1 3 2 1", [(0, ""), (2, "warning")]),
    ("1 1 1 2 2 2 2 1 1 1", [(0, ""), (2, "warning"), (5, "critical"), (7, ""), (9, "warning")]),
    ("2 0 2 1 0 3 2 0 1 1", [(0, "")]),
    ("2 4 2 4 2 5 2 6 2 4", [(0, "")]),  # blocked, skipped, waived
]


def test_rules_of_what_no_scenario_says():
    absent, problem, *_ = rules(written(what(watch())))
    moment = 'infratest_run_timestamp_seconds{stack="shop",env="prod"}'
    assert absent["expr"] == f"absent({moment}) or time() - {moment} > 120"
    assert problem["expr"] == 'infratest_run_problem{stack="shop",env="prod"} == 1'


def test_one_rule_for_all_hosts_and_rows_and_what_is_told():
    both = [watch(host=host, rows=True, policy=Policy(10, 5)) for host in ("web-1", "web-2")]
    made = written(what(*both))
    (rule,) = [rule for rule in rules(made) if rule["expr"].endswith("== 2") and rule["alert"] == "nginx-answers"]
    assert rule["expr"].count('scenario=~"nginx\\\\-answers(/[0-9]+)?"') == 1
    assert rule["for"] == "120s"  # of runs of all, which come every 60 s
    assert [each.words for each in made.left] == [
        "it is looked at whenever all are: its @interval is shorter than that of the stack"
    ]


@pytest.mark.machines  # Prometheus is too heavy for the ordinary run
class TestByPromtool:
    def test_it_takes_what_is_written(self, machine):
        export = Prometheus(Options())
        made = export.write(what(watch(), watch("shop-answers", runbook="https://wiki.example/a?b=$1")), FOLDER)
        assert export.validate(made.files, machine, Deadline(LONG)) == "promtool check takes it: 10 rules"

    def test_what_is_bad_for_long_enough_fires_once_however_it_changes(self, tmp_path):
        policy = Policy(60, 15, Attempts(3, 3))
        (tmp_path / RULES).write_text(written(what(watch(policy=policy))).files[RULES], encoding="utf-8")
        feature = {"feature": "features/web.feature", "scenario": "nginx-answers"}
        of = {"stack": "shop", "env": "prod", "host": "web-1", **feature}
        words = {"critical": "critical", "unknown": "unknown or critical", "warning": "warning or worse"}
        tests = []
        for values, fires in LASTING:
            cases = []
            for minute in range(10):
                severity = [level for begin, level in fires if begin <= minute][-1]
                told = {"summary": f"nginx answers is {words.get(severity)} on web-1"}
                alerts = [{"exp_labels": {**of, "severity": severity}, "exp_annotations": told}] if severity else []
                cases.append({"eval_time": f"{minute}m", "alertname": "nginx-answers", "exp_alerts": alerts})
            series = [{"series": f"infratest_scenario_state{_braces(of)}", "values": values}]
            tests.append({"name": values, "interval": "1m", "input_series": series, "alert_rule_test": cases})
        evaluated(tmp_path, *tests)

    def test_it_takes_the_rules_of_5000_services(self, machine):
        hosts = tuple(Host(f"web-{number}", ("web",), {}, f"192.0.2.{number}") for number in range(100))
        stack = what(*(watch(f"s{place}", host.name) for host in hosts for place in range(50)), hosts=hosts)
        export = Prometheus(Options())
        assert (
            export.validate(export.write(stack, FOLDER).files, machine, Deadline(LONG))
            == "promtool check takes it: 154 rules"
        )

    def test_what_it_refuses_is_refused_in_its_words(self, machine):
        export = Prometheus(Options())
        made = {RULES: written(what(watch())).files[RULES].replace("== 2", "=== 2")}
        with pytest.raises(InfratestError, match=r"(?s)ends with status.*could not parse expression"):
            export.validate(made, machine, Deadline(LONG))

    def test_hostile_texts_are_told_as_they_were_sent_or_refused(self, tmp_path):
        kept = accepted(list(HOSTILE))
        assert {"{{", "{{ $value }}", "}}", "$(id)", "a'b", 'a"b', "a\\b"[:1] + "\\", "null", "a: b"} <= set(kept)
        fired(tmp_path, kept)

    @settings(max_examples=15, deadline=None)
    @given(texts=st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=30))
    def test_any_text_is_told_as_it_was_sent_or_refused(self, tmp_path_factory, texts):
        fired(tmp_path_factory.mktemp("promtool"), accepted(texts))

    def test_it_takes_our_targets(self, machine):
        hosts = (
            Host("web-1", ("web", "edge"), {"role": "web", "data-center": "a"}, "192.0.2.11"),
            Host("db", (), {}, "2001:db8::1"),
            Host("nat", (), {}, "10.0.0.2", routed=False, endpoints={9100: ("127.0.0.1", 40001)}),
            Host("shut", (), {}, "10.0.0.3", routed=False),
        )
        export, of = JsonSd(Port()), {"__meta_infratest_stack_file": "/srv/shop/stack.yaml"}
        made = export.write(what(hosts=hosts), FOLDER)
        assert json.loads(made.files["infratest-shop-prod.json"]) == [
            {
                "targets": ["192.0.2.11:9100"],
                "labels": {
                    "stack": "shop", "env": "prod", "host": "web-1", "groups": ",web,edge,", "label_role": "web",
                    "label_data_center": "a", **of,
                },
            },
            {"targets": ["[2001:db8::1]:9100"], "labels": {"stack": "shop", "env": "prod", "host": "db", **of}},
            {"targets": ["127.0.0.1:40001"], "labels": {"stack": "shop", "env": "prod", "host": "nat", **of}},
        ]  # fmt: skip
        assert [each.about for each in made.left] == ["shut"]
        assert export.validate(made.files, machine, Deadline(LONG)) == "promtool check config takes it: 3 targets"


def test_two_labels_that_would_be_one_are_refused():
    hosts = (Host("web-1", (), {"a-b": "1", "a.b": "2"}, "192.0.2.11"),)
    with pytest.raises(UserError, match="two labels would both be label_a_b"):
        JsonSd(Port()).write(what(hosts=hosts), FOLDER)


def accepted(texts: list[str]) -> list[str]:
    kept = []
    for text in dict.fromkeys(texts):
        with contextlib.suppress(UserError):
            written(what(watch(text, title=text, feature=f"{text}.feature", runbook=text)))
            if text:
                kept.append(text)
    return kept


def fired(folder: Path, texts: list[str]) -> None:
    """Have promtool evaluate the rules over series with these texts, and tell each alert as it was written."""
    once = {"policy": Policy(60, 15, Attempts(1, 1))}
    stack = what(
        *(watch(text, title=text, feature=f"{text}.feature", runbook=text, **once) for text in texts),
        policy=Policy(60, 15, Attempts(1, 1)),
    )
    (folder / RULES).write_text(written(stack).files[RULES], encoding="utf-8")
    labels = {"stack": "shop", "env": "prod", "host": "web-1"}
    series, cases = [], []
    for text in texts:
        own = {**labels, "feature": f"{text}.feature", "scenario": text}
        series.append({"series": f"infratest_scenario_state{_braces(own)}", "values": "2x5"})
        told = {"summary": f"{text} is critical on web-1", "runbook_url": text}
        alert = {"exp_labels": {**own, "severity": "critical"}, "exp_annotations": told}
        cases.append({"eval_time": "2m", "alertname": text, "exp_alerts": [alert]})
    test = {"interval": "1m", "input_series": series, "alert_rule_test": cases}
    evaluated(folder, test)


def evaluated(folder: Path, *tests: dict[str, Any]) -> None:
    """Have promtool evaluate the rules over series, and compare what fires."""
    (folder / "test.yml").write_text(document({"rule_files": [RULES], "tests": [*tests]}), encoding="utf-8")
    program = program_of("promtool")
    done = subprocess.run(
        [program, "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def _braces(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()) + "}"
