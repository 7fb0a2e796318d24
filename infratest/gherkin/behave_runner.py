"""The runner's name before 0.2: `runner = infratest.gherkin.behave_runner:Runner` in a behave.ini goes on to work."""

from __future__ import annotations

import warnings

from infratest.behave_runner import Runner

__all__ = ("Runner",)

warnings.warn(
    "infratest.gherkin.behave_runner is infratest.behave_runner now: write runner = infratest.behave_runner:Runner",
    DeprecationWarning,
    stacklevel=2,
)
