"""A page of HTML, parsed as browsers do (HTML Standard, 13.2), and what is on it: links, buttons, fields, forms, text.

By Lexbor, the extra `browse`. No script is run and no style applied: what is hidden by `hidden`, by `display: none` of
its own, or stands for browsers without scripts (`noscript`) is not on the page. Called by the session that goes through
pages, and by the checks of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple
from urllib.parse import urljoin

from infratest.cleaning import clean
from infratest.errors import FactError, InfratestError

try:
    from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError
except ImportError:
    raise FactError("selectolax is not installed here: pip install 'infratest[browse]'") from None

Node = LexborNode

#: Elements of a page that is read: how long its parser takes grows by the square of how deep they stand.
MOST = 20_000
#: Things that an error names, and characters of each name.
NAMED, SHOWN = 8, 60

#: Elements that text is not run together across: those that browsers begin on a line, or a cell, of their own.
APART = frozenset(
    (
        "address article aside blockquote body br button caption center dd details dialog dir div dl dt fieldset "
        "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr input legend li main menu nav ol optgroup "
        "option p pre search section select summary table tbody td textarea tfoot th thead tr ul"
    ).split()
)
#: Elements whose text is none of the page.
UNSHOWN = frozenset(
    "audio canvas datalist head iframe noembed noframes noscript object script style template title video".split()
)
TEXT = "-text"
CONTROLS = "input, select, textarea, button"
PRESSED = ("submit", "image", "button", "reset")
_NOT_DISPLAYED = re.compile(r"(?i)(?:^|;)\s*display\s*:\s*none\b")


class Undone(InfratestError):
    """A step cannot be done: what it needs is not on the page, or the server refuses it."""


class Named(NamedTuple):
    """Something on a page, and what it can be called by, the first best."""

    node: Node
    names: tuple[str, ...]


class Document:
    """One page.

    Args:
        text: of it. url: where it came from.
    """

    def __init__(self, text: str, url: str) -> None:
        if len(re.findall(r"<[A-Za-z]", text)) > MOST:
            raise FactError(f"{url} has more than {MOST} elements, which are not read")
        self.tree = LexborHTMLParser(text)
        based = self.tree.css_first("base[href]")
        self.base = urljoin(url, attribute(based, "href")) if based else url
        self.url = url
        self._shown: dict[int, bool] = {}
        self.scripts = self.tree.css_first("script") is not None
        self.forms = [form for form in self.tree.css("form") if self.shown(form)]
        #: In the order of the page, by which they are numbered; hidden ones are sent too.
        self.controls = [one for one in self.tree.css(CONTROLS) if not self._unread(one)]
        self.places = {one.mem_id: place for place, one in enumerate(self.controls)}

    def _unread(self, node: Node) -> bool:
        return any(one.tag in ("noscript", "template") for one in above(node))

    def shown(self, node: Node) -> bool:
        """Whether it stands on the page, as far as HTML says by itself."""
        known, way = self._shown, list[Node]()
        here: Node | None = node
        answer = True
        while here is not None:
            if here.mem_id in known:
                answer = known[here.mem_id]
                break
            way.append(here)
            here = here.parent
        for one in reversed(way):
            answer = known[one.mem_id] = answer and _displayed(one)
        return answer

    # What there is to be seen

    @property
    def title(self) -> str:
        found = self.tree.css_first("title")
        return plain(found.text()) if found else ""

    def text(self, node: Node | None = None) -> str:
        """Return the text that is shown, each run of blanks and line breaks as one blank."""
        start = node or self.tree.body
        if start is None or (node is not None and not self.shown(node)):
            return ""
        parts: list[str] = []
        waiting: list[Node | None] = [start]
        while waiting:
            one = waiting.pop()
            if one is None:
                parts.append(" ")
            elif one is not start and _folded(one):
                continue
            elif one.tag == TEXT:
                parts.append(one.text_content or "")
            elif self.shown(one):
                if one.tag in APART:
                    parts.append(" ")
                    waiting.append(None)
                waiting += reversed(list(one.iter(include_text=True)))
        return plain("".join(parts))

    def elements(self, selector: str) -> list[Node]:
        """Return what a CSS selector chooses. Raises FactError: it is none."""
        try:
            return self.tree.css(selector)
        except (SelectolaxError, ValueError):
            raise FactError(f"{selector!r} is no CSS selector that is understood here") from None

    @property
    def blank(self) -> bool:
        """Whether nothing is on it but scripts that may make something."""
        controls = (one for one in self.controls if self.shown(one) and attribute(one, "type").lower() != "hidden")
        return self.scripts and not self.text() and not any(controls) and not self.links()

    # What there is to be named

    def links(self) -> list[Named]:
        nodes = (one for one in self.tree.css("a[href], area[href]") if self.shown(one))
        return [Named(one, self._names(one, self.text(one), *self._pictures(one))) for one in nodes]

    def buttons(self) -> list[Named]:
        found = []
        for one in self.controls:
            kind = kind_of(one)
            if kind in PRESSED and self.shown(one):
                first = self.text(one) if one.tag == "button" else _label_of_input(one, kind)
                found.append(Named(one, self._names(one, first, *self._pictures(one), attribute(one, "name"))))
        return found

    def fields(self, kinds: Callable[[str], bool]) -> list[Named]:
        """Return the fields whose kind is one of these: what `kind_of` returns."""
        labels = self._labels()
        found = []
        for one in self.controls:
            kind = kind_of(one)
            if kind not in (*PRESSED, "hidden") and kinds(kind) and self.shown(one):
                more = (*labels.get(one.mem_id, ()), attribute(one, "placeholder"), attribute(one, "name"))
                found.append(Named(one, self._names(one, *more)))
        return found

    def _labels(self) -> dict[int, list[str]]:
        """Return the labels of fields, by the field."""
        found: dict[int, list[str]] = {}
        for label in self.tree.css("label"):
            if not self.shown(label):
                continue
            named = attribute(label, "for")
            field = self.by_id(named) if named else label.css_first(CONTROLS)
            if field is not None:
                found.setdefault(field.mem_id, []).append(self._label(label))
        return found

    def _label(self, label: Node) -> str:
        """Return a label's text without that of a field that stands within it."""
        text = self.text(label)
        for inside in label.css("select, textarea, button"):
            text = plain(text.replace(self.text(inside), "", 1)) if self.text(inside) else text
        return text

    def _names(self, node: Node, *first: str) -> tuple[str, ...]:
        labelled = (self.by_id(each) for each in attribute(node, "aria-labelledby").split())
        more = [self.text(one) for one in labelled if one is not None]
        more += [attribute(node, name) for name in ("aria-label", "title", "id")]
        return tuple(dict.fromkeys(plain(name) for name in (*first, *more) if plain(name)))

    def _pictures(self, node: Node) -> list[str]:
        return [attribute(picture, "alt") for picture in node.css("img[alt]")]

    def by_id(self, name: str) -> Node | None:
        return next((one for one in self.tree.css("[id]") if attribute(one, "id") == name), None)

    def pick(self, what: str, name: str, candidates: Sequence[Named], parts: bool = False) -> Node:
        """Return the one of these that is called so: by a whole name, else by a part of one where `parts` says so.

        Raises:
            Undone: there is none. FactError: there are several, or nothing can be said of a page that scripts make.
        """
        meant = self.called(name, candidates, parts)
        if len(meant) > 1:
            where = ", ".join(clean(_place(one.node), SHOWN) for one in meant[:NAMED])
            raise FactError(f'{len(meant)} on {self.url} are the {what} "{name}": {where}; name it by its id')
        if not meant:
            raise (FactError if self.blank else Undone)(self.missing(what, name, candidates))
        return meant[0].node

    def called(self, name: str, candidates: Sequence[Named], parts: bool = False) -> list[Named]:
        """Return those that are called so; links to one place count once."""
        name = plain(name)
        meant = [one for one in candidates if name in one.names]
        if not meant and parts:
            meant = [one for one in candidates if any(name in each for each in one.names[:1])]
        places: dict[object, Named] = {}
        for one in meant:
            goal = attribute(one.node, "href") if one.node.tag in ("a", "area") else one.node.mem_id
            places.setdefault(goal, one)
        return list(places.values())

    def missing(self, what: str, name: str, candidates: Iterable[Named]) -> str:
        """Return in words that something is not there, and what is."""
        known = list(dict.fromkeys(one.names[0] for one in candidates if one.names))
        near = get_close_matches(name, known, n=NAMED, cutoff=0.4)
        listed = ", ".join(
            f'"{clean(each, SHOWN)}"' for each in [*near, *(one for one in known if one not in near)][:NAMED]
        )
        more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
        words = f'there is no {what} "{name}" on {self.url}; '
        words += (
            f"there {'is' if len(known) == 1 else 'are'}: {listed}{more}" if known else f"there is no {what} at all"
        )
        if self.blank:
            return f"{words}: the page is made by its scripts: it needs JavaScript, which is not run here"
        return f"{words} (its scripts may make more: JavaScript is not run here)" if self.scripts else words


def attribute(node: Node, name: str) -> str:
    """Return an attribute's value, empty where it has none."""
    return node.attributes.get(name) or ""


def has(node: Node, name: str) -> bool:
    return name in node.attributes


def above(node: Node) -> Iterator[Node]:
    """Yield what a node stands in, the nearest first."""
    here = node.parent
    while here is not None:
        yield here
        here = here.parent


def kind_of(control: Node) -> str:
    """Return what kind of control it is: the type of an input or a button, else `select` or `textarea`."""
    tag = control.tag or ""
    kind = attribute(control, "type").lower()
    if tag == "button":
        return kind if kind in ("button", "reset") else "submit"
    return (kind or "text") if tag == "input" else tag


def plain(text: str) -> str:
    """Return text with each run of blanks as one, none at its ends."""
    return " ".join(text.split())


def _folded(node: Node) -> bool:
    """Whether it stands in what a click opens: all of a `details` that is closed but its first `summary`."""
    around = node.parent
    if around is None or around.tag != "details" or has(around, "open"):
        return False
    return node != next((one for one in around.iter() if one.tag == "summary"), None)


def _displayed(node: Node) -> bool:
    if node.tag == "dialog" and not has(node, "open"):
        return False
    return node.tag not in UNSHOWN and not has(node, "hidden") and not _NOT_DISPLAYED.search(attribute(node, "style"))


def _label_of_input(node: Node, kind: str) -> str:
    """Return what an input shows as a button: HTML Standard, 4.10.5.1.17 to 20."""
    if kind == "image":
        return attribute(node, "alt") or "Submit"
    return attribute(node, "value") or {"submit": "Submit", "reset": "Reset"}.get(kind, "")


def _place(node: Node) -> str:
    """Return which one it is, in words."""
    named = next((f"{name}={attribute(node, name)}" for name in ("id", "name", "href") if attribute(node, name)), "")
    form = next((one for one in above(node) if one.tag == "form"), None)
    within = attribute(form, "id") or attribute(form, "name") or attribute(form, "action") if form else ""
    return f"<{node.tag} {named}>" + (f" of the form {within}" if within else "")
