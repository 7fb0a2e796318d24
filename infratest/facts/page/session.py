"""A session: steps done one after the other as a browser without JavaScript does them. Called by the fact `page`.

Each request is one of the fact `http`: over a socket of ours, certificates verified, what comes read within its bounds,
ten seconds for an answer. Redirects are followed, ten at most; cookies are kept and sent, as are Referer and Origin,
which servers look at against forged forms. A step that cannot be done ends the session, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from infratest.cleaning import clean, holds_declared, keep_secret, masked
from infratest.errors import FactError, InfratestError, UserError
from infratest.facts import _session_step as does
from infratest.facts.base import PATIENCE
from infratest.facts.http.answer import charset_of
from infratest.facts.http.look import MOST, REDIRECTS, once
from infratest.facts.http.request import Request, request_of
from infratest.facts.page.cookies import Cookies
from infratest.facts.page.document import Document, Node, Undone, attribute, has, kind_of
from infratest.facts.page.form import TICKED, Sent, disabled, label_of, options, owner, sent, state
from infratest.facts.page.refresh import leads_on
from infratest.facts.page.visit import Page, Visit
from infratest.web_address import resolved, web_address

if TYPE_CHECKING:
    from infratest.deadline import Deadline
    from infratest.facts._session_step import SessionStep
    from infratest.facts.base import Connect
    from infratest.facts.http.reply import Reply

ACCEPT = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


class Submission(Request):
    """A request that sends bytes: a form with its files."""

    content: bytes = b""

    @property
    def data(self) -> bytes:
        return self.content


class Session:
    """One client's way through pages."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._cookies = Cookies()
        self._base: Request | None = None
        self._pages: list[Page] = []
        self._since = 0.0
        self._began = ""

    def visit(self, steps: Sequence[SessionStep], deadline: Deadline) -> Visit:
        """Do those of these steps that are not done yet, and return all pages: the last says where it had to end."""
        for step in steps[len(self._pages) :]:
            if self._pages and (self._pages[-1].undone or self._pages[-1].unknown):
                break
            self._pages.append(self._done(step, deadline))
        return Visit(tuple(self._pages))

    def _done(self, step: SessionStep, deadline: Deadline) -> Page:
        if deadline.passed:
            return Page(
                step.words, unknown=f"our own deadline of {deadline.seconds:g} s for a session passed before it"
            )
        doing: dict[str, Callable[[SessionStep, Deadline], Page]] = {
            does.OPEN: self._open, does.FOLLOW: self._follow, does.PRESS: self._press, does.SEND: self._send,
        }  # fmt: skip
        try:
            page = doing.get(step.does, self._fill)(step, deadline)
        except Undone as error:
            return self._failed(step, undone=str(error))
        except InfratestError as error:
            return self._failed(step, unknown=str(error))
        if page.status is not None and page.status >= 400 and step.does in doing and not step.careless:
            return page.changed(undone=f"{page.url} answered {page.status}")
        return page

    def _failed(self, step: SessionStep, undone: str = "", unknown: str = "") -> Page:
        page = self._pages[-1] if self._pages else Page("")
        return page.on(step.words, undone=clean(undone, 1000), unknown=clean(unknown, 1000))

    @property
    def _document(self) -> Document:
        """The page that the session is on. Raises Undone: it is none of HTML."""
        if not self._pages[-1].is_html:
            raise Undone(f"{self._pages[-1].url} is {self._pages[-1].kind or 'of no type'}, and no page of HTML")
        return self._pages[-1].document

    # Steps that ask a server

    def _open(self, step: SessionStep, deadline: Deadline) -> Page:
        url, *words = step.goal
        first = "://" in url
        if not first and self._base is None:
            raise Undone(f'"{url}" leads nowhere: a session begins at a whole URL, as http://shop.example/')
        if not first:
            return self._ask(step, Sent("GET", urljoin(self._pages[-1].url, url)), deadline, "")
        if words or self._base is None:
            request = request_of((url, *words))
            named = any(header.lower().startswith("accept:") for header in request.headers)
            # `follow` allows settings of TLS where the first URL is http; the session itself follows.
            self._base = request.changed(headers=request.headers if named else (ACCEPT, *request.headers), follow=True)
        self._began = url
        return self._ask(step, Sent("GET", url), deadline, "")

    def _follow(self, step: SessionStep, deadline: Deadline) -> Page:
        document = self._document
        link = document.pick("link", step.goal[0], document.links(), parts=True)
        goal = attribute(link, "href").strip()
        url = urljoin(document.base, goal)
        if goal.lower().startswith("javascript:") or (goal in ("", "#") and has(link, "onclick")):
            raise Undone(f'the link "{step.goal[0]}" on {document.url} needs JavaScript, which is not run')
        if not url.lower().startswith(("http://", "https://")):
            raise Undone(f'the link "{step.goal[0]}" on {document.url} leads to {goal!r}, which is no page')
        return self._ask(step, Sent("GET", url), deadline, document.url)

    def _press(self, step: SessionStep, deadline: Deadline) -> Page:
        document, name = self._document, step.goal[0]
        button = document.pick("button", name, document.buttons(), parts=True)
        if disabled(button):
            raise Undone(f'the button "{name}" on {document.url} is disabled')
        form, kind = owner(document, button), kind_of(button)
        if kind == "button" or (form is None and kind != "reset"):
            raise Undone(f'the button "{name}" on {document.url} sends no form: it needs JavaScript, which is not run')
        if kind == "reset" or form is None:
            return self._pages[-1].on(step.words, filled=self._filled_without(form))
        return self._sent(step, form, button, deadline)

    def _send(self, step: SessionStep, deadline: Deadline) -> Page:
        document, name = self._document, step.goal[0]
        named = [form for form in document.forms if name in (attribute(form, "id"), attribute(form, "name"))]
        if not named:
            known = (attribute(form, "id") or attribute(form, "name") for form in document.forms)
            listed = ", ".join(f'"{clean(one, 60)}"' for one in known if one) or "none with a name or an id"
            raise Undone(f'there is no form "{name}" on {document.url}; there is: {listed}')
        return self._sent(step, named[0], None, deadline)

    def _sent(self, step: SessionStep, form: Node, button: Node | None, deadline: Deadline) -> Page:
        page, document = self._pages[-1], self._document
        return self._ask(step, sent(document, form, button, dict(page.filled), page.charset), deadline, document.url)

    def _ask(self, step: SessionStep, what: Sent, deadline: Deadline, referrer: str) -> Page:
        """Ask, follow redirects, and return the page that they end on."""
        began, hops = monotonic(), 0
        while True:
            try:
                request = self._request(what, referrer)
            except UserError as error:
                raise Undone(f"it leads to {clean(what.url, 200)!r}, which cannot be asked: {error}") from None
            reply = once(request, deadline, deadline.at_most(PATIENCE), PATIENCE, self._connect)
            self._cookies.keep(request.url, reply.headers)
            if reply.status is None:
                raise Undone(f"{request.url} does not answer: {clean(reply.refused, 200)}")
            if reply.status in REDIRECTS and reply.location:
                following = _redirected(what, request.url, reply)
            else:
                page = self._page(step, request.url, reply, monotonic() - began)
                on = leads_on(page, dict(reply.headers).get("refresh", "")) if reply.status < 400 else ""
                if not on:
                    self._since = page.since
                    return page
                following = Sent("GET", on)
            hops += 1
            if hops > MOST:
                raise Undone(f"it redirects more than {MOST} times")
            what = following

    def _request(self, what: Sent, referrer: str) -> Request:
        """Return the request: with what the session was opened by, of its own server alone, and its cookies."""
        if self._base is None:
            raise Undone("no page was opened")
        base = self._base.of(what.url)
        sends = [self._cookies.header(what.url), _referrer(referrer, what.url)]
        if what.method == "POST":
            sends += [f"Content-Type: {what.kind}", f"Origin: {_origin(referrer)}" if referrer else ""]
        headers = (*base.headers, *(each for each in sends if each))
        fields = base.as_dict() | {
            "url": what.url,
            "headers": headers,
            "method": "POST" if what.method == "POST" else "",
        }
        return Submission(**fields, content=what.content) if what.method == "POST" else Request(**fields)

    def _page(self, step: SessionStep, url: str, reply: Reply, took: float) -> Page:
        kind = dict(reply.headers).get("content-type", "").partition(";")[0].strip().lower()
        return Page(
            step.words, url, reply.status, took, self._since + took, kind, charset_of(dict(reply.headers), reply.body),
            reply.body, reply.unread, cookies=self._cookies.names, began=self._began,
        )  # fmt: skip

    # Steps that put something into a form

    def _fill(self, step: SessionStep, deadline: Deadline) -> Page:
        document = self._document
        changes = _changes(document, step, dict(self._pages[-1].filled))
        filled = dict(self._pages[-1].filled) | changes
        return self._pages[-1].on(step.words, filled=tuple(sorted(filled.items())))

    def _filled_without(self, form: Node | None) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Return what is filled in but for a form that is reset."""
        document = self._document
        kept = (each for each in self._pages[-1].filled if owner(document, document.controls[each[0]]) != form)
        return tuple(kept)


def _changes(document: Document, step: SessionStep, filled: dict[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """Return what a step puts into which controls.

    Raises:
        Undone: there is no such field, or nobody can put this into it. FactError: which one is meant is not known.
    """
    what, kinds = {
        does.FILL: ("field", lambda kind: kind not in (*TICKED, "file", "select")),
        does.SELECT: ("list", lambda kind: kind == "select"),
        does.DESELECT: ("list", lambda kind: kind == "select"),
        does.TICK: ("box", lambda kind: kind == "checkbox"),
        does.UNTICK: ("box", lambda kind: kind == "checkbox"),
        does.CHOOSE: ("radio button", lambda kind: kind == "radio"),
        does.ATTACH: ("field for a file", lambda kind: kind == "file"),
    }[step.does]
    name = step.goal[0]
    field = document.pick(what, name, document.fields(kinds))
    where = f'the {what} "{name}" on {document.url}'
    if disabled(field) or (step.does == does.FILL and has(field, "readonly")):
        raise Undone(f"{where} cannot be changed: it is {'disabled' if disabled(field) else 'read-only'}")
    place = document.places[field.mem_id]
    if step.does == does.FILL:
        return {place: (_text(field, where, *step.goal[1:]),)}
    if step.does in (does.SELECT, does.DESELECT):
        return {place: _selection(document, field, where, step, filled)}
    if step.does == does.CHOOSE:
        return {document.places[one.mem_id]: () for one in _group(document, field)} | {place: ("on",)}
    if step.does == does.ATTACH:
        return {place: (step.goal[1],)}
    return {place: ("on",) if step.does == does.TICK else ()}


def _text(field: Node, where: str, text: str, origin: str = "") -> str:
    """Return a text as the field takes it. Raises FactError: a password that stands in a feature."""
    if kind_of(field) == "password" and text and (origin == does.LITERAL or not holds_declared(text.encode())):
        keep_secret(text)
        words = "declare it in the stack file (type: string, secret: true) and write {param.NAME} in its place"
        raise FactError(f"{where} is for a password: a secret stands in no feature; {words}")
    most = attribute(field, "maxlength")
    if most.isascii() and most.isdigit() and len(text) > int(most):
        raise Undone(f"{where} takes {most} characters at most, and this has {len(text)}")
    return text


def _selection(
    document: Document, field: Node, where: str, step: SessionStep, filled: dict[int, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return which options of a list are selected after a step."""
    name, listed = step.goal[1], options(field)
    places = [str(place) for place, one in enumerate(listed) if name in (label_of(one), attribute(one, "value"))]
    whole = [place for place in places if label_of(listed[int(place)]) == name]
    if not places:
        known = ", ".join(f'"{clean(label_of(one), 60)}"' for one in listed[:8])
        raise Undone(f'{where} has no option "{name}"; it has: {known or "none"}')
    place = (whole or places)[0]
    if disabled(listed[int(place)]):
        raise Undone(f'the option "{name}" of {where} is disabled')
    before = state(document, field, filled)
    if step.does == does.DESELECT:
        if not has(field, "multiple"):
            raise Undone(f"{where} takes one option: select another in its place")
        return tuple(one for one in before if one != place)
    return tuple(sorted({*before, place}, key=int)) if has(field, "multiple") else (place,)


def _group(document: Document, radio: Node) -> list[Node]:
    """Return the radio buttons of which one can be chosen."""
    name, form = attribute(radio, "name"), owner(document, radio)
    return [
        one
        for one in document.controls
        if kind_of(one) == "radio" and attribute(one, "name") == name and owner(document, one) == form
    ]


def _redirected(what: Sent, url: str, reply: Reply) -> Sent:
    """Return what is asked after a redirect. Raises Undone: it would send a secret to another server."""
    goal = resolved(url, reply.location).partition("#")[0]
    if reply.status not in (307, 308) and not (reply.status in (301, 302) and what.method == "GET"):
        return Sent("GET", goal)
    if what.content and _origin(url) != _origin(goal):
        text = what.content.decode("utf-8", "replace")
        if masked(text) != text:
            raise Undone(f"it redirects what holds a secret to another server: {clean(goal, 200)}")
    return what._replace(url=goal)


def _origin(url: str) -> str:
    address = web_address(url)
    return f"{address.scheme}://{address.authority}"


def _referrer(page: str, url: str) -> str:
    """Return the header that says where a request comes from: `strict-origin-when-cross-origin`, as of browsers."""
    if not page or (page.startswith("https:") and not url.startswith("https:")):
        return ""
    same = _origin(page) == _origin(url)
    return f"Referer: {page.partition('#')[0] if same else _origin(page) + '/'}"
