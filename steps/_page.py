"""What the sentences of a session share: its steps stand behind When, each Then reads the page that is there by then.

The steps of a scenario are one session, which begins without cookies. A step that sends a form is the user's word that
it only looks, as a command is, or a request `asked by POST`: it is done each time the scenario is asked.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, LOOK, STEP, Check, Seen
from infratest.cleaning import holds_declared, keep_secret
from infratest.errors import FactError, SecretInFeature, UserError
from infratest.facts.base import Need
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.page.visit import Page, Visit

#: Parts of the name of a field that takes what no feature holds.
SECRET = ("password", "passwort", "passphrase", "passwd", "mot de passe", "contraseña")


class OfSession(Check):
    viewpoint = CONTROLLER

    #: All steps of the session, and how many of them are done here; 0: all.
    steps: tuple[str, ...] = ()
    place: int = 0

    @derived
    def asked(self) -> Need[Visit]:
        return Need("page", self.steps)

    def after(self, steps: tuple[str, ...], place: int) -> OfSession:
        return self.changed(steps=steps, place=place)

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)


class Step(OfSession):
    """One step of a session; whether it could be done is what is looked at."""

    in_session = STEP
    does: ClassVar[str] = ""

    answers: str = ""

    def __post_init__(self) -> None:
        if self.answers not in ("", "answers"):
            raise UserError(f"{self.answers!r} is not understood here: it is written `whatever it answers`")
        self.text  # noqa: B018 - refuses what cannot be asked

    @property
    @abstractmethod
    def words(self) -> str:
        """The step for people, without what may be a secret."""

    @property
    @abstractmethod
    def goal(self) -> tuple[str, ...]:
        """What it is done to and with."""

    @property
    def label(self) -> str:
        """What the page that it leads to is called in the name of a number; empty where it leads to none."""
        return ""

    @derived
    def text(self) -> str:
        """The step as the fact is asked for it."""
        from infratest.facts._session_step import SessionStep

        return SessionStep(self.does, self.words, self.goal, bool(self.answers)).text

    @derived
    def asked(self) -> Need[Visit]:
        return Need("page", self.steps or (self.text,))

    def observe(self, facts: FactValues) -> Seen:
        visit = facts[self.asked]
        place = self.place or len(self.steps) or 1
        if len(visit.pages) < place:
            visit.at(place)
        page = visit.pages[place - 1]
        if page.unknown:
            raise FactError(f"{self.words}: {page.unknown}")
        return Seen(holds=not page.undone, saw=f"{self.words}: {page.undone}" if page.undone else self.words)


class OfPage(OfSession):
    """Something about the page that the steps before it led to."""

    in_session = LOOK

    #: What the page is called in the name of a number.
    called: str = ""

    def observe(self, facts: FactValues) -> Seen:
        return self.look(facts[self.asked].at(self.place))

    @abstractmethod
    def look(self, page: Page) -> Seen:
        """Return what is seen on a page."""


def checked(words: str, **texts: str) -> None:
    """Refuse texts that are empty. Raises UserError."""
    for name, text in texts.items():
        if not text.strip():
            raise UserError(f'{words}: the {name} is ""; write the one that is meant')


def refuse_secret(field: str, value: str) -> None:
    """Refuse a password that stands in a feature. Raises UserError."""
    if not value or not any(part in field.lower() for part in SECRET) or ("{" in value and "}" in value):
        return
    if not holds_declared(value.encode()):
        keep_secret(value)
        words = "declare it in the stack file (type: string, secret: true) and write {param.NAME} in its place"
        raise SecretInFeature(f'the field "{field}": a secret stands in no feature; {words}')


def document_of(page: Page) -> Any:
    """Return the page as HTML. Raises FactError: it is none, or what is on it is made by its scripts."""
    document = page.document
    if document.blank:
        words = "needs JavaScript, which is not run here: without its scripts nothing is on it"
        raise FactError(f"{page.url} {words}")
    return document
