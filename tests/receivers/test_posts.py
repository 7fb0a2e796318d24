"""Receivers that are told by HTTP: what is sent, to whom, and what each answer means. Real servers, with real TLS."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest import __version__
from infratest.alerting.ledger import ACK, FLAPPING, RECOVERY, REMINDER, UNSTABLE
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers.base import Lost, Receiver, Refused, opened
from infratest.states import OK, UNKNOWN, WARNING
from infratest.testing.receivers import LONG, WHERE, item, message, notice
from tests.worlds.certificates import Authority, authority
from tests.worlds.notice_servers import DRIP, Endpoint, Reply, endpoint

ID = "features/web.feature#nginx-answers@web-1"
TAKEN = Reply(202, b'{"status":"success","message":"Event processed","dedup_key":"x"}')


@pytest.fixture(scope="module")
def running() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


@pytest.fixture
def server(running: Endpoint) -> Endpoint:
    running.forget()
    running.reply = Reply()
    return running


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


def to(kind: str, url: str, folder: Path = Path("/"), **options: object) -> Receiver:
    return opened({kind: {"url": url, **options}}, WHERE, folder)


def sent(receiver: Receiver, *items: object) -> None:
    receiver.deliver(message(*items), Deadline(LONG))  # type: ignore[arg-type]


def test_a_webhook_has_all_that_is_known(server):
    one = item(notice(members=("features/web.feature#more@web-1",)))
    sent(to("webhook", f"{server.url}/a/b?c=d"), one)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/a/b?c=d")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Host"] == f"127.0.0.1:{server.port}"
    key = f"shop/prod/{ID}/60000/oncall/60000000.1"
    assert request.headers["Idempotency-Key"] == key
    assert "Authorization" not in request.headers
    assert "X-Infratest-Signature" not in request.headers
    assert json.loads(request.body) == {
        "infratest": __version__,
        "schema": 1,
        "key": key,
        "stack": "shop",
        "env": "prod",
        "sent": "2026-11-30T00:54:20.500Z",
        "notices": [
            {
                "key": key,
                "problem": f"shop/prod/{ID}/60000",
                "receiver": "oncall",
                "kind": "problem",
                "level": "critical",
                "id": ID,
                "host": "web-1",
                "scenario": "nginx answers",
                "reason": "port 80 is not listening",
                "since": 1796000000.0,
                "blocked": 1,
                "members": ["features/web.feature#more@web-1"],
                "runbook": "https://wiki.example/nginx",
                "evidence": ["LISTEN 0 128 0.0.0.0:22"],
                "by": "",
                "comment": "",
            }
        ],
    }


def test_a_webhook_is_signed_and_signed_in(server, tmp_path, monkeypatch):
    (tmp_path / "key").write_text("schlüssel-1\n")
    monkeypatch.setenv("INFRATEST_TESTS_TOKEN", "token-12345")
    receiver = to("webhook", server.url, tmp_path, **{"secret-file": "key", "token": "env:INFRATEST_TESTS_TOKEN"})
    receiver.foresee()
    sent(receiver)
    (tmp_path / "key").write_text("another-1")  # is read anew
    sent(receiver)
    for request, key in zip(server.requests, ("schlüssel-1", "another-1"), strict=True):
        expected = hmac.new(key.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["X-Infratest-Signature"] == f"sha256={expected}"
        assert request.headers["Authorization"] == "Bearer token-12345"


def test_many_members_are_counted_and_a_few_named(server):
    sent(to("webhook", server.url), item(notice(members=tuple(f"f#s@h{number}" for number in range(39)))))
    (got,) = json.loads(server.requests[0].body)["notices"]
    assert (got["blocked"], len(got["members"])) == (39, 20)


@pytest.mark.parametrize(
    "reply, kind, permanent, after",
    [
        (Reply(400, b"no"), Refused, True, None),
        (Reply(401), Refused, True, None),
        (Reply(404), Refused, True, None),
        (Reply(408), Refused, False, None),
        (Reply(413), Refused, True, None),
        (Reply(429, b"", {"Retry-After": "30"}), Refused, False, 30.0),
        (Reply(429, b"", {"Retry-After": "99999999999"}), Refused, False, 3600.0),
        (Reply(429, b"", {"Retry-After": "soon\u00b2"}), Refused, False, None),
        (Reply(503, b"", {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), Refused, False, 0.0),
        (Reply(500, b"<html>" + b"x" * 100_000), Refused, False, None),
        (Reply(502), Lost, None, None),
        (Reply(504), Lost, None, None),
        (Reply(302, b"", {"Location": "http://127.0.0.1:9/"}), Refused, True, None),
        (Reply(302, b"", {"Location": "http://127.0.0.1:9/\x1b[2J"}), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), Refused, False, None),
        (Reply(raw=b"\xff\xfe garbage\r\n\r\n"), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 99999999999999999999 x\r\n\r\n"), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 200 " + b"x" * 200_000), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Le"), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n"), Lost, None, None),
        (Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 no\r\n\r\n"), Refused, False, None),
    ],
)
@pytest.mark.parametrize("word", ["webhook", "alertmanager"])
def test_what_an_answer_means(server, word, reply, kind, permanent, after):
    server.reply = reply
    with pytest.raises(kind) as caught:
        sent(to(word, server.url))
    assert len(server.requests) == 1
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    if kind is Refused:
        assert (caught.value.permanent, caught.value.after) == (permanent, after)


def test_an_answer_that_comes_by_the_letter_ends_with_the_deadline(server):
    server.reply = Reply(how=DRIP)
    for seconds in (1, 8, 64):  # a busy machine may not have sent it by then
        with pytest.raises((Lost, Refused)) as caught:
            to("webhook", server.url).deliver(message(), Deadline(seconds))
        if isinstance(caught.value, Lost):
            break
    assert isinstance(caught.value, Lost)
    assert "did not answer in time" in str(caught.value)


def test_no_redirect_takes_it_elsewhere(server, tmp_path):
    (tmp_path / "token").write_text("token-12345")
    with endpoint() as other:
        for status in (301, 302, 307, 308):
            server.reply = Reply(status, b"", {"Location": f"{other.url}/there"})
            with pytest.raises(Refused, match=f"leads to {other.url}/there, which is not followed"):
                sent(to("webhook", server.url, tmp_path, **{"token-file": "token"}))
        assert other.requests == []


def test_what_is_no_answer_of_theirs_is_none(server, monkeypatch):
    monkeypatch.setenv("INFRATEST_TESTS_PD_KEY", "R0123456789abcdef0123456789abcde")
    portal = Reply(200, b"<html>please sign in</html>")
    server.reply = portal
    sent(to("webhook", server.url))  # whoever made that says what it answers
    with pytest.raises(Lost, match="more than nothing, which Alertmanager does not"):
        sent(to("alertmanager", server.url))
    receiver = to("pagerduty", server.url, key="env:INFRATEST_TESTS_PD_KEY")
    for reply in (
        portal,
        Reply(202, b"[1]"),
        Reply(202, b"[" * 60_000),
        Reply(202, b'{"status":"queued"}'),
        Reply(202),
    ):
        server.reply = reply
        with pytest.raises(Lost, match="not 202 with the status success"):
            sent(receiver)


def test_by_tls_that_is_trusted_alone(signing):
    with endpoint(signing.sign("127.0.0.1")) as server:
        receiver = to("webhook", server.url, ca=str(signing.file))
        receiver.foresee()
        sent(receiver)
        assert len(server.requests) == 1
        with pytest.raises(Refused, match="certificate is not trusted") as caught:
            sent(to("webhook", server.url))
        assert caught.value.permanent
    with endpoint(signing.sign("192.0.2.1")) as server:
        with pytest.raises(Refused, match=r"certificate is not trusted: .*127"):
            sent(to("webhook", server.url, ca=str(signing.file)))
        assert server.requests == []


def test_tls_to_who_speaks_none(server):
    with pytest.raises(Refused, match="TLS does not begin"):
        sent(to("webhook", server.url.replace("http:", "https:")))
    assert server.requests == []


@pytest.mark.parametrize(
    "url, words",
    [
        ("http://hooks.example.org/x", "http to hooks.example.org is read by all on the way; use https, or add `"),
        ("http://192.0.2.1/x", "http to 192.0.2.1 is read"),
        ("ftp://hooks.example.org/x", "expected a URL with a host"),
        ("https://user:word-word@hooks.example.org/x", "a name or password in a URL"),
        ("https://hooks.example.org/\r\nX: y", "no URL holds"),
        ("", "expected a URL with a host"),
        ("env:INFRATEST_TESTS_NO_SUCH", "the environment has no INFRATEST_TESTS_NO_SUCH"),
    ],
)  # fmt: skip
def test_urls_that_cannot_be(url, words):
    receiver = to("webhook", url)
    with pytest.raises(UserError) as caught:
        receiver.foresee()
    assert words in str(caught.value)
    assert "word-word" not in str(caught.value)
    with pytest.raises(Refused) as refused:
        sent(receiver)
    assert words in str(refused.value)


def test_http_to_another_machine_where_that_is_meant():
    receiver = to("webhook", "http://192.0.2.1/x", plain=True)
    receiver.foresee()
    assert receiver.describe() == "webhook http://192.0.2.1"


def test_a_url_that_is_a_secret_is_shown_nowhere(server, monkeypatch):
    monkeypatch.setenv("INFRATEST_TESTS_URL", f"{server.url}/services/T0000/verysecretpath")
    server.reply = Reply(404, b"no /services/T0000/verysecretpath")
    receiver = to("webhook", "env:INFRATEST_TESTS_URL")
    with pytest.raises(Refused) as caught:
        sent(receiver)
    assert server.requests[0].path == "/services/T0000/verysecretpath"
    assert receiver.describe() == f"webhook {server.url}"
    assert str(caught.value).startswith(f"{server.url}: it answers 404")
    monkeypatch.setenv("INFRATEST_TESTS_URL", "verysecretpath")
    with pytest.raises(Refused, match="env:INFRATEST_TESTS_URL is no https or http URL") as caught:
        sent(receiver)
    assert "verysecretpath" not in str(caught.value)


@pytest.mark.parametrize("token", ["zwei wörter", "größe"])
def test_a_token_that_is_none(server, tmp_path, token):
    (tmp_path / "token").write_text(token)
    with pytest.raises(Refused, match="a bearer token has neither"):
        sent(to("webhook", server.url, tmp_path, **{"token-file": "token"}))
    assert server.requests == []


def events(server: Endpoint, tmp_path: Path, *items: object) -> list[dict[str, object]]:
    (tmp_path / "pd.key").write_text("R0123456789abcdef0123456789abcde\n")
    server.reply = TAKEN
    receiver = to("pagerduty", f"{server.url}/v2/enqueue", tmp_path, **{"key-file": "pd.key"})
    receiver.foresee()
    for each in items:
        sent(receiver, each)
    return [json.loads(request.body) for request in server.requests]


def test_an_event_of_pagerduty_is_as_its_documentation_has_it(server, tmp_path):
    (event,) = events(server, tmp_path, item())
    assert server.requests[0].path == "/v2/enqueue"
    assert event == {
        "routing_key": "R0123456789abcdef0123456789abcde",
        "event_action": "trigger",
        "dedup_key": f"shop/prod/{ID}/60000",
        "client": "infratest",
        "payload": {
            "summary": "CRITICAL: nginx answers on web-1: port 80 is not listening",
            "source": "web-1",
            "severity": "critical",
            "timestamp": "2026-11-30T00:53:20.000Z",
            "component": "nginx answers",
            "group": "shop/prod",
            "class": "problem",
            "custom_details": {
                "id": ID,
                "reason": "port 80 is not listening",
                "evidence": ["LISTEN 0 128 0.0.0.0:22"],
                "commands": [
                    f"infratest monitor explain '{ID}' --env prod",
                    f"infratest monitor ack '{ID}' --env prod --comment 'I have it'",
                ],
            },
        },
        "links": [{"href": "https://wiki.example/nginx", "text": "runbook"}],
    }  # fmt: skip


def test_events_of_one_problem_open_and_close_one_incident(server, tmp_path):
    notices = [
        notice(level=WARNING), notice(kind=REMINDER, number=2), notice(kind=ACK, number=3),
        notice(kind=FLAPPING, level=UNSTABLE, number=4), notice(level=UNKNOWN, number=5),
        notice(kind=RECOVERY, level=OK, number=6),
    ]  # fmt: skip
    got = events(server, tmp_path, *map(item, notices))
    assert [(each["event_action"], each["payload"]["severity"]) for each in got] == [
        ("trigger", "warning"), ("trigger", "critical"), ("acknowledge", "critical"), ("trigger", "warning"),
        ("trigger", "error"), ("resolve", "info"),
    ]  # fmt: skip
    assert {each["dedup_key"] for each in got} == {f"shop/prod/{ID}/60000"}


def test_lengths_that_pagerduty_has(server, tmp_path):
    long = item(notice("features/" + "ü" * 500, problem="ü" * 500 + "/1"), scenario="x" * 5000, runbook="no URL")
    (event,) = events(server, tmp_path, long)
    assert len(event["dedup_key"]) <= 255
    assert len(event["payload"]["summary"]) <= 1024
    assert len(server.requests[0].body) < 512 * 1024
    assert event["links"] == []  # what is no URL is no link


def test_without_its_key_pagerduty_is_not_asked(server, tmp_path):
    for options, words in (({}, "key: none is given"), ({"key-file": "no-such"}, "no-such cannot be read")):
        receiver = to("pagerduty", server.url, tmp_path, **options)
        with pytest.raises(UserError, match=words):
            receiver.foresee()
        with pytest.raises(Refused, match=words):
            sent(receiver)
    assert server.requests == []


OVER, LATER = "2026-11-30T00:54:20.500Z", "2026-11-30T00:57:20.500Z"


def alerts(server: Endpoint) -> dict[str, str]:
    """Return when the alerts of the newest request end, by severity."""
    got = json.loads(server.requests[-1].body)
    assert len({alert["labels"]["severity"] for alert in got}) == len(got)
    return {alert["labels"]["severity"]: alert["endsAt"] for alert in got}


def test_an_alert_is_a_lease(server):
    sent(to("alertmanager", f"{server.url}/am/", lease="3 min"), item(notice(level=WARNING)))
    assert server.requests[0].path == "/am/api/v2/alerts"
    (alert,) = json.loads(server.requests[0].body)
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-11-30T00:53:20.000Z", LATER)
    assert alert["labels"] == {
        "alertname": "nginx answers", "instance": "web-1", "severity": "warning", "stack": "shop", "env": "prod",
        "id": ID, "problem": f"shop/prod/{ID}/60000",
    }  # fmt: skip
    assert alert["annotations"]["runbook_url"] == "https://wiki.example/nginx"
    assert to("alertmanager", server.url, lease="3 min").lease == 180


def test_another_level_ends_the_alert_of_the_first(server):
    receiver = to("alertmanager", server.url, lease="3 min")
    over = item(notice(kind=RECOVERY, level=OK, number=3))
    sent(receiver, item(notice(level=WARNING)))
    sent(receiver, item(notice(number=2)))
    assert alerts(server) == {"critical": LATER, "warning": OVER}
    sent(receiver, item(notice(number=2)))  # once more, as to renew its lease
    assert alerts(server) == {"critical": LATER}
    sent(receiver, over)
    assert alerts(server) == {"critical": OVER}


def test_what_may_have_arrived_is_ended_too(server):
    receiver = to("alertmanager", server.url, lease="3 min")
    server.replies = [Reply(), Reply(502)]
    sent(receiver, item(notice(level=WARNING)))
    with pytest.raises(Lost):
        sent(receiver, item(notice(number=2)))
    sent(receiver, item(notice(level=UNKNOWN, number=3)))
    assert alerts(server) == {"critical": OVER, "warning": OVER, "unknown": LATER}


def test_a_monitor_that_was_started_anew_ends_what_it_may_have_sent_before(server):
    sent(to("alertmanager", server.url), item(notice(kind=RECOVERY, level=OK, number=2)))
    assert alerts(server) == dict.fromkeys(("critical", "unknown", "warning", "unstable"), OVER)


@pytest.mark.parametrize(
    "given, words",
    [
        ("mail", "expected a map of one kind"),
        ({}, "expected a map of one kind"),
        ({"mail": {}, "webhook": {}}, "expected a map of one kind"),
        ({"mial": {}}, "unknown receiver 'mial': did you mean 'mail'? known are alertmanager, apprise, mail,"),
        ({"mail": "ops@example.org"}, "mail: expected a map of its options, found 'ops@example.org'"),
        ({"webhook": None}, "webhook: expected a map of its options, found None"),
        ({"webhook": {}}, "webhook: url is missing"),
        ({"webhook": {"url": 5}}, "webhook: url: expected text, found 5"),
        ({"alertmanager": {"url": "http://127.0.0.1", "lease": "1s"}}, "lease: found '1s', must be at least 10s"),
        ({"apprise": "slack://a/b/c"}, "apprise: url: no secret stands in a stack file"),
        ({"pagerduty": {"key": "R0123456789"}}, "pagerduty: key: no secret stands in a stack file"),
    ],
)
def test_what_is_no_receiver(given, words, tmp_path):
    with pytest.raises(UserError) as caught:
        opened(given, WHERE, tmp_path)
    assert str(caught.value).startswith(f"{WHERE}: ")
    assert words in str(caught.value)
    assert "R0123456789" not in str(caught.value)
