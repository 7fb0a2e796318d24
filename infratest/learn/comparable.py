"""What two inventories of a host both have of a kind, and what of it is not known. Pure.

An inventory may lack details that the other has: an older version of infratest kept fewer, and some are shown to root
alone. What one of both lacks is no difference, and never taken for the same: it is told as not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infratest.learn.inventory import ACCOUNT_FILES, ALTERNATIVES, DETAILS, Inventory
from infratest.learn.subjects import some

#: What an entry has of a file's content; the first says more.
CONTENT = ("md5", "size")
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
    """Each host has files of its accounts, and folders: a record that has none was made when these were left out."""
    lacking = []
    for title, marks, belongs in (
        ("mode and owner of the accounts' files, as /etc/passwd and /etc/shadow", _is_of_accounts, _is_of_accounts),
        ("mode and owner of folders, and what is neither file nor link", _is_folder, _came_with_folders),
    ):
        kept = [any(marks(path, so) for path, so in side.items()) for side in (then, now)]
        if kept[0] != kept[1]:
            lacking.append(f"{title} ({'then' if kept[1] else 'now'})")
            then, now = ({path: so for path, so in side.items() if not belongs(path, so)} for side in (then, now))
    bare = [path for path in then.keys() & now.keys() if _is_bare(path, then[path], now[path])]
    lacking += [f"whether the content is the same of {some(bare)}"] if bare else []
    return then, now, f"not seen: {'; '.join(lacking)}" if lacking else ""


def _is_bare(path: str, was: Mapping[str, Any], so: Mapping[str, Any]) -> bool:
    """Whether of a file's content nothing is kept that both have: an older record has less."""
    files = was.get("kind") == so.get("kind") == "file" and path not in ACCOUNT_FILES
    return files and not any(_has(was, so, key) for key in CONTENT)


def _is_of_accounts(path: str, so: Mapping[str, Any]) -> bool:
    return path in ACCOUNT_FILES


def _is_folder(path: str, so: Mapping[str, Any]) -> bool:
    return so.get("kind") == "directory"


def _came_with_folders(path: str, so: Mapping[str, Any]) -> bool:
    """Whether a record in which no folders are had nothing of this either."""
    return so.get("kind") not in ("file", "link") or path.startswith("/etc/ssl/certs/")


def of_content(was: Any, so: Any) -> tuple[Any, Any]:
    """Return two entries of a file with what is known of the content of both: its sum, else its size."""
    if was is None or so is None or "kind" not in was or "kind" not in so:
        return was, so
    kept = next((key for key in CONTENT if _has(was, so, key)), "")
    was, so = ({key: value for key, value in one.items() if key not in CONTENT or key == kept} for one in (was, so))
    return was, so


def _has(was: Mapping[str, Any], so: Mapping[str, Any], key: str) -> bool:
    return was.get(key) is not None and so.get(key) is not None


def worth_telling(kind: str, pairs: Iterable[tuple[str, Any, Any]]) -> list[tuple[str, Any, Any]]:
    """Return names with what was and is of each, but for folders that came or went with what is in them."""
    listed = list(pairs)
    if kind != "files":
        return listed
    above = {folder for path, _, _ in listed for folder in _folders_above(path)}
    return [
        (path, was, so)
        for path, was, so in listed
        if path not in above or (was is not None and so is not None) or not _is_folder(path, was or so or {})
    ]


def _folders_above(path: str) -> Iterator[str]:
    while "/" in path[1:]:
        path = path.rpartition("/")[0]
        yield path


def of_another(kind: str, name: str, was: Mapping[str, Any] | None, so: Mapping[str, Any] | None) -> bool:
    """Whether that something came or went says nothing of its own: a package's file or a name by which programs look
    for one that is chosen came with a package, a variable of the kernel with its module."""
    if was is not None and so is not None:
        return False
    if kind == "files":
        return bool((was or so or {}).get("packaged")) or name.startswith(ALTERNATIVES)
    return kind == "sysctls"
