"""What can be said of the page that the steps of a session led to: its answer, its text, and what is on it."""

from __future__ import annotations

from infratest.steps._http import SHOWN
from infratest.steps._page import OfPage, checked, document_of

from infratest.check import Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError, UserError
from infratest.gherkin.sentence import check
from infratest.units import human
from infratest.web_address import resolved, web_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.page.visit import Page
    from infratest.web_address import WebAddress


@check(
    "the page answers {status:number}",
    negation="the page does not answer {status:number}",
    example="the page answers 200",
)
class PageStatus(OfPage):
    """The status of the page, where its redirects end; one of 400 and above needs a step `whatever it answers`."""

    status: int = 0

    def __post_init__(self) -> None:
        if not 100 <= self.status <= 599:
            raise UserError(f"the page answers {self.status}: an HTTP status is a whole number from 100 to 599")

    def look(self, page: Page) -> Seen:
        return Seen(holds=page.status == self.status, saw=f"{page.url} answered {page.status}")


@check("the page answers in {bound:time}", example="the page answers in less than 500 ms, warning 200 ms")
class PageTime(OfPage):
    """The time of the last step until its answer is complete, that of its redirects with it."""

    def look(self, page: Page) -> Seen:
        return Seen(holds=True, saw=f"{page.url} answered in {human(page.took, 's')}", number=page.took)

    def measure(self) -> Measure:
        return Measure(label=f"page {self.called} time".replace("  ", " "), unit="s", minimum=0)


@check("the session takes {bound:time}", example="the session takes less than 5 s, warning 2 s")
class SessionTime(OfPage):
    """The time of all answers of the session so far."""

    def look(self, page: Page) -> Seen:
        return Seen(holds=True, saw=f"the session took {human(page.since, 's')}", number=page.since)

    def measure(self) -> Measure:
        return Measure(label=f"session {self.called} time".replace("  ", " "), unit="s", minimum=0)


@check('the page is at "{target}"', negation='the page is not at "{target}"', example='the page is at "/orders"')
class PageAt(OfPage):
    """The page's URL, or its path and query alone, is this one: where links and redirects have led.

    A path is one of the server that the session was opened at. Of this path with another query, or at another server,
    it is neither at it nor not.
    """

    target: str = ""

    def __post_init__(self) -> None:
        if not self.target.startswith("/"):
            web_address(self.target)

    def look(self, page: Page) -> Seen:
        here, there = web_address(page.url), web_address(resolved(page.url, self.target))
        here, there = here.changed(host=here.host.lower()), there.changed(host=there.host.lower())
        saw = f"the page is at {clean(page.url, SHOWN)}"
        path = here.target.partition("?")[0]
        if here != there and here.changed(target=path) == there:
            return Seen(holds=False, saw=f"{saw}: the path is this one, with a query; write it with it", absent=True)
        away = self.target.startswith("/") and _elsewhere(here, page.began)
        if away and there.target in (here.target, path):
            words = f"this path, at another server than {clean(page.began, SHOWN)}; write the whole URL"
            return Seen(holds=False, saw=f"{saw}: {words}", absent=True)
        return Seen(holds=here == there, saw=saw)


@check(
    'the page contains "{text}"',
    negation='the page does not contain "{text}"',
    example='the page contains "Welcome"',
)
class PageContains(OfPage):
    """The text occurs in the page as it was sent, between its tags and in them."""

    text: str = ""

    def __post_init__(self) -> None:
        checked("the page contains a text", text=self.text)

    def look(self, page: Page) -> Seen:
        if self.text in page.body and ("\ufffd" not in self.text or not page.unread):
            return Seen(holds=True, saw=f"{page.url} contains {in_quotes(self.text)}")
        _refuse_unread(page, f"it contains {in_quotes(self.text)}")
        words = f"{page.url} does not contain {in_quotes(self.text)}, but {literal(page.body, SHOWN)}"
        return Seen(holds=False, saw=words)


@check(
    'the page matches "{pattern}"',
    negation='the page does not match "{pattern}"',
    example='the page matches "Order [0-9]+"',
)
class PageMatches(OfPage):
    """The pattern (RE2) matches somewhere in the page as it was sent."""

    pattern: str = ""

    def __post_init__(self) -> None:
        from infratest.regular_expression import compiled

        checked("the page matches a pattern", pattern=self.pattern)
        compiled(self.pattern)

    def look(self, page: Page) -> Seen:
        from infratest.regular_expression import compiled

        _refuse_unread(page, f"it matches {in_quotes(self.pattern)}")
        holds = compiled(self.pattern).search(page.body.encode("utf-8", "replace")) is not None
        words = f"{page.url} {'matches' if holds else 'does not match'} {in_quotes(self.pattern)}"
        return Seen(holds=holds, saw=words if holds else f"{words}, but is {literal(page.body, SHOWN)}")


@check('the page shows "{text}"', negation='the page does not show "{text}"', example='the page shows "Your orders"')
class PageShows(OfPage):
    """The text can be read on the page: without tags, each run of blanks and line breaks as one blank."""

    text: str = ""

    def __post_init__(self) -> None:
        checked("the page shows a text", text=self.text)

    def look(self, page: Page) -> Seen:
        shown = _shown(page)
        text = " ".join(self.text.split())
        if text in shown and ("\ufffd" not in text or not page.unread):
            return Seen(holds=True, saw=f"{page.url} shows {in_quotes(text)}")
        _refuse_unread(page, f"it shows {in_quotes(text)}")
        return Seen(holds=False, saw=f"{page.url} does not show {in_quotes(text)}, but {literal(shown, SHOWN)}")


@check(
    'the page has the title "{title}"',
    negation='the page does not have the title "{title}"',
    example='the page has the title "Shop: your orders"',
)
class PageTitle(OfPage):
    """The title of the page is this text."""

    title: str = ""

    def look(self, page: Page) -> Seen:
        title = document_of(page).title
        holds = title == " ".join(self.title.split())
        if not holds:
            _refuse_unread(page, "it has this title")
        return Seen(holds=holds, saw=f"{page.url} has the title {literal(title, SHOWN)}")


@check(
    'the session has the cookie "{name}"',
    negation='the session does not have the cookie "{name}"',
    example='the session has the cookie "sessionid"',
)
class SessionCookie(OfPage):
    """A cookie of this name is kept by now: one that a server removes, or that is over, is not."""

    name: str = ""

    def look(self, page: Page) -> Seen:
        known = ", ".join(clean(name, 60) for name in page.cookies) or "none"
        return Seen(holds=self.name in page.cookies, saw=f"the session has the cookies {known}")


def _elsewhere(here: WebAddress, began: str) -> bool:
    """Whether a page is not of the server that the session was opened at: from http to https, or to `www.`, it is."""
    if not began:
        return False
    first = web_address(began)
    alike = here.host.removeprefix("www.") == first.host.lower().removeprefix("www.")
    return not alike or (here.scheme == first.scheme and here.port != first.port)


def _shown(page: Page) -> str:
    """Return what can be read on a page. Raises FactError: it is none that shows text, or its scripts would make it."""
    if page.kind.startswith("text/") and not page.is_html:
        return " ".join(page.body.split())
    shown: str = document_of(page).text()
    return shown


def _refuse_unread(page: Page, words: str) -> None:
    if page.unread:
        raise FactError(f"whether {words} is not known: of {page.url} {page.unread}")
