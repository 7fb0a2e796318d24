"""Kinds of things and their names: the file name is the word the user types; outsiders come by entry point.

`get("provider", "container")` imports `infratest/providers/container` alone and returns its one concrete class.
Listing imports nothing, so a missing library of one plugin breaks no other.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infratest.errors import InfratestError, UnknownName, unknown
from infratest.plugins import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint
    from types import ModuleType


def names(kind: str) -> list[str]:
    """Return every name of a kind, sorted."""
    return sorted({*_files(kind), *_outsiders(kind), *dict(_of_other_kinds(kind))})


def get(kind: str, name: str) -> type[Any]:
    """Return the class of a kind by its name.

    Raises:
        UnknownName: nobody has that name; the message holds the nearest and all.
        InfratestError: a built-in and an outsider share the name, or the plugin breaks its contract.
    """
    files, outsiders = _files(kind), _outsiders(kind)
    if name in files and name in outsiders:
        raise InfratestError(f"{kind} {name!r}: {outsiders[name].value} has the name of a built-in one; rename it")
    if name in outsiders:
        return _checked(kind, name, outsiders[name].load())
    if name not in files:
        for word, value in _of_other_kinds(kind):
            if word == name:
                return _checked(kind, name, value)
        raise UnknownName(unknown(kind, name, names(kind)))
    module = importlib.import_module(f"{KINDS[kind][0]}.{name.replace('-', '_')}")
    base = _base(kind)
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        raise InfratestError(
            f"{kind} {name!r}: {module.__name__} must hold one {base.__name__} class, found {len(found)}"
        )
    return _checked(kind, name, found[0])


def options_of(plugin: type[Any], name: str = "Options") -> type[Any] | None:
    """Return the options of a plugin: a class of that name inside its own, or beside it in the same file."""
    found: type[Any] | None = getattr(plugin, name, None) or getattr(sys.modules[plugin.__module__], name, None)
    return found


def _base(kind: str) -> type[Any]:
    package, base = KINDS[kind]
    found: type[Any] = getattr(importlib.import_module(f"{package}.base"), base)
    return found


def modules(group: str) -> list[ModuleType]:
    """Return the modules that others offer in the entry point group `infratest.<group>`, as `steps`, by their names.

    Raises:
        InfratestError: one cannot be imported, or is no module: what it offers would be missing in silence.
    """
    loaded = []
    for name, point in sorted(_outsiders(group).items()):
        try:
            module = point.load()
        except ImportError as error:
            raise InfratestError(f"{group} {name!r}: {point.value} cannot be imported: {error}") from error
        if not inspect.ismodule(module):
            raise InfratestError(f"{group} {name!r}: {point.value} is not a module; name the one that holds them")
        loaded.append(module)
    return loaded


def _of_other_kinds(kind: str) -> Iterable[tuple[str, type[Any]]]:
    """Return what a kind has from another one, where its contract says so: the remedies that are acts."""
    others = getattr(importlib.import_module(f"{KINDS[kind][0]}.base"), "of_other_kinds", None)
    return () if others is None else others()


@cache
def _files(kind: str) -> list[str]:
    package = importlib.import_module(KINDS[kind][0])
    found = [module.name for module in pkgutil.iter_modules(package.__path__)]
    return sorted(name.replace("_", "-") for name in found if name != "base" and not name.startswith("_"))


def _outsiders(kind: str) -> dict[str, EntryPoint]:
    return _on_path(kind, tuple(sys.path))


@cache
def _on_path(kind: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Return what is installed on this path; reading it anew for every host would cost more than to log in there."""
    if not any(_names_ours(Path(place or ".")) for place in path):
        return {}
    from importlib.metadata import entry_points  # costs more to import than most checks

    return {point.name: point for point in entry_points(group=f"infratest.{kind}")}


@cache
def _names_ours(place: Path) -> bool:
    """Whether a distribution in this place may have an entry point for us; an archive may always."""
    if not place.is_dir():
        return place.exists()
    found = (*place.glob("*.dist-info/entry_points.txt"), *place.glob("*.egg-info/entry_points.txt"))
    return any("[infratest." in one.read_text("utf-8", "replace") for one in found)


def _checked(kind: str, name: str, value: Any) -> type[Any]:
    base = _base(kind)
    if not (inspect.isclass(value) and issubclass(value, base)):
        raise InfratestError(f"{kind} {name!r}: {value!r} is not a {base.__module__}.{base.__name__}")
    return value
