"""`infratest import goss FILE`: a goss file, with those that it includes, as one feature.

Resources of a kind stand in one scenario, sorted by their names; one with a title, or one that is skipped, in its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infratest.cleaning import clean
from infratest.errors import UserError, unknown
from infratest.gherkin.writing import Written, fault, feature
from infratest.importers.base import Imported, Importer, Remark, by_place
from infratest.importers.goss import forms
from infratest.importers.goss.attributes import KINDS
from infratest.importers.goss.document import Value, read, values_of
from infratest.importers.goss.matchers import NotCarried, claims
from infratest.importers.goss.resource import Resource, Wording

#: Keys that claim nothing.
SETTINGS = ("title", "meta", "skip")
#: Why a kind is left out whole.
LEFT_OUT = {"registry": "the registry of Windows; hosts here are Linux"}


class Goss(Importer):
    """Reads goss.yaml or goss.json."""

    summary = "a goss file, YAML or JSON, with the files that it includes"
    takes_variables = True

    def read(self, path: Path, variables: Sequence[Path] = ()) -> Imported:
        """Return the feature that says what a goss file does."""
        values = values_of(variables)
        left: list[Remark] = []
        resources = [resource for file, kinds in read(path, values) for resource in _resources(file, kinds, left)]
        if not resources and not left:
            raise UserError(f"{path} has no resources: nothing to carry over")
        notes: list[Remark] = []
        scenarios, carried = _scenarios(resources, left, notes), 0
        for scenario in scenarios:
            carried += len(scenario.sentences)
        text = feature(path.stem, scenarios, [f"carried over from {path.name} by infratest import goss"])
        return Imported({"": text} if scenarios else {}, carried, by_place(left), by_place(notes))


def _resources(file: str, kinds: Mapping[str, Value], left: list[Remark]) -> Iterator[Resource]:
    """Yield the resources of one file; what is none is left."""
    for kind, value in kinds.items():
        if kind == "gossfile":
            continue
        if kind not in KINDS:
            words = LEFT_OUT.get(kind) or unknown("kind", clean(kind, 40), sorted(KINDS))
            left.append(Remark(file, value.line, words))
        elif isinstance(value.data, dict):
            for key, inside in value.data.items():
                made = _resource(kind, key, inside, left)
                if made is not None:
                    yield made
        elif value.data is not None:
            left.append(Remark(file, value.line, f"{kind}: a map of names was expected"))


def _resource(kind: str, key: str, inside: Value, left: list[Remark]) -> Resource | None:
    if not isinstance(inside.data, dict):
        left.append(Remark(inside.path, inside.line, f"{kind} {clean(key, 80)}: it asserts nothing"))
        return None
    about, known = KINDS[kind], inside.data
    attributes = {}
    for name, value in known.items():
        if name in SETTINGS or name == about.named:
            continue
        now = about.before.get(name, name)
        if now in attributes:
            left.append(Remark(value.path, value.line, f"{kind} {clean(key, 80)}: {name}: {now} says it, too"))
            continue
        if now in about.attributes or now in about.together:
            attributes[now] = value
            continue
        words = unknown("attribute", clean(name, 40), sorted({*about.attributes, *about.together}))
        left.append(Remark(value.path, value.line, f"{kind} {clean(key, 80)}: {words}"))
    named = known.get(about.named)
    title, skip = known.get("title"), known.get("skip")
    return Resource(
        kind, key if named is None else named.written, inside.path, inside.line, attributes,
        "" if title is None else title.written, skip is not None and skip.data is True,
    )  # fmt: skip


def _scenarios(resources: list[Resource], left: list[Remark], notes: list[Remark]) -> list[Written]:
    """Return the scenarios, in the order of the kinds: those of a kind together, then those of their own."""
    made: list[Written] = []
    for kind, about in KINDS.items():
        together, own = Written(about.title), list[Written]()
        for resource in sorted((each for each in resources if each.kind == kind), key=lambda each: each.key):
            sentences = _sentences(resource, left, notes)
            if not sentences:
                continue
            if resource.title or resource.skipped:
                tags = ("skip:as-in-goss",) if resource.skipped else ()
                own.append(Written(resource.title or f"{kind} {resource.key}", sentences, tags))
            else:
                together.sentences += [each for each in sentences if each not in together.sentences]
        made += [each for each in (together, *own) if each.sentences]
    return made


def _sentences(resource: Resource, left: list[Remark], notes: list[Remark]) -> list[str]:
    """Return the sentences of a resource; what has none is left, each with its line."""
    about, found = KINDS[resource.kind], list[str]()
    named = f"{resource.kind} {clean(resource.key, 80)}"
    if not resource.attributes:
        left.append(Remark(resource.path, resource.line, f"{named}: it asserts nothing"))
    alone = _is_false(resource.attributes.get(about.first))
    for attribute, value in resource.attributes.items():
        if attribute in about.together:
            if about.together[attribute] not in resource.attributes:
                words = f"{named}: {attribute}: it is said with {about.together[attribute]}, which is not there"
                left.append(Remark(value.path, value.line, words))
            continue
        if alone and attribute != about.first:
            continue  # goss does not look at it either
        for each in _worded(resource, attribute):
            wrong = fault(each.text) if each.what == Wording.SENTENCE else ""
            if each.what == Wording.NOTE:
                notes.append(Remark(value.path, each.line, f"{named}: {attribute}: {each.text}"))
            elif wrong or each.what == Wording.LEFT:
                left.append(Remark(value.path, each.line, f"{named}: {attribute}: {wrong or each.text}"))
            elif each.text not in found:
                found.append(each.text)
    return found


def _worded(resource: Resource, attribute: str) -> list[Wording]:
    """Return what is said of an attribute; the whole of it is left where nothing is."""
    try:
        return forms.worded(resource, attribute)
    except UserError as error:
        line = error.line if isinstance(error, NotCarried) else resource.line_of(attribute)
        return [Wording(str(error), line, Wording.LEFT)]


def _is_false(value: Value | None) -> bool:
    try:
        found = claims(value) if value is not None else []
    except NotCarried:
        return False
    return len(found) == 1 and found[0].name == "true" and not found[0].holds
