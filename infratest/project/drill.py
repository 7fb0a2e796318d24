"""A drill: a fault on purpose, the red that it must cause, the heal, and the green it must end in; how long each took.

Called by `infratest drill`. The scenario's acts are done and undone by the engine, as in a test, journalled first; the
looks in between are whole checks, as a monitor makes them, and the heals are those of the rules. Only the drilled rule
may act whatever its mode is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.engine.acting import Acting
from infratest.engine.apart import defects_told
from infratest.engine.run import Run, Settings, reported
from infratest.errors import FactError, UserError, unknown
from infratest.facts._drilled import HEALS, HOLDS, TURNS, Drilled
from infratest.facts.base import Need
from infratest.gherkin.select import CHECK, DRILL
from infratest.heal import verifying
from infratest.heal.gates import settling_time
from infratest.heal.records import HealRecord
from infratest.model import Report, Result, StepResult
from infratest.plan.tasks import ActStep, CheckStep, Step, Task
from infratest.project.execute import execute, starter, store
from infratest.project.heal import heal_report
from infratest.project.prepare import Prepared, Request, prepare
from infratest.project.session import Session
from infratest.project.undo_journal import UndoJournal
from infratest.stack.declared import HealRule
from infratest.stack.open import open_transport
from infratest.states import CRITICAL, OK, UNKNOWN
from infratest.store import drilling, events
from infratest.units import human

#: Seconds between two looks of a drill, and that a sentence without `within` waits.
BETWEEN, PATIENCE = 0.5, 30.0
#: Seconds that all must hold again within, once the fault is undone.
AFTERWARDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One run of one drill.

    Args:
        result: of its scenario. red, green: seconds from the fault until it was seen, and until it was healed; None
        where that never came. watched: the features of the scenarios that it speaks of.
    """

    result: Result
    rule: str
    red: float | None
    green: float | None
    watched: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        return self.result.state == OK and self.red is not None and self.green is not None


@dataclass
class _Watch:
    """What a drill has looked at so far: every report of its looks, and what the rules did.

    Args:
        broke: when the fault began, in seconds since the epoch: what is seen from then on says nothing of other days.
    """

    session: Session
    rule: HealRule
    deadline: Deadline
    begun: float = field(default_factory=time.time)
    broke: float | None = None
    looks: list[Report] = field(default_factory=list)
    records: list[HealRecord] = field(default_factory=list)

    def look(self, heal: bool = False) -> Report:
        """Check all that the stack's features say, heal where asked to, and keep the results as a check does."""
        request = Request(face=CHECK)
        prepared = prepare(self.session, request, deadline=self.deadline)
        report = execute(self.session, request, prepared, deadline=self.deadline)
        self.looks.append(report)
        if heal:
            report, records = heal_report(
                self.session, report, False, deadline=self.deadline, drilled=self.rule.name, since=self.begun
            )
            self.records += records
            self.looks.append(report)
        store(self.session, report, counting=True, drill=self.broke)
        return report

    def breaks(self) -> None:
        """Keep on record that something is about to be broken, whatever becomes of this process.

        Raises:
            StateError: it cannot be kept.
        """
        self.broke = time.time()
        drilling.begin(self.session.state, self.session.stack.place, self.broke)
        self._tell(events.BROKE)

    def over(self) -> None:
        """Keep on record that what was broken is undone, as far as it can be. Raises StateError."""
        if self.broke is not None:
            drilling.end(self.session.state, self.session.stack.place, self.broke, time.time())
            self._tell(events.OVER)

    def _tell(self, outcome: str) -> None:
        stack = self.session.stack
        labels = {events.DRILL: f"{self.broke:.3f}"}
        told = events.lifecycle(stack.name, stack.env, "drill", "-", 0.0, time.time(), outcome, **labels)
        events.append(self.session.state, [told])

    def of(self, report: Report, scenario: str, host: str = "") -> list[Result]:
        """Return the results of a scenario, by its slug; of one host where one is named."""
        found = [one for one in report.results if _slug(one) == scenario]
        return [one for one in found if not host or one.host in (host, "-")]


class _Rehearsal(Acting):
    """One drill on its way: the engine's own lines, with the sentences of drills answered by looking."""

    def __init__(self, going: Run, task: Task, watch: _Watch) -> None:
        super().__init__(going, task)
        self.watch = watch
        self.fault: float | None = None
        #: Ids of results: those that were ok before the fault, and those that the drill has seen turn red.
        self.well: set[str] = set()
        self.reds: set[str] = set()
        self.red: float | None = None
        self.green: float | None = None
        self.lost = ""

    def lines(self, steps: Sequence[Step]) -> None:
        before = self._before(steps)
        if before:
            self.stop = before
            self.steps.append(StepResult("(before the fault)", self.task.scenario.line, UNKNOWN, before))
        for step in steps:
            need = _need(step)
            if need is not None and isinstance(step, CheckStep) and not self.stop:
                self.measured[need] = self._answered(step, need)
                # It has waited already: what was kept does not become another by asking again.
                step = step.changed(tail=step.tail.changed(within=None))
            if isinstance(step, ActStep) and not self.stop and self.watch.broke is None:
                self.watch.breaks()
            super().lines([step])
            if isinstance(step, ActStep) and not self.stop:
                self.fault = time.monotonic()

    def _before(self, steps: Sequence[Step]) -> str:
        """Return what is not well before the fault: a drill of what is broken proves nothing."""
        report = self.watch.look()
        # A way in that stands in nobody's way is no result: the run tells it beside them.
        self.well = {one.id for one in (*report.results, *report.ways) if one.state == OK}
        for step in steps:
            need = _need(step)
            if need is None or need.argument[0] == HEALS:
                continue
            scenario = str(need.argument[1])
            found = self.watch.of(report, scenario)
            if not found:
                known = sorted({_slug(one) for one in report.results})
                return f"nothing was done: '{step.line.text}': {unknown('scenario', scenario, known)}"
            bad = [one for one in found if one.state != OK]
            if bad:
                return (f"nothing was done: {scenario!r} is {bad[0].state} on {bad[0].host} before the fault "
                        f"({bad[0].reason}); a drill begins with all well")  # fmt: skip
        looked = {one.id for one in (*report.results, *report.ways)}
        waiting = verifying.pending(self.watch.session.state, report.place).keys() & looked
        if waiting:  # the first look that heals would tell of it, as if the drill had done it
            ask = self.watch.session.command("check", "--heal")
            return f"nothing was done: a heal of {min(waiting)} is not verified yet; `{ask}` does that"
        return ""

    def _answered(self, step: CheckStep, need: Need) -> Drilled | FactError:
        if self.lost:
            return FactError(f"not looked at: {self.lost}")
        kind, *words = (str(one) for one in need.argument)
        if kind == HOLDS:
            return self._held(words[0])
        if self.fault is None:
            return FactError("not looked at: there was no fault before it")
        deadline = self.deadline.at_most(step.tail.within or PATIENCE)
        if kind == TURNS:
            answer = self._turned(words[0], words[1], step.tail.on, deadline)
        else:
            answer = self._healed(words[0], words[1], words[2], deadline)
        self.lost = "" if answer.holds else answer.saw
        return answer

    def _turned(self, scenario: str, state: str, host: str, deadline: Deadline) -> Drilled:
        """Look until a scenario is in a state, and no longer than the deadline."""
        found = self._look_until(deadline, False, lambda report: self.watch.of(report, scenario, host), state)
        took = time.monotonic() - (self.fault or 0.0)
        on = f" on {host}" if host else ""
        if found is None or found.state != state:
            now = "not run" if found is None else found.state
            return Drilled(holds=False, saw=f'the scenario "{scenario}" is {now}{on} after {human(took, "s")}')
        if state != OK:
            self.red = took if self.red is None else self.red
            self.reds |= {one.id for one in self.watch.of(self.watch.looks[-1], scenario, host) if one.state != OK}
        return Drilled(holds=True, saw=f'the scenario "{scenario}" is {state}{on} after {human(took, "s")}')

    def _healed(self, rule: str, host: str, remedy: str, deadline: Deadline) -> Drilled:
        """Check and heal until the rule has healed the host, and no longer than the deadline.

        What it has healed must have been well before the fault, and all that turned red there must be well again.
        """
        while True:
            self.watch.look(heal=True)
            took = time.monotonic() - (self.fault or 0.0)
            mine = [one for one in self.watch.records if one.rule.name == rule and one.before.host == host]
            done = next((one for one in mine if one.verified and one.before.id in self.well), None)
            still = [one for one in self._still_red() if one.host in (host, "-")]
            if done is not None:
                by = done.rule.do[done.rung][0]
                if by != remedy:
                    return Drilled(holds=False, saw=f"it was healed by {done.remedy}, not by {remedy}")
                if not still:
                    if self.red is not None:  # before that there was nothing to be seen healed
                        self.green = took if self.green is None else self.green
                    return Drilled(holds=True, saw=f"healed by {done.remedy} after {human(took, 's')}")
            if deadline.passed:
                return Drilled(holds=False, saw=_not_healed(rule, host, took, mine, still if done else []))
            time.sleep(min(BETWEEN, deadline.left))

    def _still_red(self) -> list[Result]:
        """Return what turned red and was not ok at the last look."""
        return [one for one in self.watch.looks[-1].results if one.id in self.reds and one.state != OK]

    def _held(self, scenario: str) -> Drilled | FactError:
        looks = [self.watch.of(report, scenario) for report in self.watch.looks]
        if len(looks) < 2 or not all(looks):
            return FactError(f"the scenario {scenario!r} was not looked at often enough to say that it held")
        bad = [one for found in looks for one in found if one.state != OK]
        if bad:
            times = sum(any(one.state != OK for one in found) for found in looks)
            words = f"was {bad[0].state} on {bad[0].host} at {times} of {len(looks)} looks: {bad[0].reason}"
            return Drilled(holds=False, saw=f'the scenario "{scenario}" {words}')
        return Drilled(holds=True, saw=f'the scenario "{scenario}" was ok at {len(looks)} looks')

    def _look_until(
        self, deadline: Deadline, heal: bool, found: Callable[[Report], list[Result]], state: str
    ) -> Result | None:
        while True:
            results = found(self.watch.look(heal=heal))
            last = next((one for one in results if one.state == state), results[0] if results else None)
            if (last is not None and last.state == state) or deadline.passed:
                return last
            time.sleep(min(BETWEEN, deadline.left))

    def undo(self) -> list[StepResult]:
        """Undo the faults, and see that all holds again that the drill speaks of.

        What turned red must be well before: what the undo mends no rule has healed.
        """
        problems: list[StepResult] = []
        try:
            problems += self._not_healed()
        finally:
            problems += super().undo()
        if self.fault is None or sys.exception() is not None:  # who interrupts a drill waits for no more looks
            return problems
        deadline = self.going.deadline.at_most(AFTERWARDS)
        named = {
            str(need.argument[1]) for step in self.task.steps if (need := _need(step)) and need.argument[0] != HEALS
        }
        report = self.watch.look()
        while (
            bad := [one for one in report.results if _slug(one) in named and one.state != OK]
        ) and not deadline.passed:
            time.sleep(BETWEEN)
            report = self.watch.look()
        if bad:
            words = f"{_slug(bad[0])!r} is {bad[0].state} on {bad[0].host} after the drill: {bad[0].reason}"
            problems.append(StepResult("(afterwards)", self.task.scenario.line, CRITICAL, words))
        return problems

    def _not_healed(self) -> list[StepResult]:
        """Return what turned red and no rule has healed, where the drill's own sentences have not said so already."""
        if self.green is None or self.lost or sys.exception() is not None:
            return []
        if self._still_red():
            self.watch.look()  # others may have been mended with it, and nobody has looked at them since
        return [
            StepResult("(before the undo)", self.task.scenario.line, CRITICAL,
                       f"{_slug(one)!r} is still {one.state} on {one.host}: {one.reason}")
            for one in self._still_red()
        ]  # fmt: skip


@defects_told
def drill(session: Session, prepared: Prepared, task: Task, deadline: Deadline) -> Outcome:
    """Run one drill once, under the stack's lock; its faults are undone whatever happens.

    Raises:
        InfratestError: the stack's lock, its features or its rules stand in the way.
    """
    stack, state = session.stack, session.state
    rule = rule_of(task, stack.heal)
    watch = _Watch(session=session, rule=rule, deadline=deadline)
    made: list[_Rehearsal] = []

    def rehearse(going: Run, one: Task) -> Result:
        made.append(_Rehearsal(going, one, watch))
        return made[-1].result()

    settings = Settings(
        seconds=deadline.left,
        deadline=deadline,
        jobs=session.jobs,
        lock=lambda: state.lock(0.0, "a drill"),
        undo_log=UndoJournal(state, stack.name, stack.env),
        start=starter(session),
        rehearsal=rehearse,
    )
    try:
        report = reported(prepared.plan.changed(tasks=(task,)), open_transport, settings, stack.name, stack.env, False)
        result = next(one for one in report.results if one.id == task.id)
        events.append(state, events.of_report(report.changed(results=(result,)), watch.broke))
    finally:
        watch.over()
    ran = made[0] if made else None
    named = {str(need.argument[1]) for step in task.steps if (need := _need(step)) and need.argument[0] != HEALS}
    features = {one.feature for look in watch.looks for one in look.results if _slug(one) in named}
    return Outcome(
        result=result,
        rule=rule.name,
        red=ran.red if ran else None,
        green=ran.green if ran else None,
        watched=tuple(sorted(features | {task.scenario.feature})),
    )


def rule_of(task: Task, rules: Sequence[HealRule]) -> HealRule:
    """Return the rule that a drill is of. Raises UserError: the stack has none of that name."""
    name = task.scenario.tag(DRILL)
    for rule in rules:
        if rule.name == name:
            return rule
    raise UserError(f"{task.scenario.path}:{task.scenario.line}: @drill:{name}: "
                    + unknown("heal rule", name, [rule.name for rule in rules]))  # fmt: skip


def drills(session: Session, name: str | None, yes_production: bool, deadline: Deadline) -> tuple[Prepared, list[Task]]:
    """Return the drills that are asked for: all of them, those of a rule, or the one with that slug.

    Raises:
        UserError: there is none of that name. FeatureError: the stack is production, and nobody said yes to that.
    """
    prepared = prepare(session, Request(face=DRILL, yes_production=yes_production), deadline=deadline)
    tasks = list(prepared.plan.tasks)
    if name is not None:
        chosen = [task for task in tasks if name in (task.scenario.slug, task.scenario.tag(DRILL))]
        if not chosen:
            known = sorted({one for task in tasks for one in (task.scenario.slug, task.scenario.tag(DRILL))})
            raise UserError(unknown("drill", name, known))
        tasks = chosen
    for task in tasks:
        rule_of(task, session.stack.heal)
    return prepared, tasks


def settle_between(session: Session, rule: str) -> None:
    """Wait as long as the rule itself waits after a heal, so that the next run measures the heal and not the wait."""
    found = next((one for one in session.stack.heal if one.name == rule), None)
    if found is not None:
        time.sleep(settling_time(found))


def _not_healed(rule: str, host: str, took: float, mine: Sequence[HealRecord], still: Sequence[Result]) -> str:
    """Return why a rule has not healed a host, in words. Args: still: what is red although it has healed something."""
    words = f"rule {rule} did not heal {host} in {human(took, 's')}"
    if still:
        return f"{words}: it healed something there, and {_slug(still[0])!r} is {still[0].state}: {still[0].reason}"
    if mine and mine[-1].verified:
        return f"{words}: it healed what was broken before the fault: {mine[-1].before.id}"
    if mine:
        return f"{words}; {mine[-1].ending}: {mine[-1].remedy}: {mine[-1].reason}"
    return f"{words}; no rule was asked, since nothing that it is for failed"


def _slug(result: Result) -> str:
    return result.id.partition("#")[2].partition("@")[0].partition("/")[0]


def _need(step: Step) -> Need | None:
    """Return what a sentence of a drill asks, None for any other line."""
    needs = [need for look in step.looks for need in look.check.needed] if isinstance(step, CheckStep) else []
    return needs[0] if needs and needs[0].fact == "drill" else None
