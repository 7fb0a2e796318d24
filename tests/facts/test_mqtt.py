"""The fact `mqtt` and its sentences, from the controller and from a host, by a real Mosquitto that paho-mqtt tells."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from paho.mqtt.publish import multiple

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, FactError, UserError
from infratest.facts import _mqtt_client, _outside
from infratest.facts.base import Answer
from infratest.facts.mqtt import MqttFact, mqtt_address, topic_name
from infratest.testing.waiting import wait_until
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.servers import PASSWORD, free_port, mosquitto

KEPT = {"site/door": "closed", "site/warmth": "21.5 C", "site/odd": "a\tb\nc", "site/long": "x" * 2000}


@pytest.fixture(scope="module")
def brokers():
    """The ports of a broker that keeps KEPT, the second of which wants a login."""
    Secret(PASSWORD)
    with mosquitto() as (plain, locked):
        told = [{"topic": topic, "payload": text, "retain": True, "qos": 1} for topic, text in KEPT.items()]
        multiple([*told, {"topic": "site/gone", "payload": "now", "qos": 1}], "127.0.0.1", plain)
        uptime = (f"mqtt://127.0.0.1:{plain}", "kept", "$SYS/broker/uptime")
        assert wait_until(lambda: looked(uptime).message is not None, 30)
        yield plain, locked


def looked(argument, seconds=60):
    return MqttFact().look([argument], Deadline(seconds), lambda *place: place)[argument]


def asked(argument, path=None):
    done = subprocess.run(
        ["sh", "-s"], input=MqttFact().ask([argument]).encode(), env={"PATH": path or os.environ["PATH"]},
        capture_output=True, timeout=60,
    )  # fmt: skip
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    return MqttFact().read(answer, [argument])[argument]


both = pytest.mark.parametrize("view", [asked, looked], ids=["host", "controller"])


@both
def test_a_broker_says_what_it_keeps(brokers, view):
    url = f"mqtt://127.0.0.1:{brokers[0]}"
    assert (view((url, "broker")).refused, view((url, "broker")).message) == ("", None)
    for topic in ("site/door", "site/odd"):
        assert (view((url, "kept", topic)).message, view((url, "kept", topic)).cut) == (KEPT[topic], False)
    long = view((url, "kept", "site/long"))
    assert (long.message, long.cut) == ("x" * 1000, True)
    assert view((url, "kept", "site/gone")).message is None
    message = view((url, "message", "infratest"))
    assert 0 < message.took <= message.seconds


@both
@pytest.mark.parametrize("login", ["nosuch:wr0ng-one@", "monitor:wr0ng-one@", ""])
def test_a_login_that_is_refused_is_not_known(brokers, view, login):
    Secret("wr0ng-one")
    failure = view((f"mqtt://{login}127.0.0.1:{brokers[1]}", "broker"))
    assert isinstance(failure, FactError)
    assert "could not log in" in str(failure)
    assert "wr0ng-one" not in str(failure)


@both
def test_a_login_lets_us_in(brokers, view):
    url = f"mqtt://monitor:{PASSWORD}@127.0.0.1:{brokers[1]}"
    assert view((url, "kept", "site/door")).message == "closed"


@both
def test_nobody_there_lets_nobody_in(view):
    assert "connection refused" in view((f"mqtt://127.0.0.1:{free_port()}", "broker")).refused


def speaking(words, *more, then_close=True):
    """Return the port of a server that says this to whoever asks, once, and `more` to what is said next."""
    one = socket.create_server(("127.0.0.1", 0))

    def serve():
        with one, one.accept()[0] as other:
            other.recv(1000)
            other.sendall(words)
            for each in more:
                other.recv(1000)
                other.sendall(each)
            if not then_close:
                other.recv(1000)

    threading.Thread(target=serve, daemon=True).start()
    return one.getsockname()[1]


@both
@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers is no MQTT 3.1.1"),
        (b"", "hung up"),
        (b"\x20\x02\x00", "hung up"),
        (b"\x20\x02\x00\x01", "it does not speak MQTT 3.1.1"),
        (b"\x20\x02\x00\x03", "it is not available"),
        (b"\x20\x02\x00\x99", "it returns 153"),
        (b"\x20\xff\xff\xff\xff\xff", "without a length"),
        (b"\x30\x02\x00\x00", "it answers with packet 0x30"),
    ],
)
def test_what_is_no_broker_is_a_refusal(words, seen, view):
    assert seen in view((f"mqtt://127.0.0.1:{speaking(words)}", "broker")).refused


def published(topic, text, flags=1):
    payload = len(topic).to_bytes(2, "big") + topic + text
    return bytes([0x30 | flags, len(payload)]) + payload


IN, SUBSCRIBED = b"\x20\x02\x00\x00", b"\x90\x03\x00\x01\x00"
CLOSED, PASSING = published(b"door", b"closed"), published(b"door", b"open", 0)


@both
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (SUBSCRIBED + CLOSED, "closed"),
        (SUBSCRIBED + PASSING, None),
        (SUBSCRIBED + PASSING + CLOSED, "closed"),
        (PASSING + CLOSED + SUBSCRIBED, "closed"),
        (SUBSCRIBED + published(b"other", b"open") + CLOSED, "closed"),
        (SUBSCRIBED, None),
    ],
)
def test_what_passes_is_not_kept(said, kept, view):
    url = f"mqtt://127.0.0.1:{speaking(IN, said, then_close=False)}"
    answer = view((url, "kept", "door"))
    assert (answer.refused, answer.message) == ("", kept)


def test_a_message_that_is_cut_is_not_nothing():
    cuts = [CLOSED[:1], CLOSED[:2], CLOSED[:5], CLOSED[:-1]]
    more = "\t".join(("", "", "kept", "door", "1", ""))
    with ThreadPoolExecutor(len(cuts)) as threads:
        ports = [speaking(IN, SUBSCRIBED + said, then_close=False) for said in cuts]
        answers = list(threads.map(lambda port: _mqtt_client.mqtt("127.0.0.1", port, 3.0, more), ports))
    assert [(outcome, words) for outcome, _, words in answers] == [
        (_outside.MUTE, "it lets us in and does not answer within 3 s")
    ] * len(cuts)


def test_a_silent_server_has_no_more_than_our_own_deadline():
    with pytest.raises(DeadlineExceeded):
        looked((f"mqtt://127.0.0.1:{speaking(b'', then_close=False)}", "broker"), seconds=0.5)


def test_what_may_come_after_our_own_deadline_is_not_known(brokers):
    with pytest.raises(DeadlineExceeded, match="nothing came before our own deadline"):
        looked((f"mqtt://127.0.0.1:{brokers[0]}", "kept", "site/gone"), seconds=2)


def test_a_host_without_python_says_so(tmp_path):
    with pytest.raises(FactError, match="python3 is not installed on this host"):
        asked(("mqtt://127.0.0.1", "broker"), tools(tmp_path / "bin", "sh"))


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "mqtt://x/y", "mqtt://x/?y", "mqtt://monitor:written@x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UserError):
        mqtt_address(url)


@pytest.mark.parametrize("topic", ["", "a/#", "+/a", "a\nb", "x" * 1001])
def test_what_is_no_topic_is_refused(topic):
    with pytest.raises(UserError):
        topic_name(topic)


SENTENCES = {
    'the MQTT broker "{url}" answers': "ok",
    'the MQTT broker "{url}" does not answer': "critical",
    'the MQTT broker "{url}" answers in less than 60 s': "ok",
    'the MQTT broker "{url}" delivers a message below "infratest" in less than 60 s': "ok",
    'the MQTT broker "{url}" delivers a message below "infratest" in more than 60 s': "critical",
    'the topic "site/door" of "{url}" has a message': "ok",
    'the topic "site/door" of "{url}" has no message': "critical",
    'the topic "site/gone" of "{url}" has a message': "critical",
    'the topic "site/gone" of "{url}" has no message': "ok",
    'the topic "site/door" of "{url}" is "closed"': "ok",
    'the topic "site/door" of "{url}" is not "closed"': "critical",
    'the topic "site/door" of "{url}" is "open"': "critical",
    'the topic "site/door" of "{url}" is not "open"': "ok",
    'the topic "site/gone" of "{url}" is not "open"': "critical",
    'the topic "site/warmth" of "{url}" is exactly 21.5': "ok",
    'the topic "site/warmth" of "{url}" is less than 21.5': "critical",
    'the topic "site/door" of "{url}" is less than 21.5': "unknown",
    'the topic "$SYS/broker/uptime" of "{url}" is at least 0': "ok",
}


def test_sentences_are_what_the_broker_is_and_nobody_is_shown_the_password(brokers, tmp_path):
    texts, right = [], []
    url = f"mqtt://monitor:{{param.password}}@127.0.0.1:{brokers[1]}"
    for view in ("", " from the host"):
        for text, state in SENTENCES.items():
            texts.append(f"{text.replace('{url}', url)}{view}")
            right.append(state)
    seen = ask(tmp_path, texts, {"password": PASSWORD})
    differing = [(text, one, state) for text, one, state in zip(texts, seen, right, strict=True) if one[0] != state]
    assert not differing
