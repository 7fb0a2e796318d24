"""A small shop on a real web server: cookies, a token in each form, a login, lists, boxes, uploads, redirects, errors.

For tests of sessions: started on a port of its own by `shop()`; a session of it is a cookie. What it was sent is kept.
"""

from __future__ import annotations

import html
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

PASSWORD = "correct horse"

HOME = """<!doctype html><title>Shop</title><h1>Welcome to   the
<b>sh</b>op</h1><nav><a href="/login">Sign in</a> <a href=/orders>Your orders</a> <a href=/orders><img alt="Basket"></a>
<a href="/broken">Broken</a> <a href="/gone">Gone</a> <a href="javascript:open()">Chat</a>
<a href="mailto:a@shop">Mail</a>
<a href="/a">More</a> <a href="/b">More</a> <a href="/far">Far</a></nav>
<p hidden>secret offer</p><p style="color: red; display: none">another offer</p><script>var x = "scripted"</script>
<noscript>no script</noscript><form id=search action=/search><input name=q placeholder="Search"></form>"""
LOGIN = """<title>Sign in</title><p class=error>{error}</p><form method=post action="/login">
<input type=hidden name=csrf value="{token}"><label for=u>User</label><input id=u name=user>
<label>Password <input type=password name=password id=pw></label>
<label><input type=checkbox name=remember value=yes checked> Remember me</label>
<button>Sign in</button><button type=button>Show</button></form>"""
ORDER = """<title>Order</title><form method=post action="/order" enctype="multipart/form-data">
<input type=hidden name=csrf value="{token}">
<label for=d>Delivery</label><select id=d name=delivery><option value=s>Standard<option value=x>Express
<option disabled>Drone</select>
<label>Extras <select name=extras multiple><option selected>Gift<option>Card<option>Bag</select></label>
<label><input type=checkbox name=news> News</label><label><input type=checkbox name=terms value=1> Terms</label>
<label><input type=radio name=pay value=card checked> Card</label>
<label><input type=radio name=pay value=inv> Invoice</label>
<label>Comment <textarea name=comment>
old</textarea></label><label>Code <input name=code maxlength=4></label>
<label>Photo <input type=file name=photo></label><label>Fixed <input name=fixed value=1 readonly></label>
<input name=off value=1 disabled aria-label="Off"><button name=go value=now>Order now</button>
<button type=reset>Clear</button>
</form>"""
SCRIPTED = "<title>App</title><div id=root></div><noscript>Enable JavaScript</noscript><script>start()</script>"
LATIN = (
    '<meta charset="iso-8859-1"><title>Caf\xe9</title>'
    "<form method=post action=/echo><input name=n><button>Go</button></form>"
)


class Shop:
    """A shop that runs: its URL, and what it was sent."""

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, str]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.orders: list[list[tuple[str, str]]] = []
        self.url = ""
        self.ready_after = 0


class _Handler(BaseHTTPRequestHandler):
    shop: Shop

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer("GET", b"")

    def do_POST(self) -> None:
        self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, method: str, body: bytes) -> None:
        path = urlsplit(self.path).path
        self.shop.requests.append((method, self.path, {k.lower(): v for k, v in self.headers.items()}))
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("sid")
        self.session = self.shop.sessions.get(cookie.value if cookie else "")
        self.new = ""
        if self.session is None:
            self.new = secrets.token_hex(8)
            self.session = self.shop.sessions[self.new] = {"csrf": secrets.token_hex(8)}
        page = getattr(self, f"_{method}_{path.strip('/').replace('/', '_') or 'home'}".lower(), None)
        if page is None:
            self._send(404, "<title>404</title>not here")
        else:
            page(body)

    def _send(
        self, status: int, text: str | bytes, kind: str = "text/html; charset=utf-8", *more: tuple[str, str]
    ) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        if self.new:
            self.send_header("Set-Cookie", f"sid={self.new}; Path=/; HttpOnly; SameSite=Lax")
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), *more):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _to(self, place: str, status: int = 303, *more: tuple[str, str]) -> None:
        self._send(status, "", "text/html", ("Location", place), *more)

    def _form(self, body: bytes) -> dict[str, str]:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))

    def _get_home(self, body: bytes) -> None:
        self._send(200, HOME)

    def _get_login(self, body: bytes) -> None:
        self._send(200, LOGIN.format(error="", token=self.session["csrf"]))

    def _post_login(self, body: bytes) -> None:
        form = self._form(body)
        if form.get("csrf") != self.session["csrf"] or not self.headers["Referer"]:
            self._send(403, "forged")
        elif (form.get("user"), form.get("password")) != ("ada", PASSWORD):
            self._send(200, LOGIN.format(error="Wrong password", token=self.session["csrf"]))
        else:
            self.session["user"], self.session["remember"] = "ada", form.get("remember", "no")
            self._to("/welcome", 302, ("Set-Cookie", "in=1; Path=/"))

    def _get_welcome(self, body: bytes) -> None:
        self._to(
            "orders?from=login", 301, ("Set-Cookie", "seen=1; Path=/orders"), ("Set-Cookie", "x=1; Domain=example.org")
        )

    def _get_orders(self, body: bytes) -> None:
        if "user" not in self.session:
            self._to("/login")
            return
        rows = "".join(f"<tr><td>{n}<td>{'open' if n > 1 else 'sent'}" for n in (1, 2, 3))
        words = (
            f"Hello {self.session['user']}, remembered: {self.session['remember']}, {self.headers.get('Cookie', '')}"
        )
        self._send(
            200,
            f"<title>Orders</title><p>{words}</p><table>{rows}</table><a href=order>New</a>"
            "<a href=/logout>Sign out</a>",
        )

    def _get_order(self, body: bytes) -> None:
        self._send(200, ORDER.format(token=self.session["csrf"]))

    def _post_order(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message: EmailMessage = BytesParser(policy=HTTP).parsebytes(head + body)  # type: ignore[assignment]
        entries = []
        for part in message.iter_parts():
            content = part.get_payload(decode=True) or b""
            name, file = part.get_param("name", header="content-disposition"), part.get_filename()
            entries.append((str(name), f"{file}:{len(content)}" if file is not None else content.decode()))
        self.shop.orders.append(entries)
        listed = "".join(f"<li>{html.escape(f'{name}={value}')}" for name, value in entries)
        self._send(201, f"<title>Thanks</title><ul>{listed}</ul>")

    def _get_logout(self, body: bytes) -> None:
        self.session.pop("user", None)
        self._to("/", 303, ("Set-Cookie", "in=; Path=/; Max-Age=0"))

    def _get_search(self, body: bytes) -> None:
        self._send(200, f"<title>Search</title>searched: {html.escape(urlsplit(self.path).query)}")

    def _get_moved(self, body: bytes) -> None:
        more = ("Set-Cookie", "seen=1; Max-Age=abc"), ("Set-Cookie", "sid=; expires=Thursday, 01-Jan-70 00:00:00 GMT")
        self._send(200, '<meta http-equiv="Refresh" content="0;url=search?q=moved">moving', "text/html", *more)

    def _get_pushed(self, body: bytes) -> None:
        self._send(200, "<title>Pushed</title>pushing", "text/html", ("Refresh", "0; URL='/moved'"))

    def _get_later(self, body: bytes) -> None:
        self._send(200, '<title>Later</title><meta http-equiv=refresh content="60; url=/login">in a minute')

    def _get_again(self, body: bytes) -> None:
        self._send(200, '<title>Again</title><meta http-equiv=refresh content="0; url=/again">', "text/html")

    def _get_broken(self, body: bytes) -> None:
        self._send(500, "<title>500</title>Traceback")

    def _get_gone(self, body: bytes) -> None:
        self._send(410, "<title>410</title>gone for good")

    def _get_app(self, body: bytes) -> None:
        self._send(200, SCRIPTED)

    def _get_health(self, body: bytes) -> None:
        self._send(200, '{"status": "up"}', "application/json")

    def _get_latin(self, body: bytes) -> None:
        self._send(200, LATIN.encode("latin-1"), "text/html")

    def _post_echo(self, body: bytes) -> None:
        self._send(200, f"<title>Echo</title>{html.escape(body.decode())}")

    def _get_loop(self, body: bytes) -> None:
        self._to("/loop")

    def _get_far(self, body: bytes) -> None:
        self._to(self.shop.url.replace("127.0.0.1", "localhost") + "/headers")

    def _get_headers(self, body: bytes) -> None:
        self._send(200, f"<title>Headers</title>{html.escape(str(self.headers))}")

    def _get_slow_start(self, body: bytes) -> None:
        self.shop.ready_after -= 1
        self._send(200, "<a href=/orders>Ready</a>" if self.shop.ready_after < 0 else "<title>not yet</title>wait")

    def _get_long(self, body: bytes) -> None:
        self._send(200, "<title>Long</title><a href=/>Home</a>" + "x" * 2**20 + "<a href=/login>End</a>")

    def _get_deep(self, body: bytes) -> None:
        self._send(200, "<div>" * 100_000)


@contextmanager
def shop() -> Iterator[Shop]:
    """Run a shop until the block ends."""
    made = Shop()
    handler = type("Handler", (_Handler,), {"shop": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
