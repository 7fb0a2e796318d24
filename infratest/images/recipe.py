"""Recipes: folders that say what an image is made of (fixtures/images/, or beside a stack file). For every provider.

A recipe holds `recipe.toml`, and the files `setup.sh` (run once inside the image to be) and `init` (the first process
of a container). One that is `like` another takes from it every key and file that it has not itself.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from infratest.errors import UnknownName, UserError, unknown
from infratest.images.sources import Sources
from infratest.paths import path_of

RECIPE = "recipe.toml"

#: Recipes may be like others that are like others: so deep, and no deeper.
DEPTH = 8

KEYS = frozenset((
    "like", "registry", "suite", "mirror", "distribution", "keyring", "script", "components", "sources", "packages",
    "command", "stop-signal", "masked", "kernel", "full-kernel", "machine-packages", "machine-masked",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What an image is made of; the keys of `recipe.toml`.

    Args:
        files: what stands beside `recipe.toml`, by name, those of the recipes that this one is like included.
        distribution: whose suite it is, as os-release's ID has it: a machine of the same one lends its package sources.
        keyring: that debootstrap verifies the suite's signature by, a file of the recipe or of this machine; its own
        choice without one. script: debootstrap's for a suite that it does not know. components: of the archive.
        sources: lines of a sources.list where this machine has none to lend. kernel: the package of a virtual machine's
        kernel, `{arch}` in it being this machine's architecture; full_kernel: one with the drivers of hardware too, for
        machines whose disk is at an AHCI controller (the same without). machine_packages: what a machine needs beside
        it; machine_masked: units that must not start there, in place of `masked`.
    """

    name: str
    folder: Path
    suite: str
    mirror: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    distribution: str = "debian"
    keyring: str = ""
    script: str = ""
    components: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    registry: str = ""
    stop_signal: str = "SIGRTMIN+3"
    masked: tuple[str, ...] = ()
    kernel: str = ""
    full_kernel: str = ""
    machine_packages: tuple[str, ...] = ()
    machine_masked: tuple[str, ...] = ()

    def package_sources(self) -> Sources:
        """Return where its packages come from on this machine."""
        lists = "".join(f"{line}\n" for line in self.sources)
        return Sources.of_this_machine(self.suite, self.mirror, self.distribution, lists)

    def tag(self, sources: Sources) -> str:
        """Return the image's name: it changes with any byte of the recipe and with the package sources."""
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        digest.update(f"{sources.lists}\0{sources.settings}".encode())
        return f"infratest/{self.name}:{digest.hexdigest()[:12]}"


def names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.parent.name for path in _shipped().glob(f"*/{RECIPE}"))


def recipe(name: str, folder: Path) -> Recipe:
    """Return the recipe of this name: one of ours, or a folder with a `recipe.toml` beside the stack file.

    Raises:
        UnknownName: neither. UserError: its `recipe.toml` cannot be used.
    """
    place = _place(name, folder)
    data, contents = _read(place, DEPTH)
    try:
        return Recipe(
            name=place.resolve().name.lower(),
            folder=place,
            files=contents,
            suite=data["suite"],
            mirror=data["mirror"],
            packages=_words(data, "packages"),
            command=_words(data, "command"),
            registry=data.get("registry", ""),
            distribution=data.get("distribution", "debian"),
            keyring=data.get("keyring", ""),
            script=data.get("script", ""),
            components=_words(data, "components", ()),
            sources=_words(data, "sources", ()),
            stop_signal=data.get("stop-signal", "SIGRTMIN+3"),
            masked=_words(data, "masked", ()),
            kernel=data.get("kernel", ""),
            full_kernel=data.get("full-kernel", data.get("kernel", "")),
            machine_packages=_words(data, "machine-packages", ()),
            machine_masked=_words(data, "machine-masked", ()),
        )
    except KeyError as error:
        raise UserError(f"{place / RECIPE}: {error.args[0]} is missing") from error
    except TypeError as error:
        raise UserError(f"{place / RECIPE} cannot be used: {error}") from error


def _place(name: str, folder: Path) -> Path:
    ours, beside = _shipped() / name, path_of(folder, name)
    place = ours if "/" not in name and (ours / RECIPE).is_file() else beside
    if not (place / RECIPE).is_file():
        raise UnknownName(unknown("image", name, names()) + f"; and there is no {beside / RECIPE}")
    return place


def _read(place: Path, depth: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return keys and files of a recipe, over those of the recipe that it is like."""
    try:
        data: dict[str, Any] = tomllib.loads((place / RECIPE).read_text(encoding="utf-8"))
        own = {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.is_file()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{place / RECIPE} cannot be used: {error}") from error
    for key in data:
        if key not in KEYS:
            raise UserError(f"{place / RECIPE}: {unknown('key', key, sorted(KEYS))}")
    if "like" not in data:
        return data, own
    if not depth:
        raise UserError(f"{place / RECIPE}: recipes that are like each other have no beginning")
    other = _place(str(data["like"]), place.parent)
    keys, contents = _read(other, depth - 1)
    named = {f"{other.name}/{RECIPE}" if name == RECIPE else name: content for name, content in contents.items()}
    return keys | data, named | own


def _words(data: dict[str, Any], key: str, otherwise: tuple[str, ...] | None = None) -> tuple[str, ...]:
    value = data[key] if otherwise is None else data.get(key, otherwise)
    if not isinstance(value, (list, tuple)) or not all(isinstance(word, str) for word in value):
        raise TypeError(f"{key} is no list of texts: {value!r}")
    return tuple(value)


def _shipped() -> Path:
    """Return where the recipes are that come with the package."""
    return Path(str(files("infratest.fixtures"))) / "images"
