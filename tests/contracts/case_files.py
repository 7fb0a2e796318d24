"""The contract case of each plugin: tests/contracts/cases/<kinds>/<name>.py, asked for by what the registry has.

Nobody lists plugins here: a new one whose case is missing fails its suite until it has one.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from infratest.outsiders import names
from infratest.plugins import KINDS
from infratest.testing.providers import Case


def case_of(kind: str, name: str) -> ModuleType:
    """Return the case file of a plugin; one that is missing fails the suite, naming the file to write."""
    folder = KINDS[kind][0].rpartition(".")[2]
    module = f"tests.contracts.cases.{folder}.{name.replace('-', '_')}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise AssertionError(f"{kind} {name!r} has no contract case: write {module.replace('.', '/')}.py") from None


def cases(kind: str) -> dict[str, ModuleType]:
    """Return the case of every plugin of a kind that there is."""
    return {name: case_of(kind, name) for name in names(kind)}


@contextmanager
def with_hosts(case: Case) -> Iterator[Case]:
    """Make the hosts of a provider's case, and remove them whatever happens."""
    try:
        case.make()
        yield case
    finally:
        case.remove()


def programs(folder: Path, scripts: Mapping[str, str]) -> Path:
    """Write scripts that stand where a host's own programs would, and return their folder, for PATH."""
    place = folder / "bin"
    place.mkdir()
    for name, text in scripts.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    return place
