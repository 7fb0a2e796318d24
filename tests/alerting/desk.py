"""A monitor on a desk: a few results, routes and receivers, moved by hand; for stories that end in what was told."""

from __future__ import annotations

from types import SimpleNamespace

#: Kinds that are told where a story does not say.
ALL = ("problem", "recovery", "flap", "ack")


class Desk:
    """What is watched, and what receivers were handed.

    Args:
        our: a copy of the package. needs: id -> ids. routes: keywords of Route, `to` and `when` among them.
    """

    def __init__(self, our: SimpleNamespace, needs=None, routes=({},), digest=0.0, **policy) -> None:
        self.our, self.time, self.wall = our, 1000.0, 1_764_432_000.0
        needs = {"web": ()} if needs is None else needs
        policy = {"flap": None, "attempts": our.policy.Attempts(1, 1)} | policy
        self.policy = our.policy.Policy(**policy)
        self.subjects = {id: our.subject.Subject(id, needs=needs[id], policy=self.policy) for id in needs}
        self.statuses = {id: our.status.begun(self.now()) for id in needs}
        self.routes = [
            our.owed.Route(
                **{"when": lambda subject, state: True, "to": ("oncall",), "on": frozenset(ALL)} | route
            )
            for route in routes
        ]  # fmt: skip
        names = sorted({name for route in self.routes for name in route.to})
        self.receivers = [our.owed.Receiver(name, digest) for name in names]
        self.ledger, self.sent, self.downtimes, self.paused = {}, {}, (), None
        self.outcome = "delivered"
        self.handed, self.withheld, self.keys = [], {}, []

    def now(self):
        return self.our.moments.Moment(self.time, self.wall)

    def wait(self, seconds: float) -> Desk:
        self.time += seconds
        self.wall += seconds
        return self

    def event(self, id: str, event) -> Desk:
        self.statuses[id] = self.our.status.advance(self.statuses[id], event, self.policy)
        return self

    def look(self, id: str, *states: str, blocker: str | None = None, every: float = 1.0) -> Desk:
        """Have looks come in, and what is owed handed over behind each."""
        for state in states:
            self.wait(every).event(id, self.our.status.Look(self.now(), state, blocker)).cycle()
        return self

    def tick(self, seconds: float) -> Desk:
        """Have time pass, and see what it brings."""
        self.wait(seconds)
        for id in self.statuses:
            self.event(id, self.our.status.Tick(self.now()))
        return self.cycle()

    def ack(self, id: str, seconds: float | None = None) -> Desk:
        return self.wait(1.0).event(id, self.our.status.Acknowledge(self.now(), "ada", "on it", seconds)).cycle()

    def downtime(self, *ids: str, seconds: float) -> Desk:
        window = self.our.downtime.Fixed(self.wall, self.wall + seconds)
        self.downtimes = (self.our.downtime.Downtime("move", window, frozenset(ids), "ada", "racks"),)
        return self

    def picture(self):
        Picture = self.our.problems.Picture
        return Picture(self.now(), self.subjects, self.statuses, self.downtimes, self.paused)

    def owed(self):
        return self.our.owed.owed(self.picture(), self.ledger, self.routes, self.receivers, self.sent)

    def cycle(self) -> Desk:
        ledger, owed = self.our.ledger, self.owed()
        self.withheld = {(each.receiver, each.id): each.reason for each in owed.withheld}
        self.ledger = owed.applied(self.ledger)
        gathering = [each.name for each in self.receivers if each.digest]
        for message in ledger.messages(self.ledger, gathering, self.time):
            for notice in message:
                key = (notice.receiver, notice.id)
                entry = ledger.attempted(self.ledger.pop(key))
                if not entry.retried or self.outcome == "delivered":
                    self.sent[notice.receiver] = self.time
                self.handed.append(notice)
                self.keys.append(notice.key)
                if self.outcome == "delivered":
                    entry = ledger.delivered(entry, notice, self.time)
                else:
                    entry = getattr(ledger, self.outcome)(entry, self.time)
                if entry is not None:
                    self.ledger[key] = entry
        return self

    @property
    def told(self) -> list[tuple[str, str, str, str]]:
        return [(each.receiver, each.id, each.kind, each.level) for each in self.handed]

    def words(self) -> list[str]:
        """Return what was told as `kind level`, of stories with one result and one receiver."""
        return [f"{each.kind} {each.level}" for each in self.handed]
