"""One check run, from a session to a report, with its heal: what `infratest check` and `check_infratest` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from infratest.engine import faces
from infratest.engine.tasks import Plan
from infratest.errors import InfratestError
from infratest.model import Report
from infratest.session import Session


def checked(
    session: Session,
    features: Sequence[str],
    tags: Sequence[str],
    scenario: str | None,
    *,
    heal: bool = False,
    dry_run: bool = False,
    planned: Callable[[Session, Plan], None] = lambda session, plan: None,
    made: Report | None = None,
) -> Report:
    """Check, heal where asked to, store, and return the report; whatever stands in the way is its problem.

    Args:
        planned: told the plan, once there is one; not in a dry run, which keeps nothing. made: the report, where the
        checks have been made already.
    """
    wanted = faces.Wanted(features=features, tags=tags, scenario=scenario, face="check")
    try:
        if made is not None:
            report = faces.remembered(session, made)
        else:
            prepared = faces.prepare(session, wanted)
            if not dry_run:
                planned(session, prepared.plan)
            report = faces.execute(session, wanted, prepared)
    except InfratestError as error:
        return faces.problem(session, error)
    if heal:
        try:
            report, _ = faces.heal_report(session, report, dry_run)
        except InfratestError as error:
            # What was seen stands; that healing could not be tried must be seen too.
            report = report.changed(notes=(*report.notes, f"not healed: {error}"))
    if not dry_run:
        faces.store(session, report, counting=True)
    return report
