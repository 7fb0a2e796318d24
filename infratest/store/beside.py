"""The components of a stack by the records of its journal: those that are had on hosts, and what others give. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from infratest.store.records import Record, live


def placed(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Return the types of the components that are had on hosts, by the id of each host that has any."""
    last = {str(one["id"]): tuple(map(str, one["kinds"])) for one in records if one.get("what") == "placed"}
    return {id: kinds for id, kinds in last.items() if kinds}


def outputs(records: Sequence[Record], stack: str, env: str) -> dict[tuple[str, str], Mapping[str, str]]:
    """Return what the live components of an environment give to others, by type and name."""
    held = {id for id, one in live(records).items() if (one.stack, one.env) == (stack, env)}
    return {
        (str(one["kind"]), str(one["name"])): one["outputs"]
        for one in records
        if one.get("what") == "made" and one.get("id") in held and isinstance(one.get("outputs"), Mapping)
    }
