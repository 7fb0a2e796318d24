"""What was so on a host when a run was recorded and is not now, as the sentences that held then. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infratest.errors import UserError
from infratest.gherkin.writing import fault, in_quotes
from infratest.learn.comparable import CONTENT, comparable, of_another, of_content, worth_telling
from infratest.learn.coverage import sentences
from infratest.learn.inventory import Inventory

#: Of a unit that nobody chose to have started at boot and that is not running, which an inventory leaves out.
NOT_CHOSEN: Mapping[str, Any] = {"boot": "", "running": False}
NO_SENTENCE = "no sentence can hold it"


@dataclass(frozen=True)
class Difference:
    """Something that is otherwise than it was.

    Args:
        then: sentences that held, and now: that hold in their place; none where no sentence can hold its name.
    """

    kind: str
    name: str
    then: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """Of one host. `unknown`: kinds of which something is not known, and why; the empty name stands for all."""

    differences: Sequence[Difference] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> list[Difference]:
        """Return the differences of a kind."""
        return [one for one in self.differences if one.kind == kind]


def drift(kinds: Sequence[str], then: Inventory, now: Inventory) -> Drift:
    """Compare two inventories of a host. Of a kind that was not seen whole, what both have is compared alone."""
    for when, inventory in (("when the run was recorded", then), ("now", now)):
        if "" in inventory.unknown:
            return Drift(unknown={"": f"{when}: {inventory.unknown['']}"})
    differences: list[Difference] = []
    unknown: dict[str, str] = {}
    for kind in kinds:
        words = [f"then: {then.unknown[kind]}"] if kind in then.unknown else []
        words += [f"now: {now.unknown[kind]}"] if kind in now.unknown else []
        if kind not in then.kinds or kind not in now.kinds:
            unknown[kind] = "; ".join(words) or "it is not in the record"
            continue
        if words:
            unknown[kind] = "; ".join(words)
        try:
            was, so, lacking = comparable(kind, then, now)
            differences += _differences(kind, was, so)
            if lacking:
                unknown[kind] = "; ".join([*words, lacking])
        except (KeyError, TypeError, AttributeError, ValueError):
            unknown[kind] = "what was recorded of it is damaged; record a run anew: `infratest test --record`"
    return Drift(tuple(differences), unknown)


def _differences(kind: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    pairs = [(name, *_comparable(kind, then.get(name), now.get(name))) for name in sorted({*then, *now})]
    changed = [(name, was, so) for name, was, so in pairs if was != so and not of_another(kind, name, was, so)]
    for name, was, so in worth_telling(kind, changed):
        yield Difference(kind, name, _held(kind, name, so, was), _held(kind, name, was, so))


def _comparable(kind: str, was: Any, so: Any) -> tuple[Any, Any]:
    """Return two entries of a thing with what can be compared: of a file's content, what is known of both."""
    if kind == "units":
        return was or NOT_CHOSEN, so or NOT_CHOSEN
    if kind != "files" or was is None or so is None:
        return was, so
    was, so = of_content(was, so)
    if was.get("packaged") and so.get("packaged"):  # an update brought another one
        was, so = ({key: value for key, value in one.items() if key not in CONTENT} for one in (was, so))
    plain = [{key: value for key, value in one.items() if key != "packaged"} for one in (was, so)]
    return (was, was) if plain[0] == plain[1] else (was, so)


def _held(kind: str, name: str, other: Any, one: Any) -> tuple[str, ...]:
    """Return the sentences that hold where a thing is as `one`, and do not where it is as `other`."""
    try:
        if kind == "files" and one and other and one["kind"] == other["kind"] == "file":
            words = list(_file(name, other, one))
        else:
            words = list(sentences(kind, name, other, one))
    except UserError:
        return ()
    return tuple(each for each in dict.fromkeys(words) if not fault(each))


def _file(path: str, other: Mapping[str, Any], one: Mapping[str, Any]) -> Iterator[str]:
    subject = f"the file {in_quotes(path)}"
    if one.get("md5") != other.get("md5"):
        yield f"{subject} has the MD5 checksum {in_quotes(one['md5'])}"
    if one.get("size") != other.get("size"):
        yield f"{subject} is exactly {int(one['size'])} B in size"
    if one["mode"] != other["mode"]:
        yield f"{subject} has mode {in_quotes(one['mode'])}"
    if one["owner"] != other["owner"]:
        yield f"{subject} is owned by {in_quotes(one['owner'])}"
    if one["group"] != other["group"]:
        yield f"{subject} belongs to the group {in_quotes(one['group'])}"
