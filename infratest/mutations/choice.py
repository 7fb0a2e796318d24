"""Which fault breaks what a sentence says: looked for in the file of the sentence's subject. Called by the engine."""

from __future__ import annotations

from importlib import import_module

from infratest.acts.base import Act
from infratest.mutations.base import Claim, Fault

NONE_KNOWN = "no fault is known that breaks it"


def fault(claim: Claim) -> Act | str:
    """Return the act that makes a claim wrong, or why none is known. Raises UserError: its values fit no act."""
    subject = type(claim.check).__module__.rpartition(".")[2]
    known = faults(subject).get(type(claim.check).__name__)
    return known(claim) if known else NONE_KNOWN


def faults(subject: str) -> dict[str, Fault]:
    """Return the faults of a subject, by the names of its checks."""
    name = f"infratest.mutations.{subject}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return {}
    known: dict[str, Fault] = module.FAULTS
    return known
