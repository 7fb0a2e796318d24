"""Rules of `tell:` as routes: which results each is for, and each mistake in one, its message written by hand."""

from __future__ import annotations

import pytest

from infratest.alerting.moments import Moment
from infratest.alerting.owed import Receiver, owed
from infratest.alerting.policy import Attempts, Policy
from infratest.alerting.problems import Picture
from infratest.alerting.routes import Scope, idle, routes, unheard
from infratest.alerting.status import Look, advance, begun
from infratest.alerting.subject import Subject
from infratest.errors import UserError
from infratest.hosts import Host
from infratest.stack.monitor import Rule

WEB = Subject(
    "features/web.feature#nginx-answers@web-1", "web-1", ("web",), {"team": "web", "role": "web"}, ("web", "slow")
)
SPARE = Subject("features/web.feature#nginx-answers@web-2", "web-2", ("web", "spare"), {"team": "web"}, ("web",))
DB = Subject("features/db.feature#holds/2@db", "db", ("data",), {"team": "data", "env": "blue"}, ("heal:restart-db",))
SHOP = Subject("features/shop.feature#shop-answers@-", "-", tags=("web",))
BEAT = Subject("monitor#heartbeat/backup@-")
EVERY = (WEB, SPARE, DB, SHOP, BEAT)


def rule(when: str = "", to: str = "ops", **more) -> Rule:
    return Rule(to=(to,), when=when, where="stack.yaml:7: monitor.tell[0].when", **more)


def chosen(when: str, state: str = "critical", env: str = "prod") -> list[Subject]:
    (route,) = routes([rule(when)], Scope(EVERY, (), env, ("dev", "prod")))
    return [subject for subject in EVERY if route.when(subject, state)]


@pytest.mark.parametrize(
    ("when", "subjects"),
    [
        ("", [*EVERY]),
        ("web-1", [WEB]),
        ("web", [WEB, SPARE]),
        ("not web", [DB, SHOP, BEAT]),
        ("team=web", [WEB, SPARE]),
        ("label.team=web", [WEB, SPARE]),
        ("label.team!=web", [DB, SHOP, BEAT]),
        ("label.team=w* and not spare", [WEB]),
        ("label.env=blue", [DB]),
        ("label.role=*", [WEB]),
        ("tag=web", [WEB, SPARE, SHOP]),
        ("tag!=web", [DB, BEAT]),
        ("tag=web and tag=slow", [WEB]),
        ("tag=heal:*", [DB]),
        ("id=features/web.feature#*", [WEB, SPARE]),
        ("id=features/web.feature#nginx-answers", [WEB, SPARE]),  # without its host, too
        ("id=*@web-2", [SPARE]),
        ("id=monitor#heartbeat/*", [BEAT]),
        ("state=critical", [*EVERY]),
        ("state=warning", []),
        ("state!=warning and db", [DB]),
        ("env=prod", [*EVERY]),
        ("env=dev", []),
        ("state=critical and env=prod and (data or tag=slow)", [WEB, DB]),
    ],
)
def test_which_results_a_rule_is_for(when, subjects):
    assert chosen(when) == subjects


def test_state_and_environment_are_those_of_the_moment():
    assert chosen("state=critical", "warning") == []
    assert chosen("state=*", "unknown") == [*EVERY]
    assert chosen("env=prod", env="dev") == []


def test_the_rest_of_a_rule_is_in_its_route():
    first, second = routes(
        [rule(), Rule(to=("a", "b"), after=120.0, again=3600.0, on=("problem", "ack"), stop=True)], Scope(EVERY)
    )
    assert (first.to, first.after, first.again, first.stop) == (("ops",), 0.0, None, False)
    assert first.on == {"problem", "recovery", "flap"}
    assert (second.to, second.after, second.again, second.stop) == (("a", "b"), 120.0, 3600.0, True)
    assert second.on == {"problem", "ack"}


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("wbe", "unknown host or group 'wbe': did you mean 'web'? known are -, data, db, spare, web, web-1"),
        ("tema=web", "unknown name 'tema': did you mean 'team'? known are env, id, label.env, label.role,"),
        ("label.tema=web", "unknown name 'label.tema': did you mean 'label.team'? known are env, id, label.env,"),
        ("label.team=wbe", "unknown label.team 'wbe': did you mean 'web'? known are data, web"),
        ("state=critcal", "unknown state 'critcal': did you mean 'critical'? known are critical, unknown, warning"),
        ("state=ok", "unknown state 'ok': known are critical, unknown, warning"),
        ("tag=@web", "unknown tag '@web': did you mean 'web'? known are heal:restart-db, slow, web"),
        ("not tag=wbe", "unknown tag 'wbe': did you mean 'web'?"),
        ("id=features/wbe.feature#*", "unknown id 'features/wbe.feature#*': did you mean 'features/"),
        ("env=prd", "unknown env 'prd': did you mean 'prod'? known are dev, prod; a host's own label env is written l"),
        ("state=", "a value is missing behind 'state'; write as"),
        ("state==critical", "a label is compared by one '='"),
        ("web and", "a name is missing; write as"),
        ("(web", "a ')' is missing"),
        ("web, db", "'web,': join names by 'or', not by ','"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(when, words):
    with pytest.raises(UserError) as raised:
        routes([rule(when)], Scope(EVERY, (), "prod", ("dev", "prod")))
    message = str(raised.value)
    assert message.startswith(f"stack.yaml:7: monitor.tell[0].when: '{when}': ")
    assert words in message
    assert "\n" not in message


def test_all_mistakes_are_told_at_once():
    second = Rule(to=("ops",), when="nobody", where="stack.yaml:9: monitor.tell[1].when")
    with pytest.raises(UserError) as raised:
        routes([rule("wbe"), rule("web"), second], Scope(EVERY))
    assert [line.partition(" '")[0] for line in str(raised.value).splitlines()] == [
        "stack.yaml:7: monitor.tell[0].when:", "stack.yaml:9: monitor.tell[1].when:",
    ]  # fmt: skip


def test_a_stack_without_environments_has_none():
    with pytest.raises(UserError, match="unknown env 'prod': known are none; a host's own label env is written label"):
        routes([rule("env=prod")], Scope(EVERY))


def test_a_host_on_which_nothing_is_watched_is_known_and_a_rule_for_it_alone_is_idle():
    scope = Scope(EVERY, (Host(name="mail", groups=("relay",), labels={"zone": "b"}),))
    for when in ("mail", "relay", "zone=b", "label.zone=b"):
        assert len(routes([rule(when)], scope)) == 1
        assert idle([rule(when)], scope) == [f"stack.yaml:7: monitor.tell[0].when: {NEVER}"]


def rules(*written: tuple[str, bool]) -> list[Rule]:
    return [
        Rule(to=("ops",), when=when, stop=stop, where=f"stack.yaml:{place + 5}: monitor.tell[{place}]")
        for place, (when, stop) in enumerate(written)
    ]


NEVER = "it is for no result that there can be; mend it, or remove the rule"


@pytest.mark.parametrize(
    ("written", "problems"),
    [
        ([("web", True), ("data", False)], []),
        ([("web", True), ("", False)], []),
        ([("web and state=critical", True), ("web", False)], []),
        ([("env=dev", False), ("env=prod and state=unknown", False)], []),  # in another environment it is for some
        ([("web and data", False)], [f"stack.yaml:5: monitor.tell[0]: {NEVER}"]),
        ([("state=critical and state=warning", False)], [f"stack.yaml:5: monitor.tell[0]: {NEVER}"]),
        ([("web and tag=heal:*", True), ("web", False)], [f"stack.yaml:5: monitor.tell[0]: {NEVER}"]),
        (
            [("", True), ("web", False)],
            [
                "stack.yaml:6: monitor.tell[1]: whatever it is for ends at a rule before it with `stop: true` "
                "(stack.yaml:5: monitor.tell[0]); put it before that one"
            ],
        ),
        (
            [("tag=web", True), ("state=critical", False), ("web", True), ("data or db", True), ("web or db", False)],
            [
                "stack.yaml:7: monitor.tell[2]: whatever it is for ends at a rule before it with `stop: true` "
                "(stack.yaml:5: monitor.tell[0]); put it before that one",
                "stack.yaml:9: monitor.tell[4]: whatever it is for ends at a rule before it with `stop: true` "
                "(stack.yaml:5: monitor.tell[0], stack.yaml:8: monitor.tell[3]); put it before that one",
            ],
        ),
    ],
)
def test_rules_that_tell_nobody_of_anything(written, problems):
    assert idle(rules(*written), Scope(EVERY, environments=("dev", "prod"))) == problems


@pytest.mark.parametrize("id", ["project", "store", "heals", "hosts"])
def test_what_the_monitor_is_itself_may_be_named_before_anything_is_wrong_with_it(id):
    itself, other = Subject(f"monitor#{id}@-"), Subject("monitor#canary@-")
    (route,) = routes([rule(f"id=monitor#{id}")], Scope(EVERY))
    assert [route.when(each, "critical") for each in (itself, other, WEB)] == [True, False, False]
    assert idle([rule(f"id={itself.id}")], Scope(EVERY)) == []
    assert len(idle(rules(("id=monitor#*", True), (f"id={itself.id}", False)), Scope(EVERY))) == 1
    with pytest.raises(UserError, match="unknown id 'monitor#canary@-'"):
        routes([rule(f"id={other.id}")], Scope(EVERY))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ([Rule(to=("ops",))], ""),
        ([Rule(to=("ops",), when="state!=warning and env=prod")], ""),  # in another environment nobody is to be told
        (
            [Rule(to=("ops",), when="state=critical"), Rule(to=("ops",), when="label.team=*")],
            "2 of 5 results become unknown, such as features/shop.feature#shop-answers@-",
        ),
        (
            [Rule(to=("ops",), when="web", on=("recovery",)), Rule(to=("ops",), when="web-1")],
            "4 of 5 results become critical, such as features/web.feature#nginx-answers@web-2 "
            "or 4 of 5 results become unknown, such as features/web.feature#nginx-answers@web-2",
        ),
        (  # what stops is not told by who stands behind it
            [Rule(to=("ops",), when="web-2 and state=unknown", on=("ack",), stop=True), Rule(to=("ops",))],
            "1 of 5 results become unknown, such as features/web.feature#nginx-answers@web-2",
        ),
    ],
)
def test_what_nobody_would_hear_of(written, words):
    every = {"critical": EVERY, "unknown": EVERY}
    assert unheard(written, Scope(EVERY, environments=("dev", "prod")), every) == words


def test_they_serve_the_ledger():
    """One hard failure, told by the routes that are for it: to the team of the host, and to nobody behind `stop`."""
    every = routes(
        [
            Rule(to=("team",), when="label.team=web and state=critical", stop=True),
            Rule(to=("oncall",), when="state=critical"),
        ],
        Scope(EVERY),
    )
    policy = Policy(attempts=Attempts(1, 1))
    now = Moment(100.0, 1e9)
    statuses = {
        each.id: advance(begun(Moment(0.0, 1e9)), Look(now, state, reason="port 80 is not listening"), policy)
        for each, state in ((WEB, "critical"), (DB, "critical"), (SPARE, "warning"))
    }
    answer = owed(
        Picture(now, {each.id: each for each in EVERY}, statuses), {}, every, [Receiver("team"), Receiver("oncall")], {}
    )
    assert sorted((notice.receiver, notice.id) for notice in answer.notices) == [("oncall", DB.id), ("team", WEB.id)]
    assert [(one.receiver, one.id) for one in answer.withheld] == [("-", SPARE.id)]
