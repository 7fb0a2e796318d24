"""This machine."""

from __future__ import annotations

from contextlib import nullcontext

from infratest.hosts import Host

WAYS = {"": lambda folder: nullcontext(Host(name="here", transport="local"))}
BROKEN: dict[str, object] = {}
