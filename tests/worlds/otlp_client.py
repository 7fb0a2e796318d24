"""The SDK of OpenTelemetry as a program has it, which exports by OTLP/HTTP when it is told to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource


@contextmanager
def exporting(views: Any = (), resource: dict[str, Any] | None = None, **options: Any) -> Iterator[MeterProvider]:
    """Give a provider of meters: `force_flush` exports what they have counted.

    Args:
        options: of the exporter; without an endpoint it is where OTEL_EXPORTER_OTLP_ENDPOINT says.
    """
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options), export_interval_millis=math.inf)
    made = MeterProvider([reader], Resource.create(resource or {"service.name": "shop"}), views=views)
    try:
        yield made
    finally:
        made.shutdown()
