"""No options."""

from __future__ import annotations

OPTIONS: dict[str, object] = {}
