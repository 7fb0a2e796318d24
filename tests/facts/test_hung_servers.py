"""A server that lets us in and says nothing is the commonest outage of all: of every protocol it is critical.

Servers of three kinds are asked in the protocols that we speak: one says nothing, one drips a byte at a time, and one
resets every connection. Each is given up after its time, which leaves a check time to say so, and none is unknown.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic

import pytest

from infratest.check import CONTROLLER
from infratest.collect.asked import Facts, asks, questions
from infratest.collect.here import Here
from infratest.deadline import Deadline
from infratest.engine.judge import Verdict, judge
from infratest.facts.base import PATIENCE, PATIENCE_THERE, LooksFromController, Need
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.suite import Line
from infratest.gherkin.vocabulary import vocabulary
from infratest.outsiders import names
from infratest.plan.tasks import CheckStep, Look
from infratest.plugins import builtin
from infratest.project.execute import SECONDS
from infratest.states import CRITICAL

#: Seconds that a server has here, and in which all of it must be over on a machine that is busy.
HASTE, SOON = 0.6, 8.0

#: What is asked of a server at a port, by protocol.
SENTENCES = {
    "http": '"http://HERE/" answers 200',
    "https": '"https://HERE/" answers',
    "tls": 'the certificate of "HERE" is valid',
    "tls protocol": 'the TLS of "HERE" offers the protocol "TLS 1.2"',
    "revocation": 'the certificate of "HERE" is not revoked',
    "ldap": 'the LDAP server "ldap://HERE" answers',
    "ldaps": 'the LDAP server "ldaps://HERE" answers',
    "smtp": 'the mail server "smtp://HERE" answers',
    "imap": 'the mail server "imap://HERE" answers',
    "imaps": 'the mail server "imaps://HERE" answers',
    "pop3": 'the mail server "pop3://HERE" answers',
    "ftp": 'the file server "ftp://HERE" answers',
    "sftp": 'the file server "sftp://monitor@HERE?key=KEY" accepts the login',
    "ssh": 'the SSH server "HERE" answers',
    "ssh key": 'the SSH server "HERE" has the host key "SHA256:2v9Kq0zGcGmF3J8xX7x0t6yqH5mUeQ3h0rB4sX8W1aE"',
    "amqp": 'the AMQP server "amqp://HERE/" answers',
    "mqtt": 'the MQTT broker "mqtt://HERE" answers',
    "nats": 'the NATS server "nats://HERE" answers',
    "redis": 'the Redis server "redis://HERE" answers',
    "memcached": 'the Memcached server "HERE" answers',
    "postgresql": 'the database "postgresql://monitor@HERE/shop" answers',
    "mysql": 'the database "mysql://monitor@HERE/shop" answers',
    "greeting": 'the address "HERE" greets with "220"',
}


def silent(one: socket.socket, ended: threading.Event) -> None:
    ended.wait()


def dripping(one: socket.socket, ended: threading.Event) -> None:
    while not ended.wait(0.05):
        one.sendall(b"2")


def resetting(one: socket.socket, ended: threading.Event) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def resetting_when_asked(one: socket.socket, ended: threading.Event) -> None:
    one.settimeout(30)
    one.recv(1)
    resetting(one, ended)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a key to log in with."""
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return str(path)


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[Callable[..., None]], int]]:
    """Start a server of a kind once, and return its port."""
    ended, ports, threads, listeners = threading.Event(), {}, [], []

    def talked(one: socket.socket, kind: Callable[..., None]) -> None:
        with one, suppress(OSError):
            kind(one, ended)

    def accepted(listener: socket.socket, kind: Callable[..., None]) -> None:
        with suppress(OSError):
            while True:
                one, _ = listener.accept()
                threads.append(threading.Thread(target=talked, args=(one, kind)))
                threads[-1].start()

    def serve(kind: Callable[..., None]) -> int:
        if kind not in ports:
            listeners.append(socket.create_server(("127.0.0.1", 0)))
            ports[kind] = listeners[-1].getsockname()[1]
            threads.append(threading.Thread(target=accepted, args=(listeners[-1], kind)))
            threads[-1].start()
        return ports[kind]

    yield serve
    ended.set()
    for listener in listeners:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


def step(text: str, tail: str = "") -> CheckStep:
    match = vocabulary().match(text + tail)
    assert match is not None, text
    binding = bind(match, as_written)
    looks = (Look("-", CONTROLLER, binding.built, binding.measure),)
    return CheckStep(Line("then", "Then", text, 1, match), looks, match.negated, binding.threshold, binding.tail)


def answered(need: Need, patience: float) -> object:
    fact = builtin("fact", need.fact)()
    assert isinstance(fact, LooksFromController)
    fact.patience = patience
    return fact.look([need.argument], Deadline(60), lambda host, port: (host, port))[need.argument]


#: Where the server speaks first.
GREETING = ("smtp", "imap", "pop3", "ftp", "mysql", "greeting")


@pytest.mark.parametrize("protocol", SENTENCES)
def test_a_server_that_hangs_is_critical(served: Callable[..., int], key: str, protocol: str) -> None:
    kinds = [silent, dripping, resetting if protocol in GREETING else resetting_when_asked]
    if protocol == "mysql":  # its client takes who says anything but a handshake for one that lets nobody log in
        kinds.remove(dripping)
    texts = [SENTENCES[protocol].replace("HERE", f"127.0.0.1:{served(kind)}").replace("KEY", key) for kind in kinds]
    began = monotonic()
    with ThreadPoolExecutor() as threads:
        verdicts = list(threads.map(judged, texts))
    assert [verdict.state for verdict in verdicts] == [CRITICAL] * len(kinds), verdicts
    assert monotonic() - began < SOON


#: What a server says before it hangs.
BEGUN = {
    "smtp": b"220 mail\r\n",
    "imap": b"* OK hello\r\n",
    "pop3": b"+OK hello\r\n",
    "ftp": b"220 hello\r\n",
}


@pytest.mark.parametrize("protocol", BEGUN)
def test_a_server_that_greets_and_then_hangs_is_critical(served: Callable[..., int], protocol: str) -> None:
    def greeting(one: socket.socket, ended: threading.Event) -> None:
        one.sendall(BEGUN[protocol])
        ended.wait()

    verdict = judged(SENTENCES[protocol].replace("HERE", f"127.0.0.1:{served(greeting)}"))
    assert verdict.state == CRITICAL, verdict


#: The beginning of MySQL's greeting: version 10 of its protocol, its own version, and so on: of 74 bytes.
MYSQL = bytes.fromhex("4a0000000a382e302e333000") + 66 * b"\x08"
#: The head of a TLS record of a handshake, with 8 KiB that it says follow.
TLS = bytes.fromhex("1603032000") + 50 * b"\x02"

#: What is said a byte at a time, in time for each read, and so that nothing is wrong with it.
DRIPPED = {
    "mysql": (SENTENCES["mysql"], MYSQL),
    "tls": (SENTENCES["tls"], TLS),
    "tls protocol": (SENTENCES["tls protocol"], TLS),
    "tls by smtp": ('the certificate of "smtp://HERE" is valid', b"220-a\r\n" * 20),
    "tls by imap": ('the TLS of "imap://HERE" offers the protocol "TLS 1.2"', b"* OK " + 100 * b"a"),
    "tls by mysql": ('the certificate of "mysql://HERE" is valid', MYSQL),
    "postgresql": (SENTENCES["postgresql"], b"E\0\0\x40\0" + 100 * b"S"),
    "https": (SENTENCES["https"], TLS),
    "http": (SENTENCES["http"], b"HTTP/1.1 200 OK\r\nA: " + 100 * b"a"),
    "redis": (SENTENCES["redis"], b"$3000\r\n" + 100 * b"a"),
    "memcached": (SENTENCES["memcached"], b"STAT version 1.6.18\r\n" * 5),
    "amqp": (SENTENCES["amqp"], b"\x01\0\0\0\0\x10\0" + 100 * b"a"),
    "mqtt": (SENTENCES["mqtt"], b"\x20\x80\x80\x08" + 100 * b"a"),
    "ldap": (SENTENCES["ldap"], b"\x30\x84\0\0\x40\0" + 100 * b"a"),
    "ftp": (SENTENCES["ftp"], b"220-a\r\n" * 20),
    "ssh": (SENTENCES["ssh"], b"SSH-2.0-slow\r\n\0\0\x08\0\x04\x14" + 100 * b"a"),
}


def test_a_server_that_speaks_too_slowly_has_no_more_time_for_each_word() -> None:
    """A time for each read adds up: one such server would take all of a check, and lose whatever else it asks."""

    def dripped(kind: str) -> Verdict:
        text, data = DRIPPED[kind]
        ended = threading.Event()

        def talked(one: socket.socket) -> None:
            with one, suppress(OSError):
                for byte in data:
                    one.sendall(bytes([byte]))
                    if ended.wait(0.5):
                        return

        def accepted() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=talked, args=(listener.accept()[0],), daemon=True).start()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=accepted)
            thread.start()
            try:
                return judged(text.replace("HERE", f"127.0.0.1:{listener.getsockname()[1]}"))
            finally:
                ended.set()
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    began = monotonic()
    with ThreadPoolExecutor(len(DRIPPED)) as threads:
        verdicts = dict(zip(DRIPPED, threads.map(dripped, DRIPPED), strict=True))
    assert {kind: verdict.reason for kind, verdict in verdicts.items() if verdict.state != CRITICAL} == {}
    assert monotonic() - began < 20  # all that they say takes half a minute


def judged(text: str) -> Verdict:
    one, facts = step(text), Facts()
    for _, need in one.needed:
        facts.at(CONTROLLER)[need] = answered(need, HASTE)
    return judge(one, facts, CRITICAL)


def test_all_that_hang_and_are_asked_by_one_host_are_critical_in_a_check(served: Callable[..., int]) -> None:
    """One after the other they would take more than a check has; of one kind, too."""
    kinds = ("http", "imap", "redis", "ldap", "postgresql", "mqtt", "tls")
    place = f"127.0.0.1:{served(silent)}"
    texts = [SENTENCES[kind].replace("HERE", place) for kind in kinds]
    texts += [f'"http://{place}/{number}" answers 200' for number in range(20)]
    texts += [f'the LDAP server "ldap://{place}" has at least 1 entries below "cn={number}"' for number in range(20)]
    steps = {text: step(text) for text in texts}
    needs = [need for one in steps.values() for _, need in one.needed]
    collected = Here("here").collect({"here": needs}, Deadline(SECONDS["check"]))
    facts = Facts()
    for need in needs:  # what a host has seen is judged as what is seen from here
        facts.at(CONTROLLER)[need] = collected.at("here")[need]
    states = {text: judge(one, facts, CRITICAL) for text, one in steps.items()}
    assert {text: one.reason for text, one in states.items() if one.state != CRITICAL} == {}


def test_all_have_the_same_time_which_leaves_a_check_some() -> None:
    """But for a connection alone, and for a session of pages, each of which has it."""
    found = {}
    for name in names("fact"):
        fact = builtin("fact", name)()
        if isinstance(fact, LooksFromController) and name not in ("address", "page"):
            found[name] = (fact.patience, fact.patience_there)
    assert len(found) > 15
    assert set(found.values()) == {(PATIENCE, PATIENCE_THERE)}
    assert PATIENCE_THERE < PATIENCE <= SECONDS["check"] - 2


@pytest.mark.parametrize(
    ("tail", "seconds"),
    [
        ("", 0),
        (" in less than 500 ms", 0),
        (" in less than 9 s", 9),
        (" in between 1 s and 30 s", 30),
        (" in less than 60 s", 60),
    ],
)
def test_a_sentence_that_gives_a_server_longer_is_waited_for(tail: str, seconds: float) -> None:
    for protocol in ("http", "ldap", "smtp", "redis", "postgresql", "amqp"):
        ((_, need),) = step(SENTENCES[protocol].replace("HERE", "127.0.0.1:1"), tail).needed
        assert need.seconds == seconds
        (ask,) = asks([need])
        assert isinstance(ask.fact, LooksFromController)
        assert ask.fact.patience == max(PATIENCE, seconds)
        assert ask.fact.patience_there == max(PATIENCE_THERE, seconds)
        ((_, question),) = questions("a host", [ask], Facts(), 600.0)
        assert question.seconds >= ask.fact.patience_there + 2  # its host's script does not end it before


def test_a_time_that_is_not_an_answers_is_no_patience() -> None:
    ((_, need),) = step('the certificate of "127.0.0.1:1" is valid for at least 14 days').needed
    assert need.seconds == 0
