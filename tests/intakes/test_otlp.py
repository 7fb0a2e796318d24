"""Metrics by OTLP/HTTP: what the real SDK exports, in both encodings, and what nobody should send."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import Counter, Histogram
from opentelemetry.sdk.metrics.export import AggregationTemporality, MetricExportResult
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from infratest.intakes._admission import REASONS, Refusal
from infratest.intakes._arrivals import Arrivals
from infratest.intakes._otlp import JSON, LARGEST, PROTOBUF, Form, _with_packed_attributes
from tests.intakes.listening import LONG, Listening, listening
from tests.worlds.otlp_client import exporting

PATH = "/in/otlp/v1/metrics"
YEAR = 365 * 86400


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def here() -> Iterator[Listening]:
    with listening("http") as made:
        yield made


def url(here: Listening) -> str:
    return f"http://127.0.0.1:{here.port}{PATH}"


def answered(
    here: Listening, body: bytes, kind: str = PROTOBUF, path: str = PATH, **headers: str
) -> tuple[int, Any, bytes]:
    """Return status, headers and body of what is answered."""
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=LONG)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request("POST", path, body, sent | ({"Content-Type": kind} if kind else {}))
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


def post(here: Listening, *sent: Any, **more: str) -> tuple[int, str, bytes]:
    """Return status, type and body of what is answered."""
    status, headers, body = answered(here, *sent, **more)
    return status, headers["Content-Type"], body


def request(*metrics: dict[str, Any], resource: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a request as OTLP's JSON has it."""
    attributes = [{"key": name, "value": {"stringValue": value}} for name, value in (resource or {}).items()]
    scope = {"scope": {"name": "shop"}, "metrics": [*metrics]}
    return {"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": [scope]}]}


def gauge(name: str, value: object, at: float | None = None, unit: str = "", **attributes: Any) -> dict[str, Any]:
    point = {
        "timeUnixNano": str(int((time.time() if at is None else at) * 1e9)), "asDouble": value,
        "attributes": [
            {"key": each.replace("_", "."), "value": its if isinstance(its, dict) else {"stringValue": its}}
            for each, its in attributes.items()
        ],
    }  # fmt: skip
    return {"name": name, "unit": unit, "gauge": {"dataPoints": [point]}}


def of(kind: str, name: str, unit: str = "", **point: Any) -> dict[str, Any]:
    """Return a metric of a kind, with one point of now."""
    return {"name": name, "unit": unit, kind: {"dataPoints": [{"timeUnixNano": str(time.time_ns()), **point}]}}


def post_json(here: Listening, *metrics: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
    status, kind, answer = post(here, json.dumps(request(*metrics, **more)).encode(), JSON)
    assert kind == JSON
    return status, json.loads(answer)


def partial(**refused: int) -> dict[str, Any]:
    words = ", ".join(f"{reason.replace('_', ' ')}: {count}" for reason, count in refused.items())
    return {"partialSuccess": {"rejectedDataPoints": str(sum(refused.values())), "errorMessage": words}}


@pytest.mark.parametrize("compression", list(Compression))
def test_what_the_sdk_counts_is_kept(here: Listening, compression: Compression):
    with exporting(
        endpoint=url(here), compression=compression, resource={"service.name": "shop", "host.name": "web-1"}
    ) as provider:
        meter = provider.get_meter("shop.cart", "1.4")
        orders = meter.create_counter("shop.orders", unit="{order}")
        orders.add(3, {"region": "eu", "card": True})
        orders.add(4)
        meter.create_up_down_counter("shop.open").add(-2)
        meter.create_gauge("shop.heat", unit="Cel").set(21.5)
        meter.create_observable_gauge("shop.heap", [lambda _: iter([_seen(3)])], unit="MiBy")
        answers = meter.create_histogram("shop.answer", unit="ms")
        for each in (20, 40, 300):
            answers.record(each)
        assert provider.force_flush()
        assert here.numbers == {
            "shop.orders": 4, "shop.orders.card_true.region_eu": 3, "shop.open": -2, "shop.heat": 21.5,
            "shop.heap": 3 * 2**20, "shop.answer.count": 3, "shop.answer.sum": pytest.approx(0.36),
            "shop.answer.min": pytest.approx(0.02), "shop.answer.max": pytest.approx(0.3),
        }  # fmt: skip
    events = {event.key: event for event in here.events}
    assert {key: event.unit for key, event in events.items() if event.unit} == {
        "shop.heap": "B", "shop.answer.sum": "s", "shop.answer.min": "s", "shop.answer.max": "s",
    }  # fmt: skip
    labels = events["shop.orders.card_true.region_eu"].labels
    assert labels.items() >= {
        "kind": "metric", "from": "http", "region": "eu", "card": "true", "service_name": "shop", "host_name": "web-1",
        "otel_scope_name": "shop.cart", "otel_scope_version": "1.4",
    }.items()  # fmt: skip
    assert events["shop.heat"].labels["unit"] == "Cel"
    assert "unit" not in labels
    assert all(abs(event.time - time.time()) < 2 * LONG for event in here.events)
    assert not here.arrivals.refusals


def _seen(number: float) -> Any:
    from opentelemetry.metrics import Observation

    return Observation(number)


def test_a_cumulative_sum_is_its_value_and_a_delta_what_came(here: Listening):
    delta = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}
    views = [View(instrument_name="shop.answer", aggregation=ExponentialBucketHistogramAggregation())]
    for temporality in (None, delta):
        with exporting(endpoint=url(here), views=views, preferred_temporality=temporality) as provider:
            meter = provider.get_meter("shop")
            orders, answers = meter.create_counter("shop.orders"), meter.create_histogram("shop.answer", unit="s")
            for number in (3, 4):
                orders.add(number)
                answers.record(number)
                provider.force_flush()
    values: dict[str, list[float | str]] = {}
    for event in here.events:
        values.setdefault(event.key, []).append(event.value)
    assert values["shop.orders"] == [3, 7, 3, 4]
    assert (values["shop.answer.count"], values["shop.answer.sum"]) == ([1, 2, 1, 1], [3, 7, 3, 4])
    assert (values["shop.answer.min"], values["shop.answer.max"]) == ([3, 3, 3, 4], [3, 4, 3, 4])


def test_a_summary_is_its_quantiles(here: Listening):
    quantiles = [
        {"quantile": each, "value": value} for each, value in ((0, 1), (0.5, 2), (0.99, 3), (0.999, 4), (1, 5))
    ]
    summary = of("summary", "shop.answer", "s", count="10", sum=25, quantileValues=quantiles)
    assert post_json(here, summary) == (200, {})
    assert here.numbers == {
        "shop.answer.count": 10, "shop.answer.sum": 25, "shop.answer.min": 1, "shop.answer.p50": 2,
        "shop.answer.p99": 3, "shop.answer.p99_9": 4, "shop.answer.max": 5,
    }  # fmt: skip
    odd = of("summary", "shop.answer", quantileValues=[{"quantile": 2, "value": 1}])
    many = of("summary", "shop.answer", quantileValues=[{"quantile": 0.5, "value": 1}] * 101)
    assert post_json(here, odd, many) == (200, partial(not_understood=2))


def test_json_as_other_sdks_write_it(here: Listening):
    """Whole numbers as text, ids in hexadecimal, what is new since, the flag of a point without a value."""
    exemplar = {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "asInt": "1"}
    orders = of("sum", "shop.orders", asInt="12", exemplars=[exemplar], newField={"x": [1]})
    orders["sum"] |= {"aggregationTemporality": 2, "isMonotonic": True}
    gap = of("gauge", "shop.gap", flags=1)
    bytes_of = {"bytesValue": "AAE="}
    array = {"arrayValue": {"values": [{"intValue": "3"}, {"boolValue": False}]}}
    kv = {"kvlistValue": {"values": [{"key": "a", "value": {"doubleValue": 1.5}}]}}
    assert post_json(here, orders, gap, gauge("x", 1, a=bytes_of, b=array, c=kv, d={"intValue": "7"}, e={})) == (
        200,
        {},
    )
    assert [*here.numbers.values()] == [12, 1], "what says that it has no value has none, and that is no fault"
    labels = here.events[-1].labels
    assert [labels[name] for name in "abcde"] == ["AAE=", "[3, false]", '{"a": 1.5}', "7", ""]
    status, kind, body = post(here, json.dumps(request(gauge("y", 1))).encode(), "application/json; charset=utf-8")
    assert (status, kind, body) == (200, JSON, b"{}")


@pytest.mark.parametrize(
    "metric, reason",
    [
        (gauge("x", "NaN"), "no finite number"),
        (gauge("x", "-Infinity"), "no finite number"),
        (gauge("x" * 500, 1e295, unit="TBy"), ""),
        (gauge("x", 1e308, unit="TBy"), "no finite number"),
        (gauge("x", 1, at=0), "time too far off"),
        (gauge("x", 1, at=time.time() - 2 * YEAR), "time too far off"),
        (gauge("x", 1, at=time.time() + 2 * YEAR), "time too far off"),
        (gauge("x", 1, at=2**64 / 1e9 - 1), "time too far off"),
        (gauge("", 1, region="eu"), "no key"),
        (gauge("x" * 501, 1), "key too long"),
        (gauge("x" * 300, 1, region="e" * 300), "key too long"),
        (gauge("x", 1, region="e" * 100_000), "key too long"),
        (of("gauge", "x"), "not understood"),
        ({"name": "x"}, "not understood"),
        (of("histogram", "x", count="1", sum="NaN"), "no finite number"),
        (gauge("own.number", 1), "a key of the monitor's own"),
    ],
)  # fmt: skip
def test_a_point_that_is_refused_costs_no_other(metric: dict[str, Any], reason: str):
    with listening("http", arrivals=Arrivals(own="own.")) as here:
        status, answer = post_json(here, metric, gauge("fine", 1))
        assert (status, answer) == (200, partial(**{reason.replace(" ", "_"): 1}) if reason else {})
        assert here.numbers["fine"] == 1
        if reason:
            assert len(here.numbers) == 1, "of a point that is refused nothing is kept"
            assert here.arrivals.refusals == {("http", reason): 1}


def test_what_was_refused_is_told_in_the_encoding_of_the_request(here: Listening):
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="x")
    metric.gauge.data_points.add(as_double=1, time_unix_nano=1)
    status, kind, body = post(here, message.SerializeToString())
    assert (status, kind) == (200, PROTOBUF)
    assert MessageToDict(ExportMetricsServiceResponse.FromString(body)) == partial(time_too_far_off=1)
    assert post(here, message.SerializeToString()[:-1])[0] == 400, "a part of one says nothing"
    metric.gauge.data_points[0].time_unix_nano = time.time_ns()
    unknown = b"\xaa\x7d\x03new"  # a field 2005
    assert post(here, message.SerializeToString() + unknown) == (200, PROTOBUF, b"")
    assert here.numbers == {"x": 1}
    assert post(here, b"") == (200, PROTOBUF, b""), "a request of nothing is none that failed"


def test_an_attribute_that_is_torn_costs_its_own_point_alone(here: Listening):
    message = _with_packed_attributes()()
    points = message.resource_metrics.add().scope_metrics.add().metrics.add(name="x").gauge.data_points
    for sent in (b"\x0a\x01a", b"\x0a\xff", b"\x0a\x01\xff", b"\xaa\x7d\x03new" * 1000):
        points.add(as_int=1, time_unix_nano=time.time_ns(), attributes=[sent])
    status, _, body = post(here, message.SerializeToString())
    answer = MessageToDict(ExportMetricsServiceResponse.FromString(body))
    assert (status, answer) == (200, partial(not_understood=2, key_too_long=1))
    assert here.numbers == {"x.a": 1}


def test_no_label_says_what_a_result_is_and_there_are_not_too_many(here: Listening):
    many = {f"k8s.label.{number:02}": "x" for number in range(30)}
    resource = {"id": "f#s@h", "kind": "result", "stack": "other", **many, "service.name": "shop", "x" * 61: "long"}
    assert post_json(here, gauge("x", 1, region="eu\x1b[2J\nb", kind="result"), resource=resource) == (200, {})
    (event,) = here.events
    assert event.key == "x.kind_result.region_eu_2J_b"
    assert len(event.labels) == 22, "as many as there may be, and kind and from"
    assert event.labels["region"].isprintable()
    assert event.labels.items() >= {"kind": "metric", "otlp_kind": "result", "service_name": "shop"}.items()
    assert not event.labels.keys() & {"id", "stack", "x" * 61}


@pytest.mark.parametrize(
    "body, kind, words",
    [
        (b"\x0a\xff", PROTOBUF, "not understood"),
        (b"\xff" * 100, PROTOBUF, "not understood"),
        (b'{"resourceMetrics": []}', PROTOBUF, "not understood"),
        (b"", JSON, "not understood"),
        (b"{", JSON, "not understood"),
        (b"[]", JSON, "not understood"),
        (b'"x"', JSON, "not understood"),
        (b'{"resourceMetrics": 3}', JSON, "not understood"),
        (b'{"resourceMetrics": [null]}', JSON, "not understood"),
        (b"[" * 100_000, JSON, "not understood"),
        (b'{"resourceMetrics": [' + b'{"resourceMetrics": [' * 40_000, JSON, "not understood"),
        (b"\xff\xfe{}", JSON, "not UTF-8"),
    ],
)
def test_what_cannot_be_decoded_is_a_400_in_its_encoding(here: Listening, body: bytes, kind: str, words: str):
    status, answered, answer = post(here, body, kind)
    assert (status, answered) == (400, kind)
    assert answer == (json.dumps({"message": words}).encode() if kind == JSON else _status(words))
    assert here.arrivals.refusals == {("http", words): 1}


def _status(words: str) -> bytes:
    """Return a `google.rpc.Status` with a message, written by its own class."""
    from google.rpc.status_pb2 import Status

    return bytes(Status(message=words).SerializeToString())


def test_a_status_of_any_length_is_one():
    for size in (0, 1, 127, 128, 20_000):
        assert Form(PROTOBUF, "identity").failure("x" * size) in (_status("x" * size), b"\x12\x00")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_is_unpacked_no_further_than_may_be(here: Listening, coding: str):
    packing = {"gzip": gzip.compress, "deflate": zlib.compress}[coding]
    good = packing(json.dumps(request(gauge("x", 1))).encode())
    assert post(here, good, JSON, Content_Encoding=coding)[0] == 200
    assert here.numbers == {"x": 1}
    bomb = packing(b" " * 100 * 2**20, 1)
    assert len(bomb) < 2**20
    status, kind, answer = post(here, bomb, PROTOBUF, Content_Encoding=coding)
    assert (status, kind, answer) == (413, PROTOBUF, _status("too large"))
    assert post(here, packing(b" " * (LARGEST - 2) + b"{}"), JSON, Content_Encoding=coding)[0] == 200
    for torn in (good[:-5], good + b"x", b"x" + good, b""):
        assert post(here, torn, JSON, Content_Encoding=coding)[0] == 400
    assert here.arrivals.refusals == {("http", "too large"): 1, ("http", "not understood"): 4}


def test_a_body_that_is_too_large_and_points_that_are_too_many(here: Listening):
    assert post(here, b"\x00" * (2**20 + 1))[0] == 413
    empty = ExportMetricsServiceRequest()
    points = empty.resource_metrics.add().scope_metrics.add().metrics.add(name="x").gauge.data_points
    points.extend([type(points.add())()] * 100_001)
    assert post(here, empty.SerializeToString()) == (413, PROTOBUF, _status("too large"))
    assert here.arrivals.refusals == {("http", "too large"): 2}


@pytest.mark.parametrize(
    "kind, coding, words",
    [
        ("text/plain", "", r"the content type is 'text/plain': OTLP is sent as application/x-protobuf or"),
        ("", "", r"the content type is ''"),
        ("application/grpc", "gzip", r"the content type is 'application/grpc'"),
        (JSON, "br", r"the content encoding is 'br': it may be gzip, deflate, identity"),
    ],
)
def test_another_type_of_content_is_named(here: Listening, kind: str, coding: str, words: str):
    status, headers, answer = answered(here, b"{}", kind, **({"Content_Encoding": coding} if coding else {}))
    assert (status, headers["Accept-Encoding"]) == (415, "gzip, deflate, identity" if coding == "br" else None)
    assert re.match(words, json.loads(answer)["error"])
    assert here.arrivals.refusals == {("http", "not understood"): 1}


def test_traces_and_logs_are_not_there(here: Listening):
    for path in ("/in/otlp/v1/traces", "/in/otlp", "/in/otlp/v1/metrics/", "/v1/metrics"):
        status, _, answer = post(here, b"", path=path)
        assert status == 404
        assert "/in/otlp/v1/metrics" in json.loads(answer)["error"]


def test_what_is_not_written_or_has_no_room_is_for_later(here: Listening):
    here.writes = False
    status, headers, answer = answered(here, json.dumps(request(gauge("x", 1))).encode(), JSON)
    assert headers["Retry-After"] == "1", "within the time that an SDK tries for"
    assert (status, json.loads(answer)) == (503, {"message": "it is not written yet; it may be later"})
    with listening("http", arrivals=Arrivals(most=1)) as full:
        assert post_json(full, gauge("x", 1), gauge("y", 1)) == (503, {"message": "no room"})


def test_who_has_no_token_sends_nothing(tmp_path):
    (tmp_path / "tokens").write_text("shop shop-token-4711-4711\n")
    with listening("http", {"tokens": "tokens"}, folder=tmp_path) as here:
        assert post(here, b"")[0] == 401
        for headers, result in (
            ({}, MetricExportResult.FAILURE),
            ({"Authorization": "Bearer shop-token-4711-4711"}, MetricExportResult.SUCCESS),
        ):
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.sdk.metrics.export import MetricsData

            exporter = OTLPMetricExporter(endpoint=url(here), headers=headers)
            assert exporter.export(MetricsData([])) == result
            exporter.shutdown()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from("resourceMetrics scopeMetrics metrics resource scope attributes key value name unit gauge sum "
        "histogram summary dataPoints asInt asDouble timeUnixNano count quantileValues stringValue arrayValue".split()),
        inner, max_size=4,
    ),
    max_leaves=30,
)  # fmt: skip


@given(ANYTHING | st.binary(max_size=200))
def test_whatever_is_sent_is_events_or_a_refusal(sent):
    kind, body = (PROTOBUF, sent) if isinstance(sent, bytes) else (JSON, json.dumps(sent).encode())
    events, refused, reason = [], {}, REASONS[0]
    try:
        events, refused, _ = Form(kind, "identity").read(body, time.time())
    except Refusal as refusal:
        reason = refusal.reason
    assert {reason, *refused} <= {*REASONS}
    assert all(isinstance(event.value, float) for event in events)


WITHOUT = """\
import sys
sys.modules["opentelemetry"] = None
from infratest.intakes._otlp import Form, NotTaken
from infratest.intakes.base import get
get("intake", "http")
assert "google.protobuf" not in sys.modules
try:
    Form("application/json", "identity").read(b"{}", 0.0)
except NotTaken as error:
    print(error.status, error)
"""


def test_without_the_library_it_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=LONG, check=False)
    assert (done.stdout, done.stderr) == (
        "501 OTLP needs opentelemetry-proto, which is not installed here: pip install 'infratest[otlp]'\n", "",
    )  # fmt: skip
