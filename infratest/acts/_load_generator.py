"""Asks a URL at an even pace, whatever its answers take: a program of its own, since Locust has gevent change Python.

Reads on standard input a map (JSON): of the URL `scheme`, `name` (its host), `authority` and `target`; `connect`
(address and port that name and port stand for), `rate` (requests a second), `seconds`, `patience` (seconds that one
answer may take). Writes one: `times`, of each good answer the milliseconds it took; `errors`, what the others came to
-> how many; `late`, the milliseconds by which all but the latest hundredth was asked after its time at most. Called by
acts/load_test.py.

Each request is another visitor's: it is asked at its time, though those before it still wait. A user of Locust waits
for its answer before it asks again, so there are as many users as may wait at once. That is what keeps a slow server
from being asked less often, and so from looking quicker than it is (coordinated omission).
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import gevent
import gevent.ssl
from gevent.event import AsyncResult
from geventhttpclient.client import HTTPClientPool
from locust import task
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment

#: Answers of this status and above are errors.
FIRST_ERROR = 400


def main() -> None:
    asked = json.load(sys.stdin)
    times: list[float] = []
    errors: Counter[str] = Counter()
    late: list[float] = []
    begun: AsyncResult[float] = AsyncResult()  # when all users are there
    environment = Environment(user_classes=[users(asked, begun, late)], stop_timeout=asked["patience"])

    def answered(response_time: float, response: Any, exception: Any, **rest: object) -> None:
        status = getattr(response, "status_code", 0)
        if status >= FIRST_ERROR:
            errors[f"status {status}"] += 1
        elif exception is not None or not status:
            errors[type(exception).__name__] += 1
        else:
            times.append(response_time)

    environment.events.request.add_listener(answered)  # type: ignore[no-untyped-call]

    def spawned(**rest: object) -> None:
        if not begun.ready():
            begun.set(time.monotonic())

    environment.events.spawning_complete.add_listener(spawned)  # type: ignore[no-untyped-call]
    runner = environment.create_local_runner()
    many = waiting(asked)
    runner.start(many, spawn_rate=many)
    while runner.user_count or runner.state in ("ready", "spawning"):
        gevent.sleep(0.05)
    runner.quit()
    late.sort()
    result = {"times": times, "errors": errors, "late": late[(len(late) - 1) * 99 // 100] if late else 0.0}
    json.dump(result, sys.stdout)


def total(asked: dict[str, Any]) -> int:
    return max(1, round(float(asked["rate"] * asked["seconds"])))


def waiting(asked: dict[str, Any]) -> int:
    """Return how many may wait for their answers at once: all that are asked within one's patience."""
    return min(total(asked), int(asked["rate"] * asked["patience"]) + 1)


def users(asked: dict[str, Any], begun: AsyncResult[float], late: list[float]) -> type[FastHttpUser]:
    """Return users of Locust of whom each takes its share of the requests, in turns.

    Args:
        begun: when the first is to be asked. late: gets for each request the milliseconds by which it was asked after
        its time.
    """
    address, port = asked["connect"]
    place = f"[{address}]" if ":" in address else address
    # The name in the URL is whom TLS is to prove, wherever the connection goes.
    tls = {"ssl_options": {"server_hostname": asked["name"]}} if asked["scheme"] == "https" else {}
    every, many, rate = waiting(asked), total(asked), asked["rate"]
    numbers = iter(range(every))

    class Visitor(FastHttpUser):
        host = f"{asked['scheme']}://{place}:{port}"
        insecure = False
        network_timeout = connection_timeout = asked["patience"]
        client_pool = HTTPClientPool(
            concurrency=every,
            insecure=False,
            ssl_context_factory=gevent.ssl.create_default_context,
            network_timeout=asked["patience"],
            connection_timeout=asked["patience"],
            **tls,
        )

        @task
        def share(self) -> None:
            for number in range(next(numbers), many, every):
                moment = begun.get() + number / rate
                gevent.sleep(max(0.0, moment - time.monotonic()))
                late.append(1000 * max(0.0, time.monotonic() - moment))
                self.client.get(asked["target"], headers={"Host": asked["authority"]}, allow_redirects=False)
            self.stop()

    return Visitor


if __name__ == "__main__":
    main()
