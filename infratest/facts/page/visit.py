"""What a session came to, as values: the page that each of its steps ended on. Made by the session, read by checks."""

from __future__ import annotations

from infratest.errors import FactError
from infratest.record import Record, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.page.document import Document

#: Types of content that are pages; text is one without anything to follow or fill in.
HTML = ("text/html", "application/xhtml+xml")


class Page(Record):
    """The page that a step ended on.

    Args:
        step: in words. url, status: of the last answer, None without one. took: seconds of all requests of the step.
        since: seconds of all requests of the session so far. kind: the type of its content. charset: it is in.
        body: as text. unread: what of it is not there, or not as it is, in words. filled: what steps have put into its
        controls. cookies: the names of those that the session holds. undone: why the step could not be done, in words.
        unknown: why nobody can say whether it could. began: the last whole URL that was opened.
    """

    step: str
    url: str = ""
    status: int | None = None
    took: float = 0.0
    since: float = 0.0
    kind: str = ""
    charset: str = "utf-8"
    body: str = ""
    unread: str = ""
    filled: tuple[tuple[int, tuple[str, ...]], ...] = ()
    cookies: tuple[str, ...] = ()
    undone: str = ""
    unknown: str = ""
    began: str = ""

    @property
    def is_html(self) -> bool:
        return self.kind in HTML

    @derived
    def document(self) -> Document:
        """The page, parsed once. Raises FactError: it is no HTML, or cannot be parsed here."""
        from infratest.facts.page.document import Document

        if not self.is_html:
            raise FactError(f"{self.url} is {self.kind or 'of no type that it names'}, and no page of HTML")
        return Document(self.body, self.url)

    def on(self, step: str, **changes: object) -> Page:
        """Return the same page after another step."""
        made = self.changed(step=step, took=0.0, **changes)
        if "document" in self.__dict__:
            made.__dict__["document"] = self.document  # parsed already
        return made

    def in_words(self) -> str:
        why = self.undone or self.unknown
        answer = f"{self.status} from {self.url}" if self.status else "no answer"
        return f"{self.step}: {why or answer}"


class Visit(Record):
    """The pages of a session, one for each step that was begun."""

    pages: tuple[Page, ...] = ()

    def at(self, place: int) -> Page:
        """Return the page after so many steps, -1: after all. Raises FactError: the session did not get there."""
        page = self.pages[place - 1 if place > 0 else -1] if 0 < len(self.pages) >= place else None
        last = self.pages[-1] if self.pages else None
        if page is None or page.undone or page.unknown:
            why = f"{last.step}: {last.undone or last.unknown}" if last else "no page was opened"
            raise FactError(f"the session did not get there: {why}")
        return page

    @property
    def seconds(self) -> float:
        """Seconds of all its requests."""
        return self.pages[-1].since if self.pages else 0.0

    def in_words(self) -> str:
        """Return the steps, and what the last page shows."""
        rows = [page.in_words() for page in self.pages]
        if self.pages and self.pages[-1].body:
            page = self.pages[-1]
            try:
                shown = page.document.text() if page.is_html else page.body
            except FactError:
                shown = page.body
            rows.append(f"the page shows: {shown}")
        return "\n".join(rows)
