"""`infratest mutate` of a NATS server on a real host: another one in its place turns each sentence red."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Project

pytestmark = pytest.mark.hosts

STACK = """
stack: queues
provider: container
hosts:
  mq:
    memory: 256MiB
    provision: [{file: {from: nats-server, to: /usr/local/sbin/nats-server, mode: "0755"}}, {shell: queue.sh}]
"""
#: A NATS server with a stream of three messages and one consumer, made by JetStream's own API.
QUEUE = rb"""#!/bin/sh
set -e
printf 'jetstream { store_dir: /var/lib/nats }\n' >/etc/nats.conf
printf '[Service]\nExecStart=/usr/local/sbin/nats-server -c /etc/nats.conf\n' >/etc/systemd/system/nats.service
systemctl daemon-reload
systemctl start nats
perl -MIO::Socket::INET -e '
  my $server;
  for (1 .. 300) { last if $server = IO::Socket::INET->new("127.0.0.1:4222"); select(undef, undef, undef, 0.1) }
  die "no NATS server" unless $server;
  my $asked = sub {
    my ($subject, $text) = @_;
    print $server "PUB $subject answer " . length($text) . "\r\n$text\r\n";
    while (<$server>) { last if /^MSG / }
    my $answer = <$server>;
    die $answer if $answer =~ /error/;
  };
  print $server "CONNECT {}\r\nSUB answer 1\r\n";
  $asked->("\$JS.API.STREAM.CREATE.orders", "{\"name\":\"orders\",\"subjects\":[\"orders.*\"],\"storage\":\"memory\"}");
  $asked->("orders.$_", "{}") for 1 .. 3;
  $asked->("\$JS.API.CONSUMER.DURABLE.CREATE.orders.packer",
    "{\"stream_name\":\"orders\",\"config\":{\"durable_name\":\"packer\",\"ack_policy\":\"explicit\"}}");
'
"""
#: All that is said of NATS.
OF_QUEUES = """Feature: queues
  Scenario: a server and what it holds
    Then the NATS server "nats://{host.mq.address}" answers
    And the NATS server "nats://{host.mq.address}" answers in less than 3 s
    And the NATS server "nats://{host.mq.address}" has at least version "2.9"
    And the NATS server "nats://{host.mq.address}" does not have version "1.0"
    And the NATS server "nats://{host.mq.address}" delivers a message in less than 3 s
    And the stream "orders" of "nats://{host.mq.address}" exists
    And the stream "spare" of "nats://{host.mq.address}" does not exist
    And the stream "orders" of "nats://{host.mq.address}" has exactly 3 messages
    And the stream "orders" of "nats://{host.mq.address}" has at least 1 consumer
    And the stream "orders" of "nats://{host.mq.address}" is less than 1 GiB in size
"""
#: What is said of another server in its place, sentence by sentence: of late answers nothing that hangs on speed.
RED_BY = [
    "connection refused", "critical: ", "has version 0.0.1", "has version 1.0", "critical: ", "does not exist",
    "exists", "has 6 messages; expected exactly 3", "has 0 consumers", "is 2 GiB in size",
]  # fmt: skip


@pytest.fixture(scope="module")
def queues(new_project: Callable[..., Project]) -> Project:
    server = Path(shutil.which("nats-server") or "/usr/sbin/nats-server").read_bytes()
    return new_project(STACK, {"queue.sh": QUEUE, "nats-server": server})


def test_each_sentence_about_a_message_server_turns_red_by_another_in_its_place(queues: Project) -> None:
    left = "nft list tables; ls /run /var/lib | grep infratest-; true"
    before = queues.good("run", "mq", left)
    (queues.folder / "asked.feature").write_text(OF_QUEUES, encoding="utf-8")
    done = queues.run("mutate", "asked.feature", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    steps = [step for one in report["results"] for step in one["steps"]]
    assert {step["text"]: step["reason"] for step in steps if step["state"] != "ok"} == {}
    assert report["notes"] == ["mutation score 100 %: 10 of 10 sentences turned red when what they say was broken"]
    outputs = [step["evidence"][0]["output"] for step in steps]
    assert [(one, words) for one, words in zip(outputs, RED_BY, strict=True) if words not in one] == []
    assert queues.good("run", "mq", left) == before
