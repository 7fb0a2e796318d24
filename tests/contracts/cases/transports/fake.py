"""The fake, which runs on this machine what no answer is written down for."""

from __future__ import annotations

from contextlib import nullcontext

from infratest.hosts import Host

WAYS = {"": lambda folder: nullcontext(Host(name="web-1", transport="fake", options={"otherwise": "run"}))}
BROKEN = {"fail": {"open": "unreachable"}}
