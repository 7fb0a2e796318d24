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


def unusable(name: str, error: Exception, otherwise: str) -> Finding:
    """Return the finding of an error of ours: what is so, and what to do, which stands in it behind the first `; `.

    Args:
        name: of what was looked at. otherwise: what to do where the error does not say.
    """
    words, _, advice = str(error).partition("; ")
    return Finding(name=name, usable=False, found=words, advice=advice or otherwise)


@runtime_checkable
class Doctor(Protocol):
    """A plugin that can say whether it is usable on this machine, and why not."""

    @classmethod
    def doctor(cls) -> list[Finding]: ...
