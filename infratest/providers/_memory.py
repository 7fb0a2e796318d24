"""The memory of a host as an option: what is known of it where a provider knows no narrower limits."""

from __future__ import annotations

from typing import Any

#: Of a host. More than 1024 TiB no machine has.
MEMORY: dict[str, Any] = {
    "dimension": "size",
    "above": 0,
    "high": 2**50,
    "description": "Its memory; a cloud's server has at least so much (default: by the provider's options).",
}

#: Of a provider, for hosts that say nothing themselves.
OF_ALL = MEMORY | {"description": "memory of a host that says nothing itself"}
