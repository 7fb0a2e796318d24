"""Claims of InSpec's resources for documents as sentences: `json('/x') { its('a.b') { should eq 'c' } }`."""

from __future__ import annotations

from typing import Any

from infratest.gherkin.writing import in_quotes
from infratest.importers._ruby import Claim, Described, NotPlain, Regex
from infratest.importers._ruby_pattern import as_re2

#: Resource -> format.
FORMATS = {"json": "JSON", "yaml": "YAML", "ini": "INI", "toml": "TOML"}
BOUNDS = {">": "more than", "<": "less than", ">=": "at least", "<=": "at most", "==": "exactly"}
#: Matchers that mean `eq`.
SAME = ("eq", "eql", "cmp", "equal")


def said(block: Described, claim: Claim) -> str:
    """Return the sentence of a claim about a document's value. Raises NotPlain: there is none."""
    has, has_no = _subject(block)
    at = ".".join([_key(key) for key in claim.keys])
    if not at or claim.chain:
        raise NotPlain("what stands at a path is carried over, as its('a.b') { should eq 'c' }")
    if claim.operator:
        return f"{has} {in_quotes(at)} {_bound(claim)}"
    matcher, args = claim.matcher.name, claim.matcher.args
    if (matcher, args) == ("be_nil", ()) or (
        matcher in SAME and args == (None,)
    ):  # not there, or null: it is one there
        return f'{has} {in_quotes(at)} not equal to "null"' if claim.negated else f"{has_no} {in_quotes(at)}"
    if len(args) != 1:
        raise NotPlain(f"{matcher} is carried over with one value alone")
    return f"{has} {in_quotes(at)} {'not ' if claim.negated else ''}{_compared(block.kind, matcher, args[0])}"


def _bound(claim: Claim) -> str:
    (number,) = claim.matcher.args
    if claim.negated or claim.operator not in BOUNDS or isinstance(number, bool) or not isinstance(number, int | float):
        raise NotPlain(f"no sentence for {claim.operator} of it is known to this importer")
    return f"{BOUNDS[claim.operator]} {number}"


def _compared(kind: str, matcher: str, given: Any) -> str:
    """Return what a value is compared with."""
    if isinstance(given, Regex) and matcher == "match":
        if set(given.flags) - {"i", "m"}:
            raise NotPlain(f"the flags {given.flags!r} of a pattern are not read here")
        flags = ("i" if "i" in given.flags else "") + "m" + ("s" if "m" in given.flags else "")
        return f"matching {in_quotes(f'(?{flags})' + as_re2(given.text))}"
    if matcher in SAME:
        return f"equal to {in_quotes(_written(given))}"
    if matcher in ("include", "contain"):
        return f"containing {in_quotes(_written(given))}"
    raise NotPlain(f"no sentence for {matcher} of a value of a {kind} is known to this importer")


def _subject(block: Described) -> tuple[str, str]:
    """Return how a sentence begins that says what is in the document, and one that says what is not."""
    form = FORMATS[block.kind]
    (given,) = block.args if len(block.args) == 1 else (None,)
    if isinstance(given, dict) and set(given) == {"command"} and isinstance(given["command"], str):
        subject = f"the command {in_quotes(given['command'])} prints {form}"
        return f"{subject} with", f"{subject} without"
    if not isinstance(given, str):
        raise NotPlain("the document is named by one path, or by `command:`")
    named = {".yml": "YAML"}.get(given[-4:].lower(), given.rpartition(".")[2].upper()) == form
    subject = f"the file {in_quotes(given)}" + ("" if named else f" as {form}")
    return f"{subject} has", f"{subject} has no"


def _key(key: Any) -> str:
    """Return a key, or a place in a list, as a path has it."""
    if isinstance(key, int) and not isinstance(key, bool):
        return f"[{key}]"
    text = str(key)
    for sign in "\\.[]":
        text = text.replace(sign, f"\\{sign}")
    return "\\*" if text == "*" else text


def _written(given: Any) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if not isinstance(given, str | int | float) or given == "":
        raise NotPlain(f"{given!r} is no text and no number")
    return str(given)
