"""What a monitor watches of a plan: ids, needs and policies, of features that are read for real."""

from __future__ import annotations

import pytest

from infratest.alerting.policy import NEVER, Attempts, Flap, Policy
from infratest.alerting.subject import Subject
from infratest.engine.results import Needs, result
from infratest.gherkin.parse import feature
from infratest.gherkin.vocabulary import vocabulary
from infratest.hosts import Host
from infratest.plan.planner import plan
from infratest.plan.subjects import own, policy, subjects
from infratest.stack.monitor import Flapping, Heartbeat, Monitor, ReceiverEntry
from infratest.values import Values

WEB_1 = Host(name="web-1", groups=("web",), labels={"team": "web"}, address="10.0.0.1")
WEB_2 = Host(name="web-2", groups=("web",), address="10.0.0.2")
DB = Host(name="db", groups=("data",), address="10.0.0.3")
MAIL = Host(name="mail", address="10.0.0.4")  # nothing is watched on it
HOSTS = [WEB_1, WEB_2, DB, MAIL]
FEATURE = """\
@attempts:2
Feature: web
  @web @interval:10s
  Scenario: nginx runs
    Given the hosts in group "web"
    Then the service "nginx" is running

  @needs:nginx-runs @needs:the-shop-answers @interval:1.5min
  Scenario: port
    Given the hosts in group "web"
    Then port 80 is listening

  Scenario: the shop answers
    Then "http://shop.example/" answers 200

  @needs:nginx-runs
  Scenario: the front answers
    Then "http://front.example/" answers 200
"""
OTHERS = """\
Feature: others
  @needs:port @attempts:3/5
  Scenario: the database
    Given the host "db"
    Then port 5432 is listening

  Scenario: nginx runs
    Given the host "db"
    Then the service "nginx" is not running

  Scenario: it comes back
    When the service "nginx" is restarted on "web-1"
    Then port 80 is listening
"""

#: One name in three features: on hosts, for the stack, and of one that needs it.
NAMED = {
    "hosts": 'Feature: a\n  Scenario: up\n    Given the hosts in group "web"\n    Then port 80 is listening\n',
    "stack": 'Feature: b\n  Scenario: up\n    Then "http://shop.example/" answers 200\n',
    "needing": 'Feature: c\n  @needs:up\n  Scenario: up\n    Given the host "web-1"\n    Then port 80 is listening\n'
    '  @needs:up @id:late\n  Scenario: late\n    Given the host "db"\n    Then port 80 is listening\n',
}


@pytest.fixture
def planned(tmp_path):
    return of_features(tmp_path, {"web": FEATURE, "others": OTHERS})


def of_features(tmp_path, features):
    made = []
    for name, text in features.items():
        (tmp_path / f"{name}.feature").write_text(text)
        made += feature(tmp_path / f"{name}.feature", f"features/{name}.feature", vocabulary()).scenarios
    return plan(made, HOSTS, Values(HOSTS, {}, {}), steps=False)


def test_what_is_watched_and_what_it_needs(planned):
    found = {subject.id: subject for subject in subjects(planned, Monitor())}
    web, others = "features/web.feature", "features/others.feature"
    assert {id: subject.needs for id, subject in found.items()} == {
        "reachable@web-1": (),
        "reachable@web-2": (),
        "reachable@db": (),
        f"{web}#nginx-runs@web-1": ("reachable@web-1",),
        f"{web}#nginx-runs@web-2": ("reachable@web-2",),
        # On the same host, or once for all.
        f"{web}#port@web-1": ("reachable@web-1", f"{web}#nginx-runs@web-1", f"{web}#the-shop-answers@-"),
        f"{web}#port@web-2": ("reachable@web-2", f"{web}#nginx-runs@web-2", f"{web}#the-shop-answers@-"),
        f"{web}#the-shop-answers@-": (),
        # Of the stack: on all hosts, and of its own feature where that has the name.
        f"{web}#the-front-answers@-": (f"{web}#nginx-runs@web-1", f"{web}#nginx-runs@web-2"),
        f"{others}#the-database@db": ("reachable@db", f"{web}#port@web-1", f"{web}#port@web-2"),
        f"{others}#nginx-runs@db": ("reachable@db",),
    }
    one = found[f"{web}#nginx-runs@web-1"]
    assert (one.host, one.groups, one.labels) == ("web-1", ("web",), {"team": "web"})
    assert sorted(one.tags) == ["attempts:2", "interval:10s", "web"]
    assert found["reachable@web-1"] == Subject(
        "reachable@web-1", "web-1", ("web",), {"team": "web"}, policy=Policy(interval=10.0), looked_at=False
    )


def test_needs_are_those_that_block_in_a_run(planned):
    """Each need, failed by itself, is what the engine's own rule finds in the way."""
    tasks = {task.id: task for task in planned.tasks if not task.acting}
    for subject in subjects(planned, Monitor()):
        for need in subject.needs:
            if need.startswith("reachable@"):
                continue
            judged = Needs()
            for id, task in tasks.items():
                judged.judged(task, result(task, planned.hosts, state="critical" if id == need else "ok"))
            blocker = judged.blocker(tasks[subject.id])
            assert blocker is not None
            assert blocker.id == need


def test_a_name_means_the_own_feature_then_the_host_then_the_stack(tmp_path):
    one = subjects(of_features(tmp_path, NAMED), Monitor())
    needs = {each.id: each.needs[1:] for each in one if each.id.startswith("features/needing.feature")}
    assert needs == {
        "features/needing.feature#up@web-1": ("features/hosts.feature#up@web-1",),
        "features/needing.feature#late@db": ("features/needing.feature#up@web-1",),
    }
    late = 'Feature: c\n  @needs:up\n  Scenario: late\n    Given the host "db"\n    Then port 80 is listening\n'
    two = subjects(of_features(tmp_path, {"hosts": NAMED["hosts"], "stack": NAMED["stack"], "late": late}), Monitor())
    assert {each.id: each.needs[1:] for each in two if "late" in each.id} == {
        "features/late.feature#late@db": ("features/stack.feature#up@-",)
    }


def test_a_policy_is_of_the_stack_and_of_the_scenarios_tags(planned):
    monitor = Monitor(
        interval=30.0, retry=5.0, failures=4, of=6, recover=2, stale=3, flap=Flapping(changes=6, within=60.0, calm=30.0)
    )
    found = {subject.id.partition("#")[2]: subject.policy for subject in subjects(planned, monitor)}
    flap = Flap(6, 60.0, 30.0)
    assert found["nginx-runs@web-1"] == Policy(10.0, 5.0, Attempts(2, 2), 2, 3.0, flap)
    assert found["port@web-2"].interval == 90.0
    assert found["the-database@db"] == Policy(30.0, 5.0, Attempts(3, 5), 2, 3.0, flap)
    assert found["nginx-runs@db"].attempts == Attempts(4, 6)
    assert policy(Monitor()) == Policy()
    assert policy(Monitor(flap=None)).flap is None


def test_what_the_monitor_itself_knows_is_hard_at_once():
    monitor = Monitor(
        heartbeats={"backup": Heartbeat(name="backup", every=60.0)},
        receivers={"ops": ReceiverEntry(name="ops", kind="mail", options={})},
    )
    assert own(monitor) == [
        Subject("monitor#heartbeat/backup@-", policy=Policy(attempts=Attempts(1, 1), stale=NEVER), looked_at=False),
        Subject("monitor#receiver/ops@-", policy=Policy(attempts=Attempts(1, 1), stale=NEVER), looked_at=False),
    ]
