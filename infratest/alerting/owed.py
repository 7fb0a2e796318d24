"""`owed`: who is to be given which notice now. Pure; called by the monitor after every change and at every tick.

Level, not edge: what is so is compared with what each receiver was last given, and the difference is owed. Nothing
hangs on having seen a change happen, so that neither a restart nor a silence nor a dead receiver can lose one, and
nothing is given twice. What ends a silence owes whatever is so then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from infratest.alerting.ledger import (
    ACK,
    FLAPPING,
    PROBLEM,
    RECOVERY,
    REMINDER,
    UNSTABLE,
    Entry,
    Ledger,
    Notice,
    after,
)
from infratest.alerting.problems import ACKNOWLEDGED, Picture, Problems, Suppression
from infratest.alerting.status import Status
from infratest.alerting.subject import Subject, of_receiver
from infratest.states import OK

KINDS = (PROBLEM, RECOVERY, FLAPPING, ACK)


@dataclass(frozen=True)
class Route:
    """One rule of `tell:`: whom what is to be told.

    Args:
        when: whether it is for a result in a state. to: receivers. after: seconds that a problem has to last first.
        again: seconds after which it is told once more, None for never. on: the kinds that are told.
        stop: whether the routes behind it are for no result that it is for. name: what people call it.
    """

    when: Callable[[Subject, str], bool]
    to: tuple[str, ...]
    after: float = 0.0
    again: float | None = None
    on: frozenset[str] = frozenset((PROBLEM, RECOVERY, FLAPPING))
    stop: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told.

    Args:
        digest: seconds for which notices are gathered after a message; 0 for one message a notice. lease: seconds after
        which it forgets what is open, unless it is said again; 0 where it never does.
    """

    name: str
    digest: float = 0.0
    lease: float = 0.0


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a receiver (`-` for all) is not told of a result."""

    receiver: str
    id: str
    reason: str


@dataclass
class Owed:
    """What follows from a picture and a ledger.

    Args:
        notices: to be put on their way. withdrawals: receiver and id of what is on its way and no longer so.
        closings: receiver and id of what is over and not told, as its routes have it. withheld: what is so, is not
        told, and why.
    """

    notices: list[Notice] = field(default_factory=list)
    withdrawals: list[tuple[str, str]] = field(default_factory=list)
    closings: list[tuple[str, str]] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)

    def applied(self, ledger: Ledger) -> dict[tuple[str, str], Entry]:
        """Return the ledger with all this written into it."""
        made = after(ledger, self.notices, self.withdrawals)
        for key in self.closings:
            del made[key]
        return made


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the routes together say of one result and one receiver."""

    after: float
    again: float | None
    on: frozenset[str]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """One result as it is to be told.

    Args:
        level: what is so. begun: since when, in the monitor's own time. lapsed, ack: of its status.
    """

    id: str
    problem: str
    level: str
    begun: float
    reason: str = ""
    members: tuple[str, ...] = ()
    silence: Suppression | None = None
    ack: float | None = None
    lapsed: float | None = None


def owed(
    picture: Picture,
    ledger: Ledger,
    routes: Sequence[Route],
    receivers: Iterable[Receiver],
    sent: Mapping[str, float],
) -> Owed:
    """Return what is owed at a moment.

    Args:
        sent: when each receiver was sent its newest message, in the monitor's own time: tries of what failed before
        count once they are taken; of those who were never sent one, nothing.
    """
    problems, answer, now = Problems(picture), Owed(), picture.now.steady
    known = {each.name: each for each in receivers}
    entries: dict[str, dict[str, Entry]] = {}
    for (receiver, id), entry in ledger.items():
        entries.setdefault(id, {})[receiver] = entry
    for id in sorted({*problems.wrong, *entries}):
        case, terms = _case(id, problems), _terms(id, problems, routes)
        its = entries.get(id, {})
        if case.level != OK and not its and (case.silence is not None or not terms):
            reason = case.silence.reason if case.silence is not None else "no route is for it"
            answer.withheld.append(Withheld("-", id, reason))
            continue
        for name in sorted({*terms, *its}):
            if name not in known or id == of_receiver(name):
                why = "is no receiver any longer" if name not in known else "cannot be told of itself"
                answer.withheld.append(Withheld(name, id, f"{name} {why}"))
                continue
            due = sent.get(name, -known[name].digest) + known[name].digest
            _settle(answer, case, name, its.get(name), terms.get(name), now, due)
    return answer


def _case(id: str, problems: Problems) -> _Case:
    picture = problems.picture
    status = picture.statuses.get(id)
    if status is None or id not in picture.subjects:
        gone = picture.left.get(id.rpartition("@")[2], "it is watched no longer")
        return _Case(id, id, OK, picture.now.steady, gone, silence=problems.suppression(id))
    level = UNSTABLE if status.unstable is not None else status.state
    begun = status.unstable or status.opened or status.since
    return _Case(
        id,
        f"{id}/{round(begun.steady * 1000)}",
        level,
        begun.steady,
        status.reason,
        tuple(problems.members.get(id, ())),
        problems.suppression(id),
        status.ack.at.steady if status.ack is not None else None,
        status.lapsed,
    )


def _terms(id: str, problems: Problems, routes: Sequence[Route]) -> dict[str, _Terms]:
    """Return whom the routes name for a problem: by its cause, and by each result that it stands in the way of."""
    found: dict[str, _Terms] = {}
    subjects = problems.picture.subjects
    status = problems.picture.statuses.get(id)
    if status is None or id not in subjects:
        return {}
    state = _told_as(status)
    for each in (id, *problems.members.get(id, ())):
        for route in routes:
            if not route.when(subjects[each], state):
                continue
            for name in route.to:
                found[name] = _joined(found.get(name), route)
            if route.stop:
                break
    return found


def _told_as(status: Status) -> str:
    """Return the state that routes are asked with: what recovered is for those whom its problem was for."""
    return status.trouble if status.state == OK else status.state


def _joined(terms: _Terms | None, route: Route) -> _Terms:
    if terms is None:
        return _Terms(route.after, route.again, route.on, (route.name,))
    again = min((each for each in (terms.again, route.again) if each is not None), default=None)
    names = terms.names if route.name in terms.names else (*terms.names, route.name)
    return _Terms(min(terms.after, route.after), again, terms.on | route.on, names)


def _settle(
    answer: Owed, case: _Case, name: str, entry: Entry | None, terms: _Terms | None, now: float, due: float
) -> None:
    """Compare what is so with what one receiver was given, and put down what follows."""
    kind, reason = _kind(case, entry, terms, now)
    pending = entry.pending if entry is not None else None
    if kind is None:
        if entry is not None and case.level == OK and case.silence is None and entry.open:
            answer.closings.append((name, case.id))
        elif pending is not None:
            answer.withdrawals.append((name, case.id))
        if reason:
            answer.withheld.append(Withheld(name, case.id, reason))
        return
    notice = _notice(case, name, entry, kind, now, terms)
    if notice.alike(pending):
        return  # it is on its way
    if now < due:
        if pending is not None:
            answer.withdrawals.append((name, case.id))
        answer.withheld.append(Withheld(name, case.id, f"gathered for {due - now:.0f} s more"))
        return
    answer.notices.append(notice)


def _kind(case: _Case, entry: Entry | None, terms: _Terms | None, now: float) -> tuple[str | None, str]:
    """Return which notice is owed, or None and why not; without a reason where nothing is left to say."""
    if case.silence is not None:
        return _while_silent(case, entry, terms)
    if entry is None or not entry.open:
        return _first(case, terms, now)
    on = _kinds(entry, terms)
    if case.level != entry.level or entry.unsure:
        kind = _of_level(case.level, on)
        if case.level == UNSTABLE and kind == PROBLEM and entry.level != OK and not entry.unsure:
            return None, f"no route tells it of a {FLAPPING}"  # that there is a problem it knows
        return (kind, "") if kind in on else (None, f"no route tells it of a {kind}")
    again = terms.again if terms is not None else None
    if (again is not None and now - entry.at >= again) or (case.lapsed is not None and entry.at < case.lapsed):
        return REMINDER, ""
    return None, ""


def _of_level(level: str, on: frozenset[str]) -> str:
    """Return the kind of notice that says what is so.

    What flaps is a problem to who is not told of flaps: what it was told last may be that all is well, for ever.
    """
    if level == UNSTABLE:
        return FLAPPING if FLAPPING in on else PROBLEM
    return RECOVERY if level == OK else PROBLEM


def _kinds(entry: Entry | None, terms: _Terms | None) -> frozenset[str]:
    """Return what is told to one who knows of a problem; where no route is for it any longer, by those that were."""
    if terms is not None:
        return terms.on
    return (entry.on if entry is not None else frozenset()) or Route.on


def _first(case: _Case, terms: _Terms | None, now: float) -> tuple[str | None, str]:
    """Return what is owed to who was told nothing of a problem yet."""
    if case.level == OK:
        return None, ""
    if terms is None:
        return None, "no route is for it"
    kind = _of_level(case.level, terms.on)
    if kind not in terms.on:
        return None, f"no route tells it of a {kind}"
    if now - case.begun < terms.after:
        return None, f"told after {terms.after:.0f} s, in {terms.after - now + case.begun:.0f} s"
    return kind, ""


def _while_silent(case: _Case, entry: Entry | None, terms: _Terms | None) -> tuple[str | None, str]:
    """Return what is owed although it is silent: that somebody has it, to those who know of it."""
    if case.silence is None:
        return None, ""
    knows = entry is not None and entry.level == case.level and not entry.unsure and entry.ack != case.ack
    if case.silence.kind == ACKNOWLEDGED and knows and terms is not None and ACK in terms.on:
        return ACK, ""
    return None, case.silence.reason


def _notice(case: _Case, name: str, entry: Entry | None, kind: str, now: float, terms: _Terms | None) -> Notice:
    ack = case.ack if kind == ACK else None
    route = "" if terms is None else ", ".join(terms.names)
    problem, begun = (case.problem, now) if entry is None else (entry.problem, entry.begun)
    on = _kinds(entry, terms)
    notice = Notice(name, case.id, problem, begun, 1, kind, case.level, case.members, ack, case.reason, route, on)
    if entry is None:
        return notice
    if notice.alike(entry.doubt):  # sent again as the same
        return replace(notice, number=entry.doubt.number if entry.doubt is not None else 1)
    return replace(notice, number=entry.number + 1)
