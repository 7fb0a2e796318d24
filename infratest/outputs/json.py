"""The whole report as one JSON document, for programs. Loaded by name (`--format json`); `heal` reads it back."""

from __future__ import annotations

import json

import infratest
from infratest.cleaning import masked
from infratest.model import Report
from infratest.outputs.base import Output


class Json(Output):
    """The report of the interface, two blanks a level, UTF-8 as it is."""

    def render(self, report: Report) -> str:
        """Return the document, ending in a line break; what is no Unicode (a lone surrogate) is `?`."""
        text = json.dumps(report.as_dict(infratest.__version__), indent=2, ensure_ascii=False, allow_nan=False)
        return masked(text).encode("utf-8", "replace").decode() + "\n"
