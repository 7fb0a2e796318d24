"""A state as a number, for what keeps numbers alone: `--format prometheus`, and the rules of an export."""

from __future__ import annotations

from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

#: Up to unknown it is the exit status of a check.
NUMBERS = {OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3, SKIPPED: 5, WAIVED: 6}
BLOCKED = 4
IN_WORDS = "0 ok, 1 warning, 2 critical, 3 unknown, 4 blocked, 5 skipped, 6 waived"
