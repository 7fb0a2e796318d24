"""What goes to Icinga by its API: a real Icinga takes it, and answers what it knows by then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import InfratestError, SendError, UserError
from infratest.exports._http import Api
from infratest.exports.icinga2 import Icinga2, Options
from infratest.senders.base import Seen, Service
from infratest.senders.icinga2 import written
from infratest.testing.exports import watch, what
from tests.senders.seen import LONG, NOW, number, result, seen, sender
from tests.worlds.monitoring_tools import IcingaApi, icinga_with_api
from tests.worlds.notice_servers import Reply, endpoint
from tests.worlds.tls_servers import free_port

HOSTILE = 'a\nb "}{ | x=1 \\ $host.name$ \u202e\udcff é ' + "x" * 10_000


def on(name: str = "nginx-answers", state: str = "critical", reason: str = "port 80 is not listening") -> Seen:
    one = result(state, reason)
    return seen(one, service=Service("web-1", name, (one,)))


def options(there: IcingaApi, **other: str) -> dict[str, str]:
    return {
        "api": f"https://127.0.0.1:{there.port}", "user": "root", "password-file": f"{there.folder}/password",
        "ca": f"{there.folder}/ca.crt", "known-as": "localhost", **other,
    }  # fmt: skip


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IcingaApi]:
    folder = tmp_path_factory.mktemp("icinga")
    made = Icinga2(Options(program="/bin/true")).write(what(watch()), folder / "conf")
    own = {name: text.replace('" {\n', '" {\n  enable_active_checks = false\n') for name, text in made.own.items()}
    with icinga_with_api(folder, {**made.files, **own}) as api:
        yield api


def known(there: IcingaApi, kind: str, name: str) -> dict:
    asked = options(there)
    api = Api(asked["api"], asked["ca"], "localhost", "root", asked["password-file"])
    _, answer = api.ask("GET", f"/v1/objects/{kind}/{name}", Deadline(LONG))
    return answer["results"][0]["attrs"]


def test_a_body_says_what_a_check_would():
    one = on()
    body = json.loads(written(one, one.service))
    assert (body["type"], body["service"], body["exit_status"]) == ("Service", "web-1!nginx-answers", 2)
    assert body["plugin_output"].startswith("INFRATEST CRITICAL - shop/prod web-1: 1 of 1 scenario failed")
    assert body["performance_data"][-1] == "'disk / used'=71.5%;80;90;0;100"
    took = result(duration=2.5)
    assert json.loads(written(seen(took), one.service))["execution_end"] == NOW + 2.5
    host = json.loads(written(on(""), on("").service))
    assert (host["type"], host["host"], host["exit_status"]) == ("Host", "web-1", 1)


def test_a_real_icinga_takes_it(there: IcingaApi):
    way = sender("icinga2", options(there))
    way.foresee()
    handed = way.send([on(), on(""), number("x"), on("unheard-of"), on("a!b")], Deadline(LONG))
    assert (handed.done, handed.left) == (5, 2)
    seen_now = known(there, "services", "web-1!nginx-answers")
    assert seen_now["last_check_result"]["state"] == 2
    assert seen_now["last_check_result"]["output"].endswith("port 80 is not listening")
    assert "'disk / used'=71.5%;80;90;0;100" in seen_now["last_check_result"]["performance_data"]
    assert known(there, "hosts", "web-1")["last_check_result"]["state"] == 2  # as Icinga has "down" there
    only = way.send([on("unheard-of")], Deadline(LONG))
    assert (only.done, only.left) == (1, 1)
    assert "it knows no web-1!unheard-of" in only.why


def test_one_that_a_real_icinga_refuses_does_not_hold_up_the_others(there: IcingaApi):
    asked = options(there)
    api = Api(asked["api"], asked["ca"], "localhost", "root", asked["password-file"])
    host, service = "/v1/objects/hosts/web-1", "/v1/objects/services/web-1!nginx-answers"
    api.ask("POST", host, Deadline(LONG), {"attrs": {"enable_passive_checks": False}})
    try:
        handed = sender("icinga2", asked).send([on("", reason="refused"), on(reason="behind it")], Deadline(LONG))
    finally:
        api.ask("POST", host, Deadline(LONG), {"attrs": {"enable_passive_checks": True}})
    assert (handed.done, handed.left) == (2, 1)
    assert "web-1 is answered" in handed.why
    assert "Passive checks are disabled" in handed.why
    output = api.ask("GET", service, Deadline(LONG))[1]["results"][0]["attrs"]["last_check_result"]["output"]
    assert output.endswith("behind it")


def answer(code: int, words: str) -> bytes:
    return json.dumps({"results": [{"code": code, "status": words}]}).encode()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (500, 409, "Newer check result already present. Check result for 'web-1!x' was discarded."),  # 2.13
        (409, 409, "Newer check result already present. Check result for 'web-1!x' was discarded."),  # newer ones
        (200, 403, "Passive checks are disabled for object 'web-1!x'."),
        (500, 400, "Parameter 'plugin_output' is required."),
    ],
)
def test_what_is_refused_of_one_result_is_left_out(tmp_path: Path, status: int, code: int, words: str):
    (tmp_path / "pw").write_text("secret\n")
    with endpoint() as server:
        server.reply = Reply(status, answer(code, words))
        way = sender("icinga2", {"api": server.url, "user": "root", "password-file": "pw"}, tmp_path)
        handed = way.send([on()], Deadline(LONG))
        assert (handed.done, handed.left) == (1, 1)
        assert handed.why.endswith(f"web-1!nginx-answers is answered {status}: {words}")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (503, answer(503, "Action skipped: Shutting down.")),
        (500, answer(503, "Could not process check result for object 'x' because the object is inactive.")),
        (503, b'{"error": 503, "status": "Shutting down."}'),
        (403, b'{"error": 403, "status": "Missing permission: actions/process-check-result"}'),
        (200, b'{"results": []}'),
        (200, b"hello"),
    ],
)
def test_what_is_refused_of_all_or_for_now_is_sent_again(tmp_path: Path, status: int, body: bytes):
    (tmp_path / "pw").write_text("secret\n")
    with endpoint() as server:
        server.reply = Reply(status, body)
        way = sender("icinga2", {"api": server.url, "user": "root", "password-file": "pw"}, tmp_path)
        with pytest.raises(SendError, match=f"is answered {status}"):
            way.send([on()], Deadline(LONG))


def test_whatever_hosts_say_is_data(there: IcingaApi):
    way = sender("icinga2", options(there))
    assert way.send([on(reason=HOSTILE)], Deadline(LONG)).left == 0
    output = known(there, "services", "web-1!nginx-answers")["last_check_result"]["output"]
    assert "$host.name$" in output
    assert "\n" not in output
    assert len(output) < 1000


@pytest.mark.parametrize(
    ("other", "words"),
    [({"known-as": "elsewhere"}, "its certificate is not trusted"), ({"user": "nobody"}, "is answered 401")],
)
def test_who_is_not_let_in_has_sent_nothing(there: IcingaApi, other: dict[str, str], words: str):
    with pytest.raises(InfratestError, match=words):
        sender("icinga2", options(there, **other)).send([on()], Deadline(LONG))


def test_where_nobody_listens_nothing_is_done(there: IcingaApi):
    gone = options(there, api=f"https://127.0.0.1:{free_port()}")
    with pytest.raises(InfratestError, match="Connection refused"):
        sender("icinga2", gone).send([on()], Deadline(LONG))


def test_what_cannot_be_is_refused(there: IcingaApi):
    with pytest.raises(UserError, match=r"api: http to 192\.0\.2\.1 is read by all on the way"):
        sender("icinga2", options(there, api="http://192.0.2.1:5665"))
    with pytest.raises(UserError, match=r"password-file: .* cannot be read"):
        sender("icinga2", options(there, **{"password-file": "/there/is/none"})).foresee()
