"""What `-w` and `-c` of a check program make of a report: ranges over the number of failed scenarios; wrong use.

Called by `infratest check`, check_infratest and by the Nagios output. Pure, and on the plugin program's path.
"""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.states import CRITICAL, EXIT, OK, UNKNOWN, WARNING, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.model import Report
    from infratest.outputs._perfdata import Range

#: The critical range where `-c` is not given: one failed scenario alerts.
DEFAULT_CRITICAL = "0"


def unknown_line(words: str) -> str:
    """Return the line of a check that could not even begin, as on wrong use."""
    return f"INFRATEST UNKNOWN - {clean(words, 450).replace('|', '/')}"


def apply_failed_ranges(report: Report, warning: Range | None, critical: Range | None) -> tuple[str, int]:
    """Return the state and exit status of a report under the ranges of `-w` and `-c`.

    Without either it is the report's own. With one, the failed (critical) scenarios are judged by their number alone,
    and the worst of these lines is the answer:

    | what is so                                                          | state    |
    | ------------------------------------------------------------------- | -------- |
    | the critical range alerts (without `-c`: one failed scenario)       | critical |
    | a scenario is unknown, or a problem stood before them all           | unknown  |
    | the critical range lets a failure pass, and scenarios are blocked   | unknown  |
    | nothing was judged (no scenario, or nothing but skipped or blocked) | unknown  |
    | the warning range alerts, or a scenario is in warning               | warning  |
    | scenarios are ok, or failed and both ranges let them pass           | ok       |

    The third line: a host that is down is one failure with all its other scenarios blocked by it. A range that
    lets the one pass has not seen the others.
    """
    if warning is None and critical is None:
        return report.state, report.exit
    counts = report.counts
    failed = counts[CRITICAL]
    states = []
    if critical.alerts(failed) if critical is not None else failed > 0:
        states.append(CRITICAL)
    let_pass = failed > 0 and CRITICAL not in states
    if counts[UNKNOWN] or report.problem or (let_pass and counts["blocked"]):
        states.append(UNKNOWN)
    if counts[WARNING] or (warning is not None and warning.alerts(failed)):
        states.append(WARNING)
    if counts[OK] or failed:
        states.append(OK)
    state = worst(states) if counts[OK] + counts[WARNING] + failed else worst([*states, UNKNOWN])
    return state, EXIT[state]
