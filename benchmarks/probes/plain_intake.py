"""The plain way to take what others send by HTTP: Starlette and uvicorn as they come, into a list.

    python plain_intake.py http|otlp COUNT     prints one JSON object

Each event is its key and its value, each point its name, its labels and its value; nobody checks them, keeps them or
tells one sender from another. CPU and what is sent are those of `intake`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import uvicorn
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SENDERS = Path(__file__).with_name("senders.py")


class Kept:
    """What came."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []
        self.points: list[tuple[str, dict[str, str], float]] = []

    async def take_events(self, request: Request) -> Response:
        for row in (await request.body()).splitlines():
            event = json.loads(row)
            self.events.append((event["key"], event["value"]))
        return Response(status_code=200)

    async def take_points(self, request: Request) -> Response:
        sent = ExportMetricsServiceRequest.FromString(await request.body())
        for resource in sent.resource_metrics:
            of_all = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.sum.data_points:
                        labels = of_all | {each.key: each.value.string_value for each in point.attributes}
                        value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
                        self.points.append((metric.name, labels, value))
        return Response(status_code=200)


def main() -> None:
    work, count = sys.argv[1], sys.argv[2]
    kept = Kept()
    routes = [
        Route("/in/events", kept.take_events, methods=["POST"]),
        Route("/in/otlp/v1/metrics", kept.take_points, methods=["POST"]),
    ]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, access_log=False, log_level="warning"))
    serving = Thread(target=server.run, daemon=True)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    spent = time.process_time()
    subprocess.run([sys.executable, SENDERS, work, str(port), count], check=True)
    spent = time.process_time() - spent
    server.should_exit = True
    serving.join(10)
    taken = len(kept.events) + len(kept.points)
    print(json.dumps({"sent": int(count), "taken": taken, "cpu": spent}))


if __name__ == "__main__":
    main()
