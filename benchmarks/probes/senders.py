"""Who sends to an intake: a process of its own, so that what it costs is not the taker's.

    python senders.py statsd|lines|http|otlp PORT COUNT     ends with 0 once all was sent and each request answered

`statsd` are counters of a hundred names, one a packet; `lines` twenty a packet; `http` are events, a hundred a request,
each answered once they are taken; `otlp` are points of a hundred sums, ten of each that two attributes tell apart, a
thousand a request, as protobuf.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time

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
        said = reply.read(500)
        if reply.status != 200:
            sys.exit(f"{path} is answered {reply.status}: {said!r}")


def main() -> None:
    work, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if work in ("http", "otlp"):
        {"http": requests, "otlp": exports}[work](port, count)
    else:
        packets(port, count, LINES if work == "lines" else 1)


if __name__ == "__main__":
    main()
