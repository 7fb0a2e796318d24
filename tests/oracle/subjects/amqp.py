"""A real RabbitMQ, asked by AMQP and by its management plugin, which pika fills; and a port where nobody is."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pika

from infratest.testing.waiting import wait_until
from tests.oracle.questions import ABSENT, UNKNOWN, Question, both, bounds, packaged, soon, versions
from tests.worlds import servers, tls_servers

VIEWPOINTS = ("", " from the host")
#: Queue -> its messages, its consumers, and the messages for each.
QUEUES: dict[str, tuple[int | str, int | str, int | str]] = {
    "orders": (6, 3, 2), "empty": (0, 0, ABSENT), "nosuch": (ABSENT, ABSENT, ABSENT),
}  # fmt: skip
LOGIN, NODE = "monitor:{param.password}", "tests@localhost"
#: Who asks which virtual host of which port, and whether they are let in.
LOGINS: dict[tuple[str, str, str], bool | str] = {
    (f"{LOGIN}@", "port", "/shop"): True, ("", "port", ""): True, (f"{LOGIN}@", "down", "/shop"): False,
    ("", "port", "/shop"): UNKNOWN, ("monitor:{param.ldap}@", "port", "/shop"): UNKNOWN,
}  # fmt: skip


class Objects(NamedTuple):
    """Ports of the broker, of its plugin, and of nobody; whether it has an alarm; and what keeps it alive."""

    port: int
    management: int
    down: int
    alarmed: bool
    alive: ExitStack


NOWHERE = Objects(1, 1, 1, False, ExitStack())


def objects(place: Path) -> Objects:
    """Start the broker: in `orders` wait 6 messages beside 3 consumers, each of which has one."""
    alive, (management, down) = ExitStack(), tls_servers.free_ports(2)
    port, _ = alive.enter_context(servers.rabbitmq(management))
    login = pika.PlainCredentials("monitor", servers.PASSWORD)
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, "shop", login, heartbeat=0))
    alive.callback(connection.close)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    for _ in range(3):
        channel.basic_consume("orders", lambda *_: None)
    for number in range(9):
        channel.basic_publish("", "orders", f"{number}".encode())
    wait_until(lambda: channel.queue_declare("orders", passive=True).method.message_count == 6, 60)
    node = wait_until(lambda: _node(management), 60)
    return Objects(port, management, down, node["mem_alarm"] or node["disk_free_alarm"], alive)


def _node(management: int) -> dict[str, Any]:
    """Return what the plugin says of the node; nothing until it has gathered it."""
    client = http.client.HTTPConnection("127.0.0.1", management, timeout=10)
    login = base64.b64encode(f"monitor:{servers.PASSWORD}".encode()).decode()
    try:
        client.request("GET", "/api/nodes", headers={"Authorization": f"Basic {login}"})
        (node,) = json.loads(client.getresponse().read())
    except (OSError, ValueError):
        time.sleep(0.2)
        return {}
    finally:
        client.close()
    return dict(node) if "mem_alarm" in node else {}


def questions(objects: Objects) -> Iterator[Question]:
    """Ask all sentences of AMQP and RabbitMQ, from each viewpoint."""
    version = packaged("rabbitmq-server")
    for view in VIEWPOINTS:
        for (login, name, place), there in LOGINS.items():
            url, about = f"amqp://{login}127.0.0.1:{getattr(objects, name)}{place}", f"{name} {login} {place}"
            start, known = f'the AMQP server "{url}"', there or ABSENT
            yield from both(f"{start} answers{view}", f"{start} does not answer{view}", there, about)
            yield from soon(f"{start} answers in {{}}", there, about, view)
            yield from soon(f"{start} delivers a message in {{}}", known, about, view)
            yield from versions(start, version if there is True else str(known), about, view)
            for queue, numbers in QUEUES.items():
                there_too = place == "/shop"  # the other virtual host has none
                yield from _queue(
                    f'the queue "{queue}" of "{url}"', numbers if there_too else (ABSENT,) * 3, known, view
                )
        yield from _nodes(objects, view)


def _queue(start: str, numbers: tuple[int | str, ...], known: bool | str, view: str) -> Iterator[Question]:
    exists = numbers[0] != ABSENT if known is True else known
    yield from both(f"{start} exists{view}", f"{start} does not exist{view}", exists, start)
    for number, words in zip(numbers, ("messages", "consumers", "messages per consumer"), strict=True):
        right = number if known is True else str(known)
        yield from bounds(f"{start} has {{}} {words}", right, start, tail=view)


def _nodes(objects: Objects, view: str) -> Iterator[Question]:
    """Who does not log in, or by a wrong password, is told nothing."""
    for login, known in ((LOGIN, True), ("", UNKNOWN), ("monitor:{param.ldap}", UNKNOWN), (LOGIN, ABSENT)):
        port = objects.down if known == ABSENT else objects.management
        server = f'the RabbitMQ "http://127.0.0.1:{port}"{f" logged in as {chr(34)}{login}{chr(34)}" if login else ""}'
        for name, there in ((NODE, True), ("nosuch@localhost", ABSENT)):
            start, of = f'the node "{name}" of {server}', f"{name} {login} {port}"
            right = there if known is True else known
            yield from both(f"{start} is running{view}", f"{start} is not running{view}", right, of)
            alarmed = objects.alarmed if right is True else right
            yield from both(f"{start} has an alarm{view}", f"{start} has no alarm{view}", alarmed, of)
        start = f"the cluster of {server}"
        parted = False if known is True else known
        yield from both(f"{start} has a partition{view}", f"{start} has no partition{view}", parted, login)
        yield from bounds(f"{start} has {{}} running nodes", 1 if known is True else known, login, tail=view)
