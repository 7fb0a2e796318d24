"""What it costs to take what others send: an intake in this process, and who sends to it in another.

    python intake.py statsd|lines|http|otlp COUNT     prints one JSON object

`statsd` are counters of a hundred names, one a packet; `lines` twenty a packet; `http` are events, a hundred a request,
each answered once they are taken; `otlp` are points of a hundred sums, ten of each that two attributes tell apart, a
thousand a request, as protobuf. Only the CPU of the one that takes is counted, and only what was taken: UDP loses.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from infratest.intakes._arrivals import Arrivals
from infratest.intakes.base import House, opened

LINES, EVENTS, SUMS, POINTS = 20, 100, 100, 10
#: Packets after which the sender rests, so that a queue of 8 MiB has room.
BURST = 2000


def packets(port: int, count: int, lines: int) -> None:
    """Send counters."""
    texts = [b"shop.orders.%d:%d|c" % (number % 100, number % 7) for number in range(BURST * lines)]
    made = [b"\n".join(texts[at : at + lines]) for at in range(0, len(texts), lines)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.connect(("127.0.0.1", port))
        for _ in range(count // (BURST * lines)):
            for packet in made:
                sending.send(packet)
            time.sleep(0.01 * lines)


def requests(port: int, count: int) -> None:
    """Post events."""
    rows = [json.dumps({"key": f"shop.orders.{number}", "value": number}) for number in range(EVENTS)]
    _post(port, "/in/events", "\n".join(rows).encode(), "application/json", count // EVENTS)


def exports(port: int, count: int) -> None:
    """Post points by OTLP."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request, now = ExportMetricsServiceRequest(), time.time_ns()
    resource = request.resource_metrics.add()
    for name, value in {"service.name": "shop", "service.instance.id": "1", "telemetry.sdk.language": "python"}.items():
        resource.resource.attributes.add(key=name).value.string_value = value
    scope = resource.scope_metrics.add()
    scope.scope.name = "shop"
    for number in range(SUMS):
        points = scope.metrics.add(name=f"shop.orders.{number}", unit="{order}").sum.data_points
        for each in range(POINTS):
            point = points.add(as_int=each, time_unix_nano=now, start_time_unix_nano=now - 10**9)
            point.attributes.add(key="http.request.method").value.string_value = "GET"
            point.attributes.add(key="http.route").value.string_value = f"/orders/{each}"
    body = request.SerializeToString()
    _post(port, "/in/otlp/v1/metrics", body, "application/x-protobuf", count // (SUMS * POINTS))


def _post(port: int, path: str, body: bytes, kind: str, times: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(times):
        connection.request("POST", path, body, {"Content-Type": kind})
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            sys.exit(f"it answers {reply.status}")


#: What is posted, by the word of the work.
POSTED: dict[str, Callable[[int, int], None]] = {"http": requests, "otlp": exports}


def taken(kind: str, send: Callable[[int], None], options: dict[str, object]) -> dict[str, float]:
    """Have an intake take what is sent in another process, and return what it took and what that cost."""
    intake = opened(kind, {"address": "127.0.0.1:0", **options}, kind, Path())
    arrivals, ended = Arrivals(), Event()

    def keep() -> None:
        while not ended.wait(0.001):
            for ticket in arrivals.take().tickets:
                ticket.end(kept=True)

    if kind == "http":
        Thread(target=keep, daemon=True).start()
    intake.open(House(arrivals))
    spent = time.process_time()
    if (child := os.fork()) == 0:
        try:
            send(intake.port)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    tally, found = getattr(intake, "tally", None), -1
    while found != (found := tally.metrics if tally is not None else arrivals.taken[kind]):
        time.sleep(0.5)
    spent = time.process_time() - spent
    ended.set()
    intake.close()
    return {"taken": found, "cpu": spent, "refused": arrivals.refusals.total()}


def main() -> None:
    work, count = sys.argv[1], int(sys.argv[2])
    if work in POSTED:
        found = taken("http", lambda port: POSTED[work](port, count), {})
    else:
        lines = LINES if work == "lines" else 1
        found = taken("statsd", lambda port: packets(port, count, lines), {"every": "1h"})
    print(json.dumps(found | {"sent": count}))


if __name__ == "__main__":
    main()
