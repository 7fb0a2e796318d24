"""What `infratest doctor` reports: findings, and the plugins that can make them.

A provider or a transport that can say whether it is usable on this machine has `Doctor` beside its contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of `infratest doctor`: what was looked at, whether it is usable, what was found, how to get it."""

    name: str
    usable: bool
    found: str
    advice: str = ""


@runtime_checkable
class Doctor(Protocol):
    """A plugin that can say whether it is usable on this machine, and why not."""

    @classmethod
    def doctor(cls) -> list[Finding]: ...
