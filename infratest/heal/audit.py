"""The heal audit, `heal.jsonl`: every decision with its gates, and the ledger of tries that the budget is taken from.

A try is on the disk before anything acts, so that a kill in mid-heal counts; its end is a second record with the same
number. A refusal that says the same as the one before it in the same problem is not written again. A file that has
grown large or old becomes the one before (`heal.1.jsonl`), and the new one begins with the tries that still count, and
with who was told of problems that last: one file of bounded size is all that a check reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from infratest.cleaning import clean
from infratest.errors import StateError
from infratest.heal import verifying
from infratest.heal.earning import Approved
from infratest.heal.gates import Try, moment
from infratest.heal.records import FAILED, PROPOSED, REFUSED, TRIED, WOULD, HealRecord, in_drill
from infratest.heal.verifying import Unverified
from infratest.model import Place, is_of, place_of
from infratest.process_tree import started
from infratest.stack.declared import HealRule
from infratest.store.directory import StateDir, kept_age, kept_size
from infratest.store.failures import Row, load

FILE, OLD_FILE = "heal.jsonl", "heal.1.jsonl"
#: Bytes after which a new file is begun, where nothing is set: a check reads it whole.
SIZE = 2**20
BEGUN, PROCESS, PAGED = "try", "process", "paged"
UNDO, UNDONE = "undo", "undone"
VERIFIED = "verified"
#: What says how a try went.
ENDS = (TRIED, VERIFIED, FAILED)
#: What of a try is taken over into a new file.
OF_A_TRY = (
    "event", "stack", "env", "rule", "id", "host", "time", "until", "try", "verified", "verifying", "pid", "started",
    "boot", "duration", "mode", "proposal", "approved_by", "problem", "worse", "remedy", "by", "kept", "drill", "words",
    "seen", "rung", "ended", "gone", "failed", "undone",
)  # fmt: skip


class Audit:
    """The audit of one environment of a stack; use it under the state's lock.

    Args:
        place: as `model.place_of` has it.
        window: seconds that a try counts for, the longest of all rules. looking: write nothing, hold no lock.
    """

    def __init__(
        self, state: StateDir, place: Place, now: float, window: float = 0.0, *, looking: bool = False
    ) -> None:
        self._state = state
        self._place, self._of = place, of_place(place)
        self._now = now
        whole = _whole(state)
        self._records = [record for record in whole if is_of(record, place)]
        try:
            _ = self.tries
        except (KeyError, TypeError, ValueError) as error:
            # A try that cannot be read cannot be counted, and the budget would be larger than it is.
            raise StateError(
                f"healing is disarmed: {state.file(FILE)} holds a try that cannot be read "
                f"({type(error).__name__}: {clean(str(error), 100)}), so that no budget can be counted; "
                "mend its line, or move the file away to begin with a new budget"
            ) from error
        if not looking and state.outgrown(FILE, kept_size(SIZE), kept_age(), now):
            kept = _renewed(state, whole, now - max(window, kept_age()))
            self._records = [record for record in kept if is_of(record, place)]

    @property
    def tries(self) -> tuple[Try, ...]:
        """Every try on record, oldest first. Raises KeyError, TypeError or ValueError for one that is damaged.

        One that is noted as to be verified was done, although whatever ended its run has left no end of it.
        """
        waiting = {one.number for one in verifying.pending(self._state, self._place).values()}
        ends = {record["try"]: record for record in self._records if record.get("event") != BEGUN and "try" in record
                and record.get("event") != PROCESS}  # fmt: skip
        return tuple(
            Try(
                rule=record["rule"],
                host=record["host"],
                time=float(record["time"]),
                until=float(record["until"]),
                ended=record["try"] in ends or record["try"] in waiting,
                verified=bool(ends.get(record["try"], {}).get("verified")),
                drill=in_drill(record),
                alive=record["try"] not in ends and self._lives(record["try"]),
                verifying=_verifying(ends[record["try"]]) if record["try"] in ends else record["try"] in waiting,
                id=str(record.get("id", "")),
                rung=int(record.get("rung", 0)),
                acted=_acted(ends.get(record["try"], {})),
                gone=bool(ends.get(record["try"], {}).get("gone")),
            )
            for record in self._records
            if record.get("event") == BEGUN
        )

    def approved(self, rule: str) -> list[Approved]:
        """Return the heals of a rule that somebody approved and that have helped, in a row, up to the last one.

        As things stand: one that was undone has not helped, whatever was seen of it before. Drills count for nothing,
        and neither does what nobody knows yet, or never will since what it was for is gone: the row goes on around it.
        """
        begun = [one for one in self._records if one.get("event") == BEGUN]
        ends = {one["try"]: one for one in self._records if one.get("event") in ENDS and "try" in one}
        found: list[Approved] = []
        for record, outcome in reversed(list(zip(begun, self.tries, strict=True))):
            if outcome.rule != rule or outcome.drill or outcome.gone:
                continue
            if outcome.failed(self._now):
                break
            if outcome.verified and record.get("proposal"):
                found.append(Approved(id=str(record.get("id")), at=_seen_at(ends[record["try"]])))
        return found[::-1]

    def of_a_drill(self, number: str) -> bool:
        """Whether a try was made in a drill."""
        mine = {"event": BEGUN, "try": number}
        return any(mine.items() <= one.items() and in_drill(one) for one in self._records)

    def _lives(self, number: str) -> bool:
        """Whether a program that a try has started on this machine is still the one of that number."""
        return any(  # of one that had ended before its start could be read that is empty, as it is of any that is gone
            record.get("try") == number and record["started"] and started(int(record["pid"])) == record["started"]
            for record in self._records
            if record.get("event") == PROCESS
        )

    def begin(self, record: HealRecord, until: float) -> str:
        """Write a try down before it is made, and return its number.

        Args:
            until: when it must have ended, in seconds since the epoch.
        """
        number = f"{record.time:.6f}-{os.getpid()}-{len(self._records)}"
        data = record.as_dict(self._of) | {"event": BEGUN, "try": number, "until": until}
        # What was seen stands in the record of the end, once.
        data["before"] = {name: value for name, value in data["before"].items() if name != "steps"}
        for later in (
            "after",
            "verified",
            "verifying",
            "duration",
            "seen",
            "words",
            "error",
            "worse",
            "undone",
            "kept",
            "ended",
        ):
            del data[later]
        if record.collected:  # before the act, so that it is there whatever ends this run
            data["collected"] = [one.as_dict() for one in record.collected]
        self._write(data)
        return number

    def process(self, number: str, pid: int) -> None:
        """Write down that a try has started a program on this machine: while it lives, the try has not ended."""
        self._write({"event": PROCESS, **self._of, "try": number, "pid": pid, "started": started(pid)})

    def end(self, record: HealRecord, number: str) -> None:
        """Write how a try ended."""
        self._write(record.as_dict(self._of) | {"try": number})

    def told(self, one: Unverified, verified: bool, time: float, words: str, *, gone: bool = False) -> None:
        """Write what a later check saw of a try that nobody had had the time to verify.

        Args:
            gone: what it was for is no longer there: whether it helped nobody will know.
        """
        ended = {"event": VERIFIED if verified else FAILED, **self._of, "try": one.number, "time": time,
                 "ended": one.ended}  # fmt: skip
        kept = {"kept": one.kept} if one.kept else {}  # where its run was killed that is not on record yet
        lost = {"gone": True} if gone else {}
        self._write(ended | {"verified": verified, "words": clean(f"{one.remedy}: {words}")} | kept | lost)

    def told_worse(self, record: HealRecord, number: str) -> None:
        """Write what a try has made worse, and what came of undoing it where that is known by now."""
        self._write(record.as_dict(self._of) | {"event": FAILED, "try": number})

    def worse(self, number: str) -> list[dict[str, Any]]:
        """Return the records of what a try has made worse, oldest first."""
        return [one for one in self._records if one.get("try") == number and one.get("worse")]

    def verdict(self, number: str) -> dict[str, Any]:
        """Return what a later check has said of how a try went; empty where none has, or it made something worse."""
        said = [one for one in self._records if one.get("try") == number and one.get("event") in (VERIFIED, FAILED)]
        return said[-1] if said and not said[-1].get("worse") else {}

    def decided(self, record: HealRecord) -> bool:
        """Write a decision that led to no act, unless the last one about this result was the same; return whether."""
        data = record.as_dict(self._of)
        gist = _gist(data)
        if gist is not None and gist == self._last_gist(record):
            return False
        self._write(data)
        return True

    def paged(self, record: HealRecord) -> set[str]:
        """Return the receivers that were told already that the ladder is at its end in this problem.

        One whose failures confirm this one was the same to them.
        """
        mine, problems = {"event": PAGED, "id": record.before.id, "rule": record.rule.name}, record.earlier
        told = [one for one in self._records if mine.items() <= one.items()]
        return {str(one.get("to")) for one in told if one.get("problem") in (record.problem, *problems)}

    def goes_on(self, record: HealRecord, time: float, knew: Iterable[str]) -> None:
        """Write down that who was told of a problem whose failures confirm this one knows of this one, too.

        So they do of the next one, as long as it flaps.
        """
        alone = self.paged(replace(record, earlier=()))
        for to in sorted(set(knew) - alone):
            self.page(record, time, to)

    def keeper(self, kept: str) -> str:
        """Return the number of the try that has set aside what has this id, empty where none is on record."""
        return next((str(one.get("try")) for one in self._records if kept and one.get("kept") == kept), "")

    def undone(self, number: str) -> str:
        """Return what is known of an undo of a try, in words; empty where none was begun."""
        mine = [one for one in self._records if one.get("try") == number and one.get("event") in (UNDO, UNDONE)]
        if not mine:
            return ""
        if mine[-1]["event"] == UNDO:
            return f"an undo of it was begun by {clean(str(mine[-1].get('by')), 100)}, and its end is not on record"
        how = "it could not be undone" if mine[-1].get("failed") else "it was undone"
        return f"{how}: {clean(str(mine[-1].get('words')), 200)}"

    def undo(self, number: str, by: str, time: float) -> None:
        """Write down that a try is about to be undone: it has not helped, whatever was seen of it."""
        self._write({"event": UNDO, **self._of, "try": number, "time": time, "by": clean(by), "verified": False})

    def undo_ended(self, number: str, words: str, time: float, *, failed: bool = False) -> None:
        """Write down what came of that."""
        said = {"event": UNDONE, **self._of, "try": number, "time": time, "words": clean(words)}
        self._write(said | {"verified": False} | ({"failed": True} if failed else {}))

    def until(self, number: str, otherwise: float) -> float:
        """Return when a try must have ended, in seconds since the epoch. Args: otherwise: where none is on record."""
        mine = {"event": BEGUN, "try": number}
        return next((float(one["until"]) for one in self._records if mine.items() <= one.items()), otherwise)

    def begun(self) -> list[dict[str, Any]]:
        """Return the record of each try that is on record whole, oldest first, as it was begun."""
        return [one for one in self._records if one.get("event") == BEGUN and "before" in one]

    def gave_up(self, record: HealRecord) -> str:
        """Return why a rule is given up for now, in words: what it made worse in this problem, or that it was undone.

        Empty where it is not.
        """
        if worse := self.made_worse(record):
            return worse
        like = {"event": BEGUN, "rule": record.rule.name, "host": record.before.host}
        tries = {one["try"] for one in self._records if like.items() <= one.items() and not in_drill(one)}
        undone = [one for one in self._records if one.get("event") == UNDO and one.get("try") in tries]
        if undone and undone[-1]["time"] > record.time - record.rule.per:
            last = undone[-1]
            again = moment(last["time"] + record.rule.per)
            return f"a heal was undone by {clean(str(last.get('by')), 100)}: it rests until {again}"
        return ""

    def made_worse(self, record: HealRecord) -> str:
        """Return what a rule has made worse in this problem, and so has given up, in words; empty where nothing."""
        one = self.worse_in_problem(record)
        made = f"{one.get('remedy')} made {', '.join(map(str, one.get('worse', ())))} worse"
        return clean(f"given up in this problem: {made}", 500) if one else ""

    def worse_in_problem(self, record: HealRecord) -> dict[str, Any]:
        """Return the last record of what a rule has made worse in this problem; empty where there is none."""
        mine = {"id": record.before.id, "rule": record.rule.name, "problem": record.problem}
        worse = [one for one in self._records if one.get("worse") and mine.items() <= one.items()]
        return worse[-1] if worse else {}

    def failed_rung(self, record: HealRecord) -> int:
        """Return the rung of the last try in this problem, where that is known not to have helped; else -1."""
        mine = {"event": BEGUN, "id": record.before.id, "rule": record.rule.name, "problem": record.problem}
        begun = [one for one in self._records if one.get("event") == BEGUN]
        for one, outcome in reversed(list(zip(begun, self.tries, strict=True))):
            if mine.items() <= one.items() and not outcome.drill:
                return outcome.rung if outcome.failed(self._now) and not outcome.gone else -1
        return -1

    def page(self, record: HealRecord, time: float, to: str) -> None:
        """Write down that a receiver was told."""
        said = {"event": PAGED, **self._of, "time": time, "id": record.before.id, "rule": record.rule.name}
        # So many looks are one problem to those who were told.
        window = {"of": record.rule.confirm_of} if record.rule.confirm_of else {}
        self._write(said | {"problem": record.problem, "to": to} | window)

    def _last_gist(self, record: HealRecord) -> tuple[Any, ...] | None:
        for earlier in reversed(self._records):
            if earlier.get("id") == record.before.id and earlier.get("rule") == record.rule.name:
                return _gist(earlier)
        return None

    def _write(self, data: dict[str, Any]) -> None:
        self._state.append(FILE, data)
        self._records.append(data)


def _whole(state: StateDir) -> list[dict[str, Any]]:
    try:
        return state.read(FILE, whole=True)
    except StateError as error:
        raise StateError(
            f"healing is disarmed: {error}; it may have been a try, so that no budget can be counted; mend its line, "
            "or take it out"
        ) from error


def of_place(place: Place) -> dict[str, str]:
    """Return what every record of an environment of a stack says of whose it is."""
    stack, _, env = place.partition("/")
    return {"stack": stack, "env": env}


def window(rules: Sequence[HealRule]) -> float:
    """Return the seconds for which the budgets of rules go back at most."""
    return max((max(rule.per, rule.group[1] if rule.group else 0.0) for rule in rules), default=0.0)


def _renewed(state: StateDir, records: list[dict[str, Any]], since: float) -> list[dict[str, Any]]:
    """Begin a new file with what of the old one still counts, and return that.

    As long as its problem lasts, or others are yet to be told, it counts who was told of it, and what was given up.
    """
    rows: dict[str, dict[str, Row]] = {}

    def lasts(one: dict[str, Any]) -> bool:
        place = place_of(str(one.get("stack")), str(one.get("env")))
        rows[place] = rows[place] if place in rows else load(state, place)
        row, problem, of = rows[place].get(str(one.get("id"))), one.get("problem"), one.get("of")
        noted = verifying.pending(state, place).get(str(one.get("id")))
        if noted is not None and (noted.rule, noted.problem) == (one.get("rule"), problem):
            return True
        if row is None or problem is None:
            return False
        return row.since == problem or (isinstance(of, int) and of > 0 and problem in row.problems(of))

    numbers = {one["try"] for one in records if one.get("event") == BEGUN and _time(one) >= since and "try" in one}
    numbers |= {one["try"] for one in records if one.get("worse") and "try" in one and lasts(one)}
    kept = []
    for one in records:
        if one.get("event") == PAGED and lasts(one):
            kept.append(one)
        elif one.get("try") in numbers or (one.get("event") == BEGUN and "try" not in one):
            kept.append({name: one[name] for name in OF_A_TRY if name in one})
    state.begin_anew(FILE, OLD_FILE, kept)
    return kept


def _seen_at(end: dict[str, Any]) -> float:
    """Return when it was seen how a try went; of a record without that, the earliest that it can be.

    The time of a try is that of its decision: what lay between that and the act is not in its duration.
    """
    seen = end.get("seen")
    return float(end["time"]) + float(end.get("duration", 0.0)) if seen is None else float(seen)


def _acted(end: dict[str, Any]) -> float | None:
    """Return when the act of a try had ended, as its end says; None where it does not."""
    at = end.get("ended")
    return None if at is None else float(at)


def _verifying(end: dict[str, Any]) -> bool:
    """Whether a try that ended so may yet be seen to have helped."""
    return bool(end.get("verifying")) and not end.get("worse")


def _time(record: dict[str, Any]) -> float:
    """Return when a try was; one that cannot tell counts."""
    try:
        return float(record["time"])
    except (KeyError, TypeError, ValueError):
        return float("inf")


def _gist(data: dict[str, Any]) -> tuple[Any, ...] | None:
    """Return what makes two refusals the same: which gates refused, in which problem; not the changing words."""
    if data.get("event") not in (REFUSED, WOULD, PROPOSED):
        return None
    try:
        closed = tuple(gate["name"] for gate in data["gates"] if not gate["passed"])
        return data["event"], data["rung"], data["problem"], closed, data.get("proposal", "")
    except (KeyError, TypeError):
        return None  # damaged: the same as nothing, so that the next one is written
