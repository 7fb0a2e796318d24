"""`infratest heal`: heal what a stored report says is broken; the kill switch; and what people answer to proposals."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from time import time as clock
from typing import TYPE_CHECKING, Any

import click

from infratest import later, rfc3339
from infratest.cleaning import clean
from infratest.cli._healing import WORDS, Wording, refuse_idle
from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli.session import Time, with_session
from infratest.errors import NoFeature, UserError
from infratest.model import Report
from infratest.project.session import Session
from infratest.states import EXIT, UNKNOWN

if TYPE_CHECKING:
    from infratest.heal.records import HealRecord

PAUSE, RESUME = "pause", "resume"


VERB = Verb(MUST_HOLD, 4, judges=True)


@click.command("heal", cls=VerbCommand, short_help="Heal what a report says is broken; approve heals; pause healing.")
@click.argument("what", metavar="REPORT | WORD")
@click.argument("time", metavar="[TIME | ID | RULE]", required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing, store nothing.")
@click.option("--comment", default="", metavar="TEXT", help="Why, with approve, deny, undo and trust.")
@click.option(
    "--key", metavar="FILE", help="The private key to sign with (trust: default ~/.config/infratest/heal.key)."
)
@click.option(
    "--grant", type=click.Choice(["observe", "propose", "auto"]), help="With trust: how much the rule may do."
)
@click.option("--new-key", is_flag=True, help="With trust: make a key, and print its public part.")
@click.option("--accept", is_flag=True, help="With trust: take the ledger as it stands, though seen lines are gone.")
@click.option("--since", metavar="TIME", help="With backtest: from when on, as 90d; by default all that is kept.")
@click.option("--rule", metavar="NAME", help="With backtest: this rule alone.")
@click.option("--format", type=click.Choice(["text", "json"]), help="With backtest: text (default) or json.")
@with_session(require_env=True)
def command(session: Session, what: str, time: str | None, dry_run: bool, **options: Any) -> int:
    """Heal what a report says is broken, as the rules under `heal:` in the stack file allow.

    REPORT is a file that `infratest check --format json:FILE` wrote, or - for standard input. Every result that a
    rule is for passes the gates first: confirmed by failures in a row, fresh, not paused, few enough sick hosts in
    its group, tries left. After an act the failed scenario is run again. Each decision is kept in heal.jsonl in the
    state directory, with its reason.

    \b
    infratest heal pause 2h    heals nothing for two hours, in all environments
    infratest heal resume      ends that
    infratest heal list        proposals: what waits for a person, what was answered
    infratest heal show ID     all that one says, each gate with its answer
    infratest heal approve ID  what it says, and nothing else, is done by the next check that heals
    infratest heal deny ID --comment WHY
    infratest heal undo ID     undoes a heal, once; without ID it shows those on record, and what undoing is
    infratest heal trust [RULE]              how much each rule may do, and why
    infratest heal trust RULE --grant auto   says so in heal-ledger.jsonl beside the stack file, signed
    infratest heal trust --new-key           makes a key of yours, for `heal: trusted-keys:`
    infratest heal backtest --since 90d      what the rules, as they stand, would have done of what failed then
    infratest heal lint        what is wrong with the rules, each and together; 1 if something is

    A report in a file named as one of these words is ./pause, ./list and so on.

    Exit status: 0 ok or healed, 1 warning, 2 critical, 3 unknown or wrong use; of backtest 0 shown, 3 nothing is kept.
    """
    word = what in WORDS and not Path(what).exists()
    refuse_idle(what if word else "", what, options)
    if word:
        if dry_run:
            raise click.UsageError(f"heal {what}: --dry-run is for what acts; leave it out")
        return WORDS[what](session, Wording(name=time, **options))
    if what == PAUSE:
        return _pause(session, time, dry_run)
    if what in later.names("word of heal", WORDS) and not Path(what).exists():
        raise click.UsageError(f"heal {what}: {later.WORDS}; a report in a file of that name would be ./{what}")
    if time is not None:
        near = [] if what == RESUME else get_close_matches(what, (PAUSE, RESUME, *WORDS), 1)
        raise click.UsageError(
            f"unexpected {time!r} after {what!r}" + "".join(f": did you mean {one!r}?" for one in near)
        )
    return _resume(session, dry_run) if what == RESUME else _healed(session, what, dry_run)


def _healed(session: Session, what: str, dry_run: bool) -> int:
    """Heal what a report says is broken; say of each result what came of it."""
    from infratest.cli._recorder import recorder
    from infratest.heal.records import looked_again
    from infratest.project.execute import store
    from infratest.project.heal import heal_report
    from infratest.store.failures import started

    report = read_report(what)
    _for_this_stack(report, session, what)
    _of_its_features(report, session, what)
    healed, records = heal_report(
        session, report, dry_run, deadline=session.deadline, stored=True, recorder=recorder(session)
    )
    for record in records:
        reason = f": {record.reason}" if record.reason else ""
        click.echo(f"{record.before.id}: {record.ending}: {record.remedy}{reason}")
    again = looked_again(records, started(report), clock())
    seen = {one.before.id: one.after for one in records if one.after is not None}
    seen |= {result.id: result for one in records for result in one.beside}
    looked_at = [seen[id] for id in again]
    if looked_at:
        # Only what was run again is news: the rest of the report is as old as its file.
        store(session, healed.changed(results=looked_at, started=rfc3339.now(), duration=0.0))
    return _judged(healed, records)


def _judged(healed: Report, records: Sequence[HealRecord]) -> int:
    """Say how the stack is now, as far as the report tells, and return the exit status."""
    from infratest.heal.gates import FRESH, refusals

    counts = healed.counts
    failed = counts["critical"] + counts["warning"] + counts["unknown"]
    words = "; ".join(healed.notes) or "nothing to heal"
    stale = any(answer.name == FRESH for record in records for answer in refusals(record.gates))
    state = UNKNOWN if stale else healed.state
    click.echo(f"{state}: {failed} of {len(healed.results)} scenarios not ok: {words}")
    return EXIT[state]


def read_report(path: str) -> Report:
    """Return the report in a file of `--format json`, or on standard input for `-`.

    Raises:
        UserError: no such file, or it holds no report of this version.
    """
    what = "standard input" if path == "-" else path
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return Report.from_dict(json.loads(data))
    except OSError as error:
        raise UserError(
            f"report {what}: {error.strerror}; write one with `infratest check --format json:{what}`"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"report {what}: is no report of this version ({clean(why, 100)}); "
            "write one with `infratest check --format json:FILE`"
        ) from error


def _for_this_stack(report: Report, session: Session, what: str) -> None:
    stack = session.stack
    if (report.stack, report.env) != (stack.name, stack.env):
        raise UserError(
            f"report {what}: is of {_name(report.stack, report.env)}, this is {_name(stack.name, stack.env)}; "
            "name the stack with --stack and the environment with --env"
        )


def _of_its_features(report: Report, session: Session, what: str) -> None:
    """Refuse a report of which nothing that may be healed could be run again: its features were named by that check.

    What lies here under their names may be another project's.
    """
    from infratest.gherkin.find import named
    from infratest.heal.healing import covered
    from infratest.heal.rules import WAY

    stack, missing, found = session.stack, list[str](), False
    for name in dict.fromkeys(one.feature for one, _ in covered(report, stack.heal) if not one.id.startswith(WAY)):
        try:
            found |= bool(named([name], stack.folder))
        except NoFeature:
            missing.append(name)
    if missing and not found:
        again = session.command("check", "--heal", missing[0])
        raise UserError(
            f"report {what}: {clean(missing[0], 200)} is no feature of this stack, so that it could not be run again: "
            f"name it in `features:` of the stack file, or heal as you check, by `{again}`"
        )


def _name(stack: str, env: str) -> str:
    return f"stack {stack!r}" + (f", environment {env!r}" if env else "")


def _pause(session: Session, time: str | None, dry_run: bool) -> int:
    from infratest.heal.audit import FILE
    from infratest.heal.gates import moment
    from infratest.heal.pause import pause
    from infratest.project.outlook import other_monitors

    if time is None:
        raise click.UsageError("heal pause: say for how long, as `infratest heal pause 2h`")
    seconds: Any = Time().convert(time, None, None)
    state = _whole_state(session)
    if dry_run:
        click.echo(f"would heal nothing for {time} from {state.folder}")
        return 0
    end = moment(pause(state, seconds))
    ends = session.command("heal", "resume", of_all=True)
    click.echo(f"healing from {state.folder} is paused until {end}; `{ends}` ends it")
    # Each state directory has a pause of its own: whoever meant another one is to see that.
    if not (state.path / FILE).exists():
        click.echo(f"nothing was ever healed from {state.folder}: what heals from another directory goes on; name that "
                   "with --state")  # fmt: skip
    others = other_monitors(session.stack.monitor)
    if others:
        click.echo(f"{others} may heal the same hosts, from a state directory of its own: pause that too")
    return 0


def _resume(session: Session, dry_run: bool) -> int:
    from infratest.heal.pause import resume

    state = _whole_state(session)
    if dry_run:
        click.echo(f"would allow healing from {state.folder} again")
        return 0
    click.echo(f"healing from {state.folder} {'is allowed again' if resume(state) else 'was not paused'}")
    return 0


def _whole_state(session: Session) -> Any:
    """Return the state directory that all environments share: the kill switch must not ask for one of them."""
    session.require_env = False
    return session.state
