"""What gates are asked of, and what they answer: values alone.

Made by the heal engine; read by every gate, the audit and the outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Protocol

from infratest.hosts import Host
from infratest.stack.declared import OBSERVE
from infratest.states import CRITICAL, UNKNOWN
from infratest.store.failures import Row

#: Seconds that a result may lie in the future, by clocks that differ; beyond that a clock was set back.
AHEAD = 60.0
#: As `Limits.look_again`: whatever its age, a report is looked at again.
ALWAYS = -1.0


class Stored(Protocol):
    """A last stored result, as store/history.py keeps it.

    `blocked` is anything true where another one blocks it, its id where that is known.
    """

    @property
    def host(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def blocked(self) -> object: ...

    @property
    def since(self) -> float | None: ...

    @property
    def time(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A stored result as a value. blocked: by which result, where that is known. since: when its state began."""

    host: str
    state: str
    time: float
    blocked: bool | str = False
    since: float | None = None


@dataclass(frozen=True, kw_only=True)
class Try:
    """One try of a rule on a host, from the audit.

    Args:
        until: when it must have ended. ended: its end is on record. verified: it healed. alive: a process of it lives.
        drill: it was made in one. verifying: it is done, and nobody has seen yet whether it helped. gone: nobody will,
        since what it was for is no longer there: that is nobody's fault. id: of the result that it was for. rung: index
        in the ladder. acted: when the act had ended, None where that is not known.
    """

    rule: str
    host: str
    time: float
    until: float
    ended: bool = True
    verified: bool = False
    alive: bool = False
    drill: bool = False
    verifying: bool = False
    id: str = ""
    rung: int = 0
    acted: float | None = None
    gone: bool = False

    def failed(self, now: float) -> bool:
        """Whether it is known not to have helped, or was cut off. Args: now: in seconds since the epoch."""
        acts = not self.ended and (self.alive or self.until > now)
        return not (self.verified or self.verifying or acts)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What people change, as far as it is about one rule and one result.

    Args:
        locks: of each file that says that somebody deploys, a phrase that says so. provisioned: when the host last was,
        in seconds since the epoch. drifted: of each file that the scenario looks at and that was changed since it was
        last green, a phrase.
    """

    locks: tuple[str, ...] = ()
    provisioned: float | None = None
    drifted: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ages and times in seconds that no rule sets.

    Args:
        report_age: a report older than this is stale. stored_age: a host whose last stored result is older is not
        known. settle: how long a remedy is given until the scenario must hold again. looking: how long a run
        without a deadline looks whether it does, where a rule gives it longer. look_again: a report older than this is
        looked at again before acting. together: what turned red within so much of each other did so
        together. moment: and within so much, at one moment. verify: where nobody has seen so long after a try must have
        ended whether it helped, it has not.
    """

    report_age: float = 600.0
    stored_age: float = 3600.0
    settle: float = 10.0
    looking: float = 30.0
    look_again: float = 30.0
    together: float = 60.0
    moment: float = 10.0
    verify: float = 3600.0


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Everything that gates may know beside rule and result.

    Args:
        now, looked: seconds since the epoch; looked is when the result was seen. row: its failures in a row. hosts: all
        of the stack, by name. history: the last stored results by id, this run's included. tries: of this environment,
        oldest first, in a drill since that began; begun: those from before it, too. paused: the end of the pause, or
        None; resume: the command that ends it. left: seconds until the whole run must end; least: those that the rung
        that is due has to have. climbing: the rung before failed in this same run, so no wait is due. settling: until
        when what the rule did to the host has yet to take effect, None where nothing has. acted: when it began; what
        was seen of other hosts before that says nothing of what it did to them. suppressed: why it is to be left alone,
        or empty. unseen: hosts that nobody has looked at since the result failed, and that are about to be. drilled:
        the rule that a drill is about, or empty. production: the stack is. proof: whether the rule is proven, and why
        or why not; trust: how much it may do by the ledger, and why. approved: by whom this very act was approved, or
        empty. witness: whether what is seen from here can be relied on, and why or why not. traits: of each host,
        beside its labels, what it may share with others: its image, the run that provisioned it. changes: what people
        are changing. fence: of a rung that needs it, whether the host is out of service, or is sure to be in time, and
        why or why not; None of a rung that leaves it where it is.
    """

    now: float
    looked: float
    row: Row
    hosts: Mapping[str, Host]
    history: Mapping[str, Stored]
    tries: tuple[Try, ...] = ()
    begun: tuple[Try, ...] = ()
    paused: float | None = None
    resume: str = "infratest heal resume"
    left: float = inf
    least: float = 0.0
    climbing: bool = False
    settling: float | None = None
    acted: float = -inf
    suppressed: str = ""
    unseen: tuple[str, ...] = ()
    drilled: str = ""
    production: bool = False
    proof: tuple[bool, str] = (False, "nobody has looked for its proof")
    trust: tuple[str, str] = (OBSERVE, "nobody has looked into the ledger")
    approved: str = ""
    witness: tuple[bool, str] = (True, "no witness is declared")
    traits: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    fence: tuple[bool, str] | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one gate said."""

    name: str
    passed: bool
    reason: str


def known(names: Iterable[str], situation: Situation) -> dict[str, list[Stored]]:
    """Return of each of these hosts what is stored of it and counts: neither too old nor from before the last act."""
    oldest = max(situation.now - situation.limits.stored_age, situation.acted)
    found: dict[str, list[Stored]] = {name: [] for name in names}
    for stored in situation.history.values():
        if stored.host in found and oldest <= stored.time <= situation.now + AHEAD:
            found[stored.host].append(stored)
    return found


def is_sick(stored: Stored, state: str) -> bool:
    """Whether a stored result says that its host is not well. Args: state: which a rule is for counts, too."""
    return bool(stored.blocked) or stored.state in (CRITICAL, UNKNOWN, state)


def moment(seconds: float) -> str:
    """Write a point in time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def listed(names: list[str], between: str = ", ") -> str:
    """Write the first of some names, and how many more there are."""
    return between.join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "none"
