"""What cloud-init says of a host's boot: asked together with its first command, told in its own words. Called by `up`.

A host lets us in before cloud-init has come to its end, and also where that failed: the user data's own commands come
last. The question reads its files in /run (cloud-init's "status.json" and "result.json", where `cloud-init status` has
its answer from); it waits for the end for a while, and costs nothing where there is no cloud-init.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infratest.cleaning import clean

#: Seconds that cloud-init may take to its end after the host has let us in.
SECONDS = 30

#: $1: how many seconds to wait. Both files are written beside their place and moved, so that they are whole.
QUESTION = r"""
cd /run/cloud-init 2>/dev/null && [ -r status.json ] || exit 0
waited=0
until [ -r result.json ] || [ "$waited" -ge "$1" ]; do waited=$((waited + 1)); sleep 1; done
if [ -r result.json ]; then echo ended; cat result.json; fi
cat status.json
exit 0
"""

#: Problems that are told, and the characters of one.
MOST, LONGEST = 5, 300

#: What cloud-init only thinks old-fashioned is no problem of this host.
HARMLESS = ("DEPRECATED", "INFO", "DEBUG")


def question(seconds: int) -> list[str]:
    """Return the command that asks; it ends with 0 and says nothing where there is no cloud-init."""
    return ["sh", "-c", QUESTION, "sh", str(seconds)]


def problems(answer: str) -> list[str]:
    """Return what went wrong by cloud-init's own words; what is not known is a problem too."""
    if not answer.strip():
        return []
    found: list[str] = []
    try:
        for document in _documents(answer):
            found += _errors(document["v1"])
    except (ValueError, KeyError, TypeError, AttributeError):
        found.append("its answer could not be read; see `cloud-init status --long` on the host")
    if not answer.lstrip().startswith("ended"):
        found.append("it has not come to its end, so that what comes of it is not known")
    told = list(dict.fromkeys(clean(one, LONGEST) for one in found))
    return told[:MOST] + ([f"and {len(told) - MOST} more"] if len(told) > MOST else [])


def _documents(text: str) -> Iterator[Any]:
    """Yield the JSON objects of a text. Raises ValueError: one is not whole, or there is none."""
    decoder, at = json.JSONDecoder(), text.index("{")
    while at >= 0:
        document, end = decoder.raw_decode(text, at)
        yield document
        at = text.find("{", end)


def _errors(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield the errors of a result, or of each stage of a status."""
    for value in (one, *(stage for stage in one.values() if isinstance(stage, dict))):
        yield from (str(each) for each in value.get("errors") or ())
        for level, words in (value.get("recoverable_errors") or {}).items():
            if level not in HARMLESS:
                yield from (f"{level}: {each}" for each in words)
