"""Copies of the package, as it is or with one line of it broken: what a machine can live with."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import infratest.alerting
import infratest.errors

PACKAGE = "infratest.alerting"
#: In the order in which they import each other; `cron` is of the ground floor.
FILES = ("cron", "moments", "policy", "status", "subject", "downtime", "due", "problems", "ledger", "owed")


def whole() -> SimpleNamespace:
    """Return the package as it is."""
    modules = {name: importlib.import_module(f"{PACKAGE}.{name}") for name in FILES[1:]}
    return SimpleNamespace(errors=infratest.errors, **modules)


@contextmanager
def broken(file: str, text: str, instead: str) -> Iterator[SimpleNamespace]:
    """Give a copy in which a text, that is there once, is another."""
    folder, alias = Path(infratest.alerting.__file__).parent, "broken_alerting"
    modules = {}
    try:
        sys.modules[alias] = ModuleType(alias)
        for name in FILES:
            source = ((folder.parent if name == "cron" else folder) / f"{name}.py").read_text("utf-8")
            if name == file:
                assert source.count(text) == 1, f"{text!r} is in {file} {source.count(text)} times"
                source = source.replace(text, instead)
            module = modules[name] = sys.modules[f"{alias}.{name}"] = ModuleType(f"{alias}.{name}")
            exec(compile(_imports(source, alias), f"<{name}, broken>", "exec"), module.__dict__)
        yield SimpleNamespace(errors=infratest.errors, **modules)
    finally:
        for name in ("", *(f".{each}" for each in FILES)):
            sys.modules.pop(alias + name, None)


def _imports(source: str, alias: str) -> str:
    return source.replace(PACKAGE, alias).replace("from infratest import cron\n", f"from {alias} import cron\n")
