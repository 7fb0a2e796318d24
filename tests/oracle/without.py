"""The forms of sentences that have no oracle yet, and why. A form that has one by now must not stand here."""

from __future__ import annotations

WITHOUT: dict[str, str] = {}
