"""As check_infratest makes it, with a time that it has."""

from __future__ import annotations

OPTIONS = {"timeout": 10.0}
