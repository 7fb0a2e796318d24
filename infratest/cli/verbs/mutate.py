"""`infratest mutate`: breaks what each sentence of a feature says, and tells which of them did not turn red."""

from __future__ import annotations

import click

from infratest.cli._checking import AT, in_time
from infratest.cli._formats import check_formats, exit_status, format_options, show
from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli.session import selecting, with_session
from infratest.deadline import Deadline
from infratest.engine.apart import Send
from infratest.model import Report
from infratest.project.mutate import SECONDS, mutate, refuse
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session

VERB = Verb(MUST_HOLD, 9, judges=True)


@click.command("mutate", cls=VerbCommand, short_help="Break what each sentence says, and see it turn red.")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@selecting
@format_options("text")
@with_session()
def command(
    session: Session,
    features: tuple[str, ...],
    tags: tuple[str, ...],
    scenario: str | None,
    formats: tuple[str, ...],
    fail_on: str,
) -> int:
    """Break what each sentence says, and see it turn red.

    For each sentence that looks, one fault is made from what it says (the service stopped, the mode changed, the file
    put aside, the user taken out ...) on the host that it is about. The sentence must turn red, and be green again when
    the fault is undone. The mutation score is the share of sentences that did: one that did not survives its fault,
    and would not have told of it; one for which no fault is known counts against the score, too. -vv shows each fault,
    and what its sentence said of it.

    FEATURE is as for `infratest test`. The stack must be up, and made by infratest: hosts that were there before, and a
    stack that is production, are left alone.

    \b
    infratest mutate                        all features of the stack file
    infratest mutate @linux-baseline        a ready-made one
    infratest mutate features/web.feature:12 --host web-1

    Exit status: 0 each sentence turned red, 2 one did not, 3 one could not be broken, nothing ran, wrong use.
    """
    check_formats(formats)
    deadline = Deadline(session.timeout or SECONDS)
    request = Request(features=features, tags=tags, scenario=scenario, face="test", yes_production=True)

    def work(send: Send) -> Report:
        refuse(session.stack, session.state)
        send((AT, "features were read"))
        prepared = prepare(session, request, deadline=deadline)
        send((AT, "sentences were put to the test"))
        return mutate(session, prepared, deadline)

    report = in_time(session, deadline, work)
    show(session, report, formats, "text")
    return exit_status(report.state, fail_on)
