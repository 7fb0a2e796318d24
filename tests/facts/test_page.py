"""Sessions asked for by the fact itself: through nginx and TLS, within bounds, of odd pages, and gone on with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.cleaning import Secret
from infratest.deadline import Deadline
from infratest.facts._session_step import FILL, FOLLOW, OPEN, PRESS, SEND, SessionStep
from infratest.facts.http.request import Request
from infratest.facts.page import PageFact
from infratest.facts.page.cookies import Cookies
from infratest.facts.page.document import Document
from infratest.facts.page.form import sent
from infratest.facts.page.visit import Visit
from tests.worlds.shop_pages import PASSWORD, Shop, shop
from tests.worlds.tls_servers import authority, free_ports, running


@pytest.fixture(scope="module")
def pages() -> Iterator[Shop]:
    with shop() as one:
        yield one


@pytest.fixture(scope="module")
def secure(pages: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """nginx before the shop: its URL, one whose TLS is refused at first, and the CA's file."""
    made, (port, plain) = authority(tmp_path_factory.mktemp("nginx")), free_ports(2)
    at, conf = made.folder, made.folder / "nginx.conf"
    conf.write_text(
        f"daemon off; user root; pid {at}/nginx.pid; error_log {at}/nginx.log;\nevents {{}}\nhttp {{ access_log off;\n"
        f"client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fcgi;\n"
        f"uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n"
        f"server {{ listen 127.0.0.1:{plain}; return 301 https://127.0.0.1:{port}$request_uri; }}\n"
        f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {at}/leaf.pem; ssl_certificate_key {at}/leaf.key;\n"
        f"location / {{ proxy_pass {pages.url}; proxy_cookie_flags sid secure; proxy_cookie_flags in secure;\n"
        f"proxy_redirect {pages.url}/ /; proxy_set_header Host $http_host; }} }}\n}}\n"
    )
    with running("nginx", "-c", str(conf), "-e", f"{at}/nginx.log", ports=(port, plain)):
        yield f"https://127.0.0.1:{port}", f"http://127.0.0.1:{plain}", made.file("ca.pem")


def visit(*steps: SessionStep, seconds: float = 30, kept: str = "") -> Visit:
    argument = (*((f"kept {kept}",) if kept else ()), *(step.text for step in steps))
    found = PageFact().look([argument], Deadline(seconds), lambda host, port: (host, port))[argument]
    assert isinstance(found, Visit)
    return found


def opened(url: str, **how: object) -> SessionStep:
    return SessionStep(OPEN, "opened", Request(url, **how).argument)  # type: ignore[arg-type]


def step(does: str, *goal: str) -> SessionStep:
    return SessionStep(does, f"{does} {goal[0]}", goal)


def login(url: str, **how: object) -> tuple[SessionStep, ...]:
    password = Secret(PASSWORD)
    return (
        opened(f"{url}/login", **how), step(FILL, "User", "ada"), step(FILL, "Password", password),
        step(PRESS, "Sign in"),
    )  # fmt: skip


@pytest.mark.parametrize("place", [0, 1], ids=["https", "http that leads to https"])
def test_a_login_through_nginx_and_tls(secure, place):
    last = visit(*login(secure[place], authority=secure[2], follow=True)).pages[-1]
    assert (last.status, last.undone, last.unknown) == (200, "", "")
    assert last.url == f"{secure[0]}/orders?from=login"
    assert "Hello ada" in last.document.text()


def test_a_certificate_that_is_not_trusted_ends_the_session(secure):
    found = visit(*login(secure[0]))
    assert len(found.pages) == 1
    assert "certificate verify failed" in found.pages[0].undone
    assert visit(opened(f"{secure[0]}/", careless=True)).pages[0].status == 200


def test_a_file_of_the_client_that_is_not_there_is_unknown(secure):
    (page,) = visit(opened(f"{secure[0]}/", authority="/nosuch/ca.pem")).pages
    assert (page.undone, "/nosuch/ca.pem cannot be used" in page.unknown) == ("", True)


def test_cookies_for_tls_alone_are_not_sent_in_the_clear(secure, pages):
    visit(opened(f"{secure[0]}/", authority=secure[2]), opened(f"{pages.url}/headers"))
    _, path, headers = pages.requests[-1]
    assert (path, "cookie" in headers) == ("/headers", False)


def test_a_session_that_is_kept_is_gone_on_with(pages):
    before = len(pages.requests)
    first = visit(opened(f"{pages.url}/"), kept="a")
    again = visit(opened(f"{pages.url}/"), kept="a")
    assert first == again
    on = visit(opened(f"{pages.url}/"), step(FOLLOW, "Sign in"), kept="a")
    assert [path for _, path, _ in pages.requests[before:]] == ["/", "/login"]
    assert pages.requests[-1][2]["cookie"]
    assert len(on.pages) == 2
    assert len(visit(opened(f"{pages.url}/"), kept="b").pages) == 1
    assert [path for _, path, _ in pages.requests[before:]] == ["/", "/login", "/"]


def test_our_own_deadline_is_unknown(pages):
    (page,) = visit(opened(f"{pages.url}/"), seconds=0).pages
    assert (page.undone, "our own deadline" in page.unknown) == ("", True)


def test_secrets_are_sent_to_their_own_server_alone(pages):
    visit(opened(f"{pages.url}/far", login=f"ada:{Secret('only for one')}"))
    (first, _, one), (second, _, other) = pages.requests[-2:]
    assert (first, second) == ("GET", "GET")
    assert ("authorization" in one, "authorization" in other) == (True, False)


@pytest.mark.parametrize(
    ("path", "ends"),
    [
        ("moved", "/search?q=moved"),
        ("pushed", "/search?q=moved"),
        ("later", "/later"),
        ("again", "/again"),
    ],
)
def test_a_page_that_leads_on_at_once_is_followed(pages, path, ends):
    (page,) = visit(opened(f"{pages.url}/{path}")).pages
    assert (page.url, page.status, page.undone, page.unknown) == (f"{pages.url}{ends}", 200, "", "")


def test_cookies_of_pages_that_lead_on_are_kept_as_browsers_keep_them(pages):
    visit(opened(f"{pages.url}/"), opened(f"{pages.url}/moved"))
    (_, _, first), (_, path, then) = pages.requests[-2:]
    assert (first["cookie"].partition("=")[0], path, then["cookie"]) == ("sid", "/search?q=moved", "seen=1")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a=1; expires=Thursday, 01-Jan-70 00:00:00 GMT", False),
        ("a=1; expires=Friday, 31-Dec-99 23:59:59 GMT", False),
        ("a=1; expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("a=1; expires=Tuesday, 01-Jan-69 00:00:00 GMT", True),
        ("a=1; Max-Age=abc", True),
        ("a=1; Max-Age=-1", False),
        ("a=1; Max-Age=60; expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("a=1; Domain=", True),
        ("a=1; Domain=other.example", False),
        ("a=1; Path=foo", True),
        ("a=x\ty", True),
        ("a=x\x01y", False),
        ("__Host-a=1; Path=/", False),
        ("__host-a=1; Path=/; Secure; Domain=shop.example", False),
        ("__Host-a=1; Secure", False),
        ("__Host-a=1; Path=/; Secure", True),
        ("__Secure-a=1", False),
        ("__Secure-a=1; Secure", True),
        ("a=1; SameSite=None", False),
        ("a=1; SameSite=None; Secure", True),
        ("a=1; samesite=NONE", False),
        ("a=1; SAMESITE= none ;secure", True),
        ("a=1; SameSite=None; SameSite=Lax", True),  # the last one counts, whichever it is
        ("a=1; SameSite=Lax; SameSite=None", False),
        ("a=1; SameSite=Sometimes", True),  # read as if it were not there
        ('a=1; SameSite="None"', True),
        ("a=1; SameSite", True),
        ("a=1; SameSite=", True),
        ("a=1; SameSite=Strict", True),
        ("a=1; Partitioned", False),
    ],
)
def test_cookies_are_kept_and_sent_as_browsers_do(value, kept):
    cookies = Cookies()
    cookies.keep("https://shop.example/in/here", [("set-cookie", value)])
    assert (bool(cookies.names), bool(cookies.header("https://shop.example/in/there"))) == (kept, kept)


LISTS = """<form><select name=none size=3><option>A<option>B</select><select name=one><option>A<option>B</select>
<select name=size size=1><option>A</select>
<select name=group><optgroup disabled><option>C</optgroup><option>D</select>
<fieldset disabled><legend><input name=head value=1></legend><input name=body value=1><fieldset><legend>
<input name=inner value=1></legend></fieldset><legend><input name=second value=1></legend></fieldset></form>"""


def test_lists_and_fieldsets_send_what_browsers_send():
    document = Document(LISTS, "http://x/")
    assert sent(document, document.forms[0], None, {}, "utf-8").url == "http://x/?one=A&size=A&group=D&head=1"


FOLDED = """<dialog>dialog <a href=/d>In it</a></dialog><dialog open>asked</dialog><datalist><option>listed</datalist>
<canvas>drawn</canvas><video>film</video><audio>sound</audio><svg><title>name</title><text>picture</text></svg>
<details>folded <summary>more</summary><p>deep <a href=/f>Unfold me</a></p><summary>second</summary></details>
<details open><summary>open</summary>spread</details>"""


def test_what_browsers_do_not_show_is_not_shown():
    document = Document(FOLDED, "http://x/")
    assert document.text() == "asked picture more open spread"
    assert [link.names for link in document.links()] == [("Unfold me",)]


HTML = """<base href="/shop/">
<table><form id=f action="go?old=1"><tr><td><input name=a value="1 &amp; 2"></td></tr></form>
</table><input name=b value=2 form=f><form name=g><button formmethod=post formaction=/other name=c value=3>Go</button>
<input type=image name=i alt=Picture><fieldset disabled><input name=d></fieldset></form>
<form id=j action="javascript:go()"></form><form id=k method=dialog></form>
<form id=l accept-charset=ISO-8859-1><input name=n value=é></form>
<form id=m accept-charset=idna><input name=n value=é></form>"""


def _form(name: str, button: str = "") -> object:
    document = Document(HTML, "http://x/a/b")
    form = next(one for one in document.forms if name in (one.attributes.get("id"), one.attributes.get("name")))
    pressed = document.pick("button", button, document.buttons()) if button else None
    return sent(document, form, pressed, {}, "utf-8")


def test_forms_are_sent_as_html_says():
    assert _form("f") == ("GET", "http://x/shop/go?a=1+%26+2&b=2", b"", "")
    assert _form("g", "Go")[:3] == ("POST", "http://x/other", b"c=3")
    assert _form("g", "Picture")[:2] == ("GET", "http://x/a/b?i.x=0&i.y=0")
    assert _form("l") == ("GET", "http://x/a/b?n=%E9", b"", "")
    assert _form("m") == ("GET", "http://x/a/b?n=%C3%A9", b"", "")
    for name in ("j", "k"):
        with pytest.raises(Exception, match="JavaScript"):
            _form(name)


def test_steps_that_need_what_is_not_there_say_what_is(pages):
    found = visit(opened(f"{pages.url}/"), step(SEND, "nosuch")).pages[-1]
    assert found.undone == f'there is no form "nosuch" on {pages.url}/; there is: "search"'
    found = visit(opened(f"{pages.url}/"), step(FOLLOW, "Your order")).pages[-1]
    assert found.url == f"{pages.url}/login"  # a part of its text, and a redirect
    found = visit(opened(f"{pages.url}/"), step(FOLLOW, "Sign im")).pages[-1]
    assert found.undone.startswith(f'there is no link "Sign im" on {pages.url}/; there are: "Sign in"')


def test_without_its_extra_it_says_what_to_install(pages):
    """In an interpreter that has no selectolax."""
    program = f"""
import sys
sys.modules["selectolax"] = None
from infratest.deadline import Deadline
from infratest.facts._session_step import OPEN, SessionStep
from infratest.facts.page import PageFact
argument = (SessionStep(OPEN, "opened", ("{pages.url}/",)).text,)
try:
    PageFact().look([argument], Deadline(9), lambda *place: place)
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path.cwd())
    assert done.stdout == "FactError selectolax is not installed here: pip install 'infratest[browse]'\n", done.stderr
