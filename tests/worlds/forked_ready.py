"""Imported once by the process that `forked` forks: every verb, and the sentences there are."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

from infratest.cli import main, verbs
from infratest.gherkin.vocabulary import vocabulary

for module in pkgutil.iter_modules(verbs.__path__):
    importlib.import_module(f"{verbs.__name__}.{module.name}")
with contextlib.suppress(SystemExit), contextlib.suppress(ImportError):
    vocabulary().match("")
assert main.main
