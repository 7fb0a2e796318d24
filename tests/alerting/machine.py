"""A monitor's life under Hypothesis' hand: results, silences, receivers, clocks, and deaths between any two writes.

What may be told is judged from `plain`, which knows the history alone; and from what receivers have, who stand outside.
The rules of a life are made for any copy of the package, so that a copy with a rule broken can be lived with too.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.alerting.copies import whole
from tests.alerting.plain import History, Known, Manner, World

STACK = {"reach": (), "a": ("reach",), "b": ("a", "reach"), "c": (), "x": ("y",), "y": ("x",)}
IDS = tuple(STACK)
STATES = ("ok", "ok", "warning", "critical", "critical", "unknown", "skipped", "waived")
DAY, HOUR = 86400.0, 3600.0
EPOCH = 1_764_432_000.0

#: Receiver -> (whom for, after, again, kinds). `blunt` takes a notice twice, the others know its key.
ROUTES = {
    "oncall": (lambda id, state: state in ("critical", "unstable"), 0.0, 500.0, {"problem", "recovery", "flap", "ack"}),
    "team": (lambda id, state: id in ("a", "c", "x"), 0.0, None, {"problem", "recovery"}),
    "boss": (lambda id, state: True, 120.0, None, {"problem", "recovery", "flap"}),
    "digest": (lambda id, state: state != "warning", 0.0, None, {"problem", "recovery", "flap"}),
    "blunt": (lambda id, state: id in ("b", "y"), 0.0, None, {"problem"}),
}
GATHERED = {"digest": 300.0}
OUTCOMES = ("taken", "taken", "taken", "refused", "lost on the way", "lost behind")


class Killed(BaseException):
    """The end of the process, before or after a write."""


class Inbox:
    """A receiver as it is outside: what it was given, once a key where it knows keys."""

    def __init__(self, keyed: bool) -> None:
        self.keyed = keyed
        self.keys: set[str] = set()
        self.has: dict[str, tuple[str, str]] = {}  # id -> kind and level of the newest
        self.missed: dict[str, set[str]] = {}  # id -> levels that its sender cannot know to have arrived or not
        self.outcome = "taken"

    def given(self, notice, doubtful: bool) -> None:
        if notice.key in self.keys:
            assert doubtful, f"{notice.key} again, although it was known to have arrived"
            if self.keyed:
                return
        else:
            _, level = self.has.get(notice.id, ("", "ok"))
            same = level == notice.level and notice.kind not in ("reminder", "ack")
            others = self.missed.get(notice.id, set()) - {notice.level}
            assert others or not same, f"{notice.receiver} is told twice that {notice.id} is {level}"
        self.keys.add(notice.key)
        self.has[notice.id] = (notice.kind, notice.level)


class Life(RuleBasedStateMachine):
    """A life with the package as it is; one with a copy of it has another `our`."""

    our = whole()

    @initialize(
        failures=st.integers(1, 3), more=st.integers(0, 2), recover=st.integers(1, 2), changes=st.integers(2, 4)
    )
    def begin(self, failures: int, more: int, recover: int, changes: int) -> None:
        manner = Manner(60.0, failures, failures + more, recover, 2.0, changes, 1800.0, 400.0)
        attempts = self.our.policy.Attempts(failures, failures + more)
        flap = self.our.policy.Flap(changes, 1800.0, 400.0)
        self.policy = self.our.policy.Policy(60.0, 15.0, attempts, recover, 2.0, flap)
        self.true, self.wall, self.monotonic, self.boot = 0.0, EPOCH, 50.0, "boot-0"
        self.steady = 1000.0
        self.kept = {
            "anchor": self.our.moments.Anchor(1000.0, 50.0, EPOCH, "boot-0"), "ledger": {}, "sent": {},
            "statuses": {},
        }  # fmt: skip
        self.left: int | None = None
        self.after_write = True
        self.world = World({id: History(manner, [("begin", 1000.0)]) for id in IDS}, STACK)
        self.downtimes: dict[str, object] = {}
        self.subjects = {
            id: self.our.subject.Subject(id, needs=needs, policy=self.policy) for id, needs in STACK.items()
        }
        self.kept["statuses"] = {id: self.our.status.begun(self.now()) for id in IDS}
        self.inboxes = {name: Inbox(name != "blunt") for name in ROUTES}
        self.routes = [self.route(name) for name in ROUTES]
        self.newest = dict.fromkeys(IDS, "ok")

    def route(self, name: str):
        when, after, again, on = ROUTES[name]
        return self.our.owed.Route(
            lambda subject, state: when(subject.id, state), (name,), after, again, frozenset(on)
        )  # fmt: skip

    # The clocks, and what outlives the process.

    def now(self):
        moment = self.kept["anchor"].moment(self.monotonic, self.wall, self.boot)
        assert abs(moment.steady - self.steady) < 1e-3, "the monitor's own time is another"
        return self.our.moments.Moment(self.steady, self.wall)

    def pass_time(self, seconds: float) -> None:
        self.true += seconds
        self.wall += seconds
        self.monotonic += seconds
        self.steady += seconds

    def write(self, **kept) -> None:
        """Keep something, or die before or after that."""
        if self.left is not None:
            self.left -= 1
        dies = self.left is not None and self.left < 0
        if not dies or self.after_write:
            self.kept.update(kept)
        if dies:
            self.left = None
            raise Killed

    def advance(self, id: str, event, *told) -> None:
        statuses = self.kept["statuses"]
        after = self.our.status.advance(statuses[id], event, self.policy)
        if after is statuses[id]:
            self.world.histories[id].events.append(told)  # nothing came of it, by ours; `plain` knows better
            return
        written = self.after_write or self.left is None or self.left > 0
        try:
            self.write(statuses=statuses | {id: after})
        finally:
            if written:
                self.world.histories[id].events.append(told)

    def look(self, id: str, state: str, blocker: str = "", final: bool = False) -> None:
        now = self.now()
        event = self.our.status.Look(now, state, blocker or None, final)
        self.newest[id] = state
        self.advance(id, event, "look", now.steady, "ok" if state == "waived" else state, blocker, final)

    def tick(self) -> None:
        for id in IDS:
            self.advance(id, self.our.status.Tick(self.now()), "tick", self.steady)

    def living(self, *work) -> None:
        """Do work, and the cycle behind it; after a death begin anew with what is kept."""
        self.sound = False
        self.pass_time(0.001)
        try:
            for each in work:
                each()
            self.cycle()
        except Killed:
            self.restart()
            self.cycle()
        self.compare()
        self.sound = True

    def restart(self) -> None:
        for id in IDS:
            self.advance(id, self.our.status.Restart(self.now()), "restart", self.steady)

    # What the monitor does: what is owed is written, then handed over, each attempt between two writes.

    def picture(self):
        subjects = {id: each for id, each in self.subjects.items() if id not in self.world.gone}
        paused = self.world.paused if self.world.paused >= 0 else None
        downtimes = tuple(self.downtimes.values())
        return self.our.problems.Picture(self.now(), subjects, self.kept["statuses"], downtimes, paused)

    def cycle(self) -> None:
        receivers = [self.our.owed.Receiver(name, GATHERED.get(name, 0.0)) for name in ROUTES]
        owed = self.our.owed.owed(self.picture(), self.kept["ledger"], self.routes, receivers, self.kept["sent"])
        self.explained(owed)
        if owed.notices or owed.withdrawals or owed.closings:
            self.closed_rightly(owed.closings)
            try:
                self.write(ledger=owed.applied(self.kept["ledger"]))
            finally:
                for name, id in owed.closings:
                    if (name, id) not in self.kept["ledger"]:
                        self.inboxes[name].has[id] = ("", "ok")  # it knows by itself, as its routes have it
        again = self.our.owed.owed(self.picture(), self.kept["ledger"], self.routes, receivers, self.kept["sent"])
        assert [*again.notices, *again.withdrawals, *again.closings] == [], "what is owed is owed once"
        for message in self.our.ledger.messages(self.kept["ledger"], GATHERED, self.steady):
            for notice in message:
                self.hand_over(notice)

    def hand_over(self, notice) -> None:
        inbox, key = self.inboxes[notice.receiver], (notice.receiver, notice.id)
        self.truthful(notice)
        doubtful = self.kept["ledger"][key].doubt is not None
        missed = inbox.missed.get(notice.id, set())
        inbox.missed[notice.id] = missed | {notice.level}
        entry = self.our.ledger.attempted(self.kept["ledger"][key])
        sent = self.kept["sent"] | {notice.receiver: self.steady}
        self.write(
            ledger=self.kept["ledger"] | {key: entry}, sent=self.kept["sent"] if entry.retried else sent
        )  # fmt: skip
        if inbox.outcome in ("taken", "lost behind"):
            inbox.given(notice, doubtful)
            inbox.missed[notice.id] = set() if inbox.outcome == "taken" else {*missed, notice.level}
        elif inbox.outcome == "refused":
            inbox.missed[notice.id] = missed
        if inbox.outcome == "taken":
            after = self.our.ledger.delivered(entry, notice, self.steady)
        elif inbox.outcome == "refused":
            after = self.our.ledger.refused(entry, self.steady)
        else:
            after = self.our.ledger.lost(entry, self.steady)
        ledger = {each: its for each, its in self.kept["ledger"].items() if each != key}
        taken = inbox.outcome == "taken" and entry.retried
        self.write(
            ledger=ledger if after is None else ledger | {key: after}, sent=sent if taken else self.kept["sent"]
        )  # fmt: skip

    # What must be so.

    def compare(self) -> None:
        for id, known in self.world.all().items():
            status = self.kept["statuses"][id]
            ours = (status.state, status.unstable is not None, status.ack is not None)
            plain = (known.state, known.unstable is not None, known.acked is not None)
            assert ours == plain, f"{id} is {ours}, and by its history {plain}"
            assert status.since.steady == known.since
            assert len(status.window) <= self.policy.attempts.of
            assert len(status.changes) <= self.policy.flap.changes

    def closed_rightly(self, closings) -> None:
        all = self.world.all()
        for name, id in closings:
            assert "recovery" not in ROUTES[name][3], f"{name} is not told that {id} is well"
            assert self.level(id, all) == "ok"
            assert not self.silence(id, all)

    def level(self, id: str, all: dict[str, Known]) -> str:
        return "ok" if id in self.world.gone else all[id].level

    def silence(self, id: str, all: dict[str, Known]) -> str:
        return self.world.silence(id, all, self.steady, self.wall)

    def addressed(self, name: str, id: str, all: dict[str, Known]) -> bool:
        state = all[id].trouble if all[id].state == "ok" else all[id].state
        followers = self.world.followers(id, all, self.steady)
        return id not in self.world.gone and any(ROUTES[name][0](each, state) for each in [id, *followers])

    def truthful(self, notice) -> None:
        """What is handed over is so at this moment, and nothing silences it."""
        all = self.world.all()
        assert notice.level == self.level(notice.id, all), f"{notice.id} is not {notice.level}"
        why = self.silence(notice.id, all)
        if notice.kind == "ack":
            assert why == "acknowledged"
        else:
            assert not why, f"{notice.id} is told although {why}"
        knows = self.inboxes[notice.receiver].has.get(notice.id, ("", "ok"))[1] != "ok"
        if not knows and self.kept["ledger"][notice.receiver, notice.id].doubt is None:
            assert self.addressed(notice.receiver, notice.id, all), "who is told of what is not theirs"
            begun = all[notice.id].unstable or all[notice.id].opened
            assert self.steady - begun >= ROUTES[notice.receiver][1], "too early"
        if notice.kind != "reminder":  # also where its route is for the problem no longer
            assert notice.kind in ROUTES[notice.receiver][3], f"{notice.receiver} is not told of a {notice.kind}"

    def explained(self, owed) -> None:
        """Whatever is so and is neither told nor owed has its reason."""
        all = self.world.all()
        ledger = owed.applied(self.kept["ledger"])
        reasons = {(each.receiver, each.id) for each in owed.withheld if each.reason}
        for notice in owed.notices:
            followers = [] if notice.id in self.world.gone else self.world.followers(notice.id, all, self.steady)
            assert sorted(notice.members) == sorted(followers)
        for id in IDS:
            level = self.level(id, all)
            for name in ROUTES:
                entry = ledger.get((name, id))
                given = entry is not None and (entry.pending is not None or entry.level == level)
                if level != "ok" and self.addressed(name, id, all) and not given:
                    assert {(name, id), ("-", id)} & reasons, f"nobody says why {name} is not told of {id}"

    def quiet(self) -> None:
        """Nothing happens any more, and all works: then who is to be told has what is so."""
        self.left = None
        for inbox in self.inboxes.values():
            inbox.outcome = "taken"
        for _ in range(8):
            self.pass_time(97.0)
            self.living(self.tick, *[lambda id=id: self.look(id, self.newest[id]) for id in IDS])
        self.a_downtime_is_ended("once")
        while any(holds(self.wall) for holds, _ in self.world.downtimes.values()):
            self.pass_time(60.0)
            self.living(*[lambda id=id: self.look(id, self.newest[id]) for id in IDS])
        self.pass_time(1.0)
        self.living()
        all = self.world.all()
        for id in IDS:
            for name, inbox in self.inboxes.items():
                self.settled(id, name, inbox.has.get(id, ("", "ok"))[1], all)

    def settled(self, id: str, name: str, has: str, all: dict[str, Known]) -> None:
        level, kinds = self.level(id, all), ROUTES[name][3]
        if self.silence(id, all):
            return
        knows = has == level or (level == "unstable" and "flap" not in kinds and has != "ok")
        gathered = self.kept["sent"].get(name, -1e9) + GATHERED.get(name, 0.0) > self.steady
        if level == "ok":
            well = has == "ok" or gathered or "recovery" not in kinds
            assert well, f"{name} has that {id} is {has}, and it is well"
        elif has != "ok" or self.addressed(name, id, all):
            begun = all[id].unstable or all[id].opened
            early = has == "ok" and self.steady - begun < ROUTES[name][1]
            assert knows or gathered or early, f"{name} has that {id} is {has}, and it is {level}"

    def teardown(self) -> None:
        if getattr(self, "sound", False):
            self.quiet()

    # What happens.

    @rule(id=st.sampled_from(IDS), states=st.lists(st.sampled_from(STATES), min_size=1, max_size=4))
    def results_of_one(self, id: str, states: list[str]) -> None:
        for state in states:
            self.pass_time(5.0)
            self.living(lambda state=state: self.look(id, state))

    @rule(id=st.sampled_from(IDS), state=st.sampled_from(("ok", "critical", "unknown")))
    def what_the_provider_says(self, id: str, state: str) -> None:
        self.pass_time(1.0)
        self.living(lambda: self.look(id, state, final=True))

    @rule(reach=st.sampled_from(("ok", "critical")), a=st.sampled_from(STATES), b=st.sampled_from(STATES),
          times=st.integers(1, 3))  # fmt: skip
    def runs_over_the_host(self, reach: str, a: str, b: str, times: int) -> None:
        blocker = "reach" if reach == "critical" else ""
        for _ in range(times):
            self.pass_time(30.0)
            self.living(
                lambda: self.look("reach", reach),
                lambda: self.look("a", "unknown" if blocker else a, blocker),
                lambda: self.look("b", "unknown" if blocker else b, blocker),
            )

    @rule(id=st.sampled_from(IDS), state=st.sampled_from(STATES), old=st.sampled_from((0.0, 3.0, 500.0)))
    def a_result_comes_late_or_twice(self, id: str, state: str, old: float) -> None:
        status = self.kept["statuses"][id]
        if status.looked is not None:
            at = self.our.moments.Moment(status.looked - old, self.wall)
            assert self.our.status.advance(status, self.our.status.Look(at, state), self.policy) is status

    @rule(seconds=st.sampled_from((1.0, 16.0, 61.0, 130.0, 450.0, 2000.0)), ticks=st.booleans())
    def time_passes(self, seconds: float, ticks: bool) -> None:
        self.pass_time(seconds)
        self.living(*([self.tick] if ticks else []))

    @rule(id=st.sampled_from(IDS), seconds=st.sampled_from((None, 60.0, 900.0)))
    def somebody_has_it(self, id: str, seconds: float | None) -> None:
        self.pass_time(1.0)
        event = self.our.status.Acknowledge(self.now(), "ada", "on it", seconds)
        if self.world.histories[id].known().state == "ok":
            try:
                self.our.status.advance(self.kept["statuses"][id], event, self.policy)
            except self.our.errors.UserError:
                return
            raise AssertionError("acknowledged what is well")
        self.living(lambda: self.advance(id, event, "ack", self.steady, seconds))

    @rule(id=st.sampled_from(IDS))
    def somebody_has_it_no_more(self, id: str) -> None:
        self.pass_time(1.0)
        self.living(self.tick)
        if self.kept["statuses"][id].ack is not None:
            event = self.our.status.Unacknowledge(self.now())
            self.living(lambda: self.advance(id, event, "unack", self.steady))

    @rule(ids=st.frozensets(st.sampled_from(IDS)), begin=st.sampled_from((0.0, 100.0)),
          length=st.sampled_from((50.0, 900.0)))  # fmt: skip
    def a_downtime_is_planned(self, ids: frozenset[str], begin: float, length: float) -> None:
        begin, end = self.wall + begin, self.wall + begin + length
        window = self.our.downtime.Fixed(begin, end)
        self.downtimes["once"] = self.our.downtime.Downtime("once", window, ids)
        self.world.downtimes["once"] = (lambda wall: begin <= wall < end, ids)
        self.living()

    @rule(ids=st.frozensets(st.sampled_from(IDS), max_size=2))
    def a_downtime_comes_again_and_again(self, ids: frozenset[str]) -> None:
        window = self.our.downtime.Recurring("*/10 * * * *", 120.0, "Europe/Berlin")
        self.downtimes["every"] = self.our.downtime.Downtime("every", window, ids)
        self.world.downtimes["every"] = (lambda wall: wall % 600 < 120, ids)
        self.living()

    @rule(name=st.sampled_from(("once", "every")))
    def a_downtime_is_ended(self, name: str) -> None:
        self.downtimes.pop(name, None)
        self.world.downtimes.pop(name, None)
        self.living()

    @rule(seconds=st.sampled_from((30.0, 300.0)))
    def somebody_pauses(self, seconds: float) -> None:
        self.world.paused = self.steady + seconds
        self.living()

    @rule(name=st.sampled_from(tuple(ROUTES)), outcome=st.sampled_from(OUTCOMES))
    def a_receiver_changes(self, name: str, outcome: str) -> None:
        self.inboxes[name].outcome = outcome

    @rule(seconds=st.sampled_from((-DAY, -HOUR, HOUR, DAY)))
    def the_clock_is_set(self, seconds: float) -> None:
        self.wall += seconds
        self.living()

    @rule(writes=st.integers(0, 8), after=st.booleans())
    def death_comes_soon(self, writes: int, after: bool) -> None:
        self.left, self.after_write = writes, after

    @rule(seconds=st.sampled_from((-HOUR, 0.0, 20.0, HOUR)))
    def the_machine_boots(self, seconds: float) -> None:
        """Its clock may be wrong afterwards; how long it was off, it alone knows."""
        self.kept["anchor"] = self.kept["anchor"].moved(self.monotonic, self.wall, self.boot)
        self.boot, self.monotonic = f"{self.boot}+", 3.0
        self.wall += seconds
        self.steady += max(0.0, seconds)
        self.kept["anchor"] = self.kept["anchor"].moved(self.monotonic, self.wall, self.boot)
        self.living(self.restart)

    @rule(id=st.sampled_from(("b", "c", "reach")))
    def a_scenario_goes_or_comes_back(self, id: str) -> None:
        self.world.gone ^= {id}
        self.living()
