"""Whether hosts are provisioned with what the stack file and its scripts say now, by the journal.

Called by `up` and `status`, that nobody takes a host for ready to use that was made and never provisioned, or takes an
old script's work for the new one's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infratest.lifecycle.removal import HOST
from infratest.providers.base import HostSpec
from infratest.provisioners.base import Provisioner, provisioners
from infratest.store.records import Record, live


@dataclass(frozen=True, kw_only=True)
class Behind:
    """Hosts that are not provisioned since they were made, and those whose provisioners have changed since."""

    never: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def digest(work: Iterable[Provisioner]) -> str:
    """Return what a host's provisioners depend on, as one value: their options and what is in their files."""
    return hashlib.sha256(" ".join(each.digest() for each in work).encode()).hexdigest()


def live_ids(records: Iterable[Record], stack: str, env: str) -> dict[str, str]:
    """Return the provider's id of each host that the journal holds as live, by its name."""
    held = live(records).values()
    return {one.name: one.id for one in held if (one.kind, one.stack, one.env) == (HOST, stack, env)}


def digests(records: Iterable[Record]) -> Mapping[str, str]:
    """Return what each host, by its id, was provisioned with; one that was brought back to before that is none."""
    last = {str(one.get("id")): str(one.get("digest")) for one in records if one["what"] == "provisioned"}
    return {id: value for id, value in last.items() if value}


def begun(records: Iterable[Record], id: str) -> float:
    """Return when a host last began anew under its id: rebuilt in place, or brought back to before its provisioning.

    Seconds since the epoch, by its provider's clock; 0 where it did not.
    """
    same = [one for one in records if one["what"] == "provisioned" and one.get("id") == id and not one.get("digest")]
    return max((float(one["time"]) for one in same), default=0.0)


def behind(records: Sequence[Record], stack: str, env: str, specs: Sequence[HostSpec], folder: Path) -> Behind:
    """Return the hosts that `provision` has work on, of those that the journal holds as live.

    Args:
        records: of the journal. specs: of the hosts asked about. folder: of the stack file, where paths begin.
    """
    ids = live_ids(records, stack, env)
    last = digests(records)
    asked = [spec for spec in specs if spec.provision and spec.name in ids]
    never = tuple(spec.name for spec in asked if ids[spec.name] not in last)
    changed = tuple(
        spec.name
        for spec in asked
        if spec.name not in never and last[ids[spec.name]] != digest(provisioners(spec.provision, folder, spec.where))
    )
    return Behind(never=never, changed=changed)


def lines(found: Behind, provision: str) -> list[str]:
    """Return what to tell: which hosts, and what to do.

    Args:
        provision: the command line that provisions this stack.
    """
    command = f"`{provision}`"
    told = []
    if found.never:
        told.append(f"not provisioned since made: {', '.join(found.never)}; {command} does it")
    if found.changed:
        told.append(f"provisioned before their provisioners changed: {', '.join(found.changed)}; {command} again")
    return told
