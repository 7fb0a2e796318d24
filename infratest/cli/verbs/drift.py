"""`infratest drift`: what is no longer as features say that were learned from hosts, sentence by sentence."""

from __future__ import annotations

import click

from infratest.cleaning import clean
from infratest.cli._verb import MUST_HOLD, UNKNOWN_USE, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.deadline import Deadline
from infratest.model import Report
from infratest.project.execute import execute
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.states import OK, SKIPPED, UNKNOWN
from infratest.units import counted

#: Seconds of a call, where `--timeout` says nothing else.
SECONDS = 120.0
SAME, DRIFTED, NOT_KNOWN = 0, 1, 3


class _Comparing(Verb):
    """A verb whose status says whether something differs: an error must not look like a difference."""

    @property
    def wrong_use(self) -> int:
        return UNKNOWN_USE


VERB = _Comparing(MUST_HOLD, 7)


@click.command("drift", cls=VerbCommand, short_help="Tell what is no longer as learned features say.")
@click.argument("features", nargs=-1, required=True, metavar="FEATURE[:LINE] ...")
@selecting
@with_session()
def command(session: Session, features: tuple[str, ...], tags: tuple[str, ...], scenario: str | None) -> int:
    """Tell what is no longer as learned features say, sentence by sentence, with what is so now.

    \b
    infratest learn web-1 > was/web-1.feature
    infratest drift was/web-1.feature

    FEATURE is one that `infratest learn` wrote, or any other that only looks. Nothing is stored, and no heal is
    thought of: what drifted may have been meant, and then learning anew is the answer.

    Exit status: 0 nothing drifted, 1 something did, 3 it is not known (also wrong use).
    """
    request = Request(features=features, tags=tags, scenario=scenario, face="check")
    deadline = session.deadline or Deadline(SECONDS)
    report = execute(session, request, prepare(session, request, deadline=deadline), deadline=deadline)
    drifted, unknown = _shown(report)
    asked = sum(len(result.steps) for result in report.results if result.state != SKIPPED)
    rest = f", {unknown} not known" if unknown else ""
    click.echo(f"{counted(asked, 'sentence')}: {drifted or 'nothing'} drifted{rest}", err=True)
    if unknown or not asked:
        return NOT_KNOWN
    return DRIFTED if drifted else SAME


def _shown(report: Report) -> tuple[int, int]:
    """Print each sentence that does not hold, and return how many do not and of how many it is not known."""
    drifted = unknown = 0
    for result in report.results:
        if result.state == SKIPPED:
            continue
        steps = [step for step in result.steps if step.state != OK]
        if not steps and result.state != OK:  # the host itself: nothing of it was asked
            unknown += 1
            click.echo(f"{result.host}: not known: {clean(result.reason, 400)}")
        for step in steps:
            is_unknown = step.state == UNKNOWN
            unknown, drifted = unknown + is_unknown, drifted + (not is_unknown)
            words = "not known: " if is_unknown else ""
            click.echo(f"{result.host}: {words}{clean(step.text, 200)}\n    {clean(step.reason, 400)}")
    return drifted, unknown
