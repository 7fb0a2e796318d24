"""Hosts that answer from a script, by the transport `fake`: what the providers without machines have for a way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What a stack file may say below `transport:`; that page of transports/fake.py in one sentence.
TRANSPORT = (
    "how its hosts answer: `answers` ({COMMAND LINE, or its beginning and *: {exit, stdout, stderr, delay, hang, "
    "lost}}), `fail` ({open, execute or close: unreachable, access-refused, host-key-refused, connection-lost or "
    "deadline-exceeded}), `delay` of each call, `otherwise` (refuse, or run: what has no answer runs on this machine), "
    "`record` (a file that gets each command line as it is asked for)"
)


def answering(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the transport of a host that is up: as the stack file scripts it, and `true` is true."""
    return dict(given) | {"answers": {"true": {}} | dict(given.get("answers", {}))}


def silent(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the transport of a host that boots: it cannot be reached."""
    return answering(given) | {"fail": {"open": "unreachable"}}
