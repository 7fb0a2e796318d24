"""Signed lines of JSON, each with the digest of the one before: what has been granted and lost can be read, not bent.

A line is its record in one way of writing only, so that every byte that is changed shows; it is signed whole. Whoever
reads a chain gets all of its lines or the reason why none of them counts. What is taken off its end shows by `head`,
which the reader remembers. Pure, but for the signing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infratest.cleaning import clean
from infratest.errors import HealError
from infratest.heal.signing import Key, verified

#: Seconds that a line may lie in the future, by clocks that differ.
AHEAD = 60.0
#: Bytes of a chain that are read; one that is longer is no ledger.
SIZE = 2**22
BEFORE, SIGNED_BY, SIGNATURE = "before", "key", "signature"


class Broken(HealError):
    """A chain that does not hold; the message says at which line, and why."""


@dataclass(frozen=True)
class Link:
    """One line: its record, and its digest, which the next one names."""

    record: Mapping[str, Any]
    digest: str


def digest(data: bytes) -> str:
    """Return what stands for these bytes: `sha256:` and its hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def written(record: Mapping[str, Any]) -> bytes:
    """Return a record as bytes, in the one way in which it may stand in a chain."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def signed(record: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """Return a record with its signature and who has signed it."""
    whole = {**record, SIGNED_BY: key.public}
    return {**whole, SIGNATURE: key.sign(written(whole))}


def is_signed(record: Mapping[str, Any], keys: Collection[str]) -> bool:
    """Return whether a record is signed by one of these public keys."""
    public, signature = record.get(SIGNED_BY), record.get(SIGNATURE)
    if not isinstance(public, str) or not isinstance(signature, str) or public not in keys:
        return False
    return verified(public, signature, written({name: record[name] for name in record if name != SIGNATURE}))


def link(record: Mapping[str, Any], before: str, key: Key) -> bytes:
    """Return the next line of a chain, its line break at the end.

    Args:
        before: the digest of the line before, empty for the first.
    """
    return written(signed({**record, BEFORE: before}, key)) + b"\n"


def head(links: Sequence[Link]) -> str:
    """Return the digest of the last line; empty where there is none."""
    return links[-1].digest if links else ""


def read(data: bytes, keys: Collection[str], stack: str, now: float, what: str) -> tuple[Link, ...]:
    """Return the lines of a chain.

    Args:
        keys: the public keys that may have signed it. stack: whose it must be. now: in seconds since the epoch.
        what: the file's name, for the message.
    Raises:
        Broken: a line is torn, edited, out of order, forged, of another stack, or of the future.
    """
    if not data:
        return ()
    if len(data) > SIZE:
        raise Broken(f"{what}: is larger than {SIZE // 2**20} MiB")
    if not data.endswith(b"\n"):
        raise Broken(f"{what}: its last line is torn")
    found: list[Link] = []
    last = 0.0
    for number, line in enumerate(data[:-1].split(b"\n"), 1):
        where = f"{what}:{number}"
        record = _record(line, where)
        if record.get(BEFORE) != head(found):
            raise Broken(f"{where}: does not follow the line before: a line was changed, added or taken out")
        if not is_signed(record, keys):
            raise Broken(f"{where}: is not signed by one of the trusted keys")
        if record.get("stack") != stack:
            raise Broken(f"{where}: is of the stack {clean(str(record.get('stack')), 80)!r}, not of {stack!r}")
        last = _time(record, last, now, where)
        found.append(Link(record, digest(line)))
    return tuple(found)


def _time(record: Mapping[str, Any], last: float, now: float, where: str) -> float:
    """Return when a line was written: not before the one before it, and not in the future."""
    time = record.get("time")
    if not isinstance(time, (int, float)) or isinstance(time, bool):
        raise Broken(f"{where}: says no time")
    if time > now + AHEAD:
        raise Broken(f"{where}: is of the future: a clock is wrong, or it is forged")
    if time < last:
        raise Broken(f"{where}: is older than the line before")
    return float(time)


def _record(line: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
        same = isinstance(record, dict) and written(record) == line
    except (ValueError, RecursionError):
        raise Broken(f"{where}: is no record") from None
    if not same:
        raise Broken(f"{where}: is written in another way than it was signed")
    return dict(record)
