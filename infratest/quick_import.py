"""How the plugin program finds its own modules: each by one look at its bytecode, instead of by Python's general way.

A check imports some forty modules of this package. The general way lists folders, tries every ending and works out the
bytecode's name for each of them, which is a twentieth of a whole check. What is not exactly as expected - no bytecode,
older than its source, of another interpreter, a package in another place - is left to that way, which compiles it and
keeps the bytecode for the next time. A module is the same either way, and so is its loader.
"""

from __future__ import annotations

import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from marshal import loads
from posix import O_CLOEXEC, O_RDONLY, close, open, read, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType

#: Bytes of a bytecode file that are read at once; a larger one is left to the general way.
READ_AT_ONCE = 2**16

#: Before the code stand four bytes each of a magic number, flags (0: it goes by its source's time), that time, and the
#: source's size: PEP 552.
HEADER = 16


class QuickImport:
    """A finder of one package's modules, for `sys.meta_path`.

    Args:
        package: its name.
    """

    def __init__(self, package: str) -> None:
        self._begins = f"{package}."
        self._ending = f".{sys.implementation.cache_tag}.pyc"

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a module; None where that is left to the general way."""
        if not path or not name.startswith(self._begins):
            return None
        folder, last = path[0], name.rpartition(".")[2]
        try:
            return self._spec(name, folder, last)
        except OSError:
            pass
        folder = f"{folder}/{last}"
        try:
            spec = self._spec(name, folder, "__init__")
        except OSError:
            return None
        if spec is not None:
            spec.submodule_search_locations = [folder]
        return spec

    def _spec(self, name: str, folder: str, file: str) -> ModuleSpec | None:
        source, bytecode = f"{folder}/{file}.py", f"{folder}/__pycache__/{file}{self._ending}"
        handle = open(bytecode, O_RDONLY | O_CLOEXEC)
        try:
            data = read(handle, READ_AT_ONCE)
        finally:
            close(handle)
        seen = stat(source)
        expected = b"%b\0\0\0\0%b%b" % (MAGIC_NUMBER, _four_bytes(int(seen.st_mtime)), _four_bytes(seen.st_size))
        if data[:HEADER] != expected or len(data) == READ_AT_ONCE:
            return None
        loader = QuickLoader(name, source)
        loader.code = loads(memoryview(data)[HEADER:])  # noqa: S302 - as Python does with this file
        spec: ModuleSpec = type(__spec__)(name, loader, origin=source)
        spec.has_location = True
        spec.cached = bytecode
        return spec


class QuickLoader(SourceFileLoader):
    """Python's own loader of a source file, which is given the code once."""

    code: CodeType | None = None

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code that was found; the next time, what the files say then."""
        code, self.code = self.code, None
        return code or super().get_code(fullname)


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def install() -> None:
    """Find the modules of this package so, where bytecode is kept beside its source, as Python does by itself."""
    if sys.pycache_prefix is None and not sys.flags.optimize and sys.implementation.cache_tag:
        sys.meta_path.insert(0, QuickImport(__package__))
