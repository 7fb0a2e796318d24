"""`infratest watch`: provisions and tests again at each change of a feature, the stack file or a provisioner.

The kernel's file events only wake it; what has changed is what the files themselves say (`_watched.Look`), so that
editors that write by rename, files that vanish and come back, and saves during a run are all seen, once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path

import click
import watchfiles

from infratest.cleaning import clean
from infratest.cli._formats import check_formats, format_options, show
from infratest.cli._lifecycle import changing, say
from infratest.cli._verb import MUST_HOLD, Verb, VerbCommand
from infratest.cli._watched import Look, look
from infratest.cli.session import selecting, with_session
from infratest.collect.connections import Held
from infratest.errors import InfratestError
from infratest.lifecycle.provision import provision
from infratest.model import Report
from infratest.project.execute import execute, store
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from infratest.units import human

#: Changes that come less than so long after each other are one; a stream of them is cut after the longer time.
QUIET, LONGEST = 150, 1500  # ms
#: So often the files are looked at without any event: network file systems send none.
WITHOUT_EVENT = 2000  # ms
NAMED = 5  # files of a change that are named


VERB = Verb(MUST_HOLD, 2)


@click.command("watch", cls=VerbCommand, short_help="Provision and test again at each change of a file.")
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
    """Test now, and again at each change, on the stack that is up.

    Looked at are the features (those that would be run), your own steps, the stack file, and the scripts and files that
    its provisioners read. Where what a host is provisioned with has changed, the host is provisioned again first (never
    in production). A mistake in a file is shown, and watching goes on. Options are as with `infratest test`.

    \b
    infratest up && infratest watch
    infratest watch features/web.feature:12

    Exit status: 130 after Ctrl-C, 1 the files cannot be watched, 2 wrong use.
    """
    check_formats(formats)
    request = Request(features=features, tags=tags, scenario=scenario, face="test")
    watching = Watching(session, request, formats)
    try:
        watching.first()
        for now in watching.looks():
            watching.see(now)
    finally:
        watching.held.close()
    return 0


@dataclass
class Watching:
    """What was seen last, and which hosts must be provisioned before the next test."""

    session: Session
    request: Request
    formats: Sequence[str]
    held: Held = field(default_factory=Held)
    _seen: Look = field(default_factory=Look)
    _due: set[str] = field(default_factory=set)

    def first(self) -> None:
        """Test once; what is there now is taken as provisioned."""
        self._seen = self._look()
        self._test(self._again())

    def looks(self) -> Iterator[Look]:
        """Yield a look at the files whenever something may have changed. Ends by Ctrl-C alone."""
        while True:
            folders = self._seen.folders
            try:
                for _ in self._events(folders):
                    yield self._look()
                    if self._seen.folders != folders:
                        break
            except FileNotFoundError:  # one of the folders has just gone
                yield self._look()

    def _events(self, folders: Sequence[Path]) -> Iterator[object]:
        """Yield at each event in these folders, and now and then without one.

        Raises:
            FileNotFoundError: a folder is not there. InfratestError: the kernel gives no events.
        """
        try:
            yield from watchfiles.watch(
                *folders,
                watch_filter=None,
                debounce=LONGEST,
                step=QUIET,
                rust_timeout=WITHOUT_EVENT,
                yield_on_timeout=True,
                recursive=False,
            )
        except RuntimeError as error:  # what watchfiles raises where the kernel refuses
            raise InfratestError(
                f"watch: no file events of {len(folders)} folders: {error}; where the kernel's limit is reached "
                "raise fs.inotify.max_user_instances, else set WATCHFILES_FORCE_POLLING=1"
            ) from error

    def see(self, now: Look) -> None:
        """Provision and test if a file is not as it was."""
        before, self._seen = self._seen, now
        changed = now.changed_since(before)
        if not changed:
            return
        self._due |= now.to_provision(before)
        say(f"watch: changed: {_named(changed)}")
        session = self._again()
        if self._provisioned(session):
            self._test(session)

    def _look(self) -> Look:
        return look(self._again(), self.request.features, self._seen)

    def _again(self) -> Session:
        """Return a session of the same options that reads its files anew."""
        options = {each.name: getattr(self.session, each.name) for each in fields(Session) if each.name[0] != "_"}
        return Session(**options)

    def _provisioned(self, session: Session) -> bool:
        """Provision the hosts that are due; whether to go on."""
        if not self._due:
            return True
        try:
            stack = session.stack
            here = {spec.name for spec in stack.hosts if spec.provision}
            names = [name for name in session.selected([spec.name for spec in stack.hosts]) if name in self._due & here]
            if stack.production:
                say(f"watch: {stack.name} is production: not provisioned: {', '.join(names)}")
            elif names:
                self.held.drop(names)  # a login of before may have other groups, another environment
                changing(session, "provision", lambda life: provision(life, names))
        except (InfratestError, OSError) as error:
            self._failed(error)
            return False
        self._due.clear()
        return True

    def _test(self, session: Session) -> None:
        began = time.monotonic()
        try:
            prepared = prepare(session, self.request)
            report = execute(session, self.request, prepared, held=self.held)
            store(session, report)
            show(session, report, self.formats, "text")
        except (InfratestError, OSError) as error:
            self._failed(error)
            return
        self._state(report.state.upper(), _counted(report), time.monotonic() - began)

    def _failed(self, error: Exception) -> None:
        say(f"watch: {error}")
        self._state("UNKNOWN", "a mistake above stands in the way", 0.0)

    def _state(self, state: str, words: str, seconds: float) -> None:
        took = f" in {human(seconds, 's')}" if seconds else ""
        say(f"watch: {datetime.now():%H:%M:%S} {state}{took}: {words}; waiting for a change (Ctrl-C ends)")


def _counted(report: Report) -> str:
    return ", ".join(f"{number} {state}" for state, number in report.counts.items() if number) or "nothing was checked"


def _named(paths: Sequence[Path]) -> str:
    shown = [clean(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)) for path in paths]
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return ", ".join(shown[:NAMED]) + more
