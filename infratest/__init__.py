"""infratest: one Gherkin feature as test, gate, monitor and heal trigger of an infrastructure stack."""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def __getattr__(name: str) -> Any:
    """Return `infratest.checks`, which steps of a user's own are declared with; imported when it is asked for."""
    if name != "checks":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return import_module("infratest.checks")
