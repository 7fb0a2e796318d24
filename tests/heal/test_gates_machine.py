"""The engine against anything that can happen, in any order: it must never act where it may not.

The world, the clock and the rule change under Hypothesis' hand; the engine, the gates and the state directory are the
real ones. What may be is judged here from what the machine itself did, not from what the engine wrote.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from infratest.deadline import Deadline
from infratest.errors import Unreachable
from infratest.heal.gates import Changes, Limits, Seen
from infratest.heal.healing import heal
from infratest.heal.pause import pause, resume
from infratest.heal.records import HealRecord
from infratest.hosts import Host
from infratest.model import Report, Result
from infratest.stack.declared import AUTO, OBSERVE, PROPOSE, Proof
from infratest.store.directory import StateDir
from infratest.store.failures import started
from infratest.transports.base import Transport
from tests.worlds.heal_world import World, make_hosts, make_report, make_result, make_rule, result_id

HOSTS = ("web-1", "web-2", "web-3", "web-4")
LIMITS = Limits(settle=0.0, report_age=300.0, stored_age=600.0, look_again=20.0)
SICK = ("critical", "unknown", "blocked")
STATES = ("ok", "warning", "critical", "unknown", "skipped", "blocked")


#: What may happen between the gates and the act.
MEANWHILE = ("a pause", "a deployment", "a downtime", "an outage of ours", "a loss")
REMEDY_SECONDS = 600.0  # that `provision` may take
RUN = 1000.0  # seconds that a run has


class Killed(BaseException):
    """Stands for the end of the process in the middle of an act."""


class Healing(RuleBasedStateMachine):
    @initialize(
        confirm=st.integers(1, 3),
        tries=st.integers(1, 4),
        per=st.sampled_from((60.0, 600.0, 3600.0)),
        at_most=st.sampled_from((0.0, 0.3, 0.5, 1.0)),
        mode=st.sampled_from(("auto", "auto", "auto", "auto", "observe")),
        rungs=st.integers(1, 3),
        keep=st.sampled_from((None, None, (1, "web"), (2, "web"), (3, "web"))),
        proof=st.sampled_from((None, Proof(drill="killed-nginx"))),
        together=st.sampled_from((0, 1, 1, 2)),
    )
    def begin(
        self, confirm: int, tries: int, per: float, at_most: float, mode: str, rungs: int,
        keep: tuple[int, str] | None, proof: Proof | None, together: int,
    ) -> None:  # fmt: skip
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name)
        self.rule = make_rule(
            confirm=confirm, tries=tries, per=per, at_most=at_most, mode=mode, do=(("provision", {}),) * rungs,
            keep=keep, proof=proof, together=together,
        )  # fmt: skip
        self.state = StateDir(path / "state")
        self.states = dict.fromkeys(HOSTS, "ok")
        self.row = dict.fromkeys(HOSTS, 0)  # criticals in a row as this machine saw them reported
        self.stored: dict[str, Seen] = {}
        self.known: dict[str, tuple[float, str]] = {}  # when a run last looked at a host, and what it saw
        self.paused_until = 0.0
        self.sees, self.deploying, self.unwanted = True, False, ""
        self.meanwhile = ""
        self.may_act: set[str] = set()
        self.crash_next = False
        self.unseen: dict[str, float] = {}  # hosts acted on with no time to look at them, and when that was
        self.time: list[float] | None = None  # of a run that ends with its act, what has gone by
        self.crashes: dict[str, list[float]] = {host: [] for host in HOSTS}
        self.call = 0
        self.deadline: Deadline | None = None
        self.calls: list[int] = []  # of each act, the run it was in
        self.helped: list[bool] = []  # and whether it healed
        self.world = World(path, hosts=make_hosts(*HOSTS), limits=LIMITS, look=self.seen, on_act=self.acted)
        self.reports: list[Report] = []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def seen(self, host: str) -> Result:
        state = self.states[host]
        self.known[host] = (self.world.now, state)
        blocked = "features/web.feature#reachable@" + host if state == "blocked" else None
        return make_result("unknown" if blocked else state, host, blocked_by=blocked)

    def shut(self, host: Host, deadline: Deadline) -> Transport:
        """Called between the gates and the act: there is time for somebody to stop it."""
        happens, self.meanwhile = self.meanwhile, ""
        if happens == "a pause":
            self.somebody_pauses(700.0)
        elif happens == "a deployment":
            self.deploying = True
        elif happens == "a downtime":
            self.unwanted = "in a downtime until noon"
        elif happens == "an outage of ours":
            self.sees = False
        elif happens:
            self.world.trust = PROPOSE, "by the ledger"
        raise Unreachable(f"{host.name}: no way there")

    def acted(self, host: str) -> None:
        """Called by the act itself: at this moment all must be as the rule demands."""
        now = self.world.now
        self.calls.append(self.call)
        self.helped.append(self.world.helps and not self.crash_next)
        at, state = self.known[host]
        assert state == "critical", f"acted on {state}"
        assert now - at <= LIMITS.look_again, "acted on an old look"
        assert self.rule.mode == "auto"
        assert now >= self.paused_until
        assert host in self.may_act
        assert all(name in self.known and now - self.known[name][0] <= LIMITS.stored_age for name in HOSTS)
        sick = [name for name in HOSTS if self.known[name][1] in SICK]
        assert len(sick) <= max(1, int(self.rule.at_most * len(HOSTS) + 0.001)), f"{sick} are sick"
        if self.rule.keep is not None:
            others = [name for name in HOSTS if name != host and self.known[name][1] not in SICK]
            assert len(others) >= self.rule.keep[0], f"only {others} are well"
        assert self.sees, "acted though what is seen cannot be relied on"
        assert not self.deploying, "acted while somebody deploys"
        assert not self.unwanted, "acted in a downtime"
        assert self.world.trust[0] == AUTO, "acted by itself, beyond what the ledger grants"
        assert self.world.proof[0] or self.rule.proof is None, "acted unproven"
        running = [begun for begun in self.crashes[host] if now < begun + REMEDY_SECONDS]
        assert not running, "acted while an act without an end may still run"
        begun = {name for name in HOSTS if any(now < at + REMEDY_SECONDS for at in self.crashes[name])}
        begun |= {name for name, at in self.unseen.items() if now < at + REMEDY_SECONDS + LIMITS.verify}
        assert not self.rule.together or len(begun - {host}) < self.rule.together, f"acted beside {begun}"
        if self.time:
            self.time[0], self.unseen[host] = RUN, now
        if self.crash_next:
            self.crash_next = False
            self.crashes[host].append(now)
            raise Killed
        if self.world.helps:
            self.states[host] = "ok"

    @rule(seconds=st.sampled_from((1.0, 10.0, 60.0, 601.0, 4000.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(host=st.sampled_from(HOSTS), state=st.sampled_from(STATES))
    def something_changes(self, host: str, state: str) -> None:
        self.states[host] = state

    @rule(helps=st.booleans())
    def the_remedy_changes(self, helps: bool) -> None:
        self.world.helps = helps

    @rule(seconds=st.sampled_from((5.0, 700.0)))
    def somebody_pauses(self, seconds: float) -> None:
        self.paused_until = pause(self.state, seconds, self.world.now)

    @rule()
    def somebody_resumes(self) -> None:
        resume(self.state)
        self.paused_until = 0.0

    @rule(sees=st.booleans())
    def the_witness_changes(self, sees: bool) -> None:
        self.sees = sees

    @rule(deploying=st.booleans())
    def somebody_deploys_or_has_done(self, deploying: bool) -> None:
        self.deploying = deploying

    @rule(why=st.sampled_from(("", "", "in a downtime until noon")))
    def a_downtime_begins_or_ends(self, why: str) -> None:
        self.unwanted = why

    @rule(level=st.sampled_from((AUTO, AUTO, PROPOSE, OBSERVE)))
    def the_ledger_changes(self, level: str) -> None:
        self.world.trust = level, "by the ledger"

    @rule(proven=st.sampled_from((True, True, False)))
    def the_proof_changes(self, proven: bool) -> None:
        self.world.proof = proven, "by its certificate"

    @rule()
    def the_next_act_is_killed(self) -> None:
        self.crash_next = True

    @rule(
        sick=st.sets(st.sampled_from(HOSTS), min_size=1), rounds=st.integers(1, 5), pause=st.sampled_from((0.0, 9.0)),
        meanwhile=st.sampled_from(("", "", "", *MEANWHILE)),
    )  # fmt: skip
    def an_outbreak_is_checked_in_rounds(self, sick: set[str], rounds: int, pause: float, meanwhile: str) -> None:
        self.meanwhile = meanwhile
        for _ in range(rounds):
            for host in HOSTS:
                self.states[host] = "critical" if host in sick else "ok"
            self.world.now += pause
            self.check(HOSTS, dry=False)

    @rule(sick=st.sampled_from(HOSTS), then=st.sampled_from(STATES), old=st.sampled_from((0.0, 25.0, 301.0)))
    def a_report_is_healed_later(self, sick: str, then: str, old: float) -> None:
        for host in HOSTS:
            self.states[host] = "critical" if host == sick else "ok"
        paused = self.paused_until
        self.somebody_pauses(1.5)
        for _ in range(self.rule.confirm):
            self.check(HOSTS, dry=False)
        self.paused_until = pause(self.state, max(0.0, paused - self.world.now), self.world.now)
        self.states[sick] = then
        self.world.now += old
        self.heal(self.reports[-1], dry=False)

    @rule()
    def no_time_is_left(self) -> None:
        before = len(self.world.acts)
        self.deadline = Deadline(0.0)
        self.check(HOSTS, dry=False)
        self.deadline = None
        assert len(self.world.acts) == before

    @rule(which=st.integers(0, len(HOSTS) - 1), apart=st.integers(1, 3), later=st.sampled_from((1.0, 300.0)))
    def one_is_healed_unseen_and_then_another_fails(self, which: int, apart: int, later: float) -> None:
        """Nothing is in their way but what the rule itself says."""
        first, then = HOSTS[which], HOSTS[(which + apart) % len(HOSTS)]
        for host in HOSTS:
            self.states[host] = "critical" if host == first else "ok"
        self.sees, self.deploying, self.unwanted, self.crash_next, self.meanwhile = True, False, "", False, ""
        self.world.trust, self.world.proof = (AUTO, "by the ledger"), (True, "by its certificate")
        self.somebody_resumes()
        self.world.helps = True
        for look in range(self.rule.confirm, 0, -1):
            if look == 1:
                self.time, self.world.limits = [0.0], replace(LIMITS, settle=30.0)
                self.deadline = Deadline(RUN, lambda: self.time[0] if self.time else RUN)
            self.check(HOSTS, dry=False)
        self.deadline, self.time, self.world.limits = None, None, LIMITS
        self.world.now += later
        self.states[then] = "critical"
        for _ in range(self.rule.confirm):
            self.check((then,), dry=False)

    @rule(dry=st.booleans())
    def check_all_and_heal(self, dry: bool) -> None:
        self.check(HOSTS, dry)

    @rule(host=st.sampled_from(HOSTS), times=st.integers(1, 4))
    def check_one_and_heal(self, host: str, times: int) -> None:
        for _ in range(times):
            self.check((host,), dry=False)

    @rule()
    def heal_from_no_report_at_all(self) -> None:
        assert heal(make_report([], self.world.now), [self.rule], self.state, self.world.means(), history={}) == []

    @rule(back=st.integers(1, 5))
    def heal_an_old_report_again(self, back: int) -> None:
        """Handed in again, a report counts nothing and, stale or overtaken, leads to nothing that is not so now."""
        if len(self.reports) >= back:
            self.heal(self.reports[-back], dry=False)

    @rule()
    def the_stack_loses_its_hosts(self) -> None:
        hosts, self.world.hosts = self.world.hosts, {}
        before = len(self.world.acts)
        self.check(HOSTS, dry=False)
        assert len(self.world.acts) == before
        self.world.hosts = hosts

    def check(self, hosts: tuple[str, ...], dry: bool) -> None:
        self.world.now += 1.0
        known = dict(self.known)
        report = make_report([self.seen(host) for host in hosts], self.world.now)
        if not dry:
            for host in hosts:
                self.row[host] = self.row[host] + 1 if self.states[host] == "critical" else 0
            self.reports.append(report)
        else:
            self.known = known  # a dry run stores nothing, so nobody knows of it
        self.heal(report, dry)

    def heal(self, report: Report, dry: bool) -> None:
        looked = report.started
        newest = {result.host: True for result in report.results}
        for later in self.reports[::-1]:
            if later.started == looked:
                break
            for result in later.results:
                newest[result.host] = False
        fresh = self.world.now - _seconds(report) <= LIMITS.report_age
        self.may_act = {
            host
            for host, is_newest in newest.items()
            if is_newest and fresh and not dry and self.row[host] >= self.rule.confirm
        }
        if not dry:
            self.what_was_unseen_is_seen(report)
        acts = len(self.world.acts)
        self.call += 1
        # No way to the hosts, so that no healing mark is put on them: thousands of programs would be started for it.
        means = self.world.means(
            deadline=self.deadline, open_transport=self.shut, suppressed=lambda result: self.unwanted,
            witness=lambda: (self.sees, "by the witness"),
            changes=lambda rule, result: Changes(locks=("somebody deploys",) if self.deploying else ()),
        )  # fmt: skip
        try:
            records = heal(report, [self.rule], self.state, means, history=self.stored, dry_run=dry)
        except Killed:
            records = []
        if dry:
            assert len(self.world.acts) == acts
            return
        for result in report.results:
            seen = Seen(
                host=result.host, state=result.state, time=_seconds(report), blocked=result.blocked_by is not None
            )
            if result.id not in self.stored or self.stored[result.id].time <= seen.time:
                self.stored[result.id] = seen
        for record in records:
            self.judge(record)

    def what_was_unseen_is_seen(self, report: Report) -> None:
        at = _seconds(report)
        for result in report.results:
            tells = result.state in ("ok", "warning", "critical") and result.blocked_by is None
            if tells and at > self.unseen.get(result.host, at):
                del self.unseen[result.host]

    def judge(self, record: HealRecord) -> None:
        if record.outcome == "refused":
            closed = [answer for answer in record.gates if not answer.passed]
            assert closed
            assert all(answer.reason for answer in record.gates)
        if record.after is not None and not record.later:
            host = record.before.host
            self.stored[result_id(host)] = Seen(host=host, state=record.after.state, time=self.world.now)
            if record.verified or record.outcome == "recovered":
                assert self.states[host] == "ok"
                self.row[host] = 0

    @invariant()
    def never_beyond_the_budget_in_any_window(self) -> None:
        if not hasattr(self, "world"):
            return
        for host in HOSTS:
            # What healed is not counted against the next fault.
            acts = zip(self.world.acts, self.helped, strict=True)
            times = [at for (at, name), helped in acts if name == host and not helped]
            for first, over in zip(times, times[self.rule.tries :], strict=False):
                assert over - first >= self.rule.per

    @invariant()
    def never_again_at_once(self) -> None:
        if not hasattr(self, "world"):
            return
        for host in HOSTS:
            acts = [(at, call) for (at, name), call in zip(self.world.acts, self.calls, strict=True) if name == host]
            for (earlier, one), (later, another) in pairwise(acts):
                assert one == another or later - earlier >= min(self.rule.per / 360, self.rule.per / self.rule.tries)

    @invariant()
    def every_act_is_on_record(self) -> None:
        if hasattr(self, "world"):
            events = [record["event"] for record in self.state.read("heal.jsonl")]
            assert events.count("try") == len(self.world.acts)
            assert events.count("tried") == len(self.world.acts) - sum(map(len, self.crashes.values()))


def _seconds(report: Report) -> float:
    return started(report)


TestHealing = Healing.TestCase
TestHealing.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
