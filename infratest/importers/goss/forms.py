"""A claim put into the form of its attribute: the sentences that say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from infratest.errors import UserError
from infratest.gherkin.writing import in_quotes
from infratest.importers.goss.attributes import KINDS, Kind
from infratest.importers.goss.matchers import OPPOSITE, REFUSED, Claim, NotCarried, claims, in_words
from infratest.importers.goss.resource import Resource, Wording

#: Characters that mean something in RE2, and in a shell pattern.
_SPECIAL, _OF_GLOBS = re.compile(r"([\\.+*?()|\[\]{}^$])"), re.compile(r"([\\*?\[\]])")
#: A shell's status of a program that is not there, or is none: what it printed is then unknown, unless it is expected.
NOT_RUN = (126, 127)
_FORMAT = re.compile(r".*\.json")


def worded(resource: Resource, attribute: str) -> list[Wording]:
    """Return what is said of one attribute.

    Raises:
        NotCarried: there is no sentence for it, or none for a claim of it.
    """
    kind = KINDS[resource.kind]
    asks = kind.attributes[attribute]
    line = resource.line_of(attribute)
    if resource.attributes[attribute].data == []:
        return [Wording("an empty list asserts nothing, and goss looks at nothing", line, Wording.NOTE)]
    if isinstance(asks, str):
        raise NotCarried(asks, line)
    if callable(asks):
        return asks(resource, attribute)
    if resource.kind == "command" and attribute != "exit-status" and resource.plain("exit-status") in NOT_RUN:
        resource = replace(resource, key=f"({resource.key}) || true")
    value, made = resource.attributes[attribute], list[Wording]()
    for claim in claims(value, attribute in kind.readers):
        try:
            made.append(_worded(resource, kind, asks, _fitting(claim, asks)))
        except UserError as error:  # the others are said
            left = Wording(str(error), claim.line, Wording.LEFT)
            made += [left] * (left not in made)  # of each element of a list the same is told once
    return made


def subject(resource: Resource) -> str:
    """Return how a resource is called in sentences."""
    made = KINDS[resource.kind].subject
    return made(resource) if callable(made) else made.replace("{key}", in_quotes(resource.key))


def _fitting(claim: Claim, forms: Mapping[str, str]) -> Claim:
    """Return a claim under a name that the forms have, where there is one that says the same."""
    name, values = claim.name, claim.value
    if name == REFUSED:
        raise NotCarried(values, claim.line)
    is_number = isinstance(values, int | float) and not isinstance(values, bool)
    if name in ("list", "set") and name not in forms and isinstance(values, tuple) and len(values) == 1:
        if "only" in forms:
            return _renamed(claim, "only", values[0])
        return claim
    prefix, bare = ("json ", name[5:]) if name.startswith("json ") else ("", name)
    if bare in OPPOSITE and is_number:
        how = bare if claim.holds else OPPOSITE[bare]
        bound = "bound" if f"{prefix}bound" in forms else "number"
        return Claim(f"{prefix}{bound}", (how, values), claim.line, True, claim.at)
    if name == "equal" and values == "" and "nothing" in forms:
        return _renamed(claim, "nothing", "")
    if name == "equal" and "number" in forms:
        if not claim.holds or not is_number:
            raise NotCarried("there is no sentence for a number that is not one, or that is text", claim.line)
        return Claim("number", ("exactly", values), claim.line)
    return claim


def _renamed(claim: Claim, name: str, value: object) -> Claim:
    return Claim(name, value, claim.line, claim.holds, claim.at)


def _worded(resource: Resource, kind: Kind, forms: Mapping[str, str], claim: Claim) -> Wording:
    form = forms.get(claim.name)
    if form is None:
        raise NotCarried(f"there is no sentence for it: {in_words(claim)}", claim.line)
    positive, _, negative = form.partition(" | ")
    chosen = positive if claim.holds else negative
    if not chosen:
        raise NotCarried(f"there is no sentence for what has not {in_words(claim)}", claim.line)
    words = _filled(chosen, resource, claim)
    whole = words if words.startswith("the disk ") else f"{subject(resource)} {words}"
    return Wording(whole + kind.tail, claim.line)


def _filled(form: str, resource: Resource, claim: Claim) -> str:
    """Return a form with the claim's value in its places."""
    parts = {
        "v": lambda: in_quotes(_text(claim)), "n": lambda: _whole(claim), "b": lambda: _bound(claim),
        "key": lambda: in_quotes(resource.key), "at": lambda: in_quotes(claim.at),
        "list": lambda: in_quotes(_listed(claim)),
        "re": lambda: in_quotes(rf"\A{_literal(_text(claim))}\n?\z"),
        "start": lambda: in_quotes(rf"\A{_literal(_text(claim))}"),
        "end": lambda: in_quotes(rf"{_literal(_text(claim))}\n?\z"),
        "from": lambda: in_quotes(f"^{_literal(_text(claim))}"), "to": lambda: in_quotes(f"{_literal(_text(claim))}$"),
        "literal": lambda: in_quotes(_literal(_text(claim))),
        "line": lambda: in_quotes(f"^{_literal(_text(claim))}$"),
        "glob from": lambda: in_quotes(_glob(_text(claim)) + "*"),
        "glob to": lambda: in_quotes("*" + _glob(_text(claim))),
    }  # fmt: skip
    # A key of JSON stands at its own path; a file that does not say by its name that it is JSON is told to be it.
    if claim.name == "json key":
        parts["key"] = lambda: in_quotes(_below(claim.at, _text(claim)))
    form = form.replace("{as} ", "" if _FORMAT.fullmatch(resource.key) else "as JSON ")
    return re.sub(r"\{([a-z ]+)\}", lambda place: parts[place[1]](), form)


def _text(claim: Claim) -> str:
    """Return a value as text; a file's last line end is no part of what a human writes."""
    if isinstance(claim.value, tuple):
        raise NotCarried("a list where one value is expected", claim.line)
    text = str(claim.value).removesuffix("\n") if claim.name == "equal" else str(claim.value)
    if not text and claim.name not in ("nothing", "equal", "json equal"):
        raise NotCarried("an empty text is in every text", claim.line)
    return text


def _whole(claim: Claim) -> str:
    if not isinstance(claim.value, int):
        raise NotCarried(f"{claim.value!r} is no whole number", claim.line)
    return str(claim.value)


def _bound(claim: Claim) -> str:
    how, number = claim.value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise NotCarried(f"{number!r} is no number", claim.line)
    return f"{how} {number:.15g}"


def _listed(claim: Claim) -> str:
    values = [str(each) for each in claim.value]
    if any("," in each or not each for each in values):
        raise NotCarried("a value with a comma in it, or an empty one, cannot stand in a list", claim.line)
    return ", ".join(values)


def _literal(text: str) -> str:
    """Return a pattern that fits this text alone."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", "\\n")


def _glob(text: str) -> str:
    return _OF_GLOBS.sub(r"[\1]", text)


def _below(at: str, key: str) -> str:
    escaped = re.sub(r"([.\[\]\\])", r"\\\1", key)
    return escaped if at == "." else f"{at}.{escaped}"
