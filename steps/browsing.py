"""What is done in a session, step by step: pages are opened, links followed, forms filled in and sent.

Only behind When. The session is asked from the controller, as a browser without JavaScript; names are those that people
see: the text of a link or a button, the label of a field, else its placeholder, name or id.
"""

from __future__ import annotations

from infratest.steps._page import Step, checked, refuse_secret

from infratest.check import in_quotes
from infratest.errors import UserError
from infratest.facts._session_step import (
    ATTACH,
    CHOOSE,
    DESELECT,
    FILL,
    FOLLOW,
    LITERAL,
    OPEN,
    PRESS,
    SELECT,
    SEND,
    TICK,
    UNTICK,
)
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.web_address import web_address

WHATEVER = "[ whatever it {answers:word}]"


@check(
    'the page "{url}" is opened[ logged in as "{login}"][ with the token "{token}"]'
    '[ with the request header "{sends}"][ by the certificate "{certificate}"][ and the key "{key}"]'
    '[ verified by the CA file "{authority}"][ trusting {trusted:word} certificate]'
    f'[ at "{{place_of}}"][ by the proxy "{{proxy}}"]{WHATEVER}',
    example='the page "https://shop.example/login" is opened',
)
class PageOpened(Step):
    """The page is asked for, and its redirects are followed; a path alone is of the server that the session is at."""

    does = OPEN

    url: str = ""
    login: str = ""
    token: str = ""
    sends: str = ""
    certificate: str = ""
    key: str = ""
    authority: str = ""
    trusted: str = ""
    place_of: str = ""
    proxy: str = ""

    @property
    def words(self) -> str:
        return f"the page {in_quotes(self.url)} is opened"

    @property
    def label(self) -> str:
        return web_address(self.url).target if "://" in self.url else self.url

    @derived
    def goal(self) -> tuple[str, ...]:
        if self.trusted not in ("", "any"):
            raise UserError(f"{self.words}: {self.trusted!r} is not understood: write `trusting any certificate`")
        said = any((self.login, self.token, self.sends, self.certificate, self.key, self.authority, self.trusted))
        if "://" not in self.url:
            return self._path(bool(said or self.place_of or self.proxy))
        from infratest.facts.http.request import Request

        request = Request(
            self.url,
            headers=(self.sends,) if self.sends else (),
            login=self.login,
            token=self.token,
            certificate=self.certificate,
            key=self.key,
            authority=self.authority,
            careless=bool(self.trusted),
            place=self.place_of,
            proxy=self.proxy,
        )
        return request.argument

    def _path(self, said: bool) -> tuple[str, ...]:
        if not self.url.startswith("/"):
            raise UserError(f"{self.words}: expected a URL with a host, or a path that begins with /")
        if said:
            raise UserError(f"{self.words}: how a server is asked is said with its whole URL")
        return (self.url,)


class _Named(Step):
    """A step that is done to one thing, by its name."""

    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        checked(self.words, name=self.name)

    @property
    def goal(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def label(self) -> str:
        return self.name


@check(f'the link "{{name}}" is followed{WHATEVER}', example='the link "Orders" is followed')
class LinkFollowed(_Named):
    """The link is followed: called by its whole text, else by a part of it."""

    does = FOLLOW

    @property
    def words(self) -> str:
        return f"the link {in_quotes(self.name)} is followed"


@check(f'the button "{{name}}" is pressed{WHATEVER}', example='the button "Sign in" is pressed')
class ButtonPressed(_Named):
    """The form that the button is of is sent, with what is in its fields; what needs JavaScript is refused."""

    does = PRESS

    @property
    def words(self) -> str:
        return f"the button {in_quotes(self.name)} is pressed"


@check(f'the form "{{name}}" is sent{WHATEVER}', example='the form "search" is sent')
class FormSent(_Named):
    """The form of this id or name is sent without a button, as by the Enter key."""

    does = SEND

    @property
    def words(self) -> str:
        return f"the form {in_quotes(self.name)} is sent"


class _Field(Step):
    """A step that puts something into a field, and asks nobody."""

    field: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        checked(self.words, field=self.field)

    @property
    def goal(self) -> tuple[str, ...]:
        return (self.field,)


@check('the field "{field}" is filled with "{value}"', example='the field "User" is filled with "ada"')
class FieldFilled(_Field):
    """The text is put into the field; a password comes from the stack file's secrets alone."""

    does = FILL

    value: str = ""
    #: Whether a secret of the stack file stands in the value as the feature has it, which the text alone cannot say.
    literal: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_secret(self.field, self.value)

    def holding_secret(self) -> FieldFilled:
        """Return the step as one that no field for a password may take, whatever that is called."""
        return self.changed(literal=True)

    @property
    def words(self) -> str:
        return f"the field {in_quotes(self.field)} is filled"

    @property
    def goal(self) -> tuple[str, ...]:
        return (self.field, self.value, *((LITERAL,) if self.literal else ()))


class _Option(_Field):
    option: str = ""

    @property
    def goal(self) -> tuple[str, ...]:
        return (self.field, self.option)


@check('the option "{option}" of "{field}" is selected', example='the option "Express" of "Delivery" is selected')
class OptionSelected(_Option):
    """The option of the list is selected, by its text or value."""

    does = SELECT

    @property
    def words(self) -> str:
        return f"the option {in_quotes(self.option)} of {in_quotes(self.field)} is selected"


@check('the option "{option}" of "{field}" is deselected', example='the option "Gift" of "Extras" is deselected')
class OptionDeselected(_Option):
    """The option of a list that takes several is not selected any more."""

    does = DESELECT

    @property
    def words(self) -> str:
        return f"the option {in_quotes(self.option)} of {in_quotes(self.field)} is deselected"


@check('the box "{field}" is ticked', example='the box "Remember me" is ticked')
class BoxTicked(_Field):
    """The box is ticked, if it is not yet."""

    does = TICK

    @property
    def words(self) -> str:
        return f"the box {in_quotes(self.field)} is ticked"


@check('the box "{field}" is unticked', example='the box "Remember me" is unticked')
class BoxUnticked(_Field):
    """The box is not ticked any more, if it is."""

    does = UNTICK

    @property
    def words(self) -> str:
        return f"the box {in_quotes(self.field)} is unticked"


@check('the radio button "{field}" is chosen', example='the radio button "Invoice" is chosen')
class RadioChosen(_Field):
    """The radio button is chosen, and no other of its group."""

    does = CHOOSE

    @property
    def words(self) -> str:
        return f"the radio button {in_quotes(self.field)} is chosen"


@check('the file "{path}" is attached to "{field}"', example='the file "/srv/probe/photo.png" is attached to "Photo"')
class FileAttached(_Field):
    """The file of the controller's is sent with the form."""

    does = ATTACH

    path: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path.startswith("/") and not self.path.startswith("{"):
            raise UserError(f"{self.words}: {self.path!r} is not an absolute path: it must begin with /")

    @property
    def words(self) -> str:
        return f"the file {in_quotes(self.path)} is attached to {in_quotes(self.field)}"

    @property
    def goal(self) -> tuple[str, ...]:
        return (self.field, self.path)
