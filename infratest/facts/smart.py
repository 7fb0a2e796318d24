"""The fact `smart`: whether a disk says of itself that it is well (SMART). Argument: the path of its device.

`smartctl --json -H` prints it: smartctl(8) of smartmontools 7.0 and later. Root alone may ask. Its status is a set of
bits; the two lowest say that it could not ask.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._told_of_path import ToldOfPath
from infratest.record import Record

#: Bits of the exit status: the command line was not understood, the device could not be opened.
NOT_ASKED = 0b11


class Smart(Record):
    """What a disk says of itself; `problem` as in File."""

    passed: bool = False
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return self.problem or "does not exist"
        return "SMART says PASSED" if self.passed else "SMART says FAILED"


class SmartFact(ToldOfPath):
    """SMART's own verdict."""

    unseen = "a disk with SMART, written after smartctl(8)"
    program = "smartctl"
    command = 'smartctl --json=c -H "$path"'

    def value(self, status: int, words: str, path: str) -> Smart:
        try:
            passed, message = _told(words)
        except FactError as error:
            return Smart(there=False, problem=str(error))
        if passed is None or status & NOT_ASKED:
            return Smart(there=False, problem=message or f"smartctl does not tell whether it passes (exit {status})")
        return Smart(passed)

    def lost(self, problem: str) -> Smart:
        return Smart(there=False, problem=problem)


def _told(words: str) -> tuple[bool | None, str]:
    """Return the verdict (None where there is none) and what smartctl complains of."""
    from json import loads

    try:
        told = loads(words)
        messages = [str(one["string"]) for one in told["smartctl"].get("messages", ())]
        passed = told.get("smart_status", {}).get("passed")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FactError(f"smartctl answers what is not understood: {cited(words, 120)}") from None
    return passed if isinstance(passed, bool) else None, beginning("; ".join(messages), 400)
