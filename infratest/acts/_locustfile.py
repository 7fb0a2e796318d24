"""What Locust is told to do: a URL asked at an even pace, whatever its answers take. Run by acts/load_test.py.

Locust reads this file (`-f`), in a process and often an environment of its own, so that it imports nothing of ours. In
INFRATEST_LOAD stands a map (JSON): of the URL `scheme`, `name` (its host), `authority` and `target`; `connect` (address
and port that name and port stand for), `rate` (requests a second), `seconds`, `patience` (seconds that one answer may
take), `users`, and `result`, a file. A map is written there: `times`, of each good answer the milliseconds it took;
`errors`, what the others came to -> how many; `late`, the milliseconds by which all but the latest hundredth was asked
after its time at most.

Each request is another visitor's: it is asked at its time, though those before it still wait. A user of Locust waits
for its answer before it asks again, so there are as many users as may wait at once. That is what keeps a slow server
from being asked less often, and so from looking quicker than it is (coordinated omission).
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from collections import Counter
from pathlib import Path
from typing import Any

import gevent
import gevent.ssl
from gevent.event import AsyncResult
from geventhttpclient.client import HTTPClientPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from locust import events, task
from locust.contrib.fasthttp import FastHttpUser
from locust.env import Environment

ASKED: dict[str, Any] = json.loads(os.environ["INFRATEST_LOAD"])
#: Answers of this status and above are errors.
FIRST_ERROR = 400
MANY = max(1, round(float(ASKED["rate"] * ASKED["seconds"])))

#: Kinds of errors, the first that fits, and what they mean. What else there is has words of the system's, or is an
#: answer that cannot be read.
REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (socket.gaierror, "name not known"),
    (ConnectionRefusedError, "connection refused"),
    (TimeoutError, f"timed out after {ASKED['patience']:g} s"),
    (ssl.SSLError, "does not speak TLS with us"),
    (BrokenPipeError, "connection broken off"),
    (ConnectionResetError, "connection broken off"),
    (HTTPConnectionClosed, "connection closed before the whole answer"),
    (HTTPParseError, "broken answer"),
)

times: list[float] = []
errors: Counter[str] = Counter()
late: list[float] = []
numbers = iter(range(ASKED["users"]))
#: When all users are there: the first request's moment.
begun: AsyncResult[float] = AsyncResult()


@events.request.add_listener  # type: ignore[untyped-decorator]
def answered(response_time: float, response: Any, exception: Any, **rest: object) -> None:
    status = getattr(response, "status_code", 0)
    if status >= FIRST_ERROR:
        errors[f"status {status}"] += 1
    elif exception is not None or not status:
        errors[reason(exception)] += 1
    else:
        times.append(response_time)


def reason(error: BaseException | None) -> str:
    """Return why there is no answer, in words: of an error, or of what it was made of."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = getattr(error, "original", None) or error.__cause__ or error.__context__
    for kind, words in REASONS:
        if any(isinstance(each, kind) for each in chain):
            return words
    failure = next((each for each in chain if isinstance(each, OSError) and each.strerror), None)
    return str(failure.strerror).lower() if failure else "broken answer"


@events.spawning_complete.add_listener  # type: ignore[untyped-decorator]
def spawned(**rest: object) -> None:
    if not begun.ready():
        begun.set(time.monotonic())


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def written(environment: Environment, **rest: object) -> None:
    late.sort()
    latest = late[(len(late) - 1) * 99 // 100] if late else 0.0
    Path(ASKED["result"]).write_text(json.dumps({"times": times, "errors": errors, "late": latest}))
    environment.process_exit_code = 0  # an error of the server is none of the load's


def pool() -> HTTPClientPool:
    """Return the connections of all users. The name in the URL is whom TLS is to prove, wherever they go."""
    tls = {"ssl_options": {"server_hostname": ASKED["name"]}} if ASKED["scheme"] == "https" else {}
    return HTTPClientPool(
        concurrency=ASKED["users"],
        insecure=False,
        ssl_context_factory=gevent.ssl.create_default_context,
        network_timeout=ASKED["patience"],
        connection_timeout=ASKED["patience"],
        **tls,
    )


def place() -> str:
    address, port = ASKED["connect"]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Visitor(FastHttpUser):  # type: ignore[misc]
    """Asks its share of the requests, each at its time."""

    host = f"{ASKED['scheme']}://{place()}"
    insecure = False
    network_timeout = connection_timeout = ASKED["patience"]
    client_pool = pool()

    @task  # type: ignore[untyped-decorator]
    def share(self) -> None:
        for number in range(next(numbers), MANY, ASKED["users"]):
            moment = begun.get() + number / ASKED["rate"]
            gevent.sleep(max(0.0, moment - time.monotonic()))
            late.append(1000 * max(0.0, time.monotonic() - moment))
            self.client.get(ASKED["target"], headers={"Host": ASKED["authority"]}, allow_redirects=False)
        if len(late) == MANY and len(times) + sum(errors.values()) == MANY:
            self.environment.runner.quit()
        else:
            self.stop()
