"""OTLP/HTTP: what a request for metrics says, in either of its encodings, and how it is answered. Called by `http`.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp. Messages are read by the library `opentelemetry-proto` (the
extra `otlp`), which is imported when the first request comes. What is refused of a request that could be read is told
in its answer, which is 200 all the same: who sends is not to send that again.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from infratest.cleaning import cited
from infratest.errors import InfratestError
from infratest.intakes._admission import LARGE, NOT_UNDERSTOOD, NOT_UTF8, Refusal
from infratest.intakes._otlp_points import points
from infratest.store.events import Event

PROTOBUF, JSON = "application/x-protobuf", "application/json"
#: What a body may be compressed by, as zlib calls these; None is not at all.
CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS, "identity": None}
#: Bytes of a body once it is unpacked.
LARGEST = 4 * 2**20


class NotTaken(InfratestError):
    """A request is in a form that is not taken here. status: of HTTP. headers: of the answer."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status, self.headers = status, dict(headers or {})


@dataclass(frozen=True)
class Form:
    """How a request is written, and its answer. kind: the type of its content. coding: what it is compressed by."""

    kind: str
    coding: str

    def read(self, body: bytes, now: float) -> tuple[list[Event], Counter[str], int]:
        """Return the events of a body, how many points were refused, by reason, and how many were not.

        Raises:
            Refusal: it cannot be read, or is too large. NotTaken: the library is not installed.
        """
        return points(self._request(_unpacked(body, CODINGS[self.coding])), now)

    def answer(self, refused: Mapping[str, int], rejected: int) -> bytes:
        """Return the body of an answer to what was taken, but for so many points, for these reasons."""
        answer = _messages().ExportMetricsServiceResponse()
        if rejected:
            answer.partial_success.rejected_data_points = rejected
            answer.partial_success.error_message = ", ".join(f"{reason}: {count}" for reason, count in refused.items())
        if self.kind == PROTOBUF:
            return bytes(answer.SerializeToString())
        from google.protobuf.json_format import MessageToJson

        return MessageToJson(answer, indent=None).encode()

    def failure(self, words: str) -> bytes:
        """Return the body of an answer to what was not taken: a `google.rpc.Status` with its message alone."""
        if self.kind == JSON:
            return json.dumps({"message": words}).encode()
        text, length = words.encode(), b""
        size = len(text)
        while size > 127:
            length, size = length + bytes((size & 127 | 128,)), size >> 7
        return b"\x12" + length + bytes((size,)) + text  # field 2, of bytes, how many and they

    def _request(self, body: bytes) -> Any:
        request, packed = _messages().ExportMetricsServiceRequest, _with_packed_attributes()
        from google.protobuf.json_format import ParseDict, ParseError
        from google.protobuf.message import DecodeError

        try:
            if self.kind == PROTOBUF:
                return packed.FromString(body)
            # Ids of exemplars are hexadecimal in OTLP, base64 to the library: it takes these digits for such, and
            # nobody asks for them. What is no object it would take for an empty one.
            sent = json.loads(body.decode("utf-8"))
            if not isinstance(sent, dict):
                raise Refusal(NOT_UNDERSTOOD)
            return packed.FromString(ParseDict(sent, request(), ignore_unknown_fields=True).SerializeToString())
        except UnicodeDecodeError:
            raise Refusal(NOT_UTF8) from None
        except (DecodeError, ParseError, ValueError, RecursionError):
            raise Refusal(NOT_UNDERSTOOD) from None


def form_of(headers: Mapping[str, str]) -> Form:
    """Return how a request is written. headers: their names in small letters. Raises NotTaken."""
    sent = headers.get("content-type", "")
    kind = sent.partition(";")[0].strip().lower()
    if kind not in (PROTOBUF, JSON):
        raise NotTaken(415, f"the content type is {cited(sent, 80)}: OTLP is sent as {PROTOBUF} or {JSON}")
    coding = headers.get("content-encoding", "").strip().lower() or "identity"
    if coding not in CODINGS:
        words = f"the content encoding is {cited(coding, 80)}: it may be {', '.join(CODINGS)}"
        raise NotTaken(415, words, {"Accept-Encoding": ", ".join(CODINGS)})
    return Form(kind, coding)


def _messages() -> Any:
    try:
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    except ImportError:
        words = "OTLP needs opentelemetry-proto, which is not installed here: pip install 'infratest[otlp]'"
        raise NotTaken(501, words) from None
    return metrics_service_pb2


@cache
def _with_packed_attributes() -> Any:
    """Return the message of a request in which the attributes of points are bytes, as they are sent.

    To look into each of them takes a third of the time of a request, and the same ones come again and again.
    """
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    pool, known = DescriptorPool(), set()

    def add(file: Any) -> None:
        if file.name in known:
            return
        known.add(file.name)
        for each in file.dependencies:
            add(each)
        written = FileDescriptorProto()
        file.CopyToProto(written)
        for message in written.message_type:
            for field in message.field:
                if message.name.endswith("DataPoint") and field.name == "attributes":
                    field.type = field.TYPE_BYTES
                    field.ClearField("type_name")
        pool.Add(written)

    messages = _messages()
    add(messages.DESCRIPTOR)
    name = messages.ExportMetricsServiceRequest.DESCRIPTOR.full_name
    return GetMessageClass(pool.FindMessageTypeByName(name))


def _unpacked(body: bytes, window: int | None) -> bytes:
    """Return what was compressed; no more than may be is ever made of it. Raises Refusal."""
    if window is None:
        return body
    unpacking = zlib.decompressobj(window)
    try:
        whole = unpacking.decompress(body, LARGEST + 1)
    except zlib.error:
        raise Refusal(NOT_UNDERSTOOD) from None
    if len(whole) > LARGEST:
        raise Refusal(LARGE)
    if not unpacking.eof or unpacking.unused_data:
        raise Refusal(NOT_UNDERSTOOD)
    return whole
