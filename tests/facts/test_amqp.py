"""The fact `amqp` and its sentences, from the controller and from a host, by a real RabbitMQ that pika fills."""

from __future__ import annotations

import os
import socket
import subprocess
import threading

import pika
import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts.amqp import AmqpFact, amqp_address
from infratest.facts.base import Answer
from infratest.testing.waiting import wait_until
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.servers import PASSWORD, RABBITMQ, free_port, rabbitmq


@pytest.fixture(scope="module")
def server():
    """The ports of a broker and of its management plugin, and the words by which a program of it is run."""
    Secret(PASSWORD)
    port = free_port()
    with rabbitmq(port) as (own, words):
        yield own, port, words


@pytest.fixture(scope="module")
def broker(server):
    """The port of a broker in whose queue `orders` wait 6 messages beside 3 consumers, each of which has one."""
    port, _, _ = server
    login = pika.PlainCredentials("monitor", PASSWORD)
    place = pika.ConnectionParameters("127.0.0.1", port, "shop", login, heartbeat=0)
    connection = pika.BlockingConnection(place)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    for _ in range(3):
        channel.basic_consume("orders", lambda *_: None)
    for number in range(9):
        channel.basic_publish("", "orders", f"{number}".encode())
    yield port
    connection.close()


def looked(argument, seconds=60):
    return AmqpFact().look([argument], Deadline(seconds), lambda *place: place)[argument]


def asked(argument, path=None):
    words = ["sh", "-s"]
    done = subprocess.run(
        words, input=AmqpFact().ask([argument]).encode(), env={"PATH": path or os.environ["PATH"]},
        capture_output=True, timeout=60,
    )  # fmt: skip
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return AmqpFact().read(answer, [argument])[argument]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])


@both
def test_a_broker_says_what_it_is_and_what_waits(broker, view):
    url = f"amqp://monitor:{PASSWORD}@127.0.0.1:{broker}/shop"
    assert view((url, "broker")).product == "RabbitMQ"
    orders, empty, nosuch = (view((url, "queue", name)) for name in ("orders", "empty", "nosuch"))
    assert (orders.there, orders.messages, orders.consumers) == (True, 6, 3)
    assert (empty.there, empty.messages, empty.consumers) == (True, 0, 0)
    assert not nosuch.there
    message = view((url, "message"))
    assert 0 < message.took <= message.seconds


@both
@pytest.mark.parametrize("login", ["nosuch:wr0ng-one@", "monitor:wr0ng-one@", ""])
def test_a_login_that_is_refused_is_not_known(broker, view, login):
    Secret("wr0ng-one")
    failure = view((f"amqp://{login}127.0.0.1:{broker}/shop", "broker"))
    assert isinstance(failure, FactError)
    assert "could not log in" in str(failure)
    assert "wr0ng-one" not in str(failure)


@both
def test_nobody_there_lets_nobody_in(view):
    assert "connection refused" in view((f"amqp://127.0.0.1:{free_port()}", "broker")).refused


def speaking(words, *, then_close=True):
    """Return the port of a server that says this to whoever asks, once."""
    one = socket.create_server(("127.0.0.1", 0))

    def serve():
        with one, one.accept()[0] as other:
            other.recv(1000)
            other.sendall(words)
            if not then_close:
                other.recv(1000)

    threading.Thread(target=serve, daemon=True).start()
    return one.getsockname()[1]


@both
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers is no AMQP 0-9-1"),
        (b"AMQP\x00\x01\x00\x00", "it speaks version 0.1.0"),
        (b"", "hung up"),
        (b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x0b\xce", "no AMQP 0-9-1: it answers with method (10, 11)"),
        (b"\x01\x00\x00\xff\xff\xff\xff\x00", "no AMQP 0-9-1"),
        (b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x0a\x00", "without its end"),
    ],
)
def test_what_is_no_broker_is_a_refusal(words, seen, view):
    assert seen in view((f"amqp://127.0.0.1:{speaking(words)}", "broker")).refused


def test_a_silent_server_has_no_more_than_our_own_deadline():
    with pytest.raises(DeadlineExceeded):
        looked((f"amqp://127.0.0.1:{speaking(b'', then_close=False)}", "broker"), seconds=0.5)


def test_a_host_without_python_says_so(tmp_path):
    with pytest.raises(FactError, match="python3 is not installed on this host"):
        asked(("amqp://127.0.0.1", "broker"), tools(tmp_path / "bin", "sh"))


@pytest.mark.parametrize("url", ["", "http://x", "amqp://", "amqp://x/y/z", "amqp://x/0?y", "amqp://monitor:written@x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError):
        amqp_address(url)


#: What is so of the broker, of its queue `orders`, and of those that are empty or not there.
OF_BROKER = {
    "answers": "ok",
    "does not answer": "critical",
    "answers in less than 60 s": "ok",
    'has at least version "3.8"': "ok",
    'has version "3.8"': "critical",
    'does not have version "3.8"': "ok",
    "delivers a message in less than 60 s": "ok",
    "delivers a message in more than 60 s": "critical",
}
OF_QUEUES = {
    "exists": ("ok", "ok", "critical"),
    "does not exist": ("critical", "critical", "ok"),
    "has exactly 6 messages": ("ok", "critical", "critical"),
    "has less than 6 messages": ("critical", "ok", "critical"),
    "has at least 3 consumers": ("ok", "critical", "critical"),
    "has more than 3 consumers": ("critical", "critical", "critical"),
    "has exactly 2 messages per consumer": ("ok", "critical", "critical"),
    "has less than 2 messages per consumer": ("critical", "critical", "critical"),
}


def test_sentences_are_what_the_broker_is_and_nobody_is_shown_the_password(broker, tmp_path):
    texts, right = [], []
    url = f"amqp://monitor:{{param.password}}@127.0.0.1:{broker}/shop"
    for view in ("", " from the host"):
        for text, state in OF_BROKER.items():
            texts.append(f'the AMQP server "{url}" {text}{view}')
            right.append(state)
        for text, states in OF_QUEUES.items():
            for name, state in zip(("orders", "empty", "nosuch"), states, strict=True):
                texts.append(f'the queue "{name}" of "{url}" {text}{view}')
                right.append(state)
    seen = ask(tmp_path, texts, {"password": PASSWORD})
    differing = [(text, one, state) for text, one, state in zip(texts, seen, right, strict=True) if one[0] != state]
    assert not differing


#: Steps of cucumber-nagios about the queue `orders`.
OF_CUCUMBER_NAGIOS = {
    "it should have less than 7 messages": "ok",
    "it should have less than 6 messages": "critical",
    "it should have at least 6 messages": "ok",
    "it should have more than 6 messages": "critical",
    "It should have more than 2 consumers": "ok",
    "it should have less than 3 consumers": "critical",
    "it should have 3 consumers": "ok",
    "it should have less than 2 messages per consumer": "critical",
}


def test_the_steps_of_cucumber_nagios_about_a_queue_run_as_they_are(broker, tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps/cucumber_nagios.py").write_text(
        "from infratest.importers.cucumber_nagios.pack import register\n\nregister()\n"
    )
    said = f"I have a AMQP server on monitor:{{param.password}}@127.0.0.1:{broker}/shop"
    said = f"{said}\n    And I want to check on the orders queue\n    And "
    seen = ask(tmp_path, [said + text for text in OF_CUCUMBER_NAGIOS], {"password": PASSWORD})
    assert [state for state, _ in seen] == list(OF_CUCUMBER_NAGIOS.values()), seen


def test_the_nodes_of_a_broker_say_what_they_are_and_an_alarm_is_seen(server, tmp_path):
    """The last one, for who publishes waits while there is an alarm."""
    _, port, words = server
    url, none = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    login = 'logged in as "monitor:{param.mq_password}"'
    node, other = (
        f'the node "tests@localhost" of the RabbitMQ "{url}"',
        f'the node "x@y" of the RabbitMQ "{url}" {login}',
    )
    cluster = f'the cluster of the RabbitMQ "{url}" {login}'

    def states(*texts):
        return [state for state, *_ in ask(tmp_path, texts, {"mq_password": PASSWORD})]

    wait_until(lambda: states(f"{node} {login} has no alarm") == ["ok"], 30)
    right = {
        f"{node} {login} is running": "ok", f"{node} {login} is not running": "critical",
        f"{node} {login} has an alarm": "critical", f"{other} has no alarm": "critical",
        f"{other} has an alarm": "critical", f"{other} is not running": "critical",
        f"{cluster} has no partition": "ok", f"{cluster} has a partition": "critical",
        f"{cluster} has exactly 1 running nodes": "ok", f"{cluster} has at least 2 running nodes": "critical",
        f"{node} has no alarm": "unknown",  # nobody logs in
        f'the node "tests@localhost" of the RabbitMQ "{none}" {login} has no alarm': "critical",
        f'the node "tests@localhost" of the RabbitMQ "{none}" {login} has an alarm': "critical",
        f"{node} {login} has no alarm from the host": "ok",
    }  # fmt: skip
    assert dict(zip(right, states(*right), strict=True)) == right
    limit = [*words, str(RABBITMQ / "rabbitmqctl"), "set_vm_memory_high_watermark"]
    for value, state in (("0", "critical"), ("0.4", "ok")):
        subprocess.run([*limit, value], check=True, capture_output=True, timeout=120)
        assert wait_until(lambda state=state: states(f"{node} {login} has no alarm") == [state], 60)
