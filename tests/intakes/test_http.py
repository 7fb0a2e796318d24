"""The HTTP intake over real connections: what is taken, what is refused and by what it is counted. By curl, by Python's
own client, and by bytes that no client would send.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infratest.errors import StateError, UnknownName, UserError
from infratest.intakes._arrivals import Arrivals
from infratest.intakes.base import opened
from tests.intakes.listening import LONG, Listening, listening
from tests.worlds.certificates import authority

WHERE = "stack.yaml:9: monitor.listen.http"
TOKEN, OTHER = "shop-token-4711-4711", "other-token-0815-0815"


@pytest.fixture
def here() -> Iterator[Listening]:
    with listening("http") as made:
        made.arrivals.heartbeats = frozenset(("backup",))
        yield made


def ask(
    here: Listening, method: str, path: str, body: bytes | str = b"", headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=LONG)
    try:
        connection.request(method, path, body if isinstance(body, bytes) else body.encode(), headers or {})
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if "json" in reply.headers["Content-Type"] else text.decode()
    finally:
        connection.close()


def post(here: Listening, body: object, path: str = "/in/events", **headers: str) -> tuple[int, Any]:
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    return ask(here, "POST", path, text, headers)


def raw(here: Listening, data: bytes) -> bytes:
    """Return all that is answered to bytes, until the other side closes."""
    with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(65_536):
            parts.append(part)
        return b"".join(parts)


def test_one_event_many_and_lines(here):
    assert post(here, {"key": "shop.orders", "value": 3}) == (200, {"taken": 1, "refused": {}})
    assert post(here, [{"key": "a", "value": 1.5, "unit": "s"}, {"key": "b", "value": -2}])[1]["taken"] == 2
    assert post(here, '{"key": "c", "value": 1}\n\n{"key": "d", "value": 2, "labels": {"team": "web"}}\n')[0] == 200
    assert here.numbers == {"shop.orders": 3.0, "a": 1.5, "b": -2.0, "c": 1.0, "d": 2.0}
    assert here.events[-1].labels == {"kind": "metric", "team": "web", "from": "http"}
    assert here.events[1].unit == "s"
    assert here.arrivals.taken == {"http": 5}


def test_curl_posts(here):
    url = f"http://127.0.0.1:{here.port}/in/events"
    done = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "-d", '{"key": "shop.orders", "value": 4}', url],
        capture_output=True, timeout=LONG, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"taken": 1, "refused": {}}
    assert here.numbers == {"shop.orders": 4.0}


@pytest.mark.parametrize(
    "body, reason",
    [
        ('{"key": "x", "value": NaN}', "no finite number"),
        ('{"key": "x", "value": Infinity}', "no finite number"),
        ('{"key": "x", "value": 1e999}', "no finite number"),
        ('{"key": "x", "value": "3"}', "not understood"),
        ('{"key": "x", "value": true}', "not understood"),
        ('{"key": "x"}', "not understood"),
        ('{"key": "x", "value": 1, "tiem": 3}', "not understood"),
        ('{"key": 7, "value": 1}', "not understood"),
        ('{"key": "x", "value": 1, "unit": "parsec"}', "not understood"),
        ('{"key": "x", "value": 1, "labels": {"id": "f#s@h"}}', "not understood"),
        ('{"key": "x", "value": 1, "labels": {"a": "\\ud83d"}}', "not understood"),
        ('{"key": "x", "value": 1, "time": 1700000000}', "time too far off"),
        ('{"key": "x", "value": 1, "time": NaN}', "no finite number"),
        ('{"key": "", "value": 1}', "no key"),
        ('{"key": "' + "k" * 10_000 + '", "value": 1}', "key too long"),
        ('{"key": "\\ud83d", "value": 1}', "not UTF-8"),
        ("[3]", "not understood"),
    ],
)
def test_what_is_no_event_is_refused_beside_one_that_is(here, body, reason):
    both = f"[{body}, " + '{"key": "fine", "value": 1}]' if body != "[3]" else '[3, {"key": "fine", "value": 1}]'
    assert post(here, both) == (422, {"taken": 1, "refused": {reason: 1}})
    assert here.numbers == {"fine": 1.0}
    assert here.arrivals.refusals == {("http", reason): 1}


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "not understood"), (b"{", "not understood"), (b"[1", "not understood"), (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "not understood"), (b"key=x&value=3", "not understood"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_whole(here, body, reason):
    assert post(here, body) == (400, {"error": reason})
    assert here.arrivals.refusals == {("http", reason): 1}


def test_a_line_that_is_no_json_costs_no_other(here):
    assert post(here, '{"key": "a", "value": 1}\n{"key": \n{"key": "b", "value": 1}\n') == (
        422, {"taken": 2, "refused": {"not understood": 1}},
    )  # fmt: skip


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_a_mebibyte_is_refused(here, chunked):
    if chunked:
        sent = b"POST /in/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        sent += (b"10000\r\n" + b" " * 2**16 + b"\r\n") * 17
    else:
        sent = b"POST /in/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n" + b" " * 1_048_577
    assert raw(here, sent).startswith(b"HTTP/1.1 413 ")
    assert here.arrivals.refusals == {("http", "too large"): 1}
    assert post(here, b" " * (2**20 - 26) + b'{"key": "fits", "value":1}')[0] == 200


@pytest.mark.parametrize("sent", [b"GET /" + b"y" * 100_000, b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000])
def test_a_head_without_an_end_is_refused(here, sent):
    assert raw(here, sent).startswith(b"HTTP/1.1 431 ")
    assert here.arrivals.refusals == {("http", "too large"): 1}


def test_a_trailer_without_an_end_is_refused(here):
    head = b"POST /in/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
    assert raw(here, head + b"y" * (5 * 2**20)).startswith(b"HTTP/1.1 4")
    assert here.arrivals.refusals == {("http", "too large"): 1}


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"POST /in/events HTTP/1.1\r\nContent-Length: 5\r\n\r\n{",
             b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_or_is_cut_is_answered_and_counted(here, sent):
    assert raw(here, sent).startswith(b"HTTP/1.1 400 ")
    assert here.arrivals.refusals == {("http", "not understood"): 1}
    assert post(here, {"key": "x", "value": 1})[0] == 200


def test_several_requests_on_one_connection_are_answered_in_order(here):
    one = b'{"key": "a", "value": 1}'
    head = b"POST /in/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(one)
    answered = raw(here, head + one + b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert [line.split()[1] for line in answered.splitlines() if line.startswith(b"HTTP/")] == [b"200", b"404"]


def test_who_waits_to_be_told_to_go_on_is(here):
    with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
        connection.sendall(b"POST /in/events HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"key": "a", "value": 1}')
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_what_there_is_not_and_how_not(here):
    assert ask(here, "GET", "/in/events")[0] == 405
    assert ask(here, "POST", "/metrics")[0] == 405
    assert ask(here, "GET", "/../etc/passwd")[0] == 404
    assert post(here, {}, "/in/nothing")[0] == 404
    assert post(here, {}, "/in/events/more")[0] == 404


def test_what_could_not_be_written_is_not_acknowledged(here):
    here.writes = False
    status, answer = post(here, {"key": "x", "value": 1})
    assert (status, answer["error"]) == (503, "it is not written yet; it may be later")


def test_what_does_not_fit_is_for_later():
    with listening("http", arrivals=Arrivals(most=1)) as here:
        assert post(here, [{"key": "x", "value": 1}, {"key": "y", "value": 1}]) == (
            503, {"taken": 1, "refused": {"no room": 1}},
        )  # fmt: skip


def test_a_hint_about_a_host_is_handed_on():
    def hint(host: str) -> int:
        if host != "web-1":
            raise UnknownName(f"unknown host {host!r}")
        return 7

    with listening("http", hint=hint) as here:
        assert post(here, b"", "/in/hint/web-1") == (200, {"host": "web-1", "results": 7})
        assert post(here, b"", "/in/hint/web-2") == (404, {"error": "unknown host 'web-2'"})
        assert post(here, b"", "/in/hint/")[0] == 404
        assert ask(here, "GET", "/in/hint/web-1")[0] == 405
        assert here.arrivals.refusals == {("http", "not understood"): 1}


def test_a_heartbeat_is_signalled(here):
    assert post(here, b"", "/in/heartbeat/backup") == (200, {"heartbeat": "backup", "signal": "ok"})
    for signal in ("start", "fail", "alive", "ok"):
        assert post(here, b"", f"/in/heartbeat/backup/{signal}")[0] == 200
    assert here.signals == [("backup", one) for one in ("ok", "start", "fail", "alive", "ok")]
    assert post(here, b"", "/in/heartbeat/bakcup") == (404, {"error": "no such heartbeat"})
    assert post(here, b"", "/in/heartbeat/backup/died")[0] == 404
    assert ask(here, "GET", "/in/heartbeat/backup")[0] == 405, "what is only looked at says nothing"
    assert here.arrivals.refusals == {("http", "no such heartbeat"): 1, ("http", "not understood"): 1}


#: What alertmanager 0.25 sent to a webhook, for one alert that fires.
RECORDED = (Path(__file__).parent / "alertmanager_webhook.json").read_text("utf-8")


def test_alerts_are_numbers_that_are_one_series_each(here):
    assert post(here, RECORDED, "/in/alertmanager") == (200, {"taken": 1, "refused": {}})
    resolved = RECORDED.replace('"firing"', '"resolved"')
    assert post(here, resolved, "/in/alertmanager")[0] == 200
    assert [(event.key, event.value) for event in here.events] == [
        ("alertmanager.TooMany.186fa0f3baed4a1d", 1.0), ("alertmanager.TooMany.186fa0f3baed4a1d", 0.0),
    ]  # fmt: skip
    assert here.events[0].labels == {
        "kind": "metric", "from": "http", "alertname": "TooMany", "alert_env": "prod", "instance": "127.0.0.1:9100",
        "severity": "page",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change, status, refused",
    [
        ({"version": "3"}, 400, "not understood"),
        ({"alerts": {}}, 400, "not understood"),
        ({"alerts": [{}]}, 422, "not understood"),
        ({"truncatedAlerts": 7}, 422, "too large"),
    ],
)
def test_a_message_that_is_not_alertmanagers(here, change, status, refused):
    assert post(here, json.loads(RECORDED) | change, "/in/alertmanager")[0] == status
    assert [*here.arrivals.refusals] == [("http", refused)]


def test_a_page_in_a_browser_sends_nothing(here):
    assert post(here, {"key": "x", "value": 1}, Origin="https://evil.example")[0] == 403
    assert here.arrivals.refusals == {("http", "sent by a web page"): 1}


def test_health_of_a_damaged_store_is_bad_at_once_and_names_no_path():
    with listening("http", age=lambda: 1.0, damaged=lambda: True) as here:
        assert ask(here, "GET", "/health") == (503, {"age": 1.0, "store": "damaged"})


def test_health_is_the_age_of_the_newest_turn():
    age = [1.25]
    with listening("http", age=lambda: age[0]) as here:
        assert ask(here, "GET", "/health") == (200, {"age": 1.25})
        age[0] = 31.0
        assert ask(here, "GET", "/health") == (503, {"age": 31.0})


def test_metrics_are_what_the_monitor_says_or_why_it_does_not():
    said: list[object] = ["up 1\n"]

    def exposition() -> str:
        if isinstance(said[0], Exception):
            raise said[0]
        return str(said[0])

    with listening("http", exposition=exposition) as here:
        assert ask(here, "GET", "/metrics") == (200, "up 1\n")
        said[0] = StateError("it did not answer in time")
        assert ask(here, "GET", "/metrics") == (503, {"error": "it did not answer in time"})


def test_targets_are_the_monitors_hosts_or_why_it_does_not_know_them():
    asked: list[int | None] = []

    def targets(port: int | None) -> str:
        asked.append(port)
        if port == 1:
            raise StateError("monitor: which hosts there are is not known")
        return "[]"

    with listening("http", targets=targets) as here:
        assert ask(here, "GET", "/sd") == (200, [])
        assert ask(here, "GET", "/sd/9187") == (200, [])
        assert ask(here, "GET", "/sd/1") == (503, {"error": "monitor: which hosts there are is not known"})
        for path in ("/sd/0", "/sd/65536", "/sd/x", "/sd/9187/x", "/sdx"):
            assert ask(here, "GET", path)[0] == 404, path
        assert ask(here, "POST", "/sd")[0] == 405
    assert asked == [None, 9187, 1]


def test_tokens_say_who_sends_and_are_read_anew(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(f"# who may send\nshop {TOKEN}\n")
    with listening("http", {"tokens": "tokens"}, folder=tmp_path) as here:
        event = {"key": "x", "value": 1}
        assert post(here, event)[0] == 401
        assert post(here, event, Authorization=f"Bearer {TOKEN}x")[0] == 401
        assert post(here, event, Authorization=f"Basic {TOKEN}")[0] == 401
        assert ask(here, "GET", "/metrics")[0] == 401
        assert ask(here, "GET", "/sd")[0] == 401
        assert ask(here, "GET", "/health")[0] == 200
        assert here.arrivals.refusals == {("http", "no token that is known"): 5}
        assert post(here, event, Authorization=f"Bearer {TOKEN}", Origin="https://own.example")[0] == 200
        file.write_text(f"other {OTHER}\n")
        os.utime(file, (1, 1))
        assert post(here, event, Authorization=f"Bearer {TOKEN}")[0] == 401
        assert post(here, event, Authorization=f"Bearer {OTHER}")[0] == 200
        file.unlink()
        assert post(here, event, Authorization=f"Bearer {OTHER}")[0] == 401


@pytest.mark.parametrize(
    ("head", "data"),
    [
        (b"Content-Length: 1000000\r\n", b"x" * 100),
        (b"Content-Length: 1000000\r\nExpect: 100-continue\r\n", b""),
        (b"Transfer-Encoding: chunked\r\n", b"8000\r\n" + b"x" * 0x8000 + b"\r\n10000\r\n" + b"x" * 0x8001),
    ],
)
def test_a_large_body_is_not_waited_for_from_who_shows_no_token(tmp_path, head, data):
    (tmp_path / "tokens").write_text(f"shop {TOKEN}\n")
    with listening("http", {"tokens": "tokens"}, folder=tmp_path) as here:
        asked = b"POST /in/events HTTP/1.1\r\nHost: x\r\n"
        with socket.create_connection(("127.0.0.1", here.port), timeout=LONG) as connection:
            connection.sendall(asked + head + b"\r\n" + data)  # and no more of it comes
            answer = connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        assert b"\r\nWWW-Authenticate: Bearer\r\n" in answer
        assert here.arrivals.refusals == {("http", "no token that is known"): 1}
        many = [{"key": f"k{number}", "value": number} for number in range(3000)]
        assert post(here, many, Authorization=f"Bearer {TOKEN}") == (200, {"taken": 3000, "refused": {}})


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "holds no token"), ("shop\n", "expected a name, a blank and a token"), ("shop short\n", "16 characters"),
        (f"a {TOKEN}\na {OTHER}\n", "has a token already"), (None, "cannot be read: No such file"),
    ],
)  # fmt: skip
def test_a_file_of_tokens_that_is_none(tmp_path, text, words):
    if text is not None:
        (tmp_path / "tokens").write_text(text)
    with pytest.raises(UserError, match=words) as raised:
        opened("http", {"address": "127.0.0.1:0", "tokens": "tokens"}, WHERE, tmp_path)
    assert TOKEN not in str(raised.value)


def test_beyond_loopback_it_takes_tokens_and_tls(tmp_path):
    with pytest.raises(UserError, match=r"beyond loopback, which takes tokens and TLS; add tokens, certificate, key"):
        opened("http", "192.0.2.1:9917", WHERE, tmp_path)
    with pytest.raises(UserError, match="go together"):
        opened("http", {"address": "127.0.0.1:0", "certificate": "x"}, WHERE, tmp_path)


def test_with_tls_curl_that_trusts_it_posts(tmp_path):
    made = authority(tmp_path)
    file = str(made.sign("127.0.0.1"))
    options = {"certificate": file, "key": file}
    with listening("http", options) as here:
        url = f"https://127.0.0.1:{here.port}/in/events"
        words = [
            "curl",
            "-sS",
            "--noproxy",
            "*",
            "--cacert",
            str(made.file),
            "-d",
            '{"key": "x", "value": 4}',
            url,
        ]
        done = subprocess.run(words, capture_output=True, timeout=LONG, check=False)
        assert (json.loads(done.stdout or b"{}"), done.stderr) == ({"taken": 1, "refused": {}}, b"")
        with contextlib.suppress(OSError):  # what is in clear is no TLS
            assert b"HTTP/" not in raw(here, b"GET /health HTTP/1.1\r\n\r\n")
        assert here.numbers == {"x": 4.0}
