"""Data points of OTLP as events. Pure, of messages that the library `opentelemetry-proto` has read; called by `_otlp`.

What tells series of one metric apart are the attributes of its points: they stand in the key, in the order of their
names, as the tags of Graphite do. Those of the scope and of the resource are labels alone: they say who sent it, and
change with each process that is begun. Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from math import isfinite
from typing import Any

from infratest.cleaning import clean, masked
from infratest.intakes._admission import (
    IDENTITY,
    LARGE,
    LONG_KEY,
    LONGEST,
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_LABELS,
    NOT_FINITE,
    NOT_UNDERSTOOD,
    Refusal,
    key_of,
    labels_of,
    time_of,
)
from infratest.intakes._arrivals import MOST
from infratest.store.events import METRIC, Event, part

#: Quantiles of a summary; bytes of a point's attributes, of which a key is made.
MOST_QUANTILES, LARGEST = 100, 8 * LONGEST
#: What a point is said to be without a value: its series has ended, or has a gap.
NO_VALUE = 1
NANO = 1e9
#: Units as UCUM writes them: those that are known here, and how many of these one is. Others are a label.
UNITS: Mapping[str, tuple[str, float]] = {
    "": ("", 1.0), "1": ("", 1.0), "%": ("%", 1.0),
    "ns": ("s", 1e-9), "us": ("s", 1e-6), "ms": ("s", 1e-3), "s": ("s", 1.0), "min": ("s", 60.0), "h": ("s", 3600.0),
    "d": ("s", 86400.0),
    "By": ("B", 1.0), "kBy": ("B", 1e3), "MBy": ("B", 1e6), "GBy": ("B", 1e9), "TBy": ("B", 1e12),
    "KiBy": ("B", 2.0**10), "MiBy": ("B", 2.0**20), "GiBy": ("B", 2.0**30), "TiBy": ("B", 2.0**40),
}  # fmt: skip

#: Attributes of a point, each packed as it was sent.
Packed = tuple[bytes, ...]
#: What stands behind a metric's name, its value, and whether that is in the metric's unit; other numbers are counts.
Number = tuple[str, float, bool]


def points(request: Any, now: float) -> tuple[list[Event], Counter[str], int]:
    """Return what the points of a request say.

    Args:
        request: an `ExportMetricsServiceRequest` in which the attributes of points are still packed.
    Returns:
        The events; how many points were refused, by reason; how many were taken. A point that says that it has no
        value is neither. Raises Refusal: there are more than may wait.
    """
    made: list[Event] = []
    refused: Counter[str] = Counter()
    seen = taken = 0
    for resource in request.resource_metrics:
        of_resource = _of_resource(resource.resource)
        for scope in resource.scope_metrics:
            known = _Known(_labels(_of_scope(scope.scope)), of_resource)
            for metric in scope.metrics:
                if (kind := metric.WhichOneof("data")) is None:
                    refused[NOT_UNDERSTOOD] += 1  # how many points it has is known to those who know its kind
                    continue
                those = getattr(metric, kind).data_points
                seen += len(those)
                if seen > MOST:
                    raise Refusal(LARGE)
                series = _Series(metric, _NUMBERS[kind], known)
                for point in those:
                    try:
                        if not point.flags & NO_VALUE:
                            made += series.events(point, now)
                            taken += 1
                    except Refusal as refusal:
                        refused[refusal.reason] += 1
    return made, refused, taken


class _Known(dict[Packed, tuple[str, Mapping[str, str]]]):
    """By the attributes of points, in whatever order: how their keys end, and the labels that they have in one scope.

    Args:
        behind: labels of all points, those that come first before the others.
    """

    def __init__(self, *behind: Mapping[str, str]) -> None:
        super().__init__()
        self._behind = {name: value for each in reversed(behind) for name, value in each.items()}
        self._order = [*dict.fromkeys(name for each in behind for name in each)]

    def with_unit(self, unit: str) -> _Known:
        """Return the same with a unit that is a label."""
        return _Known({"unit": clean(unit, LONGEST_VALUE)}, {name: self._behind[name] for name in self._order})

    def __missing__(self, attributes: Packed) -> tuple[str, Mapping[str, str]]:
        in_key, own = _apart(attributes)
        names = [*dict.fromkeys([*own, *self._order])][:MOST_LABELS]
        labels = {name: own[name] if name in own else self._behind[name] for name in names}
        found = self[attributes] = in_key, {**labels, "kind": METRIC}
        return found


class _Series:
    """The series of one metric."""

    def __init__(self, metric: Any, numbers: Callable[[Any], Iterable[Number]], known: _Known) -> None:
        self._name, self._key, self._numbers = metric.name, "", numbers
        unit = metric.unit
        self._unit, self._factor = UNITS.get(unit, ("", 1.0))
        annotated = unit.startswith("{") and unit.endswith("}")  # `{order}` is none
        self._known = known if annotated or unit in UNITS else known.with_unit(unit)

    def events(self, point: Any, now: float) -> list[Event]:
        """Return what a point says. Raises Refusal: of a part of it, as of all."""
        if not self._key:
            self._key = key_of(self._name)
        at = time_of(point.time_unix_nano / NANO, now)
        end, labels = self._known[tuple(point.attributes)]
        key = self._key + end
        if len(key) > LONGEST:
            raise Refusal(LONG_KEY)
        made = []
        for behind, number, measured in self._numbers(point):
            if measured:
                number *= self._factor
            if not isfinite(number):
                raise Refusal(NOT_FINITE)
            made.append(Event(at, key + behind, number, self._unit if measured else "", labels))
        return made


def _plain(point: Any) -> Iterable[Number]:
    """Return the value of a gauge, or of a sum: of a cumulative one as it stands, of a delta what came since."""
    value = point.as_double or point.as_int
    if not value and point.WhichOneof("value") is None:
        raise Refusal(NOT_UNDERSTOOD)
    return (("", float(value), True),)


def _histogram(point: Any) -> Iterable[Number]:
    """Yield what is known of all that a histogram counted, whatever buckets it has."""
    yield ".count", float(point.count), False
    for name in ("sum", "min", "max"):
        if point.HasField(name):
            yield f".{name}", getattr(point, name), True


def _summary(point: Any) -> Iterable[Number]:
    yield ".count", float(point.count), False
    yield ".sum", point.sum, True
    if len(point.quantile_values) > MOST_QUANTILES:
        raise Refusal(NOT_UNDERSTOOD)
    for each in point.quantile_values:
        if not 0 <= each.quantile <= 1:
            raise Refusal(NOT_UNDERSTOOD)
        # By its definition the quantile 0 is the least, 1 the greatest.
        named = {0.0: "min", 1.0: "max"}.get(each.quantile, f"p{each.quantile * 100:g}".replace(".", "_"))
        yield f".{named}", each.value, True


_NUMBERS: Mapping[str, Callable[[Any], Iterable[Number]]] = {
    "gauge": _plain, "sum": _plain, "histogram": _histogram, "exponential_histogram": _histogram, "summary": _summary,
}  # fmt: skip


def _attributes(sent: Iterable[Any]) -> dict[str, str]:
    return {each.key: each.value.string_value or _text(each.value) for each in sent}


def _text(value: Any) -> str:
    """Return a value as text, as OpenTelemetry has it for what knows text alone: what is no word is JSON."""
    plain = _value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    its = getattr(value, kind)
    if kind == "array_value":
        return [_value(each) for each in its.values]
    if kind == "kvlist_value":
        return {each.key: _value(each.value) for each in its.values}
    return b64encode(its).decode() if kind == "bytes_value" else its


def _of_resource(resource: Any) -> dict[str, str]:
    # Where there are too many the name of the service, which comes late in the alphabet, is not what is left out.
    sent = _attributes(resource.attributes).items()
    return _labels(dict(sorted(sent, key=lambda each: not each[0].startswith("service."))))


def _of_scope(scope: Any) -> dict[str, str]:
    named = {"otel.scope.name": scope.name, "otel.scope.version": scope.version}
    return {name: value for name, value in named.items() if value} | _attributes(scope.attributes)


@lru_cache(maxsize=2**13)
def _apart(attributes: Packed) -> tuple[str, dict[str, str]]:
    """Return how the key of a series ends that its attributes tell from others of its metric, and their labels.

    `region` of `eu` is `.region_eu`. Raises Refusal.
    """
    if sum(map(len, attributes)) > LARGEST:
        raise Refusal(LONG_KEY)
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.common.v1.common_pb2 import KeyValue

    try:
        sent = _attributes([KeyValue.FromString(each) for each in attributes])
    except DecodeError:
        raise Refusal(NOT_UNDERSTOOD) from None
    key = "".join(f".{part(masked(f'{name} {sent[name]}'))}" for name in sorted(sent))
    if len(key) > LONGEST:
        raise Refusal(LONG_KEY)
    return key, _labels(sent)


def _labels(sent: Mapping[str, str]) -> dict[str, str]:
    """Return attributes as labels, as many as there may be. What is no name of a label is left out: no key needs it."""
    few = [each for each in sent.items() if 0 < len(each[0]) <= LONGEST_NAME][:MOST_LABELS]
    return labels_of({f"otlp_{name}" if part(name) in IDENTITY else name: value for name, value in few})
