"""What two inventories of a host both have of a kind, and what of it is not known. Pure.

An inventory may lack details that the other has: an older version of infratest kept fewer, and some are shown to root
alone. What one of both lacks is no difference, and never taken for the same: it is told as not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infratest.learn.inventory import ACCOUNT_FILES, DETAILS, Inventory
from infratest.learn.subjects import some

#: Name -> what is so of it.
Entries = Mapping[str, Mapping[str, Any]]


def comparable(kind: str, then: Inventory, now: Inventory, doubtful: bool = False) -> tuple[Entries, Entries, str]:
    """Return what both have of a kind that can be compared, and words for what is not known; empty where all is.

    Args:
        doubtful: whether a name that one of them may lack because not all was seen is taken for missing, where nothing
        better is kept.
    """
    was, so = _seen(kind, then.kinds[kind], now, doubtful), _seen(kind, now.kinds[kind], then, doubtful)
    if kind == "files":
        return _files(was, so)
    both = was.keys() & so.keys()
    lacking = {
        key: [name for name in both if key not in was[name] or key not in so[name]] for key in DETAILS.get(kind, {})
    }
    reasons = []
    for key, names in lacking.items():
        when = [title for title, one in (("then", was), ("now", so)) if any(key not in one[name] for name in names)]
        if names:
            reasons.append(f"{DETAILS[kind][key]} of {some(names)} ({' and '.join(when)})")
    words = f"not seen: {'; '.join(reasons)}" if reasons else ""
    return _without(lacking, was), _without(lacking, so), words


def _seen(kind: str, entries: Entries, other: Inventory, doubtful: bool) -> Entries:
    """Return what is there also in the other, and what would be in it if it were there."""
    there = other.kinds[kind]
    if kind not in other.unknown:
        return entries
    places = other.unseen.get(kind, () if doubtful else None)  # an older one has none: it may lack anything
    return {
        name: so
        for name, so in entries.items()
        if name in there or (places is not None and not any(_within(name, place) for place in places))
    }


def _within(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}/")


def _without(lacking: Mapping[str, list[str]], entries: Entries) -> Entries:
    return {
        name: {key: value for key, value in so.items() if name not in lacking.get(key, ())}
        for name, so in entries.items()
    }


def _files(then: Entries, now: Entries) -> tuple[Entries, Entries, str]:
    """Each host has a file of its accounts: a record that has none of them was made when they were left out."""
    kept = [any(path in side for path in ACCOUNT_FILES) for side in (then, now)]
    if kept[0] == kept[1]:
        return then, now, ""
    when = "then" if kept[1] else "now"
    then, now = ({path: so for path, so in side.items() if path not in ACCOUNT_FILES} for side in (then, now))
    return then, now, f"not seen: mode and owner of the accounts' files, as /etc/passwd and /etc/shadow ({when})"
