"""The output `csv`: a row a result, for a spreadsheet. `infratest check --format csv:results.csv`."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from infratest.cleaning import clean
from infratest.model import Report
from infratest.outputs.base import Output

COLUMNS = ("feature", "scenario", "host", "state", "reason", "seconds")
#: A cell that begins so is a formula to a spreadsheet, and a host may say anything.
FORMULA = ("=", "+", "-", "@")
#: Characters of one cell.
LONGEST = 1000


@dataclass(frozen=True, kw_only=True)
class Options:
    """How the rows are written."""

    separator: str = field(default=",", metadata={"description": "the character between two cells"})


class CsvTable(Output):
    """Every result of the report, in its order; a run that could not begin is a row of its own."""

    Options = Options

    def render(self, report: Report) -> str:
        """Return the table, its header first."""
        text = io.StringIO()
        rows = csv.writer(text, delimiter=self.options.separator, lineterminator="\n")
        rows.writerow(COLUMNS)
        if report.problem:
            rows.writerow(["", "", "", report.state, _cell(report.problem), ""])
        for result in report.results:
            words = (result.feature, result.scenario, result.host, result.state, result.reason)
            rows.writerow([*map(_cell, words), f"{result.duration:.3f}"])
        return text.getvalue()


def _cell(text: str) -> str:
    shown = clean(text, LONGEST)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
