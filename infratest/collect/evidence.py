"""A fact's value in words, for evidence: so it is loaded only once something is not ok.

A value class says its own words (`in_words`). Short: a table is its number and the names in it, and whoever shows it
bounds and cleans it. Nothing here is read back.
"""

from __future__ import annotations

from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def in_words(value: Any) -> str:
    """Return a value of a fact in words; of one whose class says none, its fields by their names."""
    problem = getattr(value, "problem", "")
    if problem:
        return f"could not be looked at: {problem}"
    if hasattr(value, "in_words"):
        return str(value.in_words())
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Record):
        pairs = zip(value._fields, value.values(), strict=True)
        return ", ".join(f"{name.replace('_', ' ')} {_plain(one)}" for name, one in pairs if one is not None)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {in_words(one)}" for key, one in value.items()) or "nothing"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(in_words(one) for one in value) or "nothing"
    return str(value)
