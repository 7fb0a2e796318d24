"""`infratest lint`: finds in features what Gherkin would swallow, undefined sentences and values that do not exist."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import time
from typing import Any

import click

from infratest.cli._verb import WRITING, Verb, VerbCommand
from infratest.cli.session import with_session
from infratest.errors import FeatureError, InfratestError, InventoryError, NotInThisVersion, StackFileError, UserError
from infratest.gherkin.find import find
from infratest.gherkin.lint import binding, heals, idle_rules, needs
from infratest.gherkin.parse import RefusedFeature
from infratest.gherkin.suite import Feature
from infratest.heal.ladder import foresee
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.up import foresee_hosts
from infratest.outsiders import get
from infratest.plan.tasks import Plan
from infratest.project.prepare import read_feature
from infratest.project.readiness import check_ready
from infratest.project.session import Session
from infratest.stack.declared import StackFile
from infratest.stack.file import features_of
from infratest.stack.monitor import IntakeEntry, Monitor, ReceiverEntry, SenderEntry
from infratest.stack.parameters import ALL
from infratest.states import CRITICAL, UNKNOWN
from infratest.units import counted, human
from infratest.user_steps.load import UsersSteps, users_steps
from infratest.user_steps.unread import unread
from infratest.waivers import ends_soon, idle_words, result_id, wrong

VERB = Verb(WRITING, 2)


@click.command("lint", cls=VerbCommand, short_help="Look for mistakes in features and the stack file; asks no host.")
@click.argument("features", nargs=-1, metavar="[FEATURE ...]")
@with_session()
def command(session: Session, features: tuple[str, ...]) -> int:
    """Look for mistakes in features and the stack file, without asking any host.

    Misspelt keywords, open table rows, columns and values that nothing reads, empty scenarios, outlines without rows,
    nearly known tags, equal ids, ambiguous and undefined sentences, bounds and units that cannot be, steps of your own
    that nobody reads, heal rules and waivers that no scenario is for, waivers that have expired, rules of a monitor
    that tell nobody of anything. Needs no stack file; where there is one, it is looked at whole, and so is what
    features say of its hosts and values. Needs no secret either. Told, and no mistake, are: a secret that cannot be
    read here, a waiver that expires within a week, and what no rule of a monitor tells anybody of.

    Exit status: 0 nothing found, 1 something found, 2 wrong use.
    """
    session.made_up = ALL
    look = _Look(session, features)
    look.whole()
    if look.missing is not None:
        if not look.problems:
            raise look.missing
        look.problems.append(str(look.missing))  # beside what is wrong elsewhere it is one mistake more
    problems = list(dict.fromkeys(look.problems))
    for words in (*problems, *look.warnings):
        click.echo(words)
    scenarios = sum(len(feature.scenarios) for feature in look.features)
    found = counted(sum(words.count("\n") + 1 for words in problems), "mistake") if problems else "no mistakes found"
    click.echo(f"{counted(len(look.features), 'feature')}, {counted(scenarios, 'scenario')}: {found}", err=True)
    return 1 if problems else 0


def _foresee_intake(entry: IntakeEntry, folder: Path) -> None:
    """Refuse what nobody listens to by that kind, or where nobody should."""
    from infratest.intakes.base import opened

    opened(entry.kind, entry.options, entry.where, folder)


def _foresee_sender(entry: SenderEntry, folder: Path) -> None:
    """Refuse a sender of a kind that nobody has, with options that it has not, or without what it needs here."""
    from infratest.senders.base import opened

    sender = opened(entry.kind, entry.options, entry.where, folder, entry.shared)
    try:
        sender.foresee()
    except UserError as error:
        raise UserError(f"{entry.where}: {entry.kind}: {error}") from None


def _foresee_receiver(entry: ReceiverEntry, folder: Path) -> None:
    """Refuse a receiver of a kind that nobody has, with options that it has not, or without what it needs here."""
    from infratest.receivers.base import opened

    receiver = opened({entry.kind: entry.options}, entry.where, folder)
    try:
        receiver.foresee()
    except UserError as error:
        words = str(error)
        raise UserError(words if words.startswith(entry.where) else f"{entry.where}: {words}") from None


class _Look:
    """One look at a project: each part of it, whatever is wrong with the others."""

    def __init__(self, session: Session, arguments: Sequence[str]) -> None:
        self.session = session
        self.arguments = arguments
        self.problems: list[str] = []
        self.warnings: list[str] = []  # what is no mistake yet
        self.features: list[Feature] = []
        self.missing: FeatureError | None = None  # why there are no features to look at
        self.stack: StackFile | None = None
        self.declared_at_least: Sequence[str] = ()  # what a stack file that cannot be used names
        self.hosts_known = True
        self.users: UsersSteps | None = None

    def whole(self) -> None:
        """Look at the stack file, the steps of the user's own, the features, and how they fit together."""
        folder = self._read_stack()
        self._tell(lambda: self._read_steps(folder))
        declared = self.stack.features if self.stack else self.declared_at_least
        every = self._read_features(declared, folder)
        rest = partial(self._others, declared, folder)
        self.problems += needs(self.features, rest)
        if self.stack is not None:
            if self.hosts_known:
                self._of_stack(self.stack)
            rules = self.stack.heal
            self.problems += heals(self.features, [rule.name for rule in rules])
            if every and rules:
                known = {feature.path: feature for feature in (*self.features, *(rest() if self.arguments else ()))}
                self.problems += idle_rules(
                    list(known.values()), [(rule.name, rule.when_tags, rule.where) for rule in rules]
                )
            if self.hosts_known:
                self._against_stack(self.stack, every, rest)

    def _tell(self, look: Callable[[], Any], errors: tuple[type[Exception], ...] = (UserError,)) -> bool:
        """Carry out one look and keep what is wrong; return whether nothing was."""
        try:
            look()
        except errors as error:
            self.problems.append(str(error))
            return False
        return True

    def _read_stack(self) -> Path:
        """Read the stack file, where there is one, and return the folder that features lie below."""

        def read() -> None:
            self.stack = self.session.stack

        if self.session.stack_path.exists():
            self._tell(read, (StackFileError, NotInThisVersion))
        if self.stack is None and self.session.stack_path.exists():
            self.declared_at_least = features_of(self.session.stack_path, self.session.env)
        if self.stack is not None:
            hosts = self.stack.hosts
            self.hosts_known = self._tell(lambda: len(hosts), (InventoryError, UserError))
        return self.stack.folder if self.stack else self.session.stack_path.absolute().parent

    def _read_steps(self, folder: Path) -> None:
        self.problems += unread(folder)
        self.users = users_steps(folder)

    def _read_features(self, declared: Sequence[str], folder: Path) -> bool:
        """Read the features that are asked for and return whether all could be read."""
        every = True
        try:
            items = find(self.arguments, declared, folder)
        except FeatureError as error:
            self.missing = error
            return False
        for item in items:
            try:
                made = read_feature(item, self.users)
            except FeatureError as error:
                self.problems += str(error).split("\n")
                every = False
                if not isinstance(error, RefusedFeature):
                    continue
                made = error.made
            self.features.append(made)
            self.problems += [f"{made.file}:{line}: {words}" for line, words in binding(made)]
        return every

    def _others(self, declared: Sequence[str], folder: Path) -> list[Feature]:
        """Return the features of the project that can be read."""
        found = []
        for item in find((), declared, folder):
            try:
                found.append(read_feature(item, self.users))
            except FeatureError:  # it is not what was asked for
                continue
        return found

    def _of_stack(self, stack: StackFile) -> None:
        """Look for what `up` or a heal would refuse: an image that nobody has, a hook that is not there."""
        self._tell(lambda: check_ready(stack))
        self._tell(lambda: foresee_hosts(Lifecycle(stack, self.session.state)))
        for rule in stack.heal:
            self._tell(partial(foresee, rule, stack.folder))
        for receiver in stack.monitor.receivers.values() if stack.monitor is not None else ():
            self._tell(partial(_foresee_receiver, receiver, stack.folder))
        for intake in stack.monitor.listen if stack.monitor is not None else ():
            self._tell(partial(_foresee_intake, intake, stack.folder))
        for sender in stack.monitor.send if stack.monitor is not None else ():
            self._tell(partial(_foresee_sender, sender, stack.folder))

    def _against_stack(self, stack: StackFile, every: bool, rest: Callable[[], list[Feature]]) -> None:
        """Look for unknown groups, hosts, values and scenarios. Addresses are made up for this."""
        from infratest.gherkin.suite import all_scenarios
        from infratest.hosts import Host
        from infratest.plan.planner import plan
        from infratest.values import Values

        hosts = [
            Host(name=spec.name, groups=spec.groups, labels=spec.labels, address=spec.address or "192.0.2.1")
            for spec in stack.hosts
        ]
        made_up = {
            (one.kind, one.name): dict.fromkeys(get("component", one.kind).attributes, "192.0.2.1")
            for one in stack.components
        }
        values = Values(hosts, stack.parameters, stack.outputs, components=made_up)
        scenarios, told = all_scenarios(self.features), self.problems
        self._tell(lambda: plan(scenarios, hosts, values, problems=told), (InfratestError,))
        more = rest() if stack.waivers or stack.monitor else ()
        known = {feature.path: feature for feature in (*self.features, *more)}
        planned = plan(all_scenarios([*known.values()]), hosts, values, steps=False)
        self._of_waivers(stack, [task.id for task in planned.tasks] if every else None)
        if stack.monitor is not None and every:
            self._of_monitor(stack, stack.monitor, planned)

    def _of_monitor(self, stack: StackFile, monitor: Monitor, planned: Plan) -> None:
        """Look for rules of `tell` that name what there is not, or that are for no result; hint at what none is for."""
        from infratest.alerting.routes import Scope, idle, routes, unheard
        from infratest.alerting.subject import PROJECT, Subject
        from infratest.plan.subjects import own, subjects

        looked_at, hosts = subjects(planned, monitor), [*planned.hosts.values()]
        waivers = [Subject(result_id(waiver), looked_at=False) for waiver in stack.waivers]
        scope = Scope([*looked_at, *own(monitor), *waivers], hosts, stack.env, stack.environments)
        if not self._tell(lambda: routes(monitor.tell, scope)):
            return
        wrong = idle(monitor.tell, scope)
        self.problems += wrong
        # A warning that nobody is told of mostly is meant.
        results = {CRITICAL: looked_at, UNKNOWN: [*looked_at, Subject(PROJECT)]}
        words = unheard(monitor.tell, scope, results) if monitor.tell and not wrong else ""
        if words:
            advice = "where that is not meant, end `tell` with a rule without `when`"
            self.warnings.append(f"{monitor.where}: monitor.tell: nobody is told where {words}; {advice}")

    def _of_waivers(self, stack: StackFile, ids: Sequence[str] | None) -> None:
        """Look for waivers that have expired or are for no scenario, and warn of those that are about to expire.

        Args:
            ids: of all results that there can be; None where a feature cannot be read, so that nobody knows.
        """
        now = time()
        for waiver in stack.waivers:
            known = ids is None or any(waiver.covers(id) for id in ids)
            held = waiver if known else waiver.changed(idle=idle_words(waiver, ids or ()))
            where = f"{stack.path}:{waiver.line}: waiver {waiver.id}"
            words = wrong(held, now)
            self.problems += [f"{where}: {words}"] if words else []
            if not words and ends_soon(waiver, now):
                left = human(waiver.until - now, "s")
                self.warnings.append(f"{where}: it expires at the end of {waiver.date} (UTC), in {left}: {waiver.why}")
