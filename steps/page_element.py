"""What can be said of what is on a page of a session: links, buttons, fields and what they hold, elements.

Of a field that is not on the page, neither is it so that it holds something, nor that it does not.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.steps._page import OfPage, checked, document_of

from infratest.check import Measure, Seen, in_quotes
from infratest.cleaning import clean, literal
from infratest.errors import FactError
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar

    from infratest.facts.page.visit import Page


class _There(OfPage):
    """Something that is called by its name is on the page."""

    what: ClassVar[str] = ""

    name: str = ""

    def __post_init__(self) -> None:
        checked(f"the page has the {self.what}", name=self.name)

    def look(self, page: Page) -> Seen:
        document = document_of(page)
        candidates = self.candidates(document)
        if document.called(self.name, candidates, parts=self.what != "field"):
            return Seen(holds=True, saw=f"{page.url} has the {self.what} {in_quotes(self.name)}")
        _refuse_unread(page)
        return Seen(holds=False, saw=document.missing(self.what, self.name, candidates))

    @abstractmethod
    def candidates(self, document: Any) -> Sequence[Any]:
        """Return what there is of the kind."""


@check(
    'the page has the link "{name}"',
    negation='the page does not have the link "{name}"',
    example='the page has the link "Sign out"',
)
class PageLink(_There):
    """A link is on the page that is called so, by its whole text or a part of it."""

    what = "link"

    def candidates(self, document: Any) -> Sequence[Any]:
        links: Sequence[Any] = document.links()
        return links


@check(
    'the page has the button "{name}"',
    negation='the page does not have the button "{name}"',
    example='the page has the button "Sign in"',
)
class PageButton(_There):
    """A button is on the page that is called so, by its whole text or a part of it."""

    what = "button"

    def candidates(self, document: Any) -> Sequence[Any]:
        buttons: Sequence[Any] = document.buttons()
        return buttons


@check(
    'the page has the field "{name}"',
    negation='the page does not have the field "{name}"',
    example='the page has the field "Password"',
)
class PageField(_There):
    """A field of any kind is on the page that is called so: a text, a list, a box, a radio button, a file."""

    what = "field"

    def candidates(self, document: Any) -> Sequence[Any]:
        fields: Sequence[Any] = document.fields(lambda kind: True)
        return fields


class _Held(OfPage):
    """What a field holds: as the page has it, or as steps have filled it in since."""

    what: ClassVar[str] = "field"

    field: str = ""

    def __post_init__(self) -> None:
        checked(f"the page has the {self.what}", name=self.field)

    def look(self, page: Page) -> Seen:
        from infratest.facts.page.document import Undone

        document = document_of(page)
        try:
            control = document.pick(self.what, self.field, document.fields(self.is_of))
        except Undone as error:
            _refuse_unread(page)
            return Seen(holds=False, saw=str(error), absent=True)
        return self.seen(document, control, dict(page.filled))

    def is_of(self, kind: str) -> bool:
        """Whether this kind of field is one that it may be about."""
        return kind not in ("checkbox", "radio", "file")

    @abstractmethod
    def seen(self, document: Any, control: Any, filled: Any) -> Seen:
        """Return what is seen in a field."""

    def value(self, document: Any, control: Any, filled: Any) -> tuple[str, str]:
        """Return what a text field or list holds, and the same in words, without a password."""
        from infratest.facts.page.document import kind_of
        from infratest.facts.page.form import value_of

        value = value_of(document, control, filled)
        held = "what is not shown" if kind_of(control) == "password" else literal(value)
        return value, f"the field {in_quotes(self.field)} on {document.url} holds {held}"


@check(
    'the page has the field "{field}" equal to "{text}"',
    negation='the page has the field "{field}" not equal to "{text}"',
    example='the page has the field "User" equal to "ada"',
)
class FieldEqual(_Held):
    """The field holds this text; of a list, the selected option does."""

    text: str = ""

    def seen(self, document: Any, control: Any, filled: Any) -> Seen:
        value, words = self.value(document, control, filled)
        return Seen(holds=value == self.text, saw=words)


@check(
    'the page has the field "{field}" containing "{text}"',
    negation='the page has the field "{field}" not containing "{text}"',
    example='the page has the field "Comment" containing "please ring"',
)
class FieldContains(_Held):
    """The text occurs in what the field holds; of a list, in its selected options."""

    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        checked("the page has a field containing a text", text=self.text)

    def seen(self, document: Any, control: Any, filled: Any) -> Seen:
        value, words = self.value(document, control, filled)
        return Seen(holds=self.text in value, saw=words)


class _Ticked(_Held):
    state: ClassVar[str] = ""

    def seen(self, document: Any, control: Any, filled: Any) -> Seen:
        from infratest.facts.page.form import state

        holds = bool(state(document, control, filled))
        words = self.state if holds else f"not {self.state}"
        return Seen(holds=holds, saw=f"the {self.what} {in_quotes(self.field)} on {document.url} is {words}")


@check(
    'the page has the box "{field}" ticked',
    negation='the page has the box "{field}" not ticked',
    example='the page has the box "Remember me" ticked',
)
class BoxIsTicked(_Ticked):
    """The box is ticked: as the page has it, or by a step since."""

    what, state = "box", "ticked"

    def is_of(self, kind: str) -> bool:
        return kind == "checkbox"


@check(
    'the page has the radio button "{field}" chosen',
    negation='the page has the radio button "{field}" not chosen',
    example='the page has the radio button "Invoice" chosen',
)
class RadioIsChosen(_Ticked):
    """The radio button is chosen: as the page has it, or by a step since."""

    what, state = "radio button", "chosen"

    def is_of(self, kind: str) -> bool:
        return kind == "radio"


@check(
    'the page has the option "{option}" of "{field}" selected',
    negation='the page has the option "{option}" of "{field}" not selected',
    example='the page has the option "Express" of "Delivery" selected',
)
class OptionIsSelected(_Held):
    """The option of the list is selected: as the page has it, or by a step since."""

    what = "list"

    option: str = ""

    def is_of(self, kind: str) -> bool:
        return kind == "select"

    def seen(self, document: Any, control: Any, filled: Any) -> Seen:
        from infratest.facts.page.form import label_of, options, state

        listed = options(control)
        where = f"the list {in_quotes(self.field)} on {document.url}"
        if self.option not in [label_of(one) for one in listed]:
            return Seen(holds=False, saw=f"{where} has no option {in_quotes(self.option)}", absent=True)
        selected = [label_of(listed[int(place)]) for place in state(document, control, filled)]
        shown = ", ".join(in_quotes(clean(one, 60)) for one in selected) or "none"
        return Seen(holds=self.option in selected, saw=f"{where} has selected {shown}")


class _Element(OfPage):
    selector: str = ""

    def __post_init__(self) -> None:
        checked("the page has an element", selector=self.selector)

    def elements(self, page: Page) -> tuple[Any, list[Any]]:
        document = document_of(page)
        return document, [one for one in document.elements(self.selector) if document.shown(one)]


@check(
    'the page has the element "{selector}"',
    negation='the page does not have the element "{selector}"',
    example='the page has the element "div.error"',
)
class PageElement(_Element):
    """An element that the CSS selector chooses is on the page."""

    def look(self, page: Page) -> Seen:
        document, chosen = self.elements(page)
        if not chosen:
            _refuse_unread(page)
            return Seen(holds=False, saw=f"{page.url} has no element {in_quotes(self.selector)}")
        text = literal(document.text(chosen[0]), 80)
        return Seen(holds=True, saw=f"{page.url} has the element {in_quotes(self.selector)}: {text}")


@check(
    'the page has the element "{selector}" showing "{text}"',
    negation='the page has the element "{selector}" not showing "{text}"',
    example='the page has the element "#total" showing "12.00"',
)
class ElementShows(_Element):
    """An element that the CSS selector chooses shows the text."""

    text: str = ""

    def look(self, page: Page) -> Seen:
        document, chosen = self.elements(page)
        shown = [document.text(one) for one in chosen]
        text = " ".join(self.text.split())
        holds = any(text in one for one in shown)
        if not holds:
            _refuse_unread(page)
        if not chosen:
            return Seen(holds=False, saw=f"{page.url} has no element {in_quotes(self.selector)}", absent=True)
        words = "; ".join(literal(one, 80) for one in shown[:3])
        return Seen(holds=holds, saw=f"{page.url} has the element {in_quotes(self.selector)}: {words}")


@check(
    'the page has {bound:count} element[s] "{selector}"',
    example='the page has at least 2 elements "table.orders tr"',
)
class PageElements(_Element):
    """So many elements that the CSS selector chooses are on the page."""

    def look(self, page: Page) -> Seen:
        _, chosen = self.elements(page)
        _refuse_unread(page)
        words = f"{page.url} has {len(chosen)} elements {in_quotes(self.selector)}"
        return Seen(holds=True, saw=words, number=len(chosen))

    def measure(self) -> Measure:
        return Measure(label=f"page {self.called} elements {self.selector}".replace("  ", " "), minimum=0)


def _refuse_unread(page: Page) -> None:
    if page.unread:
        raise FactError(f"what {page.url} has not is not known: {page.unread}")
