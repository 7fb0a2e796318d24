"""The ledger of autonomy: what was granted, beside the stack file and in its project; what was lost, in the state.

`heal-ledger.jsonl` is written by a person (`infratest heal trust RULE --grant auto`) and signed with a person's key;
`lost.jsonl` by the healer, with a key that it makes for itself. In the state stands too which line of each was last
seen: one that is missing since was taken off, and a line that is gone may have been one that took something away.
What is written in the state is written under a lock of its own, held for a moment: a loss waits for no `up` to end.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infratest.errors import HealError, StateError, UserError
from infratest.heal import chain, signing
from infratest.heal.chain import Broken, Link
from infratest.heal.signing import Key
from infratest.json_text import dumps, loads
from infratest.stack.declared import AUTO, OBSERVE, PROPOSE
from infratest.store.directory import StateDir

GRANTED, LOST, SEEN, KEY = "heal-ledger.jsonl", "lost.jsonl", "lost.json", "keys/healer.key"
#: From the least to the most that a rule may do.
LEVELS = (OBSERVE, PROPOSE, AUTO)
GRANT, LOSS = "grant", "loss"
#: What losses and their key become that cannot be read any more.
ASIDE = ".1"
#: Seconds by which a grant is later than what it overrides.
TICK = 0.001
#: What accepts the files as they stand. Whoever tells people of it puts what it is about here into it (`Session`): with
#: another state directory it would accept what stands in that.
ACCEPT = ("heal", "trust", "--accept")
_ACCEPT = f"`infratest {' '.join(ACCEPT)}`"
#: What to do about a file that does not hold.
MEND = ("have it as it was, from your version control, or the key that signed it in `trusted-keys:` again; or move the "
        f"file away, {_ACCEPT}, and grant anew")  # fmt: skip
ANEW = f"{_ACCEPT} begins it anew, and each rule proposes until it is granted again"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of either file: which rule in which environment may do how much from then on, by whom and why."""

    rule: str
    env: str
    level: str
    time: float
    by: str
    why: str

    def as_dict(self, stack: str, what: str) -> dict[str, Any]:
        """Return the record of the line."""
        return {"what": what, "stack": stack, "env": self.env, "rule": self.rule, "level": self.level,
                "time": self.time, "by": self.by, "why": self.why}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Both files as they stand. `broken`: why nothing of them can be trusted, or empty."""

    granted: tuple[Entry, ...] = ()
    lost: tuple[Entry, ...] = ()
    broken: str = ""

    def last_grant(self, rule: str, env: str) -> Entry | None:
        """Return what a person has said last of a rule in an environment; None where nobody has."""
        return next((one for one in reversed(self.granted) if (one.rule, one.env) == (rule, env)), None)

    def losses(self, rule: str, env: str) -> list[Entry]:
        """Return what a rule has lost since it was last granted anything."""
        grant = self.last_grant(rule, env)
        since = grant.time if grant is not None else 0.0
        return [one for one in self.lost if (one.rule, one.env) == (rule, env) and one.time >= since]


def from_here(words: str, command: Callable[..., str]) -> str:
    """Return the words of a ledger that does not hold with the command that accepts it as it has to be typed.

    Args:
        command: returns the command line of these words.
    """
    return words.replace(_ACCEPT, f"`{command(*ACCEPT)}`")


def lowest(levels: Sequence[str]) -> str:
    """Return the least of some levels; what is no level is the least of all."""
    return min(levels, key=lambda level: LEVELS.index(level) if level in LEVELS else -1, default=OBSERVE)


def read(folder: Path, state: StateDir, stack: str, keys: Mapping[str, str], now: float, *, note: bool) -> Ledger:
    """Return what has been granted and lost; of files that do not hold, why not.

    Args:
        folder: of the stack file. keys: the trusted public ones, by their names. note: keep which line was seen last.
    """
    try:
        ledger, heads = _both(folder, state, stack, keys, now)
        if note and heads != _seen(state):
            # Whoever adds a line notes it under the same lock: what is read here is not older than what is noted.
            with state.lock_of(LOST):
                ledger, heads = _both(folder, state, stack, keys, now)
                _note(state, **heads)
    except (StateError, HealError) as error:
        return Ledger(broken=str(error))
    return ledger


def _both(
    folder: Path, state: StateDir, stack: str, keys: Mapping[str, str], now: float
) -> tuple[Ledger, dict[str, str]]:
    """Return both files, and the last line of each. Raises Broken: they do not hold."""
    seen = _seen(state)  # first: a line that is added meanwhile is not missed
    links, lost = granted_links(folder, stack, keys, now), _lost_links(state, stack, now)
    if _missing(links, seen["granted"]):
        raise Broken(f"{GRANTED}: a line that was there is gone, and may have taken something away; {_ACCEPT} takes it "
                     "as it stands")  # fmt: skip
    if _missing(lost, seen["lost"]):
        raise Broken(f"{LOST}: a line that was there is gone, and has taken something away; {ANEW}")
    ledger = Ledger(granted=_entries(links, GRANT, GRANTED), lost=_entries(lost, LOSS, LOST))
    return ledger, {"granted": chain.head(links), "lost": chain.head(lost)}


def granted_links(folder: Path, stack: str, keys: Mapping[str, str], now: float) -> tuple[Link, ...]:
    """Return the lines of what was granted. Raises Broken: see `chain.read`; or the file cannot be read."""
    data = _bytes(folder / GRANTED)
    if data and not keys:
        raise Broken(f"{GRANTED}: no key is trusted; name whose lines count in `heal: trusted-keys:`")
    try:
        return chain.read(data, set(keys.values()), stack, now, GRANTED)
    except Broken as error:
        raise Broken(f"{error}; {MEND}") from error


def grant(folder: Path, stack: str, keys: Mapping[str, str], entry: Entry, key: Key) -> Link:
    """Add a line to what was granted, signed; all before it must hold. It is later than they, whatever our clock says.

    Raises:
        UserError: the key is none of the trusted ones. Broken: the file does not hold. StateError: not writable.
    """
    if key.public not in keys.values():
        raise UserError(f"the key {key.public} is none of the stack's: add it to `heal: trusted-keys:`, under the name "
                        "of whose it is")  # fmt: skip
    path = folder / GRANTED
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StateError(f"{path} could not be written: {error.strerror}") from error
    with os.fdopen(handle, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        links = granted_links(folder, stack, keys, entry.time)
        time = max(entry.time, float(links[-1].record["time"]) + TICK if links else 0.0)
        record = entry.as_dict(stack, GRANT) | {"time": time}
        line = chain.link(record, chain.head(links), key)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return Link(record, chain.digest(line[:-1]))


def lose(state: StateDir, stack: str, entry: Entry) -> None:
    """Write down that a rule has lost autonomy; nobody is waited for but who writes there this moment.

    Raises:
        Broken: what was lost before cannot be read: nothing is in force then anyway. StateError: not writable.
    """
    with state.lock_of(LOST):
        _lose(state, stack, entry)


def _lose(state: StateDir, stack: str, entry: Entry) -> None:
    links = _lost_links(state, stack, entry.time)
    key = _healer_key(state)
    time = max(entry.time, float(links[-1].record["time"]) if links else 0.0)
    line = chain.link(entry.as_dict(stack, LOSS) | {"time": time}, chain.head(links), key)
    try:
        handle = os.open(state.file(LOST), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StateError(f"{state.file(LOST)} could not be written: {error.strerror}") from error
    _note(state, lost=chain.digest(line[:-1]))


def accept(folder: Path, state: StateDir, stack: str, keys: Mapping[str, str], now: float) -> None:
    """Take what was granted as it stands for all of it, although lines that were seen are gone (a history rewritten).

    What losses said that are gone nobody knows any more: all that was ever granted is lost then, until a person grants
    it anew. Those that cannot be read are set aside, with the key that signed them.

    Raises:
        Broken: what was granted does not hold by itself. StateError: not writable.
    """
    with state.lock_of(LOST):
        links = granted_links(folder, stack, keys, now)
        if not _lost_nothing(state, stack, now):
            for rule, env in dict.fromkeys((one.rule, one.env) for one in _entries(links, GRANT, GRANTED)):
                why = f"what {LOST} said before is gone, and was accepted"
                time = max(now, *(float(link.record["time"]) for link in links))
                _lose(state, stack, Entry(rule=rule, env=env, level=PROPOSE, time=time, by="the healer", why=why))
        _note(state, granted=chain.head(links), lost=chain.head(_lost_links(state, stack, now)))


def _lost_nothing(state: StateDir, stack: str, now: float) -> bool:
    """Whether all losses that were seen are there; what cannot be read is set aside, so that they begin anew."""
    try:
        lost = _lost_links(state, stack, now)
        _entries(lost, LOSS, LOST)
    except Broken:
        for name in (LOST, KEY):
            _set_aside(state, name)
        return False
    try:
        return not _missing(lost, _seen(state)["lost"])
    except Broken:
        return False


def _set_aside(state: StateDir, name: str) -> None:
    path = Path(state.file(name))
    try:
        path.replace(path.with_suffix(f"{ASIDE}{path.suffix}"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StateError(f"{path} could not be set aside: {error.strerror}") from error


def _lost_links(state: StateDir, stack: str, now: float) -> tuple[Link, ...]:
    """Return the lines of what was lost. Raises Broken: they do not hold, or cannot be held against their key."""
    data = _bytes(Path(state.file(LOST)))
    if not data:
        return ()
    try:
        return chain.read(data, {signing.load(Path(state.file(KEY))).public}, stack, now, LOST)
    except Broken as error:
        raise Broken(f"{error}; {ANEW}") from error
    except UserError as error:
        # What it says to do is for a person's key, and not for the healer's own.
        why = str(error).partition(";")[0]
        raise Broken(f"{LOST}: nobody knows whether it holds: {why}; have that as it was, or {ANEW}") from error


def _healer_key(state: StateDir) -> Key:
    """Return the healer's own key; one that is not there, or cannot be used, has signed nothing that is there."""
    path = Path(state.file(KEY))
    state.make()
    try:
        return signing.load(path)
    except UserError:
        _set_aside(state, KEY)
        return signing.make(path)


def _missing(links: Sequence[Link], seen: str) -> bool:
    return bool(seen) and all(link.digest != seen for link in links)


def _entries(links: Sequence[Link], what: str, file: str) -> tuple[Entry, ...]:
    found = []
    for number, one in enumerate(links, 1):
        record = one.record
        texts = [record.get(name) for name in ("rule", "env", "level", "by", "why")]
        if record.get("what") != what or not all(isinstance(text, str) for text in texts):
            raise Broken(f"{file}:{number}: is none of its lines")
        if record["level"] not in LEVELS:
            raise Broken(f"{file}:{number}: says no level")
        found.append(Entry(rule=record["rule"], env=record["env"], level=record["level"],
                           time=float(record["time"]), by=record["by"], why=record["why"]))  # fmt: skip
    return tuple(found)


def _seen(state: StateDir) -> dict[str, str]:
    """Return the last line of each file that was seen, empty for none. Raises Broken: it cannot be read."""
    data = _bytes(Path(state.file(SEEN)))
    try:
        found = loads(data) if data else {}
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise Broken(f"{SEEN}: cannot be read; {_ACCEPT} writes it anew")
    return {"granted": "", "lost": ""} | found


def _note(state: StateDir, **heads: str) -> None:
    try:
        seen = _seen(state)
    except Broken:
        seen = {}
    state.write(SEEN, dumps(seen | heads) + "\n")


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(chain.SIZE + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Broken(f"{path}: could not be read: {error.strerror}") from error
