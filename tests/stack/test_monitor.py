"""`monitor:` of the stack file as values, in each environment; and every mistake in it, its message written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest import later
from infratest.alerting import owed
from infratest.errors import NotInThisVersion, StackFileError, UserError
from infratest.senders.base import opened
from infratest.spread.address import Address
from infratest.stack.monitor import (
    Alive,
    Flapping,
    Heartbeat,
    IntakeEntry,
    Keeping,
    Monitor,
    ReceiverEntry,
    Rule,
    SenderEntry,
)
from infratest.stack.monitor_schema import TOLD


@pytest.fixture
def load(load_text):
    """Load a stack with one host behind what is written, so that lines are as they are written."""
    return lambda text, **arguments: load_text(text + "hosts: {web: {}}\n", **arguments)


WHOLE = """\
stack: shop
monitor:
  interval: 30s
  retry: 5 s
  attempts: {failures: 3, of: 5}
  recover: 2
  stale: 3
  flap: {changes: 6, within: 1h, calm: 10 min}
  heartbeats:
    backup: {at: "0 3 * * *", zone: Europe/Berlin, grace: 30 min, runs-at-most: 1h, misses: 2}
    queue: {every: 90s, grace: 0s}
  receivers:
    oncall: {pagerduty: {key-file: pd.key}}
    team-web: {mail: {to: web@example.org, digest: 15 min}}
    chat: {apprise: "env:CHAT_URL"}
  tell:
    - {when: "state=critical and env=prod", to: oncall, again: 4h, after: 2 min}
    - when: label.team=web
      to: [team-web, chat]
      on: [problem, recovery, ack, flap]
      stop: true
  alive: {ping: "https://alive.example/7f", every: 5 min}
  listen: {statsd: "127.0.0.1:8125", http: {address: "127.0.0.1:9917", tokens: tokens}}
  store: {url: sqlite, keep: {raw: 7d, hourly: 30 days, size: 100MiB}}
"""


def test_everything_that_can_be_said(load):
    assert load(WHOLE).monitor == Monitor(
        interval=30.0,
        retry=5.0,
        failures=3,
        of=5,
        recover=2,
        stale=3,
        flap=Flapping(changes=6, within=3600.0, calm=600.0),
        listen=(
            IntakeEntry(kind="statsd", options="127.0.0.1:8125", where="stack.yaml:23: monitor.listen.statsd"),
            IntakeEntry(
                kind="http",
                options={"address": "127.0.0.1:9917", "tokens": "tokens"},
                where="stack.yaml:23: monitor.listen.http",
            ),
        ),
        heartbeats={
            "backup": Heartbeat(
                name="backup",
                at="0 3 * * *",
                zone="Europe/Berlin",
                grace=1800.0,
                runs_at_most=3600.0,
                misses=2,
                where="stack.yaml:10: monitor.heartbeats.backup",
            ),
            "queue": Heartbeat(name="queue", every=90.0, grace=0.0, where="stack.yaml:11: monitor.heartbeats.queue"),
        },
        receivers={
            "oncall": ReceiverEntry(
                name="oncall",
                kind="pagerduty",
                options={"key-file": "pd.key"},
                where="stack.yaml:13: monitor.receivers.oncall",
            ),
            "team-web": ReceiverEntry(
                name="team-web",
                kind="mail",
                options={"to": "web@example.org", "digest": "15 min"},
                where="stack.yaml:14: monitor.receivers.team-web",
            ),
            "chat": ReceiverEntry(
                name="chat", kind="apprise", options="env:CHAT_URL", where="stack.yaml:15: monitor.receivers.chat"
            ),
        },
        tell=(
            Rule(
                to=("oncall",),
                when="state=critical and env=prod",
                after=120.0,
                again=14400.0,
                where="stack.yaml:17: monitor.tell[0].when",
            ),
            Rule(
                to=("team-web", "chat"),
                when="label.team=web",
                on=("problem", "recovery", "ack", "flap"),
                stop=True,
                where="stack.yaml:18: monitor.tell[1].when",
            ),
        ),
        alive=Alive(ping="https://alive.example/7f", every=300.0),
        keep=Keeping(raw=7 * 86400.0, hourly=30 * 86400.0, size=100 * 2**20),
        where="stack.yaml:2",
    )


def test_a_stack_that_says_nothing_of_a_monitor_has_none_and_one_that_says_nothing_in_it_has_defaults(load):
    assert load("stack: shop\n").monitor is None
    assert load("stack: shop\nmonitor: {}\n").monitor == Monitor(where="stack.yaml:2")
    assert Monitor().flap == Flapping(changes=4, within=1800.0, calm=900.0)
    assert (Monitor().failures, Monitor().of, Monitor().keep.raw) == (3, 3, 14 * 86400.0)


def test_senders_are_named_by_their_kind_and_the_second_of_one_by_its_number(load):
    made = load(
        'stack: shop\nmonitor:\n  send:\n    - graphite: "127.0.0.1:2003"\n    - {syslog: {address: a}}\n'
        "    - graphite: b\n"
    ).monitor
    assert made.send == (
        SenderEntry(name="graphite", kind="graphite", options="127.0.0.1:2003", where="stack.yaml:4: monitor.send[0]"),
        SenderEntry(name="syslog", kind="syslog", options={"address": "a"}, where="stack.yaml:5: monitor.send[1]"),
        SenderEntry(name="graphite-2", kind="graphite", options="b", where="stack.yaml:6: monitor.send[2]"),
    )


PASSIVE = {"nagios-command-file": "/x", "icinga2": {"api": "https://a", "user": "u", "password-file": "p"}}


@pytest.mark.parametrize(
    ("environments", "env", "shared"),
    [
        ("", None, ()),
        ("environments: {prod: {}}", "prod", ()),
        ("environments: {dev: {}, prod: {}}", "prod", ("dev", "prod")),
        ("environments: {dev: , prod: {monitor: {retry: 5s}}}", "dev", ("dev", "prod")),
        ("environments: {dev: {monitor: {send: []}}, prod: {}}", "prod", ()),
        ("environments: {dev: {monitor: {send: null}}, prod: {}}", "prod", ()),
        ("environments: {dev: {monitor: null}, prod: {}}", "prod", ()),
        ("environments: {dev: {}, test: {}, prod: {monitor: {send: [nagios-command-file: {}]}}}", "prod", ()),
        ("environments: {dev: {}, test: {}, prod: {monitor: {send: []}}}", "dev", ("dev", "test")),
    ],
)
def test_what_is_sent_without_its_environment_is_of_one_environment(load, environments, env, shared):
    """To Nagios and Icinga dev's host is prod's of the same name: its green would stand over the other's red."""
    text = f"stack: shop\nmonitor:\n  send:\n    - nagios-command-file: {{}}\n{environments}\n"
    (sent,) = load(text, env=env).monitor.send
    assert sent.shared == shared
    for kind, options in PASSIVE.items():
        if shared:
            with pytest.raises(UserError, match=rf"send\[0\]: {kind}: {' and '.join(shared)} have this entry"):
                opened(kind, options, sent.where, Path(), sent.shared)
        else:
            assert opened(kind, options, sent.where, Path(), sent.shared)
    assert opened("graphite", "127.0.0.1:2003", sent.where, Path(), sent.shared)


@pytest.mark.parametrize(
    ("text", "attempts"), [("attempts: 5", (5, 5)), ("attempts: {failures: 1, of: 3}", (1, 3)), ("recover: 1", (3, 3))]
)
def test_a_number_of_attempts_is_so_many_of_so_many(load, text, attempts):
    made = load(f"stack: shop\nmonitor: {{{text}}}\n").monitor
    assert (made.failures, made.of) == attempts


def test_an_environment_merges_maps_and_replaces_lists(load):
    text = WHOLE + (
        "environments:\n"
        "  dev: {monitor: {interval: 1h, attempts: 1, tell: [{to: chat}], receivers: {oncall: null}}}\n"
        "  calm: {monitor: {flap: off, heartbeats: {backup: {zone: UTC}}, alive: null, store: {keep: {raw: 1d}}}}\n"
        "  plain: {monitor: {flap: null, attempts: null}}\n"
        "  none: {monitor: null}\n"
    )
    dev, calm = load(text, env="dev").monitor, load(text, env="calm").monitor
    assert (dev.interval, dev.retry, dev.failures, dev.of) == (3600.0, 5.0, 1, 1)
    assert dev.tell == (Rule(to=("chat",), where="stack.yaml:26: environments.dev.monitor.tell[0]"),)
    assert [*dev.receivers] == ["team-web", "chat"]
    assert calm.flap is None
    assert (calm.heartbeats["backup"].zone, calm.heartbeats["backup"].at) == ("UTC", "0 3 * * *")
    assert (calm.alive, calm.keep) == (None, Keeping(raw=86400.0, hourly=30 * 86400.0, size=100 * 2**20))
    plain = load(text, env="plain").monitor
    assert (plain.flap, plain.failures, plain.of) == (Flapping(), 3, 3)  # null removes: the defaults are back
    assert load(text, env="none").monitor is None


def test_values_may_be_parameters(load):
    text = (
        "stack: shop\n"
        "parameters:\n"
        "  often: {type: string, default: 10s}\n"
        "  tries: {type: integer, default: 4}\n"
        "  who: {type: string, default: ops@example.org}\n"
        "  last: {type: boolean, default: true}\n"
        "monitor:\n"
        '  interval: "{param.often}"\n'
        '  attempts: "{param.tries}"\n'
        '  receivers: {ops: {mail: {to: ["{param.who}"]}}}\n'
        '  tell: [{when: "id=*#{param.often}*", to: ops, stop: "{param.last}"}]\n'
    )
    made = load(text, parameters={"often": "20s"}).monitor
    assert (made.interval, made.failures, made.of) == (20.0, 4, 4)
    assert made.receivers["ops"].options == {"to": ["ops@example.org"]}
    assert (made.tell[0].when, made.tell[0].stop) == ("id=*#20s*", True)
    with pytest.raises(StackFileError, match=r"stack.yaml:8: monitor.interval: found 'soon', allowed is a time with"):
        load(text, parameters={"often": "soon"})


RECEIVER = "receivers: {ops: {mail: {}}}"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("intervall: 10s", "stack.yaml:3: monitor.intervall: unknown key 'intervall': did you mean 'interval'? known "),
        ("interval: 10", 'monitor.interval: found the number 10, allowed is a time with its unit, such as 30s or 1h'),
        ("interval: 0s", "stack.yaml:3: monitor.interval: must be more than zero, and at most 100 years (36525 days)"),
        ("retry: 40000 days", "stack.yaml:3: monitor.retry: must be more than zero, and at most 100 years"),
        ("attempts: 0", "stack.yaml:3: monitor.attempts: found the number 0, allowed is a whole number from 1 to 100"),
        ("attempts: often", "monitor.attempts: found 'often', allowed is a whole number from 1 to 100, or a map of"),
        ("attempts: {failures: 3}", "stack.yaml:3: monitor.attempts: the key 'of' is missing; it takes a whole number"),
        ("attempts: {failures: 4, of: 3}", "monitor.attempts: 4 failures of 3 looks cannot be; write as {failures: 3"),
        ("attempts: {failures: 2, of: 3, off: 3}", "monitor.attempts.off: unknown key 'off': did you mean 'of'"),
        ("recover: 1.5", "monitor.recover: found the number 1.5, allowed is a whole number from 1 to 100"),
        ("stale: 0", "monitor.stale: found the number 0, allowed is a whole number from 1 to 1000"),
        ("flap: no", "stack.yaml:3: monitor.flap: found 'no', allowed is off, or a map of changes, within and calm"),
        ("flap: null", "monitor.flap: found nothing (null), allowed is off, or a map of changes, within and calm"),
        ("flap: {changes: 1}", "monitor.flap.changes: found the number 1, allowed is a whole number from 2 to 100"),
        ("flap: {within: 0 min}", "stack.yaml:3: monitor.flap.within: must be more than zero"),
        ("heartbeats: {b: {}}", 'stack.yaml:3: monitor.heartbeats.b: write either at, such as "0 3 * * *", or every'),
        ('heartbeats: {b: {at: "0 3 * * *", every: 1h}}', "monitor.heartbeats.b: write either at, such as"),
        ("heartbeats: {b: {every: 1h, zone: UTC}}", "monitor.heartbeats.b.zone: a time zone says nothing without `at`"),
        ('heartbeats: {b: {at: "0 3 * *"}}', "monitor.heartbeats.b.at: '0 3 * *' is no cron expression (it has not fi"),
        ('heartbeats: {b: {at: "61 3 * * *"}}', "monitor.heartbeats.b.at: '61 3 * * *' is no cron expression (Bad min"),
        (
            'heartbeats: {b: {at: "0 3 * * *", zone: Berlin}}',
            "stack.yaml:3: monitor.heartbeats.b.zone: 'Berlin' is not in this machine's table of time zones; write as",
        ),
        ("heartbeats: {b: {every: 0s}}", "monitor.heartbeats.b.every: must be more than zero"),
        ("heartbeats: {b: {every: 1h, grace: -1s}}", "monitor.heartbeats.b.grace: found '-1s', allowed is a time with"),
        ("heartbeats: {b: {every: 1h, runs-at-most: 0s}}", "monitor.heartbeats.b.runs-at-most: must be more than zero"),
        ("heartbeats: {b: {every: 1h, runs_at_most: 1h}}", "unknown key 'runs_at_most': did you mean 'runs-at-most'?"),
        ("heartbeats: {b: {every: 1h, misses: 0}}", "monitor.heartbeats.b.misses: found the number 0, allowed is a wh"),
        ('heartbeats: {"a b": {every: 1h}}', "monitor.heartbeats.a b: found the name 'a b', allowed is a name of lett"),
        ("witness: [192.0.2.1]", "monitor.witness[0]: found '192.0.2.1', allowed is a URL, or HOST:PORT"),
        ("witness: []", "monitor.witness: found an empty list, allowed is a list of URLs and of HOST:PORT"),
        ("send: [{graphite: {}, syslog: {}}]", "monitor.send[0]: found the keys graphite, syslog, allowed is a map of"),
        ("send: {graphite: {}}", "stack.yaml:3: monitor.send: found a map, allowed is a list of senders"),
        ("receivers: {ops: {mail: {}}}", "stack.yaml:3: monitor.receivers: nobody is told anything: add `tell: [{to:"),
        ("receivers: {ops: {mail: {}, chat: {}}}", "monitor.receivers.ops: found the keys mail, chat, allowed is a ma"),
        ("receivers: {ops: {}}", "stack.yaml:3: monitor.receivers.ops: found an empty map, allowed is a map of one ki"),
        ("receivers: {ops: mail}", "stack.yaml:3: monitor.receivers.ops: found 'mail', allowed is a map of one kind o"),
        (RECEIVER + ", tell: [{to: opps}]", "stack.yaml:3: monitor.tell[0].to: unknown receiver 'opps': did you mean"),
        (RECEIVER + ", tell: [{to: [ops, x]}]", "monitor.tell[0].to[1]: unknown receiver 'x': known are ops"),
        ("tell: [{to: ops}]", "stack.yaml:3: monitor.tell[0].to: unknown receiver 'ops': known are none"),
        (RECEIVER + ", tell: [{to: []}]", "monitor.tell[0].to: found an empty list, allowed is a receiver's name, or"),
        (RECEIVER + ", tell: [{to: [ops, ops]}]", "monitor.tell[0].to: 'ops' stands twice in the list"),
        (RECEIVER + ", tell: [{when: tag=web}]", "monitor.tell[0]: the key 'to' is missing; it takes a receiver's nam"),
        (RECEIVER + ", tell: [{to: ops, on: [problems]}]", "monitor.tell[0].on[0]: unknown value 'problems': did you"),
        (RECEIVER + ", tell: [{to: ops, on: problem}]", "monitor.tell[0].on: found 'problem', allowed is a list of pr"),
        (RECEIVER + ", tell: [{to: ops, on: []}]", "monitor.tell[0].on: found an empty list, allowed is a list of"),
        (RECEIVER + ", tell: [{to: ops, again: 0s}]", "monitor.tell[0].again: must be more than zero"),
        (RECEIVER + ", tell: [{to: ops, after: soon}]", "monitor.tell[0].after: found 'soon', allowed is a time with"),
        (RECEIVER + ", tell: [{to: ops, stop: 1}]", "monitor.tell[0].stop: found the number 1, allowed is true or fal"),
        (RECEIVER + ", tell: [{to: ops, when: ''}]", "monitor.tell[0].when: found empty text, allowed is an expressio"),
        ("alive: {every: 60s}", "stack.yaml:3: monitor.alive: write ping, a URL that cries when it is not asked"),
        ("witness: [gateway]", "monitor.witness[0]: found 'gateway', allowed is a URL, or HOST:PORT"),
        ("alive: {ping: alive.example}", "monitor.alive.ping: found 'alive.example', allowed is a URL that starts wit"),
        ("alive: {peer: west}", "monitor.alive.peer: found 'west', allowed is a URL that starts with http:"),
        ('alive: {ping: "https://a/", every: 0s}', "monitor.alive.every: must be more than zero"),
        ("store: {url: mysql}", "stack.yaml:3: monitor.store.url: found 'mysql', allowed is sqlite, or postgresql://USER@HOST/DATABASE"),
        ("store: {keep: {raw: 10 min}}", "monitor.store.keep.raw: '10 min' is less than an hour, of which nothing cou"),
        ("store: {keep: {size: 10kB}}", "monitor.store.keep.size: '10kB' is too little for any history; write 1MiB or"),
        ("store: {keep: {raw: 500d}}", "monitor.store.keep.raw: `hourly` is less than `raw`: what hours come to is ke"),
        ("store: {keep: {hourly: 1d}}", "monitor.store.keep.hourly: `hourly` is less than `raw`"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(load, written, words):
    with pytest.raises(StackFileError) as raised:
        load(f"stack: shop\nmonitor:\n  {{{written}}}\n")
    assert words in str(raised.value)
    assert str(raised.value).startswith("stack.yaml:")
    assert "\n" not in str(raised.value)


def test_all_mistakes_are_told_at_once_and_those_of_an_environment_in_its_place(load):
    text = (
        "stack: shop\n"
        "monitor:\n"
        "  attempts: {failures: 3, of: 2}\n"
        "  heartbeats: {b: {every: 0s}}\n"
        "environments:\n"
        "  prod:\n"
        "    monitor:\n"
        "      receivers: {ops: {mail: {}}}\n"
        "      tell: [{to: opps}]\n"
    )
    with pytest.raises(StackFileError) as raised:
        load(text)
    assert [line.split(": ")[:2] for line in str(raised.value).splitlines()] == [
        ["stack.yaml:3", "monitor.attempts"],
        ["stack.yaml:4", "monitor.heartbeats.b.every"],
        ["stack.yaml:9", "environments.prod.monitor.tell[0].to"],
    ]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("discover: [stack]", "monitor.discover"),
    ],
)
def test_what_no_code_uses_yet_is_refused_by_name(load, written, place):
    with pytest.raises(NotInThisVersion, match=rf"^stack.yaml:3: {place}: not in this version$"):
        load(f"stack: shop\nmonitor:\n  {{{written}}}\n")
    with pytest.raises(NotInThisVersion, match=rf"^stack.yaml:4: environments.prod.{place}: not in this version$"):
        load(f"stack: shop\nenvironments:\n  prod:\n    monitor: {{{written}}}\n")


def test_every_key_of_the_design_is_there_or_refused():
    assert later.NAMED["key of monitor"] == {"discover", "hints", "send", "jobs"}
    assert later.NAMED["key of alive"] == {"peer", "canary"}


def test_a_store_in_postgresql(load):
    stack = load(
        "stack: shop\nmonitor:\n  store:\n    url: postgresql://mon@db.example/mon\n    password-file: mon.pw\n"
        "    ca: ca.pem\n    keep: {raw: 7d}\n"
    )
    store = stack.monitor.store
    assert (store.url, store.password_file, store.ca) == ("postgresql://mon@db.example/mon", "mon.pw", "ca.pem")
    assert store.where.startswith("stack.yaml:4: ")
    assert stack.monitor.keep.raw == 7 * 86400


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("url: mysql://mon@db/mon", "monitor.store.url: .*sqlite, or postgresql://USER@HOST/DATABASE"),
        ("url: postgresql://mon@db", "monitor.store.url: 'postgresql://mon@db': expected postgresql://USER@HOST:PORT"),
        (
            'url: "postgresql://mon:hush@db/mon"',
            "monitor.store.url: a password stands in a file that `password-file:` names",
        ),
        ("password-file: mon.pw", "monitor.store.password-file: it is for a postgresql:// store"),
        ("url: sqlite, ca: ca.pem", "monitor.store.ca: it is for a postgresql:// store"),
    ],
)
def test_another_store_is_refused(load, written, words):
    with pytest.raises(StackFileError, match=words) as raised:
        load(f"stack: shop\nmonitor: {{store: {{{written}}}}}\n")
    assert "hush" not in str(raised.value)


def test_what_is_told_is_what_the_ledger_knows():
    assert TOLD == owed.KINDS


def test_a_password_in_a_url_is_not_shown(load):
    with pytest.raises(StackFileError) as raised:
        load('stack: shop\nmonitor: {alive: {ping: "ftp://mon:hush@alive.example/"}}\n')
    assert "hush" not in str(raised.value)


def test_jobs_are_a_number_or_a_scheduler(load):
    few = load("stack: shop\nmonitor: {jobs: 4}\n").monitor
    far = load("stack: shop\nmonitor: {jobs: 'dask://127.0.0.1:8786'}\n").monitor
    assert (few.jobs, few.scheduler) == (4, None)
    assert (far.jobs, far.scheduler) == (64, Address("dask://127.0.0.1:8786", "127.0.0.1", 8786, False))
    for written, words in {
        "'dask://192.0.2.1'": "stack.yaml:2: monitor.jobs: dask://192.0.2.1 is not on loopback, and whoever can talk",
        "0": "stack.yaml:2: monitor.jobs: found the number 0, allowed is a whole number from 1 to 1000, or dask://HOST:PORT",
        "http://h": "stack.yaml:2: monitor.jobs: found 'http://h', allowed is a whole number from 1 to 1000, or dask",
    }.items():
        with pytest.raises(StackFileError) as caught:
            load(f"stack: shop\nmonitor: {{jobs: {written}}}\n")
        assert str(caught.value).startswith(words)
