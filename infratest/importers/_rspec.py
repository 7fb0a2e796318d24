"""Claims of Serverspec and InSpec as sentences: what each matcher and each property of a resource is said as.

The two share RSpec and most of their resources' names. What a resource's own `its` gives is compared by `eq`, `cmp`,
`match`, `include` and `be`; of a claim that has no sentence, or would be another one here, the words say why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.gherkin.writing import Written, fault, feature
from infratest.importers import _rspec_document
from infratest.importers._rspec_document import SAME
from infratest.importers._rspec_special import OF_GREP, is_special, note, special
from infratest.importers._rspec_tables import (
    ALIASES,
    COMPARED,
    CONTAINS,
    EMPTY,
    EQUAL,
    GIVEN,
    MATCHES,
    NAMELESS,
    ONE_OF,
    PLAIN,
    SYSTEMS,
    filled,
)
from infratest.importers._ruby import Claim, Described, Leftover, NotPlain, Regex, blocks
from infratest.importers._ruby_pattern import as_re2
from infratest.importers.base import Imported, Remark, by_place

#: Matchers that mean `include`.
WITHIN = ("include", "contain")
#: What a line's pattern may hold where RSpec looks at all lines together: it could match across their ends.
ACROSS = ("\\A", "\\z", "\\Z", "\\n", "\\r", "\\s", "\\S", "\\W", "\\D", "[^")

#: From this impact on a control is more than low for InSpec: lib/inspec/impact.rb.
MEDIUM = 0.4


def imported(path: Path, tool: str, files: Sequence[Path]) -> Imported:
    """Return what came of the files of a tool, as one feature. Raises UserError: one cannot be read."""
    left: list[Remark] = []
    notes: list[Remark] = []
    scenarios: list[Written] = []
    for file in files:
        for block in blocks(file):
            if isinstance(block, Leftover):
                left.append(Remark(str(file), block.line, block.words))
                continue
            sentences = list(dict.fromkeys(_sentences(block, str(file), left, notes)))
            if sentences:
                named = clean(" ".join(map(str, block.args)), 80)
                title = ": ".join((*block.titles, f"{block.kind} {named}"))
                scenarios.append(Written(title, sentences, _severity(block)))
    carried = sum(len(one.sentences) for one in scenarios)
    if not carried and not left:
        raise UserError(f"{path} describes nothing: there is nothing to carry over")
    text = feature(path.stem, scenarios, [f"carried over from {path.name} by infratest import {tool}"])
    return Imported({"": text} if scenarios else {}, carried, by_place(left), by_place(notes))


def _severity(block: Described) -> tuple[str, ...]:
    """Return the tag for the impact of a block's control; where it names none, a failure is critical here anyway."""
    if block.impact is None:
        return ()
    return ("critical",) if block.impact >= MEDIUM else ("warning",)


def _sentences(block: Described, path: str, left: list[Remark], notes: list[Remark]) -> Iterator[str]:
    folder = block.kind == "directory" or any(
        claim.matcher.name == "be_directory" and not claim.negated for claim in block.claims
    )
    for claim in block.claims:
        try:
            words = said(block, claim)
            if folder:  # a folder is no file here
                words = [each.replace("the file ", "the directory ", 1) for each in words]
            for each in words:
                if wrong := fault(each):
                    raise NotPlain(wrong)
        except UserError as error:
            left.append(Remark(path, claim.line, f"{block.kind}: {claim.text}: {error}"))
            continue
        yield from words
        if otherwise := note(block.kind, claim):
            notes.append(Remark(path, claim.line, f"{block.kind}: {claim.text}: {otherwise}"))


def said(block: Described, claim: Claim) -> list[str]:
    """Return the sentences of a claim. Raises UserError: there is none."""
    if block.kind in _rspec_document.FORMATS:
        return [_rspec_document.said(block, claim)]
    kind = ALIASES.get(block.kind, block.kind)
    name = _name(block, kind)
    if claim.operator:
        return [_compared(kind, name, claim)]
    if is_special(kind, claim):
        return special(kind, name, claim)
    if claim.of or "" in EQUAL.get(kind, {}):
        return [_of(kind, name, claim)]
    return _itself(kind, name, claim)


def _name(block: Described, kind: str) -> str:
    """Return the name of a resource; of one that there is once, nothing. Raises NotPlain."""
    if kind in NAMELESS and not block.args:
        return ""
    (given,) = block.args if len(block.args) == 1 and kind not in NAMELESS else (None,)
    if isinstance(given, dict) and set(given) == {"name"} and kind.startswith("docker_"):
        given = given["name"]
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise NotPlain("the resource is named by one text alone here")
    return f"ppa:{given}" if block.kind == "ppa" else str(given)


def _itself(kind: str, name: str, claim: Claim) -> list[str]:
    matcher, args = claim.matcher.name, claim.matcher.args
    if not args and matcher in PLAIN.get(kind, {}):
        words = [filled(PLAIN[kind][matcher][claim.negated], name)]
        if kind == "port" and claim.negated:  # the other tools look at both
            words.append(filled(PLAIN[kind][matcher][True], f"{name}/udp"))
        if (kind, matcher, claim.negated) == ("file", "exist", True):  # nor may it be a folder, which is no file here
            words.append(filled("the directory {0} does not exist", name))
        return words
    if len(args) == 1 and matcher in GIVEN.get(kind, {}):
        mode = matcher == "be_mode" and isinstance(args[0], int)
        return [filled(GIVEN[kind][matcher][claim.negated], name, f"{args[0]:04d}" if mode else args[0])]
    if (kind, matcher) == ("file", "contain") and len(args) == 1:
        return [_containing(name, args[0], claim.negated)]
    raise NotPlain(f"no sentence for {matcher} of a {kind} is known to this importer")


def _containing(name: str, given: Any, negated: bool) -> str:
    """Return what Serverspec's `contain` asks: it gives a text to grep, for which some characters are a pattern."""
    if isinstance(given, str) and not set(given) & OF_GREP:
        return filled(CONTAINS["file"]["content"][negated], name, given)
    raise NotPlain("it is a pattern of grep's, which has other rules than RE2; say it as `has a line matching`")


def _of(kind: str, name: str, claim: Claim) -> str:
    """Return what a property is said to be."""
    matcher, args = claim.matcher.name, claim.matcher.args
    if len(args) != 1:
        raise NotPlain(f"{matcher} is carried over with one value alone")
    given = args[0]
    if matcher == "be_in" and isinstance(given, list) and claim.of in ONE_OF.get(kind, {}):
        return filled(ONE_OF[kind][claim.of][claim.negated], name, _listed(claim.of, given))
    if isinstance(given, Regex) and matcher in ("match", "include", "contain"):
        return _matching(kind, name, claim, given)
    if matcher in SAME and (kind, claim.of, "==") in COMPARED and not claim.negated:
        return filled(COMPARED[kind, claim.of, "=="], name, given)
    if matcher in SAME and kind == "command" and isinstance(given, str):
        given = _printed(claim, given)
    if matcher in SAME and (kind, claim.of) in EMPTY and given == "":
        return filled(EMPTY[kind, claim.of][claim.negated], name)
    if matcher in SAME and claim.of in EQUAL.get(kind, {}) and isinstance(given, str | int):
        if claim.of == "mode" and isinstance(given, int):
            given = f"{given:04o}"
        given = SYSTEMS.get(str(given), given) if kind in ("os.family", "os.name") else given
        return filled(EQUAL[kind][claim.of][claim.negated], name, given)
    if matcher in WITHIN and claim.of in CONTAINS.get(kind, {}) and isinstance(given, str):
        return filled(CONTAINS[kind][claim.of][claim.negated], name, given)
    raise NotPlain(f"no sentence for {matcher} of the {claim.of} of a {kind} is known to this importer")


def _listed(of: str, values: Sequence[Any]) -> str:
    """Return what a property is one of, as a sentence lists it. Raises NotPlain."""
    texts = [f"{one:04o}" if of == "mode" and isinstance(one, int) else one for one in values]
    if not texts or not all(isinstance(one, str) and one and "," not in one for one in texts):
        raise NotPlain("it is one of several texts, without a comma in them, that a sentence lists")
    return ", ".join(texts)


def _printed(claim: Claim, given: str) -> str:
    """Return the text that `prints exactly` asks for: it looks at no line breaks at the end. Raises NotPlain."""
    if claim.of == "stdout" and given.endswith("\n"):
        given = given.rstrip("\n")
        if not given:
            raise NotPlain("line breaks alone are told apart from nothing by no sentence")
    if claim.of == "stdout.strip" and claim.negated:
        raise NotPlain("blanks around it count in the sentence, so its negation would hold where this does not")
    if claim.of == "stdout.strip" and given != given.strip():
        raise NotPlain("nothing that is stripped has blanks around it")
    return given


def _matching(kind: str, name: str, claim: Claim, pattern: Regex) -> str:
    pair = MATCHES.get(kind, {}).get(claim.of)
    if pair is None:
        raise NotPlain(f"no sentence for a pattern of the {claim.of} of a {kind} is known to this importer")
    if set(pattern.flags) - {"i", "m"}:
        raise NotPlain(f"the flags {pattern.flags!r} of a pattern are not read here")
    lines = kind == "command"
    if lines and ("m" in pattern.flags or any(one in pattern.text for one in ACROSS)):
        raise NotPlain("its pattern may match across lines, and one line is looked at here")
    # In Ruby ^ and $ are ends of lines always, and `m` has the dot match line ends.
    flags = ("i" if "i" in pattern.flags else "") + ("" if lines else "m") + ("s" if "m" in pattern.flags else "")
    return filled(pair[claim.negated], name, (f"(?{flags})" if flags else "") + as_re2(pattern.text))


def _compared(kind: str, name: str, claim: Claim) -> str:
    words = COMPARED.get((kind, claim.of, claim.operator))
    if words is None or claim.negated or claim.matcher.name not in ("cmp", "be"):
        raise NotPlain(f"no sentence for {claim.operator} of the {claim.of or 'resource'} of a {kind} is known here")
    return filled(words, name, claim.matcher.args[0])
