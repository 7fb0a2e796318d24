"""Forms of a page: what has been put into their fields, and what they send: HTML Standard, 4.10.21.

Called by the session that goes through pages, and by the checks of fields.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urljoin

from infratest.errors import FactError
from infratest.facts.http.answer import CHARSETS
from infratest.facts.http.request import FORM
from infratest.facts.page.document import Document, Node, Undone, above, attribute, has, kind_of, plain

TICKED = ("checkbox", "radio")
#: Bytes of all files of a form.
LARGEST = 4 * 2**20

#: What steps have put into the controls of a page, by their number: the text, the numbers of the options that are
#: selected, `on` of what is ticked, the path of a file.
Filled = Mapping[int, tuple[str, ...]]


class Sent(NamedTuple):
    """What a form sends: method, URL, and the body with its type."""

    method: str
    url: str
    content: bytes = b""
    kind: str = ""


class Upload(NamedTuple):
    """A file of the controller's that is sent."""

    name: str
    content: bytes


def state(document: Document, control: Node, filled: Filled) -> tuple[str, ...]:
    """Return what a control holds, as `Filled` has it."""
    place = document.places[control.mem_id]
    if place in filled:
        return filled[place]
    kind = kind_of(control)
    if kind in TICKED:
        return ("on",) if has(control, "checked") else ()
    if kind == "select":
        return _selected(control)
    if kind == "textarea":
        return (control.text().removeprefix("\n"),)
    return () if kind == "file" else (attribute(control, "value"),)


def options(select: Node) -> list[Node]:
    return select.css("option")


def _selected(select: Node) -> tuple[str, ...]:
    chosen = [str(place) for place, one in enumerate(options(select)) if has(one, "selected")]
    size = attribute(select, "size")
    if has(select, "multiple") or (not chosen and size.isascii() and size.isdigit() and int(size) > 1):
        return tuple(chosen)
    first = next((str(place) for place, one in enumerate(options(select)) if not disabled(one)), None)
    return (chosen[-1],) if chosen else (first,) if first is not None else ()


def value_of(document: Document, control: Node, filled: Filled) -> str:
    """Return the text that a field holds; of a select, the labels of its options."""
    held = state(document, control, filled)
    if kind_of(control) == "select":
        listed = options(control)
        return ", ".join(label_of(listed[int(place)]) for place in held)
    return held[0] if held else ""


def label_of(option: Node) -> str:
    return plain(attribute(option, "label") or option.text())


def disabled(control: Node) -> bool:
    """Whether a control or an option is disabled, by itself or by what it stands in: 4.10.10.4, 4.10.15, 4.10.19.5."""
    if has(control, "disabled"):
        return True
    inside = control
    for one in above(control):
        group = one.tag == "optgroup" and control.tag == "option"
        if has(one, "disabled") and (group or (one.tag == "fieldset" and inside != _legend(one))):
            return True
        inside = one
    return False


def _legend(fieldset: Node) -> Node | None:
    """Return a fieldset's first legend: what stands in it is not disabled with the others."""
    return next((one for one in fieldset.iter() if one.tag == "legend"), None)


def owner(document: Document, control: Node) -> Node | None:
    """Return the form that a control belongs to."""
    if has(control, "form"):
        named = document.by_id(attribute(control, "form"))
        return named if named is not None and named.tag == "form" else None
    around = next((one for one in above(control) if one.tag == "form"), None)
    return around if around is not None else _form_of_table(control)


def _form_of_table(control: Node) -> Node | None:
    """Return the form that begins in a table without standing around its cells: 13.2.6.4.9, `A start tag "form"`."""
    for table in above(control):
        if table.tag == "table":
            forms = [one for one in table.css("form") if one.parent and one.parent.tag in ("table", "tbody", "tr")]
            return forms[-1] if forms else None
    return None


def sent(document: Document, form: Node, button: Node | None, filled: Filled, charset: str) -> Sent:
    """Return what a form sends when it is sent by a button, or by none.

    Raises:
        Undone: its script would send it. FactError: a file cannot be read.
    """

    def said(name: str) -> str:
        own = attribute(button, f"form{name}") if button is not None else ""
        return own or attribute(form, name)

    action = said("action") or document.url
    if action.strip().lower().startswith("javascript:"):
        raise Undone(f"the form on {document.url} is sent by JavaScript, which is not run")
    method = said("method").upper() or "GET"
    if method == "DIALOG":
        raise Undone(f"the form on {document.url} belongs to a dialog, which needs JavaScript")
    charset = (attribute(form, "accept-charset").split(" ")[0] or charset).lower()
    charset = charset if charset.startswith(CHARSETS) else "utf-8"
    entries = _entries(document, form, button, filled, charset)
    url = urljoin(document.base, action).partition("#")[0]
    pairs = [(name, value.name if isinstance(value, Upload) else value) for name, value in entries]
    encoded = _encoded(pairs, charset)
    if method != "POST":
        return Sent("GET", f"{url.partition('?')[0]}?{encoded}")
    if said("enctype").lower() == "multipart/form-data":
        return Sent("POST", url, *_multipart(entries, charset))
    return Sent("POST", url, encoded.encode(), FORM)


def _encoded(pairs: list[tuple[str, str]], charset: str) -> str:
    try:
        return urlencode(pairs, encoding=charset, errors="xmlcharrefreplace")
    except LookupError:
        return urlencode(pairs)


def _entries(
    document: Document, form: Node, button: Node | None, filled: Filled, charset: str
) -> list[tuple[str, str | Upload]]:
    """Return names and values in the order of the page: 4.10.21.4."""
    entries: list[tuple[str, str | Upload]] = []
    for control in document.controls:
        if disabled(control) or owner(document, control) != form:
            continue
        name, kind, held = attribute(control, "name"), kind_of(control), state(document, control, filled)
        if kind in ("submit", "image", "button", "reset"):
            if button is not None and control == button:
                entries += _of_button(control, kind, name)
        elif not name:
            continue
        elif kind in TICKED:
            entries += [(name, attribute(control, "value") if has(control, "value") else "on")] if held else []
        elif kind == "select":
            chosen = [options(control)[int(place)] for place in held]
            entries += [(name, _value(one)) for one in chosen if not disabled(one)]
        elif kind == "file":
            entries.append((name, _upload(held[0]) if held else Upload("", b"")))
        elif kind == "hidden" and name == "_charset_":
            entries.append((name, charset))
        else:
            entries.append((name, "\r\n".join(held[0].replace("\r\n", "\n").split("\n"))))
    return entries


def _of_button(button: Node, kind: str, name: str) -> list[tuple[str, str | Upload]]:
    if kind == "image":
        before = f"{name}." if name else ""
        return [(f"{before}x", "0"), (f"{before}y", "0")]
    return [(name, attribute(button, "value"))] if name else []


def _value(option: Node) -> str:
    return attribute(option, "value") if has(option, "value") else plain(option.text())


def _upload(path: str) -> Upload:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise FactError(f"{path} cannot be read by the controller: {error.strerror}") from None
    if len(content) > LARGEST:
        raise FactError(f"{path} is larger than the {LARGEST // 2**20} MiB that are sent")
    return Upload(os.path.basename(path), content)


def _multipart(entries: list[tuple[str, str | Upload]], charset: str) -> tuple[bytes, str]:
    """Return fields and files as `multipart/form-data` has them (RFC 7578), and its type."""
    from mimetypes import guess_type

    boundary = f"infratest-{os.urandom(16).hex()}"
    parts = bytearray()
    for name, value in entries:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'
        content = value.content if isinstance(value, Upload) else _bytes(value, charset)
        if isinstance(value, Upload):
            kind = guess_type(value.name)[0] or "application/octet-stream"
            head += f'; filename="{_escaped(value.name)}"\r\nContent-Type: {kind}'
        parts += _bytes(f"{head}\r\n\r\n", charset) + content + b"\r\n"
    if len(parts) > LARGEST:
        raise FactError(f"the form sends more than the {LARGEST // 2**20} MiB that are sent")
    return bytes(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _bytes(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset, "xmlcharrefreplace")
    except LookupError:
        return text.encode("utf-8", "replace")


def _escaped(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
