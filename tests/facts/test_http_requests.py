"""What is sent to a URL and what comes of it, from the host (curl) and from the controller: both send the same."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infratest.cleaning import Secret, masked
from infratest.errors import UserError
from infratest.facts.http.request import Request, as_form, request_of
from tests.facts.http_both_ways import asked, both, looked

SECRET = Secret("s3cret-of-the-stack")


class Echo(BaseHTTPRequestHandler):
    """Says what it was sent; below /to/ it sends elsewhere, with the status that the path names."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"method": self.command, "path": self.path, "headers": headers, "body": sent}).encode()
        _, kind, *rest = self.path.split("/", 3)
        status = int(rest[0]) if kind in ("to", "loop") else 200
        self.send_response(status)
        if kind == "loop":
            self.send_header("Location", self.path)
        if kind == "to":
            self.send_header("Location", "/" + rest[1] if "//" not in rest[1] else rest[1])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_GET

    def log_message(self, format, *arguments):
        pass


@pytest.fixture(scope="module")
def servers():
    """Two of them, for what must not go from one to the other: their URLs."""
    made = [ThreadingHTTPServer(("127.0.0.1", 0), Echo) for _ in range(2)]
    for one in made:
        one.daemon_threads = True
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield [f"http://127.0.0.1:{one.server_address[1]}" for one in made]
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def url(servers):
    return servers[0]


def echoed(reply):
    assert reply.refused == ""
    return json.loads(reply.body)


BODIES = ('{"a": "b\\\\c"}', "two\nlines\r\n\tand a tab", "@/etc/passwd", "h\xe9llo", "'$(id)'", " ", "x" * 60_000)


@both
def test_a_body_arrives_as_it_is_written(url, ways):
    requests = [Request(f"{url}/{number}", body=body) for number, body in enumerate(BODIES)]
    for body, reply in zip(BODIES, ways(*requests), strict=True):
        sent = echoed(reply)
        assert (sent["method"], sent["body"]) == ("POST", body)
        assert "content-type" not in sent["headers"]
        assert "expect" not in sent["headers"]


@both
def test_a_method_is_asked_by_as_it_is_named(url, ways):
    methods = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
    bare, full = (ways(*(Request(url, method=one, body=body) for one in methods)) for body in (None, "x"))
    assert [echoed(reply)["method"] for reply in (*bare, *full)] == [*methods, *methods]
    assert [echoed(reply)["body"] for reply in (*bare, *full)] == [""] * 6 + ["x"] * 6
    assert echoed(bare[1])["headers"]["content-length"] == "0"


@both
def test_head_has_a_head_alone(url, ways):
    (reply,) = ways(Request(url, method="HEAD"))
    assert (reply.status, reply.body, reply.size, reply.unread) == (200, "", 0, "")
    assert int(dict(reply.headers)["content-length"]) > 0


@both
def test_headers_arrive_and_take_the_place_of_the_usual_ones(url, ways):
    named = Request(url, headers=('X-Odd: a: "b" \\c', "X-Empty:", "User-Agent: other", "Accept: text/plain"))
    plain, other = (echoed(reply)["headers"] for reply in ways(Request(url), named))
    assert plain["user-agent"].startswith("infratest/")
    assert plain["accept"] == "*/*"
    assert (other["x-odd"], other["x-empty"]) == ('a: "b" \\c', "")
    assert (other["user-agent"], other["accept"]) == ("other", "text/plain")


@both
def test_a_form_is_sent_as_browsers_do(url, ways):
    form = as_form("name=Ada L\xf6w&mark=%26&q=a/b?c")
    (reply,) = ways(Request(url, body=form, headers=("Content-Type: application/x-www-form-urlencoded",)))
    sent = echoed(reply)
    assert sent["body"] == "name=Ada+L%C3%B6w&mark=%26&q=a%2Fb%3Fc"
    assert sent["headers"]["content-type"] == "application/x-www-form-urlencoded"


@both
def test_who_asks_is_told_to_the_server_and_shown_to_nobody(url, ways):
    login, token = ways(Request(url, login=f"ada:{SECRET}"), Request(url, token=SECRET))
    sent = echoed(login)["headers"]["authorization"]
    assert sent == "Basic YWRhOnMzY3JldC1vZi10aGUtc3RhY2s="
    assert "YWRhOnMzY3JldC1vZi10aGUtc3RhY2s" not in masked(login.body)
    assert echoed(token)["headers"]["authorization"] == f"Bearer {SECRET}"
    assert str(SECRET) not in masked(repr(Request(url, token=SECRET).argument))


@both
def test_a_redirect_is_followed_when_asked_and_each_step_is_kept(url, ways):
    start = f"{url}/to/301/to/302/end%20of?it=x y".replace(" ", "%20")
    stays, follows = ways(Request(start), Request(start, follow=True))
    assert (stays.status, stays.hops, stays.location) == (301, (), "/to/302/end%20of?it=x%20y")
    assert follows.hops == ((301, f"{url}/to/302/end%20of?it=x%20y"), (302, f"{url}/end%20of?it=x%20y"))
    assert echoed(follows)["path"] == "/end%20of?it=x%20y"


@both
def test_what_was_sent_is_sent_again_where_the_status_says_so(url, ways):
    replies = ways(*(Request(f"{url}/to/{status}/end", body="x", follow=True) for status in (301, 302, 303, 307, 308)))
    seen = [(echoed(reply)["method"], echoed(reply)["body"]) for reply in replies]
    assert seen == [("GET", "")] * 3 + [("POST", "x")] * 2


@both
def test_redirects_without_an_end_are_given_up(url, ways):
    loop, ten, eleven = ways(
        Request(f"{url}/loop/302", follow=True),
        Request(f"{url}" + "/to/302" * 10 + "/x", follow=True),
        Request(f"{url}" + "/to/302" * 11 + "/x", follow=True),
    )
    assert (loop.status, loop.refused) == (None, "it redirects more than 10 times")
    assert (ten.status, len(ten.hops)) == (200, 10)
    assert (eleven.status, len(eleven.hops), eleven.silent) == (None, 10, False)


@both
def test_no_other_server_is_told_who_asks(servers, ways):
    here, there = servers
    (away,) = ways(Request(f"{here}/to/302/{there}/x", login=f"ada:{SECRET}", follow=True))
    (stays,) = ways(Request(f"{here}/to/302/x", login=f"ada:{SECRET}", follow=True))
    assert "authorization" not in echoed(away)["headers"]
    assert "authorization" in echoed(stays)["headers"]


def test_a_secret_in_a_header_is_carried_nowhere_by_redirects(servers):
    with pytest.raises(UserError, match="X-Api-Key holds a secret, which redirects would carry"):
        Request(f"{servers[0]}/x", headers=(f"X-Api-Key: {SECRET}",), follow=True)
    kept = Request(f"{servers[0]}/x", headers=(f"X-Api-Key: {SECRET}", "X-Odd: 1"))
    assert kept.of(f"{servers[0]}/y").headers == kept.headers
    assert kept.of(f"{servers[1]}/y").headers == ("X-Odd: 1",)


def test_a_secret_that_is_sent_is_not_sent_on_to_another_server(servers):
    here, there = servers
    stays, goes, empty = looked(
        Request(f"{here}/to/307/x", body=f"pw={SECRET}", follow=True),
        Request(f"{here}/to/307/{there}/x", body=f"pw={SECRET}", follow=True),
        Request(f"{here}/to/302/{there}/x", body=f"pw={SECRET}", follow=True),
    )
    assert echoed(stays)["body"] == f"pw={SECRET}"
    assert (goes.status, "to another server" in goes.refused) == (None, True)
    assert (echoed(empty)["method"], echoed(empty)["body"]) == ("GET", "")


@both
@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/"])
def test_a_redirect_to_what_is_no_web_is_no_answer(url, ways, place):
    (reply,) = ways(Request(f"{url}/to/302/{place}", follow=True))
    assert (reply.status, reply.silent) == (None, False)
    assert reply.refused


@both
def test_a_place_is_connected_to_and_the_name_is_kept(url, ways):
    place = url.removeprefix("http://")
    named, ported = ways(
        Request("http://shop.invalid/a", place=place), Request("http://shop.invalid:8080/b", place=place)
    )
    assert echoed(named)["headers"]["host"] == "shop.invalid"
    assert echoed(ported)["headers"]["host"] == "shop.invalid:8080"


@both
def test_the_parts_of_its_time_are_within_the_whole(url, ways):
    (reply,) = ways(Request(url))
    assert 0 <= reply.lookup + reply.connect <= reply.first <= reply.seconds
    assert reply.handshake is None


def test_an_argument_says_all_of_a_request():
    request = Request(
        "https://x/",
        "PUT",
        "a b\nc",
        ("A: b", "C:"),
        "u:{param.p}",
        "",
        "/c",
        "/k",
        "/ca",
        False,
        "10.0.0.1",
        "",
        False,
    )
    assert request_of(request.argument) == request
    assert Request("https://x/").argument == ("https://x/",)
    assert request_of(("https://x/",)).plain


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"method": "G T"}, "no method"),
        ({"method": "CONNECT"}, "not asked"),
        ({"headers": ("no colon",)}, "expected a name"),
        ({"headers": ("X: a\r\nY: b",)}, "expected a name"),
        ({"headers": ("Host: y",)}, "made of the URL"),
        ({"headers": ("Authorization: Basic abcdef",)}, "stands in no feature"),
        ({"login": "ada:secret"}, "stands in no feature"),
        ({"token": "abcdef"}, "stands in no feature"),
        ({"login": "ada"}, "USER:PASSWORD"),
        ({"body": "a\0b"}, "NUL"),
        ({"body": "x" * 70_000}, "64 KiB"),
        ({"body": "x", "method": "HEAD"}, "sends nothing"),
        ({"method": "PUT", "follow": True}, "not followed"),
        ({"key": "/k"}, "needs its certificate"),
        ({"certificate": "c.pem"}, "no absolute path"),
        ({"authority": "/ca"}, "https's alone"),
        ({"place": "a b"}, "no address"),
        ({"proxy": "https://p/"}, "expected http://HOST:PORT"),
        ({"proxy": "http://p/", "place": "1.2.3.4"}, "leave"),
    ],
)
def test_what_cannot_be_asked_is_refused(wrong, words):
    with pytest.raises(UserError, match=words):
        Request("http://x/", **wrong)


def test_both_ways_are_what_they_say(url):
    assert asked(Request(url))[0].body == looked(Request(url))[0].body
