"""Proposals: heals that wait for a person, in `proposals/` of the state directory. What is approved is what is done.

A proposal is known by the digest of all that it says: an approval answers that digest and no other, and what changes
makes a new proposal. The healer makes, renews and uses them; `infratest heal approve` and `deny` answer them. Both do
so under a lock of their own, so that nobody waits for a heal that runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import StateError, UserError, unknown
from infratest.heal import chain
from infratest.heal.signing import Key
from infratest.json_text import dumps, loads
from infratest.model import Place
from infratest.store.directory import StateDir

FOLDER = "proposals"
#: Seconds that a proposal waits for its answer, and an approval for being used.
EXPIRY = 900.0
#: Seconds that one which is over stays to be shown.
SHOWN = 30 * 86400.0
WAITING, DENIED, USED, REPLACED = "waiting", "denied", "used", "replaced"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's yes: who by login and host, and by key where it is signed with one."""

    by: str
    time: float
    comment: str = ""
    key: str = ""
    signature: str = ""

    def signs(self, digest: str) -> bytes:
        """Return what a signature of this is of."""
        return chain.written({"digest": digest, "by": self.by, "time": self.time, "comment": self.comment})


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A heal that somebody may approve.

    Args:
        says: all that is approved: rule, result, remedy, rung, what fails. digest: of that. expires: in seconds since
        the epoch; renewed while it still holds. gates: each with its answer when it was made. reason: what was seen
        last, with its numbers: shown, and no part of what is approved. state: WAITING, DENIED, USED or REPLACED.
        answer: who denied it, and why; or what has replaced it.
    """

    id: str
    digest: str
    place: Place
    made: float
    expires: float
    says: Mapping[str, Any]
    gates: Sequence[Mapping[str, Any]] = ()
    reason: str = ""
    state: str = WAITING
    answer: str = ""
    approvals: tuple[Approval, ...] = field(default=())

    @property
    def same_problem(self) -> tuple[Any, ...]:
        """What a denial is for: a rule, a result, and the problem that it is of."""
        return tuple(self.says.get(name) for name in ("rule", "result", "problem"))

    def waits(self, now: float) -> bool:
        """Whether it may still be answered, or used where it was approved."""
        return self.state == WAITING and now < self.expires


def proposed(
    place: Place, says: Mapping[str, Any], gates: Sequence[Mapping[str, Any]], now: float, reason: str = ""
) -> Proposal:
    """Return a new proposal of all this. Args: as `Proposal` has them."""
    digest = chain.digest(chain.written({"place": place, **says}))
    return Proposal(
        id=digest.partition(":")[2][:12],
        digest=digest,
        place=place,
        made=now,
        expires=now + EXPIRY,
        says=says,
        gates=gates,
        reason=reason,
    )


def people(approvals: Iterable[Approval], digest: str, keys: Collection[str], now: float) -> list[str]:
    """Return who has approved, each once: told apart by their keys where both have signed, else by their logins.

    An approval that is of the future, over, or whose signature is none of a trusted key, does not count.
    """
    from infratest.heal.signing import verified

    counted: list[Approval] = []
    for one in approvals:
        if not now - EXPIRY < one.time <= now + chain.AHEAD:
            continue
        if one.key and (one.key not in keys or not verified(one.key, one.signature, one.signs(digest))):
            continue
        if all(_another(one, other) for other in counted):
            counted.append(one)
    return [one.by for one in counted]


def _another(one: Approval, other: Approval) -> bool:
    return one.key != other.key if one.key and other.key else one.by != other.by


def every(state: StateDir, place: Place) -> list[Proposal]:
    """Return the proposals of a place, the newest first.

    Raises:
        StateError: one cannot be read: whoever may not know what was denied may not act.
    """
    folder = Path(state.file(FOLDER))
    try:
        paths = sorted(folder.glob("*.json"))
        found = [_read(path) for path in paths]
    except OSError as error:
        raise StateError(f"state directory: {folder} could not be read: {error.strerror}") from error
    return sorted((one for one in found if one.place == place), key=lambda one: -one.made)


def named(state: StateDir, place: Place, id: str) -> Proposal:
    """Return the proposal with this id. Raises UserError: there is none."""
    known = every(state, place)
    for one in known:
        if one.id == id:
            return one
    if not known:
        raise UserError(f"proposal {clean(id, 40)}: there are none")
    raise UserError(unknown("proposal", clean(id, 40), [one.id for one in known]))


def save(state: StateDir, proposal: Proposal) -> None:
    """Keep a proposal as it now is. Raises StateError."""
    state.write(f"{FOLDER}/{proposal.id}.json", dumps(asdict(proposal)) + "\n")


def lock(state: StateDir) -> Any:
    """Return the lock under which proposals are changed."""
    return state.lock_of(FOLDER)


def approve(
    state: StateDir, place: Place, id: str, approval: Approval, key: Key | None, needed: int, keys: Collection[str]
) -> tuple[Proposal, list[str]]:
    """Say yes to a proposal, and return it with who has approved it now.

    Raises:
        UserError: it is over, denied, used, or this person has approved it already.
    """
    with lock(state):
        one = named(state, place, id)
        _answerable(one, approval.time)
        if key is not None:
            approval = replace(approval, key=key.public)
            approval = replace(approval, signature=key.sign(approval.signs(one.digest)))
        before = people(one.approvals, one.digest, keys, approval.time)
        answered = replace(one, approvals=(*one.approvals, approval), expires=approval.time + EXPIRY)
        now = people(answered.approvals, one.digest, keys, approval.time)
        if len(now) == len(before):
            more = f"; {needed} different people are asked for" if needed > len(now) else ""
            raise UserError(f"proposal {id}: {approval.by} has approved it already{more}")
        save(state, answered)
    return answered, now


def deny(state: StateDir, place: Place, id: str, by: str, comment: str, now: float) -> Proposal:
    """Say no to a proposal: it rests as long as its problem lasts. Raises UserError: it is over already."""
    with lock(state):
        one = named(state, place, id)
        _answerable(one, now)
        denied = replace(one, state=DENIED, answer=f"denied by {by}: {clean(comment, 500)}")
        save(state, denied)
    return denied


def _answerable(one: Proposal, now: float) -> None:
    if one.state != WAITING:
        raise UserError(f"proposal {one.id}: is {one.state}" + (f": {one.answer}" if one.answer else ""))
    if now >= one.expires:
        raise UserError(f"proposal {one.id}: has expired; the next check that heals makes it anew if it still holds")


def forget_old(state: StateDir, place: Place, now: float) -> None:
    """Remove what has long been over."""
    for one in every(state, place):
        if now - one.expires > SHOWN:
            Path(state.file(f"{FOLDER}/{one.id}.json")).unlink(missing_ok=True)


def _read(path: Path) -> Proposal:
    try:
        record = loads(path.read_bytes())
        record["approvals"] = tuple(Approval(**one) for one in record["approvals"])
        proposal = Proposal(**record)
        whole = proposed(proposal.place, proposal.says, (), proposal.made)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StateError(f"state directory: {path} is no proposal of this version; remove it") from None
    if (whole.digest, whole.id) != (proposal.digest, proposal.id):
        raise StateError(f"state directory: {path} says something else than its digest; remove it")
    return proposal
